//! One peer connection: the commands it is given and the events it reports, session descriptions, and the adapter to
//! the browser's `RTCPeerConnection`.
//!
//! The first command that names a new [`ConnectionId`] opens a connection: [`LinkCommand::Offer`] on the side that
//! begins, [`LinkCommand::Answer`] on the other, after [`LinkCommand::GatherAnew`] where the network may have changed.
//!
//! There are two kinds of descriptions. A [`DataDescription`] opens a connection that carries nothing but data
//! channels; it is all that may come from somebody who has proven nothing. A [`SessionDescription`] renegotiates an
//! open connection and may add audio and video; it has to become a [`CheckedDescription`] first.

pub mod candidate;
pub mod description;
#[cfg(feature = "files")]
pub mod file_channel;
pub mod gathering;
pub mod negotiation;
pub mod queue;
mod sdp;
pub mod session;
#[cfg(target_arch = "wasm32")]
pub mod web;

pub use candidate::Candidate;
pub use description::DataDescription;
pub use negotiation::{Negotiation, Renegotiation};
pub use queue::{CommandQueue, Limit};
pub use sdp::{DescriptionError, SdpType};
pub use session::{CheckedDescription, SessionDescription, SessionLimits};

/// Identifies one peer connection of this tab; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

/// Commands to a connection. They are carried out in order, each after the previous one has ended. A [`CommandQueue`]
/// limits how many may wait.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkCommand {
    /// Open the connection with addresses that are looked for from now on. Those that were found in advance may be of
    /// another network. It can only be the first command.
    GatherAnew,
    /// Create the first offer, and report it with [`LinkEvent::Described`].
    Offer,
    /// Accept the other side's first offer, and report the answer with [`LinkEvent::Described`].
    Answer(DataDescription),
    /// Accept the other side's answer to the first offer.
    Accept(DataDescription),
    /// Renegotiate. The connection must have been open.
    Renegotiate(Renegotiation),
    /// Add these candidates of the other side. Candidates that arrive before its description are kept until then.
    AddCandidates(Vec<Candidate>),
    /// Send a text frame on channel 0.
    Send(String),
    /// Send a binary message on channel 0, in its order among the text frames.
    SendBytes(Vec<u8>),
    /// Close the connection and free everything. Nothing is reported afterwards.
    Close,
}

/// Events of a connection.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkEvent {
    /// The first offer or answer of this side, with the candidates that were found at once.
    Described(DataDescription),
    /// An offer or answer of this side for a renegotiation.
    Renegotiating(SessionDescription),
    /// Candidates of this side that were found later, several at a time.
    Candidates(Vec<Candidate>),
    /// Channel 0 is open.
    Opened,
    /// A text frame arrived on channel 0.
    Text(String),
    /// A binary message arrived on channel 0, in its order among the text frames.
    Bytes(Vec<u8>),
    /// The path between the two browsers changed.
    Path(Path),
    /// Media was added or removed: the connection wants a new offer.
    NegotiationNeeded,
    /// A limit of waiting commands was exceeded. Candidates beyond [`Limit::Candidates`] are ignored, and the
    /// connection continues. A command beyond another limit is dropped, and the connection should be closed.
    Exceeded(Limit),
    /// The other side closed the connection, because its page was closed or it gave up this connection.
    Closed,
    /// A command could not be carried out, or the connection is broken for good. The sentence contains no addresses.
    Failed(String),
}

/// The state of the path between two browsers (`RTCPeerConnection.connectionState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Data flows.
    Connected,
    /// Nothing has been received for some seconds. The path may recover.
    Disconnected,
    /// The path is lost; only an ICE restart or a new connection helps.
    Lost,
}
