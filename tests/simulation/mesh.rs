//! Full meshes: how peers form them, and their cost.

use std::time::Duration;

use rtchat::room::{PeerState, Status};

use super::scenes::SOON;
use super::world::{Faults, World};

#[test]
fn two_tabs_verify_each_other_with_three_messages_and_less_than_a_kilobyte() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    world.run(Duration::from_secs(2));
    assert!(world.is_looking(ann));
    let (messages, bytes) = (world.published.len(), world.bytes());

    let ben = world.open("ben");
    assert!(
        world.run_until(SOON, World::is_full_mesh),
        "{:?}",
        world.roster(ann)
    );
    assert_eq!(world.published.len() - messages, 3);
    assert!(
        world.bytes() - bytes <= 1000,
        "{} bytes",
        world.bytes() - bytes
    );
    assert_eq!(world.roster(ann)["ben"], PeerState::Verified);
    assert_eq!(
        world.status(ben),
        Some(Status::Connected {
            people: 1,
            reconnecting: 0,
            own_tabs: 0,
        })
    );

    world.say(ann, "hello");
    world.say(ben, "hello yourself");
    world.run(Duration::from_millis(100));
    assert_eq!(world.heard(ben), [("ann".into(), "hello".into())]);
    assert_eq!(world.heard(ann), [("ben".into(), "hello yourself".into())]);
}

#[test]
fn six_tabs_opened_together_connect_within_twelve_thousand_bytes() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        for name in ["ann", "ben", "cleo", "dan", "eve", "fay"] {
            world.open(name);
            world.run(Duration::from_millis(seed % 7));
        }
        assert!(world.run_until(SOON, World::is_full_mesh), "seed {seed}");
        let offers = (world.published.len() - 6) / 2;
        assert_eq!(offers, 15, "seed {seed}: one offer and one answer a pair");
        assert!(
            world.bytes() <= 12_000,
            "seed {seed}: {} bytes",
            world.bytes()
        );
    }
}

#[test]
fn crossing_offers_are_resolved_without_help() {
    // Every message has a delay of its own, so both ends may believe that they have to offer, or neither.
    for seed in 0..40 {
        let mut world = World::new(seed);
        world.faults = Faults {
            loss: 0.0,
            duplicates: 0.0,
            delay: 1..=300,
        };
        for name in ["ann", "ben", "cleo", "dan"] {
            world.open(name);
        }
        assert!(
            world.run_until(Duration::from_secs(30), World::is_full_mesh),
            "seed {seed}"
        );
        world.run(Duration::from_secs(20));
        for at in 0..4 {
            assert_eq!(
                world.connections(at),
                3,
                "seed {seed}: no other connection is left open"
            );
        }
    }
}

#[test]
fn fifty_peers_form_a_full_mesh_over_a_lossy_network_with_a_broker_that_restarts() {
    let mut world = World::new(50);
    world.faults = Faults {
        loss: 0.05,
        duplicates: 0.05,
        delay: 5..=400,
    };
    for number in 0..50 {
        world.open(&format!("peer{number}"));
        world.run(Duration::from_millis(40));
    }
    world.run(Duration::from_secs(3));
    world.stop_broker();
    world.run(Duration::from_secs(2));
    world.start_broker();
    let done = world.run_until(Duration::from_secs(240), World::is_full_mesh);
    let missing: Vec<usize> = (0..50).map(|at| 49 - world.verified(at)).collect();
    assert!(done, "missing: {missing:?}");
}

#[test]
fn a_lossy_network_only_delays_the_full_mesh() {
    for seed in 0..10 {
        let mut world = World::new(seed);
        world.faults = Faults {
            loss: 0.3,
            duplicates: 0.2,
            delay: 5..=800,
        };
        for name in ["ann", "ben", "cleo", "dan", "eve"] {
            world.open(name);
        }
        let done = world.run_until(Duration::from_secs(600), World::is_full_mesh);
        let rosters: Vec<_> = (0..5).map(|at| world.roster(at)).collect();
        assert!(done, "seed {seed}: {rosters:?}");
    }
}

#[test]
fn a_quiet_tab_publishes_at_most_a_hundred_bytes_a_minute() {
    let mut world = World::new(1);
    world.open("ann");
    world.run(Duration::from_secs(600));
    let before = world.bytes();
    world.run(Duration::from_secs(3600));
    assert!(world.bytes() > before, "it still announces itself");
    assert!(
        (world.bytes() - before) / 60 <= 100,
        "{} bytes an hour",
        world.bytes() - before
    );

    world.open("ben");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.run(Duration::from_secs(600));
    let before = world.bytes();
    world.run(Duration::from_secs(3600));
    assert!(
        (world.bytes() - before) / 120 <= 100,
        "{} bytes an hour for two",
        world.bytes() - before
    );
    assert!(world.is_full_mesh());
}

#[test]
fn the_fifty_second_peer_is_told_that_the_room_is_full() {
    let mut world = World::new(3);
    for number in 0..51 {
        world.open(&format!("peer{number}"));
        world.run(Duration::from_millis(20));
    }
    assert!(world.run_until(Duration::from_secs(120), World::is_full_mesh));
    let late = world.open("late");
    world.run(Duration::from_secs(20));
    assert_eq!(world.verified(late), 0);
    assert_eq!(world.status(late), Some(Status::Full { people: 0 }));
    assert!(
        (0..51).all(|at| world.verified(at) == 50),
        "the others stay connected"
    );
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let mut world = World::new(9);
        world.faults = Faults {
            loss: 0.1,
            duplicates: 0.1,
            delay: 5..=200,
        };
        for name in ["ann", "ben", "cleo"] {
            world.open(name);
        }
        world.run(Duration::from_secs(60));
        world.published
    };
    assert_eq!(run(), run());
}
