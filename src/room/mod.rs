//! The room: who is here, who connects to whom, who is verified, what was said.
//!
//! [`Room`] is pure. It is driven as the crate's documentation says: inputs and the time go in, outputs come
//! out, and the same inputs give the same outputs.
//!
//! It is made of machines. Each owns its state and reaches the world only through the context that it is lent
//! (`cx.rs`); `Room` itself decides nothing, and only routes.
//!
//! | machine | what it decides |
//! | --- | --- |
//! | `signaling` | when to say "I am here"; opens envelopes that come over brokers, and seals ours |
//! | `members` | who is known, who is let in, names, trust |
//! | `links` | attempts, proof, keep-alive, renegotiation |
//! | `channel` | on verified links: the reliable stream, values, pings; `questions` and `files` beside it |
//! | `calls` | who is in which call, what is shown to whom, what runs on each connection |
//! | `conversations` | messages and their receipts |
//! | `attachments` | files beside messages: who has them, who is asked for them, who is given them |
//! | `presence` | who is connected to whom |
//! | `activity` | who is at their page, and who is away |
//!
//! `policy` is no machine: it answers who may do what, and `members` asks it.

mod activity;
#[cfg(feature = "attachments")]
mod attachments;
mod budget;
mod calls;
mod channel;
mod conversations;
mod counters;
mod cx;
mod drops;
mod effect;
mod io;
mod links;
mod members;
#[cfg(not(feature = "attachments"))]
mod no_attachments;
mod policy;
mod presence;
mod routes;
mod signaling;
mod timer;

use core::time::Duration;

use crate::identity::{Name, PeerId, PublicKey, SessionKey, Signature, TrustBook};
use crate::rtc::{ConnectionId, LinkEvent};
use crate::settings::{Accept, CallKinds, Features};
use crate::time::Millis;
use crate::wire::frame::{LinkFrame, PeopleFrame};
use crate::wire::{Connect, Envelope, Frame, RoomKeys};

use activity::Activities;
#[cfg(feature = "attachments")]
use attachments::Attachments;
use calls::Calls;
use channel::Channels;
#[cfg(not(feature = "files"))]
use channel::NoFiles as Files;
#[cfg(feature = "files")]
use channel::files::Files;
use channel::questions::Questions;
use conversations::{Conversations, READ};
#[cfg(feature = "files")]
use counters::Dropped;
use cx::{Cx, Own, SignFor};
use effect::{Effect, PeerEvent};
use links::{ChannelMessage, Links};
use members::{Members, Received, Seen, Via, own_user};
#[cfg(not(feature = "attachments"))]
use no_attachments::NoAttachments as Attachments;
use presence::Presence;
use signaling::{Company, Signaling};

pub use crate::identity::Trust;
pub use crate::wire::value::{MAX_KIND, MAX_QUESTION, MAX_VALUE};
#[cfg(feature = "attachments")]
pub use attachments::{
    AttachmentCommand, AttachmentEvent, BlobCommand, BlobEvent, FileState, FileView, MAX_AT_ONCE,
    MAX_KEPT, MAX_KEPT_FILE,
};
#[cfg(feature = "files")]
pub use channel::files::{FileCommand, FileError, FileEvent};
pub use conversations::{DELETED, MAIN_CHANNEL, MAX_FOUND, MAX_REACTIONS, MAX_TEXT, MAX_VERSIONS};
#[cfg(feature = "export")]
pub use conversations::{ImportError, Imported, MAX_IMPORT};
pub use io::{
    Activity, AppCommand, AppEvent, AskError, BrokerEvent, BrokerId, BrokerState, CallCommand,
    CallEvent, CallId, CallLine, CallNote, CallPeer, CallsView, Carrier, ChatCommand, ChatEvent,
    Command, Conversation, Deletion, Diagnostics, Event, GoneReason, Input, MediaWish, Message,
    MessageId, Order, Output, OwnCall, OwnShare, PeerState, PeerView, PeopleCommand, PeopleEvent,
    PictureLimit, Purpose, Reaction, Ring, Running, SendError, Sends, Share, Shown, Status,
    StoreCommand, StoreEvent, TheirShare, Unsaid, Value, WatchState,
};
pub use links::MAX_ATTEMPTS;
pub use members::MAX_PEERS;
pub use timer::{ChannelTimer, ConversationTimer, LinkTimer, PresenceTimer, SignalingTimer, Timer};

/// The names of all small values that a room keeps.
pub const STATES: [&str; 3] = [READ, DELETED, calls::CALLS];

/// When more time than this has passed since the last input, the computer slept: with company, a room is never idle for
/// so long.
const SLEEP_THRESHOLD: Duration = Duration::from_secs(20);

/// The configuration of a room.
#[derive(Debug, Clone)]
pub struct Config {
    /// The room's keys and topics.
    pub keys: RoomKeys,
    /// The prefix that the site puts before the names of all topics.
    pub topic_prefix: String,
    /// Our identity: the key with which [`Output::Sign`] is answered.
    pub identity: PublicKey,
    /// Our name.
    pub name: Name,
    /// Our tab number, from 1.
    pub tab: u16,
    /// Information about us that others get with our proof: a JSON object of at most
    /// [`MAX_INFO`](crate::settings::options::MAX_INFO) bytes.
    pub info: Option<String>,
    /// The names of the room's channels, of which there is at least one.
    pub channels: Vec<String>,
    /// The setting that says who is let in.
    pub accept: Accept,
    /// What the site's chat has.
    pub features: Features,
    /// Which calls there are.
    pub calls: CallKinds,
    /// The people whom we have met before.
    pub trust: TrustBook,
    /// All the randomness of this room comes from these 32 bytes: they must never be used twice.
    pub seed: [u8; 32],
}

/// One room, seen from one tab.
#[derive(Debug)]
pub struct Room {
    cx: Cx,
    signaling: Signaling,
    members: Members,
    links: Links,
    channels: Channels,
    questions: Questions,
    calls: Calls,
    files: Files,
    attachments: Attachments,
    conversations: Conversations,
    presence: Presence,
    activities: Activities,
    status: Option<Status>,
    left: bool,
}

impl Room {
    /// Creates a room at `now`. It does nothing before the first [`Input::Broker`].
    pub fn new(config: Config, now: Millis) -> Room {
        let room = *config.keys.id();
        let own = |rng: &mut _| {
            let session = SessionKey::generate(rng);
            Own {
                id: PeerId::of(&config.identity, &session.public()),
                key: config.identity,
                session,
                name: config.name,
                tab: config.tab,
                info: config.info,
                room,
                connect: None,
                renamed: false,
            }
        };
        let mut cx = Cx::new(own, config.features, config.seed, now);
        Room {
            signaling: Signaling::new(config.keys, config.topic_prefix, &mut cx),
            cx,
            members: Members::new(config.accept, config.trust),
            links: Links::new(now),
            channels: Channels::default(),
            questions: Questions::default(),
            calls: Calls::new(config.calls, &config.channels),
            files: Files::default(),
            attachments: Attachments::default(),
            conversations: Conversations::new(&config.channels, &config.identity, now),
            presence: Presence::default(),
            activities: Activities::default(),
            status: None,
            left: false,
        }
    }

    /// The topics to subscribe to, both at once: the room's and the own inbox.
    pub fn subscriptions(&self) -> [String; 2] {
        self.signaling.subscriptions(&self.cx.own.id)
    }

    /// Our own peer id.
    pub fn id(&self) -> PeerId {
        self.cx.own.id
    }

    /// Our own public key.
    pub fn key(&self) -> PublicKey {
        self.cx.own.key
    }

    /// Our own name as others see it.
    pub fn user(&self) -> String {
        own_user(&self.cx.own.name, self.cx.own.tab)
    }

    /// The conversations that there are, with the other person's name in direct ones.
    pub fn conversations(&self) -> Vec<(Conversation, Option<String>)> {
        self.conversations.list(&self.members)
    }

    /// The last messages of a conversation that are here, or the last ones before one of them, in their order.
    pub fn history(
        &self,
        conversation: &Conversation,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Vec<Message> {
        let (members, cx) = (&self.members, &self.cx);
        self.conversations
            .history(conversation, before, limit, members, cx)
    }

    /// Everything that was said and is here, as JSON that can be imported again. The names of the room and its page are for
    /// whoever reads it.
    #[cfg(feature = "export")]
    pub fn export(&self, room: &str, page: &str) -> String {
        self.conversations
            .export(room, page, &self.members, &self.cx)
    }

    /// Handles what happened at `now`. Afterwards [`Room::poll`] returns what is to be done.
    pub fn handle(&mut self, now: Millis, input: Input) {
        self.advance(now);
        if self.left {
            if let Input::Command(command) = input {
                self.refuse(command);
            }
            return;
        }
        match input {
            Input::Broker(broker, BrokerEvent::State(state)) => {
                let company = self.company();
                self.signaling
                    .on_broker(broker, state, company, &mut self.cx);
                self.links.on_broker(state, &mut self.cx);
            }
            Input::Broker(broker, BrokerEvent::Message { topic, payload }) => {
                self.on_message(Carrier::Broker(broker), &topic, &payload);
            }
            Input::Link(connection, event) => self.on_link(connection, event),
            Input::Command(command) => self.on_command(command),
            #[cfg(feature = "files")]
            Input::File(file, event) => self.files.on_transfer(file, event, &mut self.cx),
            #[cfg(feature = "attachments")]
            Input::Blob(event) => {
                let (members, links) = (&self.members, &self.links);
                self.attachments
                    .on_blob(event, members, links, &mut self.cx);
            }
            #[cfg(feature = "files")]
            Input::StrayBytes => self.cx.dropped(Dropped::StrayBytes),
            Input::Signed { ticket, signature } => self.on_signed(ticket, signature),
            Input::CheckedSignatures { ticket, are_good } => {
                let members = &self.members;
                self.conversations
                    .on_checked(ticket, &are_good, members, &mut self.cx);
            }
            Input::NotSigned { ticket } => self.on_not_signed(ticket),
            Input::Store(event) => {
                let (members, cx) = (&self.members, &mut self.cx);
                self.calls.on_store(&event, cx);
                self.conversations.on_store(event, members, cx);
            }
            Input::Wake => {}
            Input::Attention(attentive) => {
                self.activities.on_attention(attentive, &mut self.cx);
            }
            Input::Resumed => self.resume(),
        }
        self.route();
        self.cx.source = None;
        while let Some(timer) = self.cx.timers.take_due(now) {
            self.on_timer(timer);
            self.route();
        }
        self.conversations.keep_changed(&mut self.cx);
        self.show();
    }

    /// Returns the next thing to do, in order; `None` when all is done.
    pub fn poll(&mut self) -> Option<Output> {
        self.cx.next_output()
    }

    /// The time at which the room wants [`Input::Wake`], and the timer behind it.
    pub fn next_wake(&self) -> Option<(Timer, Millis)> {
        self.cx.timers.next()
    }

    /// The counts since joining.
    pub fn diagnostics(&self) -> Diagnostics {
        self.cx.counters.diagnostics()
    }
}
