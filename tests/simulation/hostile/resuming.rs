//! After an outage of everything, peers that had met come back by the nonces of their proofs, or by offering back.

use std::time::Duration;

use rtchat::wire::{Body, BodyKind, Envelope, NonceSource};

use super::{derived, overheard, still_talk};
use crate::scenes::{SOON, pair};
use crate::world::{World, room_keys};

const OUTAGE: Duration = Duration::from_secs(20 * 60);
const STALE: &str = "for an announcement of ours that has expired";

/// Both computers sleep for twenty minutes, and wake without a path between them.
fn both_sleep() -> (World, usize, usize) {
    let (mut world, ann, ben) = pair();
    world.run(SOON);
    world.stop_broker();
    world.now = world.now + OUTAGE;
    world.break_connections(ann, ben);
    world.published.clear();
    world.published_at.clear();
    world.start_broker();
    (world, ann, ben)
}

fn offers(world: &World) -> Vec<NonceSource> {
    let all = overheard(world).into_iter();
    let offers = all.filter_map(|(_, envelope)| match &envelope.bodies[0] {
        Body::RtcOffer(offer) => Some(offer.nonce),
        _ => None,
    });
    offers.collect()
}

#[test]
fn those_who_slept_meet_again_within_seconds() {
    let (mut world, ann, ben) = both_sleep();
    world.run(Duration::from_millis(100));
    assert!(world.run_until(SOON, World::is_full_mesh));
    assert_eq!(world.dropped(ann, STALE) + world.dropped(ben, STALE), 0);
    assert_eq!((world.connections(ann), world.connections(ben)), (1, 1));
    still_talk(&mut world, ann, ben);
}

#[test]
fn those_who_slept_meet_again_by_the_nonces_of_their_proofs_alone() {
    let (mut world, ann, ben) = both_sleep();
    let room = room_keys();
    world.interceptor = Some(Box::new(move |name, payload| {
        let envelope = Envelope::open(&room, derived(name), payload).unwrap();
        let announces = envelope.bodies[0].kind() == BodyKind::Connect;
        let passed = (!announces).then(|| (name.to_owned(), payload.to_vec()));
        passed.into_iter().collect()
    }));
    world.run(Duration::from_millis(100));
    assert!(world.run_until(SOON, World::is_full_mesh));
    let offers = offers(&world);
    assert!(!offers.is_empty());
    assert!(offers.iter().all(|nonce| *nonce == NonceSource::Resume));
    assert_eq!(world.dropped(ann, STALE) + world.dropped(ben, STALE), 0);
    still_talk(&mut world, ann, ben);
    // And once more: each proof gives the nonce for the next time.
    world.now = world.now + OUTAGE;
    world.break_connections(ann, ben);
    world.run(Duration::from_millis(100));
    assert!(world.run_until(SOON, World::is_full_mesh));
}

#[test]
fn a_nonce_of_a_proof_counts_once_and_for_its_pair_alone() {
    let (mut world, ann, ben) = both_sleep();
    world.run(Duration::from_millis(100));
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.run(SOON);
    // Recorded offers that resumed have no effect after they have been used.
    let recorded = overheard(&world);
    let opened = |world: &World| {
        let opened = |at: usize| world.nodes[at].room.diagnostics().connections_opened;
        opened(ann) + opened(ben)
    };
    let before = opened(&world);
    let mut mallory = super::Mallory::new(1);
    for (topic, envelope) in &recorded {
        let later = envelope.timestamp + Duration::from_secs(30);
        for at in [envelope.timestamp, later] {
            let again = Envelope::new(envelope.sender, at, envelope.bodies[0].clone());
            mallory.send(&mut world, *topic, &again);
        }
    }
    world.run(SOON);
    assert_eq!(opened(&world), before);
    assert!(world.is_full_mesh());
    still_talk(&mut world, ann, ben);
}

#[test]
fn when_one_has_forgotten_the_other_they_meet_within_seconds_by_offering_back() {
    for side in [0, 1] {
        let (mut world, ann, ben) = pair();
        world.run(SOON);
        let (sleeper, other) = [(ann, ben), (ben, ann)][side];
        world.sleep(sleeper, OUTAGE);
        assert_eq!(world.roster(other).len(), 0);
        assert_eq!(world.roster(sleeper).len(), 1);
        world.end_connections(
            sleeper,
            rtchat::rtc::LinkEvent::Path(rtchat::rtc::Path::Lost),
        );
        assert!(
            world.run_until(Duration::from_secs(12), World::is_full_mesh),
            "{side}: {:?} {:?}",
            world.roster(ann),
            world.roster(ben)
        );
        still_talk(&mut world, ann, ben);
    }
}
