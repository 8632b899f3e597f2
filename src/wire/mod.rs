//! What is said: sealed envelopes on the broker, frames on the data channel, and the place where a room meets.

pub mod chunks;
pub mod envelope;
pub mod frame;
pub mod room_keys;
pub mod value;

pub use chunks::{Arrived, Chunk, ChunkReassembler, OutboundMessage};
pub use envelope::{Attempt, Body, Connect, Envelope, Introduction, Subtopic};
pub use frame::{
    Ack, CallFrame, ChatFrame, FileFrame, Frame, FrameError, LinkFrame, Part, PartReassembler,
    PeopleFrame, StreamIds,
};
pub use room_keys::{RoomKeys, RoomKeysError};
pub use value::{Purpose, Value};

/// Why an envelope was dropped before anybody looked at who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Larger than [`envelope::MAX_ENVELOPE`].
    #[error("The envelope is too large.")]
    TooLarge,
    /// Sealed with another key, or for another topic, or not sealed at all.
    #[error("The envelope does not open with this room's key.")]
    Closed,
    /// It opens, but what is inside is not of this protocol.
    #[error("The envelope's contents cannot be read.")]
    Malformed,
}
