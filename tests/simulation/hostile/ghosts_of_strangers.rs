//! Recorded words of a stranger who has left bring nobody back either, however many strangers came and went since.

use std::time::Duration;

use rtchat::identity::TrustBook;
use rtchat::room::{Event, PeopleEvent};
use rtchat::settings::Accept;
use rtchat::wire::{Body, DerivedTopic, Envelope};

use super::ghosts::{is_alone, replay};
use super::{Mallory, key, newest_connect};
use crate::scenes::SOON;
use crate::world::World;

/// A stranger comes, is there, and says goodbye. So do others afterwards, more than are remembered.
fn strangers_that_came_and_went(
    accept: Accept,
    word: impl Fn(&mut Mallory, &mut World) -> (DerivedTopic, Envelope),
) -> (World, usize, Vec<(DerivedTopic, Envelope)>) {
    let mut world = World::new(1);
    let ann = world.open_as("ann", key(1), accept, TrustBook::default());
    world.run(SOON);
    let mut cleo = Mallory::named(1, "cleo");
    let recorded = vec![word(&mut cleo, &mut world)];
    world.run(Duration::from_millis(100));
    let (sender, secret) = (cleo.id(), cleo.leave.clone());
    cleo.leave_with(&mut world, sender, secret);
    world.run(Duration::from_millis(100));
    replay(&mut world, &recorded);
    is_alone(&mut world, ann);
    for number in 0..400 {
        let mut stranger = Mallory::new(9_000 + number);
        let connect = stranger.connect(world.now);
        stranger.announce(&mut world, stranger.id(), connect);
        world.run(Duration::from_millis(45));
        let (sender, secret) = (stranger.id(), stranger.leave.clone());
        stranger.leave_with(&mut world, sender, secret);
    }
    world.run(SOON);
    (world, ann, recorded)
}

/// Our newest announcement is older than what was forgotten. Whoever comes now needs another one.
#[test]
fn the_person_is_asked_at_once_about_a_peer_that_comes_after_a_crowd() {
    let (mut world, ann, _) = strangers_that_came_and_went(Accept::Ask, |cleo, world| {
        let theirs = newest_connect(world, 0);
        cleo.knock(world, &theirs)
    });
    let before = world.nodes[ann].events.len();
    let dora = world.open_as("dora", key(2), Accept::Ask, TrustBook::default());
    world.run(SOON);
    for (at, since) in [(ann, before), (dora, 0)] {
        let asked = world.nodes[at].events[since..].iter();
        let asked = asked.filter(|event| matches!(event, Event::People(PeopleEvent::Request(_))));
        assert_eq!(asked.count(), 1);
    }
}

#[test]
fn a_recorded_offer_of_a_stranger_who_left_shows_nobody() {
    let (mut world, ann, recorded) =
        strangers_that_came_and_went(Accept::Everyone, |cleo, world| {
            let theirs = newest_connect(world, 0);
            let (inbox, offer) = cleo.offer(world.now, &theirs);
            cleo.send(world, inbox, &offer);
            (inbox, offer)
        });
    replay(&mut world, &recorded);
    is_alone(&mut world, ann);
}

#[test]
fn a_recorded_knock_of_a_stranger_who_left_asks_about_nobody() {
    let (mut world, ann, recorded) = strangers_that_came_and_went(Accept::Ask, |cleo, world| {
        let theirs = newest_connect(world, 0);
        cleo.knock(world, &theirs)
    });
    let before = world.nodes[ann].events.len();
    replay(&mut world, &recorded);
    let asked = world.nodes[ann].events[before..].iter();
    let asked = asked.filter(|event| matches!(event, Event::People(PeopleEvent::Request(_))));
    assert_eq!(asked.count(), 0);
    assert!(matches!(recorded[0].1.bodies[0], Body::Knock(_)));
}
