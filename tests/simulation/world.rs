//! A whole world under virtual time: rooms, a broker and the paths between browsers. The network loses, delays,
//! duplicates and reorders what goes over the broker; the direct paths can be cut. The same seed gives the same run.

mod bulk;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use rtchat::identity::{IdentityKey, Name, TrustBook};
use rtchat::room::{BrokerState, Command, Config, Event, Input, Output, PeerState, Room, Status};
use rtchat::rtc::bulk::{FileId, Receiving, Sending};
use rtchat::rtc::{ConnectionId, Description, Kind, Notice, Order, Path};
use rtchat::settings::Accept;
use rtchat::time::Millis;
use rtchat::wire::Place;

/// What the way to the broker and back does to messages.
#[derive(Clone)]
pub struct Faults {
    pub loss: f64,
    pub duplicates: f64,
    /// Milliseconds each way, drawn anew for each message: a wide range reorders.
    pub delay: RangeInclusive<u64>,
}

impl Faults {
    pub fn none() -> Faults {
        Faults {
            loss: 0.0,
            duplicates: 0.0,
            delay: 5..=5,
        }
    }
}

#[derive(Debug, Clone)]
enum Task {
    Feed(usize, Input),
    Subscribe(usize),
    AtBroker {
        from: usize,
        topic: String,
        payload: Vec<u8>,
    },
    ToPeer {
        from: usize,
        node: usize,
        connection: ConnectionId,
        message: Notice,
    },
    /// A message on channel 1.
    Bulk {
        from: usize,
        node: usize,
        connection: ConnectionId,
        message: Vec<u8>,
    },
    /// The next message of a file that is being sent.
    Pump(usize, FileId, ConnectionId),
}

/// One browser tab.
pub struct Node {
    pub room: Room,
    pub events: Vec<Event>,
    pub gone: bool,
    subscribed: bool,
    online: bool,
    wake: Option<Millis>,
    links: BTreeMap<ConnectionId, Wire>,
    /// What is sent, by its token, and what has come, by the room's number for it.
    pub sources: BTreeMap<u32, Vec<u8>>,
    pub stores: BTreeMap<u32, Vec<u8>>,
    sending: BTreeMap<FileId, (ConnectionId, u32, Sending)>,
    receiving: BTreeMap<FileId, (ConnectionId, u32, Receiving)>,
}

/// One end of a peer connection.
#[derive(Debug, Default, Clone)]
struct Wire {
    ours: String,
    fingerprint: [u8; 32],
    theirs: Option<(String, [u8; 32])>,
    open: bool,
}

/// Something that sits on the broker and may change, drop or add messages.
pub type Interceptor = Box<dyn FnMut(&str, &[u8]) -> Vec<(String, Vec<u8>)>>;

pub struct World {
    pub now: Millis,
    pub nodes: Vec<Node>,
    pub faults: Faults,
    pub place: Place,
    pub broker_up: bool,
    /// Everything that was published, in order.
    pub published: Vec<(usize, String, Vec<u8>)>,
    pub interceptor: Option<Interceptor>,
    /// Pairs whose direct path is cut.
    pub cut: BTreeSet<(usize, usize)>,
    /// What was sent over a path that is cut. It arrives once the path is back: a channel repeats what was lost.
    held: Vec<Task>,
    /// Somebody sits on every path and answers for both ends, so that no browser objects to a fingerprint.
    pub trusting_paths: bool,
    /// This tab says something else in the place of its proof.
    pub replace_first_frame: Option<(usize, Notice)>,
    /// These tabs send no frames that contain this.
    pub muted: Vec<(usize, String)>,
    /// How many messages went over direct paths.
    pub carried: u64,
    queue: BTreeMap<(Millis, u64), Task>,
    sequence: u64,
    rng: ChaCha20Rng,
    ends: BTreeMap<String, (usize, ConnectionId)>,
}

pub fn seed(number: u64, salt: u8) -> [u8; 32] {
    let mut seed = [salt; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    seed
}

pub fn place() -> Place {
    Place::derive("example.org/chat", "lobby", None, None).unwrap()
}

impl World {
    pub fn new(seed_number: u64) -> World {
        World {
            now: Millis(1_700_000_000_000),
            nodes: Vec::new(),
            faults: Faults::none(),
            place: place(),
            broker_up: true,
            published: Vec::new(),
            interceptor: None,
            cut: BTreeSet::new(),
            held: Vec::new(),
            muted: Vec::new(),
            carried: 0,
            trusting_paths: false,
            replace_first_frame: None,
            queue: BTreeMap::new(),
            sequence: 0,
            rng: ChaCha20Rng::from_seed(seed(seed_number, 77)),
            ends: BTreeMap::new(),
        }
    }

    /// A tab with default settings and an identity of its own.
    pub fn open(&mut self, name: &str) -> usize {
        let number = self.nodes.len() as u64;
        let identity = IdentityKey::generate(&mut ChaCha20Rng::from_seed(seed(number, 1)));
        self.open_as(name, identity, Accept::Everyone, TrustBook::default())
    }

    pub fn open_as(
        &mut self,
        name: &str,
        identity: IdentityKey,
        accept: Accept,
        trust: TrustBook,
    ) -> usize {
        self.open_telling(name, identity, accept, trust, None)
    }

    /// The same, with an application that tells something about its user.
    pub fn open_telling(
        &mut self,
        name: &str,
        identity: IdentityKey,
        accept: Accept,
        trust: TrustBook,
        info: Option<String>,
    ) -> usize {
        let at = self.nodes.len();
        let config = Config {
            place: self.place.clone(),
            identity,
            name: Name::parse(name).unwrap(),
            tab: 1,
            info,
            accept,
            trust,
            seed: seed(at as u64, 2),
        };
        let room = Room::new(config, self.now);
        self.nodes.push(Node {
            room,
            events: Vec::new(),
            gone: false,
            subscribed: false,
            online: false,
            wake: None,
            links: BTreeMap::new(),
            sources: BTreeMap::new(),
            stores: BTreeMap::new(),
            sending: BTreeMap::new(),
            receiving: BTreeMap::new(),
        });
        self.connect_broker(at);
        at
    }

    /// Opens the way to the broker, if there is one.
    pub fn connect_broker(&mut self, at: usize) {
        if !self.broker_up {
            let retry_at = self.now + Duration::from_secs(2);
            self.feed(at, Input::Broker(BrokerState::Unreachable { retry_at }));
            return;
        }
        let delay = *self.faults.delay.start();
        self.nodes[at].online = true;
        self.later(delay, Task::Subscribe(at));
        self.feed(at, Input::Broker(BrokerState::Opening));
        self.later(
            2 * delay + 1,
            Task::Feed(at, Input::Broker(BrokerState::Ready)),
        );
    }

    /// The broker goes away; everybody notices.
    pub fn stop_broker(&mut self) {
        self.broker_up = false;
        self.queue
            .retain(|_, task| !matches!(task, Task::AtBroker { .. } | Task::Subscribe(_)));
        for at in 0..self.nodes.len() {
            self.nodes[at].subscribed = false;
            self.nodes[at].online = false;
            let retry_at = self.now + Duration::from_secs(2);
            self.feed(at, Input::Broker(BrokerState::Unreachable { retry_at }));
        }
    }

    pub fn start_broker(&mut self) {
        self.broker_up = true;
        (0..self.nodes.len()).for_each(|at| self.connect_broker(at));
    }

    pub fn command(&mut self, at: usize, command: Command) {
        self.feed(at, Input::User(command));
    }

    pub fn say(&mut self, at: usize, text: &str) {
        self.command(at, Command::Say(text.to_owned()));
    }

    /// The tab says goodbye and goes.
    pub fn leave(&mut self, at: usize) {
        self.command(at, Command::Leave);
        self.nodes[at].gone = true;
    }

    /// The tab is gone without a word.
    pub fn crash(&mut self, at: usize) {
        self.nodes[at].gone = true;
        self.nodes[at].subscribed = false;
    }

    /// The tab is closed, and says nothing; the browser closes its connections.
    pub fn close_tab(&mut self, at: usize) {
        let connections: Vec<ConnectionId> = self.nodes[at].links.keys().copied().collect();
        for connection in connections {
            self.close(at, connection);
        }
        self.crash(at);
    }

    /// The tab is told that each of its connections came to this end.
    pub fn end_connections(&mut self, at: usize, end: Notice) {
        let connections: Vec<ConnectionId> = self.nodes[at].links.keys().copied().collect();
        for connection in connections {
            self.feed(at, Input::Connection(connection, end.clone()));
        }
    }

    /// The tab's computer sleeps: nothing happens there, and nothing reaches it.
    pub fn sleep(&mut self, at: usize, duration: Duration) {
        let others: Vec<usize> = (0..self.nodes.len()).filter(|other| *other != at).collect();
        let wake = self.nodes[at].wake.take();
        let subscribed = std::mem::take(&mut self.nodes[at].subscribed);
        others.iter().for_each(|other| self.cut(at, *other, true));
        self.run(duration);
        self.held.clear();
        others.iter().for_each(|other| self.cut(at, *other, false));
        self.nodes[at].wake = wake;
        self.nodes[at].subscribed = subscribed;
    }

    /// Publishes as somebody who is no tab of ours.
    pub fn publish_raw(&mut self, topic: &str, payload: Vec<u8>) {
        self.later(
            1,
            Task::AtBroker {
                from: usize::MAX,
                topic: topic.to_owned(),
                payload,
            },
        );
    }

    /// Cuts or mends the direct path between two tabs. The broker still reaches both.
    pub fn cut(&mut self, a: usize, b: usize, cut: bool) {
        let pair = (a.min(b), a.max(b));
        if cut {
            self.cut.insert(pair);
            return;
        }
        self.cut.remove(&pair);
        for task in std::mem::take(&mut self.held) {
            self.later(2, task);
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.step(end) {}
        self.now = end;
    }

    /// Lets time pass until `done`, at most `limit`. True if it was done.
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&World) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            if done(self) {
                return true;
            }
            if !self.step(end) {
                self.now = end;
                return done(self);
            }
        }
    }

    fn step(&mut self, end: Millis) -> bool {
        let task = self.queue.first_key_value().map(|((at, _), _)| *at);
        let alive = self.nodes.iter().enumerate().filter(|(_, node)| !node.gone);
        let wake = alive.filter_map(|(at, node)| Some((node.wake?, at))).min();
        match (task, wake) {
            (Some(at), wake) if at <= end && wake.is_none_or(|(wake, _)| at <= wake) => {
                self.now = self.now.max(at);
                if let Some((_, task)) = self.queue.pop_first() {
                    self.perform(task);
                }
                true
            }
            (_, Some((at, node))) if at <= end => {
                self.now = self.now.max(at);
                self.feed(node, Input::Wake);
                true
            }
            _ => false,
        }
    }

    fn perform(&mut self, task: Task) {
        match task {
            Task::Feed(at, input) => self.feed(at, input),
            Task::Subscribe(at) => self.nodes[at].subscribed = self.broker_up,
            Task::AtBroker {
                from,
                topic,
                payload,
            } => self.fan_out(from, topic, payload),
            Task::ToPeer {
                from,
                node,
                connection,
                message,
            } => {
                if self.is_cut(from, node) {
                    self.held.push(Task::ToPeer {
                        from,
                        node,
                        connection,
                        message,
                    });
                } else if self.nodes[node].links.contains_key(&connection) {
                    self.carried += 1;
                    self.feed(node, Input::Connection(connection, message));
                }
            }
            Task::Bulk {
                from,
                node,
                connection,
                message,
            } => {
                if self.is_cut(from, node) {
                    self.held.push(Task::Bulk {
                        from,
                        node,
                        connection,
                        message,
                    });
                } else if self.nodes[node].links.contains_key(&connection) {
                    self.take_bulk(node, connection, &message);
                }
            }
            Task::Pump(at, file, connection) => self.pump(at, file, connection),
        }
    }

    fn fan_out(&mut self, from: usize, topic: String, payload: Vec<u8>) {
        if !self.broker_up {
            return;
        }
        let messages = match (&mut self.interceptor, from) {
            (Some(interceptor), from) if from != usize::MAX => interceptor(&topic, &payload),
            _ => vec![(topic, payload)],
        };
        for (topic, payload) in messages {
            for at in 0..self.nodes.len() {
                let node = &self.nodes[at];
                if node.subscribed && node.room.subscriptions().contains(&topic) {
                    let message = Input::Message {
                        topic: topic.clone(),
                        payload: payload.clone(),
                    };
                    self.over_the_network(Task::Feed(at, message));
                }
            }
        }
    }

    fn over_the_network(&mut self, task: Task) {
        let copies = if self.chance(self.faults.duplicates) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            if !self.chance(self.faults.loss) {
                let (start, end) = (*self.faults.delay.start(), *self.faults.delay.end());
                let delay = start + self.rng.next_u64() % (end - start + 1);
                self.later(delay, task.clone());
            }
        }
    }

    fn chance(&mut self, probability: f64) -> bool {
        f64::from(self.rng.next_u32()) / f64::from(u32::MAX) < probability
    }

    fn later(&mut self, millis: u64, task: Task) {
        self.sequence += 1;
        self.queue.insert(
            (self.now + Duration::from_millis(millis), self.sequence),
            task,
        );
    }

    pub fn feed(&mut self, at: usize, input: Input) {
        let now = self.now;
        let node = &mut self.nodes[at];
        if node.gone {
            return;
        }
        node.room.handle(now, input);
        let mut outputs = VecDeque::new();
        while let Some(output) = node.room.poll() {
            outputs.push_back(output);
        }
        node.wake = node.room.next_wake().map(|(_, at)| at);
        for output in outputs {
            match output {
                Output::Publish { topic, payload } => {
                    if self.nodes[at].online {
                        self.published.push((at, topic.clone(), payload.clone()));
                        self.over_the_network(Task::AtBroker {
                            from: at,
                            topic,
                            payload,
                        });
                    }
                }
                Output::Connection(connection, order) => self.order(at, connection, order),
                Output::File(file, order) => self.file_order(at, file, order),
                Output::Event(event) => self.nodes[at].events.push(event),
                Output::Remember(_) => {}
            }
        }
    }

    fn order(&mut self, at: usize, connection: ConnectionId, order: Order) {
        match order {
            Order::Offer { .. } => self.describe(at, connection, Kind::Offer),
            Order::Answer(offer) => {
                self.take_remote(at, connection, &offer);
                self.describe(at, connection, Kind::Answer);
            }
            Order::Accept(answer) => {
                self.take_remote(at, connection, &answer);
                self.try_path(at, connection);
            }
            Order::AddCandidates(_) => {}
            Order::Send(text) => self.send(at, connection, Notice::Text(text)),
            Order::SendBytes(bytes) => self.send(at, connection, Notice::Bytes(bytes)),
            Order::Close => self.close(at, connection),
        }
    }

    fn describe(&mut self, at: usize, connection: ConnectionId, kind: Kind) {
        let wire = self.nodes[at].links.entry(connection).or_default();
        if wire.ours.is_empty() {
            wire.ours = format!("u{at}x{}", connection.0);
            wire.fingerprint = fingerprint(at, connection);
            self.ends.insert(wire.ours.clone(), (at, connection));
        }
        let sdp = sdp(kind, &wire.ours, &wire.fingerprint);
        let description = Description::from_sdp(kind, &sdp).unwrap();
        self.later(
            3,
            Task::Feed(
                at,
                Input::Connection(connection, Notice::Described(description)),
            ),
        );
        self.try_path(at, connection);
    }

    fn take_remote(&mut self, at: usize, connection: ConnectionId, description: &Description) {
        let wire = self.nodes[at].links.entry(connection).or_default();
        wire.theirs = Some((ufrag(description), description.fingerprint().unwrap()));
    }

    /// Opens the channel when both ends know each other's description, and each end is who the other expects.
    fn try_path(&mut self, at: usize, connection: ConnectionId) {
        let Some(wire) = self.nodes[at].links.get(&connection) else {
            return;
        };
        let Some((theirs, expected)) = wire.theirs.clone() else {
            return;
        };
        let Some((other, other_connection)) = self.ends.get(&theirs).copied() else {
            return;
        };
        let Some(far) = self.nodes[other].links.get(&other_connection) else {
            return;
        };
        let fits = |expected: &[u8; 32], shown: &[u8; 32]| self.trusting_paths || expected == shown;
        let knows_us = far
            .theirs
            .as_ref()
            .is_some_and(|(ours, theirs)| *ours == wire.ours && fits(theirs, &wire.fingerprint));
        if wire.open
            || !knows_us
            || !fits(&expected, &far.fingerprint)
            || self.is_cut(at, other)
            || self.nodes[other].gone
        {
            return;
        }
        for (node, connection) in [(at, connection), (other, other_connection)] {
            if let Some(wire) = self.nodes[node].links.get_mut(&connection) {
                wire.open = true;
            }
            self.later(
                25,
                Task::Feed(
                    node,
                    Input::Connection(connection, Notice::Path(Path::Connected)),
                ),
            );
            self.later(
                25,
                Task::Feed(node, Input::Connection(connection, Notice::Opened)),
            );
        }
    }

    fn is_cut(&self, a: usize, b: usize) -> bool {
        self.cut.contains(&(a.min(b), a.max(b)))
    }

    fn far_end(&self, at: usize, connection: ConnectionId) -> Option<(usize, ConnectionId)> {
        let wire = self.nodes[at].links.get(&connection)?;
        self.ends.get(&wire.theirs.as_ref()?.0).copied()
    }

    fn send(&mut self, at: usize, connection: ConnectionId, message: Notice) {
        let Some((node, connection)) = self.far_end(at, connection) else {
            return;
        };
        let is_proof =
            |message: &Notice| matches!(message, Notice::Text(text) if text.contains("\"verify\""));
        let message = match &self.replace_first_frame {
            Some((cheat, instead)) if *cheat == at && is_proof(&message) => instead.clone(),
            _ => message,
        };
        let mute = |message: &Notice| match message {
            Notice::Text(text) => self
                .muted
                .iter()
                .any(|(node, part)| *node == at && text.contains(part)),
            _ => false,
        };
        if mute(&message) {
            return;
        }
        self.later(
            2,
            Task::ToPeer {
                from: at,
                node,
                connection,
                message,
            },
        );
    }

    /// `at` says this to `other` on their open connection, whatever its room thinks of it.
    pub fn inject(&mut self, at: usize, other: usize, message: Notice) {
        for connection in self.open_connections(at, other) {
            self.send(at, connection, message.clone());
        }
    }

    fn open_connections(&self, at: usize, other: usize) -> Vec<ConnectionId> {
        let ends = self.nodes[at].links.iter().filter(|(_, wire)| wire.open);
        let ends = ends.map(|(connection, _)| *connection);
        let to_other = |end: &ConnectionId| {
            self.far_end(at, *end)
                .is_some_and(|(node, _)| node == other)
        };
        ends.filter(to_other).collect()
    }

    fn close(&mut self, at: usize, connection: ConnectionId) {
        let far = self.far_end(at, connection);
        self.nodes[at].links.remove(&connection);
        if let Some((node, connection)) = far
            && !self.is_cut(at, node)
            && self.nodes[node]
                .links
                .get(&connection)
                .is_some_and(|wire| wire.open)
        {
            self.later(
                20,
                Task::Feed(node, Input::Connection(connection, Notice::Closed)),
            );
        }
    }

    /// Breaks the connections of a pair: both browsers notice at once.
    pub fn break_connections(&mut self, a: usize, b: usize) {
        for (at, other) in [(a, b), (b, a)] {
            let links: Vec<ConnectionId> = self.nodes[at].links.keys().copied().collect();
            for connection in links {
                if self
                    .far_end(at, connection)
                    .is_some_and(|(node, _)| node == other)
                {
                    self.later(
                        1,
                        Task::Feed(at, Input::Connection(connection, Notice::Path(Path::Lost))),
                    );
                }
            }
        }
    }

    /// How many connections a tab holds.
    pub fn connections(&self, at: usize) -> usize {
        self.nodes[at].links.len()
    }

    /// Payload bytes published so far.
    pub fn bytes(&self) -> usize {
        self.published
            .iter()
            .map(|(_, _, payload)| payload.len())
            .sum()
    }

    /// The peers that `at` shows, with their states.
    pub fn roster(&self, at: usize) -> BTreeMap<String, PeerState> {
        let mut roster = BTreeMap::new();
        for event in &self.nodes[at].events {
            match event {
                Event::Peer(view) => drop(roster.insert(view.id, (view.user.clone(), view.state))),
                Event::Gone { peer, .. } => drop(roster.remove(&peer.id)),
                _ => {}
            }
        }
        roster.into_values().collect()
    }

    pub fn verified(&self, at: usize) -> usize {
        self.roster(at)
            .values()
            .filter(|state| **state == PeerState::Verified)
            .count()
    }

    /// Whether all who are still here are verified to each other.
    pub fn is_full_mesh(&self) -> bool {
        let alive: Vec<usize> = (0..self.nodes.len())
            .filter(|at| !self.nodes[*at].gone)
            .collect();
        alive.iter().all(|at| self.verified(*at) == alive.len() - 1)
    }

    /// What was said by others, as `at` saw it: (sender, text).
    pub fn heard(&self, at: usize) -> Vec<(String, String)> {
        let said = self.nodes[at]
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Message(message) if message.peer.is_some() => {
                    Some((message.sender.clone(), message.text.clone()))
                }
                _ => None,
            });
        said.collect()
    }

    pub fn status(&self, at: usize) -> Option<Status> {
        self.nodes[at]
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Status(status) => Some(*status),
                _ => None,
            })
    }

    pub fn dropped(&self, at: usize, reason: &str) -> u64 {
        let diagnostics = self.nodes[at].room.diagnostics();
        diagnostics
            .dropped
            .iter()
            .find(|(words, _)| *words == reason)
            .map_or(0, |(_, count)| *count)
    }
}

fn fingerprint(at: usize, connection: ConnectionId) -> [u8; 32] {
    let mut bytes = [at as u8; 32];
    bytes[..4].copy_from_slice(&connection.0.to_be_bytes());
    bytes
}

/// A data-only description as Chromium writes it, with one host candidate.
pub fn sdp(kind: Kind, ufrag: &str, fingerprint: &[u8; 32]) -> String {
    let colons: Vec<String> = fingerprint
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let setup = if kind == Kind::Offer {
        "actpass"
    } else {
        "active"
    };
    format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=extmap-allow-mixed\r\n\
         a=msid-semantic: WMS\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
         a=candidate:1 1 udp 2113937151 192.0.2.1 50000 typ host generation 0 network-cost 999\r\n\
         a=ice-ufrag:{ufrag}\r\na=ice-pwd:{ufrag:p<24}\r\na=ice-options:trickle\r\na=fingerprint:sha-256 {}\r\n\
         a=setup:{setup}\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n",
        colons.join(":")
    )
}

/// The ice-ufrag of a description.
pub fn ufrag(description: &Description) -> String {
    let sdp = description.to_sdp();
    let line = sdp
        .lines()
        .find_map(|line| line.strip_prefix("a=ice-ufrag:"))
        .unwrap();
    line.trim().to_owned()
}
