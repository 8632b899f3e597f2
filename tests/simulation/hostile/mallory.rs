//! Somebody who cheats, and what everybody in the room can overhear.

use core::num::NonZeroU32;

use base32ct::{Base32Unpadded, Encoding};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::Rng;
use rtchat::identity::{IdentityKey, Name, PeerId, SealKey, SessionKey};
use rtchat::rtc::{Candidate, DataDescription, SdpType};
use rtchat::time::Millis;
use rtchat::wire::connect::{ConnectFields, VERSION};
use rtchat::wire::extension::{Extension, Extensions};
use rtchat::wire::pair::PairContext;
use rtchat::wire::{
    Attempt, Body, Connect, DerivedTopic, Envelope, Introduction, LeaveSecret, Nonce, NonceSource,
    RoomKeys,
};

use super::rng;
use crate::world::{World, room_keys, sdp};

/// Somebody with keys of their own and no scruples.
pub(crate) struct Mallory {
    pub identity: IdentityKey,
    pub session: SessionKey,
    pub leave: LeaveSecret,
    pub name: Name,
    pub rng: ChaCha20Rng,
    pub keys: RoomKeys,
    serial: u32,
    attempts: u32,
    stamp: Millis,
    shown: Option<Connect>,
    /// The newest offer: its number and its introduction.
    pub offered: Option<(Attempt, Introduction)>,
}

impl Mallory {
    pub fn new(number: u64) -> Mallory {
        Mallory::named(number, "mallory")
    }

    pub fn named(number: u64, name: &str) -> Mallory {
        let mut rng = rng(number);
        Mallory {
            identity: IdentityKey::generate(&mut rng),
            session: SessionKey::generate(&mut rng),
            leave: LeaveSecret::generate(&mut rng),
            name: Name::parse(name).unwrap(),
            rng,
            keys: room_keys(),
            serial: 0,
            attempts: 0,
            stamp: Millis(0),
            shown: None,
            offered: None,
        }
    }

    pub fn id(&self) -> PeerId {
        PeerId::of(&self.identity.public(), &self.session.public())
    }

    /// A time at which nothing of Mallory's was sent before.
    fn stamp(&mut self, now: Millis) -> Millis {
        self.stamp = Millis(now.0.max(self.stamp.0 + 1));
        self.stamp
    }

    pub fn fields(&mut self, now: Millis) -> ConnectFields {
        self.serial += 1;
        ConnectFields {
            version: VERSION,
            capabilities: 0,
            identity: self.identity.public(),
            session: self.session.public(),
            serial: NonZeroU32::new(self.serial).unwrap(),
            nonce: Nonce::generate(&mut self.rng),
            leave: self.leave.commitment(self.keys.id(), &self.id()),
            signed_at: self.stamp(now),
            tab: 1,
            name: self.name.clone(),
        }
    }

    /// A sound announcement.
    pub fn connect(&mut self, now: Millis) -> Connect {
        let fields = self.fields(now);
        self.sign(fields)
    }

    pub fn sign(&mut self, fields: ConnectFields) -> Connect {
        self.sign_with(fields, vec![])
    }

    pub fn sign_with(&mut self, fields: ConnectFields, extensions: Vec<Extension>) -> Connect {
        let extensions = Extensions::new(extensions).unwrap();
        let connect = Connect::sign(fields, extensions, self.keys.id(), &self.identity).unwrap();
        self.shown = Some(connect.clone());
        connect
    }

    /// The announcement that Mallory shows in offers and knocks.
    fn shown(&mut self, now: Millis) -> Connect {
        match &self.shown {
            Some(connect) => connect.clone(),
            None => self.connect(now),
        }
    }

    pub fn send(&mut self, world: &mut World, topic: DerivedTopic, envelope: &Envelope) {
        let payload = self.seal(topic, envelope);
        world.publish_raw(&topic.name(""), payload);
    }

    pub fn seal(&mut self, topic: DerivedTopic, envelope: &Envelope) -> Vec<u8> {
        envelope.seal(&self.keys, topic, &mut self.rng).unwrap()
    }

    /// Sends what no `Envelope` holds: a body with this content.
    pub fn send_raw_body(&mut self, world: &mut World, at: Millis, kind: u8, content: &[u8]) {
        let mut plain = self.id().0.to_vec();
        plain.extend_from_slice(&at.0.to_be_bytes());
        plain.push(kind);
        plain.extend_from_slice(&u16::try_from(content.len()).unwrap().to_be_bytes());
        plain.extend_from_slice(content);
        let topic = self.keys.topic();
        let seal = self.keys.seal_key();
        let payload = seal.seal(&mut self.rng, &topic.0, &plain);
        world.publish_raw(&topic.name(""), payload);
    }

    pub fn announce(&mut self, world: &mut World, sender: PeerId, connect: Connect) {
        let envelope = Envelope::new(sender, connect.signed_at, Body::Connect(connect));
        let topic = self.keys.topic();
        self.send(world, topic, &envelope);
    }

    pub fn leave_with(&mut self, world: &mut World, sender: PeerId, secret: LeaveSecret) {
        let at = self.stamp(world.now);
        let topic = self.keys.topic();
        let envelope = Envelope::new(sender, at, Body::Leave(secret));
        self.send(world, topic, &envelope);
    }

    pub fn pair(&self, theirs: &Connect) -> SealKey {
        let own = self.id();
        let ours = (&self.session, &own);
        let pair = self
            .keys
            .pair_key(ours, (&theirs.session, &theirs.peer_id()));
        pair.unwrap()
    }

    /// A sound offer to whoever announced `theirs`, bound to that announcement. Nobody is behind it.
    pub fn offer(&mut self, now: Millis, theirs: &Connect) -> (DerivedTopic, Envelope) {
        let connect = self.shown(now);
        let at = self.stamp(now);
        let description = sdp(SdpType::Offer, "evilevil", &[9; 32]);
        let description = DataDescription::from_sdp(SdpType::Offer, &description).unwrap();
        self.offer_with(at, theirs, connect, description.to_bytes())
    }

    pub fn offer_with(
        &mut self,
        at: Millis,
        theirs: &Connect,
        connect: Connect,
        description: Vec<u8>,
    ) -> (DerivedTopic, Envelope) {
        let challenge = Nonce::generate(&mut self.rng);
        let introduction =
            Introduction::new(challenge, description, Extensions::default()).unwrap();
        self.introduce(at, theirs, connect, introduction)
    }

    pub fn introduce(
        &mut self,
        at: Millis,
        theirs: &Connect,
        connect: Connect,
        introduction: Introduction,
    ) -> (DerivedTopic, Envelope) {
        let (own, recipient) = (self.id(), theirs.peer_id());
        let attempt = Attempt::new(self.attempts, &own, &recipient);
        self.attempts += 1;
        let pair = self.pair(theirs);
        let context = PairContext {
            key: &pair,
            topic: self.keys.topic(),
            sender: &own,
            recipient: &recipient,
            timestamp: at,
        };
        let nonce = (NonceSource::Connect(theirs.serial), &theirs.nonce);
        let offer = context.seal_offer(&mut self.rng, connect, attempt, nonce, &introduction);
        self.offered = Some((attempt, introduction));
        let inbox = self.keys.inbox(&recipient);
        (inbox, Envelope::new(own, at, Body::RtcOffer(offer)))
    }

    pub fn send_offer(&mut self, world: &mut World, theirs: &Connect) {
        let (inbox, envelope) = self.offer(world.now, theirs);
        self.send(world, inbox, &envelope);
    }

    /// A sound knock on the door of whoever announced `theirs`. What was sent, and where, is given back.
    pub fn knock(&mut self, world: &mut World, theirs: &Connect) -> (DerivedTopic, Envelope) {
        let connect = self.shown(world.now);
        let at = self.stamp(world.now);
        let (own, recipient) = (self.id(), theirs.peer_id());
        let pair = self.pair(theirs);
        let context = PairContext {
            key: &pair,
            topic: self.keys.topic(),
            sender: &own,
            recipient: &recipient,
            timestamp: at,
        };
        let nonce = (NonceSource::Connect(theirs.serial), &theirs.nonce);
        let knock = context.seal_knock(&mut self.rng, connect, nonce);
        let inbox = self.keys.inbox(&recipient);
        let envelope = Envelope::new(own, at, Body::Knock(knock));
        self.send(world, inbox, &envelope);
        (inbox, envelope)
    }

    /// Answers the newest offer of a tab, if it was made to Mallory and for the announcement that is shown. Nobody is
    /// behind the answer.
    pub fn answer(&mut self, world: &mut World, from: usize) {
        let own = self.id();
        let inbox = self.keys.inbox(&own);
        let sender = world.nodes[from].room.id();
        let theirs = newest_connect(world, from);
        let offers = overheard(world).into_iter().rev();
        let mut offers = offers.filter(|(topic, its)| *topic == inbox && its.sender == sender);
        let Some((_, envelope)) = offers.next() else {
            return;
        };
        let (Body::RtcOffer(offer), Some(shown)) = (&envelope.bodies[0], &self.shown) else {
            return;
        };
        let nonce = shown.nonce;
        let pair = self.pair(&theirs);
        let context = PairContext {
            key: &pair,
            topic: self.keys.topic(),
            sender: &sender,
            recipient: &own,
            timestamp: envelope.timestamp,
        };
        let Ok(opened) = context.open_offer(offer, &nonce) else {
            return;
        };
        let at = self.stamp(world.now);
        let context = PairContext {
            sender: &own,
            recipient: &sender,
            timestamp: at,
            ..context
        };
        let description = sdp(SdpType::Answer, "evilevil", &[9; 32]);
        let description = DataDescription::from_sdp(SdpType::Answer, &description).unwrap();
        let challenge = Nonce::generate(&mut self.rng);
        let introduction =
            Introduction::new(challenge, description.to_bytes(), Extensions::default()).unwrap();
        let (attempt, asked) = (offer.attempt, opened.challenge());
        let answer = context.seal_answer(&mut self.rng, attempt, asked, &introduction);
        let inbox = self.keys.inbox(&sender);
        self.send(
            world,
            inbox,
            &Envelope::new(own, at, Body::RtcAnswer(answer)),
        );
    }

    /// Candidates for the newest offer. What was sent, and where, is given back.
    pub fn candidates(
        &mut self,
        world: &mut World,
        theirs: &Connect,
        count: usize,
    ) -> (DerivedTopic, Envelope) {
        let (attempt, introduction) = self.offered.clone().expect("an offer was made");
        let at = self.stamp(world.now);
        let (own, recipient) = (self.id(), theirs.peer_id());
        let pair = self.pair(theirs);
        let context = PairContext {
            key: &pair,
            topic: self.keys.topic(),
            sender: &own,
            recipient: &recipient,
            timestamp: at,
        };
        let port = self.rng.next_u32() % 10_000;
        let line = |n: usize| {
            let port = 10_000 + port as usize + n;
            let text = format!("candidate:1 1 udp 2113937151 192.0.2.1 {port} typ host");
            Candidate::parse(&text).unwrap().to_bytes()
        };
        let all: Vec<Vec<u8>> = (0..count).map(line).collect();
        let all = all.iter().map(Vec::as_slice);
        let sealed = context.seal_candidates(&mut self.rng, attempt, introduction.challenge(), all);
        let inbox = self.keys.inbox(&recipient);
        let envelope = Envelope::new(own, at, Body::RtcCandidates(sealed));
        self.send(world, inbox, &envelope);
        (inbox, envelope)
    }
}

/// The same announcement with other bytes at this place, and the signature that it had.
pub(crate) fn patched(connect: &Connect, at: usize, with: &[u8]) -> Connect {
    let mut bytes = connect.as_bytes().to_vec();
    bytes[at..at + with.len()].copy_from_slice(with);
    Connect::parse(&bytes).unwrap()
}

/// The topic with this name, where the site has no prefix.
pub(crate) fn derived(name: &str) -> DerivedTopic {
    let mut topic = [0; 16];
    Base32Unpadded::decode(name, &mut topic).unwrap();
    DerivedTopic(topic)
}

/// What was published so far, opened with the room's key, which every member has.
pub(crate) fn overheard(world: &World) -> Vec<(DerivedTopic, Envelope)> {
    let opened = world.published.iter().filter_map(|(_, topic, payload)| {
        let topic = derived(topic);
        Some((topic, Envelope::open(&world.keys, topic, payload).ok()?))
    });
    opened.collect()
}

/// The newest announcement of a tab that could be overheard.
pub(crate) fn newest_connect(world: &World, at: usize) -> Connect {
    let own = world.nodes[at].room.id();
    let published = world.published.iter().rev();
    let mut own_envelopes = published.filter(|(from, ..)| *from == at);
    let connect = own_envelopes.find_map(|(_, topic, payload)| {
        let envelope = Envelope::open(&world.keys, derived(topic), payload).ok()?;
        let connect = envelope.bodies.iter().find_map(Body::connect)?.clone();
        (envelope.sender == own).then_some(connect)
    });
    connect.expect("it announced itself")
}
