//! Files on channel 1: reads what is sent slice by slice, writes what comes as it comes, and hashes both. Nothing of a
//! file is held but what is just on its way: at most [`MAX_BUFFERED`] bytes in the channel and two slices before it at
//! the sender's, and [`FILE_WINDOW`](crate::rtc::bulk::FILE_WINDOW) at the receiver's.
//!
//! While people talk, or programs do, the channel is kept empty and files go slowly. Whatever is in it, and on the way
//! because it always has more to give, stands before a message of channel 0: with a megabyte in it, a question takes
//! 20 ms instead of 2. While nobody talks it is kept full, since a fast line waits for nobody.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{AbortHandle, abortable};
use js_sys::{ArrayBuffer, Promise, Uint8Array};
use litemap::LiteMap;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, Event, MessageEvent, RtcDataChannel, RtcDataChannelState};

use super::connection::settled;
use super::{Connections, WebError, refused, time};
use crate::rtc::ConnectionId;
use crate::rtc::bulk::{
    FileId, FileNotice, FileOrder, HEADER, MAX_BULK, Receiving, SMALL_BULK, Sending, message, read,
};
use crate::time::Millis;

/// At most this much waits in the channel.
pub const MAX_BUFFERED: u32 = 1024 * 1024;
/// The next message is given to it when no more than this is left …
const LOW: u32 = MAX_BUFFERED - MAX_BULK as u32;
/// … and while people talk, when nothing is left …
const LOW_FOR_TALK: u32 = 0;
/// … and the processor, too, was theirs for so many milliseconds. Browsers make 4 of it where pauses follow each other,
/// which leaves a file 4 MB a second.
const BREATH: u32 = 1;
/// Whoever said or heard something talks for so long, in milliseconds.
const TALK: f64 = 500.0;
/// So much is read at once.
const SLICE: u64 = 512 * 1024;

const READ: &str = "read the file";

/// Whom to tell what becomes of a file; `None` is a message that belongs to no file. Never called from inside
/// [`Files::carry_out`].
pub type Tell = Rc<dyn Fn(Option<(FileId, FileNotice)>)>;

#[wasm_bindgen]
extern "C" {
    /// Where a file is stored, in JavaScript: what comes is written in its order, one call after the other, and
    /// closed when everything was written. Who made it cleans up if that does not happen.
    pub type Sink;
    #[wasm_bindgen(method, structural, catch)]
    fn write(this: &Sink, bytes: Uint8Array) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn close(this: &Sink) -> Result<Promise, JsValue>;
}

/// The files of all connections.
pub struct Files {
    tell: Tell,
    sending: RefCell<LiteMap<FileId, Rc<Outgoing>>>,
    receiving: RefCell<LiteMap<FileId, Rc<Incoming>>>,
    channels: RefCell<LiteMap<ConnectionId, Rc<Channel>>>,
    /// When something else than a file was last sent or came.
    talked: Rc<Cell<f64>>,
}

impl Files {
    /// None yet.
    pub fn new(tell: Tell) -> Files {
        Files {
            tell,
            sending: RefCell::default(),
            receiving: RefCell::default(),
            channels: RefCell::default(),
            talked: Rc::new(Cell::new(f64::MIN)),
        }
    }

    /// Something else than a file was sent, or came: files are in the way of that.
    pub fn talked(&self) {
        self.talked.set(time::now());
    }

    /// What is sent under this name comes from here.
    pub fn send_from(&self, file: FileId, blob: Blob) {
        let sending = Sending::new(blob.size() as u64);
        let outgoing = Outgoing {
            blob,
            sending: RefCell::new(sending),
            allowed: RefCell::default(),
            work: RefCell::default(),
        };
        self.sending.borrow_mut().insert(file, Rc::new(outgoing));
    }

    /// What comes for this file goes there.
    pub fn store_in(&self, file: FileId, sink: Sink) {
        let incoming = Incoming {
            file,
            tell: self.tell.clone(),
            sink,
            receiving: RefCell::default(),
            pending: RefCell::default(),
            writing: Cell::new(false),
            over: Cell::new(false),
        };
        self.receiving.borrow_mut().insert(file, Rc::new(incoming));
    }

    /// Carries out an order about a file.
    pub fn carry_out(&self, connections: &Connections, file: FileId, order: FileOrder) {
        match order {
            FileOrder::Send {
                connection,
                number,
                from,
            } => {
                let outgoing = self.sending.borrow().get(&file).cloned();
                let channel = self.channel(connections, connection);
                if let (Some(outgoing), Some(channel)) = (outgoing, channel) {
                    outgoing.send(file, channel, number, from, &self.tell);
                }
            }
            FileOrder::Stored(stored) => {
                if let Some(outgoing) = self.sending.borrow().get(&file) {
                    outgoing.sending.borrow_mut().stored(stored);
                    wake(&outgoing.allowed);
                }
            }
            FileOrder::Expect {
                connection,
                number,
                size,
            } => {
                let incoming = self.receiving.borrow().get(&file).cloned();
                let channel = self.channel(connections, connection);
                if let (Some(incoming), Some(channel)) = (incoming, channel) {
                    self.unroute(file);
                    channel.routes.borrow_mut().insert(number, incoming.clone());
                    incoming.go_on(size);
                }
            }
            FileOrder::Forget => {
                if let Some(outgoing) = self.sending.borrow_mut().remove(&file) {
                    outgoing.stop();
                }
                if let Some(incoming) = self.receiving.borrow_mut().remove(&file) {
                    incoming.over.set(true);
                }
                self.unroute(file);
            }
        }
    }

    /// This connection is not used any more.
    pub fn closed(&self, connection: ConnectionId) {
        let closed = self.channels.borrow_mut().remove(&connection);
        if let Some(channel) = closed {
            channel.attach(None);
            channel.routes.take();
            channel.channel.close();
            wake(&channel.waiting);
            channel.handler.take();
        }
    }

    /// How many bytes wait to be sent on channel 1.
    pub fn buffered(&self, connection: ConnectionId) -> u32 {
        let channels = self.channels.borrow();
        let channel = channels.get(&connection);
        channel.map_or(0, |channel| channel.channel.buffered_amount())
    }

    fn unroute(&self, file: FileId) {
        for channel in self.channels.borrow().values() {
            let mut routes = channel.routes.borrow_mut();
            routes.retain(|_, incoming| incoming.file != file);
        }
    }

    fn channel(&self, connections: &Connections, id: ConnectionId) -> Option<Rc<Channel>> {
        if let Some(known) = self.channels.borrow().get(&id) {
            return Some(known.clone());
        }
        // Without a connection there is nothing to tell: there will be another, or the peer is gone.
        let channel = connections.open_bulk(id)?;
        let channel = Channel::new(channel, self.tell.clone(), self.talked.clone());
        self.channels.borrow_mut().insert(id, channel.clone());
        Some(channel)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let sending = self.sending.take();
        sending.values().for_each(|outgoing| outgoing.stop());
        let receiving = self.receiving.take();
        receiving.values().for_each(|its| its.over.set(true));
        let open: Vec<ConnectionId> = self.channels.borrow().keys().copied().collect();
        open.into_iter().for_each(|id| self.closed(id));
    }
}

/// Those that wait for something.
type Waiting = RefCell<Vec<oneshot::Sender<()>>>;

/// Wakes them all; who was first before comes last, or of several files only one would go.
fn wake(waiting: &Waiting) {
    let mut waiters = waiting.take().into_iter();
    let first = waiters.next();
    for waiter in waiters.chain(first) {
        // It may have been stopped.
        let _ = waiter.send(());
    }
}

async fn wait(waiting: &Waiting) {
    let (waiter, woken) = oneshot::channel();
    waiting.borrow_mut().push(waiter);
    let _ = woken.await;
}

type Handler = Closure<dyn Fn(Event)>;

/// Channel 1 of a connection.
struct Channel {
    channel: RtcDataChannel,
    tell: Tell,
    talked: Rc<Cell<f64>>,
    /// Where what comes goes, by the number on the wire.
    routes: RefCell<LiteMap<u32, Rc<Incoming>>>,
    waiting: Waiting,
    handler: RefCell<Option<Handler>>,
}

impl Channel {
    fn new(channel: RtcDataChannel, tell: Tell, talked: Rc<Cell<f64>>) -> Rc<Channel> {
        let channel = Rc::new(Channel {
            channel,
            tell,
            talked,
            routes: RefCell::default(),
            waiting: RefCell::default(),
            handler: RefCell::default(),
        });
        let weak = Rc::downgrade(&channel);
        let handler = Handler::new(move |event: Event| {
            if let Some(channel) = weak.upgrade() {
                channel.happened(&event);
            }
        });
        channel.attach(Some(handler.as_ref().unchecked_ref()));
        channel.handler.replace(Some(handler));
        channel
    }

    fn attach(&self, handler: Option<&js_sys::Function>) {
        self.channel.set_onopen(handler);
        self.channel.set_onmessage(handler);
        self.channel.set_onclose(handler);
        self.channel.set_onbufferedamountlow(handler);
    }

    fn happened(&self, event: &Event) {
        let Some(event) = event.dyn_ref::<MessageEvent>() else {
            return wake(&self.waiting);
        };
        let buffer = event.data().dyn_into::<ArrayBuffer>().ok();
        let fits = buffer.filter(|buffer| buffer.byte_length() as usize <= MAX_BULK);
        let message = fits.map(|buffer| Uint8Array::new(&buffer).to_vec());
        let found = message.as_deref().and_then(read);
        let route = found.and_then(|(number, place, content)| {
            let incoming = self.routes.borrow().get(&number).cloned()?;
            Some((incoming, place, content))
        });
        match route {
            Some((incoming, place, content)) => incoming.take(place, content),
            None => (self.tell)(None),
        }
    }

    /// With how much left the next message is given to the channel, and how long that is at most.
    fn depth(&self) -> (u32, usize) {
        if time::now() - self.talked.get() < TALK {
            (LOW_FOR_TALK, SMALL_BULK)
        } else {
            (LOW, MAX_BULK)
        }
    }

    /// Waits until there is room for a message. False if there never will be.
    async fn has_room(&self) -> bool {
        loop {
            let (low, _) = self.depth();
            match self.channel.ready_state() {
                RtcDataChannelState::Connecting => {}
                RtcDataChannelState::Open => {
                    if self.channel.buffered_amount() <= low {
                        if low == LOW_FOR_TALK {
                            time::pause(BREATH).await;
                        }
                        return true;
                    }
                    self.channel.set_buffered_amount_low_threshold(low);
                }
                _ => return false,
            }
            wait(&self.waiting).await;
        }
    }
}

/// A file that is sent.
struct Outgoing {
    blob: Blob,
    sending: RefCell<Sending>,
    /// Who waits for the receiver to have stored more.
    allowed: Waiting,
    /// Of the task that sends.
    work: RefCell<Option<AbortHandle>>,
}

impl Outgoing {
    fn stop(&self) {
        if let Some(work) = self.work.take() {
            work.abort();
        }
    }

    fn send(
        self: &Rc<Self>,
        file: FileId,
        channel: Rc<Channel>,
        number: u32,
        from: u64,
        tell: &Tell,
    ) {
        self.stop();
        let (outgoing, tell) = (self.clone(), tell.clone());
        let goes_on = self.sending.borrow_mut().go_on(from);
        let work = async move {
            let notice = if goes_on {
                match outgoing.pump(&channel, number).await {
                    Ok(Some(hash)) => FileNotice::Sent(hash),
                    // The connection broke. There will be another, or the peer is gone.
                    Ok(None) => return,
                    Err(error) => FileNotice::Failed(error.to_string()),
                }
            } else {
                FileNotice::Failed("The other side claims what was never sent.".to_owned())
            };
            tell(Some((file, notice)));
        };
        let (work, handle) = abortable(work);
        self.work.replace(Some(handle));
        spawn_local(async move {
            let _ = work.await;
        });
    }

    /// Sends as much as it may until everything was sent; `None` if the channel closed before that.
    async fn pump(&self, channel: &Channel, number: u32) -> Result<Option<[u8; 32]>, WebError> {
        let (mut begin, _) = self.sending.borrow().next(0);
        let mut ahead = self.read(begin)?;
        let mut slice = Vec::new();
        loop {
            if let Some(hash) = self.sending.borrow().whole() {
                return Ok(Some(hash));
            }
            if !channel.has_room().await {
                return Ok(None);
            }
            let (_, most) = channel.depth();
            let (from, to) = self.sending.borrow().next((most - HEADER) as u64);
            if from == to {
                wait(&self.allowed).await;
                continue;
            }
            if from == begin + slice.len() as u64 {
                begin = from;
                slice = bytes(ahead.await.map_err(refused(READ))?);
                // The next one is read while this one is sent.
                ahead = self.read(begin + slice.len() as u64)?;
            }
            let rest = slice.get((from - begin) as usize..).unwrap_or_default();
            let content = rest.get(..(to - from) as usize).unwrap_or(rest);
            if content.is_empty() {
                let name = "NotReadableError".to_owned();
                return Err(WebError::Refused { what: READ, name });
            }
            let sent = channel
                .channel
                .send_with_u8_array(&message(number, from, content));
            if sent.is_err() {
                return Ok(None);
            }
            self.sending.borrow_mut().sent(content);
        }
    }

    /// Begins to read a slice. Beyond the end there is nothing.
    fn read(&self, from: u64) -> Result<JsFuture, WebError> {
        // Exact: a size is below 2^53.
        let (from, to) = (from as f64, (from + SLICE) as f64);
        let slice = self.blob.slice_with_f64_and_f64(from, to);
        Ok(slice.map_err(refused(READ))?.array_buffer().into())
    }
}

fn bytes(buffer: JsValue) -> Vec<u8> {
    Uint8Array::new(&buffer).to_vec()
}

/// A file that comes.
struct Incoming {
    file: FileId,
    tell: Tell,
    sink: Sink,
    /// Unknown before it is expected.
    receiving: RefCell<Option<Receiving>>,
    /// What waits to be written.
    pending: RefCell<Vec<u8>>,
    writing: Cell<bool>,
    /// Nothing more is taken or told.
    over: Cell<bool>,
}

impl Incoming {
    fn tell(&self, notice: FileNotice) {
        if !self.over.get() {
            (self.tell)(Some((self.file, notice)));
        }
    }

    fn fail(&self, why: String) {
        self.tell(FileNotice::Failed(why));
        self.over.set(true);
    }

    /// Begins, or goes on.
    fn go_on(self: &Rc<Self>, size: u64) {
        let mut receiving = self.receiving.borrow_mut();
        let from = receiving
            .get_or_insert_with(|| Receiving::new(size))
            .go_on();
        let incoming = self.clone();
        spawn_local(async move {
            incoming.tell(FileNotice::Ready(from));
            // Nothing at all may be everything.
            incoming.write_soon();
        });
    }

    fn take(self: &Rc<Self>, place: u64, content: &[u8]) {
        let taken = match &mut *self.receiving.borrow_mut() {
            Some(receiving) if !self.over.get() => receiving.take(place, content),
            _ => return,
        };
        match taken {
            Ok(()) => {
                self.pending.borrow_mut().extend(content);
                self.write_soon();
            }
            Err(error) => self.fail(error.to_string()),
        }
    }

    fn write_soon(self: &Rc<Self>) {
        if self.over.get() || self.writing.replace(true) {
            return;
        }
        let incoming = self.clone();
        spawn_local(async move {
            match incoming.write().await {
                Ok(Some(hash)) => {
                    incoming.tell(FileNotice::Whole(hash));
                    incoming.over.set(true);
                }
                Ok(None) => incoming.writing.set(false),
                Err(error) => incoming.fail(error.to_string()),
            }
        });
    }

    /// Writes what there is; closes and returns the hash if that was all.
    async fn write(&self) -> Result<Option<[u8; 32]>, WebError> {
        const WHAT: &str = "store the file";
        loop {
            let bytes = self.pending.take();
            if bytes.is_empty() {
                break;
            }
            let written = self.sink.write(Uint8Array::from(&bytes[..]));
            settled(written.map_err(refused(WHAT))?, WHAT).await?;
            let mut receiving = self.receiving.borrow_mut();
            let stored = receiving
                .as_mut()
                .and_then(|its| its.stored(bytes.len() as u64, Millis(time::now() as u64)));
            drop(receiving);
            if let Some(stored) = stored {
                self.tell(FileNotice::Stored(stored));
            }
            if self.over.get() {
                return Ok(None);
            }
        }
        let whole = self.receiving.borrow().as_ref().and_then(Receiving::whole);
        if whole.is_some() {
            let closed = self.sink.close();
            settled(closed.map_err(refused(WHAT))?, WHAT).await?;
        }
        Ok(whole)
    }
}
