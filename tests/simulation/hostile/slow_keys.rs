//! A key that takes its time to sign, as one that nobody can read may, makes nobody a suspect.

use rtchat::room::{Event, PeopleEvent};

use super::still_talk;
use crate::scenes::SOON;
use crate::world::World;

#[test]
fn a_peer_that_signs_slowly_is_met_and_accused_of_nothing() {
    for millis in [1, 10, 24, 25, 26, 27, 30, 40, 100, 400] {
        for slow in [vec![0], vec![1], vec![0, 1]] {
            let mut world = World::new(1);
            let case = format!("{millis} ms, {slow:?}");
            (world.slow_keys, world.signing_takes) = (slow, millis);
            let (ann, ben) = (world.open("ann"), world.open("ben"));
            let met = world.run_until(SOON, World::is_full_mesh);
            for at in [ann, ben] {
                let events = world.nodes[at].events.iter();
                let accused = events.filter(|event| {
                    matches!(event, Event::People(PeopleEvent::ValidationFailure { .. }))
                });
                assert_eq!(accused.count(), 0, "{case}");
            }
            assert!(met, "{case}");
            still_talk(&mut world, ann, ben);
        }
    }
}
