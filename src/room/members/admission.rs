//! Who is let in. Checks run cheapest first: newness, nonce, and only then a signature, of which a limited number is
//! checked a second. What fails is counted and changes nothing.

use core::time::Duration;

use super::decisions::take_accepted;
use super::{Decision, Freshness, Member, Members};
use crate::identity::{PeerId, SealKey};
use crate::room::budget::Budget;
use crate::room::counters::Dropped;
use crate::room::cx::{Cx, Effect};
use crate::room::io::{Carrier, PeopleEvent};
use crate::room::links::Links;
use crate::room::policy::{Action, Permission};
use crate::room::signaling::{Outgoing, Signaling};
use crate::rtc::{Candidate, DataDescription};
use crate::wire::connect::FULL;
use crate::wire::envelope::{PairSealed, RtcOffer};
use crate::wire::pair::PairContext;
use crate::wire::{
    Attempt, Body, Connect, ConnectId, Envelope, EnvelopeError, Introduction, Knock, Nonce,
    NonceSource,
};

/// The most people who wait for the person's decision at once.
const MAX_ASKED: usize = 5;
/// Offers of one peer that are answered: at most this many at once …
const OFFERS_BURST: u32 = 4;
/// … and then one in this time.
const OFFER_PAUSE: Duration = Duration::from_secs(4);

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
    /// A peer sends candidates for a connection.
    Candidates(PeerId, Attempt, Vec<Candidate>),
    /// Candidates whose offer or answer has not come yet.
    Early(Box<Envelope>),
    /// A peer leaves.
    Leave(PeerId),
}

impl Members {
    /// Checks what came, and opens what is sealed for us alone.
    ///
    /// # Errors
    /// Why it was dropped.
    pub fn receive(
        &mut self,
        carrier: Carrier,
        envelope: &Envelope,
        body: &Body,
        signaling: &Signaling,
        links: &Links,
        cx: &mut Cx,
    ) -> Result<Received, Dropped> {
        let peer = envelope.sender;
        match body {
            Body::Connect(connect) => {
                if connect.signed_at != envelope.timestamp {
                    return Err(Dropped::Malformed);
                }
                self.on_connect(carrier, connect, signaling, links, cx)
            }
            Body::RtcOffer(offer) => self.on_offer(carrier, envelope, offer, signaling, links, cx),
            Body::RtcAnswer(answer) => {
                let challenge = links.open_offer(&peer, answer.attempt);
                let challenge = challenge.ok_or(Dropped::Unexpected)?;
                let context = self.context(envelope, signaling, cx)?;
                let introduction = context.open_answer(answer, &challenge)?;
                let description = description(&introduction)?;
                self.refuse_if_full(&peer, cx)?;
                self.mark_present(&peer, cx);
                Ok(Received::Answer(peer, introduction, description))
            }
            Body::RtcCandidates(sealed) => {
                self.on_candidates(envelope, sealed, signaling, links, cx)
            }
            Body::Leave(secret) => {
                let member = self.members.get(&peer).ok_or(Dropped::Unexpected)?;
                if !secret.opens(signaling.keys.id(), &member.connect) {
                    return Err(Dropped::BadSignature);
                }
                Ok(Received::Leave(peer))
            }
            Body::Knock(knock) => self.on_knock(carrier, envelope, knock, signaling, links, cx),
        }
    }

    /// A peer announced itself, to everybody or through another member.
    ///
    /// # Errors
    /// Why it was dropped.
    pub fn on_connect(
        &mut self,
        carrier: Carrier,
        connect: &Connect,
        signaling: &Signaling,
        links: &Links,
        cx: &mut Cx,
    ) -> Result<Received, Dropped> {
        let peer = connect.peer_id();
        self.refuse_if_full(&peer, cx)?;
        let known = self.members.get(&peer);
        if known.is_some_and(|member| member.connect.serial >= connect.serial && member.announced) {
            return Err(Dropped::NotNewer);
        }
        self.admit(carrier, connect, signaling, links, cx)?;
        if let Some(member) = self.members.get_mut(&peer) {
            member.announced = true;
        }
        if connect.capabilities & FULL != 0 {
            return Ok(Received::Full);
        }
        self.decide(peer, links, cx);
        Ok(Received::Announced(peer))
    }

    fn on_offer(
        &mut self,
        carrier: Carrier,
        envelope: &Envelope,
        offer: &RtcOffer,
        signaling: &Signaling,
        links: &Links,
        cx: &mut Cx,
    ) -> Result<Received, Dropped> {
        let peer = envelope.sender;
        if !offer.attempt.is_from(&peer, &cx.own.id) {
            return Err(Dropped::Malformed);
        }
        let newest = self.members.get(&peer).map(|member| member.newest_offer);
        if newest.is_some_and(|newest| newest >= envelope.timestamp) {
            return Err(Dropped::NotNewer);
        }
        self.refuse_if_full(&peer, cx)?;
        self.admit(carrier, &offer.connect, signaling, links, cx)?;
        let nonces = self.own_nonces(&peer, offer.nonce, signaling, cx);
        if nonces.is_empty() {
            cx.dropped(Dropped::Stale);
            self.decide(peer, links, cx);
            return Ok(Received::Stale(peer));
        }
        let context = self.context(envelope, signaling, cx)?;
        let mut error = EnvelopeError::Closed;
        let opened = nonces.into_iter().find_map(|(nonce, ours)| {
            let introduction = context.open_offer(offer, &nonce);
            Some((introduction.map_err(|why| error = why).ok()?, ours))
        });
        let (introduction, ours) = opened.ok_or(error)?;
        let description = description(&introduction)?;
        self.afford_offer(carrier, &peer, cx)?;
        if let Some(member) = self.members.get_mut(&peer) {
            member.newest_offer = envelope.timestamp;
        }
        self.mark_present(&peer, cx);
        self.decide(peer, links, cx);
        Ok(Received::Offer(
            peer,
            Box::new(Offer {
                attempt: offer.attempt,
                introduction,
                description,
                connect: offer.connect.clone(),
                id: offer.connect.id(signaling.keys.id()),
                ours,
            }),
        ))
    }

    fn on_knock(
        &mut self,
        carrier: Carrier,
        envelope: &Envelope,
        knock: &Knock,
        signaling: &Signaling,
        links: &Links,
        cx: &mut Cx,
    ) -> Result<Received, Dropped> {
        let peer = envelope.sender;
        let newest = self.members.get(&peer).map(|member| member.newest_offer);
        if newest.is_some_and(|newest| newest >= envelope.timestamp) {
            return Err(Dropped::NotNewer);
        }
        self.refuse_if_full(&peer, cx)?;
        self.admit(carrier, &knock.connect, signaling, links, cx)?;
        let nonces = self.own_nonces(&peer, knock.nonce, signaling, cx);
        if nonces.is_empty() {
            cx.dropped(Dropped::Stale);
            self.decide(peer, links, cx);
            return Ok(Received::Stale(peer));
        }
        let context = self.context(envelope, signaling, cx)?;
        let opens = |nonce: &Nonce| context.open_knock(knock, nonce).is_ok();
        if !nonces.iter().any(|(nonce, _)| opens(nonce)) {
            return Err(Dropped::WrongKey);
        }
        if let Some(member) = self.members.get_mut(&peer) {
            member.newest_offer = envelope.timestamp;
        }
        self.mark_present(&peer, cx);
        self.decide(peer, links, cx);
        Ok(Received::Knocked(peer))
    }

    fn on_candidates(
        &self,
        envelope: &Envelope,
        sealed: &PairSealed,
        signaling: &Signaling,
        links: &Links,
        cx: &Cx,
    ) -> Result<Received, Dropped> {
        let peer = envelope.sender;
        let Some(challenge) = links.challenge_of(&peer, sealed.attempt) else {
            // Nothing else that came with them is looked at again.
            let body = Body::RtcCandidates(sealed.clone());
            let early = Envelope::new(peer, envelope.timestamp, body);
            return Ok(Received::Early(Box::new(early)));
        };
        let context = self.context(envelope, signaling, cx)?;
        let compact = context.open_candidates(sealed, &challenge)?;
        let candidates = compact
            .iter()
            .filter_map(|bytes| Candidate::from_bytes(bytes));
        Ok(Received::Candidates(
            peer,
            sealed.attempt,
            candidates.collect(),
        ))
    }

    /// Something sealed for us alone has come from this peer: it is really there.
    fn mark_present(&mut self, peer: &PeerId, cx: &mut Cx) {
        if let Some(member) = self.members.get_mut(peer) {
            member.present = true;
            member.heard = cx.now;
            cx.changed = true;
        }
    }

    /// The nonces of ours that a peer may mean, and our announcements that go with them.
    fn own_nonces(
        &self,
        peer: &PeerId,
        source: NonceSource,
        signaling: &Signaling,
        cx: &Cx,
    ) -> Vec<(Nonce, ConnectId)> {
        match source {
            NonceSource::Connect(serial) => {
                let found = signaling.nonce(serial, cx.now);
                found.map(|(nonce, id)| (*nonce, id)).into_iter().collect()
            }
            NonceSource::Resume => {
                let member = self.members.get(peer);
                member
                    .map(|member| member.given.clone())
                    .unwrap_or_default()
            }
        }
    }

    /// What makes something that we seal for this peer fresh.
    pub fn freshness(&self, peer: &PeerId) -> Option<Freshness> {
        let member = self.members.get(peer)?;
        let resumes = member
            .resume
            .filter(|(_, _, serial)| member.connect.serial <= *serial);
        Some(match resumes {
            Some((nonce, connect, _)) => Freshness {
                source: NonceSource::Resume,
                nonce,
                connect,
            },
            None => Freshness {
                source: NonceSource::Connect(member.connect.serial),
                nonce: member.connect.nonce,
                connect: member.connect_id,
            },
        })
    }

    /// A full room takes nobody in, and says so.
    fn refuse_if_full(&self, peer: &PeerId, cx: &mut Cx) -> Result<(), Dropped> {
        let member = self.members.get(peer);
        if !self.is_full() || member.is_some_and(|member| member.present) {
            return Ok(());
        }
        cx.effect(Effect::Announce);
        Err(Dropped::RoomFull)
    }

    /// Checks who `connect` introduces, once for each new announcement, and gives it a place in the roster.
    fn admit(
        &mut self,
        carrier: Carrier,
        connect: &Connect,
        signaling: &Signaling,
        links: &Links,
        cx: &mut Cx,
    ) -> Result<(), Dropped> {
        let peer = connect.peer_id();
        let member = self.members.get(&peer);
        if let Some(member) = member {
            if member.connect == *connect {
                return Ok(());
            }
            // A session numbers its announcements: two with one number are not both its own.
            if member.connect.serial == connect.serial {
                return Err(Dropped::NotNewer);
            }
        }
        self.check_signature(carrier, connect, signaling, cx)?;
        let id = connect.id(signaling.keys.id());
        if let Some(member) = self.members.get_mut(&peer) {
            // An offer under way may carry an older announcement than the one that overtook it.
            if member.connect.serial > connect.serial {
                return Ok(());
            }
            member.connect = connect.clone();
            member.connect_id = id;
            member.heard = cx.now;
            let renamed = !member.proven && member.name != connect.name;
            if !member.proven {
                member.name = connect.name.clone();
                member.trust = self.trust.trust_beside(
                    (&cx.own.key, &cx.own.name),
                    &connect.identity,
                    &connect.name,
                );
            }
            cx.changed = true;
            if renamed && member.decision == Decision::Asked {
                self.ask(peer, links, cx);
            }
            return Ok(());
        }
        let ours = (&cx.own.session, &cx.own.id);
        let keys = &signaling.keys;
        let pair = keys.pair_key(ours, (&connect.session, &peer));
        let pair = pair.map_err(|_| Dropped::BadSignature)?;
        self.make_room(carrier, &connect.identity, links, cx)?;
        let member = self.new_member(connect.clone(), id, pair, carrier, cx);
        self.members.insert(peer, member);
        self.sweep_soon(cx);
        cx.changed = true;
        Ok(())
    }

    fn new_member(
        &self,
        connect: Connect,
        connect_id: ConnectId,
        pair: SealKey,
        carrier: Carrier,
        cx: &Cx,
    ) -> Member {
        let own = (&cx.own.key, &cx.own.name);
        Member {
            id: connect.peer_id(),
            name: connect.name.clone(),
            user: String::new(),
            info: None,
            trust: self
                .trust
                .trust_beside(own, &connect.identity, &connect.name),
            connect,
            connect_id,
            decision: Decision::Undecided,
            asked: None,
            pair,
            newest_offer: crate::time::Millis(0),
            announced: false,
            knocked: None,
            present: false,
            proven: false,
            heard: cx.now,
            carrier,
            offers: Budget::slow(OFFERS_BURST, OFFER_PAUSE, cx.now),
            resume: None,
            given: Vec::new(),
        }
    }

    /// Asks the policy about a peer that nobody has decided on yet. The person is asked only about peers that are
    /// present; to others we knock, so that they can show that they are.
    pub(super) fn decide(&mut self, peer: PeerId, links: &Links, cx: &mut Cx) {
        let is_asked = |member: &&Member| member.decision == Decision::Asked;
        let asked = self.members.values().filter(is_asked).count();
        let undecided = |member: &&mut Member| member.decision == Decision::Undecided;
        let Some(member) = self.members.get_mut(&peer).filter(undecided) else {
            return;
        };
        let key = &member.connect.identity;
        match self
            .policy
            .may(&self.trust, key, &member.name, Action::Connect)
        {
            Permission::Granted => member.decision = Decision::Accepted,
            Permission::Refused => member.decision = Decision::Declined,
            Permission::AskPerson if take_accepted(&mut self.accepted, &peer, &member.name) => {
                member.decision = Decision::Accepted;
                // Whoever was asked about once is remembered again.
                member.asked = Some(cx.now);
            }
            Permission::AskPerson => {
                let serial = Some(member.connect.serial);
                if member.knocked != serial {
                    member.knocked = serial;
                    cx.effect(Effect::Signal(peer, Outgoing::Knock));
                }
                if member.present && asked < MAX_ASKED {
                    member.decision = Decision::Asked;
                    member.asked = Some(cx.now);
                    self.ask(peer, links, cx);
                }
            }
        }
    }

    /// Decides on a peer that has waited to be decided on. One that is accepted only now has not been dialed yet.
    pub(super) fn decide_later(&mut self, peer: PeerId, links: &Links, cx: &mut Cx) {
        self.decide(peer, links, cx);
        if self.is_accepted(&peer) {
            cx.effect(Effect::Accepted(peer));
        }
    }

    /// Asks the person about a peer, or again, where the name has become another one.
    pub(super) fn ask(&mut self, peer: PeerId, links: &Links, cx: &mut Cx) {
        self.name_everybody(cx);
        if let Some(member) = self.members.get(&peer) {
            cx.people(PeopleEvent::Request(member.view(links)));
        }
    }

    /// Whether this peer has been turned away.
    pub fn is_declined(&self, peer: &PeerId) -> bool {
        let member = self.members.get(peer);
        member.is_some_and(|member| member.decision == Decision::Declined)
    }

    /// What the sealed part of an envelope to us has to be bound to.
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

    /// Spends one of the signature checks that there are a second.
    fn check_signature(
        &mut self,
        carrier: Carrier,
        connect: &Connect,
        signaling: &Signaling,
        cx: &mut Cx,
    ) -> Result<(), Dropped> {
        let known = self.trust.get(&connect.identity).is_some();
        if !self.signatures.take(carrier, known, cx.now) {
            return Err(Dropped::OverBudget);
        }
        cx.counters.signature_checked();
        connect
            .verify(signaling.keys.id())
            .map_err(|_| Dropped::BadSignature)
    }

    /// Spends one of the offers that are answered. Charged once the offer has opened, so that nobody else can spend it.
    fn afford_offer(&mut self, carrier: Carrier, peer: &PeerId, cx: &Cx) -> Result<(), Dropped> {
        let member = self.members.get_mut(peer).ok_or(Dropped::Unexpected)?;
        let known = self.trust.get(&member.connect.identity).is_some();
        if member.offers.take(cx.now) && self.offers.take(carrier, known, cx.now) {
            Ok(())
        } else {
            Err(Dropped::TooManyOffers)
        }
    }
}

fn description(introduction: &Introduction) -> Result<DataDescription, Dropped> {
    let description = DataDescription::from_bytes(introduction.description());
    description.map_err(|_| Dropped::Malformed)
}
