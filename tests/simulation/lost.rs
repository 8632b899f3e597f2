//! Losing somebody who did not say goodbye is no farewell: they are looked for, and what is said to them waits.

use std::time::Duration;

use rtchat::room::{Event, PeopleEvent};

use crate::scenes::{SOON, pair};
use crate::world::World;

/// Longer than the 30 s for which peers are silent before they are shown as gone.
const AWAY: Duration = Duration::from_secs(36);

fn times_heard(world: &World, at: usize, text: &str) -> usize {
    let heard = world.heard(at);
    heard.iter().filter(|(_, its)| its == text).count()
}

fn gone(world: &World, at: usize) -> usize {
    let events = world.nodes[at].events.iter();
    let gone = events.filter(|event| matches!(event, Event::People(PeopleEvent::Gone { .. })));
    gone.count()
}

#[test]
fn two_whose_way_was_cut_talk_again_within_three_seconds_and_lose_nothing() {
    for seed in 0..8 {
        let (mut world, ann, ben) = pair();
        world.run(SOON + Duration::from_millis(391 * seed));
        world.cut(ann, ben, true);
        world.run(Duration::from_secs(2));
        world.say(ann, "while it is cut");
        world.run(AWAY);
        world.cut(ann, ben, false);
        let back = world.run_until(Duration::from_secs(3), |world| {
            world.is_full_mesh() && times_heard(world, ben, "while it is cut") == 1
        });
        assert!(back, "{seed}: {:?}", world.roster(ann));
        world.run(Duration::from_secs(60));
        let times = times_heard(&world, ben, "while it is cut");
        assert_eq!((times, gone(&world, ann), gone(&world, ben)), (1, 0, 0));
    }
}

#[test]
fn a_page_that_stood_still_talks_again_within_five_seconds_and_loses_nothing() {
    for seed in 0..8 {
        for side in [0, 1] {
            let (mut world, ann, ben) = pair();
            world.run(SOON + Duration::from_millis(391 * seed));
            let (still, other) = [(ann, ben), (ben, ann)][side];
            world.say(other, "before");
            world.stall(still, AWAY);
            world.say(other, "after");
            let back = world.run_until(Duration::from_secs(5), |world| {
                world.is_full_mesh() && times_heard(world, still, "after") == 1
            });
            assert!(
                back,
                "{seed} {side}: {:?} {:?}",
                world.roster(ann),
                world.roster(ben)
            );
            world.run(Duration::from_secs(60));
            for text in ["before", "after"] {
                assert_eq!(times_heard(&world, still, text), 1, "{text}");
            }
            assert_eq!((gone(&world, ann), gone(&world, ben)), (0, 0));
        }
    }
}
