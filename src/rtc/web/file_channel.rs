//! Files on channel 1: reads and hashes outgoing files, hashes and stores incoming ones, slice by slice. Only the part of a
//! file that is in flight is in memory: at the sender at most [`MAX_BUFFERED`] bytes in the channel and 4 MiB that were
//! read ahead, at the receiver at most [`FILE_WINDOW`](crate::rtc::file_channel::FILE_WINDOW) bytes and a few slices. The
//! bytes stay in JavaScript's memory, because copying them to WebAssembly would take processor time from everything else.
//!
//! While channel 0 is in use, channel 1 is kept nearly empty and files are slow: everything in its buffer is sent before
//! the next message of channel 0, so with a megabyte in it, a question takes 20 ms instead of 2. While channel 0 is idle,
//! the buffer is kept full, so that a fast line is used completely.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{ArrayBuffer, Promise, Uint8Array};
use litemap::LiteMap;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, Event, MessageEvent, RtcDataChannel, RtcDataChannelState};

use self::incoming::Incoming;
use self::outgoing::Outgoing;
use super::{Connections, time};
use crate::rtc::ConnectionId;
use crate::rtc::file_channel::{
    FileId, Header, MAX_FILE_MESSAGE, SMALL_FILE_MESSAGE, TransferCommand, TransferEvent,
};

mod hash;
mod incoming;
mod outgoing;

pub use hash::hash_of;

/// At most this many bytes wait in the buffer of the channel.
pub const MAX_BUFFERED: u32 = 1024 * 1024;
/// A full buffer is filled again when no more than this is left in it.
const REFILL_LEVEL: u32 = MAX_BUFFERED / 2;
/// The same while channel 0 is in use.
const REFILL_LEVEL_WHILE_TALKING: u32 = 0;
/// The pause in milliseconds before each message while channel 0 is in use, which leaves the processor to it. Browsers
/// extend repeated pauses to 4 ms, which leaves a file about 4 MB a second.
const PAUSE_WHILE_TALKING: u32 = 1;
/// Channel 0 counts as in use for this long after its last message, in milliseconds.
const TALK_DURATION: f64 = 500.0;

/// Receives the events of files; `None` stands for a message that belongs to no file. Never called from inside of
/// [`Files::carry_out`].
pub type TransferListener = Rc<dyn Fn(Option<(FileId, TransferEvent)>)>;

#[wasm_bindgen]
extern "C" {
    /// A JavaScript object that stores a file. Content is written in order, one call after the other, and the sink is
    /// closed after everything was written. The bytes belong to the sink; it may return their `ArrayBuffer` once they
    /// are written, so that it is used again. The creator of the sink has to clean up if it is never closed.
    pub type Sink;
    #[wasm_bindgen(method, structural, catch)]
    fn write(this: &Sink, bytes: Uint8Array) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn close(this: &Sink) -> Result<Promise, JsValue>;
}

/// The files of all connections.
pub struct Files {
    listener: TransferListener,
    sending: RefCell<LiteMap<FileId, Rc<Outgoing>>>,
    receiving: RefCell<LiteMap<FileId, Rc<Incoming>>>,
    channels: RefCell<LiteMap<ConnectionId, Rc<Channel>>>,
    /// When channel 0 was last used.
    talked: Rc<Cell<f64>>,
}

impl Files {
    /// Creates the state without any files.
    pub fn new(listener: TransferListener) -> Files {
        Files {
            listener,
            sending: RefCell::default(),
            receiving: RefCell::default(),
            channels: RefCell::default(),
            talked: Rc::new(Cell::new(f64::MIN)),
        }
    }

    /// Notes that channel 0 was used, so that files slow down.
    pub fn talked(&self) {
        self.talked.set(time::now());
    }

    /// Sets the content of an outgoing file.
    pub fn send_from(&self, file: FileId, blob: Blob) {
        let outgoing = Rc::new(Outgoing::new(blob));
        self.sending.borrow_mut().insert(file, outgoing);
    }

    /// Sets the sink of an incoming file.
    pub fn store_in(&self, file: FileId, sink: Sink) {
        let incoming = Rc::new(Incoming::new(file, sink, self.listener.clone()));
        self.receiving.borrow_mut().insert(file, incoming);
    }

    /// Carries out a command about a file.
    pub fn carry_out(&self, connections: &Connections, file: FileId, order: TransferCommand) {
        match order {
            TransferCommand::Send {
                connection,
                number,
                from,
            } => {
                let outgoing = self.sending.borrow().get(&file).cloned();
                let channel = self.channel(connections, connection);
                if let (Some(outgoing), Some(channel)) = (outgoing, channel) {
                    outgoing.send(file, channel, number, from, &self.listener);
                }
            }
            TransferCommand::Stored(stored) => {
                if let Some(outgoing) = self.sending.borrow().get(&file) {
                    outgoing.stored(stored);
                }
            }
            TransferCommand::Expect {
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
            TransferCommand::Forget => {
                if let Some(outgoing) = self.sending.borrow_mut().remove(&file) {
                    outgoing.stop();
                }
                if let Some(incoming) = self.receiving.borrow_mut().remove(&file) {
                    incoming.stop();
                }
                self.unroute(file);
            }
        }
    }

    /// Closes channel 1 of a connection that is not used any more.
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

    /// The number of bytes in the buffer of channel 1.
    pub fn buffered(&self, connection: ConnectionId) -> u32 {
        let channels = self.channels.borrow();
        let channel = channels.get(&connection);
        channel.map_or(0, |channel| channel.channel.buffered_amount())
    }

    fn unroute(&self, file: FileId) {
        for channel in self.channels.borrow().values() {
            let mut routes = channel.routes.borrow_mut();
            routes.retain(|_, incoming| incoming.file() != file);
        }
    }

    fn channel(&self, connections: &Connections, id: ConnectionId) -> Option<Rc<Channel>> {
        if let Some(known) = self.channels.borrow().get(&id) {
            return Some(known.clone());
        }
        // A missing connection is no error: another one will follow, or the peer is gone.
        let channel = connections.open_file_channel(id)?;
        let channel = Channel::new(channel, self.listener.clone(), self.talked.clone());
        self.channels.borrow_mut().insert(id, channel.clone());
        Some(channel)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let sending = self.sending.take();
        sending.values().for_each(|outgoing| outgoing.stop());
        let receiving = self.receiving.take();
        receiving.values().for_each(|incoming| incoming.stop());
        let open: Vec<ConnectionId> = self.channels.borrow().keys().copied().collect();
        open.into_iter().for_each(|id| self.closed(id));
    }
}

/// Tasks that wait for something.
type Waiting = RefCell<Vec<oneshot::Sender<()>>>;

/// Wakes all waiting tasks, the first of them last, so that several files take turns.
fn wake(waiting: &Waiting) {
    let mut waiters = waiting.take().into_iter();
    let first = waiters.next();
    for waiter in waiters.chain(first) {
        // The task may have been aborted.
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
    listener: TransferListener,
    talked: Rc<Cell<f64>>,
    /// Incoming files by their number on the wire.
    routes: RefCell<LiteMap<u32, Rc<Incoming>>>,
    waiting: Waiting,
    handler: RefCell<Option<Handler>>,
}

impl Channel {
    fn new(
        channel: RtcDataChannel,
        listener: TransferListener,
        talked: Rc<Cell<f64>>,
    ) -> Rc<Channel> {
        let channel = Rc::new(Channel {
            channel,
            listener,
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
        let found = buffer.and_then(|buffer| {
            let header = header(&buffer)?;
            let incoming = self.routes.borrow().get(&header.number).cloned()?;
            Some((incoming, header.place, buffer))
        });
        let Some((incoming, place, buffer)) = found else {
            return (self.listener)(None);
        };
        let content = Uint8Array::new_with_byte_offset(&buffer, Header::LENGTH as u32);
        incoming.take(place, &content);
    }

    /// Waits until the buffer has room for a message, and returns the message's maximum length. `None` if the channel is
    /// closed.
    async fn room(&self) -> Option<usize> {
        loop {
            let is_talking = time::now() - self.talked.get() < TALK_DURATION;
            let (most, full, low) = if is_talking {
                (
                    SMALL_FILE_MESSAGE,
                    REFILL_LEVEL_WHILE_TALKING,
                    REFILL_LEVEL_WHILE_TALKING,
                )
            } else {
                (
                    MAX_FILE_MESSAGE,
                    MAX_BUFFERED - MAX_FILE_MESSAGE as u32,
                    REFILL_LEVEL,
                )
            };
            match self.channel.ready_state() {
                RtcDataChannelState::Connecting => {}
                RtcDataChannelState::Open => {
                    if self.channel.buffered_amount() <= full {
                        if is_talking {
                            time::pause(PAUSE_WHILE_TALKING).await;
                        }
                        return Some(most);
                    }
                    self.channel.set_buffered_amount_low_threshold(low);
                }
                _ => return None,
            }
            wait(&self.waiting).await;
        }
    }
}

/// Reads the header of a message, if its length is valid.
fn header(message: &ArrayBuffer) -> Option<Header> {
    if !Header::fits(message.byte_length() as usize) {
        return None;
    }
    let mut bytes = [0; Header::LENGTH];
    Uint8Array::new_with_byte_offset_and_length(message, 0, Header::LENGTH as u32)
        .copy_to(&mut bytes);
    Some(Header::from_bytes(bytes))
}
