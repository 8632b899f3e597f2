//! What goes over the brokers: announcing ourselves, opening what comes, sealing what goes.
//!
//! Nothing here decides who is let in or who connects to whom. It knows the room's keys, the brokers, and which
//! envelopes are too old to look at.

mod announcer;
mod departed;

use core::time::Duration;
use std::collections::VecDeque;

use litemap::LiteMap;

use super::counters::Dropped;
use super::cx::{Cx, PeerEvent};
use super::io::{BrokerId, BrokerState, Carrier, Output};
use crate::identity::{PeerId, SealKey};
use crate::rtc::Candidate;
use crate::time::Millis;
use crate::wire::envelope::{PairContext, sign_leave};
use crate::wire::{Attempt, Body, Envelope, Introduction, RoomKeys, Subtopic};

use announcer::Announcer;
use departed::Departed;

/// The most candidates that are kept until the offer or answer they belong to has come.
const MAX_EARLY: usize = 32;
/// For how long they are kept.
const EARLY_LIFE: Duration = Duration::from_secs(8);

/// Timers of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// To say "I am here" again.
    Announce,
    /// Our own announcement should have come back by now.
    Echo,
}

impl From<Timer> for super::Timer {
    fn from(timer: Timer) -> super::Timer {
        super::Timer::Signaling(timer)
    }
}

/// What is sealed for one peer alone.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// An offer.
    Offer {
        attempt: Attempt,
        introduction: Introduction,
    },
    /// The answer to an offer.
    Answer {
        attempt: Attempt,
        introduction: Introduction,
    },
    /// Candidates that were found late.
    Candidates {
        attempt: Attempt,
        candidates: Vec<Candidate>,
    },
}

/// Who else is here, as far as it decides when we announce ourselves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Company {
    /// At least one peer is connected.
    pub present: bool,
    /// Somebody who was connected is silent.
    pub incomplete: bool,
    /// There is no place left here.
    pub full: bool,
}

#[derive(Debug)]
pub(super) struct Signaling {
    pub keys: RoomKeys,
    brokers: LiteMap<BrokerId, BrokerState>,
    last_stamp: Millis,
    announcer: Announcer,
    departed: Departed,
    early: VecDeque<(Envelope, Millis)>,
}

impl Signaling {
    pub fn new(keys: RoomKeys, now: Millis) -> Signaling {
        Signaling {
            keys,
            brokers: LiteMap::new(),
            last_stamp: Millis(0),
            announcer: Announcer::new(now),
            departed: Departed::default(),
            early: VecDeque::new(),
        }
    }

    /// The best way that there is to any broker.
    pub fn broker(&self) -> BrokerState {
        let rank = |state: &BrokerState| match state {
            BrokerState::Ready => (0, Millis(0)),
            BrokerState::Opening => (1, Millis(0)),
            BrokerState::Unreachable { retry_at } => (2, *retry_at),
        };
        let best = self.brokers.values().min_by_key(|state| rank(state));
        best.copied().unwrap_or(BrokerState::Opening)
    }

    /// Opens what a broker brought. `None` for our own announcement, which says who has to offer.
    ///
    /// # Errors
    /// Why it was dropped: the cheapest checks that need nothing but the room's keys.
    pub fn open(
        &mut self,
        topic: &str,
        payload: &[u8],
        cx: &mut Cx,
    ) -> Result<Option<Envelope>, Dropped> {
        let envelope = Envelope::open(&self.keys, topic, payload)?;
        if envelope.sender == cx.own.id {
            if topic == self.keys.topic() && envelope.body.subtopic() == Subtopic::Connect {
                self.announcer.on_echo(envelope.timestamp, cx);
            }
            return Ok(None);
        }
        let to_all = matches!(envelope.body, Body::Connect(_) | Body::Leave { .. });
        if to_all != (topic == self.keys.topic()) {
            return Err(Dropped::WrongTopic);
        }
        if self.departed.is_old(&envelope) {
            return Err(Dropped::Departed);
        }
        Ok(Some(envelope))
    }

    /// Keeps candidates whose offer or answer is still under way.
    pub fn keep_early(&mut self, envelope: Envelope, cx: &Cx) {
        self.early.retain(|(_, at)| cx.now.since(*at) < EARLY_LIFE);
        if self.early.len() >= MAX_EARLY {
            self.early.pop_front();
        }
        self.early.push_back((envelope, cx.now));
    }

    /// Gives the candidates back that were kept for this peer.
    pub fn release_early(&mut self, peer: PeerId) -> Vec<Envelope> {
        let (theirs, others): (VecDeque<_>, VecDeque<_>) = core::mem::take(&mut self.early)
            .into_iter()
            .partition(|(envelope, _)| envelope.sender == peer);
        self.early = others;
        theirs.into_iter().map(|(envelope, _)| envelope).collect()
    }

    /// Seals something for one peer, and publishes it in that peer's inbox.
    pub fn send(&mut self, peer: PeerId, pair: &SealKey, out: Outgoing, full: bool, cx: &mut Cx) {
        let (subtopic, attempt) = match &out {
            Outgoing::Offer { attempt, .. } => (Subtopic::RtcOffer, *attempt),
            Outgoing::Answer { attempt, .. } => (Subtopic::RtcAnswer, *attempt),
            Outgoing::Candidates { attempt, .. } => (Subtopic::RtcCandidates, *attempt),
        };
        let timestamp = self.stamp(cx.now);
        let own = cx.own.id;
        let context = PairContext {
            topic: self.keys.topic(),
            subtopic,
            sender: &own,
            recipient: &peer,
            attempt,
            timestamp,
        };
        let body = match out {
            Outgoing::Offer { introduction, .. } => {
                let sealed = context.seal(pair, &mut cx.rng, &introduction);
                let connect = Box::new(self.current_connect(full, cx));
                Body::RtcOffer {
                    connect,
                    attempt,
                    sealed,
                }
            }
            Outgoing::Answer { introduction, .. } => Body::RtcAnswer {
                attempt,
                sealed: context.seal(pair, &mut cx.rng, &introduction),
            },
            Outgoing::Candidates { candidates, .. } => Body::RtcCandidates {
                attempt,
                sealed: context.seal(pair, &mut cx.rng, &candidates),
            },
        };
        self.publish(self.keys.inbox(&peer), timestamp, body, cx);
    }

    /// Says goodbye to everybody at the brokers.
    pub fn say_leave(&mut self, cx: &mut Cx) {
        let timestamp = self.stamp(cx.now);
        let topic = self.keys.topic().to_owned();
        let signature = sign_leave(&cx.own.identity, &topic, &cx.own.id, timestamp);
        self.publish(topic, timestamp, Body::Leave { signature }, cx);
    }

    /// Something happened to a peer: of one that is gone, envelopes up to `until` are old.
    pub fn on_peer(&mut self, peer: PeerId, event: &PeerEvent) {
        if let PeerEvent::Gone { until } = event {
            self.departed.insert(peer, *until);
        }
    }

    /// Whether this peer has said that it leaves, or was sent away.
    pub fn has_left(&self, peer: &PeerId) -> bool {
        self.departed.has_left(peer)
    }

    /// A timestamp newer than every one before.
    fn stamp(&mut self, now: Millis) -> Millis {
        self.last_stamp = Millis(now.0.max(self.last_stamp.0 + 1));
        self.last_stamp
    }

    fn publish(&mut self, topic: String, timestamp: Millis, body: Body, cx: &mut Cx) {
        let envelope = Envelope {
            sender: cx.own.id,
            timestamp,
            body,
        };
        let payload = envelope.seal(&self.keys, &topic, &mut cx.rng);
        for broker in self.brokers.keys() {
            cx.counters.published(payload.len());
            cx.output(Output::Publish {
                carrier: Carrier::Broker(*broker),
                topic: topic.clone(),
                payload: payload.clone(),
            });
        }
    }
}
