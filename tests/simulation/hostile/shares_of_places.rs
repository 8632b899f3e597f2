//! Places in the roster and among connections: how many of them free identities can take, and from whom.

use std::time::Duration;

use rtchat::identity::{PublicKey, TrustBook, TrustDecision};
use rtchat::settings::Accept;
use rtchat::wire::Envelope;
use rtchat::wire::connect::FULL;

use super::{Mallory, book_of, derived, field, key, patched};
use crate::scenes::{MINUTE, SOON};
use crate::world::{World, room_keys};

/// Every key that was met once is known. Many such keys, each met for a moment, announce themselves once in ten minutes
/// as full, so that nobody offers to them, and nobody is behind them. A stranger comes who is really there.
#[test]
fn keys_that_were_met_once_do_not_keep_strangers_out() {
    let mut world = World::new(1);
    let mut met: Vec<Mallory> = (100..240).map(Mallory::new).collect();
    let names: Vec<(PublicKey, String)> = met
        .iter()
        .enumerate()
        .map(|(at, its)| (its.identity.public(), format!("m{at}")))
        .collect();
    let book: Vec<_> = names
        .iter()
        .map(|(key, name)| (*key, name.as_str(), TrustDecision::Met))
        .collect();
    let ann = world.open_as("ann", key(1), Accept::Everyone, book_of(&book));
    world.run(SOON);
    for its in &mut met {
        let mut fields = its.fields(world.now);
        fields.capabilities = FULL;
        let connect = its.sign(fields);
        its.announce(&mut world, its.id(), connect);
        world.run(Duration::from_millis(100));
    }
    let cleo = world.open("cleo");
    assert!(
        world.run_until(MINUTE, |world| world.verified(cleo) == 1),
        "no place: {}",
        world.dropped(ann, "the room is full")
    );
}

/// Anybody can write the key of a friend into an announcement; only the friend can sign it. That is known only after a
/// signature was checked, so a flood of forgeries costs the friend time.
#[test]
fn forgeries_with_the_key_of_a_friend_keep_the_friend_out_only_while_they_last() {
    let mut world = World::new(1);
    let book = book_of(&[(key(2).public(), "ben", TrustDecision::Compared)]);
    let ann = world.open_as("ann", key(1), Accept::Everyone, book);
    world.run(SOON);
    let mut mallory = Mallory::new(1);
    let mut fields = mallory.fields(world.now);
    fields.identity = key(2).public();
    let forged = mallory.sign(fields);
    let id = forged.peer_id();
    for number in 0..10_000u64 {
        let at = (world.now.0 + number % 20).to_be_bytes();
        let envelope = patched(&forged, field::SIGNED_AT, &at);
        mallory.announce(&mut world, id, envelope);
        if number % 20 == 0 {
            world.run(Duration::from_millis(20));
        }
        if number == 4_000 {
            world.open_as("ben", key(2), Accept::Everyone, TrustBook::default());
        }
    }
    let in_time = world.run_until(Duration::from_secs(60), World::is_full_mesh);
    assert!(in_time, "{:?}", world.roster(ann));
}

/// Peers whose offers come together are present before anybody is full.
#[test]
fn a_crowd_of_newcomers_makes_nobody_hold_more_connections_than_there_are_places() {
    let mut world = World::new(1);
    // The others meet only ann: each gets its own messages and hers.
    let room = room_keys();
    let mut anns = None;
    world.interceptor = Some(Box::new(move |name, payload| {
        let envelope = Envelope::open(&room, derived(name), payload).unwrap();
        let connect = envelope.bodies[0].connect();
        if connect.is_some_and(|connect| connect.name.as_str() == "ann") {
            anns = Some(envelope.sender);
        }
        let is_anns =
            anns.is_some_and(|anns| envelope.sender == anns || name == room.inbox(&anns).name(""));
        if is_anns {
            vec![(name.to_owned(), payload.to_vec())]
        } else {
            vec![]
        }
    }));
    for number in 0..60 {
        world.open(&format!("peer{number}"));
    }
    world.run(SOON);
    let ann = world.open("ann");
    let mut most = 0;
    for _ in 0..60 {
        world.run(Duration::from_secs(1));
        most = most.max(world.verified(ann));
    }
    assert_eq!(most, 50);
}
