//! Frames about entries: what was said in the room's conversations. They go over the stream.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::Frame;
use super::json::{Fields, Writer};
use crate::identity::PublicKey;
use crate::wire::bytes::Reader;
use crate::wire::entry::{ConversationId, EntryId, MAX_ENTRY, Position};

/// The first 16 bytes of an entry's id: enough to name it to somebody who has it or lacks it.
pub type ShortId = [u8; 16];

/// The most ids in one frame.
pub const MAX_IDS: usize = 150;

/// The most entries in one frame.
pub const MAX_ENTRIES: usize = 150;

/// A frame about entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryFrame {
    /// Entries: one that has just been said, or those that were asked for. Each as in [`crate::wire::entry`].
    Entries {
        /// The entries, at most [`MAX_ENTRIES`].
        list: Vec<Vec<u8>>,
        /// The person whom all of them were said to or by, between two tabs of the other person.
        with: Option<PublicKey>,
    },
    /// All entries that the sender has, and may pass on, in a part of a conversation.
    Page {
        /// The conversation.
        conversation: ConversationId,
        /// The part ends before this place, or has no end.
        before: Option<Position>,
        /// The part begins with this place, or has no beginning: the sender has nothing older.
        from: Option<Position>,
        /// The ids of the entries, at most [`MAX_IDS`].
        ids: Vec<ShortId>,
        /// As in [`EntryFrame::Entries`].
        with: Option<PublicKey>,
    },
    /// A request for entries.
    Need {
        /// The conversation.
        conversation: ConversationId,
        /// Their ids, at most [`MAX_IDS`].
        ids: Vec<ShortId>,
    },
    /// A request for the page before this place.
    Older {
        /// The conversation.
        conversation: ConversationId,
        /// The place.
        before: Position,
    },
    /// The sender has these entries of the receiver.
    Have {
        /// Their ids, at most [`MAX_IDS`].
        ids: Vec<ShortId>,
    },
}

impl EntryFrame {
    pub(super) const KINDS: [&str; 5] = ["entries", "page", "need", "older", "have"];

    pub(super) fn read(kind: &str, fields: &Fields) -> Option<EntryFrame> {
        let [entries, page, need, older, _] = EntryFrame::KINDS;
        let conversation = || Some(ConversationId(bytes(fields, "in")?.try_into().ok()?));
        let ids = || {
            let bytes = bytes(fields, "ids")?;
            let (ids, rest) = bytes.as_chunks();
            (rest.is_empty() && ids.len() <= MAX_IDS).then(|| ids.to_vec())
        };
        Some(if kind == entries {
            EntryFrame::Entries {
                list: read_list(&bytes(fields, "list")?)?,
                with: key_if(fields)?,
            }
        } else if kind == page {
            EntryFrame::Page {
                conversation: conversation()?,
                before: position_if(fields, "before")?,
                from: position_if(fields, "from")?,
                ids: ids()?,
                with: key_if(fields)?,
            }
        } else if kind == need {
            EntryFrame::Need {
                conversation: conversation()?,
                ids: ids()?,
            }
        } else if kind == older {
            EntryFrame::Older {
                conversation: conversation()?,
                before: position_if(fields, "before")??,
            }
        } else {
            EntryFrame::Have { ids: ids()? }
        })
    }

    pub(super) fn write(&self) -> String {
        let [entries, page, need, older, have] = EntryFrame::KINDS;
        let text = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
        let place = |position: &Position| text(&position.to_bytes());
        let key = |key: &PublicKey| text(&key.0);
        let object = match self {
            EntryFrame::Entries { list, with } => Writer::new(entries)
                .text("list", &text(&write_list(list)))
                .text_if("with", with.as_ref().map(key).as_ref()),
            EntryFrame::Page {
                conversation,
                before,
                from,
                ids,
                with,
            } => Writer::new(page)
                .text("in", &text(&conversation.0))
                .text_if("before", before.as_ref().map(place).as_ref())
                .text_if("from", from.as_ref().map(place).as_ref())
                .text("ids", &text(ids.as_flattened()))
                .text_if("with", with.as_ref().map(key).as_ref()),
            EntryFrame::Need { conversation, ids } => Writer::new(need)
                .text("in", &text(&conversation.0))
                .text("ids", &text(ids.as_flattened())),
            EntryFrame::Older {
                conversation,
                before,
            } => Writer::new(older)
                .text("in", &text(&conversation.0))
                .text("before", &place(before)),
            EntryFrame::Have { ids } => Writer::new(have).text("ids", &text(ids.as_flattened())),
        };
        object.end()
    }
}

impl From<EntryFrame> for Frame {
    fn from(frame: EntryFrame) -> Frame {
        Frame::Entry(frame)
    }
}

/// The beginning of an id.
pub fn short(id: &EntryId) -> ShortId {
    crate::identity::framing::first_16(&id.0)
}

fn bytes(fields: &Fields, name: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(&fields.text(name)?).ok()
}

/// A place that need not be there; `None` if it is, and cannot be read.
fn position_if(fields: &Fields, name: &str) -> Option<Option<Position>> {
    if fields.json(name).is_none() {
        return Some(None);
    }
    Position::from_bytes(&bytes(fields, name)?).map(Some)
}

/// A key that need not be there; `None` if it is, and cannot be read.
fn key_if(fields: &Fields) -> Option<Option<PublicKey>> {
    if fields.json("with").is_none() {
        return Some(None);
    }
    let key = bytes(fields, "with")?.try_into().ok()?;
    Some(Some(PublicKey(key)))
}

/// Each entry with its length before it, in 4 bytes.
fn write_list(list: &[Vec<u8>]) -> Vec<u8> {
    let parts: Vec<&[u8]> = list.iter().map(Vec::as_slice).collect();
    crate::identity::framing::length_prefixed(&parts)
}

fn read_list(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut reader = Reader::new(bytes);
    let mut list = Vec::new();
    while !reader.is_empty() {
        let length = reader.u32()? as usize;
        if length > MAX_ENTRY || list.len() >= MAX_ENTRIES {
            return None;
        }
        list.push(reader.slice(length)?.to_vec());
    }
    Some(list)
}
