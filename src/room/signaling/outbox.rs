//! Messages that are sealed for one peer alone: offers, answers, candidates and knocks.

use std::collections::VecDeque;

use super::Signaling;
use super::announcements::{Purpose, RENEW_AFTER, RENEW_VOID_AFTER};
use crate::budget::Budget;
use crate::identity::{PeerId, SealKey};
use crate::room::counters::Dropped;
use crate::room::cx::{Cx, OwnConnect};
use crate::room::effect::{Effect, Outgoing, Sent};
use crate::rtc::Candidate;
use crate::time::Millis;
use crate::wire::pair::PairContext;
use crate::wire::{Body, ConnectId, Nonce, NonceSource};

/// The most offers and knocks that wait for our announcement to be signed.
const MAX_WAITING: usize = 64;
/// Knocks that we send: at most this many at once, then one a second.
const KNOCKS_BURST: u32 = 10;

/// The nonce that makes a message sealed for a peer fresh.
#[derive(Debug, Clone, Copy)]
pub(in crate::room) struct Freshness {
    pub source: NonceSource,
    pub nonce: Nonce,
    /// The peer's announcement that has this nonce, or that it showed when it gave the nonce.
    pub connect: ConnectId,
}

#[derive(Debug)]
pub(super) struct Outbox {
    waiting: VecDeque<(PeerId, Outgoing)>,
    knocks: Budget,
}

impl Outbox {
    pub fn new(now: Millis) -> Outbox {
        Outbox {
            waiting: VecDeque::new(),
            knocks: Budget::new(KNOCKS_BURST, 1, now),
        }
    }
}

impl Signaling {
    /// Seals a message for one peer, and publishes it in that peer's inbox. A message that shows our announcement waits
    /// until one that is new enough has been signed.
    pub fn send(
        &mut self,
        peer: PeerId,
        pair: &SealKey,
        freshness: Option<Freshness>,
        out: Outgoing,
        full: bool,
        cx: &mut Cx,
    ) {
        let shows = matches!(out, Outgoing::Offer { .. } | Outgoing::Knock);
        let is_stale = |own: &OwnConnect| {
            let age = cx.now.since(own.at);
            // No newcomer could answer one from before strangers were forgotten.
            let is_void = self.departed.has_forgotten(own.at);
            age >= RENEW_AFTER || (is_void && age >= RENEW_VOID_AFTER)
        };
        if shows && cx.own.connect.as_ref().is_none_or(is_stale) {
            if self.outbox.waiting.len() >= MAX_WAITING {
                self.outbox.waiting.pop_front();
            }
            self.outbox.waiting.push_back((peer, out));
            return self.request_connect(Purpose::Show, full, cx);
        }
        let timestamp = self.stamp(cx.now);
        let own_id = cx.own.id;
        let context = PairContext {
            key: pair,
            topic: self.keys.topic(),
            sender: &own_id,
            recipient: &peer,
            timestamp,
        };
        let body = match (out, freshness, &cx.own.connect) {
            (
                Outgoing::Offer {
                    attempt,
                    introduction,
                },
                Some(fresh),
                Some(own),
            ) => {
                let sent = Sent {
                    attempt,
                    ours: own.id,
                    theirs: fresh.connect,
                    resumes: fresh.source == NonceSource::Resume,
                };
                let connect = own.connect.clone();
                let nonce = (fresh.source, &fresh.nonce);
                let offer = context.seal_offer(&mut cx.rng, connect, attempt, nonce, &introduction);
                cx.effect(Effect::OfferSent(peer, sent));
                Body::RtcOffer(offer)
            }
            (Outgoing::Knock, Some(fresh), Some(own)) => {
                if !self.outbox.knocks.take(cx.now) {
                    return cx.dropped(Dropped::TooManyKnocks);
                }
                let connect = own.connect.clone();
                let nonce = (fresh.source, &fresh.nonce);
                Body::Knock(context.seal_knock(&mut cx.rng, connect, nonce))
            }
            (
                Outgoing::Answer {
                    attempt,
                    challenge,
                    introduction,
                },
                ..,
            ) => Body::RtcAnswer(context.seal_answer(
                &mut cx.rng,
                attempt,
                &challenge,
                &introduction,
            )),
            (
                Outgoing::Candidates {
                    attempt,
                    challenge,
                    candidates,
                },
                ..,
            ) => {
                let compact: Vec<Vec<u8>> = candidates.iter().map(Candidate::to_bytes).collect();
                let compact = compact.iter().map(Vec::as_slice);
                let sealed = context.seal_candidates(&mut cx.rng, attempt, &challenge, compact);
                Body::RtcCandidates(sealed)
            }
            // There is nothing yet that could make it fresh.
            (Outgoing::Offer { .. } | Outgoing::Knock, ..) => return,
        };
        let inbox = self.keys.inbox(&peer);
        self.publish_at(timestamp, inbox, body, cx);
    }

    /// Sends the messages that have waited for our announcement.
    pub(super) fn send_waiting(&mut self, cx: &mut Cx) {
        for (peer, out) in core::mem::take(&mut self.outbox.waiting) {
            cx.effect(Effect::Signal(peer, out));
        }
    }
}
