//! Messages for us that came over brokers: announcements, offers, answers, candidates, knocks, farewells. Checks run
//! cheapest first; messages that fail are counted and change nothing.

use super::Members;
use crate::identity::PeerId;
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::io::Carrier;
use crate::room::links::Links;
use crate::room::signaling::Signaling;
use crate::rtc::{Candidate, DataDescription, SdpType};
use crate::time::Millis;
use crate::wire::connect::FULL;
use crate::wire::envelope::{EnvelopeError, PairSealed, RtcOffer};
use crate::wire::pair::PairContext;
use crate::wire::{
    Attempt, Body, Connect, ConnectId, Envelope, Introduction, Knock, Nonce, NonceSource,
};

/// The way that a message came, and the state that it is checked against.
#[derive(Clone, Copy)]
pub(in crate::room) struct Via<'a> {
    pub carrier: Carrier,
    pub signaling: &'a Signaling,
    pub links: &'a Links,
}

/// An offer that has been opened.
#[derive(Debug, Clone)]
pub(in crate::room) struct Offer {
    pub attempt: Attempt,
    pub introduction: Introduction,
    pub description: DataDescription,
    /// The announcement that came with it, and its id.
    pub connect: Connect,
    pub id: ConnectId,
    /// The announcement of ours that it is for.
    pub ours: ConnectId,
    /// It names no announcement, but our last proof.
    pub resumes: bool,
}

/// A body that passed the checks, and what it asks for.
#[derive(Debug)]
pub(in crate::room) enum Received {
    /// A peer announced itself.
    Announced(PeerId),
    /// A peer announced itself, and that it is full.
    Full,
    /// A peer has shown that it is here, and asks to be let in.
    Knocked(PeerId),
    /// A peer offered, or knocked, for an announcement of ours that has expired. We offer instead, after a moment.
    Stale(PeerId),
    /// A peer makes an offer.
    Offer(PeerId, Box<Offer>),
    /// A peer answers the offer that is open to it.
    Answer(PeerId, Introduction, DataDescription),
    /// A peer sends candidates for a connection, in an envelope of this time.
    Candidates(PeerId, Attempt, Millis, Vec<Candidate>),
    /// Candidates whose offer or answer has not come yet, or the farewell of a peer that is not known yet.
    Early(Box<Envelope>),
    /// A peer leaves.
    Leave(PeerId),
}

impl Members {
    /// Checks a message, and opens the parts that are sealed for us alone.
    ///
    /// # Errors
    /// Returns the reason why it was dropped.
    pub fn receive(
        &mut self,
        envelope: &Envelope,
        body: &Body,
        via: Via<'_>,
        cx: &mut Cx,
    ) -> Result<Received, Dropped> {
        let peer = envelope.sender;
        match body {
            Body::Connect(connect) => {
                if connect.signed_at != envelope.timestamp {
                    return Err(Dropped::Malformed);
                }
                self.on_connect(connect, via, cx)
            }
            Body::RtcOffer(offer) => self.on_offer(envelope, offer, via, cx),
            Body::RtcAnswer(answer) => {
                let challenge = via.links.open_offer(&peer, answer.attempt);
                let challenge = challenge.ok_or(Dropped::Unexpected)?;
                let context = self.context(envelope, via.signaling, cx)?;
                let introduction = context.open_answer(answer, &challenge)?;
                let description = description(&introduction, SdpType::Answer)?;
                self.refuse_if_full(&peer, cx)?;
                // Whoever answers has given up what it offered before.
                if let Some(member) = self.members.get_mut(&peer) {
                    member.newest_offer = member.newest_offer.max(envelope.timestamp);
                }
                self.mark_present(&peer, cx);
                Ok(Received::Answer(peer, introduction, description))
            }
            Body::RtcCandidates(sealed) => self.on_candidates(envelope, sealed, via, cx),
            Body::Leave(secret) => {
                let Some(member) = self.members.get(&peer) else {
                    return Ok(early(envelope, body));
                };
                if !secret.opens(via.signaling.keys.id(), &member.connect) {
                    return Err(Dropped::BadSignature);
                }
                Ok(Received::Leave(peer))
            }
            Body::Knock(knock) => self.on_knock(envelope, knock, via, cx),
        }
    }

    /// Handles an announcement, made to everybody or passed on by another member.
    ///
    /// # Errors
    /// Returns the reason why it was dropped.
    pub fn on_connect(
        &mut self,
        connect: &Connect,
        via: Via<'_>,
        cx: &mut Cx,
    ) -> Result<Received, Dropped> {
        let peer = connect.peer_id();
        self.refuse_if_full(&peer, cx)?;
        let known = self.members.get(&peer);
        if known.is_some_and(|member| member.connect.serial >= connect.serial && member.announced) {
            return Err(Dropped::NotNewer);
        }
        self.admit(connect, via, cx)?;
        if let Some(member) = self.members.get_mut(&peer) {
            member.announced = true;
        }
        if connect.capabilities & FULL != 0 {
            return Ok(Received::Full);
        }
        self.decide(peer, via.links, cx);
        Ok(Received::Announced(peer))
    }

    fn on_offer(
        &mut self,
        envelope: &Envelope,
        offer: &RtcOffer,
        via: Via<'_>,
        cx: &mut Cx,
    ) -> Result<Received, Dropped> {
        let peer = envelope.sender;
        if !offer.attempt.is_from(&peer, &cx.own.id) {
            return Err(Dropped::Malformed);
        }
        let nonces = self.admit_sender(envelope, &offer.connect, offer.nonce, via, cx)?;
        if nonces.is_empty() {
            return Ok(Received::Stale(peer));
        }
        let context = self.context(envelope, via.signaling, cx)?;
        let mut error = EnvelopeError::Closed;
        let opened = nonces.into_iter().find_map(|(nonce, ours)| {
            let introduction = context.open_offer(offer, &nonce);
            Some((introduction.map_err(|why| error = why).ok()?, ours))
        });
        let (introduction, ours) = opened.ok_or(error)?;
        let description = description(&introduction, SdpType::Offer)?;
        self.afford_offer(via.carrier, &peer, cx)?;
        self.take_sealed(envelope, via, cx);
        Ok(Received::Offer(
            peer,
            Box::new(Offer {
                attempt: offer.attempt,
                introduction,
                description,
                connect: offer.connect.clone(),
                id: offer.connect.id(via.signaling.keys.id()),
                ours,
                resumes: offer.nonce == NonceSource::Resume,
            }),
        ))
    }

    fn on_knock(
        &mut self,
        envelope: &Envelope,
        knock: &Knock,
        via: Via<'_>,
        cx: &mut Cx,
    ) -> Result<Received, Dropped> {
        let peer = envelope.sender;
        let nonces = self.admit_sender(envelope, &knock.connect, knock.nonce, via, cx)?;
        if nonces.is_empty() {
            return Ok(Received::Stale(peer));
        }
        let context = self.context(envelope, via.signaling, cx)?;
        let opens = |nonce: &Nonce| context.open_knock(knock, nonce).is_ok();
        if !nonces.iter().any(|(nonce, _)| opens(nonce)) {
            return Err(Dropped::WrongKey);
        }
        self.take_sealed(envelope, via, cx);
        Ok(Received::Knocked(peer))
    }

    fn on_candidates(
        &self,
        envelope: &Envelope,
        sealed: &PairSealed,
        via: Via<'_>,
        cx: &Cx,
    ) -> Result<Received, Dropped> {
        let peer = envelope.sender;
        let Some(challenge) = via.links.challenge_of(&peer, sealed.attempt) else {
            return Ok(early(envelope, &Body::RtcCandidates(sealed.clone())));
        };
        let context = self.context(envelope, via.signaling, cx)?;
        let compact = context.open_candidates(sealed, &challenge)?;
        let candidates = compact
            .iter()
            .filter_map(|bytes| Candidate::from_bytes(bytes));
        Ok(Received::Candidates(
            peer,
            sealed.attempt,
            envelope.timestamp,
            candidates.collect(),
        ))
    }

    /// Admits the sender of an offer or a knock. Returns our nonces that it may mean, or none if it means one that has
    /// expired.
    fn admit_sender(
        &mut self,
        envelope: &Envelope,
        connect: &Connect,
        source: NonceSource,
        via: Via<'_>,
        cx: &mut Cx,
    ) -> Result<Vec<(Nonce, ConnectId)>, Dropped> {
        let peer = envelope.sender;
        let newest = self.members.get(&peer).map(|member| member.newest_offer);
        if newest.is_some_and(|newest| newest >= envelope.timestamp) {
            return Err(Dropped::NotNewer);
        }
        self.refuse_if_full(&peer, cx)?;
        self.admit(connect, via, cx)?;
        let nonces = self.own_nonces(&peer, source, via.signaling, cx);
        if nonces.is_empty() {
            cx.dropped(Dropped::Stale);
            self.decide(peer, via.links, cx);
        }
        Ok(nonces)
    }

    /// Notes that an offer or a knock has opened: its sender is really there, and anything older is void.
    fn take_sealed(&mut self, envelope: &Envelope, via: Via<'_>, cx: &mut Cx) {
        let peer = envelope.sender;
        if let Some(member) = self.members.get_mut(&peer) {
            member.newest_offer = envelope.timestamp;
        }
        self.mark_present(&peer, cx);
        self.decide(peer, via.links, cx);
    }

    /// Notes that a peer is really there, because something sealed for us alone has come from it.
    fn mark_present(&mut self, peer: &PeerId, cx: &mut Cx) {
        if let Some(member) = self.members.get_mut(peer) {
            // Nothing bounds how often somebody knocks, so only a change redraws the room.
            cx.changed |= !member.present;
            member.present = true;
            member.heard = cx.now;
        }
    }

    /// Returns our nonces that a peer may mean, and our announcements that go with them.
    fn own_nonces(
        &self,
        peer: &PeerId,
        source: NonceSource,
        signaling: &Signaling,
        cx: &Cx,
    ) -> Vec<(Nonce, ConnectId)> {
        let member = self.members.get(peer);
        match source {
            NonceSource::Connect(serial) => {
                let is_newcomer = !member.is_some_and(|member| member.present);
                let found = signaling.nonce(serial, is_newcomer, cx.now);
                found.map(|(nonce, id)| (*nonce, id)).into_iter().collect()
            }
            NonceSource::Resume => member
                .map(|member| member.given.clone())
                .unwrap_or_default(),
        }
    }

    /// The context that the sealed part of an envelope to us has to be bound to.
    fn context<'a>(
        &'a self,
        envelope: &'a Envelope,
        signaling: &'a Signaling,
        cx: &'a Cx,
    ) -> Result<PairContext<'a>, Dropped> {
        Ok(PairContext {
            key: self.pair(&envelope.sender).ok_or(Dropped::Unexpected)?,
            topic: signaling.keys.topic(),
            sender: &envelope.sender,
            recipient: &cx.own.id,
            timestamp: envelope.timestamp,
        })
    }
}

/// Keeps this body alone: the others of its envelope are not looked at again.
fn early(envelope: &Envelope, body: &Body) -> Received {
    let envelope = Envelope::new(envelope.sender, envelope.timestamp, body.clone());
    Received::Early(Box::new(envelope))
}

fn description(introduction: &Introduction, kind: SdpType) -> Result<DataDescription, Dropped> {
    let description = DataDescription::from_bytes(introduction.description()).ok();
    let description = description.filter(|description| description.kind() == kind);
    description.ok_or(Dropped::Malformed)
}
