//! Attempts: an offer, its answer, candidates in any order, glare, time-outs.
//!
//! An attempt uses one peer connection and one number; messages with another number are ignored. At most
//! [`MAX_ATTEMPTS`] are under way at once, and some more to known keys; the rest wait. Where offers cross, the one of
//! the smaller peer id stands.

use core::time::Duration;

use super::link::{Attempt, Binding, Link, Named, Side, Stage, State, Tries};
use super::{KNOWN_ATTEMPTS, Links, MAX_ATTEMPTS};
use crate::budget::Budget;
use crate::identity::PeerId;
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::effect::{Effect, Outgoing, Sent};
use crate::room::io::GoneReason;
use crate::room::members::{Members, Offer};
use crate::room::timer::LinkTimer;
use crate::rtc::{Candidate, ConnectionId, DataDescription, LinkCommand};
use crate::time::Millis;
use crate::wire::extension::Extensions;
use crate::wire::{Attempt as AttemptNumber, Introduction, Nonce};

/// How long an offer may stay without an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);
/// How long the path may take once both descriptions are known.
const PATH_TIMEOUT: Duration = Duration::from_secs(15);
/// If no path has been found for this long, people are told. Most are found within one second or two.
const PATH_LATE_AFTER: Duration = Duration::from_secs(10);
/// How long the other side may take to prove itself on the open channel.
const PROOF_TIMEOUT: Duration = Duration::from_secs(5);
/// The number of tries that may fail before we give up.
const MAX_TRIES: u32 = 3;
/// A peer that answered before, and then leaves this many offers in a row without an answer, is gone.
const MAX_UNANSWERED: u32 = 2;
/// A peer that is there but cannot be reached is tried again after this, then after twice as long, …
const FIRST_ROUND_PAUSE: Duration = Duration::from_secs(15);
/// … and at last this rarely.
const LONGEST_ROUND_PAUSE: Duration = Duration::from_secs(300);
/// Free places are looked for this often while peers wait for one.
const QUEUE_INTERVAL: Duration = Duration::from_millis(500);
/// How long an offer may stay without an answer while others wait for its place.
const PATIENCE_IN_A_CROWD: Duration = Duration::from_millis(2500);
/// How long a path may take while others wait for its place: most are found within one or two.
const PATH_PATIENCE_IN_A_CROWD: Duration = Duration::from_secs(5);
/// Our proof is prepared after this delay, so that more urgent messages leave first.
const PROOF_DELAY: Duration = Duration::from_millis(1);
/// After an attempt of ours failed, we try again after this …
const BETWEEN_TRIES: Duration = Duration::from_secs(1);
/// … and after one that we answered, after this: it is their turn first.
const THEIR_TURN: Duration = Duration::from_secs(4);
/// The grace period for the remote peer to offer first, where it will hear us in a moment.
const THEIR_OFFER: Duration = Duration::from_secs(2);
/// Offers that we make to one peer: at most this many at once …
const OFFERS_BURST: u32 = 8;
/// … and then one in this time. It could fail as soon as it is made, and the peer ask for another one.
const OFFER_PAUSE: Duration = Duration::from_secs(4);
/// An offer that waited longer than this is not worth an answer: its sender has given up.
const OFFER_LIFE: Duration = Duration::from_secs(7);

impl Links {
    /// Begins an attempt, or waits for theirs if they will hear us in a moment.
    pub(super) fn meet(
        &mut self,
        peer: PeerId,
        will_be_heard: bool,
        members: &Members,
        cx: &mut Cx,
    ) {
        if self.is_connected(&peer) || !members.is_accepted(&peer) {
            return;
        }
        if will_be_heard {
            let patience = cx.jittered(THEIR_OFFER);
            cx.timers
                .set_earlier(LinkTimer::Dial(peer).into(), cx.now + patience);
        } else {
            self.dial(peer, members, cx);
        }
    }

    /// Begins an attempt to connect to this peer, now or when there is a free place.
    pub fn dial(&mut self, peer: PeerId, members: &Members, cx: &mut Cx) {
        if !members.is_accepted(&peer) {
            return;
        }
        let link = self.link(peer, cx);
        let wanted = matches!(link.state, State::New) || link.is_missed();
        if !wanted || link.attempt.is_some() {
            return;
        }
        if !self.has_place(&peer, members, cx.now) {
            self.wait_for_place(peer, cx);
        } else if self.link(peer, cx).offers.take(cx.now) {
            self.offer(peer, members, cx);
        } else {
            cx.timers
                .set_earlier(LinkTimer::Dial(peer).into(), cx.now + OFFER_PAUSE);
        }
    }

    fn link(&mut self, peer: PeerId, cx: &Cx) -> &mut Link {
        self.links
            .entry(peer)
            .or_insert_with(|| Link::new(Budget::slow(OFFERS_BURST, OFFER_PAUSE, cx.now)))
    }

    /// Answers or dials a peer that the person has just accepted.
    pub fn accepted(&mut self, peer: PeerId, members: &Members, cx: &mut Cx) {
        self.take_held_offer(peer, members, cx);
        self.dial(peer, members, cx);
    }

    /// Drops the offer of a peer that the person has turned away.
    pub fn declined(&mut self, peer: &PeerId, cx: &mut Cx) {
        let link = self.links.get_mut(peer);
        if link.is_some_and(|link| link.held.take().is_some()) {
            cx.dropped(Dropped::Declined);
        }
    }

    fn wait_for_place(&mut self, peer: PeerId, cx: &mut Cx) {
        if !self.waiting.contains(&peer) {
            self.waiting.push_back(peer);
        }
        cx.timers
            .set_earlier(LinkTimer::Queue.into(), cx.now + QUEUE_INTERVAL);
    }

    /// Takes places from offers that nobody answers, and from attempts that find no path, while others wait: a flood of
    /// strangers who are not there must not keep out peers that are.
    pub(super) fn make_place(&mut self, cx: &mut Cx) {
        if self.waiting.is_empty() {
            return;
        }
        let unanswered = self.links.iter().filter(|(_, link)| {
            let attempt = link.attempt.as_ref();
            attempt.is_some_and(|attempt| {
                attempt.is_unanswered(PATIENCE_IN_A_CROWD, cx.now)
                    || attempt.is_pathless(PATH_PATIENCE_IN_A_CROWD, cx.now)
            })
        });
        let given_up = unanswered.map(|(peer, _)| *peer).take(self.waiting.len());
        let given_up: Vec<PeerId> = given_up.collect();
        for peer in given_up {
            self.attempt_failed(peer, cx);
        }
        cx.timers
            .set(LinkTimer::Queue.into(), cx.now + QUEUE_INTERVAL);
    }

    /// Gives free places to those that wait, in an order that nobody can choose.
    pub fn dial_waiting(&mut self, members: &Members, cx: &mut Cx) {
        loop {
            let attempts = self.attempts();
            let at = if self.waiting.is_empty() || attempts >= MAX_ATTEMPTS + KNOWN_ATTEMPTS {
                return;
            } else if attempts < MAX_ATTEMPTS && self.strangers.has_token(cx.now) {
                cx.random_index(self.waiting.len())
            } else {
                let mut waiting = self.waiting.iter();
                let Some(at) = waiting.position(|peer| members.is_known(peer)) else {
                    return;
                };
                at
            };
            let Some(peer) = self.waiting.swap_remove_back(at) else {
                return;
            };
            self.take_held_offer(peer, members, cx);
            self.dial(peer, members, cx);
        }
    }

    fn offer(&mut self, peer: PeerId, members: &Members, cx: &mut Cx) {
        // Counted for the whole room, so that no number comes twice to a peer that was forgotten and met again.
        let number = AttemptNumber::new(self.next_attempt, &cx.own.id, &peer);
        self.next_attempt += 1;
        let connection = self.begin_attempt(peer, number, None, members, cx);
        cx.link(connection, LinkCommand::Offer);
    }

    fn begin_attempt(
        &mut self,
        peer: PeerId,
        number: AttemptNumber,
        theirs: Option<(Side, Named)>,
        members: &Members,
        cx: &mut Cx,
    ) -> ConnectionId {
        if !members.is_known(&peer) {
            self.strangers.take(cx.now);
        }
        let connection = ConnectionId(self.next_connection);
        self.next_connection += 1;
        cx.counters.connection_opened();
        if theirs.is_some() {
            self.await_path(peer, cx);
        }
        let challenge = Nonce::generate(&mut cx.rng);
        let attempt = Attempt::new(connection, number, theirs, challenge, cx.now);
        let link = self.link(peer, cx);
        link.attempt = Some(attempt);
        // Somebody's network may have changed, perhaps ours.
        let met = link.state.heard().is_some();
        self.connections.insert(connection, peer);
        cx.timers.clear(&LinkTimer::Dial(peer).into());
        cx.timers
            .set(LinkTimer::Attempt(peer).into(), cx.now + ANSWER_TIMEOUT);
        if met {
            cx.link(connection, LinkCommand::GatherAnew);
        }
        connection
    }

    /// Keeps an offer until it is decided on, and there is a place.
    pub(super) fn hold_offer(&mut self, peer: PeerId, offer: Box<Offer>, cx: &Cx) {
        self.link(peer, cx).held = Some((offer, cx.now));
    }

    /// Answers the offer that was kept, if the peer is accepted and the offer is not too old.
    pub(super) fn take_held_offer(&mut self, peer: PeerId, members: &Members, cx: &mut Cx) {
        if members.is_declined(&peer) {
            return self.declined(&peer, cx);
        }
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        if !members.is_accepted(&peer) {
            return;
        }
        let fresh = |(_, at): &(Box<Offer>, _)| cx.now.since(*at) <= OFFER_LIFE;
        let Some((offer, at)) = link.held.take().filter(fresh) else {
            return;
        };
        if !self.answer(peer, &offer, members, cx) {
            self.link(peer, cx).held = Some((offer, at));
            self.wait_for_place(peer, cx);
        }
    }

    /// Answers an offer that has been let in. Returns false if it has to wait for a free place.
    fn answer(&mut self, peer: PeerId, offer: &Offer, members: &Members, cx: &mut Cx) -> bool {
        let attempt = self.links.get(&peer).and_then(|link| link.attempt.as_ref());
        if let Some(attempt) = attempt {
            let unanswered = attempt.is_ours() && attempt.theirs().is_none();
            let repeated = !attempt.is_ours() && attempt.number == offer.attempt;
            // A peer that has forgotten us cannot open an offer that resumes, and offers back: that one has to win.
            let resumes = attempt.resumes.unwrap_or_else(|| members.resumes(&peer));
            let ours_stands = if resumes == offer.resumes {
                cx.own.id < peer
            } else {
                offer.resumes
            };
            if (unanswered && ours_stands) || repeated {
                return true;
            }
            self.give_up_attempt(peer, cx);
        } else if !self.has_place(&peer, members, cx.now) {
            return false;
        }
        let theirs = Side::of(&offer.introduction, offer.description.fingerprint());
        let named = Named {
            ours: offer.ours,
            theirs: offer.id,
            connect: offer.connect.clone(),
        };
        let connection =
            self.begin_attempt(peer, offer.attempt, Some((theirs, named)), members, cx);
        cx.link(connection, LinkCommand::Answer(offer.description.clone()));
        cx.effect(Effect::ReleaseEarly(peer));
        cx.changed = true;
        true
    }

    /// Remembers which announcements our offer names, once it has been sent.
    pub fn on_offer_sent(&mut self, peer: PeerId, sent: Sent, members: &Members) {
        let connect = members.connect(&peer).cloned();
        let (Some(attempt), Some(connect)) = (self.attempt(&peer), connect) else {
            return;
        };
        if attempt.number == sent.attempt {
            attempt.resumes = Some(sent.resumes);
            attempt.named = Some(Named {
                ours: sent.ours,
                theirs: sent.theirs,
                connect,
            });
        }
    }

    /// Handles the answer to our offer.
    pub(super) fn on_answer(
        &mut self,
        peer: PeerId,
        introduction: &Introduction,
        description: DataDescription,
        cx: &mut Cx,
    ) {
        let Some(attempt) = self.attempt(&peer) else {
            return;
        };
        let Stage::Offered { ours } = attempt.stage else {
            return;
        };
        let theirs = Side::of(introduction, description.fingerprint());
        let connection = attempt.connection;
        attempt.stage = Stage::Connecting {
            binding: Binding { ours, theirs },
        };
        cx.link(connection, LinkCommand::Accept(description));
        self.path_begins(peer, cx);
        cx.changed = true;
    }

    fn path_begins(&mut self, peer: PeerId, cx: &mut Cx) {
        cx.timers
            .set(LinkTimer::Attempt(peer).into(), cx.now + PATH_TIMEOUT);
        cx.timers
            .set(LinkTimer::Prove(peer).into(), cx.now + PROOF_DELAY);
        self.await_path(peer, cx);
    }

    /// Begins to wait for a path to a peer that has answered or offered. The time counts from the first attempt.
    fn await_path(&self, peer: PeerId, cx: &mut Cx) {
        cx.timers
            .set_earlier(LinkTimer::Path(peer).into(), cx.now + PATH_LATE_AFTER);
    }

    /// Notes that no path has been found for long: people are told what the matter is, while it is tried further.
    pub(super) fn path_is_late(&mut self, peer: PeerId, cx: &mut Cx) {
        let link = self.links.get_mut(&peer);
        if let Some(link) = link.filter(|link| link.tries.unanswered == 0) {
            link.tries.lacks_path = true;
            cx.changed = true;
        }
    }

    /// Adds candidates to a connection, as far as its budget allows. `stamp` is the timestamp of their envelope, if they
    /// came over a broker.
    pub(super) fn add_candidates(
        &mut self,
        peer: PeerId,
        number: AttemptNumber,
        stamp: Option<Millis>,
        candidates: Vec<Candidate>,
        cx: &mut Cx,
    ) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        let Some(connection) = link.connection_of(number) else {
            return;
        };
        let attempt = link.attempt.as_mut().filter(|its| its.number == number);
        let told = match (attempt, link.state.open_mut()) {
            (Some(attempt), _) => &mut attempt.candidates,
            (None, Some(open)) => &mut open.candidates,
            (None, None) => return,
        };
        if stamp.is_some_and(|stamp| !told.is_new(stamp)) {
            return cx.dropped(Dropped::NotNewer);
        }
        let count = candidates.len();
        let affordable = candidates
            .into_iter()
            .take_while(|_| told.budget.take(cx.now));
        let affordable: Vec<Candidate> = affordable.collect();
        if affordable.len() < count {
            cx.dropped(Dropped::TooManyCandidates);
        }
        if !affordable.is_empty() {
            cx.link(connection, LinkCommand::AddCandidates(affordable));
        }
    }

    /// The connection to this peer that is being made.
    pub(super) fn attempt(&mut self, peer: &PeerId) -> Option<&mut Attempt> {
        self.links.get_mut(peer)?.attempt.as_mut()
    }

    /// Sends our description, which has just been made, as the offer or the answer.
    pub(super) fn on_described(
        &mut self,
        peer: PeerId,
        description: &DataDescription,
        cx: &mut Cx,
    ) {
        let Some(its) = self.attempt(&peer) else {
            return;
        };
        let Stage::Describing { challenge, theirs } = its.stage else {
            return;
        };
        let attempt = its.number;
        let compact = description.to_bytes();
        // A compact description always fits.
        let Ok(introduction) = Introduction::new(challenge, compact, Extensions::default()) else {
            return self.attempt_failed(peer, cx);
        };
        let ours = Side::of(&introduction, description.fingerprint());
        let outgoing = if let Some(theirs) = theirs {
            its.stage = Stage::Connecting {
                binding: Binding { ours, theirs },
            };
            self.path_begins(peer, cx);
            Outgoing::Answer {
                attempt,
                challenge: theirs.challenge,
                introduction,
            }
        } else {
            its.stage = Stage::Offered { ours };
            Outgoing::Offer {
                attempt,
                introduction,
            }
        };
        cx.effect(Effect::Signal(peer, outgoing));
    }

    /// Sends candidates that were found late for a connection that is being made.
    pub(super) fn tell_candidates(
        &mut self,
        peer: PeerId,
        candidates: Vec<Candidate>,
        cx: &mut Cx,
    ) {
        // On an open channel a path has been found: no more candidates are sent before it is verified.
        let attempt = self.attempt(&peer).filter(|its| !its.is_open());
        let challenged = attempt.and_then(|its| Some((its.number, its.offer_challenge()?)));
        if let Some((attempt, challenge)) = challenged {
            let outgoing = Outgoing::Candidates {
                attempt,
                challenge,
                candidates,
            };
            cx.effect(Effect::Signal(peer, outgoing));
        }
    }

    /// Begins to verify an attempt whose channel has opened.
    pub(super) fn opened(&mut self, peer: PeerId, connection: ConnectionId, cx: &mut Cx) {
        let attempt = self.attempt(&peer);
        if attempt.is_none_or(|its| its.connection != connection) {
            return;
        }
        self.prepare_proof(peer, cx);
        let Some(its) = self.attempt(&peer) else {
            return;
        };
        let Stage::Connecting { binding } = its.stage else {
            return;
        };
        its.stage = Stage::Verifying { binding };
        if let Some(link) = self.links.get_mut(&peer) {
            link.tries.lacks_path = false;
        }
        cx.timers.clear(&LinkTimer::Path(peer).into());
        cx.timers
            .set(LinkTimer::Attempt(peer).into(), cx.now + PROOF_TIMEOUT);
        cx.changed = true;
        self.send_proof(peer, cx);
    }

    /// Tries again, or gives up after [`MAX_TRIES`].
    pub(super) fn attempt_failed(&mut self, peer: PeerId, cx: &mut Cx) {
        let crowded = !self.waiting.is_empty();
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        let Some(attempt) = &link.attempt else { return };
        let (offerer, was_open) = (attempt.is_ours(), attempt.is_open());
        if attempt.theirs().is_some() {
            link.tries.answered = true;
            link.tries.unanswered = 0;
        } else {
            // That there is no path is only said of somebody who is there.
            link.tries.lacks_path = false;
            link.tries.unanswered += 1;
        }
        link.tries.failed += 1;
        let Tries {
            failed,
            answered,
            unanswered,
            rounds,
            ..
        } = link.tries;
        if link.state.heard().is_some() {
            // A peer that was verified has a timer of its own for its silence.
        } else if answered && unanswered >= MAX_UNANSWERED {
            cx.effect(Effect::Remove(peer, GoneReason::Unreachable));
        } else if failed < MAX_TRIES && !crowded {
            let pause = if offerer { BETWEEN_TRIES } else { THEIR_TURN };
            let pause = cx.jittered(pause);
            cx.timers.set(LinkTimer::Dial(peer).into(), cx.now + pause);
        } else if answered {
            link.state = State::Failed { heard: None };
            // If the channel was open, a path was there, and the proof is what did not come.
            link.tries.lacks_path |= !was_open;
            link.tries.rounds += 1;
            let pause = FIRST_ROUND_PAUSE
                .saturating_mul(1 << rounds.min(5))
                .min(LONGEST_ROUND_PAUSE);
            let pause = cx.jittered(pause);
            cx.timers.set(LinkTimer::Retry(peer).into(), cx.now + pause);
        } else {
            cx.effect(Effect::Remove(peer, GoneReason::Unreachable));
        }
        self.give_up_attempt(peer, cx);
        cx.changed = true;
    }

    /// Closes the connection that was being made.
    pub(super) fn give_up_attempt(&mut self, peer: PeerId, cx: &mut Cx) {
        let link = self.links.get_mut(&peer);
        if let Some(attempt) = link.and_then(|link| link.attempt.take()) {
            self.close(attempt.connection, cx);
        }
        cx.timers.clear(&LinkTimer::Attempt(peer).into());
        cx.timers.clear(&LinkTimer::Prove(peer).into());
    }

    /// Tries again, because the person wants it.
    pub fn retry(&mut self, peer: PeerId, members: &Members, cx: &mut Cx) {
        if let Some(link) = self.links.get_mut(&peer) {
            link.tries.lacks_path = false;
        }
        cx.timers.clear(&LinkTimer::Path(peer).into());
        self.begin_round(peer, members, cx);
    }

    /// Begins another round of tries.
    pub(super) fn begin_round(&mut self, peer: PeerId, members: &Members, cx: &mut Cx) {
        self.revive(peer);
        if let Some(link) = self.links.get_mut(&peer) {
            link.tries.failed = 0;
            link.tries.answered = false;
        }
        cx.changed = true;
        self.dial(peer, members, cx);
    }

    /// Makes a failed peer available again: one that announces itself, or offers, has not given us up.
    pub(super) fn revive(&mut self, peer: PeerId) {
        if let Some(Link { state, .. }) = self.links.get_mut(&peer)
            && let State::Failed { heard } = state
        {
            *state = match *heard {
                Some(heard) => State::Broken {
                    heard,
                    closed: None,
                },
                None => State::New,
            };
        }
    }
}
