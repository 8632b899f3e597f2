//! Two honest people on bad networks, who sleep and wake at the worst moments: what is said and sent comes once and in its
//! order, each question has one outcome, and at last they find each other again.

use std::time::Duration;

use chacha20::rand_core::Rng;
use rtchat::room::{AppEvent, ChatEvent, Event, Input, Value};

use super::rng;
use crate::scenes::{MINUTE, SOON, answered, ask, send, send_failures, sent, values};
use crate::world::{Faults, World};

/// The numbers of what `at` heard, by the order of arrival.
fn heard(world: &World, at: usize) -> Vec<u32> {
    let said = world.heard(at).into_iter();
    said.map(|(_, text)| text.parse().unwrap()).collect()
}

fn received(world: &World, at: usize) -> Vec<u32> {
    let all = values(world, at).into_iter();
    all.map(|value| match value {
        Value::Json(json) => json.parse().unwrap(),
        Value::Bytes { .. } => panic!("nobody sent bytes"),
    })
    .collect()
}

/// How many own messages arrived, by what was told.
fn delivered(world: &World, at: usize) -> usize {
    let events = world.nodes[at].events.iter();
    let delivered = events.filter_map(|event| match event {
        Event::Chat(ChatEvent::Delivery { id, delivered, .. }) if *delivered > 0 => Some(id),
        _ => None,
    });
    let mut delivered: Vec<_> = delivered.collect();
    delivered.dedup();
    delivered.len()
}

fn is_once_and_in_order(numbers: &[u32]) -> bool {
    numbers.is_sorted_by(|one, next| one < next)
}

fn answer_all(world: &mut World, at: usize, from: usize) -> usize {
    let questions = world.nodes[at].events[from..].iter();
    let questions = questions.filter_map(|event| match event {
        Event::App(AppEvent::Question { peer, question, .. }) => Some((*peer, question.clone())),
        _ => None,
    });
    for (peer, question) in questions.collect::<Vec<_>>() {
        let result = Ok("0".to_owned());
        let answer = rtchat::room::AppCommand::Answer {
            peer,
            question,
            result,
        };
        world.command(at, rtchat::room::Command::App(answer));
    }
    world.nodes[at].events.len()
}

#[test]
fn whatever_happens_to_networks_and_computers_everything_comes_once_and_in_order() {
    for seed in 0..40 {
        let mut world = World::new(seed);
        let mut rng = rng(900 + seed);
        if seed % 4 == 3 {
            (world.slow_keys, world.signing_takes) = (vec![0, 1], 30);
        }
        let (ann, ben) = (world.open("ann"), world.open("ben"));
        assert!(world.run_until(SOON, World::is_full_mesh));
        let mut seen = [0, 0];
        let mut asked = [0, 0];
        for step in 0..120u32 {
            let side = rng.next_u32() as usize % 2;
            let (one, other) = [(ann, ben), (ben, ann)][side];
            match rng.next_u32() % 18 {
                0..=3 => world.say(one, &step.to_string()),
                4..=6 => send(&mut world, one, other, step, Value::Json(step.to_string())),
                7 => {
                    ask(&mut world, one, other, step, "1");
                    asked[side] += 1;
                }
                8 => world.break_connections(ann, ben),
                9 => world.cut(ann, ben, true),
                10 | 11 => {
                    // What was said last is held as well, and comes after what was said before.
                    world.run(Duration::from_millis(3));
                    world.cut(ann, ben, false);
                }
                12 | 13 => {
                    let seconds = [22, 45][rng.next_u32() as usize % 2];
                    world.sleep(one, Duration::from_secs(seconds));
                    // What was on its way is lost, so the connection is.
                    world.break_connections(ann, ben);
                }
                14 => {
                    world.faults.loss = 0.2;
                    world.feed(one, Input::Resumed);
                }
                15 => {
                    world.lose_network(one);
                    world.run(Duration::from_millis([10, 700, 2_500][step as usize % 3]));
                    world.change_network(one, false);
                }
                16 => world.change_network(one, step % 2 == 0),
                _ => world.faults = Faults::none(),
            }
            let pause = [0, 2, 3, 30, 900, 4_000, 12_000][rng.next_u32() as usize % 7];
            world.run(Duration::from_millis(pause));
            for (at, seen) in [ann, ben].into_iter().zip(&mut seen) {
                *seen = answer_all(&mut world, at, *seen);
            }
        }
        world.faults = Faults::none();
        world.cut(ann, ben, false);
        assert!(
            world.run_until(30 * MINUTE, World::is_full_mesh),
            "seed {seed}: {:?} {:?}",
            world.roster(ann),
            world.roster(ben)
        );
        world.run(MINUTE);
        for (side, (one, other)) in [(ann, ben), (ben, ann)].into_iter().enumerate() {
            let heard = heard(&world, other);
            assert!(is_once_and_in_order(&heard), "seed {seed}: {heard:?}");
            assert!(delivered(&world, one) <= heard.len(), "seed {seed}");
            let received = received(&world, other);
            assert!(is_once_and_in_order(&received), "seed {seed}: {received:?}");
            let mut tokens = sent(&world, one);
            tokens.extend(
                send_failures(&world, one)
                    .into_iter()
                    .map(|(token, _)| token),
            );
            tokens.sort_unstable();
            assert!(is_once_and_in_order(&tokens), "seed {seed}: {tokens:?}");
            assert_eq!(answered(&world, one).len(), asked[side], "seed {seed}");
        }
    }
}
