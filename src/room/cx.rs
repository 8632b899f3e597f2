//! What a machine is lent: the time, randomness, timers, and the queues of what it wants done.
//!
//! A machine owns its own state and nothing else. What it wants of the browser it pushes as an [`Output`]; what it
//! wants of another machine it pushes as an [`Effect`], which [`Room`](super::Room) routes in order, after the machine
//! has returned.

use core::time::Duration;
use std::collections::VecDeque;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use litemap::LiteMap;

use super::counters::{Counters, Dropped};
use super::effect::{Effect, PeerEvent};
use super::io::{AppEvent, ChatEvent, Event, Output, PeopleEvent};
use super::timer::Timer;
use crate::identity::{Name, PeerId, PublicKey, SessionKey};
use crate::rtc::{ConnectionId, LinkCommand};
use crate::time::{Millis, Timers};
use crate::wire::frame::{Frame, PeopleFrame};
use crate::wire::{Connect, ConnectId, RoomId};

/// Who we are in this room. Only a change of name changes it.
#[derive(Debug)]
pub(super) struct Own {
    pub id: PeerId,
    pub key: PublicKey,
    pub session: SessionKey,
    pub name: Name,
    pub tab: u16,
    /// What others are told about us once we have proven who we are: a JSON object.
    pub info: Option<String>,
    /// The room's id, which signatures cover.
    pub room: RoomId,
    /// Our newest announcement, once it has been signed.
    pub connect: Option<OwnConnect>,
    /// Our name is not the one we joined with.
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

/// What a signature was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignFor {
    /// Our announcement.
    Connect,
    /// Our proof on this connection.
    Verify(PeerId, ConnectionId),
}

/// What machines are lent.
#[derive(Debug)]
pub(super) struct Cx {
    /// The present.
    pub now: Millis,
    /// Who we are.
    pub own: Own,
    /// Something that people see may have changed.
    pub changed: bool,
    pub timers: Timers<Timer>,
    pub counters: Counters,
    pub rng: ChaCha20Rng,
    /// Signatures that have been asked for, by ticket.
    signing: LiteMap<u32, SignFor>,
    next_ticket: u32,
    outputs: VecDeque<Output>,
    effects: VecDeque<Effect>,
}

impl Cx {
    pub fn new(own: impl FnOnce(&mut ChaCha20Rng) -> Own, seed: [u8; 32], now: Millis) -> Cx {
        let mut rng = ChaCha20Rng::from_seed(seed);
        Cx {
            now,
            own: own(&mut rng),
            changed: true,
            timers: Timers::default(),
            counters: Counters::default(),
            rng,
            signing: LiteMap::new(),
            next_ticket: 0,
            outputs: VecDeque::new(),
            effects: VecDeque::new(),
        }
    }

    /// Asks something of the driver.
    pub fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// Asks for a signature. The key may live where nobody can read it, so the answer comes as an input.
    pub fn sign(&mut self, what: SignFor, message: Vec<u8>) {
        let ticket = self.next_ticket;
        self.next_ticket = ticket.wrapping_add(1);
        self.signing.insert(ticket, what);
        self.output(Output::Sign { ticket, message });
    }

    /// What the signature with this ticket was asked for.
    pub fn signed(&mut self, ticket: u32) -> Option<SignFor> {
        self.signing.remove(&ticket)
    }

    /// Asks something of a peer connection.
    pub fn link(&mut self, connection: ConnectionId, command: LinkCommand) {
        self.output(Output::Link(connection, command));
    }

    /// Sends a frame on a connection, whether or not its peer is verified.
    pub fn send_on(&mut self, connection: ConnectionId, frame: &Frame) {
        for text in frame.encode() {
            self.link(connection, LinkCommand::Send(text));
        }
    }

    /// Tells the person something.
    pub fn event(&mut self, event: Event) {
        self.output(Output::Event(event));
    }

    /// Tells the person something about people.
    pub fn people(&mut self, event: PeopleEvent) {
        self.event(Event::People(event));
    }

    /// Tells the person something about messages.
    pub fn chat(&mut self, event: ChatEvent) {
        self.event(Event::Chat(event));
    }

    /// Tells the application something.
    pub fn app(&mut self, event: AppEvent) {
        self.event(Event::App(event));
    }

    /// Asks something of another machine.
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

    /// Goes by another name from now on, and tells everybody.
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

    /// Counts something that was not taken.
    pub fn dropped(&mut self, reason: Dropped) {
        self.counters.dropped(reason);
    }

    /// The next thing that a machine wants of another.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The next thing for the driver.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Random bytes.
    pub fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// A random index below `length`, which is not 0.
    pub fn random_index(&mut self, length: usize) -> usize {
        self.rng.next_u32() as usize % length.max(1)
    }

    /// A random part of `duration`.
    pub fn random_below(&mut self, duration: Duration) -> Duration {
        duration.mul_f64(f64::from(self.rng.next_u32()) / f64::from(u32::MAX))
    }

    /// `duration` plus or minus a quarter of it.
    pub fn jittered(&mut self, duration: Duration) -> Duration {
        let part = f64::from(self.rng.next_u32()) / f64::from(u32::MAX);
        duration.mul_f64(0.75 + part / 2.0)
    }
}
