//! Peers that cheat: nothing of theirs is ever delivered, and none of them stops the honest.

mod broker;
mod files;
mod floods;
mod proof;
mod values;

use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rtchat::identity::{IdentityKey, Name, PeerId, SessionKey, Signature};
use rtchat::time::Millis;
use rtchat::wire::envelope::VERSION;
use rtchat::wire::{Body, Connect, Envelope};

use super::world::{World, room_keys, seed};

fn rng(number: u64) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(seed(number, 200))
}

/// Somebody with keys of their own and no scruples.
struct Mallory {
    identity: IdentityKey,
    session: SessionKey,
    rng: ChaCha20Rng,
}

impl Mallory {
    fn new(number: u64) -> Mallory {
        let mut rng = rng(number);
        Mallory {
            identity: IdentityKey::generate(&mut rng),
            session: SessionKey::generate(&mut rng),
            rng,
        }
    }

    fn id(&self) -> PeerId {
        PeerId::of(&self.identity.public(), &self.session.public())
    }

    fn connect(&self, now: Millis) -> Connect {
        let connect = Connect {
            version: VERSION,
            capabilities: 0,
            identity: self.identity.public(),
            session: self.session.public(),
            name: Name::parse("mallory").unwrap(),
            tab: 1,
            age: 0,
            signed_at: now,
            signature: Signature([0; 64]),
        };
        connect.signed(&self.identity, room_keys().topic())
    }

    fn send(&mut self, world: &mut World, topic: &str, envelope: &Envelope) {
        let payload = envelope.seal(&room_keys(), topic, &mut self.rng);
        world.publish_raw(topic, payload);
    }

    fn announce(&mut self, world: &mut World, sender: PeerId, connect: Connect) {
        let envelope = Envelope {
            sender,
            timestamp: connect.signed_at,
            body: Body::Connect(connect),
        };
        let topic = world.keys.topic().to_owned();
        self.send(world, &topic, &envelope);
    }
}

/// What was published so far, opened with the room's key, which every member has.
fn overheard(world: &World) -> Vec<(String, Envelope)> {
    let opened = world.published.iter().filter_map(|(_, topic, payload)| {
        Some((
            topic.clone(),
            Envelope::open(&world.keys, topic, payload).ok()?,
        ))
    });
    opened.collect()
}

/// Ann and Ben can still talk, and have heard nobody else.
fn still_talk(world: &mut World, ann: usize, ben: usize) {
    world.say(ann, "all well?");
    world.say(ben, "all well");
    world.run(Duration::from_millis(100));
    let texts = |at: usize| {
        world
            .heard(at)
            .into_iter()
            .map(|(_, text)| text)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (texts(ben), texts(ann)),
        (vec!["all well?".to_owned()], vec!["all well".to_owned()])
    );
}
