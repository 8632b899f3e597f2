//! The known peers: their keys, their names, the trust in them, and whether they are let in.

mod admission;
mod decisions;
mod inbox;
mod places;
mod shown;

use core::num::NonZeroU32;

use litemap::LiteMap;

use super::budget::CarrierBudgets;
use super::counters::Dropped;
use super::cx::{Cx, Own};
use super::effect::{Effect, PeerEvent, Proven};
use super::io::{Carrier, Event, GoneReason, Output, PeerState, PeerView, PeopleEvent};
use super::links::Links;
use super::policy::Policy;
use super::signaling::Freshness;
use crate::budget::Budget;
use crate::identity::{
    Acquaintance, Name, PeerId, PublicKey, SealKey, Trust, TrustBook, TrustChange, TrustDecision,
};
use crate::settings::Accept;
use crate::time::Millis;
use crate::wire::frame::PeopleFrame;
use crate::wire::transcript::ProofError;
use crate::wire::{Connect, ConnectId, Nonce};

pub(super) use inbox::{Offer, Received, Via};
pub(super) use shown::{Seen, own_user};

/// Budgets for checking signatures, for strangers and for known keys: at most this many at once, and this many a second
/// from then on. Without them, a flood could drain the battery.
const SIGNATURES: [(u32, u32); 2] = [(100, 25), (50, 10)];
/// Budgets for answering offers, likewise: each answer costs a connection.
const OFFERS: [(u32, u32); 2] = [(32, 4), (16, 2)];
/// A browser is connected to at most this many others.
pub const MAX_PEERS: usize = 50;

/// The most people who are remembered as accepted.
const MAX_ACCEPTED: usize = 64;

/// Whether the person (or the policy) wants this peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    /// Nothing has been decided yet.
    Undecided,
    /// The person has been asked and has not answered.
    Asked,
    /// The peer is wanted.
    Accepted,
    /// The peer is not wanted: nothing is ever sent to it.
    Declined,
}

/// A peer of the room.
#[derive(Debug)]
struct Member {
    id: PeerId,
    connect: Connect,
    connect_id: ConnectId,
    name: Name,
    user: String,
    /// Information that its application gives about its user, from the latest proof.
    info: Option<String>,
    trust: Trust,
    /// Whether its key had been met before it came here this time.
    met: bool,
    decision: Decision,
    /// When the person was last asked about it.
    asked: Option<Millis>,
    /// How often the person is asked about it.
    asks: Budget,
    /// The key shared with this peer alone.
    pair: SealKey,
    /// The timestamp of its newest offer or knock.
    newest_offer: Millis,
    /// Whether it has announced itself to everybody, and not only in an offer.
    announced: bool,
    /// The serial of its announcement that our last knock was for.
    knocked: Option<NonZeroU32>,
    /// Whether it has shown that it is really there: with something sealed for us alone, in this session.
    present: bool,
    /// Whether it has proven who it is. From then on, its name changes on the verified channel only.
    proven: bool,
    /// When something valid last came from it over a broker.
    heard: Millis,
    /// The carrier that brought it here first.
    carrier: Carrier,
    /// The budget for answering its offers.
    offers: Budget,
    /// The nonce that it gave with its last proof, and its announcement then: id and serial.
    resume: Option<(Nonce, ConnectId, NonZeroU32)>,
    /// The nonces that we gave it with our last two proofs, and our announcement then. The newest may not have arrived.
    given: Vec<(Nonce, ConnectId)>,
}

impl Member {
    /// Whether people see it: not before it has shown that it is really there.
    fn is_shown(&self) -> bool {
        self.decision == Decision::Accepted && self.present
    }

    /// Judges its name once more. Somebody who is met for the first time stays new for as long as they are here, also
    /// under another name, and when another tab of ours or of theirs was faster: until the person says who they are.
    fn judge(&mut self, book: &TrustBook, own: &Own) {
        let key = &self.connect.identity;
        let is_new = !self.met && *key != own.key && !book.is_accepted(key, &self.name);
        self.trust = match book.trust_beside((&own.key, &own.name), key, &self.name) {
            Trust::Known if is_new => Trust::New,
            trust => trust,
        };
    }

    /// The newest timestamp that it has sent over a broker.
    fn newest(&self) -> Millis {
        self.newest_offer.max(self.connect.signed_at)
    }

    fn view(&self, links: &Links) -> PeerView {
        PeerView {
            id: self.id,
            user: self.user.clone(),
            name: self.name.clone(),
            info: self.info.clone(),
            key: self.connect.identity,
            state: links.state(&self.id),
            trust: self.trust,
            activity: None,
            muted: false,
        }
    }
}

/// All known peers.
#[derive(Debug)]
pub(super) struct Members {
    members: LiteMap<PeerId, Member>,
    trust: TrustBook,
    policy: Policy,
    signatures: CarrierBudgets,
    offers: CarrierBudgets,
    shown: LiteMap<PeerId, PeerView>,
    /// Peers that the person accepted, under the names that they had, but that could not be reached. The people there
    /// may be asked about us for longer than we try.
    accepted: Vec<(PeerId, Name)>,
}

impl Members {
    pub fn new(accept: Accept, trust: TrustBook) -> Members {
        Members {
            members: LiteMap::new(),
            trust,
            policy: Policy::new(accept),
            signatures: CarrierBudgets::new(SIGNATURES[0], SIGNATURES[1]),
            offers: CarrierBudgets::new(OFFERS[0], OFFERS[1]),
            shown: LiteMap::new(),
            accepted: Vec::new(),
        }
    }

    /// All known peers, with the serial of their newest announcement.
    pub fn serials(&self) -> impl Iterator<Item = (PeerId, NonZeroU32)> {
        let members = self.members.values();
        members.map(|member| (member.id, member.connect.serial))
    }

    /// Whether this peer is to be connected to.
    pub fn is_accepted(&self, peer: &PeerId) -> bool {
        let member = self.members.get(peer);
        member.is_some_and(|member| member.decision == Decision::Accepted)
    }

    /// Whether the trust book has this peer's key.
    pub fn is_known(&self, peer: &PeerId) -> bool {
        let member = self.members.get(peer);
        member.is_some_and(|member| self.trust.get(&member.connect.identity).is_some())
    }

    /// The key that is shared with this peer alone.
    pub fn pair(&self, peer: &PeerId) -> Option<&SealKey> {
        self.members.get(peer).map(|member| &member.pair)
    }

    /// The newest announcement of this peer.
    pub fn connect(&self, peer: &PeerId) -> Option<&Connect> {
        self.members.get(peer).map(|member| &member.connect)
    }

    /// The name under which this peer is shown.
    pub fn user(&self, peer: &PeerId) -> Option<&str> {
        self.members.get(peer).map(|member| member.user.as_str())
    }

    /// Whether this peer has proven who it is, in this session.
    pub fn is_proven(&self, peer: &PeerId) -> bool {
        self.members.get(peer).is_some_and(|member| member.proven)
    }

    /// The peers that have proven that they hold this key.
    pub fn proven_peers(&self, key: &PublicKey) -> impl Iterator<Item = PeerId> {
        let members = self.members.values();
        let theirs = members.filter(move |member| member.proven && member.connect.identity == *key);
        theirs.map(|member| member.id)
    }

    /// All peers that have proven who they are.
    pub fn all_proven(&self) -> impl Iterator<Item = PeerId> {
        let members = self.members.values();
        members
            .filter(|member| member.proven)
            .map(|member| member.id)
    }

    /// The name of whoever holds this key: as it is shown now, or else as the trust book has it.
    pub fn name_of(&self, key: &PublicKey) -> Option<String> {
        let here = self.proven_peers(key).next();
        let here = here.and_then(|peer| self.user(&peer));
        let known = || self.trust.get(key).and_then(Acquaintance::name);
        here.or_else(known).map(str::to_owned)
    }

    /// The peer that writes as this author and session.
    pub fn of_writer(&self, author: &PublicKey, writer: &[u8; 8]) -> Option<PeerId> {
        let mut peers = self.proven_peers(author);
        peers.find(|peer| peer.0.starts_with(writer))
    }

    /// What the trust book says of a key under a name, also of somebody who is not here.
    pub fn trust_of(&self, key: &PublicKey, name: &Name, cx: &Cx) -> Trust {
        self.trust
            .trust_beside((&cx.own.key, &cx.own.name), key, name)
    }

    /// What is known of somebody who is here.
    pub fn trust_here(&self, key: &PublicKey) -> Option<Trust> {
        let mut members = self.members.values();
        let member = members.find(|member| member.proven && member.connect.identity == *key);
        member.map(|member| member.trust)
    }

    /// Whether the trust book has this key.
    pub fn is_known_key(&self, key: &PublicKey) -> bool {
        self.trust.get(key).is_some()
    }

    /// Whether the person has blocked this key.
    pub fn is_blocked(&self, key: &PublicKey) -> bool {
        self.trust.is_blocked(key)
    }

    /// Whether somebody may have what an author says in a channel: where not everybody is let in, the author may have
    /// turned that person away.
    pub fn may_have_words_of(&self, author: &PublicKey, asker: &PublicKey, cx: &Cx) -> bool {
        *author == cx.own.key || author == asker || self.policy.may_read_all()
    }

    /// The peers that people see.
    pub fn shown(&self) -> impl Iterator<Item = PeerId> {
        let shown = self.members.values().filter(|member| member.is_shown());
        shown.map(|member| member.id)
    }

    /// Other peers under the same key and tab number: one tab that was loaded again.
    pub fn same_tab(&self, peer: &PeerId) -> impl Iterator<Item = PeerId> {
        let one = self.members.get(peer);
        let same = self.members.values().filter(move |other| {
            one.is_some_and(|one| {
                one.id != other.id
                    && one.connect.identity == other.connect.identity
                    && one.connect.tab == other.connect.tab
            })
        });
        same.map(|other| other.id)
    }

    /// Whether there is no place left: only peers that have proven who they are count.
    pub fn is_full(&self) -> bool {
        let proven = self.members.values().filter(|member| member.proven);
        proven.count() >= MAX_PEERS
    }

    /// Handles an event of a peer.
    pub fn on_peer(&mut self, peer: PeerId, event: &PeerEvent, links: &Links, cx: &mut Cx) {
        cx.changed = true;
        match event {
            PeerEvent::Verified => self.verified(peer, links, cx),
            PeerEvent::Forgotten => {
                // We were gone for that peer, so it counts as gone for us.
                if let Some(peer) = self.shown.remove(&peer) {
                    let reason = GoneReason::Silent;
                    cx.people(PeopleEvent::Gone { peer, reason });
                }
            }
            PeerEvent::Lost => {
                if self.same_tab(&peer).any(|other| links.is_connected(&other)) {
                    cx.effect(Effect::RemoveClosed(peer));
                }
            }
            PeerEvent::Gone { .. } => {
                let carrier = Carrier::Peer(peer);
                self.signatures.remove(&carrier);
                self.offers.remove(&carrier);
            }
            PeerEvent::Returned => {}
        }
    }

    fn verified(&mut self, peer: PeerId, links: &Links, cx: &mut Cx) {
        let full = self.is_full();
        let Some(member) = self.members.get_mut(&peer) else {
            return;
        };
        if full && !member.proven {
            // It was here before the last place was taken, but others were faster.
            cx.effect(Effect::Remove(peer, GoneReason::Unreachable));
            return cx.effect(Effect::Announce);
        }
        member.proven = true;
        member.present = true;
        let change = TrustChange {
            key: member.connect.identity,
            name: member.name.clone(),
            at: cx.now,
            what: TrustDecision::Met,
        };
        self.remember(change, cx);
        if cx.own.renamed {
            let name = cx.own.name.to_string();
            cx.send(peer, PeopleFrame::Profile { name });
        }
        // The former session of a tab that was loaded again goes at once if it is silent or was never reached, and is probed
        // at once otherwise. Tab numbers are only claimed, so it may be another tab, which can come back.
        for former in self.same_tab(&peer) {
            let signed_at = |peer: &PeerId| self.members.get(peer).map(|its| its.connect.signed_at);
            let is_older = signed_at(&former) < signed_at(&peer);
            match links.state(&former) {
                PeerState::Reconnecting => cx.effect(Effect::RemoveClosed(former)),
                PeerState::Connecting | PeerState::NoPath | PeerState::Failed if is_older => {
                    cx.effect(Effect::RemoveClosed(former));
                }
                PeerState::Verified => cx.effect(Effect::Probe(former)),
                _ => {}
            }
        }
    }

    /// Takes over the proof of a peer. Its announcement counts, unless a broker has brought a newer one.
    pub fn proven(&mut self, peer: &PeerId, proof: Proven, cx: &Cx) {
        let Some(member) = self.members.get_mut(peer) else {
            return;
        };
        member.info = proof.info;
        member.resume = Some((proof.resume, proof.id, proof.connect.serial));
        member.given.truncate(1);
        member.given.insert(0, proof.ours);
        if proof.connect.serial >= member.connect.serial {
            if !member.proven {
                // The name that was judged before may be another one.
                member.name = proof.connect.name.clone();
                member.judge(&self.trust, &cx.own);
            }
            member.connect = proof.connect;
            member.connect_id = proof.id;
        }
    }

    /// Reports a peer that did not prove who it claims to be.
    pub fn not_proven(&mut self, peer: &PeerId, reason: ProofError, links: &Links, cx: &mut Cx) {
        self.name_everybody(cx);
        if let Some(member) = self.members.get(peer) {
            cx.people(PeopleEvent::ValidationFailure {
                peer: member.view(links),
                reason: reason.to_string(),
            });
        }
        cx.changed = true;
    }

    /// Changes the name of a peer.
    pub fn rename(&mut self, peer: &PeerId, name: &str, cx: &mut Cx) {
        let Some(name) = Name::parse_exact(name) else {
            return cx.dropped(Dropped::BadFrame);
        };
        if let Some(member) = self.members.get_mut(peer) {
            member.name = name;
            member.judge(&self.trust, &cx.own);
            cx.changed = true;
        }
    }

    /// Forgets a peer, and returns an event that says up to when its envelopes are old. `None` if it was not known.
    pub fn remove(&mut self, peer: &PeerId, reason: GoneReason, cx: &mut Cx) -> Option<PeerEvent> {
        let member = self.take_out(peer, reason, cx)?;
        let was_asked = member.asked.is_some() && member.decision == Decision::Accepted;
        if was_asked && reason == GoneReason::Unreachable {
            if self.accepted.len() >= MAX_ACCEPTED {
                self.accepted.remove(0);
            }
            self.accepted.push((*peer, member.name.clone()));
        }
        // A peer that left has no more to say; one that was lost may come back with something newer.
        let until = match reason {
            GoneReason::Left | GoneReason::Disconnected => Millis(u64::MAX),
            _ => member.newest(),
        };
        let proven = member.proven;
        Some(PeerEvent::Gone { until, proven })
    }

    /// Forgets a peer that closed its connection without a word. It seems to have left, but may come back with
    /// something newer: it also closes a connection on which our proof did not reach it in time.
    pub fn remove_closed(&mut self, peer: &PeerId, cx: &mut Cx) -> Option<PeerEvent> {
        let member = self.take_out(peer, GoneReason::Left, cx)?;
        let (until, proven) = (member.newest(), member.proven);
        Some(PeerEvent::Gone { until, proven })
    }

    fn take_out(&mut self, peer: &PeerId, reason: GoneReason, cx: &mut Cx) -> Option<Member> {
        let member = self.members.remove(peer)?;
        if member.decision == Decision::Asked {
            cx.people(PeopleEvent::RequestWithdrawn(*peer));
        }
        if let Some(view) = self.shown.remove(peer) {
            cx.people(PeopleEvent::Gone { peer: view, reason });
        }
        cx.changed = true;
        Some(member)
    }

    /// Forgets everybody without an event, and returns who they were.
    pub fn clear(&mut self) -> Vec<PeerId> {
        self.shown = LiteMap::new();
        let members = core::mem::take(&mut self.members);
        members.into_iter().map(|(peer, _)| peer).collect()
    }

    /// Applies a change to our own trust book, and tells the driver to store it.
    fn remember(&mut self, change: TrustChange, cx: &mut Cx) {
        match self.trust.apply(&change) {
            Ok(()) => cx.output(Output::Trust(change)),
            Err(refusal) => cx.event(Event::Refused(refusal.to_string())),
        }
    }
}
