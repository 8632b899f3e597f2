//! What goes into a [`Room`](super::Room) and what comes out of it, by domain.

mod app;
mod chat;
mod people;

use crate::identity::{Name, PeerId, Signature, TrustChange};
#[cfg(feature = "files")]
use crate::rtc::file_channel::{FileId, TransferCommand, TransferEvent};
use crate::rtc::{ConnectionId, LinkCommand, LinkEvent};
use crate::time::Millis;
pub use crate::wire::{Purpose, Value};

pub use app::{AppCommand, AppEvent, AskError, SendError};
pub use chat::{ChatCommand, ChatEvent, Message, MessageId};
pub use people::{GoneReason, PeerState, PeerView, PeopleCommand, PeopleEvent, Shown};

/// Names one of the brokers that the driver keeps a connection to. Both drivers keep one at a time, and call it 0
/// whichever broker it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerId(pub u16);

/// What brought an envelope here, or is to take one away. Budgets go by carrier, since identities cost nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// A broker.
    Broker(BrokerId),
    /// A verified member of the room, over its link.
    Peer(PeerId),
}

/// Something happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Something about a broker.
    Broker(BrokerId, BrokerEvent),
    /// A peer connection has something to tell.
    Link(ConnectionId, LinkEvent),
    /// The person at this browser, or its program, wants something.
    Command(Command),
    /// What became of a file's bytes.
    #[cfg(feature = "files")]
    File(FileId, TransferEvent),
    /// A message came on channel 1 that belongs to no file.
    #[cfg(feature = "files")]
    StrayBytes,
    /// The answer to [`Output::Sign`].
    Signed {
        /// The ticket of the request.
        ticket: u32,
        /// The signature: `r ‖ s`, low or high `s`.
        signature: Signature,
    },
    /// [`Room::next_wake`](super::Room::next_wake) has come.
    Wake,
    /// The network came back, or the tab became visible: it is worth asking at once who is still there.
    Resumed,
}

/// What happens at a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerEvent {
    /// The way to it changed.
    State(BrokerState),
    /// It brought a message on one of [`Room::subscriptions`](super::Room::subscriptions).
    Message {
        /// The topic it was published on.
        topic: String,
        /// The sealed envelope, as it came.
        payload: Vec<u8>,
    },
}

/// How the way to the broker stands.
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
}

/// What a person, or a program, can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Something about messages.
    Chat(ChatCommand),
    /// Something about other people.
    People(PeopleCommand),
    /// Something of the application.
    App(AppCommand),
    /// Something about a file.
    #[cfg(feature = "files")]
    File(super::FileCommand),
    /// Go by another name from now on.
    Rename(Name),
    /// Leave the room: says so to everybody and closes every connection.
    Leave,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Publish with QoS 0, not retained.
    Publish {
        /// Through what.
        carrier: Carrier,
        /// The topic.
        topic: String,
        /// A sealed envelope.
        payload: Vec<u8>,
    },
    /// Sign this with the identity's key (ECDSA on P-256 over SHA-256), and answer with [`Input::Signed`].
    Sign {
        /// Names the request.
        ticket: u32,
        /// What is to be signed.
        message: Vec<u8>,
    },
    /// A command to a peer connection. The first command with a new id opens it.
    Link(ConnectionId, LinkCommand),
    /// A command about a file's bytes.
    #[cfg(feature = "files")]
    File(FileId, TransferCommand),
    /// People or applications talk: the bytes of files give way for a moment.
    #[cfg(feature = "files")]
    YieldFiles,
    /// Write this into the stored trust book.
    Trust(TrustChange),
    /// Tell the person.
    Event(Event),
}

/// Something a person (or a program that stands for one) should see.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The one line of status changed.
    Status(Status),
    /// Something about other people.
    People(PeopleEvent),
    /// Something about messages.
    Chat(ChatEvent),
    /// Something for the application.
    App(AppEvent),
    /// Something about a file.
    #[cfg(feature = "files")]
    File(super::FileEvent),
    /// Something the person wanted was not done; a sentence that says why.
    Refused(String),
}

/// The one line of status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// On the way to the broker.
    Joining,
    /// At the broker, nobody else is here yet.
    Looking,
    /// Directly connected to this many verified people; `reconnecting` of them are silent at the moment.
    Connected {
        /// Verified peers.
        people: u32,
        /// Those among them that are silent.
        reconnecting: u32,
    },
    /// No broker answers. Existing connections stay.
    Unreachable {
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

/// What was counted since joining, for the diagnostics panel. No contents, no addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    /// Envelopes published.
    pub published: u64,
    /// Payload bytes published.
    pub published_bytes: u64,
    /// Envelopes received that were for us and sound.
    pub received: u64,
    /// What was dropped, by reason, in words.
    pub dropped: Vec<(&'static str, u64)>,
    /// Bodies of kinds that this version does not know, which were skipped.
    pub skipped: u64,
    /// Signatures checked.
    pub signatures_checked: u64,
    /// Peer connections opened since joining.
    pub connections_opened: u64,
}
