//! Entries that have come, until their signatures are checked. The browser checks many at once, beside the page's own
//! work, so the answer comes as an input.

use core::time::Duration;

use crate::identity::{PeerId, SignatureCheck};
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::io::Output;
use crate::room::timer::ConversationTimer;
use crate::wire::entry::Entry;

/// Entries are checked this many at a time, so that the page stays responsive while they are shown …
const CHECKED_AT_ONCE: usize = 24;
/// … with this pause in between.
const PAUSE: Duration = Duration::from_millis(1);
/// The most entries that wait to be checked. Nobody is asked for more than these.
const MAX_WAITING: usize = 2_000;

/// An entry that waits to be checked.
#[derive(Debug)]
pub(super) struct Unchecked {
    pub entry: Entry,
    /// Who sent it.
    pub from: PeerId,
    /// It was said before we came.
    pub caught_up: bool,
    /// It came over the link of its author, or of another tab of ours, and nobody signed it.
    pub is_told: bool,
}

/// The entries that wait, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Checking {
    waiting: Vec<Unchecked>,
    /// Those whose signatures are being checked, and the ticket of the request.
    begun: Option<(u32, Vec<Unchecked>)>,
}

impl Checking {
    /// How many entries wait.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.begun.as_ref().map_or(0, |(_, begun)| begun.len())
    }

    /// Adds an entry, if there is room.
    pub fn add(&mut self, unchecked: Unchecked, cx: &mut Cx) {
        if self.len() >= MAX_WAITING {
            cx.dropped(Dropped::OverBudget);
        } else {
            self.waiting.push(unchecked);
        }
    }

    /// Begins to check the next entries, unless others are being checked. Returns those that need no check.
    pub fn begin(&mut self, cx: &mut Cx) -> Vec<Unchecked> {
        if self.begun.is_some() {
            return Vec::new();
        }
        let some = self.waiting.len().min(CHECKED_AT_ONCE);
        let mut begun = Vec::new();
        let mut checks: Vec<SignatureCheck> = Vec::new();
        for unchecked in self.waiting.drain(..some) {
            if !unchecked.is_told {
                cx.counters.signature_checked();
                let Ok(check) = unchecked.entry.check(&cx.own.room) else {
                    refuse(&unchecked, cx);
                    continue;
                };
                checks.push(check);
            }
            begun.push(unchecked);
        }
        if checks.is_empty() {
            self.rest(cx);
            return begun;
        }
        let ticket = cx.ticket();
        self.begun = Some((ticket, begun));
        cx.output(Output::CheckSignatures { ticket, checks });
        Vec::new()
    }

    /// Handles the answer to a request. Returns the entries whose signatures are good.
    pub fn on_checked(&mut self, ticket: u32, are_good: &[bool], cx: &mut Cx) -> Vec<Unchecked> {
        let is_this = |begun: &mut (u32, Vec<Unchecked>)| begun.0 == ticket;
        let Some((_, mut checked)) = self.begun.take_if(is_this) else {
            return Vec::new();
        };
        let mut are_good = are_good.iter();
        // Without an answer, a signature is not good.
        checked.retain(|one| {
            let is_good = one.is_told || are_good.next() == Some(&true);
            if !is_good {
                refuse(one, cx);
            }
            is_good
        });
        self.rest(cx);
        checked
    }

    fn rest(&self, cx: &mut Cx) {
        if !self.waiting.is_empty() {
            cx.timers
                .set(ConversationTimer::Check.into(), cx.now + PAUSE);
        }
    }
}

/// Whoever sent it is to blame.
fn refuse(unchecked: &Unchecked, cx: &mut Cx) {
    let source = cx.source.replace(unchecked.from);
    cx.dropped(Dropped::BadSignature);
    cx.source = source;
}
