//! Decides when to say "I am here".
//!
//! A peer that is alone repeats itself with growing pauses; a peer that has company does so rarely, just enough to heal
//! a split. Our own announcement comes back to us from the broker, which puts every message on a topic into one order.
//! That echo tells who has to offer: a peer announced *after* our echo subscribed too late to hear us, so we offer; a
//! peer announced *before* it will hear us next, and offers.

use core::time::Duration;

use super::announcements::Purpose;
use super::{Company, Signaling};
use crate::room::cx::Cx;
use crate::room::io::{BrokerId, BrokerState};
use crate::room::timer::SignalingTimer;
use crate::time::Millis;
use crate::wire::{Body, Connect};

/// Alone, we repeat ourselves after this, then after three times as long, …
const FIRST_PAUSE: Duration = Duration::from_secs(3);
/// … and at last this rarely, as with company.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Our own announcement should come back within this time …
const ECHO_TIMEOUT: Duration = Duration::from_millis(1500);
/// … and is repeated at most this many times where it does not.
const MAX_MISSED: u32 = 3;
/// Where others need our announcement, it comes after this …
const WANTED_DELAY: Duration = Duration::from_millis(1500);
/// … and at most this often.
const WANTED_PAUSE: Duration = Duration::from_secs(10);
/// Whoever loses somebody announces themselves at most this often for it: the loss may repeat, as with a connection that
/// somebody on the way alters.
const LOST_PAUSE: Duration = Duration::from_secs(30);
/// Those who are here answer an announcement within this time.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// "I am full" of others counts for this long.
const FULL_FOR: Duration = Duration::from_secs(90);

#[derive(Debug, Default)]
pub(super) struct Announcer {
    /// When we last announced ourselves.
    last: Millis,
    /// The timestamp of the announcement that has not come back from the broker yet.
    echo_due: Option<Millis>,
    missed: u32,
    repeats: u32,
    /// Whether somebody misses us: the next announcement is for them.
    wanted: bool,
    /// When a peer last said that it is full.
    full_seen: Option<Millis>,
}

impl Announcer {
    /// Handles the echo of our own announcement.
    pub fn on_echo(&mut self, signed_at: Millis, cx: &mut Cx) {
        if self.echo_due == Some(signed_at) {
            self.echo_due = None;
            self.missed = 0;
            cx.timers.clear(&SignalingTimer::Echo.into());
        }
    }

    /// Somebody is gone. If that was the last one, we announce ourselves soon: whoever could not be seen from here may be
    /// there. With company, [`Signaling::announce_again`] finds that there is no need.
    pub fn lost_somebody(&mut self, cx: &mut Cx) {
        self.bring_forward(LOST_PAUSE, cx);
    }

    /// Announces us soon, but not within `pause` of the last time.
    fn bring_forward(&self, pause: Duration, cx: &mut Cx) {
        let delay = cx.jittered(WANTED_DELAY);
        let at = (cx.now + delay).max(self.last + pause);
        cx.timers.set_earlier(SignalingTimer::Announce.into(), at);
        cx.changed = true;
    }
}

impl Signaling {
    /// Handles a change in the connection to a broker.
    pub fn on_broker(
        &mut self,
        broker: BrokerId,
        state: BrokerState,
        company: Company,
        cx: &mut Cx,
    ) {
        self.brokers.insert(broker, state);
        self.failed = match state {
            BrokerState::Refused { .. } | BrokerState::Unreachable { .. } => Some(state),
            BrokerState::Opening => self.failed,
            BrokerState::Ready => None,
        };
        cx.changed = true;
        match state {
            BrokerState::Opening if !company.present || company.incomplete => {
                self.announce(company, cx)
            }
            BrokerState::Opening => {
                self.announcer.echo_due = None;
                self.announcer.wanted = true;
                let soon = cx.jittered(WANTED_PAUSE);
                cx.timers
                    .set(SignalingTimer::Announce.into(), cx.now + soon);
            }
            BrokerState::Ready => {
                self.announcer.missed = 0;
                if self.announcer.echo_due.is_some() {
                    cx.timers
                        .set(SignalingTimer::Echo.into(), cx.now + ECHO_TIMEOUT);
                }
            }
            BrokerState::Unreachable { .. } | BrokerState::Refused { .. } => {
                cx.timers.clear(&SignalingTimer::Echo.into());
                cx.timers.clear(&SignalingTimer::Announce.into());
            }
        }
    }

    /// Handles a timer of this machine.
    pub fn on_timer(&mut self, timer: SignalingTimer, company: Company, cx: &mut Cx) {
        match timer {
            SignalingTimer::Announce => self.announce_again(company, cx),
            SignalingTimer::Echo => self.echo_missed(company, cx),
            SignalingTimer::Answers => cx.changed = true,
        }
    }

    /// Says "I am here" to everybody, once it is signed.
    fn announce(&mut self, company: Company, cx: &mut Cx) {
        self.announcer.wanted = false;
        let pause = if company.present {
            LONGEST_PAUSE
        } else {
            FIRST_PAUSE
                .saturating_mul(3u32.saturating_pow(self.announcer.repeats))
                .min(LONGEST_PAUSE)
        };
        self.announcer.repeats = self.announcer.repeats.saturating_add(1);
        let pause = cx.jittered(pause);
        cx.timers
            .set(SignalingTimer::Announce.into(), cx.now + pause);
        self.request_connect(Purpose::Publish, company.full, cx);
    }

    pub(super) fn publish_connect(&mut self, connect: Connect, signed_at: Millis, cx: &mut Cx) {
        self.announcer.last = signed_at;
        self.announcer.echo_due = Some(signed_at);
        let answered = cx.now + ANSWER_TIME;
        cx.timers.set(SignalingTimer::Answers.into(), answered);
        cx.changed = true;
        if self.broker() == BrokerState::Ready {
            cx.timers
                .set(SignalingTimer::Echo.into(), cx.now + ECHO_TIMEOUT);
        }
        let topic = self.keys.topic();
        self.publish_at(signed_at, topic, Body::Connect(connect), cx);
    }

    fn announce_again(&mut self, company: Company, cx: &mut Cx) {
        match self.broker() {
            BrokerState::Ready => {}
            // Nothing could be published yet, and nobody says when it can but the broker.
            BrokerState::Opening => {
                return cx
                    .timers
                    .set(SignalingTimer::Announce.into(), cx.now + FIRST_PAUSE);
            }
            BrokerState::Unreachable { .. } | BrokerState::Refused { .. } => return,
        }
        let last = self.announcer.last;
        let due = cx.now.since(last) >= LONGEST_PAUSE / 2;
        if self.announcer.wanted || !company.present || due {
            return self.announce(company, cx);
        }
        // The pause was chosen while nobody was here.
        let pause = cx.jittered(LONGEST_PAUSE);
        cx.timers.set(SignalingTimer::Announce.into(), last + pause);
    }

    /// Announces us soon, because somebody misses us or should hear that we are full.
    pub fn announce_soon(&mut self, cx: &mut Cx) {
        self.announcer.bring_forward(WANTED_PAUSE, cx);
        self.announcer.wanted = true;
    }

    /// Announces us again after a lost announcement, but not for ever: a broker may never show us our own messages.
    fn echo_missed(&mut self, company: Company, cx: &mut Cx) {
        self.announcer.echo_due = None;
        self.announcer.missed += 1;
        if self.announcer.missed <= MAX_MISSED && self.broker() == BrokerState::Ready {
            self.announce(company, cx);
        }
    }

    /// Announces us at once, because the person asks for it, or has come back. A moment ago is soon enough.
    pub fn look_now(&mut self, cx: &mut Cx) {
        if self.broker() == BrokerState::Ready {
            let at = cx.now.max(self.announcer.last + WANTED_PAUSE);
            cx.timers.set_earlier(SignalingTimer::Announce.into(), at);
            self.announcer.wanted = true;
            cx.changed = true;
        }
    }

    /// When we look for others again. `None` while that goes on: an announcement may still be answered, or the next one is
    /// about to come.
    pub fn next_look(&self, cx: &Cx) -> Option<Millis> {
        let at = cx.timers.get(&SignalingTimer::Announce.into())?;
        let quiet =
            cx.now.since(self.announcer.last) >= ANSWER_TIME && at.since(cx.now) > WANTED_PAUSE;
        quiet.then_some(at)
    }

    /// Whether the peers announced now will hear our own announcement after theirs.
    pub fn will_be_heard(&self) -> bool {
        self.announcer.echo_due.is_some()
    }

    /// Notes that a peer said that it is full.
    pub fn peer_is_full(&mut self, cx: &mut Cx) {
        self.announcer.full_seen = Some(cx.now);
        cx.changed = true;
    }

    /// Whether others have said lately that there is no place left.
    pub fn others_are_full(&self, now: Millis) -> bool {
        let seen = self.announcer.full_seen;
        seen.is_some_and(|at| now.since(at) < FULL_FOR)
    }
}
