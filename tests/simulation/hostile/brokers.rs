//! Several brokers: a message that comes twice counts once, and nobody gains by being first on one of them.

use std::collections::BTreeMap;
use std::time::Duration;

use rtchat::room::{BrokerId, Event, PeerState, PeopleEvent};
use rtchat::wire::{Body, Envelope};

use super::{Mallory, derived, field, overheard, patched, rng, still_talk};
use crate::scenes::SOON;
use crate::world::{World, room_keys};

const REPEATED: &str = "the same as before, over another broker or again";

fn pair_on_two_brokers() -> (World, usize, usize) {
    let mut world = World::new(1);
    world.brokers = 2;
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    assert!(world.run_until(SOON, World::is_full_mesh));
    (world, ann, ben)
}

#[test]
fn every_broker_gets_the_same_bytes() {
    let (mut world, ann, ben) = pair_on_two_brokers();
    world.run(Duration::from_secs(600));
    world.leave(ben);
    world.run(SOON);
    let mut brokers: BTreeMap<BrokerId, Vec<_>> = BTreeMap::new();
    for (broker, published) in world.published_at.iter().zip(&world.published) {
        brokers.entry(*broker).or_default().push(published);
    }
    let [first, second] = [0, 1].map(|broker| brokers[&BrokerId(broker)].clone());
    // Until the second broker is connected, the first one gets everything alone: an announcement of each tab.
    let alone = first.iter().filter(|one| !second.contains(one)).count();
    assert!(alone <= 2, "{alone}");
    let shared = first.iter().filter(|one| second.contains(one));
    assert!(shared.eq(&second), "one order, and the same bytes");
    assert!(second.len() > 4);
    assert_eq!(world.roster(ann).len(), 0);
}

#[test]
fn messages_from_two_brokers_act_once() {
    let (mut world, ann, ben) = pair_on_two_brokers();
    world.run(SOON);
    assert_eq!((world.connections(ann), world.connections(ben)), (1, 1));
    let opened = |at: usize| world.nodes[at].room.diagnostics().connections_opened;
    assert!(opened(ann) <= 2 && opened(ben) <= 2);
    for at in [ann, ben] {
        assert!(world.dropped(at, REPEATED) > 0);
        let verified = |event: &&Event| matches!(event, Event::People(PeopleEvent::Changed(view)) if view.state == PeerState::Verified);
        let verified = world.nodes[at].events.iter().filter(verified);
        assert_eq!(verified.count(), 1);
        assert_eq!(world.dropped(at, "old or repeated"), 0);
    }
    // The same holds when the second broker is slow.
    let mut mallory = Mallory::new(1);
    let connect = mallory.connect(world.now);
    let envelope = Envelope::new(mallory.id(), connect.signed_at, Body::Connect(connect));
    let payload = mallory.seal(world.keys.topic(), &envelope);
    let before = world.nodes[ann].room.diagnostics();
    let topic = world.keys.topic().name("");
    for broker in [0, 1, 0, 1] {
        world.publish_raw_at(BrokerId(broker), &topic, payload.clone());
        world.run(Duration::from_secs(20));
    }
    let after = world.nodes[ann].room.diagnostics();
    assert_eq!(after.signatures_checked, before.signatures_checked + 1);
    assert_eq!(after.received, before.received + 1);
    still_talk(&mut world, ann, ben);
}

/// A member's imitation of an envelope that it wants to be first with: the same sender and the same time, and something
/// else in it.
fn imitation(envelope: &Envelope) -> Envelope {
    let body = match envelope.bodies[0].clone() {
        Body::Connect(connect) => Body::Connect(patched(&connect, field::NONCE, &[7; 16])),
        Body::RtcOffer(mut offer) => {
            offer.sealed[40] ^= 1;
            Body::RtcOffer(offer)
        }
        Body::RtcAnswer(mut answer) => {
            answer.sealed[40] ^= 1;
            Body::RtcAnswer(answer)
        }
        other => other,
    };
    Envelope::new(envelope.sender, envelope.timestamp, body)
}

#[test]
fn copying_sender_and_time_and_being_first_gains_nothing() {
    for brokers in [1, 2] {
        let mut world = World::new(1);
        world.brokers = brokers;
        let (room, mut rng) = (room_keys(), rng(6));
        world.interceptor = Some(Box::new(move |name, payload| {
            let topic = derived(name);
            let original = (name.to_owned(), payload.to_vec());
            let Ok(envelope) = Envelope::open(&room, topic, payload) else {
                return vec![original];
            };
            let imitation = imitation(&envelope);
            let first = imitation.seal(&room, topic, &mut rng).unwrap();
            vec![(name.to_owned(), first), original]
        }));
        let (ann, ben) = (world.open("ann"), world.open("ben"));
        assert!(world.run_until(SOON, World::is_full_mesh), "{brokers}");
        let forged = "an invalid signature";
        assert!(world.dropped(ann, forged) + world.dropped(ben, forged) > 0);
        assert_eq!((world.connections(ann), world.connections(ben)), (1, 1));
        still_talk(&mut world, ann, ben);
        assert!(overheard(&world).len() < 12, "nobody had to try again");
    }
}
