//! Peers that cheat with files: the file fails with a sentence, nothing beyond the announced size is kept, and nobody
//! else notices.

use std::time::Duration;

use rtchat::room::{FileCommand, FileEvent, Value};
use rtchat::rtc::LinkEvent;
use rtchat::rtc::file_channel::{FIRST_WINDOW, FileId};

use crate::files::{MIB, accept_all, command, content, ends, failed, half_way, offer, offered};
use crate::scenes::{SOON, pair, send, values};
use crate::world::file_message;

/// Sends one forged message on channel 1 while a file is on its way, and returns the outcome at the receiver.
fn cheated(number: u32, place: u64, content: &[u8]) -> Vec<FileEvent> {
    let (mut world, ann, ben, file) = half_way(MIB);
    let cleo = world.open("cleo");
    world.run(Duration::from_millis(1));
    world.inject_file_message(ann, ben, &file_message(number, place, content));
    world.run(SOON);
    assert!(world.nodes[ben].stores[&file].len() <= MIB);
    // Values and other files go on.
    assert!(world.is_full_mesh());
    send(&mut world, ann, ben, 70_000, Value::Json("1".into()));
    offer(&mut world, cleo, ben, 1, content.to_vec());
    world.run(SOON);
    assert_eq!(values(&world, ben).len(), 1);
    command(&mut world, ben, FileCommand::Accept(file + 1));
    world.run(SOON);
    assert_eq!(ends(&world, cleo), [FileEvent::Done(FileId::Ours(1))]);
    let mut ends = ends(&world, ben);
    ends.pop();
    ends
}

#[test]
fn bytes_at_wrong_places_fail_that_file_alone() {
    let place = [failed(
        FileId::Theirs(1),
        "The bytes of the file arrived out of order.",
    )];
    assert_eq!(cheated(1, 0, b"again"), place);
    assert_eq!(cheated(1, MIB as u64 - 1, b"too far"), place);
    assert_eq!(cheated(1, u64::MAX, b"beyond everything"), place);
}

#[test]
fn bytes_beyond_the_announced_size_are_never_kept() {
    let (mut world, ann, ben) = pair();
    let offer = r#"{"k":"file","file":1,"step":"offer","n":10,"name":"a"}"#;
    world.inject(ann, ben, LinkEvent::Text(offer.into()));
    world.run(SOON);
    accept_all(&mut world, ben);
    world.run(SOON);
    world.inject_file_message(ann, ben, &file_message(1, 0, b"eleven byte"));
    world.run(SOON);
    let words = "More bytes arrived than were announced.";
    assert_eq!(ends(&world, ben), [failed(FileId::Theirs(1), words)]);
    assert_eq!(world.nodes[ben].stores[&1], b"");
}

#[test]
fn bytes_of_files_that_nobody_accepted_are_dropped_and_counted() {
    let (mut world, ann, ben) = pair();
    let offer = r#"{"k":"file","file":1,"step":"offer","n":10,"name":"a"}"#;
    world.inject(ann, ben, LinkEvent::Text(offer.into()));
    world.run(SOON);
    for number in [0, 1, 2, u32::MAX] {
        world.inject_file_message(ann, ben, &file_message(number, 0, b"bytes"));
    }
    world.inject_file_message(ann, ben, b"short");
    world.run(SOON);
    assert_eq!(
        world.dropped(ben, "bytes that belong to no accepted file"),
        5
    );
    assert!(world.nodes[ben].stores.is_empty());
    assert_eq!(
        cheated(99, 0, b"stray"),
        [FileEvent::Done(FileId::Theirs(1))]
    );
}

#[test]
fn a_wrong_hash_fails_the_file_at_both_ends() {
    let (mut world, ann, ben) = pair();
    world.muted.push((ann, "\"sent\"".to_owned()));
    offer(&mut world, ann, ben, 7, content(1_000));
    world.run(SOON);
    accept_all(&mut world, ben);
    world.run(SOON);
    assert_eq!((ends(&world, ann), ends(&world, ben)), (vec![], vec![]));
    let hash = "A".repeat(43);
    // The escape keeps the world from muting this frame.
    let sent = format!(r#"{{"k":"file","file":1,"step":"s\u0065nt","text":"{hash}"}}"#);
    world.inject(ann, ben, LinkEvent::Text(sent));
    world.run(SOON);
    let words = "The file did not arrive as it was sent.";
    assert_eq!(ends(&world, ben), [failed(FileId::Theirs(1), words)]);
    assert_eq!(ends(&world, ann), [failed(FileId::Ours(7), words)]);
}

#[test]
fn a_flood_of_offers_is_bounded() {
    let (mut world, ann, ben) = pair();
    for number in 0..2_000 {
        let offer = format!(r#"{{"k":"file","file":{number},"step":"offer","n":1,"name":"a"}}"#);
        world.inject(ann, ben, LinkEvent::Text(offer));
    }
    world.run(SOON);
    assert_eq!(offered(&world, ben).len(), 8);
    let flood = world.dropped(ben, "more files at once than may be offered")
        + world.dropped(ben, "too many frames at once");
    // Whoever is muted for it is not heard about other things either.
    assert!((1_992..2_000).contains(&flood), "{flood}");
    assert!(world.is_full_mesh());
}

#[test]
fn impossible_steps_are_dropped() {
    let (mut world, ann, ben) = pair();
    offer(&mut world, ann, ben, 7, content(1_000));
    world.run(SOON);
    for step in [
        r#""done""#,
        r#""accept""#,
        r#""accept","n":1001"#,
        r#""stored","n":5"#,
    ] {
        let said = format!(r#"{{"k":"file","file":1,"step":{step}}}"#);
        world.inject(ben, ann, LinkEvent::Text(said));
    }
    world.run(SOON);
    assert_eq!(world.dropped(ann, "an unreadable frame"), 4);
    assert_eq!(ends(&world, ann), []);
    // A receiver cannot have bytes that were not sent.
    let said = r#"{"k":"file","file":1,"step":"accept","n":500}"#;
    world.inject(ben, ann, LinkEvent::Text(said.into()));
    world.run(SOON);
    let words = "The other side claims unsent bytes.";
    assert_eq!(ends(&world, ann), [failed(FileId::Ours(7), words)]);
    // Steps for unknown files, and a step of a later version.
    for step in [
        "done", "accept", "stored", "refuse", "sent", "stop", "pause",
    ] {
        let said = format!(r#"{{"k":"file","file":99,"step":"{step}"}}"#);
        world.inject(ben, ann, LinkEvent::Text(said));
    }
    world.run(SOON);
    assert_eq!(ends(&world, ann).len(), 1);
    assert!(world.is_full_mesh());
}

#[test]
fn a_receiver_that_reports_no_progress_is_sent_no_more_than_the_window() {
    let (mut world, ann, ben) = pair();
    world.muted.push((ben, "\"stored\"".to_owned()));
    let length = 2 * MIB;
    offer(&mut world, ann, ben, 7, content(length));
    world.run(SOON);
    accept_all(&mut world, ben);
    world.run(SOON);
    let sent = world.nodes[ben].stores[&1].len();
    assert_eq!(sent, FIRST_WINDOW as usize);
}
