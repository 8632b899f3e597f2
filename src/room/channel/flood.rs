//! What a peer sends beyond the limits: how much of it could not be read, and whether it is still listened to.

use core::time::Duration;

use crate::budget::Budget;
use crate::identity::PeerId;
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::io::PeopleEvent;
use crate::room::timer::ChannelTimer;
use crate::time::Millis;

/// A peer may break the limits this often at once …
const ALLOWED: u32 = 500;
/// … and this often a second from then on. Otherwise it is muted.
const ALLOWED_PER_SECOND: u32 = 5;
/// The same for what is only too much at once.
const EAGER: u32 = 5_000;
const EAGER_PER_SECOND: u32 = 50;
/// It is told at most this often how much could not be read.
const TELL_PAUSE: Duration = Duration::from_secs(1);

/// What one peer sends beyond the limits.
#[derive(Debug)]
pub(super) struct Flood {
    allowed: Budget,
    eager: Budget,
    muted: bool,
    /// How much could not be read since it was last told …
    unreadable: u32,
    /// … and when that was.
    told: Option<Millis>,
}

impl Flood {
    pub fn new(now: Millis) -> Flood {
        Flood {
            allowed: Budget::new(ALLOWED, ALLOWED_PER_SECOND, now),
            eager: Budget::new(EAGER, EAGER_PER_SECOND, now),
            muted: false,
            unreadable: 0,
            told: None,
        }
    }

    /// Whether nothing of the peer is looked at.
    pub fn is_muted(&self) -> bool {
        self.muted
    }

    /// Something of the peer was dropped. Returns whether it is muted from now on.
    pub fn dropped(&mut self, peer: PeerId, reason: Dropped, cx: &mut Cx) -> bool {
        if reason.is_unreadable() {
            self.unreadable = self.unreadable.saturating_add(1);
            let at = self.told.map_or(cx.now, |told| told + TELL_PAUSE);
            let timer = ChannelTimer::Unreadable(peer).into();
            cx.timers.set_earlier(timer, at.max(cx.now));
        }
        let budget = if reason.is_eager() {
            &mut self.eager
        } else {
            &mut self.allowed
        };
        if self.muted || budget.take(cx.now) {
            return false;
        }
        self.muted = true;
        cx.changed = true;
        true
    }

    /// Reports how much could not be read.
    pub fn tell(&mut self, peer: PeerId, cx: &mut Cx) {
        let count = core::mem::take(&mut self.unreadable);
        self.told = Some(cx.now);
        cx.people(PeopleEvent::Unreadable { peer, count });
    }

    /// Listens to the peer again, and returns whether it was muted.
    pub fn listen(&mut self, cx: &mut Cx) -> bool {
        let told = self.told;
        let before = core::mem::replace(self, Flood::new(cx.now));
        self.told = told;
        cx.changed |= before.muted;
        before.muted
    }
}
