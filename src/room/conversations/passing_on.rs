//! Passing entries on: what peers send, ask for and get, as the parent module's machine decides it.

use litemap::LiteMap;

use super::catching_up::{Known, Page, reply, send};
use super::checking::Unchecked;
use super::thread::Thread;
use super::{Conversations, is_sound};
use crate::identity::{PeerId, PublicKey};
use crate::room::channel::yield_files;
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::links::Links;
use crate::room::members::Members;
use crate::wire::entry::{Content, ConversationId, Entry, Position};
use crate::wire::frame::{EntryFrame, ShortId, short};

/// The most bytes of entries in one frame.
const MAX_BATCH: usize = 48 * 1024;

impl Conversations {
    /// Handles a frame about entries.
    pub fn on_entry_frame(
        &mut self,
        peer: PeerId,
        frame: EntryFrame,
        members: &Members,
        cx: &mut Cx,
    ) {
        let Some(key) = members.connect(&peer).map(|connect| connect.identity) else {
            return;
        };
        // Entries are charged one by one, unless they were asked for. That one has come is an answer to what we sent.
        let is_free = matches!(frame, EntryFrame::Entries { .. } | EntryFrame::Have { .. });
        if !is_free && !self.catching_up.take_frame(peer, cx) {
            return;
        }
        match frame {
            EntryFrame::Entries { list, with } => {
                self.begin_direct(&key, with, None, members, cx);
                self.on_entries(peer, key, &list, members, cx);
            }
            EntryFrame::Have { ids } => {
                for id in &ids {
                    self.own.delivered(id, &key, cx);
                }
            }
            EntryFrame::Page {
                conversation,
                before,
                from,
                ids,
                with,
            } => {
                for id in &ids {
                    self.own.delivered(id, &key, cx);
                }
                self.begin_direct(&key, with, Some(conversation), members, cx);
                let Some(thread) = self.threads.get(&conversation) else {
                    return;
                };
                let log = &thread.log;
                let deleted = &self.deleted;
                let known = Known { log, deleted };
                let page = Page {
                    conversation,
                    is_older: before.is_some(),
                    from,
                    ids: &ids,
                };
                self.catching_up.on_page(peer, &page, known, cx);
                if thread.other().is_some() {
                    // Their page has their own words alone, so ours is no receipt for them.
                    let theirs = |id: &&ShortId| {
                        let held = log.proven(id);
                        held.is_some_and(|held| held.entry.author == key)
                    };
                    let have: Vec<ShortId> = ids.iter().filter(theirs).copied().collect();
                    if !have.is_empty() {
                        send(peer, EntryFrame::Have { ids: have }, cx);
                    }
                }
                self.catching_up.ask_for_pages(self.checking.len(), cx);
                // Whether older words of ours have come there is not seen on the last page.
                if let (None, Some(from)) = (before, from) {
                    let is_older = |id: &ShortId| {
                        let held = log.get(id);
                        held.is_some_and(|held| held.entry.position() < from)
                    };
                    let mut again = self.own.undelivered(&key);
                    again.retain(is_older);
                    self.serve(peer, &key, conversation, &again, members, cx);
                }
            }
            EntryFrame::Need { conversation, ids } => {
                self.serve(peer, &key, conversation, &ids, members, cx);
            }
            EntryFrame::Older {
                conversation,
                before,
            } => self.send_page(peer, &key, conversation, Some(before), members, cx),
        }
    }

    /// Begins the conversation that a peer speaks of, if there is none yet: its own with us, or the one with somebody whom
    /// another tab of ours names.
    fn begin_direct(
        &mut self,
        key: &PublicKey,
        with: Option<PublicKey>,
        conversation: Option<ConversationId>,
        members: &Members,
        cx: &mut Cx,
    ) {
        let is_theirs = conversation == Some(ConversationId::direct(&cx.own.key, key));
        let named = with.filter(|other| *key == cx.own.key && !members.is_blocked(other));
        if let Some(other) = named.or(is_theirs.then_some(*key)) {
            self.threads.direct(other, cx);
        }
    }

    /// The conversation that a peer may say this in. The first words of somebody begin one.
    fn thread_for(&mut self, key: &PublicKey, entry: &Entry, cx: &mut Cx) -> Option<&Thread> {
        let id = entry.conversation;
        if self.threads.get(&id).is_none()
            && entry.author == *key
            && ConversationId::direct(&cx.own.key, key) == id
        {
            self.threads.direct(*key, cx);
        }
        let thread = self.threads.get(&id)?;
        // Nobody signed what is said to one person: only its author can say it, or another tab of ours.
        let is_told = entry.is_unsigned() && (entry.author == *key || *key == cx.own.key);
        (thread.other().is_none() || is_told).then_some(thread)
    }

    /// Handles entries: those that were asked for, and what their author says now.
    fn on_entries(
        &mut self,
        peer: PeerId,
        key: PublicKey,
        list: &[Vec<u8>],
        members: &Members,
        cx: &mut Cx,
    ) {
        let mut have = Vec::new();
        for bytes in list {
            let Ok(entry) = Entry::parse(bytes, &cx.own.room) else {
                cx.dropped(Dropped::BadFrame);
                continue;
            };
            let id = short(&entry.id());
            let was_asked_for = self.catching_up.has_come(&id);
            let caught_up = was_asked_for && entry.clock.millis() < self.since;
            let is_deleted = self.deleted.has(&entry);
            let Some(thread) = self.thread_for(&key, &entry, cx) else {
                cx.dropped(Dropped::Unexpected);
                continue;
            };
            let is_told = thread.other().is_some();
            if thread.log.proven(&id).is_some() || is_deleted {
                // What we said about it before may have been lost.
                have.extend((entry.author == key).then_some(id));
                continue;
            }
            if !was_asked_for && entry.author != key && key != cx.own.key {
                cx.dropped(Dropped::Unexpected);
                continue;
            }
            if !was_asked_for && !self.catching_up.take_said(peer, cx) {
                continue;
            }
            let unchecked = Unchecked {
                entry,
                from: peer,
                caught_up,
                is_told,
            };
            self.checking.add(unchecked, cx);
        }
        if !have.is_empty() {
            send(peer, EntryFrame::Have { ids: have }, cx);
        }
        self.check(members, cx);
    }

    /// Checks some of the entries that have come.
    pub fn check(&mut self, members: &Members, cx: &mut Cx) {
        let checked = self.checking.begin(cx);
        self.take(checked, members, cx);
    }

    /// Handles the answer about signatures.
    pub fn on_checked(&mut self, ticket: u32, good: &[bool], members: &Members, cx: &mut Cx) {
        let checked = self.checking.on_checked(ticket, good, cx);
        self.take(checked, members, cx);
    }

    /// Takes in entries that are what they say, and tells their authors who are here that we have them.
    fn take(&mut self, checked: Vec<Unchecked>, members: &Members, cx: &mut Cx) {
        let mut have: LiteMap<PublicKey, Vec<ShortId>> = LiteMap::new();
        let source = cx.source;
        for unchecked in checked {
            let Unchecked {
                entry,
                from,
                caught_up,
                ..
            } = unchecked;
            cx.source = Some(from);
            let ids = have.entry(entry.author).or_default();
            ids.push(short(&entry.id()));
            // It was deleted while it was checked.
            if self.deleted.has(&entry) {
                continue;
            }
            if !caught_up {
                yield_files(cx);
                if !is_readable(&entry) {
                    cx.dropped(Dropped::Unshown);
                }
            }
            self.insert(entry, caught_up, members, cx);
        }
        cx.source = source;
        for (author, ids) in have {
            for peer in members.proven_peers(&author) {
                let ids = ids.clone();
                send(peer, EntryFrame::Have { ids }, cx);
            }
        }
        self.catching_up.ask_for_pages(self.checking.len(), cx);
    }

    /// Sends entries to a peer that has just sent a frame, as far as it may have them.
    fn serve(
        &mut self,
        peer: PeerId,
        key: &PublicKey,
        conversation: ConversationId,
        ids: &[ShortId],
        members: &Members,
        cx: &mut Cx,
    ) {
        let Some(thread) = self.threads.get(&conversation) else {
            return;
        };
        let with = named_to(key, thread, cx);
        let (mut list, mut size) = (Vec::new(), 0);
        for id in ids {
            let held = thread.log.proven(id);
            let Some(held) = held.filter(|held| may_have(key, thread, &held.entry, members, cx))
            else {
                continue;
            };
            if size > 0 && size + held.entry.size() > MAX_BATCH {
                let list = core::mem::take(&mut list);
                reply(peer, EntryFrame::Entries { list, with }, cx);
                size = 0;
            }
            let mut bytes = Vec::with_capacity(held.entry.size());
            held.entry.write(&mut bytes);
            size += bytes.len();
            list.push(bytes);
            self.own.sent(id, key, cx);
        }
        if !list.is_empty() {
            reply(peer, EntryFrame::Entries { list, with }, cx);
        }
    }

    fn send_page(
        &self,
        peer: PeerId,
        key: &PublicKey,
        conversation: ConversationId,
        before: Option<Position>,
        members: &Members,
        cx: &mut Cx,
    ) {
        let thread = self.threads.get(&conversation);
        let is_theirs =
            |thread: &&Thread| thread.other().is_none_or(|other| may_see(key, other, cx));
        let Some(thread) = thread.filter(is_theirs) else {
            return;
        };
        let page = thread
            .log
            .page(before, |entry| may_have(key, thread, entry, members, cx));
        let page = EntryFrame::Page {
            conversation,
            before,
            from: page.from,
            ids: page.ids,
            with: named_to(key, thread, cx),
        };
        reply(peer, page, cx);
    }

    /// Asks two of those who are here, and may have some, for older messages.
    pub(super) fn ask_for_older(
        &self,
        conversation: &ConversationId,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        let Some(thread) = self.threads.get(conversation) else {
            return;
        };
        let Some(before) = thread.log.oldest() else {
            return;
        };
        let may_have_some = |peer: &PeerId| match (thread.other(), members.connect(peer)) {
            (None, _) => true,
            (Some(other), Some(connect)) => may_see(&connect.identity, other, cx),
            (Some(_), None) => false,
        };
        let mut peers: Vec<PeerId> = links.connected().filter(may_have_some).collect();
        for _ in 0..2.min(peers.len()) {
            let peer = peers.swap_remove(cx.random_index(peers.len()));
            let older = EntryFrame::Older {
                conversation: *conversation,
                before,
            };
            send(peer, older, cx);
        }
    }

    /// Asks a peer for the last pages of the conversations that it may read.
    pub fn ask_for_last_pages(&self, peer: PeerId, members: &Members, cx: &mut Cx) {
        let Some(key) = members.connect(&peer).map(|connect| connect.identity) else {
            return;
        };
        for thread in self.threads.iter() {
            if thread.other().is_none_or(|other| may_see(&key, other, cx)) {
                let older = EntryFrame::Older {
                    conversation: thread.id,
                    before: Position::END,
                };
                send(peer, older, cx);
            }
        }
    }

    /// Sends the last page of each conversation that a peer may read. Those with one person have one if anything was said.
    pub(super) fn send_pages(&self, peer: PeerId, members: &Members, cx: &mut Cx) {
        let Some(key) = members.connect(&peer).map(|connect| connect.identity) else {
            return;
        };
        let begun = self
            .threads
            .iter()
            .filter(|thread| thread.other().is_none() || thread.log.oldest().is_some());
        for thread in begun {
            self.send_page(peer, &key, thread.id, None, members, cx);
        }
    }
}

/// Whether people can be shown what an entry says. Either way it is kept and passed on, since another version may read it.
fn is_readable(entry: &Entry) -> bool {
    let body = entry.body().map(|body| body.content);
    match body {
        Some(Content::Say { text, .. } | Content::Edit { text, .. }) => is_sound(&text),
        Some(Content::File { text, .. }) => text.is_empty() || is_sound(&text),
        Some(Content::Retract { .. } | Content::React { .. }) => true,
        None => !entry.has_body(),
    }
}

/// Whether somebody takes part in the conversation with `other`: the other one, and ourselves in another tab.
fn may_see(key: &PublicKey, other: &PublicKey, cx: &Cx) -> bool {
    key == other || *key == cx.own.key
}

/// The other person of a direct conversation, whom only our own tabs have to be told.
fn named_to(key: &PublicKey, thread: &Thread, cx: &Cx) -> Option<PublicKey> {
    thread.other().copied().filter(|_| *key == cx.own.key)
}

/// Whether a peer may have an entry. Of what is said between two people, each has the own words from nobody else.
fn may_have(key: &PublicKey, thread: &Thread, entry: &Entry, members: &Members, cx: &Cx) -> bool {
    match thread.other() {
        None => members.may_have_words_of(&entry.author, key, cx),
        Some(other) => *key == cx.own.key || (key == other && entry.author == cx.own.key),
    }
}
