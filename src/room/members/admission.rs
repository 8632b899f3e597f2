//! Who is let in. Checks run cheapest first: newness, peer id, and only then a signature, of which a limited number is
//! checked a second. What fails is counted and changes nothing.

use litemap::LiteMap;

use super::{Decision, MAX_ROSTER, Member, Members};
use crate::identity::{PeerId, SealKey};
use crate::room::budget::Budget;
use crate::room::counters::Dropped;
use crate::room::cx::{Cx, Effect};
use crate::room::io::{Carrier, GoneReason, PeopleEvent};
use crate::room::links::Links;
use crate::room::policy::{Action, Permission};
use crate::rtc::Candidate;
use crate::time::Millis;
use crate::wire::envelope::{FULL, PairContext, verify_leave};
use crate::wire::{Attempt, Body, Connect, Envelope, Introduction, RoomKeys};

/// Signatures that are checked on the way in, of each carrier: at most this many at once …
const SIGNATURES_BURST: u32 = 100;
/// … and this many a second from then on, or a flood could burn the battery.
const SIGNATURES_PER_SECOND: u32 = 25;
/// The most people who wait for the person's decision at once.
const MAX_ASKED: usize = 5;

/// An offer that has been opened.
#[derive(Debug, Clone)]
pub(in crate::room) struct Offer {
    pub attempt: Attempt,
    pub introduction: Introduction,
}

/// An envelope that passed the checks, and what it asks for.
#[derive(Debug)]
pub(in crate::room) enum Received {
    /// A peer announced itself.
    Announced(PeerId),
    /// A peer announced itself, and that it is full.
    Full,
    /// A peer makes an offer.
    Offer(PeerId, Offer),
    /// A peer answers the offer that is open to it.
    Answer(PeerId, Introduction),
    /// A peer tells candidates of a connection that is being made.
    Candidates(PeerId, Attempt, Vec<Candidate>),
    /// Candidates whose offer or answer has not come yet.
    Early(Envelope),
    /// A peer leaves.
    Leave(PeerId),
}

/// How many signatures may be checked for what came through each carrier.
#[derive(Debug, Default)]
pub(in crate::room) struct SignatureBudgets(LiteMap<Carrier, Budget>);

impl SignatureBudgets {
    fn take(&mut self, carrier: Carrier, now: Millis) -> bool {
        let new = || Budget::new(SIGNATURES_BURST, SIGNATURES_PER_SECOND, now);
        self.0.entry(carrier).or_insert_with(new).take(now)
    }
}

impl Members {
    /// Checks what came, and opens what is sealed for us alone.
    ///
    /// # Errors
    /// Why it was dropped.
    pub fn receive(
        &mut self,
        carrier: Carrier,
        envelope: Envelope,
        keys: &RoomKeys,
        links: &Links,
        cx: &mut Cx,
    ) -> Result<Received, Dropped> {
        let peer = envelope.sender;
        match &envelope.body {
            Body::Connect(connect) => self.on_connect(carrier, &envelope, connect, keys, links, cx),
            Body::RtcOffer {
                connect,
                attempt,
                sealed,
            } => {
                if !attempt.is_from(&peer, &cx.own.id) {
                    return Err(Dropped::Malformed);
                }
                let newest = self.members.get(&peer).map(|member| member.newest_offer);
                if newest.is_some_and(|newest| newest >= envelope.timestamp) {
                    return Err(Dropped::NotNewer);
                }
                self.refuse_if_full(&peer, cx)?;
                self.admit(carrier, peer, connect, false, keys, links, cx)?;
                let introduction = self.introduction(&envelope, *attempt, sealed, keys, cx)?;
                if let Some(member) = self.members.get_mut(&peer) {
                    member.newest_offer = envelope.timestamp;
                    member.present = true;
                }
                cx.changed = true;
                self.decide(peer, links, cx);
                let attempt = *attempt;
                Ok(Received::Offer(
                    peer,
                    Offer {
                        attempt,
                        introduction,
                    },
                ))
            }
            Body::RtcAnswer { attempt, sealed } => {
                if !links.expects_answer(&peer, *attempt) {
                    return Err(Dropped::Unexpected);
                }
                let introduction = self.introduction(&envelope, *attempt, sealed, keys, cx)?;
                self.refuse_if_full(&peer, cx)?;
                if let Some(member) = self.members.get_mut(&peer) {
                    member.present = true;
                }
                cx.changed = true;
                Ok(Received::Answer(peer, introduction))
            }
            Body::RtcCandidates { attempt, sealed } => {
                let (true, Some(pair)) = (links.knows(&peer, *attempt), self.pair(&peer)) else {
                    return Ok(Received::Early(envelope));
                };
                let context = context(&envelope, *attempt, keys, cx);
                let candidates = context.open_candidates(pair, sealed)?;
                Ok(Received::Candidates(peer, *attempt, candidates))
            }
            Body::Leave { signature } => {
                let member = self.members.get(&peer).ok_or(Dropped::Unexpected)?;
                let (key, at) = (member.connect.identity, envelope.timestamp);
                self.check_signature(carrier, cx, || {
                    verify_leave(&key, keys.topic(), &peer, at, signature).is_ok()
                })?;
                Ok(Received::Leave(peer))
            }
        }
    }

    fn on_connect(
        &mut self,
        carrier: Carrier,
        envelope: &Envelope,
        connect: &Connect,
        keys: &RoomKeys,
        links: &Links,
        cx: &mut Cx,
    ) -> Result<Received, Dropped> {
        let peer = envelope.sender;
        if connect.signed_at != envelope.timestamp {
            return Err(Dropped::Malformed);
        }
        self.refuse_if_full(&peer, cx)?;
        self.admit(carrier, peer, connect, true, keys, links, cx)?;
        if connect.capabilities & FULL != 0 {
            return Ok(Received::Full);
        }
        self.decide(peer, links, cx);
        Ok(Received::Announced(peer))
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
    #[expect(
        clippy::too_many_arguments,
        reason = "each is lent, and none belongs to another"
    )]
    fn admit(
        &mut self,
        carrier: Carrier,
        peer: PeerId,
        connect: &Connect,
        announced: bool,
        keys: &RoomKeys,
        links: &Links,
        cx: &mut Cx,
    ) -> Result<(), Dropped> {
        if connect.version == 0 || connect.peer_id() != peer {
            return Err(Dropped::WrongPeerId);
        }
        if let Some(member) = self.members.get_mut(&peer) {
            let same = member.connect == *connect;
            if same || connect.signed_at <= member.connect.signed_at {
                // An offer under way may carry an older announcement than the one that overtook it.
                let news = same && connect.signed_at > member.newest_connect;
                if announced && !news {
                    return Err(Dropped::NotNewer);
                }
                if announced {
                    member.newest_connect = connect.signed_at;
                }
                return Ok(());
            }
        }
        self.check_signature(carrier, cx, || connect.verify(keys.topic()).is_ok())?;
        if let Some(member) = self.members.get_mut(&peer) {
            member.newest_connect = member.newest_connect.max(connect.signed_at);
            member.connect = connect.clone();
            if !member.proven {
                member.name = connect.name.clone();
                member.trust = self.trust.trust(&connect.identity, &connect.name);
            }
            cx.changed = true;
            return Ok(());
        }
        let ours = (&cx.own.session, &cx.own.id);
        let pair = SealKey::for_pair(keys.seal_key(), ours, (&connect.session, &peer))
            .map_err(|_| Dropped::BadSignature)?;
        self.make_room(links, cx)?;
        let member = Member {
            id: peer,
            connect: connect.clone(),
            name: connect.name.clone(),
            user: String::new(),
            info: None,
            trust: self.trust.trust(&connect.identity, &connect.name),
            decision: Decision::Undecided,
            pair,
            newest_connect: if announced {
                connect.signed_at
            } else {
                Millis(0)
            },
            newest_offer: Millis(0),
            present: false,
            proven: false,
        };
        self.members.insert(peer, member);
        cx.changed = true;
        Ok(())
    }

    /// Asks the policy about a peer that nobody has decided on yet.
    pub(super) fn decide(&mut self, peer: PeerId, links: &Links, cx: &mut Cx) {
        let is_asked = |member: &&Member| member.decision == Decision::Asked;
        let asked = self.members.values().filter(is_asked).count();
        let undecided = |member: &&mut Member| member.decision == Decision::Undecided;
        let Some(member) = self.members.get_mut(&peer).filter(undecided) else {
            return;
        };
        let key = &member.connect.identity;
        member.decision = match self
            .policy
            .may(&self.trust, key, &member.name, Action::Connect)
        {
            Permission::Granted => Decision::Accepted,
            Permission::Refused => Decision::Declined,
            Permission::AskPerson if asked >= MAX_ASKED => Decision::Undecided,
            Permission::AskPerson => Decision::Asked,
        };
        if member.decision == Decision::Asked {
            self.name_everybody(cx);
            if let Some(member) = self.members.get(&peer) {
                cx.people(PeopleEvent::Request(member.view(links)));
            }
        }
    }

    /// Whether this peer has been turned away.
    pub fn is_declined(&self, peer: &PeerId) -> bool {
        let member = self.members.get(peer);
        member.is_some_and(|member| member.decision == Decision::Declined)
    }

    /// Opens what an offer or answer holds for us alone.
    fn introduction(
        &self,
        envelope: &Envelope,
        attempt: Attempt,
        sealed: &[u8],
        keys: &RoomKeys,
        cx: &Cx,
    ) -> Result<Introduction, Dropped> {
        let pair = self.pair(&envelope.sender).ok_or(Dropped::Unexpected)?;
        let introduction = context(envelope, attempt, keys, cx).open_introduction(pair, sealed)?;
        // Without a fingerprint there is nothing that a proof could be bound to.
        if introduction.description.fingerprint().is_none() {
            return Err(Dropped::Malformed);
        }
        Ok(introduction)
    }

    /// Spends one of the signature checks that there are a second.
    fn check_signature(
        &mut self,
        carrier: Carrier,
        cx: &mut Cx,
        check: impl FnOnce() -> bool,
    ) -> Result<(), Dropped> {
        if !self.signatures.take(carrier, cx.now) {
            return Err(Dropped::OverBudget);
        }
        cx.counters.signature_checked();
        if check() {
            Ok(())
        } else {
            Err(Dropped::BadSignature)
        }
    }

    /// Where the roster is full, a peer that never showed itself makes room, chosen by chance so that a flood
    /// of strangers cannot keep everybody else out.
    fn make_room(&mut self, links: &Links, cx: &mut Cx) -> Result<(), Dropped> {
        if self.members.len() < MAX_ROSTER {
            return Ok(());
        }
        let absent = |member: &&Member| !member.present && !links.is_dialing(&member.id);
        let absent: Vec<PeerId> = self.members.values().filter(absent).map(|m| m.id).collect();
        if absent.is_empty() {
            return Err(Dropped::RoomFull);
        }
        let chosen = absent[cx.random_index(absent.len())];
        if let Some(until) = self.remove(&chosen, GoneReason::Unreachable, cx) {
            cx.peer(chosen, crate::room::cx::PeerEvent::Gone { until });
        }
        Ok(())
    }
}

/// What vouches for the sealed part of an envelope to us.
fn context<'a>(
    envelope: &'a Envelope,
    attempt: Attempt,
    keys: &'a RoomKeys,
    cx: &'a Cx,
) -> PairContext<'a> {
    PairContext {
        topic: keys.topic(),
        subtopic: envelope.body.subtopic(),
        sender: &envelope.sender,
        recipient: &cx.own.id,
        attempt,
        timestamp: envelope.timestamp,
    }
}
