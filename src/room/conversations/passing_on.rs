//! Passing entries on: what peers send, ask for and get, as the parent module's machine decides it.

use core::time::Duration;

use litemap::LiteMap;

use super::Conversations;
use super::catching_up::{reply, send};
use crate::identity::{PeerId, PublicKey};
use crate::room::channel::yield_files;
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::links::Links;
use crate::room::members::Members;
use crate::room::timer::ConversationTimer;
use crate::wire::entry::{ConversationId, Entry, Position};
use crate::wire::frame::{EntryFrame, ShortId, short};

/// The most bytes of entries in one frame.
const MAX_BATCH: usize = 48 * 1024;
/// Entries of others are checked this many at a time, so that the page stays responsive: a signature takes a
/// millisecond or two …
const CHECKED_AT_ONCE: usize = 12;
/// … with this pause in between.
const CHECK_PAUSE: Duration = Duration::from_millis(1);
/// The most entries that wait to be checked. Nobody is asked for more than these.
const MAX_UNCHECKED: usize = 2_000;

/// An entry that waits to be checked.
#[derive(Debug)]
pub(super) struct Unchecked {
    entry: Entry,
    /// It was said before we came.
    caught_up: bool,
}

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
            EntryFrame::Entries { list } => self.on_entries(peer, key, &list, members, cx),
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
            } => {
                for id in &ids {
                    self.own.delivered(id, &key, cx);
                }
                let channels = &self.channels;
                let Some(channel) = channels.iter().find(|its| its.id == conversation) else {
                    return;
                };
                let (catching_up, log) = (&mut self.catching_up, &channel.log);
                catching_up.on_page(peer, conversation, from, &ids, log, cx);
                catching_up.ask_for_pages(self.unchecked.len(), cx);
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
            let channel = self.channel(&entry.conversation);
            if channel.is_none_or(|channel| channel.log.contains(&id)) {
                // What we said about it before may have been lost.
                have.extend((entry.author == key && channel.is_some()).then_some(id));
                continue;
            }
            if !was_asked_for && entry.author != key {
                cx.dropped(Dropped::Unexpected);
                continue;
            }
            if !was_asked_for && !self.catching_up.take_said(peer, cx) {
                continue;
            }
            if self.unchecked.len() >= MAX_UNCHECKED {
                cx.dropped(Dropped::OverBudget);
                continue;
            }
            self.unchecked.push(Unchecked { entry, caught_up });
        }
        if !have.is_empty() {
            send(peer, EntryFrame::Have { ids: have }, cx);
        }
        self.check(members, cx);
    }

    /// Checks some of the entries that have come, and tells their authors who are here that we have them.
    pub fn check(&mut self, members: &Members, cx: &mut Cx) {
        let some = self.unchecked.len().min(CHECKED_AT_ONCE);
        let checked: Vec<Unchecked> = self.unchecked.drain(..some).collect();
        let mut have: LiteMap<PublicKey, Vec<ShortId>> = LiteMap::new();
        for Unchecked { entry, caught_up } in checked {
            cx.counters.signature_checked();
            if entry.verify(&cx.own.room).is_err() {
                cx.dropped(Dropped::BadSignature);
                continue;
            }
            let ids = have.entry(entry.author).or_default();
            ids.push(short(&entry.id()));
            if !caught_up {
                yield_files(cx);
            }
            self.insert(entry.conversation, entry, caught_up, members, cx);
        }
        for (author, ids) in have {
            for peer in members.proven_peers(&author) {
                let ids = ids.clone();
                send(peer, EntryFrame::Have { ids }, cx);
            }
        }
        self.catching_up.ask_for_pages(self.unchecked.len(), cx);
        if !self.unchecked.is_empty() {
            cx.timers
                .set(ConversationTimer::Check.into(), cx.now + CHECK_PAUSE);
        }
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
        let Some(channel) = self.channels.iter().find(|its| its.id == conversation) else {
            return;
        };
        let (mut list, mut size) = (Vec::new(), 0);
        for id in ids {
            let held = channel.log.get(id);
            let Some(held) = held.filter(|held| may_have(key, &held.entry, members, cx)) else {
                continue;
            };
            if size > 0 && size + held.entry.size() > MAX_BATCH {
                let list = core::mem::take(&mut list);
                reply(peer, EntryFrame::Entries { list }, cx);
                size = 0;
            }
            let mut bytes = Vec::with_capacity(held.entry.size());
            held.entry.write(&mut bytes);
            size += bytes.len();
            list.push(bytes);
            self.own.sent(id, key, cx);
        }
        if !list.is_empty() {
            reply(peer, EntryFrame::Entries { list }, cx);
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
        let Some(channel) = self.channel(&conversation) else {
            return;
        };
        let page = channel
            .log
            .page(before, |entry| may_have(key, entry, members, cx));
        let page = EntryFrame::Page {
            conversation,
            before,
            from: page.from,
            ids: page.ids,
        };
        reply(peer, page, cx);
    }

    /// Asks two of those who are here for older messages.
    pub(super) fn ask_for_older(&self, name: &str, links: &Links, cx: &mut Cx) {
        let Some(channel) = self.channels.iter().find(|its| its.name == name) else {
            return;
        };
        let Some(before) = channel.log.oldest() else {
            return;
        };
        let mut peers: Vec<PeerId> = links.connected().collect();
        for _ in 0..2.min(peers.len()) {
            let peer = peers.swap_remove(cx.random_index(peers.len()));
            let older = EntryFrame::Older {
                conversation: channel.id,
                before,
            };
            send(peer, older, cx);
        }
    }

    /// Sends the last page of each channel.
    pub(super) fn send_pages(&self, peer: PeerId, members: &Members, cx: &mut Cx) {
        if let Some(connect) = members.connect(&peer) {
            for channel in &self.channels {
                self.send_page(peer, &connect.identity, channel.id, None, members, cx);
            }
        }
    }
}

/// Whether a peer may have an entry: in a room where not everybody is let in, its author may have turned that peer away.
fn may_have(key: &PublicKey, entry: &Entry, members: &Members, cx: &Cx) -> bool {
    entry.author == cx.own.key || entry.author == *key || members.may_read_all()
}
