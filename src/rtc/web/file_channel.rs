//! Files on channel 1: reads what is sent, hashes it and writes what comes, slice by slice. Nothing of a file is held but
//! what is just on its way: at most [`MAX_BUFFERED`] bytes in the channel and 4 MiB before it at the sender's, and
//! [`FILE_WINDOW`](crate::rtc::file_channel::FILE_WINDOW) and a few slices at the receiver's. The bytes stay in JavaScript's memory:
//! what moves a file must leave the processor to those who talk.
//!
//! While people talk, or programs do, the channel is kept empty and files go slowly. Whatever is in it, and on the way
//! because it always has more to give, stands before a message of channel 0: with a megabyte in it, a question takes
//! 20 ms instead of 2. While nobody talks it is kept full, since a fast line waits for nobody.

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

/// At most this much waits in the channel.
pub const MAX_BUFFERED: u32 = 1024 * 1024;
/// Messages are given to it until no more fit, and again when no more than this is left …
const LOW: u32 = MAX_BUFFERED / 2;
/// … and while people talk, when nothing is left …
const LOW_FOR_TALK: u32 = 0;
/// … and the processor, too, was theirs for so many milliseconds. Browsers make 4 of it where pauses follow each other,
/// which leaves a file 4 MB a second.
const BREATH: u32 = 1;
/// Whoever said or heard something talks for so long, in milliseconds.
const TALK: f64 = 500.0;

/// Whom to tell what becomes of a file; `None` is a message that belongs to no file. Never called from inside
/// [`Files::carry_out`].
pub type Tell = Rc<dyn Fn(Option<(FileId, TransferEvent)>)>;

#[wasm_bindgen]
extern "C" {
    /// Where a file is stored, in JavaScript: what comes is written in its order, one call after the other, and
    /// closed when everything was written. The bytes are its own from then on; it may give back their memory, an
    /// `ArrayBuffer`, when they are written. Who made it cleans up if it is not closed.
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
        let outgoing = Rc::new(Outgoing::new(blob));
        self.sending.borrow_mut().insert(file, outgoing);
    }

    /// What comes for this file goes there.
    pub fn store_in(&self, file: FileId, sink: Sink) {
        let incoming = Rc::new(Incoming::new(file, sink, self.tell.clone()));
        self.receiving.borrow_mut().insert(file, incoming);
    }

    /// Carries out an order about a file.
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
                    outgoing.send(file, channel, number, from, &self.tell);
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
            routes.retain(|_, incoming| incoming.file() != file);
        }
    }

    fn channel(&self, connections: &Connections, id: ConnectionId) -> Option<Rc<Channel>> {
        if let Some(known) = self.channels.borrow().get(&id) {
            return Some(known.clone());
        }
        // Without a connection there is nothing to tell: there will be another, or the peer is gone.
        let channel = connections.open_file_channel(id)?;
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
        receiving.values().for_each(|incoming| incoming.stop());
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
        let found = buffer.and_then(|buffer| {
            let header = header(&buffer)?;
            let incoming = self.routes.borrow().get(&header.number).cloned()?;
            Some((incoming, header.place, buffer))
        });
        let Some((incoming, place, buffer)) = found else {
            return (self.tell)(None);
        };
        let content = Uint8Array::new_with_byte_offset(&buffer, Header::LENGTH as u32);
        incoming.take(place, &content);
    }

    /// Waits until there is room for a message: how long it may be. `None` if there never will be.
    async fn room(&self) -> Option<usize> {
        loop {
            let for_talk = time::now() - self.talked.get() < TALK;
            let (most, full, low) = if for_talk {
                (SMALL_FILE_MESSAGE, LOW_FOR_TALK, LOW_FOR_TALK)
            } else {
                (
                    MAX_FILE_MESSAGE,
                    MAX_BUFFERED - MAX_FILE_MESSAGE as u32,
                    LOW,
                )
            };
            match self.channel.ready_state() {
                RtcDataChannelState::Connecting => {}
                RtcDataChannelState::Open => {
                    if self.channel.buffered_amount() <= full {
                        if for_talk {
                            time::pause(BREATH).await;
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

/// The header of a message, unless it is none.
fn header(message: &ArrayBuffer) -> Option<Header> {
    if !Header::fits(message.byte_length() as usize) {
        return None;
    }
    let mut bytes = [0; Header::LENGTH];
    Uint8Array::new_with_byte_offset_and_length(message, 0, Header::LENGTH as u32)
        .copy_to(&mut bytes);
    Some(Header::from_bytes(bytes))
}
