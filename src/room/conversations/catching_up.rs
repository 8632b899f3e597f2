//! Catching up: what somebody has whom we have just met, what we lack of it, and who is asked for it.
//!
//! On a new link both sides send the last page of each channel: ids alone. Whoever lacks some of them asks for them; the
//! first peer that has one is asked, and others if it does not answer. Each side is charged for what it asks.

use core::time::Duration;

use litemap::LiteMap;

use super::deleted::Deleted;
use super::log::Log;
use crate::budget::Budget;
use crate::identity::PeerId;
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::effect::Effect;
use crate::room::timer::ConversationTimer;
use crate::time::Millis;
use crate::wire::entry::{ConversationId, Position};
use crate::wire::frame::{EntryFrame, MAX_IDS, ShortId};
use crate::wire::{Frame, OutboundMessage};

/// The most entries that are asked for and have not come.
const MAX_WANTED: usize = 1_500;
/// The most other peers that are remembered to have an entry.
const MAX_OTHERS: usize = 3;
/// How long a peer has to answer before another one is asked.
const PATIENCE: Duration = Duration::from_secs(5);
/// Frames about entries that one peer may send: at most this many at once …
const FRAMES_BURST: u32 = 100;
/// … and then this many a second.
const FRAMES_PER_SECOND: u32 = 20;
/// Entries that one peer may send without being asked: at most this many at once …
const SAID_BURST: u32 = 120;
/// … and then this many a second. Each costs a signature to check.
const SAID_PER_SECOND: u32 = 10;
/// The most older pages that one peer makes us ask for in a row: each could be made up.
const MAX_PAGES: u32 = 100;

/// An entry that we asked for.
#[derive(Debug)]
struct Wanted {
    conversation: ConversationId,
    from: PeerId,
    asked: Millis,
    /// Others that have it.
    others: Vec<PeerId>,
}

/// The budgets of one peer.
#[derive(Debug)]
struct Budgets {
    frames: Budget,
    said: Budget,
    pages: u32,
    /// When it said more than its budget allows, and we did not take it.
    missed: Option<Millis>,
}

/// A page of a peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a> {
    pub conversation: ConversationId,
    /// Whether it is not the last one.
    pub is_older: bool,
    /// The place that it begins at, if the peer has more before it.
    pub from: Option<Position>,
    /// The entries, in their order.
    pub ids: &'a [ShortId],
}

/// What is not asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// What is here.
    pub log: &'a Log,
    /// What was deleted here.
    pub deleted: &'a Deleted,
}

/// What we lack, and whom we ask.
#[derive(Debug, Default)]
pub(super) struct CatchingUp {
    wanted: LiteMap<ShortId, Wanted>,
    budgets: LiteMap<PeerId, Budgets>,
    /// Older pages that are asked for once most of what was asked for has come and was checked.
    pages: Vec<(PeerId, ConversationId, Position)>,
}

impl CatchingUp {
    fn budgets(&mut self, peer: PeerId, now: Millis) -> &mut Budgets {
        self.budgets.entry(peer).or_insert_with(|| Budgets {
            frames: Budget::new(FRAMES_BURST, FRAMES_PER_SECOND, now),
            said: Budget::new(SAID_BURST, SAID_PER_SECOND, now),
            pages: 0,
            missed: None,
        })
    }

    /// Whether a peer may send another frame.
    pub fn take_frame(&mut self, peer: PeerId, cx: &mut Cx) -> bool {
        let taken = self.budgets(peer, cx.now).frames.take(cx.now);
        if !taken {
            cx.dropped(Dropped::FloodedFrames);
        }
        taken
    }

    /// Whether a peer may say another thing for which it was not asked. What it says beyond that is asked for later, page
    /// by page.
    pub fn take_said(&mut self, peer: PeerId, cx: &mut Cx) -> bool {
        let now = cx.now;
        let budgets = self.budgets(peer, now);
        let taken = budgets.said.take(now);
        if !taken {
            budgets.missed.get_or_insert(now);
            cx.dropped(Dropped::SaidTooMuch);
            cx.timers
                .set_earlier(ConversationTimer::Patience.into(), now + PATIENCE);
        }
        taken
    }

    /// Returns whether this entry was asked for, of anybody, and does not ask for it again.
    pub fn has_come(&mut self, id: &ShortId) -> bool {
        self.wanted.remove(id).is_some()
    }

    /// Asks for older pages, as soon as most of what was asked for has come and was checked. Checking takes longer than
    /// sending, so that entries would come for which there is no room.
    pub fn ask_for_pages(&mut self, unchecked: usize, cx: &mut Cx) {
        while self.wanted.len() + unchecked < MAX_IDS
            && let Some((peer, conversation, before)) = self.pages.pop()
        {
            let older = EntryFrame::Older {
                conversation,
                before,
            };
            send(peer, older, cx);
        }
    }

    /// Handles a page of a peer: asks for what we lack, and for the page before, if what we lack reaches back into what
    /// we had before.
    pub fn on_page(&mut self, peer: PeerId, page: &Page<'_>, known: Known<'_>, cx: &mut Cx) {
        let (conversation, ids) = (page.conversation, page.ids);
        let mut need = Vec::new();
        let mut lacks = false;
        let Known { log, deleted } = known;
        let is_known = |id: &ShortId| log.proven(id).is_some() || deleted.has_id(id);
        for id in ids.iter().filter(|id| !is_known(id)) {
            lacks = true;
            if let Some(wanted) = self.wanted.get_mut(id) {
                if wanted.from != peer && wanted.others.len() < MAX_OTHERS {
                    wanted.others.push(peer);
                }
            } else if self.wanted.len() < MAX_WANTED {
                need.push(*id);
                let wanted = Wanted {
                    conversation,
                    from: peer,
                    asked: cx.now,
                    others: Vec::new(),
                };
                self.wanted.insert(*id, wanted);
            }
        }
        if page.is_older {
            // The newest come first: whoever reads towards the beginning sees nothing come in between.
            need.reverse();
        }
        self.need(peer, conversation, need, cx);
        let has_older = |before: &Position| log.oldest().is_some_and(|oldest| oldest < *before);
        if lacks && let Some(before) = page.from.filter(has_older) {
            let pages = &mut self.budgets(peer, cx.now).pages;
            *pages += 1;
            if *pages <= MAX_PAGES {
                let is_same =
                    |page: &(PeerId, ConversationId, _)| (page.0, page.1) == (peer, conversation);
                self.pages.retain(|page| !is_same(page));
                self.pages.push((peer, conversation, before));
            }
        } else {
            self.budgets(peer, cx.now).pages = 0;
        }
    }

    fn need(&self, peer: PeerId, conversation: ConversationId, ids: Vec<ShortId>, cx: &mut Cx) {
        for ids in ids.chunks(MAX_IDS) {
            let ids = ids.to_vec();
            send(peer, EntryFrame::Need { conversation, ids }, cx);
        }
        if !ids.is_empty() {
            cx.timers
                .set_earlier(ConversationTimer::Patience.into(), cx.now + PATIENCE);
        }
    }

    /// Asks others for what has not come in time. Returns those who said too much at once, and are to be asked for their
    /// last pages.
    pub fn on_patience(&mut self, cx: &mut Cx) -> Vec<PeerId> {
        let mut missed = Vec::new();
        for (peer, budgets) in self.budgets.iter_mut() {
            let is_due = |at: &mut Millis| cx.now.since(*at) >= PATIENCE;
            missed.extend(budgets.missed.take_if(is_due).map(|_| *peer));
        }
        let late = self
            .wanted
            .iter()
            .filter_map(|(id, wanted)| (cx.now.since(wanted.asked) >= PATIENCE).then_some(*id));
        let late: Vec<ShortId> = late.collect();
        self.ask_others(&late, cx);
        let waits = self.budgets.values().filter_map(|budgets| budgets.missed);
        let asked = self.wanted.values().map(|wanted| wanted.asked);
        if let Some(asked) = asked.chain(waits).min() {
            cx.timers
                .set(ConversationTimer::Patience.into(), asked + PATIENCE);
        }
        missed
    }

    /// A peer is gone: others are asked for what it had.
    pub fn on_gone(&mut self, peer: &PeerId, cx: &mut Cx) {
        self.budgets.remove(peer);
        self.pages.retain(|page| page.0 != *peer);
        for (_, wanted) in self.wanted.iter_mut() {
            wanted.others.retain(|other| other != peer);
        }
        let its = self.wanted.iter().filter(|(_, its)| its.from == *peer);
        let its: Vec<ShortId> = its.map(|(id, _)| *id).collect();
        self.ask_others(&its, cx);
    }

    fn ask_others(&mut self, ids: &[ShortId], cx: &mut Cx) {
        let mut needs: LiteMap<(PeerId, ConversationId), Vec<ShortId>> = LiteMap::new();
        for id in ids {
            let Some(wanted) = self.wanted.get_mut(id) else {
                continue;
            };
            let Some(other) = wanted.others.pop() else {
                self.wanted.remove(id);
                continue;
            };
            (wanted.from, wanted.asked) = (other, cx.now);
            let needs = needs.entry((other, wanted.conversation)).or_default();
            needs.push(*id);
        }
        for ((peer, conversation), ids) in needs {
            self.need(peer, conversation, ids, cx);
        }
    }
}

/// Puts a frame at the end of the stream to a peer.
pub(super) fn send(peer: PeerId, frame: EntryFrame, cx: &mut Cx) {
    let message = OutboundMessage::frame(&Frame::Entry(frame));
    cx.effect(Effect::Stream(peer, message));
}

/// The same with a reply: the bytes that a peer makes us keep are bounded.
pub(super) fn reply(peer: PeerId, frame: EntryFrame, cx: &mut Cx) {
    let message = OutboundMessage::frame(&Frame::Entry(frame));
    cx.effect(Effect::Reply(peer, message));
}
