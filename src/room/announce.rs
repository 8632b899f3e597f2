//! When to say "I am here".
//!
//! Whoever is alone repeats itself with growing pauses; whoever has company does it rarely, enough to heal a
//! split. Our own announcement comes back to us from the broker, which puts every message on a topic into one
//! order. That echo tells who has to offer: whoever is announced *after* our echo subscribed too late to hear
//! us, so we offer; whoever is announced *before* it will hear us next, and offers.

use core::time::Duration;

use super::{BrokerState, Deadline, Decision, MAX_PEERS, Room};
use crate::identity::Signature;
use crate::time::Millis;
use crate::wire::envelope::{FULL, VERSION};
use crate::wire::{Body, Connect};

/// Alone, we repeat ourselves after this, then after three times as long, …
const FIRST_PAUSE: Duration = Duration::from_secs(3);
/// … and at last so rarely, as with company.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Our own announcement should come back within this time …
const ECHO: Duration = Duration::from_millis(1500);
/// … and is repeated at most so many times where it does not.
const MAX_MISSED: u32 = 3;
/// Asked for by others, an announcement comes after this …
const ASKED_DELAY: Duration = Duration::from_millis(1500);
/// … and at most this often.
const ASKED_PAUSE: Duration = Duration::from_secs(10);
/// So long does "I am full" of others count.
const FULL_FOR: Duration = Duration::from_secs(90);

#[derive(Debug)]
pub(super) struct Announcer {
    joined_at: Millis,
    /// The newest announcement, signed.
    latest: Option<Connect>,
    /// The timestamp of the one that has not come back from the broker yet.
    echo_due: Option<Millis>,
    missed: u32,
    repeats: u32,
    /// Somebody misses us: the next announcement is for them.
    asked: bool,
    /// When a peer last said that it is full.
    full_seen: Option<Millis>,
}

impl Announcer {
    pub fn new(now: Millis) -> Announcer {
        Announcer {
            joined_at: now,
            latest: None,
            echo_due: None,
            missed: 0,
            repeats: 0,
            asked: false,
            full_seen: None,
        }
    }

    /// When we last announced ourselves.
    fn last(&self) -> Millis {
        self.latest
            .as_ref()
            .map_or(Millis(0), |connect| connect.signed_at)
    }
}

impl Room {
    pub(super) fn on_broker(&mut self, state: BrokerState) {
        self.broker = state;
        self.dirty = true;
        match state {
            BrokerState::Opening if self.needs_company() => self.announce(),
            BrokerState::Opening => {
                self.announcer.echo_due = None;
                self.announcer.asked = true;
                let soon = self.jittered(ASKED_PAUSE);
                self.deadlines.set(Deadline::Announce, self.now + soon);
            }
            BrokerState::Ready => {
                self.announcer.missed = 0;
                if self.announcer.echo_due.is_some() {
                    self.deadlines.set(Deadline::Echo, self.now + ECHO);
                }
            }
            BrokerState::Unreachable { .. } => {
                self.deadlines.clear(&Deadline::Echo);
                self.deadlines.clear(&Deadline::Announce);
            }
        }
    }

    /// Says "I am here" to everybody.
    pub(super) fn announce(&mut self) {
        let connect = self.sign_connect();
        self.announcer.asked = false;
        self.announcer.echo_due = Some(connect.signed_at);
        if self.broker == BrokerState::Ready {
            self.deadlines.set(Deadline::Echo, self.now + ECHO);
        }
        self.publish(
            self.keys.topic().to_owned(),
            connect.signed_at,
            Body::Connect(connect),
        );
        let pause = if self.has_company() {
            LONGEST_PAUSE
        } else {
            FIRST_PAUSE
                .saturating_mul(3u32.saturating_pow(self.announcer.repeats))
                .min(LONGEST_PAUSE)
        };
        self.announcer.repeats = self.announcer.repeats.saturating_add(1);
        let pause = self.jittered(pause);
        self.deadlines.set(Deadline::Announce, self.now + pause);
    }

    pub(super) fn announce_again(&mut self) {
        if self.broker != BrokerState::Ready {
            return;
        }
        let last = self.announcer.last();
        if self.announcer.asked || !self.has_company() || self.now.since(last) >= LONGEST_PAUSE / 2
        {
            return self.announce();
        }
        // The pause was chosen while nobody was here.
        let pause = self.jittered(LONGEST_PAUSE);
        self.deadlines.set(Deadline::Announce, last + pause);
    }

    /// Somebody misses us, or should hear that we are full.
    pub(super) fn announce_soon(&mut self) {
        let last = self.announcer.last();
        let pause = self.jittered(ASKED_DELAY);
        let at = (self.now + pause).max(last + ASKED_PAUSE);
        self.deadlines.set_earlier(Deadline::Announce, at);
        self.announcer.asked = true;
    }

    /// Our own announcement came back.
    pub(super) fn on_echo(&mut self, signed_at: Millis) {
        if self.announcer.echo_due == Some(signed_at) {
            self.announcer.echo_due = None;
            self.announcer.missed = 0;
            self.deadlines.clear(&Deadline::Echo);
        }
    }

    /// The announcement was lost. A broker that never shows us our own messages is not asked for ever.
    pub(super) fn echo_missed(&mut self) {
        self.announcer.echo_due = None;
        self.announcer.missed += 1;
        if self.announcer.missed <= MAX_MISSED && self.broker == BrokerState::Ready {
            self.announce();
        }
    }

    /// Whether the peers announced now will hear our own announcement after theirs.
    pub(super) fn will_be_heard(&self) -> bool {
        self.announcer.echo_due.is_some()
    }

    /// What an offer carries to say who offers: the newest announcement, or a first one.
    pub(super) fn current_connect(&mut self) -> Connect {
        match &self.announcer.latest {
            Some(connect) if connect.name == self.name => connect.clone(),
            _ => self.sign_connect(),
        }
    }

    pub(super) fn peer_is_full(&mut self) {
        self.announcer.full_seen = Some(self.now);
        self.dirty = true;
    }

    /// Whether the others said that there is no place left, and nobody has taken us in.
    pub(super) fn shut_out(&self) -> bool {
        !self.has_company()
            && self
                .announcer
                .full_seen
                .is_some_and(|at| self.now.since(at) < FULL_FOR)
    }

    /// Whether there is no place left here.
    pub(super) fn is_full(&self) -> bool {
        self.peers
            .values()
            .filter(|peer| peer.present && peer.decision == Decision::Accepted)
            .count()
            >= MAX_PEERS
    }

    fn has_company(&self) -> bool {
        self.peers.values().any(|peer| peer.current.is_some())
    }

    fn needs_company(&self) -> bool {
        !self.has_company() || self.peers.values().any(|peer| peer.silent)
    }

    fn sign_connect(&mut self) -> Connect {
        let signed_at = self.stamp();
        let unsigned = Connect {
            version: VERSION,
            capabilities: if self.is_full() { FULL } else { 0 },
            identity: self.identity.public(),
            session: self.session.public(),
            name: self.name.clone(),
            tab: self.tab,
            age: u64::try_from(self.now.since(self.announcer.joined_at).as_millis())
                .unwrap_or(u64::MAX),
            signed_at,
            signature: Signature([0; 64]),
        };
        let connect = unsigned.signed(&self.identity, self.keys.topic());
        self.announcer.latest = Some(connect.clone());
        connect
    }
}
