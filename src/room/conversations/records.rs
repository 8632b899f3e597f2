//! Entries and small values as a store keeps them.
//!
//! ```text
//! record  = 01 ‖ content, or 02 ‖ origin (1) ‖ content
//! content = arrived (8) ‖ with (33, or zeros) ‖ recipients (1) ‖ (key (33) ‖ 01 if delivered)* ‖ entry
//! read    = (conversation (16) ‖ clock (8) ‖ id (32))*
//! deleted = clock (8) ‖ number of ids (4) ‖ id (16)* ‖ (conversation (16) ‖ clock (8))*
//! ```
//!
//! `with` is the other person of a direct conversation. A message of ours that was said to an empty room has no
//! recipients, and waits for the first who comes; `ff` in the place of their number stands for a message whose deliveries
//! are not counted. `origin` is 1 for what was imported and cannot be proven, 2 for what was deleted and brought back, and 3
//! for both. What a store gives back is read with the same care as what peers send, but signatures are not checked
//! again: whoever can write there can do all that this page can do.

use litemap::LiteMap;

use super::deleted::Deleted;
use super::log::{Held, Origin};
use crate::history::Record;
use crate::identity::PublicKey;
use crate::room::io::Order;
use crate::time::Millis;
use crate::wire::RoomId;
use crate::wire::bytes::Reader;
use crate::wire::entry::{Clock, ConversationId, Entry};

/// The name of the value that says what was read.
pub const READ: &str = "read";
/// The name of the value that says what was deleted.
pub const DELETED: &str = "deleted";

const FORMAT: u8 = 1;
/// The format of what came from a file. Earlier versions skip it: they would pass on what cannot be proven.
const WITH_ORIGIN: u8 = 2;
const UNPROVEN: u8 = 1;
const BROUGHT_BACK: u8 = 2;
const NOT_COUNTED: u8 = 0xff;

/// What a record holds.
#[derive(Debug)]
pub(super) struct Restored {
    pub entry: Entry,
    pub arrived: Millis,
    pub with: Option<PublicKey>,
    /// Whom it is meant for, and which of them have it, if that is counted.
    pub recipients: Option<Vec<(PublicKey, bool)>>,
    pub origin: Origin,
}

/// Makes the record of an entry of this conversation.
pub(super) fn record(
    held: &Held,
    conversation: ConversationId,
    with: Option<&PublicKey>,
    recipients: Option<&[(PublicKey, bool)]>,
) -> Record {
    let entry = &held.entry;
    let mut bytes = Vec::with_capacity(entry.size() + 48);
    if held.origin == Origin::default() {
        bytes.push(FORMAT);
    } else {
        let unproven = u8::from(held.origin.is_unproven) * UNPROVEN;
        let brought_back = u8::from(held.origin.is_brought_back) * BROUGHT_BACK;
        bytes.extend_from_slice(&[WITH_ORIGIN, unproven | brought_back]);
    }
    bytes.extend_from_slice(&held.arrived.0.to_be_bytes());
    bytes.extend_from_slice(&with.map_or([0; 33], |key| key.0));
    // More people than fit into a byte are not told apart after a reload.
    let counted = recipients.filter(|all| all.len() < NOT_COUNTED.into());
    bytes.push(counted.map_or(NOT_COUNTED, |all| {
        u8::try_from(all.len()).unwrap_or(NOT_COUNTED)
    }));
    for (key, delivered) in counted.unwrap_or_default() {
        bytes.extend_from_slice(&key.0);
        bytes.push(u8::from(*delivered));
    }
    entry.write(&mut bytes);
    Record {
        conversation,
        position: entry.position(),
        author: entry.author,
        bytes,
    }
}

/// Reads a record of this room; `None` if it is damaged.
pub(super) fn read_record(record: &Record, room: &RoomId) -> Option<Restored> {
    let mut reader = Reader::new(&record.bytes);
    let origin = match reader.u8()? {
        FORMAT => 0,
        WITH_ORIGIN => reader.u8()?,
        _ => return None,
    };
    let origin = Origin {
        is_unproven: origin & UNPROVEN != 0,
        is_brought_back: origin & BROUGHT_BACK != 0,
    };
    let arrived = Millis(reader.u64()?);
    let with = PublicKey(reader.array()?);
    let count = reader.u8()?;
    let recipients = match count {
        NOT_COUNTED => None,
        count => {
            let mut all = Vec::new();
            for _ in 0..count {
                all.push((PublicKey(reader.array()?), reader.u8()? == 1));
            }
            Some(all)
        }
    };
    let entry = Entry::parse(reader.rest(), room).ok()?;
    // What was said to somebody under another key is imported into the conversation that they have now.
    let is_there = entry.conversation == record.conversation || origin.is_unproven;
    is_there.then_some(Restored {
        entry,
        arrived,
        with: (with.0 != [0; 33]).then_some(with),
        recipients,
        origin,
    })
}

/// Writes up to where each conversation was read.
pub(super) fn write_read(read: &LiteMap<ConversationId, Order>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (conversation, order) in read.iter() {
        bytes.extend_from_slice(&conversation.0);
        bytes.extend_from_slice(&order.0.to_be_bytes());
        bytes.extend_from_slice(&order.1);
    }
    bytes
}

/// Reads what [`write_read`] wrote, as far as it can be read.
pub(super) fn read_read(bytes: &[u8]) -> Vec<(ConversationId, Order)> {
    let mut reader = Reader::new(bytes);
    let mut next = || {
        let conversation = ConversationId(reader.array()?);
        Some((conversation, Order(reader.u64()?, reader.array()?)))
    };
    core::iter::from_fn(&mut next).collect()
}

/// Writes what was deleted.
pub(super) fn write_deleted(deleted: &Deleted) -> Vec<u8> {
    let mut bytes = deleted.floor.0.to_be_bytes().to_vec();
    let count = u32::try_from(deleted.ids.len()).unwrap_or_default();
    bytes.extend_from_slice(&count.to_be_bytes());
    deleted
        .ids
        .iter()
        .for_each(|id| bytes.extend_from_slice(id));
    for (conversation, clock) in deleted.floors.iter() {
        bytes.extend_from_slice(&conversation.0);
        bytes.extend_from_slice(&clock.0.to_be_bytes());
    }
    bytes
}

/// Reads what [`write_deleted`] wrote, as far as it can be read.
pub(super) fn read_deleted(bytes: &[u8]) -> Deleted {
    let mut reader = Reader::new(bytes);
    let mut deleted = Deleted::default();
    let mut read = || {
        deleted.floor = Clock(reader.u64()?);
        for _ in 0..reader.u32()? {
            deleted.ids.push(reader.array()?);
        }
        while !reader.is_empty() {
            let conversation = ConversationId(reader.array()?);
            deleted.floors.insert(conversation, Clock(reader.u64()?));
        }
        Some(())
    };
    // What comes before the damage counts.
    let _ = read();
    deleted
}
