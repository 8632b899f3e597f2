//! Decisions of the person are about the key and the name that were shown, and nothing else.

use std::time::Duration;

use rtchat::identity::{Name, Trust, TrustBook, TrustDecision};
use rtchat::room::{Command, Event, PeerView, PeopleCommand, PeopleEvent, Shown};
use rtchat::settings::Accept;

use super::{Mallory, book_of, key, newest_connect};
use crate::scenes::{SOON, id, shown};
use crate::world::World;

/// Ann has met a zed and compared numbers with an alice. Somebody else with the name zed is here.
fn ann_and_a_zed() -> (World, usize, usize) {
    let mut world = World::new(1);
    let book = book_of(&[
        (key(1).public(), "zed", TrustDecision::Met),
        (key(2).public(), "alice", TrustDecision::Compared),
    ]);
    let ann = world.open_as("ann", key(3), Accept::Everyone, book);
    let mallory = world.open("zed");
    assert!(world.run_until(SOON, World::is_full_mesh));
    (world, ann, mallory)
}

fn refusals(world: &World, at: usize) -> usize {
    let events = world.nodes[at].events.iter();
    events
        .filter(|event| matches!(event, Event::Refused(_)))
        .count()
}

fn last_view(world: &World, at: usize, other: usize) -> PeerView {
    let other = id(world, other);
    let events = world.nodes[at].events.iter().rev();
    let mut views = events.filter_map(|event| match event {
        Event::People(PeopleEvent::Changed(view)) if view.id == other => Some(view.clone()),
        _ => None,
    });
    views.next().unwrap()
}

fn rename(world: &mut World, at: usize, name: &str) {
    world.command(at, Command::Rename(Name::parse(name).unwrap()));
    world.run(Duration::from_secs(1));
}

fn decide(world: &mut World, at: usize, command: PeopleCommand) {
    world.command(at, Command::People(command));
    world.run(Duration::from_secs(1));
}

#[test]
fn a_peer_gains_nothing_by_changing_its_name_between_the_warning_and_the_click() {
    for command in [PeopleCommand::AcceptKey, PeopleCommand::MarkVerified] {
        let (mut world, ann, mallory) = ann_and_a_zed();
        let seen = shown(&world, ann, mallory);
        assert_eq!(
            last_view(&world, ann, mallory).trust,
            Trust::NameOnAnotherKey
        );
        rename(&mut world, mallory, "alice");
        let before = world.nodes[ann].trust_changes.clone();
        decide(&mut world, ann, command(seen));
        assert_eq!(refusals(&world, ann), 1);
        assert_eq!(world.nodes[ann].trust_changes, before);
        assert_eq!(
            last_view(&world, ann, mallory).trust,
            Trust::NameOnAnotherKey
        );
        // The name that is shown now can be decided on.
        rename(&mut world, mallory, "zed");
        let seen = shown(&world, ann, mallory);
        decide(&mut world, ann, command(seen));
        assert_eq!(refusals(&world, ann), 1);
        let made = &world.nodes[ann].trust_changes[before.len()..];
        assert!(made[0].key == world.nodes[mallory].room.key());
    }
}

#[test]
fn a_decision_about_another_key_is_refused() {
    for command in [
        PeopleCommand::AcceptKey,
        PeopleCommand::MarkVerified,
        PeopleCommand::Block,
    ] {
        let (mut world, ann, mallory) = ann_and_a_zed();
        let before = world.nodes[ann].trust_changes.clone();
        let other = Shown {
            key: key(9).public(),
            ..shown(&world, ann, mallory)
        };
        decide(&mut world, ann, command(other));
        assert_eq!(refusals(&world, ann), 1);
        assert_eq!(world.nodes[ann].trust_changes, before);
        assert!(world.is_full_mesh());
    }
}

#[test]
fn a_name_that_was_accepted_on_a_key_does_not_cover_another_name() {
    let (mut world, ann, mallory) = ann_and_a_zed();
    let seen = shown(&world, ann, mallory);
    decide(&mut world, ann, PeopleCommand::AcceptKey(seen));
    assert_eq!(last_view(&world, ann, mallory).trust, Trust::Known);
    rename(&mut world, mallory, "alice");
    assert_eq!(
        last_view(&world, ann, mallory).trust,
        Trust::NameOnAnotherKey
    );
}

#[test]
fn the_same_person_in_a_new_browser_is_known_there_and_as_before() {
    let mut world = World::new(1);
    let open = |world: &mut World, name: &str, number| {
        world.open_as(name, key(number), Accept::Everyone, TrustBook::default())
    };
    let ann = open(&mut world, "ann", 1);
    let first = open(&mut world, "alice", 2);
    assert!(world.run_until(SOON, World::is_full_mesh));
    let second = open(&mut world, "alice", 3);
    assert!(world.run_until(SOON, World::is_full_mesh));
    let trust = |world: &World, other| last_view(world, ann, other).trust;
    assert_eq!(trust(&world, first), Trust::New);
    assert_eq!(trust(&world, second), Trust::NameOnAnotherKey);
    let seen = shown(&world, ann, second);
    decide(&mut world, ann, PeopleCommand::AcceptKey(seen));
    assert_eq!(trust(&world, first), Trust::Known);
    assert_eq!(trust(&world, second), Trust::Known);
    // So it is in the book that the next visit reads.
    let mut book = TrustBook::default();
    for change in &world.nodes[ann].trust_changes {
        book.note(change);
    }
    for number in [2, 3] {
        let alice = Name::parse("alice").unwrap();
        assert_eq!(book.trust(&key(number).public(), &alice), Trust::Known);
    }
}

type Answer = fn(Shown) -> PeopleCommand;

/// What each answer to the warning does to the newcomer, and to the person whom Ann met first by that name.
#[test]
fn no_answer_to_the_warning_makes_the_first_one_doubtful() {
    let alice = Name::parse("alice").unwrap();
    let answers: [(Option<Answer>, Trust); 4] = [
        // *Different person* decides nothing about keys.
        (None, Trust::NameOnAnotherKey),
        (Some(PeopleCommand::AcceptKey), Trust::Known),
        (Some(PeopleCommand::MarkVerified), Trust::Verified),
        (Some(PeopleCommand::Block), Trust::Known),
    ];
    for (answer, newcomers) in answers {
        for (before, first_is) in [
            (None, Trust::New),
            (Some(TrustDecision::Met), Trust::Known),
            (Some(TrustDecision::Compared), Trust::Verified),
        ] {
            let mut world = World::new(1);
            let met = before.map(|what| (key(2).public(), "alice", what));
            let book = book_of(met.as_slice());
            let ann = world.open_as("ann", key(1), Accept::Everyone, book);
            let first = world.open_as("alice", key(2), Accept::Everyone, TrustBook::default());
            assert!(world.run_until(SOON, World::is_full_mesh));
            let second = world.open_as("alice", key(3), Accept::Everyone, TrustBook::default());
            assert!(world.run_until(SOON, World::is_full_mesh));
            let doubtful = last_view(&world, ann, second).trust;
            assert_eq!(doubtful, Trust::NameOnAnotherKey);
            let seen = shown(&world, ann, second);
            if let Some(answer) = answer {
                decide(&mut world, ann, answer(seen.clone()));
            }
            let case = format!("{before:?}, {newcomers:?}");
            let trust = last_view(&world, ann, first).trust;
            // Whoever was new a moment ago may be known after a decision about their name.
            let expected = [
                first_is,
                if first_is == Trust::New {
                    Trust::Known
                } else {
                    first_is
                },
            ];
            assert!(expected.contains(&trust), "{case}: {trust:?}");
            let blocked =
                answer.is_some_and(|answer| matches!(answer(seen), PeopleCommand::Block(_)));
            if blocked {
                assert_eq!(world.verified(ann), 1, "{case}");
            } else {
                assert_eq!(last_view(&world, ann, second).trust, newcomers, "{case}");
            }
            // So it is on the next visit.
            let mut book = book_of(met.as_slice());
            for change in &world.nodes[ann].trust_changes {
                book.note(change);
            }
            let later = book.trust(&key(2).public(), &alice);
            assert_eq!(
                later,
                if first_is == Trust::Verified {
                    first_is
                } else {
                    Trust::Known
                },
                "{case}"
            );
            assert_eq!(book.is_blocked(&key(3).public()), blocked, "{case}");
            assert!(!book.is_blocked(&key(2).public()), "{case}");
            if !blocked {
                assert_eq!(book.trust(&key(3).public(), &alice), newcomers, "{case}");
            }
        }
    }
}

#[test]
fn a_key_can_be_accepted_after_its_peer_has_gone() {
    let (mut world, ann, zed) = ann_and_a_zed();
    let seen = shown(&world, ann, zed);
    world.leave(zed);
    world.run(SOON);
    decide(&mut world, ann, PeopleCommand::MarkVerified(seen.clone()));
    decide(&mut world, ann, PeopleCommand::AcceptKey(seen.clone()));
    assert_eq!(refusals(&world, ann), 0);
    let mut made = world.nodes[ann].trust_changes.iter();
    assert!(!made.any(|change| change.what == TrustDecision::Compared));
    let mut made = world.nodes[ann].trust_changes.iter();
    assert!(
        made.any(|change| change.key == seen.key && change.what == TrustDecision::NameAccepted)
    );
}

#[test]
fn a_stranger_stays_new_under_whatever_name() {
    let (mut world, ann, mallory) = ann_and_a_zed();
    for (name, trust) in [
        ("somebody", Trust::New),
        ("alice", Trust::NameOnAnotherKey),
        ("mallory", Trust::New),
    ] {
        rename(&mut world, mallory, name);
        assert_eq!(last_view(&world, ann, mallory).trust, trust, "as {name}");
    }
}

#[test]
fn a_change_of_name_does_not_protect_from_being_blocked() {
    let (mut world, ann, mallory) = ann_and_a_zed();
    let seen = shown(&world, ann, mallory);
    rename(&mut world, mallory, "alice");
    decide(&mut world, ann, PeopleCommand::Block(seen));
    assert_eq!(refusals(&world, ann), 0);
    let change = world.nodes[ann].trust_changes.last().unwrap();
    assert_eq!(change.what, TrustDecision::Blocked);
    assert_eq!(change.key, world.nodes[mallory].room.key());
    world.run(Duration::from_secs(60));
    assert_eq!(world.verified(ann), 0);
}

/// The people that a tab was asked about, in their order.
fn requests(world: &World, at: usize) -> Vec<PeerView> {
    let events = world.nodes[at].events.iter();
    let requests = events.filter_map(|event| match event {
        Event::People(PeopleEvent::Request(view)) => Some(view.clone()),
        _ => None,
    });
    requests.collect()
}

/// Ann, who is asked about strangers, was asked about a zed who has changed its name to alice since.
fn asked_about_a_zed() -> (World, usize) {
    let mut world = World::new(1);
    let book = book_of(&[(key(2).public(), "alice", TrustDecision::Compared)]);
    let ann = world.open_as("ann", key(3), Accept::Ask, book);
    world.run(SOON);
    let mut mallory = Mallory::named(1, "zed");
    let theirs = newest_connect(&world, ann);
    mallory.knock(&mut world, &theirs);
    world.run(Duration::from_secs(1));
    assert_eq!(requests(&world, ann).len(), 1);
    mallory.name = Name::parse("alice").unwrap();
    mallory.connect(world.now);
    mallory.knock(&mut world, &theirs);
    world.run(Duration::from_secs(1));
    (world, ann)
}

#[test]
fn a_peer_that_changes_its_name_while_the_person_is_asked_is_not_let_in_by_the_old_one() {
    let (mut world, ann) = asked_about_a_zed();
    let who = requests(&world, ann)[0].shown();
    let published = world.published.len();
    let accept = true;
    decide(&mut world, ann, PeopleCommand::Decide { who, accept });
    assert_eq!(refusals(&world, ann), 1);
    assert_eq!(world.published.len(), published, "nothing is sent");
    assert_eq!(world.connections(ann), 0);
    // The person is shown the current name and the trust in it, and can decide on that.
    let asked = requests(&world, ann).pop().unwrap();
    assert_eq!(asked.name.as_str(), "alice");
    assert_eq!(asked.trust, Trust::NameOnAnotherKey);
    let who = asked.shown();
    decide(&mut world, ann, PeopleCommand::Decide { who, accept });
    assert_eq!(refusals(&world, ann), 1);
    assert!(world.connections(ann) > 0);
}

#[test]
fn a_peer_that_changes_its_name_while_the_person_is_asked_can_still_be_turned_away() {
    let (mut world, ann) = asked_about_a_zed();
    let who = requests(&world, ann)[0].shown();
    let accept = false;
    decide(&mut world, ann, PeopleCommand::Decide { who, accept });
    world.run(Duration::from_secs(60));
    assert_eq!(refusals(&world, ann), 0);
    assert_eq!(world.connections(ann), 0);
}

#[test]
fn a_tab_number_does_not_pass_for_somebody_elses_second_tab() {
    let mut world = World::new(1);
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    world.next_tab = 2;
    let mallory = world.open_as("ann", key(1), Accept::Everyone, TrustBook::default());
    assert!(world.run_until(SOON, World::is_full_mesh));
    let roster = world.roster(ben);
    assert_eq!(roster.len(), 2, "{roster:?}");
    for user in roster.keys() {
        let folded = user.to_lowercase();
        assert!(folded != "ann(2)" && folded != "ann", "{roster:?}");
    }
    // Ann is told that somebody uses her name.
    assert_eq!(
        last_view(&world, ann, mallory).trust,
        Trust::NameOnAnotherKey
    );
    assert_ne!(last_view(&world, ann, mallory).user, "ann(2)");
    // Only her own second tab has that name.
    let mut world = World::new(1);
    let _ann = world.open_as("ann", key(2), Accept::Everyone, TrustBook::default());
    let ben = world.open("ben");
    world.next_tab = 2;
    world.open_as("ann", key(2), Accept::Everyone, TrustBook::default());
    assert!(world.run_until(SOON, World::is_full_mesh));
    let users: Vec<String> = world.roster(ben).into_keys().collect();
    assert_eq!(users, ["ann", "ann(2)"]);
}
