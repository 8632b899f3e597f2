//! The context that a machine is lent: the time, randomness, timers, and the queues of outputs and effects.
//!
//! A machine owns its own state and nothing else. It pushes a request to the browser as an [`Output`], and a request to
//! another machine as an [`Effect`], which [`Room`](super::Room) routes in order, after the machine has returned.

use core::time::Duration;
use std::collections::VecDeque;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use litemap::LiteMap;

use super::counters::{Counters, Dropped};
use super::drops::Drops;
use super::effect::{Effect, PeerEvent};
use super::io::{AppEvent, Carrier, ChatEvent, Event, Output, PeopleEvent};
use super::timer::Timer;
use crate::identity::{Name, PeerId, PublicKey, SessionKey};
use crate::rtc::{ConnectionId, LinkCommand};
use crate::settings::Features;
use crate::time::{Millis, Timers};
use crate::wire::frame::{Frame, PeopleFrame};
use crate::wire::{Connect, ConnectId, RoomId};

/// Our identity in this room. Only a change of name, or a new announcement, changes it.
#[derive(Debug)]
pub(super) struct Own {
    pub id: PeerId,
    pub key: PublicKey,
    pub session: SessionKey,
    pub name: Name,
    pub tab: u16,
    /// Information about us that others get with our proof: a JSON object.
    pub info: Option<String>,
    /// The room's id, which signatures cover.
    pub room: RoomId,
    /// Our newest announcement, once it has been signed.
    pub connect: Option<OwnConnect>,
    /// Whether we have changed our name since joining.
    pub renamed: bool,
}

/// An announcement of ours.
#[derive(Debug, Clone)]
pub(super) struct OwnConnect {
    pub connect: Connect,
    pub id: ConnectId,
    /// When it was signed.
    pub at: Millis,
}

/// The purpose of a requested signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignFor {
    /// Our announcement.
    Connect,
    /// Our proof on this connection.
    Verify(PeerId, ConnectionId),
    /// Something that we say: the number of the request.
    Entry(u32),
}

/// The context that machines are lent.
#[derive(Debug)]
pub(super) struct Cx {
    /// The current time.
    pub now: Millis,
    /// Our own identity.
    pub own: Own,
    /// What the site's chat has.
    pub features: Features,
    /// Whether something that people see may have changed.
    pub changed: bool,
    pub timers: Timers<Timer>,
    pub counters: Counters,
    /// How many messages from the brokers were dropped lately, and how many were not.
    pub drops: Drops,
    /// The peer over whose link came what is being handled. What is dropped of it is its doing.
    pub source: Option<PeerId>,
    pub rng: ChaCha20Rng,
    /// Signatures that have been requested, by ticket.
    signing: LiteMap<u32, SignFor>,
    next_ticket: u32,
    outputs: VecDeque<Output>,
    effects: VecDeque<Effect>,
}

impl Cx {
    pub fn new(
        own: impl FnOnce(&mut ChaCha20Rng) -> Own,
        features: Features,
        seed: [u8; 32],
        now: Millis,
    ) -> Cx {
        let mut rng = ChaCha20Rng::from_seed(seed);
        Cx {
            now,
            own: own(&mut rng),
            features,
            changed: true,
            timers: Timers::default(),
            counters: Counters::default(),
            drops: Drops::default(),
            source: None,
            rng,
            signing: LiteMap::new(),
            next_ticket: 0,
            outputs: VecDeque::new(),
            effects: VecDeque::new(),
        }
    }

    /// Queues an output for the driver.
    pub fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// Requests a signature. The key may live where nobody can read it, so the signature comes as an input.
    pub fn sign(&mut self, what: SignFor, message: Vec<u8>) {
        let ticket = self.ticket();
        self.signing.insert(ticket, what);
        self.output(Output::Sign { ticket, message });
    }

    /// Returns the ticket of a new request.
    pub fn ticket(&mut self) -> u32 {
        let ticket = self.next_ticket;
        self.next_ticket = ticket.wrapping_add(1);
        ticket
    }

    /// Returns the purpose of the signature with this ticket.
    pub fn signed(&mut self, ticket: u32) -> Option<SignFor> {
        self.signing.remove(&ticket)
    }

    /// Sends a command to a peer connection.
    pub fn link(&mut self, connection: ConnectionId, command: LinkCommand) {
        self.output(Output::Link(connection, command));
    }

    /// Sends a frame on a connection, whether or not its peer is verified.
    pub fn send_on(&mut self, connection: ConnectionId, frame: &Frame) {
        for text in frame.encode() {
            self.link(connection, LinkCommand::Send(text));
        }
    }

    /// Reports an event to the person.
    pub fn event(&mut self, event: Event) {
        self.output(Output::Event(event));
    }

    /// Reports an event about people to the person.
    pub fn people(&mut self, event: PeopleEvent) {
        self.event(Event::People(event));
    }

    /// Reports an event about messages to the person.
    pub fn chat(&mut self, event: ChatEvent) {
        self.event(Event::Chat(event));
    }

    /// Reports an event to the application.
    pub fn app(&mut self, event: AppEvent) {
        self.event(Event::App(event));
    }

    /// Queues an effect for another machine.
    pub fn effect(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    /// Tells every machine what happened to a peer.
    pub fn peer(&mut self, peer: PeerId, event: PeerEvent) {
        self.effect(Effect::Peer(peer, event));
    }

    /// Sends a frame to a peer, if it is verified by then.
    pub fn send(&mut self, peer: PeerId, frame: impl Into<Frame>) {
        self.effect(Effect::Send(peer, frame.into()));
    }

    /// Changes our name, and tells everybody.
    pub fn rename(&mut self, name: Name) {
        if name != self.own.name {
            let frame = PeopleFrame::Profile {
                name: name.to_string(),
            };
            self.own.name = name;
            self.own.renamed = true;
            self.changed = true;
            self.effect(Effect::SendAll(frame.into()));
        }
    }

    /// Counts something that was dropped.
    pub fn dropped(&mut self, reason: Dropped) {
        self.counters.dropped(reason);
        if let Some(peer) = self.source.filter(|_| reason.breaks_limits()) {
            self.effect(Effect::Dropped(peer, reason));
        }
    }

    /// Counts something from a broker or a member that was dropped.
    pub fn dropped_from(&mut self, carrier: Carrier, reason: Dropped) {
        self.dropped(reason);
        if matches!(carrier, Carrier::Broker(_)) && reason.hinders() {
            self.changed |= self.drops.dropped(self.now);
        }
    }

    /// Counts something from a broker or a member that passed all checks.
    pub fn received(&mut self, carrier: Carrier) {
        self.counters.received();
        if matches!(carrier, Carrier::Broker(_)) {
            self.changed |= self.drops.received(self.now);
        }
    }

    /// Returns the next effect in the queue.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Returns the next output for the driver.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Returns a random index below `length`, which must not be 0.
    pub fn random_index(&mut self, length: usize) -> usize {
        self.rng.next_u32() as usize % length.max(1)
    }

    /// Returns a random part of `duration`.
    pub fn random_below(&mut self, duration: Duration) -> Duration {
        duration.mul_f64(f64::from(self.rng.next_u32()) / f64::from(u32::MAX))
    }

    /// Returns `duration` plus or minus up to a quarter of it.
    pub fn jittered(&mut self, duration: Duration) -> Duration {
        let part = f64::from(self.rng.next_u32()) / f64::from(u32::MAX);
        duration.mul_f64(0.75 + part / 2.0)
    }
}
