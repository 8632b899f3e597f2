//! Attempts: an offer, its answer, candidates in any order, glare, time-outs.
//!
//! A try uses one peer connection and one [`Attempt`] number; what belongs to another number is ignored. At
//! most [`MAX_ATTEMPTS`] are under way at once, the rest wait. Where offers cross, the smaller peer id's stands.

use core::time::Duration;

use super::peer::{Decision, Link, Stage};
use super::{Deadline, Dropped, GoneReason, MAX_ATTEMPTS, Room};
use crate::identity::PeerId;
use crate::rtc::negotiation::Negotiation;
use crate::rtc::{Candidate, ConnectionId, Description, LinkCommand, LinkEvent, Path};
use crate::wire::envelope::PairContext;
use crate::wire::{Attempt, Body, Envelope, Frame, Introduction, PartReassembler, Subtopic};
use chacha20::rand_core::Rng;

/// So long may an offer stay without an answer.
const ANSWER: Duration = Duration::from_secs(8);
/// So long may the path take once both descriptions are known.
const PATH: Duration = Duration::from_secs(15);
/// So long may the other side take to prove itself on the open channel.
const PROOF: Duration = Duration::from_secs(5);
/// So many tries fail before we give up.
const MAX_TRIES: u32 = 3;
/// Who is there but cannot be reached is tried again after this, then after twice as long, …
const NEXT_ROUND: Duration = Duration::from_secs(15);
/// … and at last so rarely.
const LONGEST_ROUND: Duration = Duration::from_secs(300);
/// How often places are looked for while somebody waits for one.
const CROWD: Duration = Duration::from_millis(500);
/// So long may an offer stay without an answer while others wait for its place.
const PATIENCE_IN_A_CROWD: Duration = Duration::from_millis(2500);
/// Our proof is prepared once what has to leave at once has left.
const SOON: Duration = Duration::from_millis(1);
/// Between two tries of ours.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);
/// Who is waited for gets this much longer than the one who should begin.
const THEIR_TURN: Duration = Duration::from_secs(4);

impl Room {
    /// Begins an attempt to connect to this peer, now or when there is a free place.
    pub(super) fn want_attempt(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get(&id) else {
            return;
        };
        let wanted = peer.decision == Decision::Accepted && !peer.failed;
        if !wanted || peer.trying.is_some() || (peer.current.is_some() && !peer.silent) {
            return;
        }
        if self.attempts() >= MAX_ATTEMPTS {
            self.wait_for_attempt(id);
        } else {
            self.offer(id);
        }
    }

    pub(super) fn wait_for_attempt(&mut self, id: PeerId) {
        if !self.waiting.contains(&id) {
            self.waiting.push_back(id);
        }
        self.deadlines
            .set_earlier(Deadline::Crowd, self.now + CROWD);
    }

    /// While others wait, an offer that nobody answers gives its place up: a flood of strangers who are not there
    /// must not keep those out who are.
    pub(super) fn make_place(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let now = self.now;
        let unanswered = |link: &Link| {
            link.stage == Stage::Offered && now.since(link.since) >= PATIENCE_IN_A_CROWD
        };
        let patient = self
            .peers
            .values()
            .filter(|peer| peer.trying.as_ref().is_some_and(unanswered));
        let given_up: Vec<PeerId> = patient
            .map(|peer| peer.id)
            .take(self.waiting.len())
            .collect();
        given_up.into_iter().for_each(|id| self.attempt_failed(id));
        if !self.waiting.is_empty() {
            self.deadlines.set(Deadline::Crowd, now + CROWD);
        }
    }

    /// Gives free places to those that wait, in an order that nobody can choose.
    pub(super) fn begin_waiting_attempts(&mut self) {
        while self.attempts() < MAX_ATTEMPTS && !self.waiting.is_empty() {
            let at = self.rng.next_u32() as usize % self.waiting.len();
            let Some(id) = self.waiting.swap_remove_back(at) else {
                return;
            };
            self.take_held_offer(id);
            self.want_attempt(id);
        }
    }

    fn attempts(&self) -> usize {
        self.peers
            .values()
            .filter(|peer| peer.trying.is_some())
            .count()
    }

    fn offer(&mut self, id: PeerId) {
        // Counted for the whole room, so that no number comes twice to a peer that was forgotten and met again.
        let attempt = Attempt::new(self.next_attempt, &self.id, &id);
        self.next_attempt += 1;
        let link = self.new_link(&id, attempt, true);
        let connection = link.connection;
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.trying = Some(link);
        }
        self.deadlines.clear(&Deadline::TheirOffer(id));
        self.deadlines.set(Deadline::Attempt(id), self.now + ANSWER);
        self.order(connection, LinkCommand::Offer { restart: false });
    }

    /// Answers an offer that has been let in. False if it has to wait for a free place.
    pub(super) fn answer_offer(&mut self, envelope: &Envelope) -> bool {
        let id = envelope.sender;
        let Body::RtcOffer { attempt, .. } = &envelope.body else {
            return true;
        };
        let Ok(introduction) = self.introduction(envelope) else {
            return true;
        };
        let smaller = self.id < id;
        let Some(peer) = self.peers.get_mut(&id) else {
            return true;
        };
        if let Some(link) = &peer.trying {
            let glare = link.offerer && matches!(link.stage, Stage::Describing | Stage::Offered);
            let repeated = !link.offerer && link.attempt == *attempt;
            if (glare && smaller) || repeated {
                return true;
            }
            self.give_up_attempt(id);
        } else if self.attempts() >= MAX_ATTEMPTS {
            return false;
        }
        let mut link = self.new_link(&id, *attempt, false);
        link.their_challenge = Some(introduction.challenge);
        link.their_fingerprint = introduction.description.fingerprint();
        let connection = link.connection;
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.trying = Some(link);
        }
        self.deadlines.clear(&Deadline::TheirOffer(id));
        self.deadlines.set(Deadline::Attempt(id), self.now + ANSWER);
        self.order(connection, LinkCommand::Answer(introduction.description));
        self.add_early_candidates(id);
        self.dirty = true;
        true
    }

    fn new_link(&mut self, peer: &PeerId, attempt: Attempt, offerer: bool) -> Link {
        let connection = ConnectionId(self.next_connection);
        self.next_connection += 1;
        self.counters.connection_opened();
        Link {
            connection,
            attempt,
            offerer,
            stage: Stage::Describing,
            challenge: self.random(),
            their_challenge: None,
            fingerprint: None,
            their_fingerprint: None,
            open: false,
            proof: None,
            joiner: PartReassembler::default(),
            negotiation: Negotiation::new(self.id > *peer),
            since: self.now,
        }
    }

    pub(super) fn on_answer(&mut self, envelope: &Envelope) -> Result<(), Dropped> {
        let Body::RtcAnswer { attempt, .. } = &envelope.body else {
            return Ok(());
        };
        let id = envelope.sender;
        let fits =
            |link: &Link| link.offerer && link.stage == Stage::Offered && link.attempt == *attempt;
        if !self
            .peers
            .get(&id)
            .and_then(|peer| peer.trying.as_ref())
            .is_some_and(fits)
        {
            return Err(Dropped::Unexpected);
        }
        let introduction = self.introduction(envelope)?;
        self.refuse_if_full(id)?;
        let path_by = self.now + PATH;
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&id) else {
            return Ok(());
        };
        peer.present = true;
        let Some(link) = &mut peer.trying else {
            return Ok(());
        };
        link.their_challenge = Some(introduction.challenge);
        link.their_fingerprint = introduction.description.fingerprint();
        link.stage = Stage::Pathing;
        let connection = link.connection;
        self.order(connection, LinkCommand::Accept(introduction.description));
        self.deadlines.set(Deadline::Attempt(id), path_by);
        self.deadlines.set(Deadline::Prove(id), now + SOON);
        self.dirty = true;
        Ok(())
    }

    /// Whether the candidates belonged to an attempt of ours.
    pub(super) fn add_candidates(&mut self, envelope: &Envelope) -> Result<bool, Dropped> {
        let Body::RtcCandidates { attempt, sealed } = &envelope.body else {
            return Ok(true);
        };
        let Some(peer) = self.peers.get(&envelope.sender) else {
            return Ok(false);
        };
        let links = [&peer.trying, &peer.current];
        let Some(link) = links
            .into_iter()
            .flatten()
            .find(|link| link.attempt == *attempt)
        else {
            return Ok(false);
        };
        let connection = link.connection;
        let context = self.context_of(envelope, *attempt);
        let candidates = context.open_candidates(&peer.pair, sealed)?;
        self.order(connection, LinkCommand::AddCandidates(candidates));
        Ok(true)
    }

    /// What vouches for the sealed part of an envelope to us.
    pub(super) fn context_of<'a>(
        &'a self,
        envelope: &'a Envelope,
        attempt: Attempt,
    ) -> PairContext<'a> {
        PairContext {
            topic: self.keys.topic(),
            subtopic: envelope.body.subtopic(),
            sender: &envelope.sender,
            recipient: &self.id,
            attempt,
            timestamp: envelope.timestamp,
        }
    }

    /// The connection to this peer that is being made.
    pub(super) fn trying(&mut self, id: PeerId) -> Option<&mut Link> {
        self.peers.get_mut(&id)?.trying.as_mut()
    }

    /// What is known of a connection to this peer.
    pub(super) fn link(&mut self, id: PeerId, connection: ConnectionId) -> Option<&mut Link> {
        self.peers.get_mut(&id)?.link_mut(connection)
    }

    /// A connection has something to tell.
    pub(super) fn on_notice(&mut self, connection: ConnectionId, notice: LinkEvent) {
        let found = self.peers.iter_mut().find_map(|(_, peer)| {
            let stage = peer.link_mut(connection)?.stage;
            Some((peer.id, stage))
        });
        let Some((id, stage)) = found else { return };
        match notice {
            LinkEvent::Described(description) if stage == Stage::Verified => {
                self.signal(id, connection, description)
            }
            LinkEvent::Described(description) => self.introduce(id, description),
            LinkEvent::Candidates(candidates) => self.tell_candidates(id, connection, candidates),
            LinkEvent::Opened => self.opened(id, connection),
            LinkEvent::Text(text) => self.on_text(id, connection, &text),
            LinkEvent::Bytes(bytes) => self.on_bytes(id, connection, &bytes),
            LinkEvent::NegotiationNeeded => self.renegotiate(id, false),
            LinkEvent::Path(Path::Connected) => {}
            LinkEvent::Path(Path::Disconnected) => self.path_doubtful(id, connection),
            LinkEvent::Closed if stage == Stage::Verified => self.current_closed(id),
            LinkEvent::Path(Path::Lost) | LinkEvent::Closed | LinkEvent::Failed(_) => {
                self.connection_failed(id, connection)
            }
        }
    }

    /// Our description is there: it goes out as the offer or the answer.
    fn introduce(&mut self, id: PeerId, description: Description) {
        if !description.fits_broker() {
            return self.attempt_failed(id);
        }
        let fingerprint = description.fingerprint();
        let timestamp = self.stamp();
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Some(link) = peer
            .trying
            .as_mut()
            .filter(|link| link.stage == Stage::Describing)
        else {
            return;
        };
        let (offerer, attempt, challenge) = (link.offerer, link.attempt, link.challenge);
        link.fingerprint = fingerprint;
        link.stage = if offerer {
            Stage::Offered
        } else {
            Stage::Pathing
        };
        let pair = peer.pair.clone();
        let context = PairContext {
            topic: self.keys.topic(),
            subtopic: if offerer {
                Subtopic::RtcOffer
            } else {
                Subtopic::RtcAnswer
            },
            sender: &self.id,
            recipient: &id,
            attempt,
            timestamp,
        };
        let sealed = context.seal(
            &pair,
            &mut self.rng,
            &Introduction {
                description,
                challenge,
            },
        );
        let body = if offerer {
            Body::RtcOffer {
                connect: Box::new(self.current_connect()),
                attempt,
                sealed,
            }
        } else {
            self.deadlines.set(Deadline::Attempt(id), self.now + PATH);
            self.deadlines.set(Deadline::Prove(id), self.now + SOON);
            Body::RtcAnswer { attempt, sealed }
        };
        self.publish(self.keys.inbox(&id), timestamp, body);
    }

    fn tell_candidates(
        &mut self,
        id: PeerId,
        connection: ConnectionId,
        candidates: Vec<Candidate>,
    ) {
        let timestamp = self.stamp();
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let pair = peer.pair.clone();
        let Some(link) = peer.link_mut(connection) else {
            return;
        };
        if link.stage == Stage::Verified {
            self.send(id, &Frame::Candidates { candidates });
            return;
        }
        if link.open {
            return;
        }
        let attempt = link.attempt;
        let context = PairContext {
            topic: self.keys.topic(),
            subtopic: Subtopic::RtcCandidates,
            sender: &self.id,
            recipient: &id,
            attempt,
            timestamp,
        };
        let sealed = context.seal(&pair, &mut self.rng, &candidates);
        self.publish(
            self.keys.inbox(&id),
            timestamp,
            Body::RtcCandidates { attempt, sealed },
        );
    }

    pub(super) fn opened(&mut self, id: PeerId, connection: ConnectionId) {
        let prove_by = self.now + PROOF;
        let Some(link) = self.trying(id) else { return };
        if link.connection != connection || link.open {
            return;
        }
        link.open = true;
        link.stage = Stage::Verifying;
        self.deadlines.set(Deadline::Attempt(id), prove_by);
        self.dirty = true;
        self.prepare_proof(id);
        self.send_proof(id);
    }

    /// The connection broke.
    fn connection_failed(&mut self, id: PeerId, connection: ConnectionId) {
        let Some(peer) = self.peers.get(&id) else {
            return;
        };
        if peer.is_current(connection) {
            self.current_lost(id);
        } else {
            self.attempt_failed(id);
        }
    }

    pub(super) fn attempt_timed_out(&mut self, id: PeerId) {
        match self.peers.get(&id).and_then(|peer| peer.trying.as_ref()) {
            Some(link) if link.open => {
                self.not_proven(id, "They did not prove who they are in time.")
            }
            Some(_) => self.attempt_failed(id),
            None => {}
        }
    }

    /// Tries again, or gives up after [`MAX_TRIES`].
    fn attempt_failed(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Some(link) = &peer.trying else { return };
        let offerer = link.offerer;
        peer.answered |= link.their_challenge.is_some();
        peer.tries += 1;
        let (tries, answered, rounds) = (peer.tries, peer.answered, peer.rounds);
        self.give_up_attempt(id);
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if peer.was_verified {
            // The silence of a peer that was here has a clock of its own.
        } else if tries < MAX_TRIES && (answered || self.waiting.is_empty()) {
            let pause = if offerer { BETWEEN_TRIES } else { THEIR_TURN };
            let pause = self.jittered(pause);
            self.deadlines
                .set(Deadline::TheirOffer(id), self.now + pause);
        } else if answered {
            peer.failed = true;
            peer.rounds += 1;
            let pause = NEXT_ROUND
                .saturating_mul(1 << rounds.min(5))
                .min(LONGEST_ROUND);
            let pause = self.jittered(pause);
            self.deadlines.set(Deadline::Retry(id), self.now + pause);
        } else {
            self.remove(id, GoneReason::Unreachable);
        }
        self.dirty = true;
        self.begin_waiting_attempts();
    }

    /// Closes the connection that was being made.
    pub(super) fn give_up_attempt(&mut self, id: PeerId) {
        let link = self.peers.get_mut(&id).and_then(|peer| peer.trying.take());
        if let Some(link) = link {
            self.order(link.connection, LinkCommand::Close);
        }
        self.deadlines.clear(&Deadline::Attempt(id));
        self.deadlines.clear(&Deadline::Prove(id));
    }

    /// The person wants another try.
    pub(super) fn retry(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        peer.failed = false;
        peer.tries = 0;
        peer.answered = false;
        self.dirty = true;
        self.want_attempt(id);
    }
}
