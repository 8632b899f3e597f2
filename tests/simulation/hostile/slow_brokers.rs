//! A broker that takes its time to accept a connection silences nobody.

use std::time::Duration;

use super::overheard;
use crate::scenes::{SOON, id};
use crate::world::{Faults, World};

fn announcements(world: &World, at: usize) -> usize {
    let own = id(world, at);
    let all = overheard(world).into_iter();
    all.filter(|(topic, envelope)| *topic == world.keys.topic() && envelope.sender == own)
        .count()
}

#[test]
fn a_lonely_peer_announces_itself_again_however_slow_the_broker_was() {
    let mut world = World::new(1);
    world.faults = Faults {
        delay: 4_000..=4_000,
        ..Faults::none()
    };
    let ann = world.open("ann");
    world.run(Duration::from_secs(20));
    world.faults = Faults::none();
    let before = announcements(&world, ann);
    world.run(Duration::from_secs(1_800));
    let after = announcements(&world, ann);
    assert!(after - before >= 5, "{before} and {after}");
}

#[test]
fn a_peer_with_company_announces_itself_again_however_slow_the_broker_was() {
    let mut world = World::new(1);
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.stop_broker();
    world.run(SOON);
    world.faults = Faults {
        delay: 7_000..=7_000,
        ..Faults::none()
    };
    world.start_broker();
    world.run(Duration::from_secs(30));
    world.faults = Faults::none();
    for at in [ann, ben] {
        let before = announcements(&world, at);
        world.run(Duration::from_secs(1_800));
        let after = announcements(&world, at);
        assert!(after - before >= 3, "{before} and {after}");
    }
}
