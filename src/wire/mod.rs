//! The wire formats: sealed envelopes on brokers, frames on the data channel, and the keys of a room.

pub mod attachment;
pub mod bytes;
pub mod chunks;
pub mod connect;
pub mod entry;
pub mod envelope;
pub mod extension;
pub mod frame;
pub mod pair;
pub mod presence;
pub mod room_keys;
pub mod seen;
pub mod statement;
#[cfg(test)]
mod test_support;
pub mod transcript;
pub mod value;

pub use attachment::{Attachment, FileHash, FileKey};
pub use chunks::{Arrived, Chunk, ChunkReassembler, OutboundMessage};
pub use connect::{Connect, ConnectId, LeaveSecret, Nonce};
pub use envelope::{Attempt, Body, BodyKind, Envelope, EnvelopeError, Knock, NonceSource};
pub use frame::{
    Ack, AttachmentFrame, ChatFrame, EntryFrame, FileFrame, Frame, FrameError, LinkFrame, Part,
    PartReassembler, PeopleFrame, QuestionFrame, StreamIds,
};
pub use pair::Introduction;
pub use room_keys::{DerivedTopic, RoomId, RoomKeys, RoomKeysError, RoomSource};
pub use value::{Purpose, Value};
