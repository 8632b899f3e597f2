//! Files from peer to peer arrive unchanged, or fail with a sentence at both ends, also when connections break.

use std::time::Duration;

use rtchat::room::{Command, Event, FileCommand, FileError, FileEvent};
use rtchat::rtc::LinkEvent;
use rtchat::rtc::file_channel::FileId;

use super::scenes::{MINUTE, SOON, id, pair};
use super::world::World;

pub const MIB: usize = 1024 * 1024;

pub fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

pub fn command(world: &mut World, at: usize, command: FileCommand) {
    world.command(at, Command::File(command));
}

pub fn offer(world: &mut World, from: usize, to: usize, token: u32, content: Vec<u8>) {
    let peer = id(world, to);
    let size = content.len() as u64;
    world.nodes[from].sources.insert(token, content);
    let (name, mime) = (format!("{token}.png"), "image/png".to_owned());
    let offer = FileCommand::Offer {
        peer,
        token,
        name,
        size,
        mime,
    };
    command(world, from, offer);
}

fn events(world: &World, at: usize) -> Vec<FileEvent> {
    let events = world.nodes[at].events.iter();
    let events = events.filter_map(|event| match event {
        Event::File(event) => Some(event.clone()),
        _ => None,
    });
    events.collect()
}

/// The outcomes of files, without offers and progress.
pub fn ends(world: &World, at: usize) -> Vec<FileEvent> {
    let mut events = events(world, at);
    events.retain(|event| matches!(event, FileEvent::Done(_) | FileEvent::Failed { .. }));
    events
}

pub fn offered(world: &World, at: usize) -> Vec<u32> {
    let events = events(world, at).into_iter();
    let files = events.filter_map(|event| match event {
        FileEvent::Offered { file, .. } => Some(file),
        _ => None,
    });
    files.collect()
}

fn progress(world: &World, at: usize) -> Vec<u64> {
    let events = events(world, at).into_iter();
    let stored = events.filter_map(|event| match event {
        FileEvent::Progress { stored, .. } => Some(stored),
        _ => None,
    });
    stored.collect()
}

pub fn accept_all(world: &mut World, at: usize) {
    for file in offered(world, at) {
        command(world, at, FileCommand::Accept(file));
    }
}

pub fn failed(file: FileId, words: &str) -> FileEvent {
    let reason = FileError::Failed(words.to_owned());
    FileEvent::Failed { file, reason }
}

/// Ann offers ben a file, he accepts it, and half of it has arrived.
pub fn half_way(length: usize) -> (World, usize, usize, u32) {
    let (mut world, ann, ben) = pair();
    offer(&mut world, ann, ben, 7, content(length));
    world.run(Duration::from_millis(10));
    accept_all(&mut world, ben);
    let half = length / 2;
    let is_half = |world: &World| world.nodes[ben].stores.values().any(|its| its.len() > half);
    assert!(world.run_until(SOON, is_half));
    let file = offered(&world, ben)[0];
    (world, ann, ben, file)
}

#[test]
fn files_of_every_size_arrive_unchanged() {
    let (mut world, ann, ben) = pair();
    for (token, length) in (0..).zip([0, 1, 16_000, MIB, 3 * MIB + 5]) {
        offer(&mut world, ann, ben, token, content(length));
    }
    offer(&mut world, ben, ann, 0, content(5));
    world.run(SOON);
    let first = FileEvent::Offered {
        peer: id(&world, ann),
        file: 1,
        name: "0.png".into(),
        size: 0,
        mime: "image/png".into(),
    };
    assert_eq!(events(&world, ben)[0], first);
    assert_eq!(ends(&world, ann), []);
    accept_all(&mut world, ann);
    accept_all(&mut world, ben);
    world.run(MINUTE);
    for (file, token) in offered(&world, ben).into_iter().zip(0..) {
        assert_eq!(
            world.nodes[ben].stores[&file],
            world.nodes[ann].sources[&token]
        );
    }
    assert_eq!(world.nodes[ann].stores[&1], content(5));
    let done = |world: &World, at: usize| {
        let mut done = ends(world, at);
        done.retain(|event| matches!(event, FileEvent::Done(_)));
        done.len()
    };
    assert_eq!((done(&world, ann), done(&world, ben)), (6, 6));
}

#[test]
fn progress_is_reported_at_both_ends() {
    let (mut world, ann, ben) = pair();
    offer(&mut world, ann, ben, 7, content(3 * MIB));
    world.run(SOON);
    accept_all(&mut world, ben);
    world.run(SOON);
    let reported = progress(&world, ben);
    assert!(reported.len() >= 4 && reported.is_sorted(), "{reported:?}");
    assert_eq!(reported.last(), Some(&(3 * MIB as u64)));
    assert_eq!(progress(&world, ann), reported);
}

#[test]
fn a_refused_file_fails_with_the_sentence_of_the_receiver() {
    let (mut world, ann, ben) = pair();
    offer(&mut world, ann, ben, 7, content(5));
    world.run(SOON);
    let words = "No, thank you.".to_owned();
    command(&mut world, ben, FileCommand::Refuse { file: 1, words });
    world.run(SOON);
    let file = FileId::Ours(7);
    let reason = FileError::Refused("No, thank you.".into());
    assert_eq!(ends(&world, ann), [FileEvent::Failed { file, reason }]);
    assert_eq!(ends(&world, ben), []);
}

#[test]
fn either_end_can_cancel_at_any_time() {
    for by_sender in [true, false] {
        let (mut world, ann, ben, file) = half_way(MIB);
        let (ours, theirs) = (FileId::Ours(7), FileId::Theirs(file));
        let (by, cancelled) = if by_sender {
            (ann, ours)
        } else {
            (ben, theirs)
        };
        command(&mut world, by, FileCommand::Cancel(cancelled));
        world.run(SOON);
        let (other, its) = if by_sender {
            (ben, theirs)
        } else {
            (ann, ours)
        };
        assert_eq!(ends(&world, by), []);
        assert_eq!(
            ends(&world, other),
            [failed(its, "The other side cancelled.")]
        );
        assert!(world.nodes[ben].stores[&file].len() < MIB);
        // The next file is not affected.
        offer(&mut world, ann, ben, 8, content(MIB));
        world.run(SOON);
        command(&mut world, ben, FileCommand::Accept(file + 1));
        world.run(SOON);
        assert_eq!(world.nodes[ben].stores[&(file + 1)], content(MIB));
    }
    // Cancelled before the offer is answered.
    let (mut world, ann, ben) = pair();
    offer(&mut world, ann, ben, 7, content(5));
    world.run(SOON);
    command(&mut world, ann, FileCommand::Cancel(FileId::Ours(7)));
    accept_all(&mut world, ben);
    world.run(SOON);
    assert_eq!(
        ends(&world, ben),
        [failed(FileId::Theirs(1), "The other side cancelled.")]
    );
    assert_eq!(ends(&world, ann), []);
}

#[test]
fn a_file_resumes_after_its_connection_broke() {
    let (mut world, ann, ben, file) = half_way(4 * MIB);
    let before = world.nodes[ben].stores[&file].len();
    for _ in 0..3 {
        world.break_connections(ann, ben);
        world.run(Duration::from_millis(300));
    }
    world.run(MINUTE);
    assert_eq!(ends(&world, ben), [FileEvent::Done(FileId::Theirs(file))]);
    assert_eq!(ends(&world, ann), [FileEvent::Done(FileId::Ours(7))]);
    assert!(before > 2 * MIB);
    assert_eq!(world.nodes[ben].stores[&file], content(4 * MIB));
}

#[test]
fn a_file_arrives_whenever_its_connection_breaks() {
    for moment in 0..60 {
        let (mut world, ann, ben) = pair();
        offer(&mut world, ann, ben, 7, content(300_000));
        world.run(Duration::from_millis(6));
        accept_all(&mut world, ben);
        world.run(Duration::from_millis(moment));
        world.break_connections(ann, ben);
        world.run(MINUTE);
        assert_eq!(
            ends(&world, ben),
            [FileEvent::Done(FileId::Theirs(1))],
            "{moment}"
        );
        assert_eq!(
            ends(&world, ann),
            [FileEvent::Done(FileId::Ours(7))],
            "{moment}"
        );
        assert_eq!(world.nodes[ben].stores[&1], content(300_000));
    }
}

#[test]
fn a_file_accepted_while_the_connection_is_broken_arrives_later() {
    let (mut world, ann, ben) = pair();
    offer(&mut world, ann, ben, 7, content(MIB));
    world.run(SOON);
    world.break_connections(ann, ben);
    world.run(Duration::from_millis(5));
    accept_all(&mut world, ben);
    world.run(MINUTE);
    assert_eq!(world.nodes[ben].stores[&1], content(MIB));
    assert_eq!(ends(&world, ann), [FileEvent::Done(FileId::Ours(7))]);
}

#[test]
fn open_files_fail_when_the_peer_goes() {
    let gone = |file| FileEvent::Failed {
        file,
        reason: FileError::Gone,
    };
    for crash in [true, false] {
        let (mut world, ann, ben, file) = half_way(MIB);
        offer(&mut world, ann, ben, 8, content(5));
        if crash {
            world.crash(ben);
        } else {
            world.leave(ben);
            assert_eq!(ends(&world, ben), [gone(FileId::Theirs(file))]);
        }
        world.run(MINUTE * 3);
        let both = [gone(FileId::Ours(7)), gone(FileId::Ours(8))];
        assert_eq!(ends(&world, ann), both);
        offer(&mut world, ann, ben, 9, content(5));
        assert_eq!(ends(&world, ann)[2..], [gone(FileId::Ours(9))]);
    }
    let (mut world, ann, ben, file) = half_way(MIB);
    world.crash(ann);
    world.run(MINUTE * 3);
    assert_eq!(ends(&world, ben), [gone(FileId::Theirs(file))]);
}

#[test]
fn a_file_fails_at_both_ends_when_a_sleeping_peer_was_forgotten() {
    let (mut world, ann, ben, file) = half_way(MIB);
    world.sleep(ann, MINUTE * 3);
    world.run(MINUTE);
    assert_eq!(ends(&world, ann).len(), 1);
    let reason = FileError::Gone;
    let file = FileId::Theirs(file);
    assert_eq!(ends(&world, ben), [FileEvent::Failed { file, reason }]);
}

#[test]
fn at_most_eight_files_are_offered_and_more_wait() {
    let (mut world, ann, ben) = pair();
    for token in 0..20 {
        offer(&mut world, ann, ben, token, content(1_000));
    }
    world.run(SOON);
    assert_eq!(offered(&world, ben).len(), 8);
    command(&mut world, ann, FileCommand::Cancel(FileId::Ours(15)));
    for _ in 0..3 {
        accept_all(&mut world, ben);
        world.run(SOON);
    }
    assert_eq!(offered(&world, ben).len(), 19);
    assert_eq!(ends(&world, ann).len(), 19);
    assert_eq!(
        world.dropped(ben, "more files at once than may be offered"),
        0
    );
}

#[test]
fn files_with_invalid_names_are_neither_offered_nor_accepted() {
    let (mut world, ann, ben) = pair();
    let names = [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "a\nb",
        "a\0",
        "gpj.\u{202e}exe",
        &"x".repeat(256),
    ];
    for (name, token) in names.into_iter().zip(0..) {
        let offer = FileCommand::Offer {
            peer: id(&world, ben),
            token,
            name: name.to_owned(),
            size: 1,
            mime: String::new(),
        };
        command(&mut world, ann, offer);
    }
    world.run(SOON);
    assert_eq!(events(&world, ben), []);
    assert_eq!(ends(&world, ann).len(), names.len());
    // Offers with such names from a modified client are dropped.
    for name in names {
        let name = serde_json::to_string(name).unwrap();
        let offer = format!(r#"{{"k":"file","file":1,"step":"offer","n":1,"name":{name}}}"#);
        world.inject(ann, ben, LinkEvent::Text(offer));
    }
    world.run(SOON);
    assert_eq!(events(&world, ben), []);
    assert_eq!(
        world.dropped(ben, "an unreadable frame"),
        names.len() as u64
    );
}
