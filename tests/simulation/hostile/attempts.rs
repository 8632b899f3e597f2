//! Attempts to connect that lead nowhere: peers that cause them do not keep other peers from being tried.

use std::time::Duration;

use rtchat::identity::{PublicKey, TrustBook, TrustDecision};
use rtchat::settings::Accept;

use super::{Mallory, book_of, key, newest_connect};
use crate::scenes::{MINUTE, SOON};
use crate::world::World;

/// Strangers who offer and then find no path hold a place among the attempts for longer than those who never answer.
/// Ten offers a second come while cleo tries, and for as long as it takes.
#[test]
fn strangers_who_offer_and_find_no_path_keep_nobody_out() {
    let mut waits = Vec::new();
    for seed in 0..4 {
        let mut world = World::new(seed);
        for _ in 0..seed {
            let gone = world.open("gone");
            world.leave(gone);
        }
        let ann = world.open("ann");
        world.run(SOON);
        let mut strangers: Vec<Mallory> = (0..400)
            .map(|number| Mallory::new(1_000 * seed + 100 + number))
            .collect();
        let mut cleo = None;
        let mut began = world.now;
        for round in 0..4_000 {
            let theirs = newest_connect(&world, ann);
            let count = strangers.len();
            strangers[round % count].send_offer(&mut world, &theirs);
            world.run(Duration::from_millis(100));
            if round == 400 {
                cleo = Some(world.open("cleo"));
                began = world.now;
            }
            if cleo.is_some_and(|cleo| world.verified(cleo) >= 1) {
                break;
            }
        }
        waits.push(world.now.since(began));
    }
    assert!(waits.iter().all(|wait| *wait <= MINUTE), "{waits:?}");
}

/// The same with strangers that were met once, and so are known, while a friend tries.
#[test]
fn keys_that_were_met_once_do_not_use_up_the_places_for_friends() {
    let mut strangers: Vec<Mallory> = (100..400).map(Mallory::new).collect();
    let names: Vec<(PublicKey, String)> = strangers
        .iter()
        .enumerate()
        .map(|(at, its)| (its.identity.public(), format!("m{at}")))
        .collect();
    let mut book: Vec<_> = names
        .iter()
        .map(|(key, name)| (*key, name.as_str(), TrustDecision::Met))
        .collect();
    book.push((key(2).public(), "ben", TrustDecision::Compared));
    let mut world = World::new(1);
    let ann = world.open_as("ann", key(1), Accept::Everyone, book_of(&book));
    world.run(SOON);
    let (mut ben, mut began) = (None, world.now);
    for round in 0..8_000 {
        let theirs = newest_connect(&world, ann);
        let count = strangers.len();
        strangers[round % count].send_offer(&mut world, &theirs);
        world.run(Duration::from_millis(20));
        if round == 2_000 {
            let everyone = Accept::Everyone;
            ben = Some(world.open_as("ben", key(2), everyone, TrustBook::default()));
            began = world.now;
        }
        if ben.is_some_and(|ben| world.verified(ben) == 1) {
            break;
        }
    }
    let waited = world.now.since(began);
    assert!(waited <= MINUTE, "{waited:?}");
}
