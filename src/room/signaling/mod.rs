//! Traffic over the brokers: announcing ourselves, opening incoming envelopes, sealing outgoing ones.
//!
//! Nothing here decides who is let in or who connects to whom. It knows the room's keys, the brokers, our own
//! announcements, and which envelopes are too old to look at.

mod announcements;
mod announcer;
mod departed;
mod outbox;

use core::time::Duration;

use litemap::LiteMap;

use super::counters::Dropped;
use super::cx::Cx;
use super::effect::PeerEvent;
use super::io::{BrokerId, BrokerState, Carrier, Output};
use crate::identity::PeerId;
use crate::time::Millis;
use crate::wire::envelope::{EnvelopeHash, MAX_ENVELOPE};
use crate::wire::seen::SeenEnvelopes;
use crate::wire::{Body, BodyKind, DerivedTopic, Envelope, LeaveSecret, RoomKeys};

use announcements::Announcements;
use announcer::Announcer;
use departed::Departed;
use outbox::Outbox;

pub(super) use outbox::Freshness;

/// The most candidates that are kept until the offer or answer they belong to has come, and the most farewells until
/// their sender has announced itself.
const MAX_EARLY: usize = 32;
/// They are kept for this long.
const EARLY_LIFE: Duration = Duration::from_secs(8);

/// The company that we have, as far as it decides when we announce ourselves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Company {
    /// Whether at least one peer is connected.
    pub present: bool,
    /// Whether somebody who was connected is silent.
    pub incomplete: bool,
    /// Whether there is no place left here.
    pub full: bool,
}

#[derive(Debug)]
pub(super) struct Signaling {
    pub keys: RoomKeys,
    /// The prefix that the site puts before every topic.
    prefix: String,
    brokers: LiteMap<BrokerId, BrokerState>,
    /// Why no broker could be used in the last round of tries, until one can.
    failed: Option<BrokerState>,
    last_stamp: Millis,
    leave: LeaveSecret,
    announcer: Announcer,
    announcements: Announcements,
    outbox: Outbox,
    seen: SeenEnvelopes<Carrier>,
    departed: Departed,
    early: Vec<(Carrier, Envelope, Millis)>,
}

impl Signaling {
    pub fn new(keys: RoomKeys, prefix: String, cx: &mut Cx) -> Signaling {
        Signaling {
            keys,
            prefix,
            brokers: LiteMap::new(),
            failed: None,
            last_stamp: Millis(0),
            leave: LeaveSecret::generate(&mut cx.rng),
            announcer: Announcer::default(),
            announcements: Announcements::new(&mut cx.rng),
            outbox: Outbox::new(cx.now),
            seen: SeenEnvelopes::default(),
            departed: Departed::default(),
            early: Vec::new(),
        }
    }

    /// The names of the topics to subscribe to: the room's and the own inbox.
    pub fn subscriptions(&self, own: &PeerId) -> [String; 2] {
        [self.keys.topic(), self.keys.inbox(own)].map(|topic| topic.name(&self.prefix))
    }

    /// The best state of the connections to all brokers.
    pub fn broker(&self) -> BrokerState {
        let rank = |state: &BrokerState| match state {
            BrokerState::Ready => (0, Millis(0)),
            BrokerState::Opening => (1, Millis(0)),
            BrokerState::Unreachable { retry_at } | BrokerState::Refused { retry_at } => {
                (2, *retry_at)
            }
        };
        let best = self.brokers.values().min_by_key(|state| rank(state));
        best.copied().unwrap_or(BrokerState::Opening)
    }

    /// The state for people to see. A failure stays until a broker can be used: "joining" would promise more than another
    /// try can keep.
    pub fn shown_broker(&self) -> BrokerState {
        match (self.broker(), self.failed) {
            (BrokerState::Opening, Some(failed)) => failed,
            (state, _) => state,
        }
    }

    /// Opens an envelope from a broker, with the checks that need nothing but the room's keys. Returns `None` for an
    /// envelope of our own; the echo of our own announcement decides who has to offer.
    ///
    /// # Errors
    /// Returns the reason why it was dropped.
    pub fn open(
        &mut self,
        carrier: Carrier,
        topic: &str,
        payload: &[u8],
        cx: &mut Cx,
    ) -> Result<Option<Envelope>, Dropped> {
        let [room, inbox] = [self.keys.topic(), self.keys.inbox(&cx.own.id)];
        let named = |derived: &DerivedTopic| derived.name(&self.prefix) == topic;
        let topic = [room, inbox].into_iter().find(named);
        let topic = topic.ok_or(Dropped::WrongTopic)?;
        // Before anything is computed from it.
        if payload.len() > MAX_ENVELOPE {
            return Err(Dropped::TooLarge);
        }
        let hash = EnvelopeHash::of(payload);
        if self.seen.contains(&hash) {
            return Err(Dropped::Repeated);
        }
        let envelope = Envelope::open(&self.keys, topic, payload)?;
        self.seen.insert(hash, carrier, cx.now);
        cx.counters.skipped(envelope.skipped);
        if envelope.sender == cx.own.id {
            let is_announcement = |body: &Body| body.kind() == BodyKind::Connect;
            if topic == room && envelope.bodies.iter().any(is_announcement) {
                self.announcer.on_echo(envelope.timestamp, cx);
            }
            return Ok(None);
        }
        let mut bodies = envelope.bodies.iter();
        if bodies.any(|body| body.is_for_everybody() != (topic == room)) {
            return Err(Dropped::WrongTopic);
        }
        if self.departed.is_old(&envelope.sender, envelope.timestamp) {
            return Err(Dropped::Departed);
        }
        Ok(Some(envelope))
    }

    /// Keeps the only body of this envelope until what it refers to has come. Farewells take no place of candidates.
    pub fn keep_early(&mut self, carrier: Carrier, envelope: Envelope, cx: &Cx) {
        self.early.retain(|(.., at)| cx.now.since(*at) < EARLY_LIFE);
        let kind = |envelope: &Envelope| envelope.bodies.first().map(Body::kind);
        let all = self.early.iter().enumerate();
        let mut same = all.filter(|(_, its)| kind(&its.1) == kind(&envelope));
        let (first, others) = (same.next(), same.count());
        if let Some((first, _)) = first.filter(|_| others + 1 >= MAX_EARLY) {
            self.early.remove(first);
        }
        self.early.push((carrier, envelope, cx.now));
    }

    /// Returns what was kept from this peer.
    pub fn release_early(&mut self, peer: PeerId) -> Vec<(Carrier, Envelope)> {
        let is_theirs =
            |(_, envelope, _): &mut (Carrier, Envelope, Millis)| envelope.sender == peer;
        let theirs = self.early.extract_if(.., is_theirs);
        theirs
            .map(|(carrier, envelope, _)| (carrier, envelope))
            .collect()
    }

    /// Says goodbye to everybody at the brokers, without a signature: the secret to which our announcements committed
    /// is enough, and a page that is being closed has no time for more.
    pub fn say_leave(&mut self, cx: &mut Cx) {
        let body = Body::Leave(self.leave.clone());
        self.publish(self.keys.topic(), body, cx);
    }

    /// Handles an event of a peer: envelopes up to `until` of one that is gone are old.
    pub fn on_peer(&mut self, peer: PeerId, event: &PeerEvent, cx: &mut Cx) {
        if let PeerEvent::Gone { until, proven } = event {
            // Identities that never proved anything cost nothing, and must not make us talk.
            if *proven {
                self.announcer.lost_somebody(cx);
            }
            self.seen.remove_carrier(&Carrier::Peer(peer));
            let forgotten = self.departed.insert(peer, *until, *proven, cx.now);
            if let Some(at) = forgotten {
                self.announcements.give_up(at);
            }
        }
    }

    /// Whether this peer has said that it leaves, or was sent away.
    pub fn has_left(&self, peer: &PeerId) -> bool {
        self.departed.has_left(peer)
    }

    /// Returns a timestamp newer than every one before.
    fn stamp(&mut self, now: Millis) -> Millis {
        self.last_stamp = Millis(now.0.max(self.last_stamp.0 + 1));
        self.last_stamp
    }

    fn publish(&mut self, topic: DerivedTopic, body: Body, cx: &mut Cx) {
        let timestamp = self.stamp(cx.now);
        self.publish_at(timestamp, topic, body, cx);
    }

    /// Seals an envelope once, and gives the same bytes to every broker.
    fn publish_at(&mut self, timestamp: Millis, topic: DerivedTopic, body: Body, cx: &mut Cx) {
        let envelope = Envelope::new(cx.own.id, timestamp, body);
        let Ok(payload) = envelope.seal(&self.keys, topic, &mut cx.rng) else {
            // Nothing of ours comes near the limit.
            return cx.dropped(Dropped::TooLarge);
        };
        for broker in self.brokers.keys() {
            cx.counters.published(payload.len());
            cx.output(Output::Publish {
                carrier: Carrier::Broker(*broker),
                topic: topic.name(&self.prefix),
                payload: payload.clone(),
            });
        }
    }
}
