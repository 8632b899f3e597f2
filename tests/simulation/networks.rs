//! Networks that change without a word to the browser.

use std::time::Duration;

use rtchat::room::{Event, PeerState, PeopleEvent, Value};
use rtchat::wire::BodyKind;

use super::hostile::overheard;
use super::scenes::{MINUTE, SOON, pair, send, values};
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

impl Change {
    /// Returns the one whose network changes, and the other.
    fn roles(&self, first: usize, second: usize) -> (usize, usize) {
        if self.second {
            (second, first)
        } else {
            (first, second)
        }
    }
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
        let (moves, stays) = change.roles(ann, ben);
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
        let (moves, stays) = change.roles(ann, ben);
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

#[test]
fn networks_that_change_again_and_again_and_on_both_sides_lose_nothing() {
    for seed in 0..10 {
        let mut world = World::new(seed);
        let (ann, ben) = (world.open("ann"), world.open("ben"));
        assert!(world.run_until(SOON, World::is_full_mesh));
        let mut said = Vec::new();
        for round in 0..6u64 {
            world.run(Duration::from_millis(1000 + seed * 97 + round * 613));
            let moves = vec![vec![ann], vec![ben], vec![ann, ben]].swap_remove(round as usize % 3);
            let gap = [0, 1500][round as usize % 2];
            moves.iter().for_each(|at| world.lose_network(*at));
            said.push(round.to_string());
            world.say(ann, &said[round as usize]);
            world.say(ben, &said[round as usize]);
            world.run(Duration::from_millis(gap));
            moves.iter().for_each(|at| world.change_network(*at, false));
            let arrived = |world: &World| heard(world, ann) == said && heard(world, ben) == said;
            assert!(
                world.run_until(LIMIT, arrived),
                "seed {seed}, round {round}"
            );
        }
        world.run(MINUTE);
        assert_eq!(
            (heard(&world, ann), heard(&world, ben)),
            (said.clone(), said)
        );
        assert_eq!((world.connections(ann), world.connections(ben)), (1, 1));
        assert!(nobody_is_gone(&world), "seed {seed}");
    }
}

#[test]
fn what_applications_send_survives_a_change_as_well() {
    for keeps_broker in [true, false] {
        let (mut world, ann, ben) = pair();
        world.run(Duration::from_secs(20));
        world.change_network(ben, keeps_broker);
        let sent: Vec<Value> = (0..40)
            .map(|number| Value::Json(number.to_string()))
            .collect();
        for (token, value) in (0..).zip(&sent) {
            send(&mut world, ann, ben, token, value.clone());
        }
        assert!(world.run_until(LIMIT, |world| values(world, ben) == sent));
    }
}

/// The number of offers that were published.
fn offers(world: &World) -> usize {
    let all = overheard(world).into_iter();
    let offers = all.filter(|(_, envelope)| envelope.bodies[0].kind() == BodyKind::RtcOffer);
    offers.count()
}

#[test]
fn a_page_that_stands_still_for_a_moment_keeps_its_connection() {
    let (mut world, ann, ben) = pair();
    world.run(Duration::from_secs(20));
    let before = world.all_connections(ann);
    let published = offers(&world);
    for millis in [300, 600, 900, 2000] {
        world.say(ann, "one moment");
        world.stall(ben, Duration::from_millis(millis));
        assert_eq!(world.roster(ann)["ben"], PeerState::Verified, "{millis}");
        world.run(Duration::from_secs(20));
    }
    assert_eq!(heard(&world, ben), ["one moment"; 4]);
    assert!(world.is_full_mesh());
    // Only the longest ones let anybody doubt, and whoever answers meanwhile is not connected anew.
    assert!(
        offers(&world) - published <= 2,
        "{}",
        offers(&world) - published
    );
    assert_eq!(world.all_connections(ann).len(), before.len());
}

#[test]
fn a_quiet_pair_sends_little_and_nothing_over_the_broker() {
    let (mut world, ..) = pair();
    world.run(MINUTE);
    let (carried, published) = (world.carried, world.published.len());
    world.run(MINUTE);
    let carried = world.carried - carried;
    assert!(
        (100..=125).contains(&carried),
        "a ping and a pong each second: {carried}"
    );
    assert_eq!(world.published.len(), published);
}

#[test]
fn a_room_asks_no_more_for_being_large() {
    let mut world = World::new(1);
    for number in 0..12 {
        world.open(&format!("peer{number}"));
    }
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    world.run(MINUTE);
    let carried = world.carried;
    world.run(MINUTE);
    // Each of 66 pairs exchanges a ping and a pong in 3.5 s, nearly as if nobody asked for the network.
    let carried = world.carried - carried;
    let most = 66 * 2 * 60 * 10 / 35;
    assert!(carried <= most + most / 5, "{carried}, of {most}");
}

#[test]
fn somebody_who_never_comes_back_is_offered_to_only_so_often() {
    let (mut world, ann, ben) = pair();
    world.run(Duration::from_secs(20));
    let before = offers(&world);
    world.crash(ben);
    world.run(2 * MINUTE);
    assert!(!world.roster(ann).contains_key("ben"));
    let offers = offers(&world) - before;
    assert!((8..=20).contains(&offers), "{offers}");
}

#[test]
fn somebody_who_answers_only_now_and_then_costs_little() {
    let (mut world, ann, ben) = pair();
    world.run(Duration::from_secs(20));
    let before = offers(&world);
    for _ in 0..120 {
        let silent = ["pong", "ping", "receipt", "got", "presence"];
        world.muted = silent.map(|kind| (ben, format!("\"{kind}\""))).to_vec();
        world.say(ann, "do you answer?");
        world.run(Duration::from_millis(1100));
        world.muted.clear();
        world.say(ben, "now I do");
        world.run(Duration::from_millis(100));
    }
    // In 144 s: 8 offers of each side at once and one in 4 s, and a test of the broker with each doubt.
    let offers = offers(&world) - before;
    assert!(offers <= 2 * (8 + 144 / 4), "{offers}");
    assert!(
        world.broker_tests(ann) <= 144,
        "{}",
        world.broker_tests(ann)
    );
    assert_eq!(world.roster(ann)["ben"], PeerState::Verified);
}
