//! What a driver keeps of what was said, so that it is there the next time. The room knows nothing of where.

use crate::history::{Key, Record};
use crate::wire::entry::ConversationId;

/// A command to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreCommand {
    /// Keep a record, in the place of one with the same key.
    Put(Record),
    /// Keep a record, unless there is one with the same key: another tab may know more of it.
    Add(Record),
    /// Delete the record with this key.
    Delete(Key),
    /// Delete a conversation.
    DeleteConversation(ConversationId),
    /// Delete everything of the room, its small values as well.
    DeleteRoom,
    /// Delete everything of all rooms, and keep this for all of them: the value that says what was deleted.
    DeleteAll(Vec<u8>),
    /// Keep a small value under this name.
    PutState(&'static str, Vec<u8>),
}

/// An event of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreEvent {
    /// Records that were kept before, or that another tab has just kept: those of one conversation, in any order. The first
    /// of a conversation are its newest.
    Records(Vec<Record>),
    /// A value that was kept before, or that another tab has just kept.
    State(&'static str, Vec<u8>),
    /// Everything that was kept before has come.
    Restored,
    /// The store is another one now. It has what was moved to it, and nothing else that the room has.
    Replaced,
    /// Another tab has deleted these records.
    Deleted(Vec<Key>),
    /// Another tab has deleted a conversation.
    ConversationDeleted(ConversationId),
    /// Another tab has deleted everything that was said in this room.
    RoomDeleted,
}
