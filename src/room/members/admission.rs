//! Admission of peers. Checks run cheapest first: newness, and only then a signature, of which a limited number is
//! checked a second. Announcements that fail are counted and change nothing.

use core::time::Duration;

use super::decisions::take_accepted;
use super::inbox::Via;
use super::{Decision, Freshness, Member, Members};
use crate::budget::Budget;
use crate::identity::{PeerId, SealKey};
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::effect::{Effect, Outgoing};
use crate::room::io::{Carrier, PeopleEvent};
use crate::room::links::Links;
use crate::room::policy::{Action, Permission};
use crate::wire::{Connect, ConnectId, NonceSource};

/// The most people who wait for the person's decision at once.
const MAX_ASKED: usize = 5;
/// The person is asked about one peer at most this often at once, since it can take ever new names …
const ASKS_BURST: u32 = 4;
/// … and then once in this time.
const ASK_PAUSE: Duration = Duration::from_secs(4);
/// Offers of one peer that are answered: at most this many at once …
const OFFERS_BURST: u32 = 8;
/// … and then one in this time.
const OFFER_PAUSE: Duration = Duration::from_secs(4);

impl Members {
    /// Returns the nonce that makes a message sealed for this peer fresh, and where the nonce comes from.
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

    /// Returns whether an offer that we made to this peer now would resume.
    pub fn resumes(&self, peer: &PeerId) -> bool {
        let fresh = self.freshness(peer);
        fresh.is_some_and(|fresh| fresh.source == NonceSource::Resume)
    }

    /// Refuses newcomers while the room is full, and announces that it is.
    pub(super) fn refuse_if_full(&self, peer: &PeerId, cx: &mut Cx) -> Result<(), Dropped> {
        let member = self.members.get(peer);
        if !self.is_full() || member.is_some_and(|member| member.present) {
            return Ok(());
        }
        cx.effect(Effect::Announce);
        Err(Dropped::RoomFull)
    }

    /// Checks the peer that `connect` introduces, once for each new announcement, and gives it a place in the roster.
    pub(super) fn admit(
        &mut self,
        connect: &Connect,
        via: Via<'_>,
        cx: &mut Cx,
    ) -> Result<(), Dropped> {
        let peer = connect.peer_id();
        // Before anything is spent: a key that was met before has a share of its own, but not if it is blocked.
        if self.trust.is_blocked(&connect.identity) {
            return Err(Dropped::Declined);
        }
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
        self.check_signature(connect, via, cx)?;
        let id = connect.id(via.signaling.keys.id());
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
                member.judge(&self.trust, &cx.own);
            }
            cx.changed = true;
            if renamed && member.decision == Decision::Asked {
                if member.asks.take(cx.now) {
                    self.ask(peer, via.links, cx);
                } else {
                    // The name that is asked about is not the right one any more.
                    member.decision = Decision::Undecided;
                    cx.people(PeopleEvent::RequestWithdrawn(peer));
                }
            }
            return Ok(());
        }
        let ours = (&cx.own.session, &cx.own.id);
        let keys = &via.signaling.keys;
        let pair = keys.pair_key(ours, (&connect.session, &peer));
        let pair = pair.map_err(|_| Dropped::BadSignature)?;
        self.make_room(via.carrier, &connect.identity, via.links, cx)?;
        let member = self.new_member(connect.clone(), id, pair, via.carrier, cx);
        self.members.insert(peer, member);
        cx.effect(Effect::ReleaseEarly(peer));
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
            met: self.trust.get(&connect.identity).is_some(),
            connect,
            connect_id,
            decision: Decision::Undecided,
            asked: None,
            asks: Budget::slow(ASKS_BURST, ASK_PAUSE, cx.now),
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
        // Another tab of one's own needs no decision: whoever has this key is the person at this browser.
        let action = if *key == cx.own.key {
            Action::Return
        } else {
            Action::Connect
        };
        match self.policy.may(&self.trust, key, &member.name, action) {
            Permission::Granted => member.decision = Decision::Accepted,
            Permission::Refused => member.decision = Decision::Declined,
            Permission::AskPerson if take_accepted(&mut self.accepted, &peer, &member.name) => {
                member.decision = Decision::Accepted;
                // A peer that the person was asked about once is remembered again.
                member.asked = Some(cx.now);
            }
            Permission::AskPerson => {
                let serial = Some(member.connect.serial);
                if member.knocked != serial {
                    member.knocked = serial;
                    cx.effect(Effect::Signal(peer, Outgoing::Knock));
                }
                if member.present && asked < MAX_ASKED && member.asks.take(cx.now) {
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

    /// Asks the person about a peer, and asks again where its name has changed.
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

    /// Checks the signature of an announcement, if the budget for signatures allows it.
    fn check_signature(
        &mut self,
        connect: &Connect,
        via: Via<'_>,
        cx: &mut Cx,
    ) -> Result<(), Dropped> {
        let known = self.trust.get(&connect.identity).is_some();
        if !self.signatures.take(via.carrier, known, cx.now) {
            return Err(Dropped::OverBudget);
        }
        cx.counters.signature_checked();
        connect
            .verify(via.signaling.keys.id())
            .map_err(|_| Dropped::BadSignature)
    }

    /// Charges an offer to the budgets of the peer and the carrier. This happens once the offer has opened, so that
    /// nobody else can use up the peer's.
    pub(super) fn afford_offer(
        &mut self,
        carrier: Carrier,
        peer: &PeerId,
        cx: &Cx,
    ) -> Result<(), Dropped> {
        let member = self.members.get_mut(peer).ok_or(Dropped::Unexpected)?;
        let known = self.trust.get(&member.connect.identity).is_some();
        if member.offers.take(cx.now) && self.offers.take(carrier, known, cx.now) {
            Ok(())
        } else {
            Err(Dropped::TooManyOffers)
        }
    }
}
