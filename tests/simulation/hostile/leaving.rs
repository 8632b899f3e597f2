//! Leaving: revealing the secret of a session ends it, and nobody else can end it.

use std::time::Duration;

use rtchat::identity::TrustBook;
use rtchat::room::{Command, Event, GoneReason, PeopleCommand, PeopleEvent};
use rtchat::settings::Accept;
use rtchat::wire::connect::ConnectFields;
use rtchat::wire::{Body, BodyKind, Envelope, LeaveSecret, RoomId};

use super::{Mallory, key, newest_connect, overheard, still_talk};
use crate::scenes::{SOON, id, pair};
use crate::world::World;

const FORGED: &str = "an invalid signature";

/// The envelopes with which a tab of this world left, and their secrets.
fn farewells(world: &World) -> Vec<(Envelope, LeaveSecret)> {
    let all = overheard(world).into_iter();
    let farewells = all.filter_map(|(_, envelope)| match &envelope.bodies[0] {
        Body::Leave(secret) => Some((envelope.clone(), secret.clone())),
        _ => None,
    });
    farewells.collect()
}

fn gone(world: &World, at: usize) -> Vec<GoneReason> {
    let events = world.nodes[at].events.iter();
    let gone = events.filter_map(|event| match event {
        Event::People(PeopleEvent::Gone { reason, .. }) => Some(*reason),
        _ => None,
    });
    gone.collect()
}

#[test]
fn the_revealed_secret_ends_the_session_though_no_path_carries_a_word() {
    let (mut world, ann, ben) = pair();
    world.cut(ann, ben, true);
    world.leave(ben);
    world.run(Duration::from_millis(100));
    assert_eq!(gone(&world, ann), [GoneReason::Left]);
}

#[test]
fn the_secret_of_somebody_else_ends_no_session() {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.leave(cleo);
    world.run(SOON);
    let (_, secret) = farewells(&world).pop().unwrap();
    let theirs = id(&world, ben);
    let mut mallory = Mallory::new(1);
    mallory.leave_with(&mut world, theirs, secret);
    world.run(SOON);
    assert_eq!(world.dropped(ann, FORGED), 1);
    assert_eq!(gone(&world, ann), [GoneReason::Left], "cleo alone");
    still_talk(&mut world, ann, ben);
}

/// Brokers keep the order within a topic, but not between two.
#[test]
fn a_farewell_that_overtakes_its_sender_ends_the_session_even_so() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let (own, leave) = (mallory.id(), mallory.leave.clone());
    mallory.leave_with(&mut world, own, leave);
    world.run(Duration::from_millis(100));
    let theirs = newest_connect(&world, ann);
    mallory.send_offer(&mut world, &theirs);
    world.run(Duration::from_millis(100));
    assert_eq!(world.roster(ann).len(), 1, "ben alone");
    still_talk(&mut world, ann, ben);
}

#[test]
fn a_forged_farewell_that_comes_first_keeps_nobody_out() {
    let (mut world, ann, ben) = pair();
    let (mut mallory, mut cleo) = (Mallory::new(1), Mallory::new(2));
    let (id, secret) = (cleo.id(), mallory.leave.clone());
    mallory.leave_with(&mut world, id, secret);
    world.run(Duration::from_millis(100));
    let theirs = newest_connect(&world, ann);
    cleo.send_offer(&mut world, &theirs);
    world.run(Duration::from_millis(100));
    assert_eq!(world.roster(ann).len(), 2, "ben and cleo");
    still_talk(&mut world, ann, ben);
}

#[test]
fn a_secret_that_was_committed_to_for_another_room_or_peer_does_not_fit() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let (own, bens) = (mallory.id(), id(&world, ben));
    let room = *world.keys.id();
    let commitments = [
        mallory.leave.commitment(&RoomId([7; 32]), &own),
        mallory.leave.commitment(&room, &bens),
    ];
    for leave in commitments {
        let fields = ConnectFields {
            leave,
            ..mallory.fields(world.now)
        };
        let connect = mallory.sign(fields);
        mallory.announce(&mut world, own, connect);
        world.run(Duration::from_millis(100));
        mallory.leave_with(&mut world, own, mallory.leave.clone());
        world.run(Duration::from_millis(100));
    }
    assert_eq!(world.dropped(ann, FORGED), 2);
    still_talk(&mut world, ann, ben);
}

#[test]
fn leaving_one_person_reveals_nothing_to_the_others() {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    let disconnect = PeopleCommand::Disconnect(id(&world, ben));
    world.command(ann, Command::People(disconnect));
    world.run(SOON);
    assert_eq!(gone(&world, ben), [GoneReason::Left]);
    assert_eq!(farewells(&world), []);
    assert!(!world.roster(ann).contains_key("ben"));
    assert_eq!(gone(&world, cleo), []);
    assert_eq!(world.verified(cleo), 2);
}

#[test]
fn a_farewell_that_is_repeated_does_not_end_the_next_session() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    let first = world.open_as("ben", key(1), Accept::Everyone, TrustBook::default());
    assert!(world.run_until(SOON, World::is_full_mesh));
    let old = newest_connect(&world, first);
    world.leave(first);
    world.run(SOON);
    let second = world.open_as("ben", key(1), Accept::Everyone, TrustBook::default());
    assert!(world.run_until(SOON, World::is_full_mesh));
    let (farewell, secret) = farewells(&world).pop().unwrap();
    assert!(secret.opens(world.keys.id(), &old));
    let mut mallory = Mallory::new(1);
    let topic = world.keys.topic();
    mallory.send(&mut world, topic, &farewell);
    mallory.leave_with(&mut world, farewell.sender, secret.clone());
    let current = id(&world, second);
    mallory.leave_with(&mut world, current, secret);
    world.run(SOON);
    assert_eq!(world.dropped(ann, FORGED), 1);
    assert_eq!(gone(&world, ann), [GoneReason::Left], "only the first time");
    still_talk(&mut world, ann, second);
}

#[test]
fn only_a_farewell_reveals_the_secret() {
    let (mut world, ann, ben) = pair();
    world.run(Duration::from_secs(900));
    let kinds = overheard(&world).into_iter();
    let mut kinds = kinds.flat_map(|(_, its)| its.bodies.into_iter().map(|body| body.kind()));
    assert!(kinds.all(|kind| kind != BodyKind::Leave));
    still_talk(&mut world, ann, ben);
}
