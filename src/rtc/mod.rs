//! One peer connection: what is ordered from it and what it tells, descriptions in compact form, and the
//! adapter to the browser's `RTCPeerConnection`.
//!
//! The first order that names a new [`ConnectionId`] opens a connection: [`LinkCommand::Offer`] on the side that
//! begins, [`LinkCommand::Answer`] on the other.

pub mod candidate;
pub mod description;
#[cfg(feature = "files")]
pub mod file_channel;
pub mod gathering;
pub mod negotiation;
mod sdp;
#[cfg(target_arch = "wasm32")]
pub mod web;

pub use candidate::Candidate;
pub use description::{Description, DescriptionError, SdpType};
pub use negotiation::Negotiation;

/// Names one peer connection of this tab; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

/// What a connection should do. Orders to one connection are carried out in order, each after the one before.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkCommand {
    /// Make an offer (`restart`: with fresh ICE credentials, an ICE restart) and tell it with [`LinkEvent::Described`].
    /// On a connection that is open already this renegotiates.
    Offer {
        /// Whether to restart ICE.
        restart: bool,
    },
    /// Take this offer and tell the answer with [`LinkEvent::Described`]. An own offer that is still open is
    /// rolled back first.
    Answer(Description),
    /// Take this answer to the own offer.
    Accept(Description),
    /// Take these candidates of the other side. Those that come before its description are kept until then.
    AddCandidates(Vec<Candidate>),
    /// Send a text frame on channel 0.
    Send(String),
    /// Send a binary message on channel 0, in its order among the text frames.
    SendBytes(Vec<u8>),
    /// Close the connection and free everything. Nothing is told of it afterwards.
    Close,
}

/// What a connection tells.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkEvent {
    /// The local offer or answer, with the candidates that were found at once.
    Described(Description),
    /// Candidates that were found later, several at a time.
    Candidates(Vec<Candidate>),
    /// Channel 0 is open.
    Opened,
    /// A text frame came on channel 0.
    Text(String),
    /// A binary message came on channel 0, in its order among the text frames.
    Bytes(Vec<u8>),
    /// The path between the two browsers changed.
    Path(Path),
    /// Media was added or removed: the connection wants a new offer.
    NegotiationNeeded,
    /// The other side closed the connection: its page went away, or it gives this path up.
    Closed,
    /// An order could not be carried out, or the connection broke for good. A sentence without addresses.
    Failed(String),
}

/// The state of the path between two browsers (`RTCPeerConnection.connectionState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Data flows.
    Connected,
    /// Nothing has been heard for some seconds; it may come back.
    Disconnected,
    /// The path is lost; only an ICE restart or a new connection helps.
    Lost,
}
