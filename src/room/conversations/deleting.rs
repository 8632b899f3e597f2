//! What was deleted here: peers still have it, and it must not come back with the next one who is met.

use super::Conversations;
use super::deleted::Deleted;
use super::log::Held;
use super::records::write_deleted;
use super::thread::Thread;
use crate::history::Key;
use crate::room::cx::Cx;
use crate::room::effect::Effect;
use crate::room::io::{ChatEvent, Conversation, Deletion, Event, MessageId, Output, StoreCommand};
use crate::wire::entry::{Clock, ConversationId, entry_name, parse_entry_name};
use crate::wire::frame::{MAX_IDS, ShortId, short};

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
        // The note of what was deleted is kept before the records go: if the page is closed in between, peers bring back nothing.
        // Deleting all of the room would delete the note, too.
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
        cx.effect(Effect::Deleted(deletion.clone()));
        cx.chat(ChatEvent::Deleted(deletion));
    }

    /// Deletes a message with all that was said about it. Returns the keys of their records, or `None` if it is not here.
    fn delete_message(&mut self, id: &MessageId, cx: &mut Cx) -> Option<Vec<Key>> {
        let name = short(&parse_entry_name(&id.0)?);
        let thread = self.threads.of_message(&name)?;
        let all = with_all_about(thread, &name, |_| true);
        for key in &all {
            self.take_out(key, cx);
        }
        self.deleted
            .add(all.iter().map(|key| short(&key.position.id)));
        Some(all)
    }

    /// Takes out what peers brought before the store had said that it was deleted. The store may say later that the person
    /// brought some of it back, so it is deleted there when all has come.
    pub(super) fn delete_returned(&mut self, cx: &mut Cx) {
        let deleted = &self.deleted;
        let mut keys: Vec<Key> = Vec::new();
        for thread in self.threads.iter() {
            let floor = deleted.floor_in(&thread.id);
            let log = &thread.log;
            let earlier = log.iter().take_while(|held| held.entry.clock <= floor);
            let single = deleted.ids.iter().filter_map(|id| log.get(id));
            for held in earlier.chain(single).filter(is_not_wanted_back) {
                let name = short(&held.entry.id());
                keys.extend(with_all_about(thread, &name, is_not_wanted_back));
            }
        }
        self.were_deleted(&keys, cx);
        self.returned.extend(keys);
    }

    /// Deletes in the store what peers brought back, now that all has come of what the person brought back.
    pub(super) fn forget_returned(&mut self, cx: &mut Cx) {
        for key in core::mem::take(&mut self.returned) {
            let thread = self.threads.get(&key.conversation);
            if thread.is_none_or(|its| !its.log.contains(&short(&key.position.id))) {
                cx.output(Output::Store(StoreCommand::Delete(key)));
            }
        }
    }

    /// Takes a record out of its conversation. Returns whether people saw it as a message.
    fn take_out(&mut self, key: &Key, cx: &mut Cx) -> bool {
        let Some(thread) = self.threads.get_mut(&key.conversation) else {
            return false;
        };
        let name = short(&key.position.id);
        let is_shown = thread.log.get(&name).is_some_and(|held| held.is_shown);
        thread.log.remove(&key.position);
        cx.effect(Effect::Detached(name));
        is_shown
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

    /// These records were deleted, by another tab or earlier.
    pub(super) fn were_deleted(&mut self, keys: &[Key], cx: &mut Cx) {
        for key in keys {
            if self.take_out(key, cx) {
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

/// The keys of a message and of all that was said about it, as far as it is wanted.
fn with_all_about(thread: &Thread, id: &ShortId, is_wanted: impl Fn(&&Held) -> bool) -> Vec<Key> {
    let about = thread.log.references(id).into_iter();
    let message = thread.log.get(id);
    let all = about.map(|(held, _)| held).chain(message).filter(is_wanted);
    let key = |held: &Held| Key {
        conversation: thread.id,
        position: held.entry.position(),
    };
    all.map(key).collect()
}

/// Whether the person did not bring it back from a file after it was deleted.
fn is_not_wanted_back(held: &&Held) -> bool {
    !held.origin.is_brought_back
}
