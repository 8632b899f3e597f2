//! Two tabs of one key that claim the same number: the one that is only silent for a moment comes back.

use std::time::Duration;

use rtchat::identity::TrustBook;
use rtchat::settings::Accept;

use super::key;
use crate::scenes::{MINUTE, SOON};
use crate::world::World;

#[test]
fn a_tab_that_is_silent_when_another_one_comes_under_its_number_can_return() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    let open =
        |world: &mut World| world.open_as("ben", key(1), Accept::Everyone, TrustBook::default());
    let first = open(&mut world);
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.cut(ann, first, true);
    world.run(Duration::from_secs(7));
    let second = open(&mut world);
    assert!(world.run_until(SOON, |world| world.verified(second) >= 1));
    world.cut(ann, first, false);
    assert!(
        world.run_until(10 * MINUTE, World::is_full_mesh),
        "{:?} {:?}",
        world.roster(ann),
        world.roster(first)
    );
}
