//! Display names: a name for everybody in a room, so that no two people can be mistaken for each other.

use litemap::LiteMap;

use super::lookalike::{SkeletonHash, skeletons};
use super::{Lookalike, Name, PeerId, PublicKey};
use crate::sort::sorted_by;

/// A person in the room, in one tab.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// The tab's peer id.
    pub id: PeerId,
    /// The identity key.
    pub key: PublicKey,
    /// The current name of this key.
    pub name: &'a Name,
    /// The tab number that the tab claims.
    pub tab: u16,
}

/// Unique names for everybody in a room.
///
/// - Only tabs of the same key are numbered as tabs of one person: `ann` and `ann(2)`. Each tab has the number that it
///   claims, unless another tab of the same key claims that number, too.
/// - If the names of two keys look alike, both are followed by the beginning of their key's fingerprint, with as many
///   characters as it takes to tell them apart: `ann (k7qd)` and `ann (x2ma)(2)`.
///
/// A display name therefore depends only on people with a similar name, and not on who came first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DisplayNames(LiteMap<PeerId, String>);

impl DisplayNames {
    /// Computes the names of these people, whose peer ids must all be different. The person at this browser has to be
    /// among them, so that somebody else with the same name is told apart, too.
    pub fn of<'a>(everybody: impl IntoIterator<Item = Person<'a>>) -> DisplayNames {
        let everybody: Vec<Person<'a>> = everybody.into_iter().collect();
        let signs = key_signs(&everybody);
        let tabs = tab_numbers(&everybody);
        let mut names = LiteMap::new();
        for person in everybody {
            let mut name = person.name.as_str().to_owned();
            if let Some(sign) = signs.get(&(person.name, person.key)) {
                name.push_str(&format!(" ({sign})"));
            }
            if let Some(tab) = tabs.get(&person.id).filter(|tab| **tab > 1) {
                name.push_str(&format!("({tab})"));
            }
            names.insert(person.id, name);
        }
        DisplayNames(names)
    }

    /// The display name of this tab.
    pub fn get(&self, id: &PeerId) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }

    /// All display names, ordered by peer id.
    pub fn iter(&self) -> impl Iterator<Item = (&PeerId, &str)> {
        self.0.iter().map(|(id, name)| (id, name.as_str()))
    }
}

/// The lengths in which a fingerprint can be shown, in characters: one group of four, or more groups if needed.
const SIGN_LENGTHS: [usize; 4] = [4, 9, 14, 19];

/// A name on a key.
struct Bearer<'a> {
    name: &'a Name,
    key: PublicKey,
    lookalike: Lookalike,
}

/// The beginning of the fingerprint of each key whose name looks like another key's.
fn key_signs<'a>(everybody: &[Person<'a>]) -> LiteMap<(&'a Name, PublicKey), String> {
    let mut unsettled: Vec<Bearer> = Vec::new();
    for Person { key, name, .. } in everybody {
        let is_known = |bearer: &Bearer| bearer.key == *key && bearer.name == *name;
        if !unsettled.iter().any(is_known) {
            unsettled.push(Bearer {
                name,
                key: *key,
                lookalike: name.lookalike(),
            });
        }
    }
    // A name that shares no skeleton with another key's name needs no sign.
    unsettled = partition_ambiguous(unsettled, 0).0;
    let mut signs = LiteMap::new();
    for length in SIGN_LENGTHS {
        let (ambiguous, settled) = partition_ambiguous(unsettled, length);
        for Bearer { name, key, .. } in settled {
            signs.insert((name, key), beginning(&key, length));
        }
        unsettled = ambiguous;
    }
    // Only two keys with the same fingerprint would get here, which practically cannot happen.
    for Bearer { name, key, .. } in unsettled {
        signs.insert((name, key), hex(&key));
    }
    signs
}

/// Splits bearers into those whose name, followed by `length` characters of the fingerprint, still looks like that of
/// another key, and the others.
fn partition_ambiguous(
    bearers: Vec<Bearer<'_>>,
    length: usize,
) -> (Vec<Bearer<'_>>, Vec<Bearer<'_>>) {
    let signs = bearers.iter().map(|bearer| match length {
        0 => String::new(),
        _ => skeletons(&beginning(&bearer.key, length)).concat(),
    });
    let signs: Vec<String> = signs.collect();
    // The only key with this skeleton and sign; `None` if there are several.
    let mut keys: LiteMap<(&SkeletonHash, &str), Option<PublicKey>> = LiteMap::new();
    for (bearer, sign) in bearers.iter().zip(&signs) {
        for skeleton in bearer.lookalike.hashes() {
            let only = keys.entry((skeleton, sign)).or_insert(Some(bearer.key));
            if *only != Some(bearer.key) {
                *only = None;
            }
        }
    }
    let is_ambiguous = bearers.iter().zip(&signs).map(|(bearer, sign)| {
        let mut skeletons = bearer.lookalike.hashes().iter();
        skeletons.any(|skeleton| keys.get(&(skeleton, sign.as_str())) == Some(&None))
    });
    let is_ambiguous: Vec<bool> = is_ambiguous.collect();
    let (mut ambiguous, mut others) = (Vec::new(), Vec::new());
    for (bearer, is_ambiguous) in bearers.into_iter().zip(is_ambiguous) {
        if is_ambiguous {
            ambiguous.push(bearer);
        } else {
            others.push(bearer);
        }
    }
    (ambiguous, others)
}

fn beginning(key: &PublicKey, length: usize) -> String {
    key.fingerprint().chars().take(length).collect()
}

fn hex(key: &PublicKey) -> String {
    key.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Numbers the tabs so that no two tabs of a key have the same number. A tab that claims the number of another one gets
/// the next free number, because nothing tells which of the two is right.
fn tab_numbers(everybody: &[Person]) -> LiteMap<PeerId, u32> {
    let tabs = everybody.iter().map(|person| {
        let tab = u32::from(person.tab.max(1));
        (person.key, tab, person.id)
    });
    let mut numbers = LiteMap::new();
    for tabs in sorted_by(tabs, Ord::cmp).chunk_by(|(one, ..), (other, ..)| one == other) {
        let is_claimed = |number: u32| {
            tabs.binary_search_by_key(&number, |(_, tab, _)| *tab)
                .is_ok()
        };
        let (mut last, mut free) = (0, 2);
        for (_, tab, id) in tabs {
            if *tab == last {
                while is_claimed(free) {
                    free += 1;
                }
                numbers.insert(*id, free);
                free += 1;
            } else {
                last = *tab;
                numbers.insert(*id, last);
            }
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    fn key(n: u8) -> PublicKey {
        PublicKey([n; 33])
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    /// The display names of people, given as key, name and tab; each has a peer id of its own.
    fn shown(people: &[(u8, &str, u16)]) -> Vec<String> {
        let names: Vec<Name> = people.iter().map(|(_, text, _)| name(text)).collect();
        let people: Vec<Person> = people
            .iter()
            .zip(&names)
            .enumerate()
            .map(|(at, ((n, _, tab), name))| Person {
                id: id(at),
                key: key(*n),
                name,
                tab: *tab,
            })
            .collect();
        let shown = DisplayNames::of(people.iter().copied());
        assert_eq!(shown.iter().count(), people.len());
        (0..people.len())
            .map(|at| shown.get(&id(at)).unwrap().to_owned())
            .collect()
    }

    fn id(at: usize) -> PeerId {
        PeerId([at as u8; 16])
    }

    fn sign(n: u8) -> String {
        key(n).fingerprint()[..4].to_owned()
    }

    #[test]
    fn a_name_that_nobody_else_has_is_shown_unchanged() {
        assert_eq!(
            shown(&[(1, "ann", 1), (2, "ben", 1), (2, "ben", 2), (3, "cleo", 3)]),
            ["ann", "ben", "ben(2)", "cleo(3)"]
        );
    }

    #[test]
    fn a_strangers_second_tab_never_passes_for_that_of_somebody_else() {
        assert_eq!(
            shown(&[(1, "ann", 1), (2, "ann", 2), (2, "ann", 3), (1, "ann", 2)]),
            [
                format!("ann ({})", sign(1)),
                format!("ann ({})(2)", sign(2)),
                format!("ann ({})(3)", sign(2)),
                format!("ann ({})(2)", sign(1)),
            ]
        );
    }

    #[test]
    fn names_that_look_alike_are_told_apart_like_equal_ones() {
        assert_eq!(
            shown(&[
                (1, "Ann", 1),
                (2, "\u{430}nn", 1),
                (3, "ａnn", 1),
                (4, "anna", 1)
            ]),
            [
                format!("Ann ({})", sign(1)),
                format!("\u{430}nn ({})", sign(2)),
                format!("ａnn ({})", sign(3)),
                "anna".to_owned(),
            ]
        );
    }

    #[test]
    fn two_tabs_that_claim_the_same_number_get_different_ones() {
        assert_eq!(
            shown(&[(1, "ann", 1), (1, "ann", 1), (1, "ann", 2), (1, "Ann", 0)]),
            ["ann", "ann(3)", "ann(2)", "Ann(4)"]
        );
    }

    /// Two keys whose fingerprints look alike in the first group of four.
    fn twins() -> (PublicKey, PublicKey) {
        let mut seen = BTreeMap::new();
        for n in 0..u32::MAX {
            let mut bytes = [2; 33];
            bytes[1..5].copy_from_slice(&n.to_be_bytes());
            let key = PublicKey(bytes);
            if let Some(other) = seen.insert(beginning(&key, 4), key) {
                return (other, key);
            }
        }
        unreachable!("there are a million beginnings")
    }

    #[test]
    fn keys_that_begin_alike_are_shown_with_more_characters() {
        let (one, two) = twins();
        let ann = name("ann");
        let person = |at: usize, key: PublicKey| Person {
            id: id(at),
            key,
            name: &ann,
            tab: 1,
        };
        let names = DisplayNames::of([person(0, one), person(1, two), person(2, key(3))]);
        for (at, key) in [(0, one), (1, two)] {
            let expected = format!("ann ({})", beginning(&key, 9));
            assert_eq!(names.get(&id(at)), Some(expected.as_str()));
        }
        assert_eq!(
            names.get(&id(2)),
            Some(format!("ann ({})", sign(3)).as_str())
        );
    }

    /// A few keys with few names, so that they clash in every way.
    fn people() -> impl Strategy<Value = Vec<(u8, &'static str, u16)>> {
        let names = [
            "ann",
            "Ann",
            "\u{430}nn",
            "ａnn",
            "anna",
            "a (b",
            "x :)",
            "lan",
            "Ian",
            "ΙΑΝ",
        ];
        let person = (0u8..5, prop::sample::select(names.to_vec()), 0u16..4);
        prop::collection::vec(person, 0..24)
    }

    proptest! {
        #[test]
        fn no_two_display_names_look_alike(people in people()) {
            let shown: Vec<Lookalike> = shown(&people).iter().map(|name| Lookalike::of(name)).collect();
            for (at, one) in shown.iter().enumerate() {
                for other in &shown[at + 1..] {
                    prop_assert!(!one.matches(other), "{:?} {:?}", one, other);
                }
            }
        }

        #[test]
        fn people_with_other_names_do_not_change_a_display_name(people in people()) {
            let before = shown(&people);
            let mut more = people.clone();
            more.extend([(9, "zoe", 1), (10, "yuri", 1), (10, "yuri", 2)]);
            prop_assert_eq!(&before[..], &shown(&more)[..people.len()]);
        }

        #[test]
        fn the_order_does_not_matter(people in people()) {
            let name = people.iter().map(|(_, text, _)| name(text)).collect::<Vec<_>>();
            let person = |at: usize| Person { id: id(at), key: key(people[at].0), name: &name[at], tab: people[at].2 };
            let forwards = DisplayNames::of((0..people.len()).map(person));
            prop_assert_eq!(forwards, DisplayNames::of((0..people.len()).rev().map(person)));
        }
    }
}
