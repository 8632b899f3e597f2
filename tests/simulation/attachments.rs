//! Files beside messages: they come from whoever has them, at once or when they are asked for.

use std::time::Duration;

use rtchat::history::StoredFile;
use rtchat::identity::{TrustBook, TrustChange, TrustDecision};
use rtchat::room::{
    AttachmentCommand, BlobEvent, ChatCommand, Command, Conversation, Event, FileState, FileView,
    Input, MAX_AT_ONCE, MAX_KEPT_FILE, MessageId,
};
use rtchat::rtc::LinkEvent;
use rtchat::rtc::file_channel::SLICE;
use rtchat::settings::Accept;
use rtchat::wire::frame::AttachmentFrame;
use rtchat::wire::{Attachment, FileHash, FileKey, Frame};
use sha2::{Digest as _, Sha256};

use crate::conversations::shown;
use crate::files::{MIB, content};
use crate::hostile::key;
use crate::scenes::{MINUTE, SOON, pair};
use crate::world::World;

pub fn hash(content: &[u8]) -> FileHash {
    let slices = content.chunks(SLICE as usize).map(Sha256::digest);
    let slices: Vec<u8> = slices.flat_map(|slice| slice.to_vec()).collect();
    FileHash(Sha256::digest(slices).into())
}

pub fn described(name: &str, content: &[u8]) -> Attachment {
    Attachment {
        hash: hash(content),
        size: content.len() as u64,
        name: name.to_owned(),
        mime: "application/pdf".to_owned(),
        picture: None,
    }
}

/// `at` says something with this file beside it.
pub fn attach(world: &mut World, at: usize, name: &str, content: Vec<u8>) -> FileKey {
    attach_in(world, at, None, name, content)
}

fn attach_in(
    world: &mut World,
    at: usize,
    conversation: Option<Conversation>,
    name: &str,
    content: Vec<u8>,
) -> FileKey {
    let file = described(name, &content);
    let key = file.key();
    world.nodes[at].blobs.insert(key, content);
    let say = ChatCommand::SayFile {
        conversation,
        file: Box::new(file),
        text: String::new(),
        reply_to: None,
    };
    world.command(at, Command::Chat(say));
    key
}

pub fn views(world: &World, at: usize, key: FileKey) -> Vec<FileView> {
    let events = world.nodes[at].events.iter();
    let views = events.filter_map(|event| match event {
        Event::Attachment(event) if event.key == key => Some(event.view.clone()),
        _ => None,
    });
    views.collect()
}

/// What `at` sees of a file now.
pub fn state(world: &World, at: usize, key: FileKey) -> Option<FileState> {
    views(world, at, key).pop().map(|view| view.state)
}

pub fn is(world: &World, at: usize, key: FileKey, expected: &FileState) -> bool {
    state(world, at, key).as_ref() == Some(expected)
}

pub fn fetch(world: &mut World, at: usize, key: FileKey) {
    world.command(at, Command::Attachment(AttachmentCommand::Fetch(key)));
}

/// Two people who met before.
fn old_friends() -> (World, usize, usize) {
    let mut world = World::new(1);
    let keys = [key(61), key(62)];
    let book = |who: usize, name: &str| {
        let mut book = TrustBook::default();
        let change = TrustChange {
            key: keys[who].public(),
            name: rtchat::identity::Name::parse(name).unwrap(),
            at: world.now,
            what: TrustDecision::Met,
        };
        book.apply(&change).unwrap();
        book
    };
    let books = [book(1, "ben"), book(0, "ann")];
    let [ann_knows, ben_knows] = books;
    let ann = world.open_as("ann", keys[0].clone(), Accept::Everyone, ann_knows);
    let ben = world.open_as("ben", keys[1].clone(), Accept::Everyone, ben_knows);
    assert!(world.run_until(SOON, World::is_full_mesh));
    (world, ann, ben)
}

#[test]
fn a_small_file_of_somebody_who_is_known_comes_at_once() {
    let (mut world, ann, ben) = old_friends();
    let bytes = content(300_000);
    let key = attach(&mut world, ann, "plan.pdf", bytes.clone());
    assert!(is(&world, ann, key, &FileState::Offered));
    assert!(world.run_until(SOON, |world| is(world, ben, key, &FileState::Done)));
    assert_eq!(world.nodes[ben].blobs[&key], bytes);
    let file = shown(&world, ben)[0].file.clone().unwrap();
    assert_eq!((file.name.as_str(), file.size), ("plan.pdf", 300_000));
    // Whoever sent it is told that it has arrived.
    assert!(world.run_until(SOON, |world| is(world, ann, key, &FileState::Done)));
    // Both keep it with the history.
    assert!(
        [ann, ben]
            .iter()
            .all(|at| world.nodes[*at].kept_files.contains(&key))
    );
}

#[test]
fn files_of_new_people_and_large_ones_wait_for_a_press() {
    let (mut world, ann, ben) = pair();
    let small = attach(&mut world, ann, "small.pdf", content(1_000));
    world.run(SOON);
    assert!(is(&world, ben, small, &FileState::Offered));
    assert_eq!(world.nodes[ben].blobs.len(), 0);
    fetch(&mut world, ben, small);
    assert!(world.run_until(SOON, |world| is(world, ben, small, &FileState::Done)));
    let (mut world, ann, ben) = old_friends();
    let large = attach(
        &mut world,
        ann,
        "large.pdf",
        content(MAX_AT_ONCE as usize + 1),
    );
    world.run(SOON);
    assert!(is(&world, ben, large, &FileState::Offered));
    fetch(&mut world, ben, large);
    assert!(world.run_until(MINUTE, |world| is(world, ben, large, &FileState::Done)));
}

#[test]
fn a_file_comes_from_somebody_else_when_its_sender_has_left() {
    let (mut world, ann, ben) = pair();
    let bytes = content(MIB);
    let key = attach(&mut world, ann, "plan.pdf", bytes.clone());
    world.run(SOON);
    fetch(&mut world, ben, key);
    assert!(world.run_until(SOON, |world| is(world, ben, key, &FileState::Done)));
    world.leave(ann);
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.run(SOON);
    fetch(&mut world, cleo, key);
    assert!(world.run_until(SOON, |world| is(world, cleo, key, &FileState::Done)));
    assert_eq!(world.nodes[cleo].blobs[&key], bytes);
}

#[test]
fn a_file_that_nobody_has_comes_once_somebody_comes_who_has_it() {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    let bytes = content(MIB);
    let key = attach(&mut world, ann, "plan.pdf", bytes.clone());
    world.run(SOON);
    world.leave(ann);
    world.run(SOON);
    fetch(&mut world, ben, key);
    world.run(SOON);
    assert!(is(&world, ben, key, &FileState::Waiting));
    // Ann comes back in another session, and her browser has kept what she sent.
    let identity = world.nodes[ann].identity.clone();
    let author = identity.public();
    let again = world.open_as("ann", identity, Accept::Everyone, TrustBook::default());
    world.nodes[again].blobs.insert(key, bytes);
    let at = world.now;
    let kept = vec![StoredFile { key, author, at }];
    world.feed(again, Input::Blob(BlobEvent::Open(kept)));
    assert!(world.run_until(MINUTE, |world| is(world, ben, key, &FileState::Done)));
    assert!(is(&world, again, key, &FileState::Done));
    assert!(is(&world, cleo, key, &FileState::Offered));
}

#[test]
fn somebody_who_leaves_in_the_middle_is_replaced_by_somebody_else() {
    let (mut world, ann, ben) = pair();
    let bytes = content(40 * MIB);
    let key = attach(&mut world, ann, "film.mp4", bytes.clone());
    world.run(SOON);
    fetch(&mut world, ben, key);
    assert!(world.run_until(MINUTE, |world| is(world, ben, key, &FileState::Done)));
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.run(SOON);
    fetch(&mut world, cleo, key);
    let half = |world: &World| matches!(state(world, cleo, key), Some(FileState::Transferring { done, .. }) if done > MIB as u64);
    assert!(world.run_until(SOON, half));
    // Its author is asked first.
    world.leave(ann);
    assert!(world.run_until(MINUTE, |world| is(world, cleo, key, &FileState::Done)));
    assert_eq!(world.nodes[cleo].blobs[&key], bytes);
    assert!(
        world.nodes[cleo].collecting.is_empty(),
        "what was begun is forgotten"
    );
}

#[test]
fn a_file_goes_on_where_it_was_when_a_connection_broke() {
    let (mut world, ann, ben) = pair();
    let key = attach(&mut world, ann, "film.mp4", content(40 * MIB));
    world.run(SOON);
    fetch(&mut world, ben, key);
    let half = |world: &World| matches!(state(world, ben, key), Some(FileState::Transferring { done, .. }) if done > MIB as u64);
    assert!(world.run_until(SOON, half));
    world.break_connections(ann, ben);
    assert!(world.run_until(MINUTE, |world| is(world, ben, key, &FileState::Waiting)));
    assert!(world.run_until(MINUTE, |world| is(world, ben, key, &FileState::Done)));
    let progress = views(&world, ben, key).into_iter();
    let progress: Vec<u64> = progress
        .filter_map(|view| match view.state {
            FileState::Transferring { done, .. } => Some(done),
            _ => None,
        })
        .collect();
    assert!(progress.is_sorted(), "it did not begin anew: {progress:?}");
}

#[test]
fn fetching_is_cancelled_refused_and_tried_again() {
    let (mut world, ann, ben) = pair();
    let key = attach(&mut world, ann, "film.mp4", content(40 * MIB));
    world.run(SOON);
    world.command(ben, Command::Attachment(AttachmentCommand::Refuse(key)));
    assert!(is(&world, ben, key, &FileState::Refused));
    fetch(&mut world, ben, key);
    let is_coming = |world: &World| matches!(state(world, ben, key), Some(FileState::Transferring { done, .. }) if done > 0);
    assert!(world.run_until(SOON, is_coming));
    let is_sent =
        |world: &World| matches!(state(world, ann, key), Some(FileState::Transferring { .. }));
    assert!(world.run_until(SOON, is_sent));
    world.command(ben, Command::Attachment(AttachmentCommand::Cancel(key)));
    world.run(SOON);
    assert!(is(&world, ben, key, &FileState::Offered));
    assert!(is(&world, ann, key, &FileState::Offered));
    fetch(&mut world, ben, key);
    assert!(world.run_until(MINUTE, |world| is(world, ben, key, &FileState::Done)));
}

#[test]
fn a_file_that_is_taken_back_is_deleted_everywhere() {
    let (mut world, ann, ben) = pair();
    let key = attach(&mut world, ann, "wrong.pdf", content(1_000));
    world.run(SOON);
    fetch(&mut world, ben, key);
    assert!(world.run_until(SOON, |world| is(world, ben, key, &FileState::Done)));
    let id = MessageId(shown(&world, ann)[0].id.0.clone());
    world.command(ann, Command::Chat(ChatCommand::Retract(id)));
    world.run(SOON);
    for at in [ann, ben] {
        assert!(world.nodes[at].blobs.is_empty() && world.nodes[at].kept_files.is_empty());
        assert_eq!(shown(&world, at)[0].file, None);
    }
}

#[test]
fn what_is_sent_to_one_person_is_given_to_nobody_else() {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    let direct = Conversation::Direct(world.nodes[ben].identity.public());
    let bytes = content(1_000);
    let key = attach_in(&mut world, ann, Some(direct), "plan.pdf", bytes.clone());
    world.run(SOON);
    assert_eq!(shown(&world, cleo).len(), 0);
    fetch(&mut world, ben, key);
    assert!(world.run_until(SOON, |world| is(world, ben, key, &FileState::Done)));
    assert_eq!(world.nodes[ben].blobs[&key], bytes);
    // Cleo, who knows what to ask for, gets it neither from Ann nor from Ben.
    let want = Frame::Attachment(AttachmentFrame::Want(key))
        .encode()
        .remove(0);
    for at in [ann, ben] {
        world.inject(cleo, at, LinkEvent::Text(want.clone()));
    }
    let answers = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let heard = answers.clone();
    world.frames = Some(Box::new(move |from, text| {
        if from != cleo && (text.contains("lack") || text.contains("offer")) {
            heard.borrow_mut().push(text.to_owned());
        }
        text.to_owned()
    }));
    world.run(SOON);
    let answers = answers.borrow();
    assert_eq!(answers.len(), 2);
    assert!(
        answers.iter().all(|answer| answer.contains("\"lack\"")),
        "{answers:?}"
    );
}

#[test]
fn large_files_are_not_kept() {
    let (mut world, ann, _) = pair();
    let large = attach(
        &mut world,
        ann,
        "film.mp4",
        content(MAX_KEPT_FILE as usize + 1),
    );
    let small = attach(&mut world, ann, "song.ogg", content(MAX_KEPT_FILE as usize));
    world.run(SOON);
    assert_eq!(Vec::from_iter(world.nodes[ann].kept_files.clone()), [small]);
    assert!(world.nodes[ann].blobs.contains_key(&large));
}

#[test]
fn what_strangers_sent_makes_room_first() {
    let (mut world, ann, ben) = pair();
    // Almost two hundred megabytes are kept already: half of them of somebody who was never met.
    let (stranger, known) = (key(70).public(), world.nodes[ann].identity.public());
    let kept = (0u8..24).map(|number| StoredFile {
        key: FileKey {
            hash: FileHash([number; 32]),
            size: MAX_KEPT_FILE,
        },
        author: if number < 12 { known } else { stranger },
        at: world.now,
    });
    let kept: Vec<StoredFile> = kept.collect();
    let deleted = |world: &World| 24 - world.nodes[ann].kept_files.len();
    world.nodes[ann].kept_files = kept.iter().map(|file| file.key).collect();
    world.feed(ann, Input::Blob(BlobEvent::Open(kept.clone())));
    assert_eq!(deleted(&world), 0);
    let key = attach(&mut world, ann, "plan.pdf", content(MAX_KEPT_FILE as usize));
    world.run(Duration::from_millis(1));
    let gone = kept
        .iter()
        .filter(|file| !world.nodes[ann].kept_files.contains(&file.key));
    let gone: Vec<&StoredFile> = gone.collect();
    assert!(!gone.is_empty() && gone.iter().all(|file| file.author == stranger));
    assert!(world.nodes[ann].kept_files.contains(&key));
    assert!(world.verified(ben) == 1);
}
