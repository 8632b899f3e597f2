//! Networks that change without a word to the browser.

use std::time::Duration;

use rtchat::room::{Event, PeopleEvent};

use super::scenes::{SOON, pair};
use super::world::World;

/// After the new address is up, messages flow again within this time.
const LIMIT: Duration = Duration::from_secs(3);

/// What changes, and who speaks.
#[derive(Debug, Clone, Copy)]
struct Change {
    /// How long the pair has been quiet.
    quiet: u64,
    /// Whether the network of the second one changes.
    second: bool,
    /// Which of the two speak: the one whose network changes, the other, or both.
    speaks: [bool; 2],
    /// For how long there is no network at all.
    gap: u64,
    keeps_broker: bool,
}

fn changes() -> impl Iterator<Item = Change> {
    (0..4200).step_by(310).flat_map(|quiet| {
        (0..48).map(move |number| Change {
            quiet: quiet + number * 7,
            second: number % 2 == 1,
            speaks: [[true, false], [false, true], [true, true]][number as usize / 2 % 3],
            gap: [0, 400, 1300, 2000][number as usize / 6 % 4],
            keeps_broker: number / 24 == 1,
        })
    })
}

fn nobody_is_gone(world: &World) -> bool {
    let is_gone = |event: &Event| matches!(event, Event::People(PeopleEvent::Gone { .. }));
    !world
        .nodes
        .iter()
        .any(|node| node.events.iter().any(is_gone))
}

fn heard(world: &World, at: usize) -> Vec<String> {
    world.heard(at).into_iter().map(|(_, text)| text).collect()
}

#[test]
fn messages_flow_again_within_three_seconds_after_the_network_has_changed() {
    let mut longest = 0;
    for change in changes() {
        let (mut world, ann, ben) = pair();
        world.run(Duration::from_secs(20) + Duration::from_millis(change.quiet));
        let (moves, stays) = if change.second {
            (ben, ann)
        } else {
            (ann, ben)
        };
        let speakers = [
            (moves, stays, change.speaks[0]),
            (stays, moves, change.speaks[1]),
        ];
        let say = |world: &mut World, text: &str| {
            for (from, _, speaks) in speakers {
                if speaks {
                    world.say(from, text);
                }
            }
        };
        say(&mut world, "before");
        world.run(Duration::from_millis(50));
        if change.gap > 0 {
            world.lose_network(moves);
            world.run(Duration::from_millis(change.gap / 2));
            say(&mut world, "in between");
            world.run(Duration::from_millis(change.gap / 2));
        }
        world.change_network(moves, change.keeps_broker);
        say(&mut world, "after");
        let all: &[&str] = if change.gap > 0 {
            &["before", "in between", "after"]
        } else {
            &["before", "after"]
        };
        let arrived = |world: &World| {
            let came = |(_, to, speaks): &(usize, usize, bool)| {
                !*speaks || heard(world, *to).len() == all.len()
            };
            speakers.iter().all(came)
        };
        let start = world.now;
        assert!(world.run_until(LIMIT, arrived), "{change:?}");
        longest = longest.max(world.now.since(start).as_millis());
        // Later there is one connection, and nothing comes twice.
        world.run(Duration::from_secs(40));
        for (_, to, speaks) in speakers {
            let expected = if speaks { all } else { &[] };
            assert_eq!(heard(&world, to), expected, "{change:?}");
            assert_eq!(world.connections(to), 1, "{change:?}");
        }
        assert!(world.is_full_mesh() && nobody_is_gone(&world), "{change:?}");
    }
    println!("The longest took {longest} ms.");
}

#[test]
fn a_quiet_pair_is_connected_again_before_anybody_says_anything() {
    for change in changes().filter(|change| change.speaks[0] && change.speaks[1]) {
        let (mut world, ann, ben) = pair();
        world.run(Duration::from_secs(20) + Duration::from_millis(change.quiet));
        let (moves, stays) = if change.second {
            (ben, ann)
        } else {
            (ann, ben)
        };
        if change.gap > 0 {
            world.lose_network(moves);
            world.run(Duration::from_millis(change.gap));
        }
        world.change_network(moves, change.keeps_broker);
        world.run(LIMIT);
        world.say(stays, "hello");
        world.say(moves, "hello");
        world.run(Duration::from_millis(20));
        for at in [ann, ben] {
            assert_eq!(heard(&world, at), ["hello"], "{change:?}");
        }
        assert!(nobody_is_gone(&world), "{change:?}");
    }
}

#[test]
fn everybody_in_a_room_is_found_again_within_three_seconds() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        let all: Vec<usize> = ["ann", "ben", "cat", "dan", "eve"]
            .into_iter()
            .map(|name| world.open(name))
            .collect();
        assert!(world.run_until(SOON, World::is_full_mesh));
        world.run(Duration::from_millis(20_000 + seed * 211));
        let moves = seed as usize % all.len();
        world.change_network(moves, false);
        world.say(moves, "I moved");
        let arrived = |world: &World| {
            let mut others = all.iter().filter(|at| **at != moves);
            others.all(|at| heard(world, *at) == ["I moved"])
        };
        assert!(world.run_until(LIMIT, arrived), "seed {seed}");
        assert!(
            world.is_full_mesh() && nobody_is_gone(&world),
            "seed {seed}"
        );
    }
}
