use super::*;
use crate::identity::IdentityKey;
use crate::wire::attachment::FileHash;
use chacha20::{ChaCha20Rng, rand_core::SeedableRng};
use proptest::prelude::*;

const ROOM: RoomId = RoomId([7; 32]);

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn entry(content: Content) -> Entry {
    let key = IdentityKey::generate(&mut rng(1));
    let place = Place {
        author: key.public(),
        writer: [3; 8],
        number: 4,
        previous: StatementId([5; 32]),
        conversation: ConversationId::channel("lobby"),
        seen: StatementId([6; 32]),
        clock: Clock::at(Millis(1_700_000_000_000)),
    };
    let body = EntryBody {
        name: Name::parse("Zoë").unwrap(),
        tab: 2,
        content,
    };
    let draft = Draft::new(&place, &body, &mut rng(2)).unwrap();
    let signature = key.sign_message(&draft.message(&ROOM));
    draft.signed(&ROOM, signature).unwrap()
}

fn bytes(entry: &Entry) -> Vec<u8> {
    let mut bytes = Vec::new();
    entry.write(&mut bytes);
    assert_eq!(bytes.len(), entry.size());
    bytes
}

fn say(text: &str) -> Content {
    Content::Say {
        reply_to: None,
        text: text.into(),
    }
}

#[test]
fn entries_are_read_as_they_were_written() {
    let target = StatementId([9; 32]);
    let file = Attachment {
        hash: FileHash([1; 32]),
        size: 3,
        name: "a.txt".into(),
        mime: "text/plain".into(),
        picture: None,
    };
    let (text, emoji) = ("Grüß dich\n<b>".to_owned(), "👩‍🚒".to_owned());
    for content in [
        say(&text),
        Content::Say {
            reply_to: Some(target),
            text: text.clone(),
        },
        Content::Edit { target, text },
        Content::Retract { target },
        Content::React {
            target,
            emoji,
            on: true,
        },
        Content::File {
            reply_to: Some(target),
            file: Box::new(file.clone()),
            text: "Look".into(),
        },
        Content::File {
            reply_to: None,
            file: Box::new(file),
            text: String::new(),
        },
    ] {
        let written = entry(content.clone());
        assert_eq!(written.verify(&ROOM), Ok(()));
        let read = Entry::parse(&bytes(&written), &ROOM).unwrap();
        assert_eq!(read, written);
        let body = read.body().unwrap();
        assert_eq!(body.user(), "Zoë(2)");
        assert_eq!(body.content, content);
        assert_eq!(read.content(), Some(content));
    }
}

#[test]
fn what_an_entry_says_is_read_whatever_its_name() {
    let mut unnamed = entry(say("hello"));
    let body = unnamed.body.as_mut().unwrap();
    // The salt, the number of the tab and the length stand before the name.
    body[19] = b'\n';
    assert_eq!(unnamed.body(), None);
    assert_eq!(unnamed.content(), Some(say("hello")));
    unnamed.body.as_mut().unwrap().truncate(20);
    assert_eq!(unnamed.content(), None);
    unnamed.take_back();
    assert_eq!(unnamed.content(), None);
}

#[test]
fn no_byte_of_an_entry_can_be_changed() {
    let written = bytes(&entry(say("hello")));
    for at in 0..written.len() {
        let mut changed = written.clone();
        changed[at] ^= 1;
        let read = Entry::parse(&changed, &ROOM);
        assert!(
            read.is_err() || read.unwrap().verify(&ROOM).is_err(),
            "{at}"
        );
    }
}

#[test]
fn an_entry_counts_in_its_own_room_only() {
    let written = entry(say("hello"));
    let other = RoomId([8; 32]);
    let read = Entry::parse(&bytes(&written), &other).unwrap();
    assert_ne!(read.id(), written.id());
    assert!(read.verify(&other).is_err());
}

#[test]
fn an_entry_that_was_taken_back_still_has_its_place() {
    let mut written = entry(say("a secret"));
    let (id, position) = (written.id(), written.position());
    written.take_back();
    let left = bytes(&written);
    assert!(left.len() < 300, "{}", left.len());
    let read = Entry::parse(&left, &ROOM).unwrap();
    assert_eq!((read.id(), read.position()), (id, position));
    assert_eq!(read.verify(&ROOM), Ok(()));
    assert_eq!(read.body(), None);
}

#[test]
fn kinds_and_names_that_are_not_known_are_kept_and_not_read() {
    let unknown = entry(say("hello"));
    let mut fields = (*unknown).clone();
    fields.kind = 999;
    let key = IdentityKey::generate(&mut rng(1));
    let statement = Unsigned::new(fields, Extensions::default()).unwrap();
    let entry = Entry::new(statement.sign(&ROOM, &key), unknown.body.clone(), &ROOM);
    let read = Entry::parse(&bytes(&entry), &ROOM).unwrap();
    assert_eq!(read.verify(&ROOM), Ok(()));
    assert_eq!(read.body(), None);
    assert!(read.has_body());
}

#[test]
fn the_longest_text_fits_and_a_longer_one_is_refused() {
    let longest = "😀".repeat(10_000);
    assert!(entry(say(&longest)).size() <= MAX_ENTRY);
    let body = EntryBody {
        name: Name::parse("ann").unwrap(),
        tab: 1,
        content: say(&"😀".repeat(10_200)),
    };
    let written = entry(say("x"));
    let place = Place {
        author: written.author,
        writer: written.writer,
        number: 0,
        previous: written.previous,
        conversation: written.conversation,
        seen: written.seen,
        clock: written.clock,
    };
    let draft = Draft::new(&place, &body, &mut rng(1));
    assert_eq!(draft.unwrap_err(), StatementError::TooLarge);
}

#[test]
fn the_clock_never_stands_still_and_never_runs_ahead_by_itself() {
    let now = Millis(1_700_000_000_000);
    let first = Clock::default().next(now);
    assert_eq!((first, first.millis()), (Clock::at(now), now));
    assert_eq!(first.next(now), Clock(first.0 + 1));
    // A clock that was set back goes on counting.
    assert_eq!(first.next(Millis(5)), Clock(first.0 + 1));
    assert_eq!(Clock(u64::MAX).next(now), Clock(u64::MAX));
}

#[test]
fn ids_as_text_are_read_again_and_nothing_else_is() {
    let id = entry(say("hello")).id();
    assert_eq!(parse_entry_name(&entry_name(&id)), Some(id));
    for text in ["", "x", "….", &"A".repeat(44), &"A".repeat(4_000)] {
        assert_eq!(parse_entry_name(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Entry::parse(&bytes, &ROOM).map(|entry| entry.body());
    }

    #[test]
    fn any_body_is_read_without_a_panic(kind in 0u16..9, body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = EntryBody::read(kind, &body);
    }
}
