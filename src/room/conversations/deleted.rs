//! What is remembered of what was deleted here.

use litemap::LiteMap;

use crate::wire::entry::{Clock, ConversationId, Entry};
use crate::wire::frame::{ShortId, short};

/// The most ids of deleted entries that are remembered; the oldest are forgotten first.
const MAX_DELETED: usize = 2_000;
/// The most conversations of which it is remembered that they were deleted.
const MAX_FLOORS: usize = 512;

/// The record of what was deleted.
#[derive(Debug, Default)]
pub(super) struct Deleted {
    /// Nothing that was said up to here is taken again.
    pub floor: Clock,
    /// The same, by conversation.
    pub floors: LiteMap<ConversationId, Clock>,
    /// Single entries.
    pub ids: Vec<ShortId>,
}

impl Deleted {
    /// Whether this id is one of a deleted entry.
    pub fn has_id(&self, id: &ShortId) -> bool {
        self.ids.contains(id)
    }

    /// Whether this entry was deleted.
    pub fn has(&self, entry: &Entry) -> bool {
        self.has_in(&entry.conversation, entry)
    }

    /// Whether this entry was deleted from this conversation.
    pub fn has_in(&self, conversation: &ConversationId, entry: &Entry) -> bool {
        entry.clock <= self.floor_in(conversation) || self.has_id(&short(&entry.id()))
    }

    /// Up to where nothing of this conversation is taken again.
    pub fn floor_in(&self, conversation: &ConversationId) -> Clock {
        let floor = self.floors.get(conversation).copied();
        floor.unwrap_or_default().max(self.floor)
    }

    /// Adds entries; the oldest of too many are forgotten.
    pub fn add(&mut self, ids: impl Iterator<Item = ShortId>) {
        self.ids.extend(ids);
        let surplus = self.ids.len().saturating_sub(MAX_DELETED);
        self.ids.drain(..surplus);
    }

    /// Nothing that was said in this conversation up to here is taken again.
    pub fn raise(&mut self, conversation: ConversationId, clock: Clock) {
        self.floors.insert(conversation, clock);
        // Whoever has deleted that many has mostly heard nothing of the first for long.
        let lowest = self.floors.iter().min_by_key(|(_, clock)| **clock);
        let lowest = lowest.map(|(conversation, _)| *conversation);
        if let Some(lowest) = lowest.filter(|_| self.floors.len() > MAX_FLOORS) {
            self.floors.remove(&lowest);
        }
    }

    /// Whether something was deleted that `other` does not know of. Ids that are too many are forgotten, so a full list of
    /// them says nothing.
    pub fn has_more_than(&self, other: &Deleted) -> bool {
        let is_later = |(conversation, clock): (&ConversationId, &Clock)| {
            other
                .floors
                .get(conversation)
                .is_none_or(|floor| floor < clock)
        };
        self.floor > other.floor
            || self.floors.iter().any(is_later)
            || (other.ids.len() < MAX_DELETED && self.ids.iter().any(|id| !other.has_id(id)))
    }

    /// Adds what another tab has deleted.
    pub fn merge(&mut self, other: Deleted) {
        self.floor = self.floor.max(other.floor);
        for (conversation, clock) in other.floors {
            let known = self.floors.get(&conversation).copied();
            self.raise(conversation, clock.max(known.unwrap_or_default()));
        }
        let new = other.ids.into_iter().filter(|id| !self.ids.contains(id));
        let new: Vec<ShortId> = new.collect();
        self.add(new.into_iter());
    }
}
