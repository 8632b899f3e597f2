//! What was deleted here: peers still have it, and it must not come back with the next one who is met.

use litemap::LiteMap;

use super::Conversations;
use super::records::write_deleted;
use crate::history::Key;
use crate::room::cx::Cx;
use crate::room::effect::Effect;
use crate::room::io::{ChatEvent, Conversation, Deletion, Event, MessageId, Output, StoreCommand};
use crate::wire::entry::{Clock, ConversationId, Entry, entry_name, parse_entry_name};
use crate::wire::frame::{MAX_IDS, ShortId, short};

/// The most ids of deleted entries that are remembered; the oldest are forgotten first.
const MAX_DELETED: usize = 2_000;
/// The most conversations of which it is remembered that they were deleted.
const MAX_FLOORS: usize = 512;

/// What was deleted.
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
        let floor = self.floors.get(conversation).copied();
        let floor = floor.unwrap_or_default().max(self.floor);
        entry.clock <= floor || self.has_id(&short(&entry.id()))
    }

    fn add(&mut self, ids: impl Iterator<Item = ShortId>) {
        self.ids.extend(ids);
        let surplus = self.ids.len().saturating_sub(MAX_DELETED);
        self.ids.drain(..surplus);
    }

    fn raise(&mut self, conversation: ConversationId, clock: Clock) {
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

impl Conversations {
    /// Deletes something, because the person wants it.
    pub(super) fn delete(&mut self, deletion: Deletion, cx: &mut Cx) {
        let commands = match &deletion {
            Deletion::Message(id) => {
                if self.give_up(id, cx) {
                    return;
                }
                let Some(keys) = self.delete_message(id, cx) else {
                    return cx.event(Event::Refused(
                        "The message is not here any more.".to_owned(),
                    ));
                };
                keys.into_iter().map(StoreCommand::Delete).collect()
            }
            Deletion::Conversation(conversation) => {
                let id = conversation.id(&cx.own.key);
                self.clear_thread(&id, cx);
                vec![StoreCommand::DeleteConversation(id)]
            }
            Deletion::Room | Deletion::Site => {
                let ids: Vec<ConversationId> = self.threads.iter().map(|its| its.id).collect();
                for id in ids {
                    self.clear_thread(&id, cx);
                }
                self.deleted.floor = Clock(Clock::at(cx.now).0 | 0xffff);
                vec![if deletion == Deletion::Site {
                    let all = Deleted {
                        floor: self.deleted.floor,
                        ..Deleted::default()
                    };
                    StoreCommand::DeleteAll(write_deleted(&all))
                } else {
                    StoreCommand::DeleteRoom
                }]
            }
        };
        // What was deleted is noted before it goes, since the page may be closed in between, and peers would bring it back.
        // Only what deletes all of the room takes the note along.
        let takes_note = matches!(deletion, Deletion::Room | Deletion::Site);
        if !takes_note {
            self.keep_deleted(cx);
        }
        for command in commands {
            cx.output(Output::Store(command));
        }
        if takes_note {
            self.keep_deleted(cx);
        }
        cx.chat(ChatEvent::Deleted(deletion));
    }

    /// Deletes a message with all that was said about it. Returns the keys of their records, or `None` if it is not here.
    fn delete_message(&mut self, id: &MessageId, cx: &mut Cx) -> Option<Vec<Key>> {
        let name = short(&parse_entry_name(&id.0)?);
        let thread = self.threads.of_message(&name)?.id;
        let thread = self.threads.get_mut(&thread)?;
        let about = thread.log.references(&name).into_iter();
        let about = about.map(|(held, _)| held.entry.position());
        let message = thread.log.get(&name).map(|held| held.entry.position());
        let all: Vec<_> = about.chain(message).collect();
        for position in &all {
            thread.log.remove(position);
            cx.effect(Effect::Detached(short(&position.id)));
        }
        self.deleted
            .add(all.iter().map(|position| short(&position.id)));
        let conversation = thread.id;
        let key = |position| Key {
            conversation,
            position,
        };
        Some(all.into_iter().map(key).collect())
    }

    /// Forgets what was said in a conversation. Its last entries are remembered one by one, since peers will name them.
    fn clear_thread(&mut self, id: &ConversationId, cx: &mut Cx) {
        let Some(thread) = self.threads.get_mut(id) else {
            return;
        };
        let last = thread.log.iter().rev().take(MAX_IDS);
        let last: Vec<ShortId> = last.map(|held| short(&held.entry.id())).collect();
        let floor = Clock(Clock::at(cx.now).0 | 0xffff).max(thread.log.clock());
        for held in thread.log.iter() {
            cx.effect(Effect::Detached(short(&held.entry.id())));
        }
        self.deleted.add(last.into_iter());
        self.deleted.raise(*id, floor);
        thread.clear();
        self.threads.remove(id);
    }

    /// Another tab has deleted these records.
    pub(super) fn were_deleted(&mut self, keys: &[Key], cx: &mut Cx) {
        for key in keys {
            let Some(thread) = self.threads.get_mut(&key.conversation) else {
                continue;
            };
            let is_shown = thread.log.get(&short(&key.position.id));
            let is_shown = is_shown.is_some_and(|held| held.is_shown);
            thread.log.remove(&key.position);
            cx.effect(Effect::Detached(short(&key.position.id)));
            if is_shown {
                let id = MessageId(entry_name(&key.position.id));
                cx.chat(ChatEvent::Deleted(Deletion::Message(id)));
            }
        }
    }

    /// Another tab has deleted a conversation, or all of them.
    pub(super) fn were_all_deleted(&mut self, id: Option<&ConversationId>, cx: &mut Cx) {
        let these = self
            .threads
            .iter()
            .filter(|its| id.is_none_or(|id| its.id == *id));
        let these: Vec<(ConversationId, Conversation)> = these
            .map(|thread| (thread.id, thread.conversation.clone()))
            .collect();
        for (id, conversation) in these {
            self.clear_thread(&id, cx);
            cx.chat(ChatEvent::Deleted(Deletion::Conversation(conversation)));
        }
    }
}
