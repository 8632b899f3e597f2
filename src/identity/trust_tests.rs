//! Tests of the trust book: trust, ownership of names, decisions, and forgetting when the book is full.

use proptest::prelude::*;

use super::*;
use crate::identity::{TrustChange, TrustDecision};

fn key(n: u16) -> PublicKey {
    let mut bytes = [2; 33];
    bytes[1..3].copy_from_slice(&n.to_be_bytes());
    PublicKey(bytes)
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn a_key_is_new_then_known_then_verified() {
    let mut book = TrustBook::default();
    let (alice, a) = (name("Alice"), key(1));
    assert_eq!(book.trust(&a, &alice), Trust::New);
    book.remember(&a, &alice, Millis(10));
    assert_eq!(book.trust(&a, &alice), Trust::Known);
    assert_eq!(
        book.trust(&a, &name("Alicia")),
        Trust::Known,
        "people may rename themselves"
    );
    book.verify(&a, &alice, Millis(20)).unwrap();
    assert_eq!(book.trust(&a, &alice), Trust::Verified);
    assert_eq!(
        book.get(&a).map(|known| (known.first, known.last)),
        Some((Millis(10), Millis(10)))
    );
}

#[test]
fn a_known_name_on_another_key_warns_until_the_person_decides() {
    let mut book = TrustBook::default();
    book.remember(&key(1), &name("Alice Doe"), Millis(10));
    let fake = name("  alice  DOE");
    assert_eq!(book.trust(&key(2), &fake), Trust::NameOnAnotherKey);
    assert_eq!(book.owner(&key(2), &fake), Some(key(1)));
    // Meeting the key changes nothing, and neither does meeting it with another name before.
    book.remember(&key(2), &name("bob"), Millis(20));
    book.remember(&key(2), &fake, Millis(20));
    assert_eq!(book.trust(&key(2), &fake), Trust::NameOnAnotherKey);
    assert_eq!(book.trust(&key(2), &name("bob")), Trust::Known);
    assert_eq!(
        book.trust(&key(1), &fake),
        Trust::Known,
        "the owner keeps the name"
    );
    book.accept_name(&key(2), &fake, Millis(30)).unwrap();
    assert_eq!(book.trust(&key(2), &fake), Trust::Known);
    assert_eq!(book.trust(&key(3), &fake), Trust::NameOnAnotherKey);
}

#[test]
fn a_blocked_key_owns_no_name() {
    let mut book = TrustBook::default();
    book.remember(&key(1), &name("Alice"), Millis(10));
    book.block(&key(1), true, Millis(11));
    assert!(book.is_blocked(&key(1)));
    assert_eq!(book.trust(&key(2), &name("alice")), Trust::New);
    book.block(&key(1), false, Millis(12));
    assert_eq!(book.trust(&key(2), &name("alice")), Trust::NameOnAnotherKey);
}

#[test]
fn the_book_is_bounded_and_forgets_strangers_first() {
    let mut book = TrustBook::default();
    book.verify(&key(0), &name("friend"), Millis(0)).unwrap();
    book.block(&key(1), true, Millis(0));
    for n in 2..700 {
        book.remember(&key(n), &name(&format!("n{n}")), Millis(u64::from(n)));
    }
    assert_eq!(book.len(), MAX_ENTRIES);
    assert!(book.get(&key(0)).is_some() && book.is_blocked(&key(1)));
    assert!(book.get(&key(2)).is_none() && book.get(&key(699)).is_some());
    for n in 0..20 {
        book.remember(&key(699), &name(&format!("alias {n}")), Millis(1_000));
    }
    assert_eq!(
        book.get(&key(699)).map(|known| known.names().count()),
        Some(MAX_NAMES)
    );
    assert_eq!(TrustBook::from_text(&book.to_text()).as_ref(), Ok(&book));
}

#[test]
fn an_unreadable_book_is_refused_as_a_whole() {
    let mut book = TrustBook::default();
    book.remember(&key(1), &name("ann"), Millis(7));
    let text = book.to_text();
    let (head, line) = text.split_once('\n').unwrap();
    assert_eq!(
        (head, line.split_once('\t').unwrap().1),
        ("1", "7\t7\t1\t-\t-\t7 7 - ann")
    );
    assert_eq!(TrustBook::from_text("2\nwhatever"), Err(TrustError::Newer));
    for damaged in [
        "",
        "[]",
        "1\n\n",
        "1\n??\t7\t7\t1\t-\t-",
        &text[..50],
        &text.replace("-\t-", "0"),
        &text.replace("-\t-", "-\tblocked"),
        &text.replace("7 7 -", "7 7"),
    ] {
        assert_eq!(
            TrustBook::from_text(damaged),
            Err(TrustError::Damaged),
            "{damaged:?}"
        );
    }
}

proptest! {
    #[test]
    fn a_name_never_has_two_owners(moves in proptest::collection::vec((0u16..5, 0usize..3), 0..40)) {
        let names = ["ann", "ben", "cleo"].map(name);
        let mut book = TrustBook::default();
        for (at, (n, which)) in moves.into_iter().enumerate() {
            book.remember(&key(n), &names[which], Millis(at as u64));
        }
        for name in &names {
            let holders = book.iter().filter(|(_, known)| known.claim(&name.lookalike()).is_some()).count();
            prop_assert!(holders <= 1);
        }
        prop_assert_eq!(TrustBook::from_text(&book.to_text()), Ok(book));
    }

    #[test]
    fn reading_any_stored_text_does_not_panic(text in any::<String>()) {
        let _ = TrustBook::from_text(&text);
    }

    #[test]
    fn merging_works_in_any_order_and_loses_nothing(
        (a, b, c) in (moves(), moves(), moves()),
    ) {
        let [a, b, c] = [a, b, c].map(|moves| book(&moves));
        let both = a.merge(&b);
        prop_assert_eq!(&both, &b.merge(&a));
        prop_assert_eq!(&both.merge(&both), &both);
        prop_assert_eq!(&both.merge(&a), &both);
        prop_assert_eq!(both.merge(&c), a.merge(&b.merge(&c)));
        prop_assert_eq!(TrustBook::from_text(&both.to_text()), Ok(both.clone()));
        for (key, entry) in a.iter().chain(b.iter()) {
            let merged = both.get(key).unwrap();
            prop_assert!(merged.is_verified() || !entry.is_verified());
            prop_assert!(merged.first <= entry.first && merged.last >= entry.last);
        }
    }

    #[test]
    fn the_later_decision_about_a_block_counts(
        (before, after) in (moves(), moves()), n in 0u16..3, block: bool,
    ) {
        let (mut early, mut late) = (book(&before), book(&after));
        let decide = |book: &mut TrustBook, what, at| {
            let change = TrustChange { key: key(n), name: name("ann"), at: Millis(at), what };
            book.apply(&change).unwrap();
        };
        let what = |block| if block { TrustDecision::Blocked } else { TrustDecision::Unblocked };
        decide(&mut early, what(!block), 1_000);
        // A decision that changes nothing is not recorded, so make sure that this one changes something.
        decide(&mut late, what(!block), 1_500);
        decide(&mut late, what(block), 2_000);
        prop_assert_eq!(early.merge(&late).is_blocked(&key(n)), block);
        prop_assert_eq!(late.merge(&early).is_blocked(&key(n)), block);
    }
}

/// Meetings and decisions: the key, the name, the kind, and the time.
fn moves() -> impl Strategy<Value = Vec<(u16, usize, u8, u64)>> {
    prop::collection::vec((0u16..3, 0usize..3, 0u8..5, 0u64..500), 0..12)
}

fn book(moves: &[(u16, usize, u8, u64)]) -> TrustBook {
    let mut book = TrustBook::default();
    for (n, which, what, at) in moves {
        let what = [
            TrustDecision::Met,
            TrustDecision::NameAccepted,
            TrustDecision::Compared,
            TrustDecision::Blocked,
            TrustDecision::Unblocked,
        ][usize::from(*what)];
        book.note(&TrustChange {
            key: key(*n),
            name: name(["ann", "\u{430}nn", "ben"][*which]),
            at: Millis(*at),
            what,
        });
    }
    book
}

const DAY: u64 = 24 * 60 * 60 * 1000;

#[test]
fn strangers_make_room_for_strangers() {
    let mut book = TrustBook::default();
    let alice = name("alice");
    for day in 0..100 {
        book.remember(&key(0), &alice, Millis(day * DAY));
    }
    // Met on two days, and met once for two hours.
    for at in [0, DAY] {
        book.remember(&key(1), &name("ben"), Millis(at));
    }
    for at in [0, 2 * 60 * 60 * 1000] {
        book.remember(&key(2), &name("cleo"), Millis(at));
    }
    book.block(&key(3), true, Millis(0));
    book.accept_name(&key(4), &name("dora"), Millis(0)).unwrap();
    for n in 0..2_000 {
        book.remember(
            &key(100 + n),
            &name(&format!("guest {n}")),
            Millis(101 * DAY + u64::from(n)),
        );
    }
    assert_eq!(book.len(), MAX_ENTRIES);
    for n in 0..5 {
        assert!(book.get(&key(n)).is_some(), "{n}");
    }
    assert_eq!(book.trust(&key(9), &alice), Trust::NameOnAnotherKey);
    assert!(book.get(&key(100)).is_none() && book.get(&key(2_099)).is_some());
}

#[test]
fn many_short_acquaintances_do_not_push_out_a_long_one() {
    let mut book = TrustBook::default();
    for day in 0..100 {
        book.remember(&key(0), &name("alice"), Millis(day * DAY));
    }
    for day in 101..110 {
        for n in 0..1_000 {
            book.remember(
                &key(100 + n),
                &name(&format!("guest {n}")),
                Millis(day * DAY),
            );
        }
    }
    assert_eq!(book.len(), MAX_ENTRIES);
    assert_eq!(book.trust(&key(0), &name("alice")), Trust::Known);
}

#[test]
fn somebody_new_can_become_familiar_in_a_full_book() {
    let mut book = TrustBook::default();
    for n in 0..600 {
        for day in 0..4 {
            book.remember(&key(100 + n), &name(&format!("old {n}")), Millis(day * DAY));
        }
    }
    for day in 5..10 {
        for n in 0..20 {
            book.remember(&key(n), &name(&format!("new {n}")), Millis(day * DAY));
        }
    }
    assert_eq!(book.len(), MAX_ENTRIES);
    for n in 0..20 {
        assert_eq!(
            book.trust(&key(n), &name(&format!("new {n}"))),
            Trust::Known
        );
    }
}

#[test]
fn decisions_are_bounded_and_leave_room_for_others() {
    let mut book = TrustBook::default();
    for n in 0..1_000 {
        book.block(&key(n), true, Millis(u64::from(n)));
        book.remember(
            &key(2_000 + n),
            &name(&format!("guest {n}")),
            Millis(u64::from(n)),
        );
    }
    book.verify(&key(5_000), &name("ann"), Millis(0)).unwrap();
    assert_eq!(book.len(), MAX_ENTRIES);
    let blocked = book.iter().filter(|(_, entry)| entry.is_blocked()).count();
    assert_eq!(blocked, MAX_DECIDED - 1);
    assert!(book.is_blocked(&key(999)) && !book.is_blocked(&key(0)));
}

#[test]
fn a_name_that_looks_like_a_known_one_warns() {
    let mut book = TrustBook::default();
    book.remember(&key(1), &name("alice"), Millis(1));
    book.remember(&key(1), &name("Zo\u{eb}"), Millis(2));
    for fake in [
        "\u{430}lice",
        "ali\u{307}ce",
        "ＡＬＩＣＥ",
        "AIice",
        "Zoe\u{308}",
    ] {
        assert_eq!(
            book.trust(&key(2), &name(fake)),
            Trust::NameOnAnotherKey,
            "{fake}"
        );
        book.remember(&key(2), &name(fake), Millis(3));
        assert_eq!(
            book.trust(&key(2), &name(fake)),
            Trust::NameOnAnotherKey,
            "{fake}"
        );
    }
}

#[test]
fn ones_own_name_on_another_key_warns_until_it_is_accepted() {
    let mut book = TrustBook::default();
    let (own, ann) = (key(1), name("ann"));
    let trust = |book: &TrustBook, of: PublicKey, text: &str| {
        book.trust_beside((&own, &ann), &of, &name(text))
    };
    assert_eq!(trust(&book, key(2), "\u{430}nn"), Trust::NameOnAnotherKey);
    book.remember(&key(2), &name("ann"), Millis(1));
    assert_eq!(trust(&book, key(2), "ann"), Trust::NameOnAnotherKey);
    assert_eq!(trust(&book, key(2), "anna"), Trust::Known);
    assert_eq!(
        trust(&book, own, "ann"),
        Trust::Known,
        "a second tab of one's own"
    );
    book.accept_name(&key(2), &ann, Millis(2)).unwrap();
    assert_eq!(trust(&book, key(2), "ann"), Trust::Known);
    assert_eq!(trust(&book, key(3), "ann"), Trust::NameOnAnotherKey);
}

#[test]
fn two_tabs_that_meet_two_keys_under_one_name_keep_one_owner() {
    let (mut one, mut other) = (TrustBook::default(), TrustBook::default());
    one.remember(&key(1), &name("ann"), Millis(2));
    other.remember(&key(2), &name("ann"), Millis(1));
    let merged = one.merge(&other);
    assert_eq!(merged.trust(&key(2), &name("ann")), Trust::Known);
    assert_eq!(merged.trust(&key(1), &name("ann")), Trust::NameOnAnotherKey);
}

#[test]
fn a_decision_about_a_blocked_key_is_refused_and_not_taken_for_an_unblock() {
    let mut book = TrustBook::default();
    book.block(&key(1), true, Millis(5));
    let before = book.clone();
    for what in [TrustDecision::NameAccepted, TrustDecision::Compared] {
        let change = TrustChange {
            key: key(1),
            name: name("ann"),
            at: Millis(9),
            what,
        };
        assert_eq!(book.apply(&change), Err(DecisionError::Blocked));
    }
    assert_eq!(book, before);
}

#[test]
fn a_decision_counts_although_the_clock_was_set_back() {
    let mut book = TrustBook::default();
    book.block(&key(1), true, Millis(1_000));
    let stored = book.clone();
    book.block(&key(1), false, Millis(10));
    assert!(!book.is_blocked(&key(1)));
    assert!(!stored.merge(&book).is_blocked(&key(1)));
}
