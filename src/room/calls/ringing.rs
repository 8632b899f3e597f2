//! Calls that ring here.

use core::time::Duration;
use std::collections::VecDeque;

use crate::budget::Budget;
use crate::identity::{PeerId, Trust};
use crate::room::io::{CallId, Conversation};
use crate::time::Millis;

/// The most calls that ring at once …
const MAX_RINGS: usize = 8;
/// … and of them, the most that ring without a sound, so that strangers leave places to others.
const MAX_SILENT: usize = 4;
/// Calls that were answered or turned down and do not ring again: the last so many.
const MAX_HANDLED: usize = 64;
/// A peer may ring for this many calls at once …
const RINGS_BURST: u32 = 4;
/// … and then for one in this time.
const RINGS_PAUSE: Duration = Duration::from_secs(30);

/// How often a peer may ring.
pub(super) fn budget(now: Millis) -> Budget {
    Budget::slow(RINGS_BURST, RINGS_PAUSE, now)
}

/// Whether the calls of somebody make a sound.
pub(super) fn is_loud(trust: Trust) -> bool {
    match trust {
        Trust::Known | Trust::Verified => true,
        Trust::New | Trust::NameOnAnotherKey => false,
    }
}

/// A call that rings here.
#[derive(Debug, Clone)]
pub(super) struct Ringing {
    pub call: CallId,
    pub conversation: Conversation,
    /// Who rang first.
    pub from: PeerId,
    pub video: bool,
    pub silent: bool,
    pub until: Millis,
}

/// Calls that ring here, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Rings {
    open: Vec<Ringing>,
    handled: VecDeque<CallId>,
}

impl Rings {
    pub fn iter(&self) -> impl Iterator<Item = &Ringing> {
        self.open.iter()
    }

    /// When the next one has rung for long enough.
    pub fn next_due(&self) -> Option<Millis> {
        self.open.iter().map(|ring| ring.until).min()
    }

    /// Begins to ring, unless it has been answered or turned down. A second one for the same conversation is the same call.
    pub fn begin(&mut self, ring: Ringing) {
        if self.handled.contains(&ring.call) {
            return;
        }
        let mut open = self.open.iter_mut();
        if let Some(open) = open.find(|open| open.conversation == ring.conversation) {
            open.call = open.call.min(ring.call);
            open.video |= ring.video;
            return;
        }
        let silent = self.open.iter().filter(|open| open.silent).count();
        if self.open.len() < MAX_RINGS && !(ring.silent && silent >= MAX_SILENT) {
            self.open.push(ring);
        }
    }

    /// This call was answered or turned down, here or in another tab of ours. Returns whether it rang.
    pub fn answer(&mut self, call: &CallId) -> bool {
        let before = self.open.len();
        self.open.retain(|ring| ring.call != *call);
        self.is_handled(*call);
        self.open.len() < before
    }

    /// Somebody enters the call of this conversation.
    pub fn answer_in(&mut self, conversation: &Conversation) {
        self.take(|ring| ring.conversation == *conversation);
    }

    fn is_handled(&mut self, call: CallId) {
        if !self.handled.contains(&call) {
            self.handled.truncate(MAX_HANDLED - 1);
            self.handled.push_front(call);
        }
    }

    /// Ends those that have rung for long enough.
    pub fn take_due(&mut self, now: Millis) -> Vec<Ringing> {
        self.take(|ring| ring.until <= now)
    }

    /// Ends those that do not ring any more.
    pub fn take_unless(&mut self, rings: impl Fn(&CallId) -> bool) -> Vec<Ringing> {
        self.take(|ring| !rings(&ring.call))
    }

    fn take(&mut self, which: impl Fn(&Ringing) -> bool) -> Vec<Ringing> {
        let (taken, left) = core::mem::take(&mut self.open).into_iter().partition(which);
        self.open = left;
        let taken: Vec<Ringing> = taken;
        taken.iter().for_each(|ring| self.is_handled(ring.call));
        taken
    }
}
