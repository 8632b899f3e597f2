//! Where the person is asked about everybody, strangers who choose their ids keep nobody from being asked about.

use std::time::Duration;

use rtchat::identity::{SessionKey, TrustBook};
use rtchat::room::{Command, Event, PeerView, PeopleCommand, PeopleEvent};
use rtchat::settings::Accept;

use super::{Mallory, key, newest_connect};
use crate::scenes::SOON;
use crate::world::World;

fn requests(world: &World, at: usize) -> Vec<PeerView> {
    let events = world.nodes[at].events.iter();
    let requests = events.filter_map(|event| match event {
        Event::People(PeopleEvent::Request(view)) => Some(view.clone()),
        _ => None,
    });
    requests.collect()
}

fn was_asked_about(world: &World, at: usize, name: &str) -> bool {
    let requests = requests(world, at);
    requests.iter().any(|view| view.name.as_str() == name)
}

fn open_asking(world: &mut World, name: &str, number: u64) -> usize {
    world.open_as(name, key(number), Accept::Ask, TrustBook::default())
}

/// Somebody whose peer id is smaller than most.
fn with_a_small_id(number: u64) -> Mallory {
    let mut mallory = Mallory::new(number);
    while mallory.id().0[0] > 7 {
        mallory.session = SessionKey::generate(&mut mallory.rng);
    }
    mallory
}

#[test]
fn small_peer_ids_do_not_decide_whom_the_person_is_asked_about_next() {
    let mut world = World::new(1);
    let ann = open_asking(&mut world, "ann", 1);
    world.run(SOON);
    let theirs = newest_connect(&world, ann);
    let mut number = 7_000;
    let mut come = |world: &mut World| {
        number += 1;
        with_a_small_id(number).knock(world, &theirs);
        world.run(Duration::from_millis(20));
    };
    (0..10).for_each(|_| come(&mut world));
    let mut honest = Mallory::named(1, "honest");
    while honest.id().0[0] < 128 {
        honest.session = SessionKey::generate(&mut honest.rng);
    }
    honest.knock(&mut world, &theirs);
    world.run(Duration::from_millis(100));
    // The person turns one after the other away, and each time another one comes. All of it takes less than a minute.
    let mut settled = 0;
    for _ in 0..60 {
        let open = requests(&world, ann);
        let Some(view) = open.get(settled) else { break };
        settled += 1;
        let (who, accept) = (view.shown(), false);
        world.command(ann, Command::People(PeopleCommand::Decide { who, accept }));
        come(&mut world);
        world.run(Duration::from_millis(500));
    }
    assert!(settled >= 50, "{settled}");
    assert!(was_asked_about(&world, ann, "honest"));
}
