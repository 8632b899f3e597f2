//! Nobody is given up for a silence that was one's own, also when the path broke before the computers slept; and whoever
//! was forgotten meanwhile is met again within seconds.

use std::time::Duration;

use rtchat::room::{Event, GoneReason, PeopleEvent};

use super::still_talk;
use crate::scenes::{MINUTE, SOON, pair};
use crate::world::World;

fn given_up(world: &World, at: usize) -> usize {
    let events = world.nodes[at].events.iter();
    let reasons = events.filter_map(|event| match event {
        Event::People(PeopleEvent::Gone { reason, .. }) => Some(*reason),
        _ => None,
    });
    reasons
        .filter(|reason| *reason == GoneReason::Silent)
        .count()
}

#[test]
fn those_who_sleep_while_they_look_for_each_other_find_each_other() {
    let (mut world, ann, ben) = pair();
    world.run(SOON);
    world.cut(ann, ben, true);
    world.run(Duration::from_secs(7));
    assert_eq!(world.verified(ann) + world.verified(ben), 0);
    world.now = world.now + MINUTE;
    world.cut(ann, ben, false);
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    world.run(MINUTE);
    assert_eq!((given_up(&world, ann), given_up(&world, ben)), (0, 0));
    still_talk(&mut world, ann, ben);
}

#[test]
fn a_peer_that_was_forgotten_while_it_slept_is_met_again_within_five_seconds() {
    for side in [0, 1] {
        let (mut world, ann, ben) = pair();
        world.run(SOON);
        let (sleeper, other) = [(ann, ben), (ben, ann)][side];
        world.sleep(sleeper, MINUTE * 3);
        assert_eq!(world.roster(other).len(), 0);
        assert!(
            world.run_until(Duration::from_secs(5), World::is_full_mesh),
            "{side}: {:?} {:?}",
            world.roster(ann),
            world.roster(ben)
        );
        still_talk(&mut world, ann, ben);
    }
}
