//! What strangers, members and the broker itself say on the broker: forged, repeated, damaged, lost.

use std::time::Duration;

use chacha20::rand_core::Rng;
use rtchat::identity::{Name, Signature};
use rtchat::room::PeerState;
use rtchat::wire::envelope::{MAX_ENVELOPE, sign_leave};
use rtchat::wire::{Attempt, Body, Connect, Envelope, Subtopic};

use super::{Mallory, overheard, rng, still_talk};
use crate::scenes::{SOON, pair};
use crate::world::{Faults, World};

#[test]
fn a_forged_announcement_is_dropped() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let good = mallory.connect(world.now);
    let forgeries = [
        Connect {
            name: Name::parse("ann").unwrap(),
            ..good.clone()
        },
        Connect {
            signed_at: world.now + Duration::from_secs(1),
            ..good.clone()
        },
        Connect {
            tab: 9,
            ..good.clone()
        },
        Connect {
            capabilities: 1,
            ..good.clone()
        },
        Connect {
            signature: Signature([7; 64]),
            ..good.clone()
        },
    ];
    let count = forgeries.len() as u64;
    for forged in forgeries {
        mallory.announce(&mut world, mallory.id(), forged);
    }
    world.run(SOON);
    assert_eq!(world.dropped(ann, "a signature that does not fit"), count);
    assert_eq!(world.roster(ann).len(), 1);
    still_talk(&mut world, ann, ben);
}

#[test]
fn another_rooms_announcement_does_not_count_here() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let elsewhere = mallory
        .connect(world.now)
        .signed(&mallory.identity, "rtchat/1/another-room");
    mallory.announce(&mut world, mallory.id(), elsewhere);
    world.run(SOON);
    assert_eq!(world.dropped(ann, "a signature that does not fit"), 1);
    still_talk(&mut world, ann, ben);
}

#[test]
fn other_peoples_peer_ids_cannot_be_claimed() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let theirs = world.nodes[ben].room.id();
    let connect = mallory.connect(world.now);
    mallory.announce(&mut world, theirs, connect.clone());
    // The identity of one with the session key of another is no peer id that anybody has.
    let stolen = Connect {
        identity: world.nodes[ben].room.key(),
        ..connect
    };
    mallory.announce(&mut world, theirs, stolen);
    world.run(SOON);
    assert_eq!(
        world.dropped(ann, "a peer id that does not belong to its keys"),
        2
    );
    still_talk(&mut world, ann, ben);
}

#[test]
fn what_was_overheard_can_be_repeated_for_ever_without_effect() {
    let (mut world, ann, ben) = pair();
    let all = world.published.clone();
    for round in 0..20 {
        for (_, topic, payload) in &all {
            world.publish_raw(topic, payload.clone());
        }
        world.run(Duration::from_millis(200 + round));
    }
    assert!(world.is_full_mesh());
    assert_eq!((world.connections(ann), world.connections(ben)), (1, 1));
    assert_eq!(world.published.len(), all.len(), "nothing was answered");
    assert!(world.dropped(ann, "old or repeated") > 0);
    still_talk(&mut world, ann, ben);
}

#[test]
fn repeated_for_those_who_come_later_it_only_costs_them_some_offers() {
    let (mut world, ann, ben) = pair();
    let ghost = world.published.clone();
    world.leave(ann);
    world.leave(ben);
    world.run(SOON);
    let (cleo, dan) = (world.open("cleo"), world.open("dan"));
    for _ in 0..30 {
        for (_, topic, payload) in &ghost {
            world.publish_raw(topic, payload.clone());
        }
        world.run(Duration::from_secs(1));
    }
    assert_eq!(
        world.roster(cleo).into_iter().collect::<Vec<_>>(),
        [("dan".to_owned(), PeerState::Verified)]
    );
    let offers = overheard(&world).into_iter().filter(|(_, envelope)| {
        envelope.sender == world.nodes[cleo].room.id()
            && envelope.body.subtopic() == Subtopic::RtcOffer
    });
    assert!(offers.count() <= 7, "three for each ghost and one for dan");
    still_talk(&mut world, cleo, dan);
}

#[test]
fn a_sealed_part_moved_to_another_envelope_does_not_open() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    for (topic, envelope) in overheard(&world) {
        let moved = match envelope.body.clone() {
            Body::RtcOffer {
                connect,
                attempt,
                sealed,
            } => Body::RtcOffer {
                connect,
                attempt: Attempt(attempt.0 + 2),
                sealed,
            },
            Body::RtcAnswer { attempt, sealed } => Body::RtcCandidates { attempt, sealed },
            other => other,
        };
        let timestamp = envelope.timestamp + Duration::from_secs(1);
        let moved = Envelope {
            timestamp,
            body: moved,
            ..envelope
        };
        mallory.send(&mut world, &topic, &moved);
    }
    world.run(SOON);
    let closed = |world: &World, at| world.dropped(at, "sealed with another key");
    assert!(closed(&world, ann) + closed(&world, ben) >= 2);
    assert_eq!((world.connections(ann), world.connections(ben)), (1, 1));
    still_talk(&mut world, ann, ben);
}

#[test]
fn nobody_can_send_somebody_else_away() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let (theirs, topic, now) = (
        world.nodes[ben].room.id(),
        world.keys.topic().to_owned(),
        world.now,
    );
    let signature = sign_leave(&mallory.identity, &topic, &theirs, now);
    let leave = Envelope {
        sender: theirs,
        timestamp: now,
        body: Body::Leave { signature },
    };
    mallory.send(&mut world, &topic, &leave);
    world.run(SOON);
    assert_eq!(world.dropped(ann, "a signature that does not fit"), 1);
    still_talk(&mut world, ann, ben);
}

#[test]
fn garbage_of_every_length_is_dropped_and_counted() {
    let (mut world, ann, ben) = pair();
    let mut rng = rng(3);
    let [topic, inbox] = world.nodes[ann].room.subscriptions();
    let all_dropped = |world: &World| -> u64 {
        let dropped = world.nodes[ann].room.diagnostics().dropped;
        dropped.iter().map(|(_, count)| count).sum()
    };
    let before = all_dropped(&world);
    let mut sent = 0;
    for length in (0..300).chain((300..MAX_ENVELOPE + 300).step_by(37)) {
        let mut payload = vec![0; length];
        rng.fill_bytes(&mut payload);
        for topic in [&topic, &inbox] {
            // As it is, with the right version, and sealed with the room's key.
            let mut versioned = payload.clone();
            versioned.first_mut().into_iter().for_each(|byte| *byte = 1);
            let sealed = world
                .keys
                .seal_key()
                .seal(&mut rng, topic.as_bytes(), &payload);
            for payload in [payload.clone(), versioned, sealed] {
                world.publish_raw(topic, payload);
                sent += 1;
            }
        }
    }
    world.run(SOON);
    let after = all_dropped(&world);
    assert_eq!(after - before, sent);
    still_talk(&mut world, ann, ben);
}

#[test]
fn every_truncation_and_every_flipped_bit_of_a_sound_envelope_is_dropped() {
    let (mut world, ann, ben) = pair();
    let mut rng = rng(4);
    for (topic, envelope) in overheard(&world) {
        let plain = {
            let sealed = envelope.seal(&world.keys, &topic, &mut rng);
            world
                .keys
                .seal_key()
                .open(topic.as_bytes(), &sealed)
                .unwrap()
        };
        for at in 0..plain.len() {
            let mut flipped = plain.clone();
            flipped[at] ^= 1 << (at % 8);
            for changed in [&plain[..at], &flipped[..]] {
                let sealed = world
                    .keys
                    .seal_key()
                    .seal(&mut rng, topic.as_bytes(), changed);
                world.publish_raw(&topic, sealed);
            }
        }
    }
    world.run(Duration::from_secs(40));
    assert!(
        world.is_full_mesh(),
        "{:?} {:?}",
        world.roster(ann),
        world.roster(ben)
    );
    assert_eq!((world.connections(ann), world.connections(ben)), (1, 1));
    still_talk(&mut world, ann, ben);
}

#[test]
fn a_broker_that_loses_and_repeats_at_will_delays_but_never_misleads() {
    let mut world = World::new(8);
    world.faults = Faults {
        loss: 0.4,
        duplicates: 0.5,
        delay: 1..=2000,
    };
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    assert!(world.run_until(Duration::from_secs(600), World::is_full_mesh));
    world.faults = Faults::none();
    still_talk(&mut world, ann, ben);
}
