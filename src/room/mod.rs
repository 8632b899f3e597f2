//! The heart: who is here, who connects to whom, who is verified, what was said.
//!
//! [`Room`] is pure. It is driven as the crate's documentation says: inputs and the time go in, outputs come
//! out, and the same inputs give the same outputs.
//!
//! | file | what it decides |
//! | --- | --- |
//! | `announce` | when to say "I am here", and what a full room says |
//! | `meeting` | what comes over the broker: the checks, cheapest first, and who is let in |
//! | `connect` | attempts: offers, answers, glare, candidates, time-outs |
//! | `proof` | the challenge and response that is bound to the connection |
//! | `liveness` | silence, reconnecting, gone |
//! | `talk` | what is said on the channel, receipts, presence |
//! | `values` | what applications send; pings |
//! | `stream` | the order and the completeness of that, over several connections |
//! | `questions` | questions, answers, time-outs |
//! | `files` | which files go to whom, and what became of them |
//! | `stall` | files that do not move |
//! | `roster` | names made unique, what is shown of whom, the line of status |

mod announce;
mod budget;
mod connect;
mod counters;
#[cfg(feature = "files")]
mod file_io;
#[cfg(feature = "files")]
mod file_words;
#[cfg(feature = "files")]
mod files;
mod io;
mod liveness;
mod meeting;
mod peer;
mod proof;
mod questions;
mod roster;
#[cfg(feature = "files")]
mod stall;
mod stream;
mod talk;
mod values;

use core::time::Duration;
use std::collections::VecDeque;

use litemap::LiteMap;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::identity::{IdentityKey, Name, PeerId, PublicKey, SessionKey, TrustBook, TrustDecision};
use crate::rtc::{ConnectionId, LinkCommand};
use crate::settings::Accept;
use crate::time::{Deadlines, Millis};
use crate::wire::{Body, Envelope, RoomKeys};

use budget::Budget;
use counters::{Counters, Dropped};
use peer::{Decision, Peer};

pub use crate::identity::Trust;
pub use crate::wire::value::{MAX_KIND, MAX_QUESTION, MAX_VALUE};
#[cfg(feature = "files")]
pub use file_io::{FileCommand, FileError, FileEvent};
pub use io::{
    AskError, BrokerState, Command, Diagnostics, Event, GoneReason, Input, Message, MessageId,
    Output, PeerState, PeerView, Purpose, SendError, Status, Value,
};

/// A message has at most this many characters.
pub const MAX_TEXT: usize = 10_000;
/// A browser is connected to at most this many others.
pub const MAX_PEERS: usize = 50;
/// At most so many connections are being made at once.
pub const MAX_ATTEMPTS: usize = 8;

/// Peers that are known of, connected or not: beyond that, those that never answered make room.
const MAX_ROSTER: usize = 128;
/// Peers that left, whose late messages are ignored.
const MAX_DEPARTED: usize = 256;
/// Candidates that came before what they belong to.
const MAX_EARLY: usize = 32;

/// Signatures that are checked on the way in: so many at once …
const SIGNATURES_BURST: u32 = 100;
/// … and so many a second from then on, or a flood could burn the battery.
const SIGNATURES_PER_SECOND: u32 = 25;
/// When more time than this has passed since the last input, the computer slept: with company, a room is never idle for
/// so long.
const SLEPT: Duration = Duration::from_secs(20);

/// What a room needs to begin.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it meets.
    pub keys: RoomKeys,
    /// Who we are.
    pub identity: IdentityKey,
    /// What we are called.
    pub name: Name,
    /// Our tab number, from 1.
    pub tab: u16,
    /// What others are told about us once we proved who we are: a JSON object of at most
    /// [`MAX_INFO`](crate::settings::options::MAX_INFO) bytes.
    pub info: Option<String>,
    /// Who is let in.
    pub accept: Accept,
    /// Whom we have met before.
    pub trust: TrustBook,
    /// All the randomness of this room comes from these 32 bytes: they must never be used twice.
    pub seed: [u8; 32],
}

/// Why the room wants to be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deadline {
    /// To say "I am here" again.
    Announce,
    /// Our own announcement should have come back by now.
    Echo,
    /// This peer should have sent its offer by now.
    TheirOffer(PeerId),
    /// An attempt has taken too long.
    Attempt(PeerId),
    /// A peer that could not be reached is worth another round of tries.
    Retry(PeerId),
    /// There is time to prepare our proof.
    Prove(PeerId),
    /// To see whether this peer is still there.
    Silence(PeerId),
    /// To tell the others whom we are connected to.
    Presence,
    /// To find places for those that wait to be connected to.
    Crowd,
    /// To tell this peer how much of its stream has come.
    Tell(PeerId),
    /// The time for an answer may be over.
    Answers,
    /// To see whether files to this peer and back still move.
    #[cfg(feature = "files")]
    Files(PeerId),
}

/// One room, seen from one tab.
#[derive(Debug)]
pub struct Room {
    keys: RoomKeys,
    identity: IdentityKey,
    session: SessionKey,
    id: PeerId,
    name: Name,
    tab: u16,
    info: Option<String>,
    accept: Accept,
    asks_about_all: bool,
    trust: TrustBook,
    rng: ChaCha20Rng,
    now: Millis,
    last_stamp: Millis,
    announcer: announce::Announcer,
    broker: BrokerState,
    peers: LiteMap<PeerId, Peer>,
    /// Peers that are no longer here, and up to which timestamp their messages are old.
    departed: VecDeque<(PeerId, Millis)>,
    early: VecDeque<(Envelope, Millis)>,
    /// Peers that wait for a free place among the attempts.
    waiting: VecDeque<PeerId>,
    deadlines: Deadlines<Deadline>,
    outputs: VecDeque<Output>,
    signatures: Budget,
    counters: Counters,
    deliveries: talk::Deliveries,
    questions: questions::Questions,
    #[cfg(feature = "files")]
    files: files::Files,
    /// When we last said that the person is writing.
    typed: Option<Millis>,
    shown: LiteMap<PeerId, PeerView>,
    status: Option<Status>,
    /// Something that people see may have changed.
    dirty: bool,
    /// Our name is not the one we joined with.
    renamed: bool,
    left: bool,
    next_connection: u32,
    next_attempt: u32,
}

impl Room {
    /// A room at `now`. It does nothing before the first [`Input::Broker`].
    pub fn new(config: Config, now: Millis) -> Room {
        let mut rng = ChaCha20Rng::from_seed(config.seed);
        let session = SessionKey::generate(&mut rng);
        let id = PeerId::of(&config.identity.public(), &session.public());
        Room {
            keys: config.keys,
            identity: config.identity,
            session,
            id,
            name: config.name,
            tab: config.tab,
            info: config.info,
            accept: config.accept,
            asks_about_all: false,
            trust: config.trust,
            rng,
            now,
            last_stamp: Millis(0),
            announcer: announce::Announcer::new(now),
            broker: BrokerState::Opening,
            peers: LiteMap::new(),
            departed: VecDeque::new(),
            early: VecDeque::new(),
            waiting: VecDeque::new(),
            deadlines: Deadlines::default(),
            outputs: VecDeque::new(),
            signatures: Budget::new(SIGNATURES_BURST, SIGNATURES_PER_SECOND, now),
            counters: Counters::default(),
            deliveries: talk::Deliveries::default(),
            questions: questions::Questions::default(),
            #[cfg(feature = "files")]
            files: files::Files::default(),
            typed: None,
            shown: LiteMap::new(),
            status: None,
            dirty: true,
            renamed: false,
            left: false,
            next_connection: 0,
            next_attempt: 0,
        }
    }

    /// The topics to subscribe to, both at once: the room's and the own inbox.
    pub fn subscriptions(&self) -> [String; 2] {
        [self.keys.topic().to_owned(), self.keys.inbox(&self.id)]
    }

    /// Our own peer id.
    pub fn id(&self) -> PeerId {
        self.id
    }

    /// Our own public key.
    pub fn key(&self) -> PublicKey {
        self.identity.public()
    }

    /// Our own name as others see it.
    pub fn user(&self) -> String {
        roster::own_user(&self.name, self.tab)
    }

    /// Takes in what happened at `now`. Afterwards [`Room::poll`] has what is to be done.
    pub fn handle(&mut self, now: Millis, input: Input) {
        self.advance(now);
        if self.left {
            if let Input::User(command) = input {
                self.refuse(command);
            }
            return;
        }
        match input {
            Input::Broker(state) => self.on_broker(state),
            Input::Message { topic, payload } => self.on_message(&topic, &payload),
            Input::Connection(connection, notice) => self.on_notice(connection, notice),
            Input::User(command) => self.on_command(command),
            #[cfg(feature = "files")]
            Input::File(file, notice) => self.on_file_notice(file, notice),
            #[cfg(feature = "files")]
            Input::StrayBytes => self.dropped(Dropped::StrayBytes),
            Input::Wake => {}
            Input::Resumed => self.ask_everybody(),
        }
        while let Some(deadline) = self.deadlines.take_due(self.now) {
            self.on_deadline(deadline);
        }
        self.show();
    }

    /// The next thing to do, in order; `None` when all is done.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the room wants [`Input::Wake`], and why.
    pub fn next_wake(&self) -> Option<(Deadline, Millis)> {
        self.deadlines.next()
    }

    /// What was counted since joining.
    pub fn diagnostics(&self) -> Diagnostics {
        self.counters.diagnostics()
    }

    /// A sleeping computer wakes to old timers. Nobody is given up for a silence that was ours.
    fn advance(&mut self, now: Millis) {
        let slept = now.since(self.now) > SLEPT;
        self.now = self.now.max(now);
        if slept {
            #[cfg(feature = "files")]
            self.all_files_moved();
            self.ask_everybody();
        }
    }

    fn on_deadline(&mut self, deadline: Deadline) {
        match deadline {
            Deadline::Announce => self.announce_again(),
            Deadline::Echo => self.echo_missed(),
            Deadline::TheirOffer(peer) => self.want_attempt(peer),
            Deadline::Retry(peer) => self.retry(peer),
            Deadline::Attempt(peer) => self.attempt_timed_out(peer),
            Deadline::Prove(peer) => self.prepare_proof(peer),
            Deadline::Silence(peer) => self.check_silence(peer),
            Deadline::Presence => self.tell_presence(),
            Deadline::Crowd => self.make_place(),
            Deadline::Tell(peer) => self.tell_count(peer),
            Deadline::Answers => self.questions_due(),
            #[cfg(feature = "files")]
            Deadline::Files(peer) => self.check_files(peer),
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Say(text) => self.say(&text, None),
            Command::SayTo { peer, text } => self.say(&text, Some(peer)),
            Command::Rename(name) => self.rename(name),
            Command::Decide { peer, accept } => self.decided(peer, accept),
            Command::Retry(peer) => self.retry(peer),
            Command::AcceptKey(peer) => self.judge(peer, TrustDecision::NameAccepted),
            Command::MarkVerified(peer) => self.judge(peer, TrustDecision::Compared),
            Command::Block(peer) => self.judge(peer, TrustDecision::Blocked),
            Command::TrustBookChanged(book) => self.heed(book),
            Command::AskAboutAll(all) => self.asks_about_all = all,
            Command::Leave => self.leave(),
            Command::Typing => self.typing(),
            Command::Disconnect(peer) => self.disconnect(peer),
            Command::Ping { peer, token } => self.ping(peer, token),
            Command::Send {
                peer,
                token,
                purpose,
                value,
            } => self.send_value(peer, token, purpose, value),
            Command::Ask {
                peer,
                token,
                topic,
                content,
                timeout,
            } => self.ask_question(peer, token, topic, content, timeout),
            Command::Withdraw { token } => self.withdraw(token),
            Command::Answer {
                peer,
                question,
                result,
            } => self.answer(peer, question, result),
            #[cfg(feature = "files")]
            Command::File(command) => self.on_file_command(command),
        }
    }

    fn leave(&mut self) {
        self.say_leave();
        let timestamp = self.stamp();
        let topic = self.keys.topic().to_owned();
        let signature =
            crate::wire::envelope::sign_leave(&self.identity, &topic, &self.id, timestamp);
        self.publish(topic, timestamp, Body::Leave { signature });
        let peers = core::mem::take(&mut self.peers);
        peers.values().for_each(|peer| self.not_sent(peer));
        for link in peers
            .into_iter()
            .map(|(_, peer)| peer)
            .flat_map(|peer| [peer.current, peer.trying])
            .flatten()
        {
            self.order(link.connection, LinkCommand::Close);
        }
        self.left = true;
        self.deadlines = Deadlines::default();
        self.waiting.clear();
        self.shown.clear();
        self.event(Event::Status(Status::Left));
    }

    /// A timestamp newer than every one before.
    fn stamp(&mut self) -> Millis {
        self.last_stamp = Millis(self.now.0.max(self.last_stamp.0 + 1));
        self.last_stamp
    }

    fn publish(&mut self, topic: String, timestamp: Millis, body: Body) {
        let envelope = Envelope {
            sender: self.id,
            timestamp,
            body,
        };
        let payload = envelope.seal(&self.keys, &topic, &mut self.rng);
        self.counters.published(payload.len());
        self.outputs.push_back(Output::Publish { topic, payload });
    }

    fn order(&mut self, connection: ConnectionId, order: LinkCommand) {
        self.outputs
            .push_back(Output::Connection(connection, order));
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn dropped(&mut self, reason: Dropped) {
        self.counters.dropped(reason);
    }

    /// Those peers that `which` names.
    fn ids(&self, which: impl Fn(&Peer) -> bool) -> Vec<PeerId> {
        let named = self.peers.values().filter(|peer| which(peer));
        named.map(|peer| peer.id).collect()
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// `duration` plus or minus a quarter of it.
    fn jittered(&mut self, duration: Duration) -> Duration {
        let part = f64::from(self.rng.next_u32()) / f64::from(u32::MAX);
        duration.mul_f64(0.75 + part / 2.0)
    }
}
