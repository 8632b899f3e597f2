//! Messages of strangers, of members and of the broker itself on the broker: forged, repeated, damaged, lost.

use std::time::Duration;

use chacha20::rand_core::Rng;
use rtchat::identity::IdentityKey;
use rtchat::room::PeerState;
use rtchat::wire::connect::ConnectFields;
use rtchat::wire::envelope::{MAX_ENVELOPE, PairSealed};
use rtchat::wire::extension::{Extension, Extensions};
use rtchat::wire::{Attempt, Body, BodyKind, Connect, Envelope, Knock, LeaveSecret, RoomId};

use super::{Mallory, derived, field, key, overheard, patched, rng, still_talk};
use crate::scenes::{SOON, pair};
use crate::world::{Faults, World};

const FORGED: &str = "an invalid signature";
const REPEATED: &str = "the same as before, over another broker or again";

/// The order of the curve's group.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The same signature with the other `s`, which is valid as well.
fn with_high_s(connect: &Connect) -> Connect {
    let mut bytes = connect.as_bytes().to_vec();
    let start = bytes.len() - 32;
    let mut borrow = 0;
    for at in (0..32).rev() {
        let difference = i32::from(ORDER[at]) - i32::from(bytes[start + at]) - borrow;
        borrow = i32::from(difference < 0);
        bytes[start + at] = difference.rem_euclid(256) as u8;
    }
    Connect::parse(&bytes).unwrap()
}

fn signed_by(fields: ConnectFields, key: &IdentityKey, room: &RoomId) -> Connect {
    Connect::sign(fields, Extensions::default(), room, key).unwrap()
}

#[test]
fn a_forged_announcement_is_dropped() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let good = mallory.connect(world.now);
    let signature = good.as_bytes().len() - 64;
    let later = world.now + Duration::from_secs(1);
    let longer = {
        let extension = Extension {
            kind: 9,
            critical: false,
            value: vec![1],
        };
        let fields = (*good).clone();
        let signed = Mallory::new(1).sign_with(fields, vec![extension]);
        let at = signed.as_bytes().len() - 64;
        patched(&signed, at, &good.as_bytes()[signature..])
    };
    let forgeries = [
        patched(&good, field::NAME, b"mallorx"),
        patched(&good, field::SIGNED_AT, &later.0.to_be_bytes()),
        patched(&good, field::TAB, &[0, 9]),
        patched(&good, field::CAPABILITIES, &[0, 0, 0, 1]),
        patched(&good, field::VERSION, &[2]),
        patched(&good, field::SERIAL, &[0, 0, 0, 9]),
        patched(&good, field::NONCE, &[7; 16]),
        patched(&good, field::LEAVE, &[7; 16]),
        patched(&good, signature, &[7; 64]),
        patched(&good, signature, &[0; 64]),
        patched(&good, signature, &[0xff; 64]),
        signed_by((*good).clone(), &key(66), world.keys.id()),
        with_high_s(&good),
        longer,
    ];
    let count = forgeries.len() as u64;
    for forged in forgeries {
        mallory.announce(&mut world, mallory.id(), forged);
    }
    world.run(SOON);
    assert_eq!(world.dropped(ann, FORGED), count);
    assert_eq!(world.roster(ann).len(), 1);
    // Nothing was wrong besides the forgeries.
    mallory.announce(&mut world, mallory.id(), good);
    world.run(SOON);
    assert_eq!(world.dropped(ann, FORGED), count);
    still_talk(&mut world, ann, ben);
}

#[test]
fn announcements_with_an_unknown_critical_extension_or_a_wrong_length_are_dropped() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let fields = mallory.fields(world.now);
    let extension = |critical| Extension {
        kind: 9,
        critical,
        value: vec![1, 2, 3],
    };
    let checked = world.nodes[ann].room.diagnostics().signatures_checked;
    let critical = mallory.sign_with(fields.clone(), vec![extension(true)]);
    mallory.announce(&mut world, mallory.id(), critical);
    let good = mallory.sign(fields);
    let trailing = [good.as_bytes(), &[0]].concat();
    mallory.send_raw_body(&mut world, good.signed_at, 1, &trailing);
    let short = &good.as_bytes()[..good.as_bytes().len() - 1];
    mallory.send_raw_body(&mut world, good.signed_at, 1, short);
    world.run(SOON);
    assert_eq!(world.dropped(ann, "of a later version"), 1);
    assert_eq!(world.dropped(ann, "unreadable"), 2);
    let diagnostics = world.nodes[ann].room.diagnostics();
    assert_eq!(diagnostics.signatures_checked, checked);
    still_talk(&mut world, ann, ben);
}

#[test]
fn an_announcement_in_an_envelope_with_another_time_is_dropped() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let good = mallory.connect(world.now);
    let later = good.signed_at + Duration::from_secs(1);
    let envelope = Envelope::new(mallory.id(), later, Body::Connect(good));
    let topic = world.keys.topic();
    mallory.send(&mut world, topic, &envelope);
    world.run(SOON);
    assert_eq!(world.dropped(ann, "unreadable"), 1);
    still_talk(&mut world, ann, ben);
}

#[test]
fn another_rooms_announcement_does_not_count_here() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let fields = mallory.fields(world.now);
    let elsewhere = signed_by(fields, &mallory.identity, &RoomId([7; 32]));
    mallory.announce(&mut world, mallory.id(), elsewhere);
    world.run(SOON);
    assert_eq!(world.dropped(ann, FORGED), 1);
    still_talk(&mut world, ann, ben);
}

#[test]
fn other_peoples_peer_ids_cannot_be_claimed() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let theirs = world.nodes[ben].room.id();
    let connect = mallory.connect(world.now);
    mallory.announce(&mut world, theirs, connect);
    // The identity of one with the session key of another gives a peer id that nobody has.
    let identity = world.nodes[ben].room.key();
    let stolen = ConnectFields {
        identity,
        ..mallory.fields(world.now)
    };
    let stolen = signed_by(stolen, &mallory.identity, world.keys.id());
    mallory.announce(&mut world, theirs, stolen);
    world.run(SOON);
    assert_eq!(
        world.dropped(ann, "a peer id that does not belong to its keys"),
        2
    );
    still_talk(&mut world, ann, ben);
}

#[test]
fn overheard_messages_can_be_repeated_for_ever_without_effect() {
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
    assert!(world.dropped(ann, REPEATED) > 0);
    still_talk(&mut world, ann, ben);
}

#[test]
fn messages_repeated_to_newcomers_only_cost_them_some_offers() {
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
            && envelope.bodies[0].kind() == BodyKind::RtcOffer
    });
    assert!(offers.count() <= 7, "three for each ghost and one for dan");
    still_talk(&mut world, cleo, dan);
}

#[test]
fn a_sealed_part_moved_to_another_envelope_does_not_open() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    for (topic, envelope) in overheard(&world) {
        let moved = match envelope.bodies[0].clone() {
            Body::RtcOffer(offer) => {
                let other = Attempt(offer.attempt.0 + 2);
                let knock = Knock {
                    connect: offer.connect.clone(),
                    nonce: offer.nonce,
                    sealed: offer.sealed.clone(),
                };
                let mut moved = offer;
                moved.attempt = other;
                vec![Body::RtcOffer(moved), Body::Knock(knock)]
            }
            Body::RtcAnswer(PairSealed { attempt, sealed }) => {
                vec![Body::RtcCandidates(PairSealed { attempt, sealed })]
            }
            other => vec![other],
        };
        let timestamp = envelope.timestamp + Duration::from_secs(1);
        for body in moved {
            let moved = Envelope::new(envelope.sender, timestamp, body);
            mallory.send(&mut world, topic, &moved);
        }
    }
    world.run(SOON);
    let closed = |world: &World, at| world.dropped(at, "sealed with another key");
    assert!(closed(&world, ann) + closed(&world, ben) >= 3);
    assert_eq!((world.connections(ann), world.connections(ben)), (1, 1));
    still_talk(&mut world, ann, ben);
}

#[test]
fn nobody_can_send_somebody_else_away() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let theirs = world.nodes[ben].room.id();
    let secrets = [mallory.leave.clone(), LeaveSecret([0; 32])];
    for secret in secrets {
        mallory.leave_with(&mut world, theirs, secret);
    }
    world.run(SOON);
    assert_eq!(world.dropped(ann, FORGED), 2);
    still_talk(&mut world, ann, ben);
}

#[test]
fn garbage_of_every_length_is_dropped_and_counted() {
    let (mut world, ann, ben) = pair();
    let mut rng = rng(3);
    let topics = [
        world.keys.topic(),
        world.keys.inbox(&world.nodes[ann].room.id()),
    ];
    // A body of an unknown kind is skipped and counted apart.
    let all_dropped = |world: &World| -> u64 {
        let diagnostics = world.nodes[ann].room.diagnostics();
        let dropped = diagnostics.dropped.iter().map(|(_, count)| count);
        dropped.sum::<u64>() + diagnostics.skipped
    };
    let before = all_dropped(&world);
    let mut sent = 0;
    for length in (0..300).chain((300..MAX_ENVELOPE + 300).step_by(37)) {
        let mut payload = vec![0; length];
        rng.fill_bytes(&mut payload);
        for topic in topics {
            // As it is, with the right version, and sealed with the room's key.
            let mut versioned = payload.clone();
            versioned.first_mut().into_iter().for_each(|byte| *byte = 1);
            let sealed = world.keys.seal_key().seal(&mut rng, &topic.0, &payload);
            for payload in [payload.clone(), versioned, sealed] {
                world.publish_raw(&topic.name(""), payload);
                sent += 1;
            }
            // Sender and time alone are an envelope without bodies.
            sent -= u64::from(length == 24);
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
    for (_, name, payload) in world.published.clone() {
        let topic = derived(&name);
        let plain = world.keys.seal_key().open(&topic.0, &payload).unwrap();
        for at in 0..plain.len() {
            let mut flipped = plain.clone();
            flipped[at] ^= 1 << (at % 8);
            for changed in [&plain[..at], &flipped[..]] {
                let sealed = world.keys.seal_key().seal(&mut rng, &topic.0, changed);
                world.publish_raw(&name, sealed);
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
