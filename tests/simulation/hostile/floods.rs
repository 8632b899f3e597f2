//! Floods cost a bounded amount, and keep nobody out.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Mallory, field, patched, still_talk};
use crate::scenes::pair;
use crate::world::World;

#[test]
fn a_flood_of_forgeries_costs_a_bounded_number_of_signature_checks() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let before = world.nodes[ann].room.diagnostics().signatures_checked;
    let connect = mallory.connect(world.now);
    let connect = patched(&connect, field::TAB, &[0, 3]);
    for number in 0..20_000u64 {
        let signed_at = connect.signed_at.0 + number;
        let forged = patched(&connect, field::SIGNED_AT, &signed_at.to_be_bytes());
        mallory.announce(&mut world, mallory.id(), forged);
        if number % 2000 == 0 {
            world.run(Duration::from_secs(1));
        }
    }
    world.run(Duration::from_secs(1));
    let checked = world.nodes[ann].room.diagnostics().signatures_checked - before;
    assert!(checked <= 100 + 25 * 12, "{checked}");
    assert!(world.dropped(ann, "too many signatures to check at once") > 10_000);
    still_talk(&mut world, ann, ben);
    let cleo = world.open("cleo");
    assert!(
        world.run_until(Duration::from_secs(60), World::is_full_mesh),
        "{:?}",
        world.roster(cleo)
    );
}

#[test]
fn a_flood_of_strangers_who_never_answer_does_not_keep_the_honest_out() {
    let (mut world, ann, ben) = pair();
    let mut strangers: Vec<Mallory> = (100..400).map(Mallory::new).collect();
    for stranger in &mut strangers {
        let connect = stranger.connect(world.now);
        stranger.announce(&mut world, stranger.id(), connect);
        world.run(Duration::from_millis(50));
    }
    let cleo = world.open("cleo");
    assert!(
        world.run_until(Duration::from_secs(120), World::is_full_mesh),
        "{:?} {:?} {:?}",
        world.roster(ann),
        world.roster(ben),
        world.roster(cleo)
    );
    assert!(
        world.connections(ann) <= 12,
        "{} connections",
        world.connections(ann)
    );
    world.run(Duration::from_secs(300));
    assert_eq!(world.connections(ann), 2);
    let seen: BTreeSet<String> = world.roster(ann).into_keys().collect();
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["ben", "cleo"],
        "ghosts are never shown"
    );
}

#[test]
fn a_member_who_floods_the_channel_is_heard_only_so_often() {
    let (mut world, ann, ben) = pair();
    for number in 0..2000 {
        world.say(ben, &format!("{number}"));
    }
    world.run(Duration::from_secs(1));
    assert!(world.heard(ann).len() <= 400, "{}", world.heard(ann).len());
    let dropped = world.dropped(
        ann,
        "more words at once than are taken without being asked for",
    );
    assert!(dropped > 1000, "{dropped}");
}
