//! Whoever was forgotten while their computer slept is met again within seconds.

use std::time::Duration;

use super::still_talk;
use crate::scenes::{MINUTE, SOON, pair};
use crate::world::World;

#[test]
fn who_was_forgotten_while_it_slept_for_a_minute_is_met_again_within_seconds() {
    for side in [0, 1] {
        let (mut world, ann, ben) = pair();
        world.run(SOON);
        let (sleeper, other) = [(ann, ben), (ben, ann)][side];
        world.sleep(sleeper, MINUTE);
        assert_eq!(world.roster(other).len(), 0);
        assert!(
            world.run_until(Duration::from_secs(20), World::is_full_mesh),
            "{side}: {:?} {:?}",
            world.roster(ann),
            world.roster(ben)
        );
        still_talk(&mut world, ann, ben);
    }
}
