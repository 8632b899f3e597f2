//! A simulated world under virtual time: rooms, a broker and the paths between browsers. The network loses, delays,
//! duplicates and reorders messages over the broker; the direct paths can be cut. The same seed gives the same run.

mod broker;
mod file_channel;
mod kept;
mod network;
mod paths;
mod seen;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rtchat::identity::{IdentityKey, Name, PeerId, TrustBook, TrustChange};
use rtchat::room::{
    BlobEvent, BrokerId, Carrier, ChatCommand, Command, Config, Event, Input, MAIN_CHANNEL,
    MediaWish, Output, Room,
};
use rtchat::rtc::file_channel::{FileId, Receiving, Sending};
use rtchat::rtc::{ConnectionId, LinkEvent};
use rtchat::settings::{Accept, CallKinds, Features};
use rtchat::time::Millis;
use rtchat::wire::{FileKey, RoomKeys, RoomSource};

pub use broker::{Faults, Interceptor};
pub use file_channel::file_message;
pub use kept::Kept;
use network::Network;
use paths::Wire;
pub use paths::{FrameInterceptor, fingerprint, sdp, ufrag};

#[derive(Debug, Clone)]
enum Task {
    Feed(usize, Input),
    Subscribe(usize),
    AtBroker {
        from: usize,
        broker: BrokerId,
        topic: String,
        payload: Vec<u8>,
    },
    ToPeer {
        from: usize,
        node: usize,
        connection: ConnectionId,
        message: LinkEvent,
    },
    /// A message on the file channel.
    FileMessage {
        from: usize,
        node: usize,
        connection: ConnectionId,
        message: Vec<u8>,
    },
    /// Opens another connection to the brokers, in place of one that is broken.
    ReplaceBroker(usize),
    /// Sends the next message of a file.
    SendChunk(usize, FileId, ConnectionId),
}

/// One browser tab.
pub struct Node {
    pub room: Room,
    pub identity: IdentityKey,
    pub events: Vec<Event>,
    /// The changes that the room asked to store in the trust book.
    pub trust_changes: Vec<TrustChange>,
    /// The connections that were to renegotiate, and the number of candidates that were to be added.
    pub renegotiated: Vec<ConnectionId>,
    pub candidates_added: usize,
    pub gone: bool,
    subscribed: bool,
    online: bool,
    network: Network,
    wake: Option<Millis>,
    /// What waits for a page that stands still.
    backlog: Option<Vec<Task>>,
    links: BTreeMap<ConnectionId, Wire>,
    /// What is to run on each connection.
    pub media: BTreeMap<ConnectionId, (PeerId, MediaWish)>,
    /// The contents of files: those sent by token, and those received by the room's number for them.
    pub sources: BTreeMap<u32, Vec<u8>>,
    pub stores: BTreeMap<u32, Vec<u8>>,
    /// The bytes of attachments that are here, and those that are being collected.
    pub blobs: BTreeMap<FileKey, Vec<u8>>,
    pub collecting: BTreeSet<u32>,
    /// What was kept with the history, and has not been deleted.
    pub kept_files: BTreeSet<FileKey>,
    sending: BTreeMap<FileId, (ConnectionId, u32, Sending)>,
    receiving: BTreeMap<FileId, (ConnectionId, u32, Receiving)>,
    /// The number of the store that it keeps in what is said.
    kept: Option<usize>,
}

pub struct World {
    pub now: Millis,
    pub nodes: Vec<Node>,
    pub faults: Faults,
    pub keys: RoomKeys,
    pub broker_up: bool,
    /// Everything that was published, in order.
    pub published: Vec<(usize, String, Vec<u8>)>,
    /// The broker of each published message.
    pub published_at: Vec<BrokerId>,
    /// The tabs whose signatures take a while, and how many milliseconds. The keys of others are in memory and answer at
    /// once.
    pub slow_keys: Vec<usize>,
    pub signing_takes: u64,
    /// The tabs whose pages are slow, so that their timers run at least this many milliseconds late.
    pub slow_pages: Vec<usize>,
    pub lateness: u64,
    /// How many milliseconds it takes until a store tells what it has.
    pub reading_takes: u64,
    /// How many commands to stores are still carried out, if a page is closed in the middle of them.
    pub writes_left: Option<u32>,
    /// The tabs whose keys do not sign at present.
    pub refusing_keys: Vec<usize>,
    /// Number of brokers. Each of them carries all messages.
    pub brokers: u16,
    /// The tab number of the next tab that is opened.
    pub next_tab: u16,
    /// What the chat of the next tab has.
    pub features: Features,
    /// The calls of the next tab.
    pub calls: CallKinds,
    pub interceptor: Option<Interceptor>,
    /// Pairs whose direct path is cut.
    pub cut: BTreeSet<(usize, usize)>,
    /// Messages sent over a path that is cut. They arrive once the path is back, because a channel retransmits.
    held: Vec<Task>,
    /// A man in the middle of every path answers for both ends, so that no browser objects to a fingerprint.
    pub trusting_paths: bool,
    /// This tab sends this message instead of its proof.
    pub replace_first_frame: Option<(usize, LinkEvent)>,
    /// These tabs send no frames that contain this text.
    pub muted: Vec<(usize, String)>,
    /// An attacker on the direct paths that may change the text frames of tabs.
    pub frames: Option<FrameInterceptor>,
    /// The text frames that tabs sent on connections with nobody at the other end.
    pub unheard: Vec<(usize, String)>,
    /// Number of messages that arrived over direct paths.
    pub carried: u64,
    /// The stores of browsers.
    pub kept: Vec<Kept>,
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

pub fn room_keys() -> RoomKeys {
    let source = RoomSource {
        page: "example.org/chat",
        name: "lobby",
        secret: None,
        root: None,
    };
    source.derive(None).lobby()
}

impl World {
    pub fn new(seed_number: u64) -> World {
        World {
            now: Millis(1_700_000_000_000),
            nodes: Vec::new(),
            faults: Faults::none(),
            keys: room_keys(),
            broker_up: true,
            published: Vec::new(),
            published_at: Vec::new(),
            slow_keys: Vec::new(),
            signing_takes: 0,
            slow_pages: Vec::new(),
            lateness: 40,
            reading_takes: 20,
            writes_left: None,
            refusing_keys: Vec::new(),
            brokers: 1,
            next_tab: 1,
            features: Features::default(),
            calls: CallKinds::default(),
            interceptor: None,
            cut: BTreeSet::new(),
            held: Vec::new(),
            muted: Vec::new(),
            frames: None,
            unheard: Vec::new(),
            carried: 0,
            trusting_paths: false,
            replace_first_frame: None,
            kept: Vec::new(),
            queue: BTreeMap::new(),
            sequence: 0,
            rng: ChaCha20Rng::from_seed(seed(seed_number, 77)),
            ends: BTreeMap::new(),
        }
    }

    /// Opens a tab with default settings and an identity of its own.
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
        self.open_with_info(name, identity, accept, trust, None)
    }

    /// Opens a tab with an application that gives information about its user.
    pub fn open_with_info(
        &mut self,
        name: &str,
        identity: IdentityKey,
        accept: Accept,
        trust: TrustBook,
        info: Option<String>,
    ) -> usize {
        let at = self.nodes.len();
        let config = Config {
            keys: self.keys.clone(),
            topic_prefix: String::new(),
            identity: identity.public(),
            name: Name::parse(name).unwrap(),
            tab: std::mem::replace(&mut self.next_tab, 1),
            info,
            channels: vec![MAIN_CHANNEL.to_owned()],
            accept,
            features: self.features,
            calls: self.calls,
            trust,
            seed: seed(at as u64, 2),
        };
        let room = Room::new(config, self.now);
        self.nodes.push(Node {
            room,
            identity,
            events: Vec::new(),
            trust_changes: Vec::new(),
            renegotiated: Vec::new(),
            candidates_added: 0,
            gone: false,
            subscribed: false,
            online: false,
            network: Network::default(),
            wake: None,
            backlog: None,
            links: BTreeMap::new(),
            media: BTreeMap::new(),
            sources: BTreeMap::new(),
            stores: BTreeMap::new(),
            blobs: BTreeMap::new(),
            collecting: BTreeSet::new(),
            kept_files: BTreeSet::new(),
            sending: BTreeMap::new(),
            receiving: BTreeMap::new(),
            kept: None,
        });
        self.connect_broker(at);
        self.feed(at, Input::Blob(BlobEvent::Open(Vec::new())));
        at
    }

    pub fn command(&mut self, at: usize, command: Command) {
        self.feed(at, Input::Command(command));
    }

    pub fn say(&mut self, at: usize, text: &str) {
        self.command(at, Command::Chat(ChatCommand::say(text)));
    }

    /// The tab says goodbye and closes.
    pub fn leave(&mut self, at: usize) {
        self.command(at, Command::Leave);
        self.nodes[at].gone = true;
    }

    /// The tab disappears without a message.
    pub fn crash(&mut self, at: usize) {
        self.nodes[at].gone = true;
        self.nodes[at].subscribed = false;
    }

    /// The tab is closed without a message, and the browser closes its connections.
    pub fn close_tab(&mut self, at: usize) {
        let connections: Vec<ConnectionId> = self.nodes[at].links.keys().copied().collect();
        for connection in connections {
            self.close(at, connection);
        }
        self.crash(at);
    }

    /// The tab's computer sleeps: nothing happens there, and nothing reaches it.
    pub fn sleep(&mut self, at: usize, duration: Duration) {
        let others: Vec<usize> = (0..self.nodes.len()).filter(|other| *other != at).collect();
        let wake = self.nodes[at].wake.take();
        let subscribed = std::mem::take(&mut self.nodes[at].subscribed);
        others.iter().for_each(|other| self.cut(at, *other, true));
        self.nodes[at].network.set_off(true);
        self.run(duration);
        self.nodes[at].network.set_off(false);
        self.held.clear();
        others.iter().for_each(|other| self.cut(at, *other, false));
        self.nodes[at].wake = wake;
        self.nodes[at].subscribed = subscribed;
    }

    /// The tab's page stands still: whatever reaches it waits, and is all handled when it goes on.
    pub fn stall(&mut self, at: usize, duration: Duration) {
        let wake = self.nodes[at].wake.take();
        self.nodes[at].backlog = Some(Vec::new());
        self.run(duration);
        for task in self.nodes[at].backlog.take().unwrap_or_default() {
            self.perform(task);
        }
        let wake = self.nodes[at].wake.or(wake);
        self.nodes[at].wake = wake;
    }

    /// Lets time pass.
    pub fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.step(end) {}
        self.now = end;
    }

    /// Lets time pass until `done` returns true, but at most `limit`. Returns whether it did.
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
        let target = match &task {
            Task::Feed(at, _) | Task::Subscribe(at) | Task::SendChunk(at, ..) => Some(*at),
            Task::ReplaceBroker(_) => None,
            Task::ToPeer { node, .. } | Task::FileMessage { node, .. } => Some(*node),
            Task::AtBroker { .. } => None,
        };
        if let Some(backlog) = target.and_then(|at| self.nodes[at].backlog.as_mut()) {
            return backlog.push(task);
        }
        if let Task::ToPeer {
            from,
            node,
            connection,
            ..
        }
        | Task::FileMessage {
            from,
            node,
            connection,
            ..
        } = &task
        {
            if self.leads_nowhere(*node, *connection) {
                return;
            }
            if self.is_cut(*from, *node) {
                self.held.push(task);
                return;
            }
        }
        match task {
            Task::Feed(at, input) => self.feed(at, input),
            Task::Subscribe(at) => self.nodes[at].subscribed = self.broker_up,
            Task::AtBroker {
                from,
                broker,
                topic,
                payload,
            } => self.fan_out(from, broker, topic, payload),
            Task::ToPeer {
                node,
                connection,
                message,
                ..
            } => {
                if self.nodes[node].links.contains_key(&connection) {
                    self.carried += 1;
                    self.feed(node, Input::Link(connection, message));
                }
            }
            Task::FileMessage {
                node,
                connection,
                message,
                ..
            } => {
                if self.nodes[node].links.contains_key(&connection) {
                    self.receive_file_message(node, connection, &message);
                }
            }
            Task::ReplaceBroker(at) => self.replace_broker(at),
            Task::SendChunk(at, file, connection) => self.send_next_chunk(at, file, connection),
        }
    }

    fn schedule(&mut self, millis: u64, task: Task) {
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
        let (mut outputs, mut signed) = (VecDeque::new(), Vec::new());
        while let Some(output) = node.room.poll() {
            if let Output::Sign { ticket, .. } = output
                && self.refusing_keys.contains(&at)
            {
                node.room.handle(now, Input::NotSigned { ticket });
            } else if let Output::Sign { ticket, message } = output {
                let signature = node.identity.sign_message(&message);
                let input = Input::Signed { ticket, signature };
                if self.slow_keys.contains(&at) {
                    signed.push(input);
                } else {
                    node.room.handle(now, input);
                }
            } else if let Output::CheckSignatures { ticket, checks } = output {
                let are_good = checks.iter().map(|check| check.verify().is_ok()).collect();
                let input = Input::CheckedSignatures { ticket, are_good };
                if self.slow_keys.contains(&at) {
                    signed.push(input);
                } else {
                    node.room.handle(now, input);
                }
            } else {
                outputs.push_back(output);
            }
        }
        let wake = node.room.next_wake().map(|(_, at)| at);
        let earliest = now + Duration::from_millis(self.lateness);
        let is_slow = self.slow_pages.contains(&at);
        node.wake = wake.map(|wake| if is_slow { wake.max(earliest) } else { wake });
        for input in signed {
            self.schedule(self.signing_takes, Task::Feed(at, input));
        }
        for output in outputs {
            match output {
                Output::Publish {
                    carrier,
                    topic,
                    payload,
                } => {
                    if self.nodes[at].online
                        && !self.nodes[at].network.has_lost_broker()
                        && let Carrier::Broker(broker) = carrier
                    {
                        self.published.push((at, topic.clone(), payload.clone()));
                        self.published_at.push(broker);
                        self.over_the_network(Task::AtBroker {
                            from: at,
                            broker,
                            topic,
                            payload,
                        });
                    }
                }
                Output::Media(connection, peer, wish) => {
                    self.nodes[at].media.insert(connection, (peer, wish));
                }
                Output::TestBroker => self.test_broker(at),
                Output::Link(connection, command) => self.carry_out(at, connection, command),
                Output::File(file, command) => self.carry_out_transfer(at, file, command),
                Output::Blob(command) => self.carry_out_blob(at, command),
                Output::Event(event) => self.nodes[at].events.push(event),
                Output::Trust(change) => self.nodes[at].trust_changes.push(change),
                Output::Store(command) => self.store(at, command),
                Output::YieldFiles | Output::Sign { .. } | Output::CheckSignatures { .. } => {}
            }
        }
    }
}
