//! Peers that do not answer: the connection is doubted, and another one is made over the broker while it may still come
//! back to life.
//!
//! A change of network breaks every connection, and often the one to the broker, without a word to the browser: a router
//! that gets another public address drops what still comes to the old one. Only an answer that does not come tells of it.

use core::time::Duration;

use super::Links;
use super::link::{Link, Stage, State};
use crate::identity::PeerId;
use crate::room::cx::Cx;
use crate::room::io::{BrokerState, Output};
use crate::room::members::Members;
use crate::room::timer::LinkTimer;
use crate::time::Millis;
use crate::wire::frame::LinkFrame;

/// When nothing has come from anybody for this long, one peer is asked: a change of network breaks all connections, so
/// one answer speaks for all of them, and the cost does not grow with the room.
const QUIET: Duration = Duration::from_secs(1);
/// The larger peer id asks this much later, because both sides of a pair are quiet at the same time.
const OTHER_ASKS_AFTER: Duration = Duration::from_millis(200);
/// The larger peer id makes its offer this much later, because both sides often notice at the same time.
const OTHER_OFFERS_AFTER: Duration = Duration::from_millis(300);
/// The connection to the broker is tested at most this often, because peers decide whether they answer.
const BROKER_TEST_PAUSE: Duration = Duration::from_secs(1);
/// In this time after a peer was heard, it is looked for in quick attempts: networks come back within seconds.
const QUICK_FOR: Duration = Duration::from_secs(20);
/// A quick attempt waits this long for an answer, …
const QUICK_ANSWER: Duration = Duration::from_secs(3);
/// … and this long in all for a path.
const QUICK_PATH: Duration = Duration::from_secs(5);
/// The pause between two looks at a quick attempt, …
const QUICK_INTERVAL: Duration = Duration::from_secs(1);
/// … and at one that takes its time.
const INTERVAL: Duration = Duration::from_secs(3);
/// An offer to somebody who was never connected is made anew for a newer announcement if it is older than this. A younger
/// one may have crossed the announcement.
const CROSSED: Duration = Duration::from_secs(1);

impl Links {
    /// Asks this peer for a sign of life.
    pub(super) fn ask(&mut self, peer: PeerId, cx: &mut Cx) {
        cx.send(peer, LinkFrame::Ping { id: None });
    }

    /// Notes that something was sent to this peer which it answers at once.
    pub fn expect_answer(&mut self, peer: PeerId, cx: &mut Cx) {
        let link = self.links.get_mut(&peer);
        if let Some(State::Verified { open, .. }) = link.map(|link| &mut link.state) {
            open.answers.ask(cx.now);
            if let Some(due) = open.answers.due().filter(|_| !open.answers.doubted) {
                cx.timers.set_earlier(LinkTimer::Silence(peer).into(), due);
            }
        }
    }

    /// Chunks were sent to this peer. If it was quiet before, it is also asked, because a page in the background may take
    /// a second to acknowledge chunks.
    pub fn chunks_sent(&mut self, peer: PeerId, cx: &mut Cx) {
        if let Some(Link {
            state: State::Verified { open, heard },
            ..
        }) = self.links.get(&peer)
            && open.answers.asked().is_none()
            && cx.now.since(*heard) >= QUIET
        {
            self.ask(peer, cx);
        }
    }

    /// Asks one peer, if nothing has come from anybody for a while: the one that has been silent for longest.
    pub(super) fn break_quiet(&mut self, cx: &mut Cx) {
        let connected = self.links.iter().filter_map(|(peer, link)| {
            let State::Verified { open, heard } = &link.state else {
                return None;
            };
            let is_asked = open.answers.doubted || open.answers.asked().is_some();
            Some((is_asked, *heard, *peer))
        });
        let Some((is_asked, _, peer)) = connected.min() else {
            return;
        };
        let patience = if cx.own.id < peer {
            QUIET
        } else {
            QUIET + OTHER_ASKS_AFTER
        };
        let quiet_until = self.heard + patience;
        let next = if cx.now < quiet_until {
            quiet_until
        } else {
            if !is_asked {
                self.ask(peer, cx);
            }
            cx.now + patience
        };
        cx.timers.set(LinkTimer::Quiet.into(), next);
    }

    /// Notes that a peer did not answer in time. If nothing has come from anybody since it was asked, our own network is
    /// the likelier reason, and all connections are doubted.
    pub(super) fn doubt(&mut self, peer: PeerId, asked: Millis, cx: &mut Cx) {
        let all = self.heard <= asked;
        for (other, link) in self.links.iter_mut() {
            let State::Verified { open, .. } = &mut link.state else {
                continue;
            };
            if (*other == peer || all) && !core::mem::replace(&mut open.answers.doubted, true) {
                let at = cx.now + offering_delay(&cx.own.id, other);
                cx.timers.set(LinkTimer::Silence(*other).into(), at);
            }
        }
        self.test_broker(cx);
    }

    fn test_broker(&mut self, cx: &mut Cx) {
        if cx.now.since(self.broker_tested) >= BROKER_TEST_PAUSE {
            self.broker_tested = cx.now;
            cx.output(Output::TestBroker);
        }
    }

    /// Looks for a peer over the broker. Returns when to look again.
    pub(super) fn seek(&mut self, peer: PeerId, members: &Members, cx: &mut Cx) -> Millis {
        let Some(link) = self.links.get(&peer) else {
            return cx.now + INTERVAL;
        };
        let heard = link.state.heard().unwrap_or_default();
        let is_quick = cx.now.since(heard) < QUICK_FOR;
        let is_over = link.attempt.as_ref().is_some_and(|attempt| {
            attempt.is_unanswered(QUICK_ANSWER, cx.now) || attempt.is_pathless(QUICK_PATH, cx.now)
        });
        if is_quick && is_over {
            self.attempt_failed(peer, cx);
        }
        if !self.is_dialing(&peer) {
            self.dial(peer, members, cx);
            if self.is_dialing(&peer) {
                // The offer before this one may not have left, or its answer not have come.
                self.test_broker(cx);
            }
        }
        cx.now + if is_quick { QUICK_INTERVAL } else { INTERVAL }
    }

    /// A peer is heard that was doubted or silent. An offer that it has not answered is no longer needed.
    pub(super) fn found(&mut self, peer: PeerId, cx: &mut Cx) {
        let attempt = self.attempt(&peer);
        let is_needed =
            attempt.is_some_and(|attempt| !attempt.is_ours() || attempt.theirs().is_some());
        if !is_needed {
            self.give_up_attempt(peer, cx);
        }
    }

    /// Gives up the attempt to reach this peer, as far as the budget for offers to it allows another one: what was sent
    /// for the one under way may be lost, or hold addresses of another network. Returns whether it may begin anew.
    fn make_void(&mut self, peer: PeerId, cx: &mut Cx) -> bool {
        let link = self.links.get_mut(&peer);
        let may_offer = link.is_some_and(|link| link.offers.has_token(cx.now));
        if may_offer {
            self.give_up_attempt(peer, cx);
        }
        may_offer
    }

    /// A peer announced itself. If an offer of ours waits for its answer, it was lost with the connection to the broker
    /// that the peer had before.
    pub(super) fn announced(&mut self, peer: PeerId, members: &Members, cx: &mut Cx) {
        let Some(link) = self.links.get(&peer) else {
            return;
        };
        let attempt = link.attempt.as_ref();
        let waits = |patience| attempt.is_some_and(|its| its.is_unanswered(patience, cx.now));
        let is_missed = link.is_missed();
        let is_void = waits(if is_missed { Duration::ZERO } else { CROSSED });
        if link.state.open().is_some() && !is_missed {
            // It may have lost us without our noticing.
            return self.ask(peer, cx);
        }
        if is_void {
            self.make_void(peer, cx);
        }
        if is_void || is_missed {
            self.dial(peer, members, cx);
        }
    }

    /// Handles a change in the connection to a broker. Once there is a new one, whoever is missed is looked for anew: what
    /// was published before may be lost, and our addresses may be others now.
    pub fn on_broker(&mut self, state: BrokerState, cx: &mut Cx) {
        match state {
            BrokerState::Opening => self.broker_opened = cx.now,
            BrokerState::Ready => self.look_anew(self.broker_opened, cx),
            BrokerState::Unreachable { .. } | BrokerState::Refused { .. } => {}
        }
    }

    /// Begins those attempts to reach missed peers anew that are older than this.
    pub(super) fn look_anew(&mut self, before: Millis, cx: &mut Cx) {
        let is_void = |link: &Link| {
            link.is_missed()
                && link.attempt.as_ref().is_none_or(|attempt| {
                    attempt.since < before && !matches!(attempt.stage, Stage::Verifying { .. })
                })
        };
        let void = self.links.iter().filter(|(_, link)| is_void(link));
        let void: Vec<PeerId> = void.map(|(peer, _)| *peer).collect();
        for peer in void {
            if self.make_void(peer, cx) {
                let at = cx.now + offering_delay(&cx.own.id, &peer);
                cx.timers.set_earlier(LinkTimer::Silence(peer).into(), at);
            }
        }
    }
}

/// How long after it is in doubt a connection is replaced.
pub(super) fn offering_delay(own: &PeerId, peer: &PeerId) -> Duration {
    if own < peer {
        Duration::ZERO
    } else {
        OTHER_OFFERS_AFTER
    }
}
