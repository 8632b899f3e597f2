//! Records, and the form in which a database keeps them.
//!
//! ```text
//! key           = room id 32 ‖ conversation 16 ‖ clock 8, big-endian ‖ id 32
//! record        = author 33 ‖ bytes
//! head          = author 33 ‖ number of bytes 4, big-endian
//! key of a state value = room id 32 ‖ name
//! ```
//!
//! Databases compare binary keys byte by byte. So a room is a range of keys, a conversation is a range within it, and
//! the records of a conversation lie in their order.

use crate::identity::PublicKey;
use crate::wire::RoomId;
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
    /// Returns the key in the database.
    pub fn to_bytes(&self, room: &RoomId) -> Vec<u8> {
        [
            &conversation_prefix(room, &self.conversation)[..],
            &self.position.to_bytes(),
        ]
        .concat()
    }

    /// Reads what [`Key::to_bytes`] returned. `None` if it is anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<(RoomId, Key)> {
        let (room, rest) = bytes.split_first_chunk()?;
        let (conversation, rest) = rest.split_first_chunk()?;
        let position = Position::from_bytes(rest)?;
        let conversation = ConversationId(*conversation);
        let key = Key {
            conversation,
            position,
        };
        Some((RoomId(*room), key))
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

impl Head {
    /// Returns the head as the database keeps it under the record's key.
    pub fn to_value(&self) -> Vec<u8> {
        [&self.author.0[..], &self.size.to_be_bytes()].concat()
    }

    /// Reads what [`Head::to_value`] returned. `None` if it is damaged.
    pub fn from_value(key: Key, value: &[u8]) -> Option<Head> {
        let (author, size) = value.split_first_chunk()?;
        Some(Head {
            key,
            author: PublicKey(*author),
            size: u32::from_be_bytes(size.try_into().ok()?),
        })
    }
}

/// Returns the prefix of the keys of all records of a conversation.
pub fn conversation_prefix(room: &RoomId, conversation: &ConversationId) -> Vec<u8> {
    [&room.0[..], &conversation.0].concat()
}

/// The key of a state value in the database.
pub fn state_key(room: &RoomId, name: &str) -> Vec<u8> {
    [&room.0, name.as_bytes()].concat()
}

/// A range of keys in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key, or what comes before it.
    pub lower: Vec<u8>,
    /// Whether the first key does not belong to the range.
    pub is_lower_open: bool,
    /// The key after the last one; `None` if the range has no end.
    pub end: Option<Vec<u8>>,
}

impl KeyRange {
    /// All keys.
    pub fn all() -> KeyRange {
        KeyRange {
            lower: Vec::new(),
            is_lower_open: false,
            end: None,
        }
    }

    /// Whether no key can lie in the range.
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.lower)
    }

    /// All keys that begin with these bytes.
    pub fn of_prefix(prefix: &[u8]) -> KeyRange {
        KeyRange {
            lower: prefix.to_vec(),
            is_lower_open: false,
            end: after_prefix(prefix),
        }
    }

    /// This key alone.
    pub fn of_key(key: Vec<u8>) -> KeyRange {
        // No key lies between one and the same with a zero appended.
        let end = [&key[..], &[0]].concat();
        KeyRange {
            lower: key,
            is_lower_open: false,
            end: Some(end),
        }
    }

    /// The part of the range that lies after this key.
    #[must_use]
    pub fn after(self, key: Vec<u8>) -> KeyRange {
        KeyRange {
            lower: key,
            is_lower_open: true,
            ..self
        }
    }

    /// The part of the range that lies before this key.
    #[must_use]
    pub fn before(self, key: Vec<u8>) -> KeyRange {
        KeyRange {
            end: Some(key),
            ..self
        }
    }
}

/// The smallest key that is greater than all keys with this prefix. `None` if all of its bytes are 255.
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let length = prefix.iter().rposition(|byte| *byte < u8::MAX)? + 1;
    let mut after = prefix.get(..length)?.to_vec();
    if let Some(last) = after.last_mut() {
        *last += 1;
    }
    Some(after)
}
