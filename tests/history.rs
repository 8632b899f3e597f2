//! What is kept of what was said: its form in a database, and what has to go.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use rtchat::history::{ConversationId, Head, Key, Limits, Mode, Position, Record, surplus};
use rtchat::identity::PublicKey;
use rtchat::wire::entry::Clock;
use rtchat::wire::statement::StatementId;

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

proptest! {
    #[test]
    fn what_is_written_is_read(
        (key, author, bytes) in (key(), any::<u8>(), vec(any::<u8>(), 0..99)),
    ) {
        prop_assert_eq!(Key::from_bytes(&key.to_bytes()), Some(key));
        let Key { conversation, position } = key;
        let author = PublicKey([author; 33]);
        let record = Record { conversation, position, author, bytes };
        prop_assert_eq!(record.key(), key);
        prop_assert_eq!(Record::from_value(key, &record.to_value()), Some(record.clone()));
        let head = record.head();
        prop_assert_eq!(head.size as usize, record.bytes.len());
    }

    #[test]
    fn damaged_bytes_are_not_trusted(bytes in vec(any::<u8>(), 0..120), key in key()) {
        let read = Key::from_bytes(&bytes);
        prop_assert_eq!(read.is_some(), bytes.len() == 56);
        prop_assert_eq!(Record::from_value(key, &bytes).is_some(), bytes.len() >= 33);
    }

    #[test]
    fn the_order_in_the_database_is_that_of_the_conversation(one in key(), other in key()) {
        prop_assert_eq!(one.to_bytes().cmp(&other.to_bytes()), one.cmp(&other));
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
