//! The only caller of [`Room`]: feeds events in, carries commands out, and decides nothing.
//!
//! Four things feed it: the broker (a pump), the peer connections and their files (callbacks), the browser's own events
//! (network, visibility, the page going away) and the person ([`Handle::command`]). An input is handled at once; what
//! comes in while one is being handled waits its turn, so callbacks may arrive at any time.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use base32ct::{Base32Unpadded, Encoding};
use gloo_timers::callback::Timeout;
use litemap::LiteMap;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::EventTarget;

use crate::browser;
use crate::identity::store::TRUST;
use crate::identity::web::{SeedError, on_stored, seed};
use crate::identity::{IdentityKey, PeerId, PublicKey, TrustBook, TrustChange};
use crate::mqtt::{
    AsyncClient, ClientError, Event as MqttEvent, EventLoop, MqttOptions, Packet, QoS, SkipReason,
    SubscribeFilter, SubscribeReasonCode, WebSocketTransport,
};
#[cfg(feature = "files")]
use crate::room::FileCommand;
use crate::room::{
    BrokerEvent, BrokerId, BrokerState, Command, Config, Diagnostics, Event, Input, Output,
    PeopleCommand, Room,
};
#[cfg(feature = "files")]
use crate::rtc::file_channel::FileId;
#[cfg(feature = "files")]
use crate::rtc::web::file_channel::{Files, Sink};
use crate::rtc::web::{Connections, WebError};
use crate::settings::{Broker, IceServer};
use crate::time::Millis;

/// How many requests may wait for the broker.
const REQUESTS: usize = 256;

/// The pool uses one broker at a time, and stands for all of them.
const BROKER: BrokerId = BrokerId(0);

fn broker_state(state: BrokerState) -> Input {
    Input::Broker(BROKER, BrokerEvent::State(state))
}

/// Why a room cannot be entered.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No direct connections in this browser.
    #[error(transparent)]
    Rtc(#[from] WebError),
    /// No broker to meet at.
    #[error(transparent)]
    Mqtt(#[from] ClientError),
    /// No random numbers.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// No way to any broker.
    #[error(
        "This browser does not allow WebSockets, by which people meet: they are missing or switched off."
    )]
    NoWebSocket,
}

/// Where a room meets and how it connects.
#[derive(Debug, Clone)]
pub struct Network {
    /// Brokers, the most preferred first.
    pub brokers: Vec<Broker>,
    /// STUN and TURN servers.
    pub ice_servers: Vec<IceServer>,
    /// Never a direct path, which would show our address: TURN servers only.
    pub relay_only: bool,
}

/// What the room tells the outside.
pub trait Listener {
    /// Something a person should see.
    fn event(&self, event: Event);
    /// Something for the stored trust book.
    fn remember(&self, note: TrustChange);
    /// The trust book as it is stored, with what other tabs have written into it.
    fn acquaintances(&self) -> TrustBook;
    /// The page was left and has come back (from the back-forward cache): everybody here believes that we are gone, so
    /// the room is to be joined anew.
    fn returned(&self);
}

/// A room that is being driven. Dropping it leaves.
pub struct Handle(Rc<Driver>);

impl Handle {
    /// Hands a command to the room.
    pub fn command(&self, command: Command) {
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

    /// Takes an offered file.
    #[cfg(feature = "files")]
    pub fn accept_file(&self, file: u32, sink: Sink) {
        self.0.files.store_in(FileId::Theirs(file), sink);
        self.command(Command::File(FileCommand::Accept(file)));
    }

    /// What was counted since joining.
    pub fn diagnostics(&self) -> Diagnostics {
        let mut diagnostics = self.0.room.borrow().diagnostics();
        let skipped = self.0.skipped.borrow();
        let skipped = skipped
            .iter()
            .map(|(reason, count)| (reason.words(), *count));
        diagnostics.dropped.extend(skipped);
        diagnostics
    }

    /// Who we are: peer id, name as others see it, key.
    pub fn own(&self) -> (PeerId, String, PublicKey) {
        let room = self.0.room.borrow();
        (room.id(), room.user(), room.key())
    }

    /// The broker that is used or tried: its place in the list.
    pub fn broker(&self) -> usize {
        self.0.broker.get()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.feed(Input::Command(Command::Leave));
        // Wakes the pump, which takes this last word to the broker and ends.
        let _ = self.0.client.try_disconnect();
        self.0.page.take();
        self.0.wake.take();
        self.0.flight.take();
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
    listener: Rc<dyn Listener>,
) -> Result<Handle, StartError> {
    if !js_sys::Reflect::get(&js_sys::global(), &"WebSocket".into())
        .is_ok_and(|constructor| constructor.is_function())
    {
        return Err(StartError::NoWebSocket);
    }
    // Nothing that others know of us: who connects under another's client id throws it off the broker.
    let random = seed()?;
    let client_id = Base32Unpadded::encode_string(&random[..12]);
    let jitter = u64::from_le_bytes(core::array::from_fn(|at| random[12 + at]));
    let room = Room::new(config, now());
    let options = network
        .brokers
        .iter()
        .map(|broker| mqtt_options(broker, &client_id))
        .collect();
    let (client, events) = AsyncClient::with_brokers(options, REQUESTS, jitter)?;
    let driver = Rc::new_cyclic(|weak: &Weak<Driver>| {
        let notified = weak.clone();
        let notify = Rc::new(move |connection, notice| {
            if let Some(driver) = notified.upgrade() {
                driver.feed(Input::Link(connection, notice));
            }
        });
        #[cfg(feature = "files")]
        let files = {
            let notified = weak.clone();
            Files::new(Rc::new(move |told| {
                if let Some(driver) = notified.upgrade() {
                    driver.feed(told.map_or(Input::StrayBytes, |(file, notice)| {
                        Input::File(file, notice)
                    }));
                }
            }))
        };
        Driver {
            #[cfg(feature = "files")]
            files,
            subscriptions: room.subscriptions(),
            room: RefCell::new(room),
            identity,
            inputs: RefCell::default(),
            busy: Cell::new(false),
            wake: RefCell::default(),
            flight: RefCell::default(),
            broker: Cell::new(0),
            skipped: RefCell::default(),
            left: Cell::new(false),
            page: RefCell::default(),
            connections: Connections::new(&network.ice_servers, network.relay_only, notify),
            client,
            listener,
        }
    });
    if let Err(error) = &driver.connections {
        return Err(error.clone().into());
    }
    driver.begin_flight();
    spawn_local(broker_pump(Rc::downgrade(&driver), events));
    driver.page.replace(page_pump(&driver));
    Ok(Handle(driver))
}

struct Driver {
    room: RefCell<Room>,
    /// The key that signs what the room asks for.
    identity: IdentityKey,
    subscriptions: [String; 2],
    inputs: RefCell<VecDeque<Input>>,
    busy: Cell<bool>,
    wake: RefCell<Option<(Millis, Timeout)>>,
    /// The pause before the next connection to a broker.
    flight: RefCell<Option<Timeout>>,
    broker: Cell<usize>,
    /// How many of the broker's messages were skipped, by reason.
    skipped: RefCell<LiteMap<SkipReason, u64>>,
    /// The page went away.
    left: Cell<bool>,
    page: RefCell<Vec<browser::Listener>>,
    connections: Result<Connections, WebError>,
    #[cfg(feature = "files")]
    files: Files,
    client: AsyncClient,
    listener: Rc<dyn Listener>,
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

    fn carry_out(&self, output: Output) {
        match output {
            Output::Publish { topic, payload, .. } => {
                // A full queue means that no broker has taken anything for long: what is announced then is
                // announced again once one does.
                let _ = self
                    .client
                    .try_publish(topic, QoS::AtMostOnce, false, payload);
            }
            Output::Sign { ticket, message } => {
                let signature = self.identity.sign_message(&message);
                let signed = Input::Signed { ticket, signature };
                self.inputs.borrow_mut().push_back(signed);
            }
            Output::Link(connection, order) => {
                #[cfg(feature = "files")]
                if order == crate::rtc::LinkCommand::Close {
                    self.files.closed(connection);
                }
                if let Ok(connections) = &self.connections {
                    connections.carry_out(connection, order);
                }
            }
            #[cfg(feature = "files")]
            Output::File(file, order) => {
                if let Ok(connections) = &self.connections {
                    self.files.carry_out(connections, file, order);
                }
            }
            Output::Trust(change) => self.listener.remember(change),
            #[cfg(feature = "files")]
            Output::YieldFiles => self.files.talked(),
            Output::Event(event) => self.listener.event(event),
        }
    }

    fn set_alarm(self: &Rc<Self>) {
        let next = self.room.borrow().next_wake();
        // Thousands of values come and go between two deadlines.
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

    /// Subscribes and lets the room announce itself: all of it leaves with the connection that is about to open.
    fn begin_flight(self: &Rc<Self>) {
        self.flight.take();
        let filters = self
            .subscriptions
            .iter()
            .map(|topic| SubscribeFilter::new(topic.clone(), QoS::AtMostOnce));
        let _ = self.client.try_subscribe_many(filters);
        self.feed(broker_state(BrokerState::Opening));
    }

    /// Waits for the event loop's next try.
    fn broker_lost(self: &Rc<Self>, retry_at: Millis) {
        let pause = u32::try_from(retry_at.since(now()).as_millis()).unwrap_or(u32::MAX);
        if pause == 0 {
            return self.begin_flight();
        }
        let driver = Rc::downgrade(self);
        let timeout = Timeout::new(pause, move || {
            if let Some(driver) = driver.upgrade() {
                driver.begin_flight();
            }
        });
        self.flight.replace(Some(timeout));
        self.feed(broker_state(BrokerState::Unreachable { retry_at }));
    }

    /// The network came back, or the tab was brought to the front.
    fn resumed(self: &Rc<Self>) {
        self.client.retry_now();
        if self.flight.borrow().is_some() {
            self.begin_flight();
        }
        self.feed(Input::Resumed);
    }
}

/// What the broker brings.
async fn broker_pump(driver: Weak<Driver>, mut events: EventLoop<WebSocketTransport>) {
    loop {
        let event = events.poll().await;
        let Some(driver) = driver.upgrade() else {
            return;
        };
        driver.broker.set(events.broker().0);
        match event {
            Ok(MqttEvent::Incoming(Packet::Publish(message))) => {
                let message = BrokerEvent::Message {
                    topic: message.topic,
                    payload: message.payload.to_vec(),
                };
                driver.feed(Input::Broker(BROKER, message));
            }
            Ok(MqttEvent::Incoming(Packet::SubAck(ack))) => {
                // If the broker refuses the subscription, the event loop ends the connection and tries again.
                if !ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                    driver.feed(broker_state(BrokerState::Ready));
                }
            }
            Ok(MqttEvent::Switched { .. }) => driver.begin_flight(),
            Ok(MqttEvent::Skipped(reason)) => {
                *driver.skipped.borrow_mut().entry(reason).or_default() += 1;
            }
            Ok(_) => {}
            Err(_) => driver.broker_lost(events.retry_at().unwrap_or_else(now)),
        }
    }
}

/// What the browser tells about the page itself.
fn page_pump(driver: &Rc<Driver>) -> Vec<browser::Listener> {
    let Some(window) = web_sys::window() else {
        return Vec::new();
    };
    let document = window.document().map(EventTarget::from);
    let window = EventTarget::from(window);
    let listen = |target: &EventTarget, kind, act: fn(&Rc<Driver>)| {
        let driver = Rc::downgrade(driver);
        browser::Listener::new(
            target,
            kind,
            Box::new(move |_| {
                if let Some(driver) = driver.upgrade() {
                    act(&driver);
                }
            }),
        )
    };
    let mut listeners = vec![
        listen(&window, "online", Driver::resumed),
        listen(&window, "pagehide", |driver| {
            driver.feed(Input::Command(Command::Leave));
            driver.left.set(true);
        }),
        listen(&window, "pageshow", |driver| {
            if driver.left.get() {
                driver.listener.returned();
            }
        }),
    ];
    let weak = Rc::downgrade(driver);
    listeners.push(on_stored(TRUST, move || {
        if let Some(driver) = weak.upgrade() {
            let book = driver.listener.acquaintances();
            driver.feed(Input::Command(Command::People(
                PeopleCommand::TrustBookChanged(book),
            )));
        }
    }));
    listeners.extend(document.map(|document| {
        listen(&document, "visibilitychange", |driver| {
            let hidden = web_sys::window()
                .and_then(|window| window.document())
                .is_some_and(|document| document.hidden());
            if !hidden {
                driver.resumed();
            }
        })
    }));
    listeners
}

fn mqtt_options(broker: &Broker, client_id: &str) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, broker.url.clone());
    if let (Some(username), Some(password)) = (&broker.username, &broker.password) {
        options.set_credentials(username, password);
    }
    options
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn since_origin() -> f64;
    #[wasm_bindgen(thread_local_v2, js_namespace = performance, js_name = timeOrigin)]
    static TIME_ORIGIN: f64;
}

/// The time in milliseconds since the epoch. It does not jump when the computer's clock is set.
fn now() -> Millis {
    // A float that is negative or not a number becomes 0.
    Millis(TIME_ORIGIN.with(|origin| origin + since_origin()) as u64)
}
