//! The only caller of [`Room`]: feeds inputs in, carries outputs out, and decides nothing.
//!
//! Inputs come from four sources: the broker ([`broker`]), the peer connections and their files (callbacks), the browser's
//! events about the page ([`page_events`]), and the person ([`Handle::command`]). An input is handled at once; an input
//! that arrives while another one is being handled waits in a queue, so callbacks may arrive at any time.

#[cfg(feature = "attachments")]
mod blobs;
mod broker;
#[cfg(any(feature = "ui", feature = "api"))]
mod calls;
mod page_events;
pub(crate) mod shared;
mod store;
mod trust;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use base32ct::{Base32Unpadded, Encoding};
use futures_util::FutureExt;
use gloo_timers::callback::Timeout;
use litemap::LiteMap;
use wasm_bindgen_futures::spawn_local;

use crate::browser::{self, now, on_the_wall};
use crate::history::Mode;
use crate::identity::web::signatures::check as check_signatures;
use crate::identity::web::{SeedError, seed};
use crate::identity::{IdentityKey, PeerId, PublicKey};
use crate::mqtt::{Ahead, AsyncClient, ClientError, QoS, SkipReason, WebSocketTransport};
#[cfg(feature = "files")]
use crate::room::FileCommand;
use crate::room::{
    CallEvent, ChatCommand, ChatEvent, Command, Config, Conversation, Deletion, Diagnostics, Event,
    Input, Message, MessageId, Output, Room,
};
use crate::rtc::LinkCommand;
#[cfg(feature = "files")]
use crate::rtc::file_channel::FileId;
#[cfg(feature = "files")]
use crate::rtc::web::file_channel::{Files, Sink};
use crate::rtc::web::{Connections, WebError};
use crate::settings::{Broker, IceServer};
use crate::time::Millis;
#[cfg(feature = "attachments")]
use crate::wire::FileKey;

#[cfg(any(feature = "ui", feature = "api"))]
pub use calls::CallScript;
pub use store::StoreKeeper;
pub use trust::TrustKeeper;

/// At most this many requests wait for the broker.
const MAX_REQUESTS: usize = 256;

/// Why a room cannot be joined.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// This browser cannot make direct connections.
    #[error(transparent)]
    Rtc(#[from] WebError),
    /// The settings name no usable broker.
    #[error(transparent)]
    Mqtt(#[from] ClientError),
    /// The browser gave no random numbers.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// This browser cannot reach any broker.
    #[error(
        "This browser does not allow WebSockets, by which people meet: they are missing or switched off."
    )]
    NoWebSocket,
}

/// The servers through which browsers find each other and connect.
#[derive(Debug, Clone)]
pub struct Network {
    /// Brokers, the most preferred first.
    pub brokers: Vec<Broker>,
    /// The connection to the first of them that may be open already.
    pub ahead: Ahead,
    /// STUN and TURN servers.
    pub ice_servers: Vec<IceServer>,
    /// Whether every connection goes through a TURN server, because a direct path would show our address to peers.
    pub relay_only: bool,
}

/// Receives what happens in a room, on behalf of the page or of the module.
pub trait RoomObserver {
    /// Something happened that a person or a program should know.
    fn event(&self, event: Event);
    /// A sentence about this browser's storage that the person should see.
    fn notice(&self, notice: String);
    /// What is said is kept in another way, because another tab says so.
    fn kept_as(&self, _mode: Mode) {}
    /// Another tab of this browser has changed what is stored about people, for example unblocked somebody who is not here.
    fn trust_changed(&self) {}
    /// The room has to be joined again: other people believe that this tab is gone, or know it under another number.
    fn outdated(&self);
}

/// A room that was joined. Dropping it leaves the room.
pub struct Handle(Rc<Driver>);

impl Handle {
    /// Tries at once to reach a broker, and whoever is silent, instead of waiting for the next time.
    pub fn try_now(&self) {
        self.0.resume();
    }

    /// Hands a command to the room.
    pub fn command(&self, command: Command) {
        #[cfg(feature = "attachments")]
        if let Command::Chat(ChatCommand::SayFile { file, .. }) = &command {
            self.0.store.call("sayFile", &[blobs::key_of(&file.key())]);
        }
        self.0.feed(Input::Command(command));
    }

    /// Offers a file to a peer.
    #[cfg(feature = "files")]
    pub fn offer_file(&self, peer: PeerId, token: u32, name: String, blob: web_sys::Blob) {
        let offer = FileCommand::Offer {
            peer,
            token,
            name,
            // A whole number below 2^53.
            size: blob.size() as u64,
            mime: blob.type_(),
        };
        self.0.files.send_from(FileId::Ours(token), blob);
        self.command(Command::File(offer));
    }

    /// Accepts an offered file.
    #[cfg(feature = "files")]
    pub fn accept_file(&self, file: u32, sink: Sink) {
        self.0.files.store_in(FileId::Theirs(file), sink);
        self.command(Command::File(FileCommand::Accept(file)));
    }

    /// Keeps the bytes of a file that is about to be sent beside a message, until that is said.
    #[cfg(feature = "attachments")]
    pub fn prepare_file(&self, key: FileKey, blob: web_sys::Blob) {
        let values = [blobs::key_of(&key), blob.into()];
        self.0.store.call("prepareFile", &values);
    }

    /// Forgets the bytes of a file that is not sent after all.
    #[cfg(feature = "attachments")]
    pub fn drop_prepared_file(&self, key: &FileKey) {
        let key = [blobs::key_of(key)];
        self.0.store.call("dropPreparedFile", &key);
    }

    /// Returns the bytes of a file beside a message, if they are here.
    #[cfg(feature = "attachments")]
    pub fn file(&self, key: FileKey) -> impl Future<Output = Option<web_sys::Blob>> + 'static {
        blobs::get(self.0.store.clone(), key)
    }

    /// Moves sound and pictures with this script.
    #[cfg(any(feature = "ui", feature = "api"))]
    pub fn provide_calls(&self, script: CallScript) {
        self.0.media.provide(script, self.0.connections.get());
    }

    /// The counts since joining.
    pub fn diagnostics(&self) -> Diagnostics {
        let mut diagnostics = self.0.room.borrow().diagnostics();
        let skipped = self.0.skipped.borrow();
        let skipped = skipped
            .iter()
            .map(|(reason, count)| (reason.words(), *count));
        diagnostics.dropped.extend(skipped);
        diagnostics
    }

    /// Our peer id, our name as others see it, and our key.
    pub fn own(&self) -> (PeerId, String, PublicKey) {
        let room = self.0.room.borrow();
        (room.id(), room.user(), room.key())
    }

    /// The conversations that there are, with the other person's name in direct ones.
    pub fn conversations(&self) -> Vec<(Conversation, Option<String>)> {
        self.0.room.borrow().conversations()
    }

    /// The last messages of a conversation that are here, or the last ones before one of them, in their order.
    pub fn history_of(
        &self,
        conversation: &Conversation,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Vec<Message> {
        let mut messages = self.0.room.borrow().history(conversation, before, limit);
        for message in &mut messages {
            message.at = on_the_wall(message.at);
        }
        messages
    }

    /// Everything that was said and is here, as JSON that can be imported again.
    #[cfg(feature = "export")]
    pub fn export(&self, room: &str, page: &str) -> String {
        self.0.room.borrow().export(room, page)
    }

    /// How long this browser keeps what is said.
    pub fn history(&self) -> Mode {
        self.0.store.mode()
    }

    /// Keeps what is said in another way from now on.
    pub fn set_history(&self, mode: Mode) {
        self.0.store.choose(mode);
    }

    /// Deletes everything that was said in all rooms of this site. It is ready when that is done, or has failed, which is
    /// reported as a notice.
    pub fn delete_site(&self) -> impl Future<Output = ()> + 'static {
        self.command(Command::Chat(ChatCommand::Delete(Deletion::Site)));
        self.0.store.clone().settled()
    }

    /// The index of the broker that is in use or being tried.
    pub fn broker(&self) -> usize {
        self.0.broker.get()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.feed(Input::Command(Command::Leave));
        // This wakes the pump, which publishes the farewell and then ends.
        let _ = self.0.client.try_disconnect();
        self.0.page.take();
        self.0.wake.take();
        self.0.retry.take();
    }
}

/// Joins a room.
///
/// # Errors
/// [`StartError`], with a sentence that says what this browser lacks.
pub fn join(
    config: Config,
    identity: IdentityKey,
    network: &Network,
    trust: TrustKeeper,
    store: Rc<StoreKeeper>,
    observer: Rc<dyn RoomObserver>,
) -> Result<Handle, StartError> {
    if !js_sys::Reflect::get(&js_sys::global(), &"WebSocket".into())
        .is_ok_and(|constructor| constructor.is_function())
    {
        return Err(StartError::NoWebSocket);
    }
    Connections::check()?;
    // The client id is random, because anybody who connects under a known client id disconnects its owner from the broker.
    let random = seed()?;
    let client_id = Base32Unpadded::encode_string(&random[..12]);
    let jitter = u64::from_le_bytes(core::array::from_fn(|at| random[12 + at]));
    let room = Room::new(config, now());
    let options = network
        .brokers
        .iter()
        .map(|broker| broker::options(broker, &client_id))
        .collect();
    let transport = WebSocketTransport::with_ahead(network.ahead.clone());
    let (client, events) = AsyncClient::with_transport(transport, options, MAX_REQUESTS, jitter)?;
    let driver = Rc::new_cyclic(|weak: &Weak<Driver>| {
        #[cfg(not(feature = "files"))]
        let _ = weak;
        #[cfg(feature = "files")]
        let files = {
            let notified = weak.clone();
            Files::new(Rc::new(move |transfer| {
                if let Some(driver) = notified.upgrade() {
                    driver.feed(
                        transfer
                            .map_or(Input::StrayBytes, |(file, event)| Input::File(file, event)),
                    );
                }
            }))
        };
        Driver {
            #[cfg(feature = "files")]
            files,
            #[cfg(any(feature = "ui", feature = "api"))]
            media: calls::Media::default(),
            subscriptions: room.subscriptions(),
            room: RefCell::new(room),
            identity,
            inputs: RefCell::default(),
            busy: Cell::new(false),
            wake: RefCell::default(),
            retry: RefCell::default(),
            broker: Cell::new(0),
            skipped: RefCell::default(),
            left: Cell::new(false),
            page: RefCell::default(),
            used: Cell::default(),
            connections: OnceCell::new(),
            client,
            trust,
            store,
            observer,
        }
    });
    driver.store.open(&driver);
    driver.queue_first_flight();
    let mut pump = Box::pin(broker::pump(Rc::downgrade(&driver), events));
    // The first step is taken here, so that the first flight leaves before the views are drawn.
    if (&mut pump).now_or_never().is_none() {
        spawn_local(pump);
    }
    driver.page.replace(page_events::listen(&driver));
    let handle = Handle(driver);
    // The browser's first connection takes longer to make than all others. It is made while the first flight is on its
    // way. Where it cannot be made, dropping the handle says goodbye.
    let notified = Rc::downgrade(&handle.0);
    let notify = Rc::new(move |connection, event| {
        if let Some(driver) = notified.upgrade() {
            driver.feed(Input::Link(connection, event));
        }
    });
    let connections = Connections::new(&network.ice_servers, network.relay_only, notify)?;
    handle.0.connections.get_or_init(|| connections);
    Ok(handle)
}

struct Driver {
    room: RefCell<Room>,
    /// The key that signs what the room asks for.
    identity: IdentityKey,
    subscriptions: [String; 2],
    inputs: RefCell<VecDeque<Input>>,
    busy: Cell<bool>,
    wake: RefCell<Option<(Millis, Timeout)>>,
    /// The timer until the next attempt to connect to a broker.
    retry: RefCell<Option<Timeout>>,
    broker: Cell<usize>,
    /// How many messages from the broker were skipped, by reason.
    skipped: RefCell<LiteMap<SkipReason, u64>>,
    /// Whether the page was left. It may come back from the back-forward cache.
    left: Cell<bool>,
    page: RefCell<Vec<browser::Listener>>,
    /// When it was last said whether the person sees the page.
    used: Cell<Millis>,
    connections: OnceCell<Connections>,
    #[cfg(feature = "files")]
    files: Files,
    #[cfg(any(feature = "ui", feature = "api"))]
    media: calls::Media,
    client: AsyncClient,
    trust: TrustKeeper,
    store: Rc<StoreKeeper>,
    observer: Rc<dyn RoomObserver>,
}

impl Driver {
    fn feed(self: &Rc<Self>, input: Input) {
        self.inputs.borrow_mut().push_back(input);
        if self.busy.replace(true) {
            return;
        }
        loop {
            let Some(input) = self.inputs.borrow_mut().pop_front() else {
                break;
            };
            self.room.borrow_mut().handle(now(), input);
            loop {
                let output = self.room.borrow_mut().poll();
                let Some(output) = output else { break };
                self.carry_out(output);
            }
        }
        self.busy.set(false);
        self.set_alarm();
    }

    fn carry_out(self: &Rc<Self>, output: Output) {
        match output {
            Output::TestBroker => self.test_broker(),
            Output::Publish { topic, payload, .. } => {
                // The queue is full only if no broker has accepted anything for a long time. The room announces
                // itself again once one does.
                let _ = self
                    .client
                    .try_publish(topic, QoS::AtMostOnce, false, payload);
            }
            Output::Sign { ticket, message } => {
                let signature = self.identity.sign_message(&message);
                let signed = Input::Signed { ticket, signature };
                self.inputs.borrow_mut().push_back(signed);
            }
            Output::CheckSignatures { ticket, checks } => {
                let driver = Rc::downgrade(self);
                spawn_local(async move {
                    let are_good = check_signatures(&checks).await;
                    if let Some(driver) = driver.upgrade() {
                        driver.feed(Input::CheckedSignatures { ticket, are_good });
                    }
                });
            }
            Output::Link(connection, command) => {
                if command == LinkCommand::Close {
                    #[cfg(feature = "files")]
                    self.files.closed(connection);
                    #[cfg(any(feature = "ui", feature = "api"))]
                    self.media.closed(connection);
                }
                if let Some(connections) = self.connections.get() {
                    connections.carry_out(connection, command);
                }
            }
            #[cfg(feature = "files")]
            Output::File(file, command) => {
                if let Some(connections) = self.connections.get() {
                    self.files.carry_out(connections, file, command);
                }
            }
            #[cfg(feature = "attachments")]
            Output::Blob(command) => self.carry_out_blob(command),
            #[cfg(any(feature = "ui", feature = "api"))]
            Output::Media(connection, peer, wish) => {
                if let Some(connections) = self.connections.get() {
                    self.media.carry_out(connection, &peer, &wish, connections);
                }
            }
            #[cfg(not(any(feature = "ui", feature = "api")))]
            Output::Media(..) => {}
            Output::Trust(change) => {
                for notice in self.trust.remember(&change) {
                    self.observer.notice(notice);
                }
            }
            #[cfg(feature = "files")]
            Output::YieldFiles => self.files.talked(),
            Output::Store(command) => self.store.carry_out(command),
            Output::Event(mut event) => {
                // People read the time from the computer's clock.
                match &mut event {
                    Event::Chat(ChatEvent::Message(message) | ChatEvent::Changed(message)) => {
                        message.at = on_the_wall(message.at);
                        #[cfg(feature = "attachments")]
                        if message.file.is_some() {
                            self.store.want_files();
                        }
                    }
                    Event::Chat(ChatEvent::Found { messages, .. }) => {
                        for message in messages {
                            message.at = on_the_wall(message.at);
                        }
                    }
                    Event::Call(CallEvent::Noted(note)) => note.at = on_the_wall(note.at),
                    _ => {}
                }
                self.observer.event(event);
            }
        }
    }

    fn set_alarm(self: &Rc<Self>) {
        let next = self.room.borrow().next_wake();
        // Thousands of inputs may arrive between two deadlines, so the timer is kept if it still fits.
        let set = self.wake.borrow().as_ref().map(|(at, _)| *at);
        if set.is_some() && set == next.map(|(_, at)| at) {
            return;
        }
        let driver = Rc::downgrade(self);
        let timeout = next.map(|(_, at)| {
            let pause = u32::try_from(at.since(now()).as_millis())
                .unwrap_or(u32::MAX)
                .min(60_000);
            let timeout = Timeout::new(pause, move || {
                if let Some(driver) = driver.upgrade() {
                    driver.wake.take();
                    driver.feed(Input::Wake);
                }
            });
            (at, timeout)
        });
        self.wake.replace(timeout);
    }
}
