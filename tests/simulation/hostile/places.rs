//! Places in the roster, and the cost of offers: identities are free, so nobody gains by having many.

use std::time::Duration;

use rtchat::identity::{TrustBook, TrustDecision};
use rtchat::room::{Event, Status};
use rtchat::settings::Accept;

use super::{Mallory, book_of, key, newest_connect};
use crate::scenes::{MINUTE, SOON, pair};
use crate::world::World;

const POLICIES: [Accept; 3] = [Accept::Ask, Accept::Known, Accept::Everyone];

/// Ann, who has compared numbers with a ben that is not here yet.
fn ann_who_knows_ben(accept: Accept) -> (World, usize) {
    let mut world = World::new(1);
    let book = book_of(&[(key(2).public(), "ben", TrustDecision::Compared)]);
    let ann = world.open_as("ann", key(1), accept, book);
    world.run(Duration::from_secs(2));
    (world, ann)
}

fn ben_comes(world: &mut World) -> usize {
    world.open_as("ben", key(2), Accept::Everyone, TrustBook::default())
}

/// Lets these strangers make a valid offer to this tab, one every 50 ms.
fn strangers_offer(world: &mut World, to: usize, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let theirs = newest_connect(world, to);
        Mallory::new(5_000 + number).send_offer(world, &theirs);
        world.run(Duration::from_millis(50));
    }
}

fn was_never_full(world: &World, at: usize) {
    assert_eq!(world.dropped(at, "the room is full"), 0);
    let full = |event: &Event| matches!(event, Event::Status(Status::Full { .. }));
    assert!(!world.nodes[at].events.iter().any(full));
}

#[test]
fn strangers_who_are_gone_hold_no_places() {
    for accept in POLICIES {
        for strangers in [140, 400] {
            let (mut world, ann) = ann_who_knows_ben(accept);
            strangers_offer(&mut world, ann, 0..strangers);
            world.run(Duration::from_secs(3_600));
            assert_eq!(world.connections(ann), 0, "{accept:?} {strangers}");
            let ben = ben_comes(&mut world);
            assert!(
                world.run_until(2 * SOON, World::is_full_mesh),
                "{accept:?} {strangers}: {:?} {:?}",
                world.roster(ann),
                world.roster(ben)
            );
            if accept == Accept::Everyone {
                world.open("cleo");
                assert!(world.run_until(2 * SOON, World::is_full_mesh));
            }
            was_never_full(&world, ann);
        }
    }
}

#[test]
fn a_known_key_finds_a_place_during_a_flood_of_strangers() {
    for accept in POLICIES {
        let (mut world, ann) = ann_who_knows_ben(accept);
        strangers_offer(&mut world, ann, 0..200);
        let ben = ben_comes(&mut world);
        for number in 200..600 {
            strangers_offer(&mut world, ann, number..number + 1);
            if world.verified(ann) == 1 {
                break;
            }
        }
        assert!(
            world.is_full_mesh(),
            "{accept:?}: {:?} {:?}",
            world.roster(ann),
            world.roster(ben)
        );
        was_never_full(&world, ann);
    }
}

#[test]
fn a_stranger_who_is_really_there_meets_everybody_soon_after_a_flood() {
    let (mut world, ann, ben) = pair();
    for number in 0..60 {
        let mut mallory = Mallory::new(5_000 + number);
        for to in [ann, ben] {
            let theirs = newest_connect(&world, to);
            mallory.send_offer(&mut world, &theirs);
        }
        world.run(Duration::from_millis(100));
    }
    let cleo = world.open("cleo");
    let met = world.run_until(MINUTE, |world| world.verified(cleo) == 2);
    assert!(met, "{:?} {:?}", world.roster(ann), world.roster(cleo));
    was_never_full(&world, ann);
    // No unproven peer stays for ever.
    world.run(Duration::from_secs(1_800));
    let users: Vec<String> = world.roster(ann).into_keys().collect();
    assert_eq!(users, ["ben", "cleo"]);
    assert_eq!(world.connections(ann), 2);
}

/// Two thousand offers in ten seconds, each by the stranger whose number `stranger` returns. A friend comes meanwhile.
fn flood_of_offers(stranger: impl Fn(u64) -> u64) -> (u64, usize, u64) {
    let mut world = World::new(1);
    let book = book_of(&[(key(2).public(), "friend", TrustDecision::Compared)]);
    let ann = world.open_as("ann", key(1), Accept::Everyone, book);
    let ben = world.open("ben");
    assert!(world.run_until(SOON, World::is_full_mesh));
    let before = world.nodes[ann].room.diagnostics();
    let published = |world: &World| {
        let published = world.published.iter();
        published.filter(|(from, ..)| *from == ann).count()
    };
    let published_before = published(&world);
    let mut strangers: Vec<Mallory> = (0..=(0..2_000).map(&stranger).max().unwrap())
        .map(|number| Mallory::new(5_000 + number))
        .collect();
    let theirs = newest_connect(&world, ann);
    let mut friend = None;
    for number in 0..2_000 {
        strangers[stranger(number) as usize].send_offer(&mut world, &theirs);
        world.run(Duration::from_millis(5));
        if number == 1_000 {
            let name = "friend";
            let opened = world.open_as(name, key(2), Accept::Everyone, TrustBook::default());
            friend = Some(opened);
        }
    }
    world.run(Duration::from_millis(500));
    let after = world.nodes[ann].room.diagnostics();
    let friend = friend.unwrap();
    let met = world.run_until(2 * SOON, |world| world.roster(friend).contains_key("ann"));
    assert!(met, "{:?}", world.roster(friend));
    assert!(
        world.run_until(2 * SOON, |world| {
            world.roster(ann).get("friend") == Some(&rtchat::room::PeerState::Verified)
        }),
        "{:?}",
        world.roster(ann)
    );
    assert!(world.roster(ann).contains_key("ben") && world.verified(ben) >= 1);
    (
        after.connections_opened - before.connections_opened,
        published(&world) - published_before,
        after.signatures_checked - before.signatures_checked,
    )
}

#[test]
fn two_thousand_offers_of_one_stranger_cost_few_connections_and_envelopes() {
    let (connections, envelopes, signatures) = flood_of_offers(|_| 0);
    assert!(connections <= 12, "{connections} connections");
    assert!(envelopes <= 24, "{envelopes} envelopes");
    assert!(signatures <= 12, "{signatures} signatures");
}

#[test]
fn two_thousand_offers_of_as_many_strangers_cost_few_connections_and_envelopes() {
    let (connections, envelopes, signatures) = flood_of_offers(|number| number);
    assert!(connections <= 80, "{connections} connections");
    assert!(envelopes <= 120, "{envelopes} envelopes");
    assert!(signatures <= 100 + 25 * 12 + 60, "{signatures} signatures");
}
