//! Peers that give something else than what was asked for, ask without end, or ask for what is not theirs.

use std::time::Duration;

use rtchat::room::{FileState, MAX_AT_ONCE};
use rtchat::rtc::LinkEvent;
use rtchat::wire::frame::AttachmentFrame;
use rtchat::wire::{FileHash, FileKey, Frame};

use crate::attachments::{attach, fetch, hash, is};
use crate::files::{MIB, content};
use crate::scenes::{MINUTE, SOON, pair};
use crate::world::World;

fn want(world: &mut World, from: usize, to: usize, key: FileKey) {
    let frame = Frame::Attachment(AttachmentFrame::Want(key));
    world.inject(from, to, LinkEvent::Text(frame.encode().remove(0)));
}

/// The names of files that `from` offered, by the frames that it sent.
fn watch_offers(world: &mut World, of: usize) -> std::rc::Rc<std::cell::RefCell<Vec<String>>> {
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let kept = seen.clone();
    world.frames = Some(Box::new(move |from, text| {
        if from == of && (text.contains("\"offer\"") || text.contains("\"lack\"")) {
            kept.borrow_mut().push(text.to_owned());
        }
        text.to_owned()
    }));
    seen
}

#[test]
fn wrong_bytes_are_refused_and_the_file_comes_from_somebody_else() {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    let bytes = content(MIB);
    let key = attach(&mut world, ann, "plan.pdf", bytes.clone());
    world.run(SOON);
    fetch(&mut world, ben, key);
    assert!(world.run_until(SOON, |world| is(world, ben, key, &FileState::Done)));
    // Its author is asked first, and has something else now.
    world.nodes[ann].blobs.insert(key, vec![7; MIB]);
    fetch(&mut world, cleo, key);
    assert!(world.run_until(MINUTE, |world| is(world, cleo, key, &FileState::Done)));
    assert_eq!(world.nodes[cleo].blobs[&key], bytes);
}

#[test]
fn a_file_that_only_a_liar_has_fails_with_a_sentence() {
    let (mut world, ann, ben) = pair();
    let key = attach(&mut world, ann, "plan.pdf", content(MIB));
    world.nodes[ann].blobs.insert(key, vec![7; MIB]);
    world.run(SOON);
    fetch(&mut world, ben, key);
    let words = "What arrived is not the file that was asked for.".to_owned();
    assert!(world.run_until(MINUTE, |world| is(
        world,
        ben,
        key,
        &FileState::Failed(words.clone())
    )));
    assert!(world.nodes[ben].blobs.is_empty() && world.nodes[ben].collecting.is_empty());
    // It is not asked again by itself, and is when the person wants it.
    let sent = world.carried;
    world.run(SOON);
    assert!(world.carried - sent < 100);
    let bytes = content(MIB);
    world.nodes[ann].blobs.insert(key, bytes);
    fetch(&mut world, ben, key);
    assert!(world.run_until(MINUTE, |world| is(world, ben, key, &FileState::Done)));
}

#[test]
fn a_right_hash_with_a_wrong_size_hides_nothing() {
    let (mut world, ann, ben) = pair();
    let bytes = content(1_000);
    let wrong = FileKey {
        hash: hash(&bytes),
        size: 5,
    };
    let mut file = crate::attachments::described("plan.pdf", &bytes);
    file.size = wrong.size;
    world.nodes[ann].blobs.insert(wrong, bytes.clone());
    let say = rtchat::room::ChatCommand::SayFile {
        conversation: None,
        file: Box::new(file),
        text: String::new(),
        reply_to: None,
    };
    world.command(ann, rtchat::room::Command::Chat(say));
    world.run(SOON);
    let right = attach(&mut world, ann, "plan.pdf", bytes.clone());
    world.run(SOON);
    fetch(&mut world, ben, wrong);
    fetch(&mut world, ben, right);
    assert!(world.run_until(MINUTE, |world| is(world, ben, right, &FileState::Done)));
    assert_eq!(world.nodes[ben].blobs[&right], bytes);
    assert!(!is(&world, ben, wrong, &FileState::Done));
}

#[test]
fn nobody_gets_what_stands_nowhere() {
    let (mut world, ann, ben) = pair();
    // It is in ann's memory, and she has said nothing about it.
    let bytes = content(1_000);
    let key = FileKey {
        hash: hash(&bytes),
        size: 1_000,
    };
    world.nodes[ann].blobs.insert(key, bytes);
    let answers = watch_offers(&mut world, ann);
    want(&mut world, ben, ann, key);
    let unknown = FileKey {
        hash: FileHash([9; 32]),
        size: 1_000,
    };
    want(&mut world, ben, ann, unknown);
    world.run(SOON);
    let answers = answers.borrow();
    assert_eq!(answers.len(), 2);
    assert!(
        answers.iter().all(|answer| answer.contains("\"lack\"")),
        "{answers:?}"
    );
}

#[test]
fn endless_requests_are_bounded() {
    let (mut world, ann, ben) = pair();
    let keys: Vec<FileKey> = (0..20)
        .map(|number| attach(&mut world, ann, "a.pdf", vec![number; 2_000_000]))
        .collect();
    world.run(SOON);
    let answers = watch_offers(&mut world, ann);
    for _ in 0..20 {
        for key in &keys {
            want(&mut world, ben, ann, *key);
        }
    }
    world.run(SOON);
    let answers = answers.borrow();
    let offers = answers.iter().filter(|answer| answer.contains("\"offer\""));
    assert!(offers.count() <= 4);
    assert!(answers.len() <= 70, "{}", answers.len());
    assert!(world.dropped(ann, "too many frames at once") >= 300);
    assert!(world.is_full_mesh());
}

#[test]
fn what_was_not_asked_for_is_refused() {
    let (mut world, ann, ben) = pair();
    let key = attach(&mut world, ann, "plan.pdf", content(1_000));
    world.run(SOON);
    let hash = key.hash.to_text();
    for size in [1_000, 5, MAX_AT_ONCE] {
        let offer = format!(
            r#"{{"k":"file","file":{size},"step":"offer","n":{size},"name":"a","hash":"{hash}"}}"#
        );
        world.inject(ann, ben, LinkEvent::Text(offer));
    }
    world.run(SOON);
    assert!(world.nodes[ben].stores.is_empty() && world.nodes[ben].collecting.is_empty());
    assert!(is(&world, ben, key, &FileState::Offered));
}

#[test]
fn somebody_who_never_answers_is_passed_over() {
    let (mut world, ann, ben) = pair();
    let key = attach(&mut world, ann, "plan.pdf", content(1_000));
    world.run(SOON);
    fetch(&mut world, ben, key);
    assert!(world.run_until(SOON, |world| is(world, ben, key, &FileState::Done)));
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.run(SOON);
    world.muted.push((ann, "\"offer\"".to_owned()));
    fetch(&mut world, cleo, key);
    assert!(world.run_until(Duration::from_secs(12), |world| is(
        world,
        cleo,
        key,
        &FileState::Done
    )));
}

#[test]
fn an_author_who_is_not_let_in_by_us_gives_nothing_of_others() {
    use super::prompts::{accept, open_asking, was_asked_about};
    // In a room where people decide on whom they let in, ann has let ben in, and ben cleo, but ann not cleo.
    let mut world = World::new(1);
    let ann = open_asking(&mut world, "ann", 81);
    let ben = open_asking(&mut world, "ben", 82);
    for (at, name) in [(ann, "ben"), (ben, "ann")] {
        assert!(world.run_until(SOON, |world| was_asked_about(world, at, name)));
        accept(&mut world, at, name);
    }
    world.run(SOON);
    let key = attach(&mut world, ann, "plan.pdf", content(1_000));
    world.run(SOON);
    fetch(&mut world, ben, key);
    assert!(world.run_until(SOON, |world| is(world, ben, key, &FileState::Done)));
    let cleo = open_asking(&mut world, "cleo", 83);
    for (at, name) in [(cleo, "ben"), (ben, "cleo")] {
        assert!(world.run_until(SOON, |world| was_asked_about(world, at, name)));
        accept(&mut world, at, name);
    }
    world.run(SOON);
    let answers = watch_offers(&mut world, ben);
    want(&mut world, cleo, ben, key);
    world.run(SOON);
    let answers = answers.borrow();
    assert_eq!(answers.len(), 1);
    assert!(answers[0].contains("\"lack\""), "{answers:?}");
}
