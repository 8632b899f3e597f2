//! Files that do not move: both ends are told, and nobody who is only slow, away or undecided loses one.

use std::time::Duration;

use rtchat::room::FileCommand;
use rtchat::rtc::LinkEvent;
use rtchat::rtc::file_channel::{FILE_WINDOW, FileId};

use super::files::{MIB, accept_all, command, content, ends, failed, offer, offered};
use super::scenes::{MINUTE, SOON, pair};
use super::world::World;
use super::world::bulk;

const WORDS: &str = "Nothing of the file has moved for a minute.";
const ALMOST: Duration = Duration::from_secs(50);

/// Ben accepts a file and then never says what he has: ann may send no more than the window.
fn stuck() -> (World, usize, usize) {
    let (mut world, ann, ben) = pair();
    world.muted.push((ben, "\"stored\"".to_owned()));
    offer(&mut world, ann, ben, 7, content(FILE_WINDOW as usize + MIB));
    world.run(SOON);
    accept_all(&mut world, ben);
    (world, ann, ben)
}

/// Ann, who is a cheat, offers ben files, who accepts them all.
fn promised(numbers: &[u32]) -> (World, usize, usize) {
    let (mut world, ann, ben) = pair();
    for number in numbers {
        let offer = format!(r#"{{"k":"file","file":{number},"step":"offer","n":99,"name":"a"}}"#);
        world.inject(ann, ben, LinkEvent::Text(offer));
    }
    world.run(SOON);
    accept_all(&mut world, ben);
    world.run(SOON);
    (world, ann, ben)
}

#[test]
fn who_accepts_and_then_says_nothing_does_not_keep_a_file_open() {
    let (mut world, ann, ben) = stuck();
    world.run(ALMOST);
    assert_eq!((ends(&world, ann), ends(&world, ben)), (vec![], vec![]));
    world.run(SOON * 3);
    assert_eq!(ends(&world, ann), [failed(FileId::Ours(7), WORDS)]);
    assert_eq!(ends(&world, ben), [failed(FileId::Theirs(1), WORDS)]);
    // The next one is none the worse, and nobody is gone.
    world.muted.clear();
    offer(&mut world, ann, ben, 8, content(MIB));
    world.run(SOON);
    command(&mut world, ben, FileCommand::Accept(2));
    world.run(SOON);
    assert_eq!(world.nodes[ben].stores[&2], content(MIB));
    assert!(world.is_full_mesh());
}

#[test]
fn who_offers_and_then_sends_nothing_does_not_keep_a_file_open() {
    let (mut world, _, ben) = promised(&[1]);
    world.run(MINUTE);
    assert_eq!(ends(&world, ben), [failed(FileId::Theirs(1), WORDS)]);
    // Nor who sends everything but the hash.
    let (mut world, ann, ben) = promised(&[1]);
    world.inject_bulk(ann, ben, &bulk(1, 0, &[0; 99]));
    world.run(MINUTE + SOON);
    assert_eq!(ends(&world, ben), [failed(FileId::Theirs(1), WORDS)]);
}

#[test]
fn who_has_not_decided_loses_nothing() {
    let (mut world, ann, ben) = pair();
    offer(&mut world, ann, ben, 7, content(MIB));
    world.run(MINUTE * 10);
    assert_eq!((ends(&world, ann), ends(&world, ben)), (vec![], vec![]));
    accept_all(&mut world, ben);
    world.run(SOON);
    assert_eq!(world.nodes[ben].stores[&1], content(MIB));
}

#[test]
fn files_wait_for_each_other_as_long_as_one_moves() {
    let (mut world, ann, ben) = promised(&[1, 2]);
    for place in 0..5 {
        world.inject_bulk(ann, ben, &bulk(1, place, b"x"));
        world.run(ALMOST);
    }
    assert_eq!(offered(&world, ben).len(), 2);
    assert_eq!(ends(&world, ben), []);
    world.run(SOON * 3);
    let both = [FileId::Theirs(1), FileId::Theirs(2)].map(|file| failed(file, WORDS));
    assert_eq!(ends(&world, ben), both);
}

#[test]
fn a_connection_that_breaks_gives_a_file_its_time_anew() {
    let (mut world, ann, ben) = promised(&[1]);
    for _ in 0..3 {
        world.run(ALMOST);
        world.break_connections(ann, ben);
        world.run(SOON);
    }
    assert_eq!(ends(&world, ben), []);
    world.run(MINUTE);
    assert_eq!(ends(&world, ben), [failed(FileId::Theirs(1), WORDS)]);
}

#[test]
fn a_computer_that_sleeps_does_not_let_a_file_stand_still() {
    for who_sleeps in [0, 1] {
        let (mut world, ann, ben) = stuck();
        world.run(Duration::from_secs(45));
        world.sleep([ann, ben][who_sleeps], Duration::from_secs(25));
        world.run(Duration::from_secs(20));
        assert_eq!((ends(&world, ann), ends(&world, ben)), (vec![], vec![]));
    }
}

#[test]
fn a_file_that_moves_slowly_arrives() {
    let (mut world, ann, ben) = promised(&[1]);
    for place in 0..99 {
        world.inject_bulk(ann, ben, &bulk(1, place, b"x"));
        world.run(Duration::from_secs(30));
    }
    assert_eq!(ends(&world, ben), []);
    assert_eq!(world.nodes[ben].stores[&1].len(), 99);
}
