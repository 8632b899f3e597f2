//! Records, and the form in which a database keeps them.
//!
//! ```text
//! key           = conversation 16 ‖ clock 8, big-endian ‖ id 32
//! record        = author 33 ‖ bytes
//! ```
//!
//! In the database, the room's id stands before the key. Databases compare binary keys byte by byte. So a room is a range
//! of keys, a conversation is a range within it, and the records of a conversation lie in their order.

use crate::identity::PublicKey;
pub use crate::wire::entry::{ConversationId, Position};

/// Identifies a record in its room. Keys are ordered by conversation, then by position, as in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The conversation.
    pub conversation: ConversationId,
    /// The place in it.
    pub position: Position,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The conversation that it belongs to.
    pub conversation: ConversationId,
    /// Its place in that conversation.
    pub position: Position,
    /// The key of whoever said it.
    pub author: PublicKey,
    /// The content, in a form that this module does not know.
    pub bytes: Vec<u8>,
}

/// A record without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The record's key.
    pub key: Key,
    /// The key of whoever said it.
    pub author: PublicKey,
    /// The number of bytes.
    pub size: u32,
}

impl Key {
    /// Returns the key as it stands in the database, behind that of the room.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.conversation.0[..], &self.position.to_bytes()].concat()
    }

    /// Reads what [`Key::to_bytes`] returned. `None` if it is anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Key> {
        let (conversation, rest) = bytes.split_first_chunk()?;
        Some(Key {
            conversation: ConversationId(*conversation),
            position: Position::from_bytes(rest)?,
        })
    }
}

impl Record {
    /// The record's key.
    pub fn key(&self) -> Key {
        Key {
            conversation: self.conversation,
            position: self.position,
        }
    }

    /// The record without its bytes.
    pub fn head(&self) -> Head {
        Head {
            key: self.key(),
            author: self.author,
            // Nothing that large fits into the memory of a page.
            size: u32::try_from(self.bytes.len()).unwrap_or(u32::MAX),
        }
    }

    /// Returns the record as the database keeps it under its key.
    pub fn to_value(&self) -> Vec<u8> {
        [&self.author.0[..], &self.bytes].concat()
    }

    /// Reads what [`Record::to_value`] returned. `None` if it is damaged.
    pub fn from_value(key: Key, value: &[u8]) -> Option<Record> {
        let (author, bytes) = value.split_first_chunk()?;
        Some(Record {
            conversation: key.conversation,
            position: key.position,
            author: PublicKey(*author),
            bytes: bytes.to_vec(),
        })
    }
}
