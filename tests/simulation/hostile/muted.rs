//! Who breaks the limits is told of once and counted; who floods is muted, costs little, and can be heard again.

use std::time::Duration;

use rtchat::room::{Command, Event, PeopleCommand, PeopleEvent};
use rtchat::rtc::LinkEvent;

use crate::conversations::texts;
use crate::scenes::{MINUTE, SOON, id, pair};
use crate::world::World;

/// The reports of what could not be read of a peer.
fn unreadable(world: &World, at: usize, other: usize) -> Vec<u32> {
    let other = id(world, other);
    let events = world.nodes[at].events.iter();
    let counts = events.filter_map(|event| match event {
        Event::People(PeopleEvent::Unreadable { peer, count }) if *peer == other => Some(*count),
        _ => None,
    });
    counts.collect()
}

fn is_muted(world: &World, at: usize, other: usize) -> bool {
    let other = id(world, other);
    let events = world.nodes[at].events.iter().rev();
    let mut views = events.filter_map(|event| match event {
        Event::People(PeopleEvent::Changed(view)) if view.id == other => Some(view.muted),
        _ => None,
    });
    views.next().unwrap_or_default()
}

fn listen(world: &mut World, at: usize, other: usize) {
    let peer = id(world, other);
    world.command(at, Command::People(PeopleCommand::Listen(peer)));
    world.run(SOON);
}

fn inject(world: &mut World, from: usize, to: usize, count: usize, frame: &str) {
    for _ in 0..count {
        world.inject(from, to, LinkEvent::Text(frame.to_owned()));
    }
    world.run(Duration::from_millis(50));
}

#[test]
fn what_cannot_be_read_is_told_together() {
    let (mut world, ann, ben) = pair();
    for _ in 0..100 {
        inject(&mut world, ben, ann, 1, "{");
    }
    world.run(SOON);
    let told = unreadable(&world, ann, ben);
    assert_eq!(told.iter().sum::<u32>(), 100, "{told:?}");
    assert!(told.len() <= 10, "at most once a second: {told:?}");
    assert!(!is_muted(&world, ann, ben));
    assert_eq!(unreadable(&world, ben, ann), [0; 0]);
    // A frame of a later version is no mistake.
    inject(&mut world, ben, ann, 9, r#"{"k":"dance"}"#);
    world.run(SOON);
    assert_eq!(unreadable(&world, ann, ben), told);
}

#[test]
fn a_message_that_is_too_long_is_told_of_and_not_shown() {
    let (mut world, ann, ben) = pair();
    let long = super::entries::too_long(&world, ben);
    world.inject(ben, ann, long);
    world.run(SOON);
    assert_eq!(unreadable(&world, ann, ben), [1]);
    assert_eq!(texts(&world, ann), [""; 0]);
}

#[test]
fn whoever_floods_is_muted_until_they_are_listened_to_again() {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    for _ in 0..20 {
        inject(&mut world, ben, ann, 100, "{");
    }
    assert!(is_muted(&world, ann, ben) && !is_muted(&world, ann, cleo));
    assert!(!is_muted(&world, cleo, ben), "cleo was not bothered");
    let told: u32 = unreadable(&world, ann, ben).iter().sum();
    assert!(told < 1_000, "{told} of 2,000: the rest was not looked at");
    // What a muted peer says is not shown, and its connection lasts.
    world.say(ben, "anything");
    world.run(SOON);
    world.say(cleo, "something");
    world.run(2 * MINUTE);
    assert_eq!(texts(&world, ann), ["something"]);
    assert!(world.is_full_mesh());
    // Whoever is listened to again is not lost a word.
    listen(&mut world, ann, ben);
    assert!(!is_muted(&world, ann, ben));
    world.say(ben, "and more");
    world.run(SOON);
    assert_eq!(texts(&world, ann), ["anything", "something", "and more"]);
    // The next flood is one again.
    for _ in 0..20 {
        inject(&mut world, ben, ann, 100, "{");
    }
    assert!(is_muted(&world, ann, ben));
}

#[test]
fn a_flood_of_messages_mutes_too_and_their_author_begins_anew_with_the_next_link() {
    let (mut world, ann, ben) = pair();
    for number in 0..6_000 {
        world.say(ben, &format!("{number}"));
    }
    world.run(SOON);
    assert!(is_muted(&world, ann, ben));
    assert_eq!(
        unreadable(&world, ann, ben),
        [0; 0],
        "all of them were readable"
    );
    world.leave(ben);
    world.run(SOON);
    let identity = world.nodes[ben].identity.clone();
    let back = world.open_as("ben", identity, Default::default(), Default::default());
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    assert!(!is_muted(&world, ann, back));
    world.say(back, "I am sorry");
    world.run(SOON);
    assert!(
        world
            .heard(ann)
            .contains(&("ben".into(), "I am sorry".into()))
    );
}

#[test]
fn nobody_is_muted_for_what_others_did() {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    // Ben's forgeries wait to be checked while cleo talks.
    for number in 0..60 {
        let forged = super::entries::badly_signed(&world, ben, number);
        world.inject(ben, ann, forged);
        world.say(cleo, &format!("word {number}"));
    }
    world.run(SOON);
    assert_eq!(unreadable(&world, ann, cleo), [0; 0]);
    let told: u32 = unreadable(&world, ann, ben).iter().sum();
    assert_eq!(told, 60);
    assert_eq!(world.heard(ann).len(), 60);
}
