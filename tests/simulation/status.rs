//! The line of status is true: whether others are looked for or waited for, who counts, and what is dropped.

use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rtchat::identity::{IdentityKey, TrustBook};
use rtchat::room::{Event, Input, Status};
use rtchat::settings::Accept;
use rtchat::time::Millis;

use super::scenes::{MINUTE, SOON};
use super::world::{World, seed};

const SECOND: Duration = Duration::from_secs(1);

/// When others are looked for again, if nothing is done until then.
fn retry_at(world: &World, at: usize) -> Option<Millis> {
    match world.status(at) {
        Some(Status::Looking { retry_at, .. }) => retry_at,
        other => panic!("{other:?}"),
    }
}

fn is_dropping(world: &World, at: usize) -> bool {
    matches!(
        world.status(at),
        Some(Status::Looking { dropping: true, .. })
    )
}

/// Whether it ever said that most of what arrives is dropped.
fn ever_dropping(world: &World, at: usize) -> bool {
    world.nodes[at]
        .events
        .iter()
        .any(|event| matches!(event, Event::Status(Status::Looking { dropping: true, .. })))
}

/// Somebody else's message on the room's topic.
fn publish_noise(world: &mut World) {
    let topic = world.keys.topic().name("");
    world.publish_raw(&topic, vec![7; 120]);
}

#[test]
fn between_two_looks_it_says_when_the_next_one_comes() {
    for seed in 0..10 {
        let mut world = World::new(seed);
        let ann = world.open("ann");
        world.run(Duration::from_millis(100));
        let (mut promised, mut kept, mut last) = (None, 0, world.now);
        let mut published = world.published.len();
        for _ in 0..20 * 60 {
            world.run(SECOND);
            if world.published.len() > published {
                published = world.published.len();
                last = world.now;
                if let Some(at) = promised.take() {
                    assert!(world.now.since(at) <= SECOND, "seed {seed}: too late");
                    assert!(at <= world.now, "seed {seed}: too early");
                    kept += 1;
                }
                assert_eq!(retry_at(&world, ann), None, "seed {seed}: it looks now");
            }
            match retry_at(&world, ann) {
                Some(at) => promised = Some(at),
                None => assert!(
                    world.now.since(last) <= 3 * SOON + SECOND,
                    "seed {seed}: nothing is being done"
                ),
            }
        }
        assert!(kept >= 4, "seed {seed}: {kept}");
    }
}

#[test]
fn whoever_does_not_want_to_wait_looks_at_once_but_not_all_the_time() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    assert!(world.run_until(3 * MINUTE, |world| matches!(
        world.status(ann),
        Some(Status::Looking {
            retry_at: Some(at),
            ..
        }) if at.since(world.now) > MINUTE
    )));
    world.run(2 * SOON);
    let before = world.published.len();
    world.feed(ann, Input::Resumed);
    assert_eq!(retry_at(&world, ann), None);
    world.run(SECOND);
    assert_eq!(world.published.len(), before + 1);
    for _ in 0..50 {
        world.feed(ann, Input::Resumed);
        world.run(SECOND / 5);
    }
    let published = world.published.len() - before;
    assert!(published <= 2, "{published} announcements in ten seconds");
}

#[test]
fn tabs_of_ones_own_are_not_counted_as_people() {
    let mut world = World::new(1);
    let identity = IdentityKey::generate(&mut ChaCha20Rng::from_seed(seed(1, 5)));
    let ann = [1, 2].map(|tab| {
        world.next_tab = tab;
        let trust = TrustBook::default();
        world.open_as("ann", identity.clone(), Accept::Everyone, trust)
    });
    assert!(world.run_until(SOON, World::is_full_mesh));
    for at in ann {
        let status = world.status(at);
        assert!(
            matches!(status, Some(Status::Looking { own_tabs: 1, .. })),
            "{status:?}"
        );
    }
    let ben = world.open("ben");
    assert!(world.run_until(SOON, World::is_full_mesh));
    let connected = |people, own_tabs| {
        Some(Status::Connected {
            people,
            reconnecting: 0,
            own_tabs,
        })
    };
    assert_eq!(world.status(ann[0]), connected(1, 1));
    assert_eq!(world.status(ben), connected(2, 0));
    world.leave(ann[1]);
    world.run(SECOND);
    assert_eq!(world.status(ann[0]), connected(1, 0));
    world.leave(ben);
    world.run(SECOND);
    assert!(world.is_looking(ann[0]));
}

#[test]
fn what_keeps_being_dropped_is_said_to_whoever_is_alone_and_forgotten_when_it_ends() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    world.run(SOON);
    for _ in 0..4 {
        publish_noise(&mut world);
        world.run(SECOND);
    }
    assert!(!is_dropping(&world, ann), "a little proves nothing");
    publish_noise(&mut world);
    world.run(SECOND);
    assert!(is_dropping(&world, ann));
    assert!(world.dropped(ann, "sealed with another key") + world.dropped(ann, "unreadable") >= 5);
    // It does not flicker.
    let before = world.nodes[ann].events.len();
    for _ in 0..50 {
        publish_noise(&mut world);
        world.run(SECOND / 50);
    }
    assert!(is_dropping(&world, ann));
    assert!(world.nodes[ann].events.len() <= before + 1);

    // Whoever connects all the same has no reason to worry.
    let ben = world.open("ben");
    world.run(SOON);
    assert!(matches!(
        world.status(ann),
        Some(Status::Connected { people: 1, .. })
    ));
    for _ in 0..50 {
        publish_noise(&mut world);
        world.run(SECOND);
    }
    assert!(!ever_dropping(&world, ben));

    // When the last one leaves, it is said again as long as it goes on, …
    world.leave(ben);
    world.run(SECOND);
    assert!(is_dropping(&world, ann));
    // … and not for ever after.
    world.run(11 * MINUTE);
    assert!(!is_dropping(&world, ann));
}

#[test]
fn what_comes_twice_is_no_reason_to_say_anything() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    world.brokers = 3;
    for name in ["ben", "cleo"] {
        let at = world.open(name);
        world.run(SOON);
        world.leave(at);
        world.run(SECOND);
    }
    let everything = world.published.clone();
    for _ in 0..10 {
        for (_, topic, payload) in &everything {
            world.publish_raw(topic, payload.clone());
        }
        world.run(SOON);
    }
    assert!(world.is_looking(ann));
    assert!(!ever_dropping(&world, ann));
}
