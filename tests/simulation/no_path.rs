//! Two networks that let no direct connection through: people are told, and what is said to each other waits.

use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rtchat::identity::{IdentityKey, TrustBook};
use rtchat::room::{ChatEvent, Command, Event, PeerState, PeopleCommand, PeopleEvent, Status};

use rtchat::settings::Accept;

use crate::scenes::{MINUTE, SOON, id};
use crate::world::World;

/// Two people in one room, between whom there is no path.
fn apart(seed: u64) -> (World, usize, usize) {
    let mut world = World::new(seed);
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    world.cut(ann, ben, true);
    (world, ann, ben)
}

/// The state of the other peer, as the last event told it.
fn state(world: &World, at: usize) -> Option<PeerState> {
    let mut events = world.nodes[at].events.iter().rev();
    events.find_map(|event| match event {
        Event::People(PeopleEvent::Changed(peer)) => Some(peer.state),
        _ => None,
    })
}

/// To how many people the last message was sent, how many have it, and how many it is meant for.
fn delivery(world: &World, at: usize) -> Option<(u32, u32, u32)> {
    let mut events = world.nodes[at].events.iter().rev();
    events.find_map(|event| match event {
        Event::Chat(ChatEvent::Delivery {
            sent,
            delivered,
            of,
            ..
        }) => Some((*sent, *delivered, *of)),
        _ => None,
    })
}

#[test]
fn people_are_told_after_ten_seconds_that_there_is_no_path() {
    for seed in 0..8 {
        let (mut world, ann, ben) = apart(seed);
        world.run(Duration::from_secs(8));
        assert_eq!(state(&world, ann), Some(PeerState::Connecting), "{seed}");
        world.run(Duration::from_secs(5));
        // It stays like this, however often it is tried.
        for _ in 0..10 {
            for at in [ann, ben] {
                assert_eq!(state(&world, at), Some(PeerState::NoPath), "{seed}");
                let (people, unreached) = (0, 1);
                let status = Some(Status::NoPath { people, unreached });
                assert_eq!(world.status(at), status, "{seed}");
            }
            world.run(Duration::from_secs(20));
        }
    }
}

#[test]
fn a_message_waits_until_there_is_a_path_and_then_arrives_once() {
    for seed in 0..8 {
        let (mut world, ann, ben) = apart(seed);
        world.run(Duration::from_secs(15));
        world.say(ann, "can you hear me?");
        assert_eq!(delivery(&world, ann), Some((0, 0, 1)), "{seed}");
        world.run(MINUTE);
        assert_eq!(delivery(&world, ann), Some((0, 0, 1)), "{seed}");
        world.cut(ann, ben, false);
        let peer = id(&world, ben);
        world.command(ann, Command::People(PeopleCommand::Retry(peer)));
        // An attempt may be under way, which has to fail first.
        let limit = Duration::from_secs(30);
        assert!(world.run_until(limit, World::is_full_mesh), "{seed}");
        world.run(SOON);
        assert_eq!(delivery(&world, ann), Some((1, 1, 1)), "{seed}");
        assert_eq!(world.heard(ben).len(), 1, "{seed}");
        let (people, reconnecting) = (1, 0);
        let connected = Status::Connected {
            people,
            reconnecting,
            own_tabs: 0,
        };
        assert_eq!(world.status(ben), Some(connected), "{seed}");
    }
}

#[test]
fn one_without_a_path_is_named_beside_those_who_are_connected() {
    let (mut world, ann, ben) = apart(1);
    let cat = world.open("cat");
    world.run(Duration::from_secs(15));
    let (people, unreached) = (1, 1);
    for at in [ann, ben] {
        assert_eq!(world.status(at), Some(Status::NoPath { people, unreached }));
    }
    assert_eq!(world.verified(cat), 2);
    // Who leaves is not missed.
    world.leave(ben);
    world.run(SOON);
    let (people, reconnecting) = (1, 0);
    let connected = Status::Connected {
        people,
        reconnecting,
        own_tabs: 0,
    };
    assert_eq!(world.status(ann), Some(connected));
}

#[test]
fn a_peer_that_is_gone_is_soon_not_said_to_be_without_a_path() {
    for seed in 0..8 {
        let (mut world, ann, ben) = apart(seed);
        let met = |world: &World| world.connections(ann) > 0 && world.connections(ben) > 0;
        assert!(world.run_until(SOON, met), "{seed}");
        world.run(Duration::from_secs(1));
        world.crash(ben);
        world.run(Duration::from_secs(30));
        assert_ne!(state(&world, ann), Some(PeerState::NoPath), "{seed}");
        world.run(Duration::from_secs(15));
        assert!(world.roster(ann).is_empty(), "{seed}");
    }
}

#[test]
fn a_tab_that_is_loaded_again_while_it_connects_leaves_no_ghost() {
    for seed in 0..8 {
        let mut world = World::new(seed);
        let ann = world.open("ann");
        let identity = || IdentityKey::generate(&mut ChaCha20Rng::from_seed([7; 32]));
        let open = |world: &mut World| {
            world.open_as("ben", identity(), Accept::Everyone, TrustBook::default())
        };
        let former = open(&mut world);
        world.cut(ann, former, true);
        let met = |world: &World| world.connections(ann) > 0 && world.connections(former) > 0;
        assert!(world.run_until(SOON, met), "{seed}");
        world.run(Duration::from_secs(1));
        world.crash(former);
        open(&mut world);
        assert!(
            world.run_until(SOON, |world| world.verified(ann) == 1),
            "{seed}"
        );
        world.run(Duration::from_secs(1));
        assert_eq!(world.roster(ann).len(), 1, "{seed}");
    }
}

#[test]
fn a_peer_whose_proof_never_comes_is_not_said_to_be_without_a_path() {
    let mut world = World::new(1);
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    // The channel opens each time, and then carries nothing.
    for _ in 0..60 {
        let open = |world: &World| !world.open_connections(ann, ben).is_empty();
        world.run_until(Duration::from_secs(1), open);
        world.cut(ann, ben, true);
        world.run(Duration::from_millis(500));
        if world.open_connections(ann, ben).is_empty() {
            world.cut(ann, ben, false);
        }
        assert_ne!(state(&world, ann), Some(PeerState::NoPath));
    }
    assert_eq!(world.verified(ann), 0);
}
