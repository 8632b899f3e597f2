//! What the store keeps and gives back, as the parent module's machine decides it.

use litemap::LiteMap;

use super::Conversations;
use super::deleted::Deleted;
use super::log::{Change, Inserted};
use super::message;
use super::records::{
    DELETED, READ, read_deleted, read_read, read_record, record, write_deleted, write_read,
};
use crate::history::Record;
use crate::room::cx::Cx;
use crate::room::io::{ChatEvent, Conversation, Order, Output, StoreCommand, StoreEvent};
use crate::room::members::Members;
use crate::wire::entry::{ConversationId, EntryId, Position};
use crate::wire::frame::{ShortId, short};

/// The most conversations of which it is remembered up to where they were read, also if nothing of them is here.
const MAX_READ: usize = 512;

impl Conversations {
    /// Handles an event of the store.
    pub fn on_store(&mut self, event: StoreEvent, members: &Members, cx: &mut Cx) {
        match event {
            StoreEvent::Records(records) => self.on_records(&records, members, cx),
            StoreEvent::State(READ, bytes) => self.on_read(&bytes, cx),
            StoreEvent::State(DELETED, bytes) => self.on_deleted(read_deleted(&bytes), cx),
            StoreEvent::State(..) => {}
            StoreEvent::Restored => {
                self.is_restored = true;
                self.forget_returned(cx);
                // Whoever came before that was told of less than we have.
                for peer in members.all_proven() {
                    self.send_pages(peer, members, cx);
                }
                self.make_room(members, cx);
            }
            StoreEvent::Replaced => self.keep_all(cx),
            StoreEvent::Deleted(keys) => self.were_deleted(&keys, cx),
            StoreEvent::ConversationDeleted(id) => self.were_all_deleted(Some(&id), cx),
            StoreEvent::RoomDeleted => self.were_all_deleted(None, cx),
        }
    }

    /// Another tab has deleted more, or this one at another time. The value that was kept loses nothing of what we know.
    fn on_deleted(&mut self, deleted: Deleted, cx: &mut Cx) {
        let is_more = self.deleted.has_more_than(&deleted);
        self.deleted.merge(deleted);
        if is_more {
            self.keep_deleted(cx);
        }
        // Peers may have been faster than the store. Later, other tabs name what goes.
        if !self.is_restored {
            self.delete_returned(cx);
        }
    }

    /// Handles records of one conversation.
    fn on_records(&mut self, records: &[Record], members: &Members, cx: &mut Cx) {
        let mut changed: Vec<EntryId> = Vec::new();
        let mut deliveries = Vec::new();
        let mut oldest: Option<(ConversationId, Position)> = None;
        for record in records {
            let Some(restored) = read_record(record, &cx.own.room) else {
                continue;
            };
            let (entry, id) = (restored.entry, record.conversation);
            if let Some(other) = restored.with
                && ConversationId::direct(&cx.own.key, &other) == id
            {
                self.threads.direct(other, cx);
            }
            let Some(thread) = self.threads.get_mut(&id) else {
                continue;
            };
            let is_deleted = self.deleted.has_in(&id, &entry);
            if is_deleted && !restored.origin.is_brought_back {
                continue;
            }
            let (entry_id, position) = (entry.id(), entry.position());
            let is_unproven = restored.origin.is_unproven;
            if is_unproven && (thread.other().is_none() || thread.log.contains(&short(&entry_id))) {
                continue;
            }
            self.catching_up.has_come(&short(&entry_id));
            deliveries.extend(restored.recipients.map(|recipients| (entry_id, recipients)));
            let Some(Inserted { change, others }) =
                thread.log.insert(entry, restored.arrived, true)
            else {
                continue;
            };
            thread.log.set_origin(&short(&entry_id), restored.origin);
            if oldest.is_none_or(|(_, oldest)| position < oldest) {
                oldest = Some((id, position));
            }
            changed.extend(others);
            if let Change::Said(id) | Change::Changed(id) = change {
                changed.push(id);
            }
        }
        self.catching_up.ask_for_pages(self.checking.len(), cx);
        if let Some((id, oldest)) = oldest
            && let Some(thread) = self.threads.get_mut(&id)
        {
            if !self.is_restored {
                thread.restored(oldest);
            }
            if let Some(order) = self.read.get(&id) {
                cx.chat(ChatEvent::Read(thread.conversation.clone(), *order));
            }
            // One event for each message, however much was said about it.
            let mut shown: LiteMap<EntryId, ()> = LiteMap::new();
            for id in changed {
                if shown.insert(id, ()).is_none() {
                    thread.show(&id, members, cx);
                    if message::is_retracted(&thread.log, &id) {
                        thread.log.take_back(&short(&id));
                    }
                }
            }
        }
        for (id, recipients) in deliveries {
            self.own.restore(id, &recipients, cx);
        }
    }

    /// Keeps an entry as it is now.
    pub(super) fn keep(&self, conversation: &ConversationId, id: &ShortId, cx: &mut Cx) {
        self.keep_as(conversation, id, false, cx);
    }

    /// Keeps an entry as it is now, perhaps in the place of what was kept of it before.
    pub(super) fn keep_as(
        &self,
        conversation: &ConversationId,
        id: &ShortId,
        replaces: bool,
        cx: &mut Cx,
    ) {
        let Some(thread) = self.threads.get(conversation) else {
            return;
        };
        let Some(held) = thread.log.get(id) else {
            return;
        };
        let recipients = self.own.recipients(id);
        let record = record(held, thread.id, thread.other(), recipients.as_deref());
        // What is not ours to count is known better by another tab, if there is one.
        cx.output(Output::Store(
            if replaces || recipients.is_some() || !held.entry.has_body() {
                StoreCommand::Put(record)
            } else {
                StoreCommand::Add(record)
            },
        ));
    }

    /// Keeps everything that is here.
    fn keep_all(&self, cx: &mut Cx) {
        for thread in self.threads.iter() {
            for held in thread.log.iter() {
                self.keep(&thread.id, &short(&held.entry.id()), cx);
            }
        }
        self.keep_read(cx);
        self.keep_deleted(cx);
    }

    fn keep_read(&self, cx: &mut Cx) {
        let state = write_read(&self.read);
        cx.output(Output::Store(StoreCommand::PutState(READ, state)));
    }

    pub(super) fn keep_deleted(&self, cx: &mut Cx) {
        let state = write_deleted(&self.deleted);
        cx.output(Output::Store(StoreCommand::PutState(DELETED, state)));
    }

    /// Keeps the messages whose deliveries have changed.
    pub fn keep_changed(&mut self, cx: &mut Cx) {
        for id in self.own.take_changed() {
            let thread = self.threads.of_message(&id);
            if let Some(conversation) = thread.map(|thread| thread.id) {
                self.keep(&conversation, &id, cx);
            }
        }
    }

    /// The person has read a conversation up to here.
    pub(super) fn mark_read(&mut self, conversation: &Conversation, order: Order, cx: &mut Cx) {
        let id = conversation.id(&cx.own.key);
        if self.threads.get(&id).is_none() || self.read.get(&id).is_some_and(|read| *read >= order)
        {
            return;
        }
        self.read.insert(id, order);
        if self.read.len() > MAX_READ {
            let threads = &self.threads;
            self.read.retain(|id, _| threads.get(id).is_some());
        }
        self.keep_read(cx);
        cx.chat(ChatEvent::Read(conversation.clone(), order));
    }

    /// Another tab has read more, or this one at another time. The value that was kept loses nothing of what we know.
    fn on_read(&mut self, bytes: &[u8], cx: &mut Cx) {
        let theirs: LiteMap<ConversationId, Order> = read_read(bytes).into_iter().collect();
        let is_behind =
            |(id, order): (&ConversationId, &Order)| theirs.get(id).is_none_or(|read| read < order);
        let is_more = self.read.iter().any(is_behind);
        for (id, order) in theirs {
            if self.read.get(&id).is_none_or(|read| *read < order) {
                self.read.insert(id, order);
                if let Some(thread) = self.threads.get(&id) {
                    cx.chat(ChatEvent::Read(thread.conversation.clone(), order));
                }
            }
        }
        if is_more {
            self.keep_read(cx);
        }
    }
}
