//! A block counts, also when the person who is blocked has just gone or come back in another tab; and a key that is
//! blocked has no share of what is kept for friends.

use std::time::Duration;

use rtchat::identity::{TrustBook, TrustDecision};
use rtchat::room::{Command, PeopleCommand, Shown};
use rtchat::settings::Accept;

use super::{Mallory, book_of, key};
use crate::scenes::{MINUTE, SOON, shown};
use crate::world::World;

fn open(world: &mut World, name: &str, number: u64) -> usize {
    world.open_as(name, key(number), Accept::Everyone, TrustBook::default())
}

fn block(world: &mut World, at: usize, who: Shown) {
    world.command(at, Command::People(PeopleCommand::Block(who)));
}

fn blocked(world: &World, at: usize) -> bool {
    let changes = &world.nodes[at].trust_changes;
    changes
        .iter()
        .any(|change| change.key == key(2).public() && change.what == TrustDecision::Blocked)
}

#[test]
fn a_block_that_is_taken_back_brings_everybody_back() {
    for pause in [0, 1, 90] {
        let mut world = World::new(1);
        let (ann, ben) = (open(&mut world, "ann", 1), open(&mut world, "ben", 2));
        assert!(world.run_until(SOON, World::is_full_mesh));
        let who = shown(&world, ann, ben);
        block(&mut world, ann, who);
        world.run(Duration::from_secs(pause));
        assert_eq!(world.verified(ann), 0);
        let unblock = PeopleCommand::Unblock(key(2).public());
        world.command(ann, Command::People(unblock));
        assert!(world.run_until(MINUTE, World::is_full_mesh), "{pause} s");
        world.say(ben, "here I am");
        world.run(SOON);
        let mut book = TrustBook::default();
        for change in &world.nodes[ann].trust_changes {
            book.note(change);
        }
        assert!(!book.is_blocked(&key(2).public()));
    }
}

#[test]
fn a_peer_that_leaves_before_the_click_is_blocked() {
    let mut world = World::new(1);
    let (ann, mallory) = (open(&mut world, "ann", 1), open(&mut world, "mallory", 2));
    assert!(world.run_until(SOON, World::is_full_mesh));
    let who = shown(&world, ann, mallory);
    world.leave(mallory);
    world.run(SOON);
    block(&mut world, ann, who);
    assert!(blocked(&world, ann));
    open(&mut world, "mallory", 2);
    world.run(MINUTE);
    assert_eq!(world.verified(ann), 0);
}

#[test]
fn a_peer_that_comes_back_in_another_session_before_the_click_is_sent_away() {
    let mut world = World::new(1);
    let (ann, mallory) = (open(&mut world, "ann", 1), open(&mut world, "mallory", 2));
    assert!(world.run_until(SOON, World::is_full_mesh));
    let who = shown(&world, ann, mallory);
    world.leave(mallory);
    world.run(SOON);
    open(&mut world, "mallory", 2);
    assert!(world.run_until(SOON, World::is_full_mesh));
    block(&mut world, ann, who);
    world.run(SOON);
    assert!(blocked(&world, ann));
    assert_eq!(world.verified(ann), 0);
}

#[test]
fn a_blocked_key_uses_up_nothing_that_is_kept_for_friends() {
    let mut world = World::new(1);
    let book = book_of(&[
        (key(3).public(), "friend", TrustDecision::Compared),
        (
            Mallory::new(1).identity.public(),
            "pest",
            TrustDecision::Blocked,
        ),
    ]);
    world.open_as("ann", key(1), Accept::Everyone, book);
    world.run(SOON);
    let mut friend = None;
    for number in 0..2_000u64 {
        let mut stranger = Mallory::new(5_000 + number);
        let connect = stranger.connect(world.now);
        stranger.announce(&mut world, stranger.id(), connect);
        // The blocked key, in ever new sessions.
        let mut pest = Mallory::new(1);
        pest.session = Mallory::new(50_000 + number).session;
        let connect = pest.connect(world.now);
        pest.announce(&mut world, pest.id(), connect);
        world.run(Duration::from_millis(15));
        if number == 1_000 {
            friend = Some(open(&mut world, "friend", 3));
        }
    }
    assert_eq!(world.verified(friend.unwrap()), 1);
}
