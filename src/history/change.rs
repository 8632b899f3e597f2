//! What tabs that use the same store tell each other: what was written, not its content.
//!
//! ```text
//! kind 1 ‖ room id 32 ‖ the rest
//! 1, 2: put, deleted               conversation 16 ‖ (clock 8, big-endian ‖ id 32)*
//! 3: conversation deleted          conversation 16
//! 4: room deleted                  nothing
//! 5: all deleted                   nothing, and the room id is missing, too
//! 6: state value                   its name
//! ```

use super::record::{ConversationId, Key, Position};
use crate::wire::RoomId;

/// Something that another tab has written or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Records were put, or put again with other bytes.
    Put {
        /// The room.
        room: RoomId,
        /// The conversation.
        conversation: ConversationId,
        /// The positions of the records.
        positions: Vec<Position>,
    },
    /// Records were deleted.
    Deleted {
        /// The room.
        room: RoomId,
        /// The conversation.
        conversation: ConversationId,
        /// The positions of the records.
        positions: Vec<Position>,
    },
    /// A conversation was deleted.
    ConversationDeleted {
        /// The room.
        room: RoomId,
        /// The conversation.
        conversation: ConversationId,
    },
    /// All records and state values of a room were deleted.
    RoomDeleted {
        /// The room.
        room: RoomId,
    },
    /// Everything was deleted.
    AllDeleted,
    /// A state value was put or deleted.
    State {
        /// The room.
        room: RoomId,
        /// The name of the value.
        name: String,
    },
}

impl Change {
    /// Returns the change as it is sent to other tabs.
    pub fn to_bytes(&self) -> Vec<u8> {
        let message = |kind: u8, room: &RoomId, parts: &[&[u8]]| {
            [&[kind][..], &room.0, &parts.concat()].concat()
        };
        match self {
            Change::Put {
                room,
                conversation,
                positions,
            } => message(1, room, &[&conversation.0, &written(positions)]),
            Change::Deleted {
                room,
                conversation,
                positions,
            } => message(2, room, &[&conversation.0, &written(positions)]),
            Change::ConversationDeleted { room, conversation } => {
                message(3, room, &[&conversation.0])
            }
            Change::RoomDeleted { room } => message(4, room, &[]),
            Change::AllDeleted => vec![5],
            Change::State { room, name } => message(6, room, &[name.as_bytes()]),
        }
    }

    /// Reads what [`Change::to_bytes`] returned. `None` if it is anything else: all pages of the origin can send to the
    /// same channel.
    pub fn from_bytes(bytes: &[u8]) -> Option<Change> {
        if bytes == [5] {
            return Some(Change::AllDeleted);
        }
        let (kind, rest) = bytes.split_first()?;
        let (room, rest) = rest.split_first_chunk()?;
        let room = RoomId(*room);
        match kind {
            1 | 2 => {
                let (conversation, rest) = rest.split_first_chunk()?;
                let conversation = ConversationId(*conversation);
                let positions = read(rest)?;
                Some(if *kind == 1 {
                    Change::Put {
                        room,
                        conversation,
                        positions,
                    }
                } else {
                    Change::Deleted {
                        room,
                        conversation,
                        positions,
                    }
                })
            }
            3 => Some(Change::ConversationDeleted {
                room,
                conversation: ConversationId(rest.try_into().ok()?),
            }),
            4 if rest.is_empty() => Some(Change::RoomDeleted { room }),
            6 => Some(Change::State {
                room,
                name: core::str::from_utf8(rest).ok()?.to_owned(),
            }),
            _ => None,
        }
    }
}

/// The changes, one for each conversation, that concern these keys.
pub fn by_conversation(
    keys: &[Key],
    change: impl Fn(ConversationId, Vec<Position>) -> Change,
) -> Vec<Change> {
    let mut groups: Vec<(ConversationId, Vec<Position>)> = Vec::new();
    for key in keys {
        match groups.iter_mut().find(|group| group.0 == key.conversation) {
            Some((_, positions)) => positions.push(key.position),
            None => groups.push((key.conversation, vec![key.position])),
        }
    }
    let groups = groups.into_iter();
    groups
        .map(|(conversation, positions)| change(conversation, positions))
        .collect()
}

fn written(positions: &[Position]) -> Vec<u8> {
    positions.iter().flat_map(Position::to_bytes).collect()
}

fn read(bytes: &[u8]) -> Option<Vec<Position>> {
    bytes.chunks(40).map(Position::from_bytes).collect()
}
