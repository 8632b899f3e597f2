//! What comes over the broker. Checks run cheapest first: size, seal, topic, peer id, newness, and only then a
//! signature, of which so many are checked a second. What fails is counted and changes nothing.

use super::budget::Budget;
use super::peer::{Decision, Peer};
use super::{Deadline, GoneReason, Trust};
use super::{Dropped, Event, MAX_DEPARTED, MAX_EARLY, MAX_ROSTER, Room};
use crate::identity::{PeerId, SealKey};
use crate::settings::Accept;
use crate::time::Millis;
use crate::wire::envelope::{FULL, verify_leave};
use crate::wire::{Body, Connect, Envelope, Subtopic};
use chacha20::rand_core::Rng;
use core::time::Duration;
use std::collections::VecDeque;

use litemap::LiteMap;

/// An offer that waited longer than this is not worth an answer: its sender has given up.
const OFFER_LIFE: Duration = Duration::from_secs(7);
/// So long are candidates kept for an offer or answer that is still under way.
const EARLY_LIFE: Duration = Duration::from_secs(8);
/// At most so many people wait for the person's decision at once.
const MAX_ASKED: usize = 5;
/// What one peer may send: so many frames at once …
const SPEECH_BURST: u32 = 400;
/// … and so many a second from then on.
const SPEECH_PER_SECOND: u32 = 60;
/// So long does who is heard in both directions have to offer.
const THEIR_OFFER: Duration = Duration::from_secs(2);

impl Room {
    pub(super) fn on_message(&mut self, topic: &str, payload: &[u8]) {
        match self.take_in(topic, payload) {
            Ok(()) => self.counters.received(),
            Err(reason) => self.dropped(reason),
        }
    }

    fn take_in(&mut self, topic: &str, payload: &[u8]) -> Result<(), Dropped> {
        let envelope = Envelope::open(&self.keys, topic, payload)?;
        if envelope.sender == self.id {
            if topic == self.keys.topic() && envelope.body.subtopic() == Subtopic::Connect {
                self.on_echo(envelope.timestamp);
            }
            return Ok(());
        }
        let to_all = matches!(envelope.body, Body::Connect(_) | Body::Leave { .. });
        if to_all != (topic == self.keys.topic()) {
            return Err(Dropped::WrongTopic);
        }
        if self
            .departed_until(&envelope.sender)
            .is_some_and(|until| envelope.timestamp <= until)
        {
            return Err(Dropped::Departed);
        }
        match &envelope.body {
            Body::Connect(connect) => self.on_connect(&envelope, connect),
            Body::RtcOffer { connect, .. } => self.on_offer(&envelope, connect),
            Body::RtcAnswer { .. } => self.on_answer(&envelope),
            Body::RtcCandidates { .. } => self.on_candidates(envelope),
            Body::Leave { .. } => self.on_leave(&envelope),
        }
    }

    fn on_connect(&mut self, envelope: &Envelope, connect: &Connect) -> Result<(), Dropped> {
        if connect.signed_at != envelope.timestamp {
            return Err(Dropped::Malformed);
        }
        self.refuse_if_full(envelope.sender)?;
        self.admit(envelope.sender, connect, true)?;
        if connect.capabilities & FULL != 0 {
            self.peer_is_full();
            return Ok(());
        }
        self.decide(envelope.sender);
        let Some(peer) = self.peers.get_mut(&envelope.sender) else {
            return Ok(());
        };
        // Who announces itself again has not given us up.
        peer.failed = false;
        if peer.decision == Decision::Accepted && peer.current.is_none() {
            self.meet(envelope.sender);
        }
        Ok(())
    }

    /// Begins an attempt, or waits for theirs if they will hear us in a moment.
    fn meet(&mut self, id: PeerId) {
        if self.will_be_heard() {
            let patience = self.jittered(THEIR_OFFER);
            self.deadlines
                .set_earlier(Deadline::TheirOffer(id), self.now + patience);
        } else {
            self.want_attempt(id);
        }
    }

    fn on_offer(&mut self, envelope: &Envelope, connect: &Connect) -> Result<(), Dropped> {
        let Body::RtcOffer { attempt, .. } = &envelope.body else {
            return Ok(());
        };
        if !attempt.is_from(&envelope.sender, &self.id) {
            return Err(Dropped::Malformed);
        }
        if let Some(peer) = self.peers.get(&envelope.sender)
            && peer
                .newest
                .get(&Subtopic::RtcOffer)
                .is_some_and(|newest| *newest >= envelope.timestamp)
        {
            return Err(Dropped::NotNewer);
        }
        self.refuse_if_full(envelope.sender)?;
        self.admit(envelope.sender, connect, false)?;
        self.introduction(envelope)?;
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&envelope.sender) else {
            return Ok(());
        };
        peer.take_newer(Subtopic::RtcOffer, envelope.timestamp);
        peer.present = true;
        peer.failed = false;
        peer.held = Some((envelope.clone(), now));
        self.dirty = true;
        self.decide(envelope.sender);
        self.take_held_offer(envelope.sender);
        Ok(())
    }

    /// A full room takes nobody in, and says so.
    pub(super) fn refuse_if_full(&mut self, sender: PeerId) -> Result<(), Dropped> {
        if !self.is_full() || self.peers.get(&sender).is_some_and(|peer| peer.present) {
            return Ok(());
        }
        self.announce_soon();
        Err(Dropped::RoomFull)
    }

    /// Checks who `connect` introduces, once for each new announcement, and gives it a place in the roster.
    fn admit(&mut self, sender: PeerId, connect: &Connect, announced: bool) -> Result<(), Dropped> {
        if connect.version == 0 || connect.peer_id() != sender {
            return Err(Dropped::WrongPeerId);
        }
        if let Some(peer) = self.peers.get(&sender) {
            if peer.connect == *connect {
                return if announced && !self.is_news(sender, connect.signed_at) {
                    Err(Dropped::NotNewer)
                } else {
                    Ok(())
                };
            }
            if connect.signed_at <= peer.connect.signed_at {
                // An offer under way may carry an older announcement than the one that overtook it.
                return if announced {
                    Err(Dropped::NotNewer)
                } else {
                    Ok(())
                };
            }
        }
        self.check_signature(|room| connect.verify(room.keys.topic()).is_ok())?;
        if self.peers.contains_key(&sender) {
            self.is_news(sender, connect.signed_at);
            self.renewed(sender, connect);
            return Ok(());
        }
        let ours = (&self.session, &self.id);
        let pair = SealKey::for_pair(self.keys.seal_key(), ours, (&connect.session, &sender))
            .map_err(|_| Dropped::BadSignature)?;
        self.make_room()?;
        let trust = self.trust.trust(&connect.identity, &connect.name);
        let mut newest = LiteMap::new();
        newest.insert(
            Subtopic::Connect,
            if announced {
                connect.signed_at
            } else {
                Millis(0)
            },
        );
        let peer = Peer {
            id: sender,
            connect: connect.clone(),
            name: connect.name.clone(),
            user: String::new(),
            info: None,
            trust,
            decision: Decision::Undecided,
            pair,
            newest,
            current: None,
            trying: None,
            held: None,
            present: false,
            was_verified: false,
            failed: false,
            tries: 0,
            answered: false,
            rounds: 0,
            heard: self.now,
            silent: false,
            closed: None,
            outbox: VecDeque::new(),
            speech: Budget::new(SPEECH_BURST, SPEECH_PER_SECOND, self.now),
            said: VecDeque::new(),
            stream: self.new_stream(),
            pings: Vec::new(),
        };
        self.peers.insert(sender, peer);
        self.dirty = true;
        Ok(())
    }

    fn is_news(&mut self, id: PeerId, signed_at: Millis) -> bool {
        self.peers
            .get_mut(&id)
            .is_some_and(|peer| peer.take_newer(Subtopic::Connect, signed_at))
    }

    fn renewed(&mut self, id: PeerId, connect: &Connect) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        peer.connect = connect.clone();
        // Once connected, names change on the verified channel only.
        if !peer.was_verified {
            peer.name = connect.name.clone();
            peer.trust = self.trust.trust(&connect.identity, &connect.name);
        }
        self.dirty = true;
    }

    /// Asks the policy about a peer that nobody has decided on yet.
    fn decide(&mut self, id: PeerId) {
        let asked = self
            .peers
            .values()
            .filter(|peer| peer.decision == Decision::Asked)
            .count();
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if peer.decision != Decision::Undecided {
            return;
        }
        let asks = self.asks_about_all;
        let known = matches!(peer.trust, Trust::Known | Trust::Verified);
        peer.decision = match self.accept {
            _ if self.trust.is_blocked(&peer.connect.identity) => Decision::Declined,
            Accept::Everyone if !asks => Decision::Accepted,
            Accept::Ask | Accept::Known if known && !asks => Decision::Accepted,
            Accept::Known if !asks => Decision::Declined,
            _ if asked >= MAX_ASKED => Decision::Undecided,
            _ => Decision::Asked,
        };
        if peer.decision == Decision::Asked {
            self.name_everybody();
            if let Some(peer) = self.peers.get(&id) {
                let view = peer.view();
                self.event(Event::Request(view));
            }
        }
    }

    /// The person decided.
    pub(super) fn decided(&mut self, id: PeerId, accept: bool) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if peer.decision != Decision::Asked {
            return;
        }
        peer.decision = if accept {
            Decision::Accepted
        } else {
            Decision::Declined
        };
        self.dirty = true;
        if accept {
            self.take_held_offer(id);
            self.want_attempt(id);
        }
        // Who came while as many as may be were being asked about has waited for this.
        let next = self.peers.values().find(|peer| {
            peer.decision == Decision::Undecided && peer.connect.capabilities & FULL == 0
        });
        if let Some(next) = next.map(|peer| peer.id) {
            self.decide(next);
        }
    }

    /// Answers the offer that was kept, if it is wanted and still worth it.
    pub(super) fn take_held_offer(&mut self, id: PeerId) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        match peer.decision {
            Decision::Asked | Decision::Undecided => return,
            Decision::Declined => {
                peer.held = None;
                self.dropped(Dropped::Declined);
                return;
            }
            Decision::Accepted => {}
        }
        if peer
            .held
            .as_ref()
            .is_some_and(|(_, at)| now.since(*at) > OFFER_LIFE)
        {
            peer.held = None;
        }
        let Some((envelope, at)) = peer.held.take() else {
            return;
        };
        if !self.answer_offer(&envelope)
            && let Some(peer) = self.peers.get_mut(&id)
        {
            peer.held = Some((envelope, at));
            self.wait_for_attempt(id);
        }
    }

    /// Opens what an offer or answer holds for us alone.
    pub(super) fn introduction(
        &self,
        envelope: &Envelope,
    ) -> Result<crate::wire::Introduction, Dropped> {
        let (Body::RtcOffer {
            attempt, sealed, ..
        }
        | Body::RtcAnswer { attempt, sealed }) = &envelope.body
        else {
            return Err(Dropped::Unexpected);
        };
        let peer = self
            .peers
            .get(&envelope.sender)
            .ok_or(Dropped::Unexpected)?;
        let context = self.context_of(envelope, *attempt);
        let introduction = context.open_introduction(&peer.pair, sealed)?;
        // Without a fingerprint there is nothing that a proof could be bound to.
        if introduction.description.fingerprint().is_none() {
            return Err(Dropped::Malformed);
        }
        Ok(introduction)
    }

    fn on_candidates(&mut self, envelope: Envelope) -> Result<(), Dropped> {
        if self.add_candidates(&envelope)? {
            return Ok(());
        }
        let now = self.now;
        self.early.retain(|(_, at)| now.since(*at) < EARLY_LIFE);
        if self.early.len() >= MAX_EARLY {
            self.early.pop_front();
        }
        self.early.push_back((envelope, now));
        Ok(())
    }

    /// Hands on the candidates that came before the offer or answer they belong to.
    pub(super) fn add_early_candidates(&mut self, id: PeerId) {
        let (theirs, others) = core::mem::take(&mut self.early)
            .into_iter()
            .partition(|(early, _)| early.sender == id);
        self.early = others;
        let theirs: VecDeque<(Envelope, Millis)> = theirs;
        for (envelope, _) in theirs {
            if let Err(reason) = self.add_candidates(&envelope) {
                self.dropped(reason);
            }
        }
    }

    fn on_leave(&mut self, envelope: &Envelope) -> Result<(), Dropped> {
        let Body::Leave { signature } = &envelope.body else {
            return Ok(());
        };
        let peer = self
            .peers
            .get(&envelope.sender)
            .ok_or(Dropped::Unexpected)?;
        let (identity, id, timestamp) = (peer.connect.identity, peer.id, envelope.timestamp);
        self.check_signature(|room| {
            verify_leave(&identity, room.keys.topic(), &id, timestamp, signature).is_ok()
        })?;
        self.remove(id, GoneReason::Left);
        Ok(())
    }

    /// Spends one of the signature checks that there are a second.
    fn check_signature(&mut self, check: impl FnOnce(&Room) -> bool) -> Result<(), Dropped> {
        if !self.signatures.take(self.now) {
            return Err(Dropped::OverBudget);
        }
        self.counters.signature_checked();
        if check(self) {
            Ok(())
        } else {
            Err(Dropped::BadSignature)
        }
    }

    /// Where the roster is full, somebody who never showed itself makes room, chosen by chance so that a flood
    /// of strangers cannot keep everybody else out.
    fn make_room(&mut self) -> Result<(), Dropped> {
        if self.peers.len() < MAX_ROSTER {
            return Ok(());
        }
        let absent = self.ids(|peer| !peer.present && peer.trying.is_none());
        if absent.is_empty() {
            return Err(Dropped::RoomFull);
        }
        let chosen = absent[self.rng.next_u32() as usize % absent.len()];
        self.remove(chosen, GoneReason::Unreachable);
        Ok(())
    }

    pub(super) fn departed_until(&self, id: &PeerId) -> Option<Millis> {
        self.departed
            .iter()
            .find(|(departed, _)| departed == id)
            .map(|(_, until)| *until)
    }

    /// Forgets a peer and closes what led to it.
    pub(super) fn remove(&mut self, id: PeerId, reason: GoneReason) {
        let Some(peer) = self.peers.remove(&id) else {
            return;
        };
        let named: [fn(PeerId) -> Deadline; 5] = [
            Deadline::TheirOffer,
            Deadline::Attempt,
            Deadline::Retry,
            Deadline::Prove,
            Deadline::Silence,
        ];
        named
            .iter()
            .for_each(|name| self.deadlines.clear(&name(id)));
        self.waiting.retain(|waiting| *waiting != id);
        self.departed.retain(|(departed, _)| *departed != id);
        if self.departed.len() >= MAX_DEPARTED {
            self.departed.pop_front();
        }
        // Who left has no more to say; who was lost may come back with something newer.
        let newest = peer
            .newest
            .values()
            .copied()
            .fold(peer.connect.signed_at, Millis::max);
        let until = if matches!(reason, GoneReason::Left | GoneReason::Disconnected) {
            Millis(u64::MAX)
        } else {
            newest
        };
        self.departed.push_back((id, until));
        if peer.decision == Decision::Asked {
            self.event(Event::RequestWithdrawn(id));
        }
        self.not_delivered(&peer);
        self.not_sent(&peer);
        let links = [peer.current, peer.trying];
        for link in links.into_iter().flatten() {
            self.order(link.connection, crate::rtc::LinkCommand::Close);
        }
        if let Some(view) = self.shown.remove(&id) {
            self.event(Event::Gone { peer: view, reason });
        }
        self.dirty = true;
        self.begin_waiting_attempts();
    }
}
