//! Files without progress fail at both ends. Peers that are only slow, offline or undecided lose no file.

use std::time::Duration;

use rtchat::room::FileCommand;
use rtchat::rtc::LinkEvent;
use rtchat::rtc::file_channel::{FILE_WINDOW, FileId};

use super::files::{MIB, accept_all, command, content, ends, failed, offer, offered};
use super::scenes::{MINUTE, SOON, pair};
use super::world::World;
use super::world::file_message;

const TIMED_OUT: &str = "Nothing of the file has moved for a minute.";
const ALMOST_A_MINUTE: Duration = Duration::from_secs(50);

/// Ben accepts a file and then never reports progress, so ann may send no more than the window.
fn stuck_transfer() -> (World, usize, usize) {
    let (mut world, ann, ben) = pair();
    world.muted.push((ben, "\"stored\"".to_owned()));
    offer(&mut world, ann, ben, 7, content(FILE_WINDOW as usize + MIB));
    world.run(SOON);
    accept_all(&mut world, ben);
    (world, ann, ben)
}

/// Ann offers files that she never sends, and ben accepts them all.
fn offers_without_content(numbers: &[u32]) -> (World, usize, usize) {
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
fn a_receiver_that_reports_nothing_does_not_keep_a_file_open() {
    let (mut world, ann, ben) = stuck_transfer();
    world.run(ALMOST_A_MINUTE);
    assert_eq!((ends(&world, ann), ends(&world, ben)), (vec![], vec![]));
    world.run(SOON * 3);
    assert_eq!(ends(&world, ann), [failed(FileId::Ours(7), TIMED_OUT)]);
    assert_eq!(ends(&world, ben), [failed(FileId::Theirs(1), TIMED_OUT)]);
    // The next file is not affected, and both peers are still connected.
    world.muted.clear();
    offer(&mut world, ann, ben, 8, content(MIB));
    world.run(SOON);
    command(&mut world, ben, FileCommand::Accept(2));
    world.run(SOON);
    assert_eq!(world.nodes[ben].stores[&2], content(MIB));
    assert!(world.is_full_mesh());
}

#[test]
fn a_sender_that_sends_nothing_does_not_keep_a_file_open() {
    let (mut world, _, ben) = offers_without_content(&[1]);
    world.run(MINUTE);
    assert_eq!(ends(&world, ben), [failed(FileId::Theirs(1), TIMED_OUT)]);
    // A sender that sends everything but the hash does not keep a file open, either.
    let (mut world, ann, ben) = offers_without_content(&[1]);
    world.inject_file_message(ann, ben, &file_message(1, 0, &[0; 99]));
    world.run(MINUTE + SOON);
    assert_eq!(ends(&world, ben), [failed(FileId::Theirs(1), TIMED_OUT)]);
}

#[test]
fn an_undecided_offer_does_not_time_out() {
    let (mut world, ann, ben) = pair();
    offer(&mut world, ann, ben, 7, content(MIB));
    world.run(MINUTE * 10);
    assert_eq!((ends(&world, ann), ends(&world, ben)), (vec![], vec![]));
    accept_all(&mut world, ben);
    world.run(SOON);
    assert_eq!(world.nodes[ben].stores[&1], content(MIB));
}

#[test]
fn a_file_does_not_time_out_while_another_one_makes_progress() {
    let (mut world, ann, ben) = offers_without_content(&[1, 2]);
    for place in 0..5 {
        world.inject_file_message(ann, ben, &file_message(1, place, b"x"));
        world.run(ALMOST_A_MINUTE);
    }
    assert_eq!(offered(&world, ben).len(), 2);
    assert_eq!(ends(&world, ben), []);
    world.run(SOON * 3);
    let both = [FileId::Theirs(1), FileId::Theirs(2)].map(|file| failed(file, TIMED_OUT));
    assert_eq!(ends(&world, ben), both);
}

#[test]
fn a_broken_connection_restarts_the_timeout_of_a_file() {
    let (mut world, ann, ben) = offers_without_content(&[1]);
    for _ in 0..3 {
        world.run(ALMOST_A_MINUTE);
        world.break_connections(ann, ben);
        world.run(SOON);
    }
    assert_eq!(ends(&world, ben), []);
    world.run(MINUTE);
    assert_eq!(ends(&world, ben), [failed(FileId::Theirs(1), TIMED_OUT)]);
}

#[test]
fn a_sleeping_computer_does_not_make_a_file_time_out() {
    for sleeper in [0, 1] {
        let (mut world, ann, ben) = stuck_transfer();
        world.run(Duration::from_secs(45));
        world.sleep([ann, ben][sleeper], Duration::from_secs(25));
        world.run(Duration::from_secs(20));
        assert_eq!((ends(&world, ann), ends(&world, ben)), (vec![], vec![]));
    }
}

#[test]
fn a_slow_file_arrives() {
    let (mut world, ann, ben) = offers_without_content(&[1]);
    for place in 0..99 {
        world.inject_file_message(ann, ben, &file_message(1, place, b"x"));
        world.run(Duration::from_secs(30));
    }
    assert_eq!(ends(&world, ben), []);
    assert_eq!(world.nodes[ben].stores[&1].len(), 99);
}
