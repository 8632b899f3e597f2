//! What is kept of what was said: its form in a database, what tabs tell each other, and what has to go.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use rtchat::history::record::{KeyRange, after_prefix, conversation_prefix};
use rtchat::history::{Change, ConversationId, Head, Key, Limits, Mode, Position, Record, surplus};
use rtchat::identity::PublicKey;
use rtchat::wire::RoomId;
use rtchat::wire::entry::Clock;
use rtchat::wire::statement::StatementId;

const ROOM: RoomId = RoomId([7; 32]);

fn place(clock: u64, id: [u8; 32]) -> Position {
    Position {
        clock: Clock(clock),
        id: StatementId(id),
    }
}

fn position() -> impl Strategy<Value = Position> {
    (any::<u64>(), any::<[u8; 32]>()).prop_map(|(clock, id)| place(clock, id))
}

fn key() -> impl Strategy<Value = Key> {
    // Few conversations, so that some keys share one.
    (0u8..3, position()).prop_map(|(conversation, position)| Key {
        conversation: ConversationId([conversation; 16]),
        position,
    })
}

fn contains(range: &KeyRange, key: &[u8]) -> bool {
    let is_after = if range.is_lower_open {
        key > &range.lower[..]
    } else {
        key >= &range.lower[..]
    };
    is_after && range.end.as_ref().is_none_or(|end| key < &end[..])
}

#[test]
fn settings_name_the_modes() {
    for (word, mode) in [
        ("off", Mode::Off),
        ("session", Mode::Session),
        ("kept", Mode::Kept),
    ] {
        assert_eq!(Mode::parse(word), Some(mode));
        assert_eq!(mode.as_str(), word);
    }
    assert_eq!(Mode::parse("Kept"), None);
    assert_eq!(Mode::parse(""), None);
}

#[test]
fn what_follows_a_prefix_is_the_next_one() {
    assert_eq!(after_prefix(&[1, 2]), Some(vec![1, 3]));
    assert_eq!(after_prefix(&[1, 255]), Some(vec![2]));
    assert_eq!(after_prefix(&[255, 255]), None);
    assert_eq!(after_prefix(&[]), None);
}

#[test]
fn messages_of_other_programs_are_no_changes() {
    let deleted = Change::ConversationDeleted {
        room: ROOM,
        conversation: ConversationId([1; 16]),
    };
    let bytes = deleted.to_bytes();
    for wrong in [
        &[][..],
        b"hello",
        &[9; 33],
        &[6; 32],
        &bytes[..bytes.len() - 1],
        &[&bytes[..], &[0]].concat(),
        &[&[1][..], &[7; 32], &[1; 16], &[0; 39]].concat(),
        &[&[4][..], &[7; 32], &[0]].concat(),
        &[&[6][..], &[7; 32], &[0xff]].concat(),
    ] {
        assert_eq!(Change::from_bytes(wrong), None, "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        (key, author, bytes) in (key(), any::<u8>(), vec(any::<u8>(), 0..99)),
    ) {
        prop_assert_eq!(Key::from_bytes(&key.to_bytes(&ROOM)), Some((ROOM, key)));
        let Key { conversation, position } = key;
        let author = PublicKey([author; 33]);
        let record = Record { conversation, position, author, bytes };
        prop_assert_eq!(record.key(), key);
        prop_assert_eq!(Record::from_value(key, &record.to_value()), Some(record.clone()));
        let head = record.head();
        prop_assert_eq!(head.size as usize, record.bytes.len());
        prop_assert_eq!(Head::from_value(key, &head.to_value()), Some(head));
    }

    #[test]
    fn damaged_bytes_are_not_trusted(bytes in vec(any::<u8>(), 0..120), key in key()) {
        let read = Key::from_bytes(&bytes);
        prop_assert_eq!(read.is_some(), bytes.len() == 88);
        prop_assert_eq!(Record::from_value(key, &bytes).is_some(), bytes.len() >= 33);
        prop_assert_eq!(Head::from_value(key, &bytes).is_some(), bytes.len() == 37);
        // Whatever can be read is what would be written.
        if let Some(change) = Change::from_bytes(&bytes) {
            prop_assert_eq!(change.to_bytes(), bytes);
        }
    }

    #[test]
    fn changes_arrive_as_they_were_told(
        (key, positions, name) in (key(), vec(position(), 0..5), ".{0,9}"),
    ) {
        let (room, conversation) = (ROOM, key.conversation);
        for change in [
            Change::Put { room, conversation, positions: positions.clone() },
            Change::Deleted { room, conversation, positions },
            Change::ConversationDeleted { room, conversation },
            Change::RoomDeleted { room },
            Change::AllDeleted,
            Change::State { room, name },
        ] {
            prop_assert_eq!(Change::from_bytes(&change.to_bytes()), Some(change));
        }
    }

    #[test]
    fn the_order_in_the_database_is_that_of_the_conversation(one in key(), other in key()) {
        prop_assert_eq!(one.to_bytes(&ROOM).cmp(&other.to_bytes(&ROOM)), one.cmp(&other));
    }

    #[test]
    fn ranges_hold_what_they_should(one in key(), other in key(), room in any::<u8>()) {
        let bytes = other.to_bytes(&ROOM);
        let conversation = KeyRange::of_prefix(&conversation_prefix(&ROOM, &one.conversation));
        prop_assert_eq!(contains(&conversation, &bytes), one.conversation == other.conversation);
        prop_assert_eq!(contains(&KeyRange::of_prefix(&[room; 32]), &bytes), room == 7);
        prop_assert_eq!(contains(&KeyRange::of_key(one.to_bytes(&ROOM)), &bytes), one == other);
        let all = KeyRange::of_prefix(&ROOM.0);
        prop_assert_eq!(contains(&all.clone().after(one.to_bytes(&ROOM)), &bytes), other > one);
        prop_assert_eq!(contains(&all.before(one.to_bytes(&ROOM)), &bytes), other < one);
    }
}

/// A room's records, and what may be kept of them.
#[derive(Debug, Clone)]
struct Room {
    heads: Vec<Head>,
    limits: Limits,
}

/// Authors with even numbers are known.
fn is_known(author: &PublicKey) -> bool {
    author.0[0].is_multiple_of(2)
}

fn room() -> impl Strategy<Value = Room> {
    // Skewed, so that some authors have far more than others. Sizes are often equal, and often zero.
    let author = prop_oneof![4 => 0u8..2, 1 => 2u8..9];
    let size = prop_oneof![Just(0u32), Just(10), 0u32..100];
    let heads = vec((author, 0u8..2, 0u64..50, size), 0..120);
    (heads, 0u64..150, 0u64..4_000).prop_map(|(heads, messages, bytes)| {
        let heads = heads.into_iter().enumerate();
        let heads = heads.map(|(at, (author, conversation, clock, size))| Head {
            key: Key {
                conversation: ConversationId([conversation; 16]),
                position: place(clock, [u8::try_from(at).unwrap(); 32]),
            },
            author: PublicKey([author; 33]),
            size,
        });
        Room {
            heads: heads.collect(),
            limits: Limits { messages, bytes },
        }
    })
}

impl Room {
    fn gone(&self) -> BTreeSet<Key> {
        let gone = surplus(&self.heads, self.limits, is_known);
        let set: BTreeSet<Key> = gone.iter().copied().collect();
        assert_eq!(set.len(), gone.len(), "a record goes only once");
        set
    }
}

/// The numbers of messages and bytes.
fn total<'a>(heads: impl IntoIterator<Item = &'a Head>) -> (u64, u64) {
    heads.into_iter().fold((0, 0), |(messages, bytes), head| {
        (messages + 1, bytes + u64::from(head.size))
    })
}

fn by_author(heads: &[Head]) -> BTreeMap<PublicKey, Vec<Head>> {
    let mut authors = BTreeMap::<_, Vec<_>>::new();
    for head in heads {
        authors.entry(head.author).or_default().push(*head);
    }
    authors
}

proptest! {
    #[test]
    fn what_is_left_is_within_the_limits_and_stays(room in room()) {
        let gone = room.gone();
        let left: Vec<Head> = room.heads.iter().filter(|head| !gone.contains(&head.key)).copied().collect();
        let (messages, bytes) = total(&left);
        prop_assert!(messages <= room.limits.messages && bytes <= room.limits.bytes);
        let again = Room { heads: left, ..room.clone() };
        prop_assert_eq!(again.gone(), BTreeSet::new());
        if total(&room.heads) <= (room.limits.messages, 0) && total(&room.heads).1 <= room.limits.bytes {
            prop_assert_eq!(gone, BTreeSet::new());
        }
    }

    #[test]
    fn the_order_of_the_records_does_not_matter(room in room(), shuffled in any::<prop::sample::Index>()) {
        let mut other = room.clone();
        other.heads.rotate_left(shuffled.index(room.heads.len().max(1)));
        other.heads.reverse();
        prop_assert_eq!(other.gone(), room.gone());
    }

    #[test]
    fn nothing_of_known_people_goes_while_something_of_strangers_stays(room in room()) {
        let gone = room.gone();
        let (known, strangers): (Vec<&Head>, Vec<&Head>) =
            room.heads.iter().partition(|head| is_known(&head.author));
        if known.iter().any(|head| gone.contains(&head.key)) {
            prop_assert!(strangers.iter().all(|head| gone.contains(&head.key)));
        }
        // And strangers change nothing for them.
        let alone = Room { heads: known.into_iter().copied().collect(), ..room.clone() };
        let known_gone = gone.iter().filter(|key| alone.heads.iter().any(|head| head.key == **key));
        prop_assert_eq!(alone.gone(), known_gone.copied().collect::<BTreeSet<_>>());
    }

    #[test]
    fn an_author_below_the_fair_share_loses_nothing(room in room()) {
        let gone = room.gone();
        let (known, strangers): (Vec<Head>, Vec<Head>) =
            room.heads.iter().partition(|head| is_known(&head.author));
        let (messages, bytes) = (room.limits.messages, room.limits.bytes);
        let (known_messages, known_bytes) = total(&known);
        let is_whole = !known.iter().any(|head| gone.contains(&head.key));
        let left = if is_whole { (messages - known_messages, bytes - known_bytes) } else { (0, 0) };
        for (heads, (messages, bytes)) in [(known, (messages, bytes)), (strangers, left)] {
            let authors = by_author(&heads);
            let count = authors.len() as u64;
            for heads in authors.values() {
                let (its_messages, its_bytes) = total(heads);
                if its_messages * count <= messages && its_bytes * count <= bytes {
                    prop_assert!(heads.iter().all(|head| !gone.contains(&head.key)));
                }
            }
        }
    }

    #[test]
    fn everybody_loses_the_oldest_first(room in room()) {
        let gone = room.gone();
        for heads in by_author(&room.heads).values() {
            let place = |head: &Head| (head.key.position, head.key.conversation);
            let went = heads.iter().filter(|head| gone.contains(&head.key)).map(place).max();
            let stayed = heads.iter().filter(|head| !gone.contains(&head.key)).map(place).min();
            if let Some((went, stayed)) = went.zip(stayed) {
                prop_assert!(went < stayed);
            }
        }
    }
}

#[test]
fn shares_that_are_not_used_go_to_the_others() {
    let head = |author: u8, at: u64| Head {
        key: Key {
            conversation: ConversationId([0; 16]),
            position: place(at, [author; 32]),
        },
        author: PublicKey([author; 33]),
        size: 1,
    };
    // Ten places: one author needs two of them, and the other two share the rest, four each.
    let counts = [(2, 2), (4, 6), (6, 9)];
    let heads = counts.map(|(author, count)| (0..count).map(move |at| head(author, at)));
    let heads: Vec<Head> = heads.into_iter().flatten().collect();
    let limits = Limits {
        messages: 10,
        bytes: 1_000,
    };
    let gone = surplus(&heads, limits, is_known);
    let left = heads.iter().filter(|head| !gone.contains(&head.key));
    let left: Vec<(u8, u64)> = left
        .map(|head| (head.author.0[0], head.key.position.clock.0))
        .collect();
    let expected = [(2, 0..2), (4, 2..6), (6, 5..9)];
    let expected = expected.map(|(author, ats)| ats.map(move |at| (author, at)));
    assert_eq!(left, expected.into_iter().flatten().collect::<Vec<_>>());
}
