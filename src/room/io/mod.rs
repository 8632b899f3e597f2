//! Inputs and outputs of a [`Room`](super::Room), by domain.

mod app;
mod calls;
mod chat;
mod people;
mod store;

use crate::identity::{Name, PeerId, Signature, SignatureCheck, TrustChange};
#[cfg(feature = "files")]
use crate::rtc::file_channel::{FileId, TransferCommand, TransferEvent};
use crate::rtc::{ConnectionId, LinkCommand, LinkEvent};
use crate::time::Millis;
pub use crate::wire::{Purpose, Value};

pub use app::{AppCommand, AppEvent, AskError, SendError};
pub use calls::{
    CallCommand, CallEvent, CallId, CallLine, CallNote, CallPeer, CallsView, MediaWish, OwnCall,
    OwnShare, PictureLimit, Ring, Running, Sends, Share, TheirShare, WatchState,
};
pub use chat::{
    ChatCommand, ChatEvent, Conversation, Deletion, Message, MessageId, Order, Reaction, Unsaid,
};
pub use people::{Activity, GoneReason, PeerState, PeerView, PeopleCommand, PeopleEvent, Shown};
pub use store::{StoreCommand, StoreEvent};

/// Identifies one of the brokers that the driver keeps a connection to. Both drivers keep one at a time, and call it 0
/// whichever broker it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerId(pub u16);

/// The carrier of an envelope, incoming or outgoing. Budgets go by carrier, since identities cost nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// A broker.
    Broker(BrokerId),
    /// A verified member of the room, over its link.
    Peer(PeerId),
}

/// An input of the room: something happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// An event of a broker.
    Broker(BrokerId, BrokerEvent),
    /// An event of a peer connection.
    Link(ConnectionId, LinkEvent),
    /// A command of the person at this browser, or of its program.
    Command(Command),
    /// An event about a file's bytes.
    #[cfg(feature = "files")]
    File(FileId, TransferEvent),
    /// A message came on channel 1 that belongs to no file.
    #[cfg(feature = "files")]
    StrayBytes,
    /// An event about the bytes of attachments.
    #[cfg(feature = "attachments")]
    Blob(super::BlobEvent),
    /// The answer to [`Output::Sign`].
    Signed {
        /// The ticket of the request.
        ticket: u32,
        /// The signature: `r ‖ s`, low or high `s`.
        signature: Signature,
    },
    /// The answer to [`Output::CheckSignatures`].
    CheckedSignatures {
        /// The ticket of the request.
        ticket: u32,
        /// Which of the signatures are good, in their order.
        are_good: Vec<bool>,
    },
    /// The other answer to [`Output::Sign`]: the key did not sign.
    NotSigned {
        /// The ticket of the request.
        ticket: u32,
    },
    /// An event of the store.
    Store(StoreEvent),
    /// The time of [`Room::next_wake`](super::Room::next_wake) has come.
    Wake,
    /// Whether the person sees the page: said when they use it, and when it is shown or hidden. A driver without a person
    /// never says it.
    Attention(bool),
    /// The network came back, or the tab became visible: it is worth asking at once who is still there.
    Resumed,
}

/// An event of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerEvent {
    /// The state of the connection to it changed.
    State(BrokerState),
    /// A message arrived on one of [`Room::subscriptions`](super::Room::subscriptions).
    Message {
        /// The topic it was published on.
        topic: String,
        /// The sealed envelope, as it arrived.
        payload: Vec<u8>,
    },
}

/// The state of the connection to a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerState {
    /// A connection is being opened; what is published now leaves in the first flight.
    Opening,
    /// The broker took the connection and the subscriptions.
    Ready,
    /// The connection failed or was lost; the next try is due at `retry_at`.
    Unreachable {
        /// When the next try begins.
        retry_at: Millis,
    },
    /// No broker can be used, and at least one refused the subscriptions; the next try is due at `retry_at`.
    Refused {
        /// When the next try begins.
        retry_at: Millis,
    },
}

/// A command of the person, or of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A command about messages.
    Chat(ChatCommand),
    /// A command about other people.
    People(PeopleCommand),
    /// A command about calls.
    Call(CallCommand),
    /// A command of the application.
    App(AppCommand),
    /// A command about a file.
    #[cfg(feature = "files")]
    File(super::FileCommand),
    /// A command about a file that stands beside a message.
    #[cfg(feature = "attachments")]
    Attachment(super::AttachmentCommand),
    /// Change our name.
    Rename(Name),
    /// Leave the room: says so to everybody and closes every connection.
    Leave,
}

/// An output of the room: something for the driver to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Publish with QoS 0, not retained.
    Publish {
        /// The carrier to publish through.
        carrier: Carrier,
        /// The topic.
        topic: String,
        /// A sealed envelope.
        payload: Vec<u8>,
    },
    /// Sign this with the identity's key (ECDSA on P-256 over SHA-256), and answer with [`Input::Signed`]
    /// or [`Input::NotSigned`].
    Sign {
        /// Identifies the request.
        ticket: u32,
        /// The message to sign.
        message: Vec<u8>,
    },
    /// Check these signatures (ECDSA on P-256 over SHA-256), and answer with [`Input::CheckedSignatures`]. One request is
    /// on its way at a time.
    CheckSignatures {
        /// Identifies the request.
        ticket: u32,
        /// The signatures. There are few of them, so that checking them all at once is no long task.
        checks: Vec<SignatureCheck>,
    },
    /// A peer does not answer, so the network may have changed, and the connection to the broker may be broken as well:
    /// test it at once, and replace it if it does not answer either.
    TestBroker,
    /// A command to a peer connection. The first command with a new id opens it.
    Link(ConnectionId, LinkCommand),
    /// What is to run on the connection to this peer, in place of what was to run before.
    Media(ConnectionId, PeerId, MediaWish),
    /// A command about a file's bytes.
    #[cfg(feature = "files")]
    File(FileId, TransferCommand),
    /// A command about the bytes of attachments. A driver that never says [`BlobEvent::Open`](super::BlobEvent) may drop it.
    #[cfg(feature = "attachments")]
    Blob(super::BlobCommand),
    /// Make the bytes of files give way for a moment, because people or applications talk.
    #[cfg(feature = "files")]
    YieldFiles,
    /// Write this change into the stored trust book.
    Trust(TrustChange),
    /// A command to the store. A driver without one drops it.
    Store(StoreCommand),
    /// Report an event to the person.
    Event(Event),
}

/// An event that the person (or a program in their place) should see.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The status line changed.
    Status(Status),
    /// An event about other people.
    People(PeopleEvent),
    /// An event about messages.
    Chat(ChatEvent),
    /// An event for the application.
    App(AppEvent),
    /// An event of calls.
    Call(CallEvent),
    /// An event about a file.
    #[cfg(feature = "files")]
    File(super::FileEvent),
    /// A file that stands beside a message looks different.
    #[cfg(feature = "attachments")]
    Attachment(super::AttachmentEvent),
    /// A command of the person was not carried out; a sentence that gives the reason.
    Refused(String),
}

/// The status line. The people that it counts are others: tabs of our own are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Connecting to the broker.
    Joining,
    /// Connected to the broker; nobody else is here yet.
    Looking {
        /// When we announce ourselves again. `None` while answers to an announcement may still come.
        retry_at: Option<Millis>,
        /// Tabs of our own that are connected.
        own_tabs: u32,
        /// Whether most of what the broker delivers has been dropped lately.
        dropping: bool,
    },
    /// Directly connected to this many verified people; `reconnecting` of them are silent at the moment.
    Connected {
        /// Verified peers.
        people: u32,
        /// Verified peers that are silent at the moment.
        reconnecting: u32,
        /// Tabs of our own that are connected.
        own_tabs: u32,
    },
    /// Some people answer, but no path to them has been found ([`PeerState::NoPath`]).
    NoPath {
        /// Verified peers.
        people: u32,
        /// People without a path.
        unreached: u32,
    },
    /// No broker answers. Existing connections stay.
    Unreachable {
        /// Verified peers.
        people: u32,
        /// When the next try begins.
        retry_at: Millis,
    },
    /// The broker does not allow what the room needs of it. Existing connections stay.
    Refused {
        /// Verified peers.
        people: u32,
        /// When the next try begins.
        retry_at: Millis,
    },
    /// The room has as many people as one browser can be connected to.
    Full {
        /// Verified peers.
        people: u32,
    },
    /// The room was left.
    Left,
}

/// Counts since joining, for the diagnostics panel. No contents, no addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    /// Envelopes published.
    pub published: u64,
    /// Payload bytes published.
    pub published_bytes: u64,
    /// Bodies received that passed all checks, and envelopes of our own that came back.
    pub received: u64,
    /// Dropped messages by reason, in words.
    pub dropped: Vec<(&'static str, u64)>,
    /// Bodies of kinds that this version does not know, which were skipped.
    pub skipped: u64,
    /// Signatures checked.
    pub signatures_checked: u64,
    /// Peer connections opened since joining.
    pub connections_opened: u64,
}
