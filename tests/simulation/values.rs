//! Messages of applications: values, pings and private messages. Everything arrives once and in order, over as many
//! connections as needed, and the sender learns the outcome.

use std::time::Duration;

use rtchat::room::{
    AppCommand, AppEvent, AskError, ChatCommand, ChatEvent, Command, Conversation, Event,
    GoneReason, MAIN_CHANNEL, MAX_VALUE, PeerState, PeopleCommand, PeopleEvent, Purpose, SendError,
    Value,
};

use super::scenes::{
    MINUTE, SOON, answered, ask, ask_within, id, pair, questions, send, send_failures, sent, values,
};
use super::world::{Faults, World};

fn json(value: impl ToString) -> Value {
    Value::Json(value.to_string())
}

fn bytes(length: usize) -> Value {
    Value::Bytes {
        kind: "u8".into(),
        bytes: (0..length).map(|at| (at % 251) as u8).collect(),
    }
}

#[test]
fn json_bytes_and_questions_keep_their_order() {
    let (mut world, ann, ben) = pair();
    for round in 0..20 {
        let peer = id(&world, ben);
        send(&mut world, ann, ben, 4 * round, json(round));
        send(&mut world, ann, ben, 4 * round + 1, bytes(50_000));
        ask(&mut world, ann, ben, 4 * round + 2, &round.to_string());
        world.command(
            ann,
            Command::App(AppCommand::Send {
                peer,
                token: 4 * round + 3,
                purpose: Purpose::Dm,
                value: json(format!("\"{}\"", "long ".repeat(5_000))),
            }),
        );
    }
    world.run(SOON);
    let came = world.nodes[ben].events.iter();
    let came: Vec<char> = came
        .filter_map(|event| match event {
            Event::App(AppEvent::Value {
                purpose: Purpose::Dm,
                value: Value::Json(_),
                ..
            }) => Some('d'),
            Event::App(AppEvent::Value {
                value: Value::Json(_),
                ..
            }) => Some('j'),
            Event::App(AppEvent::Value { value, .. }) => {
                assert_eq!(*value, bytes(50_000));
                Some('b')
            }
            Event::App(AppEvent::Question { .. }) => Some('q'),
            _ => None,
        })
        .collect();
    assert_eq!(came.into_iter().collect::<String>(), "jbqd".repeat(20));
    let asked: Vec<String> = questions(&world, ben)
        .into_iter()
        .map(|(.., q)| q)
        .collect();
    assert_eq!(asked, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
    let tokens: Vec<u32> = (0..80).filter(|token| token % 4 != 2).collect();
    assert_eq!(sent(&world, ann), tokens);
}

#[test]
fn values_go_both_ways_and_only_to_their_recipient() {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    send(&mut world, ann, ben, 1, json("{\"to\": \"ben\"}"));
    send(&mut world, ben, ann, 1, json("null"));
    world.run(SOON);
    assert_eq!(values(&world, ben), [json("{\"to\": \"ben\"}")]);
    assert_eq!(values(&world, ann), [json("null")]);
    assert_eq!(values(&world, cleo), []);
}

#[test]
fn five_thousand_values_arrive_once_and_in_order_over_connections_that_break() {
    for seed in 0..5 {
        let mut world = World::new(seed);
        world.faults = Faults {
            loss: 0.05,
            duplicates: 0.2,
            delay: 1..=200,
        };
        let (ann, ben) = (world.open("ann"), world.open("ben"));
        assert!(world.run_until(MINUTE, World::is_full_mesh), "seed {seed}");
        for number in 0..5_000u32 {
            let value = if number % 50 == 7 {
                bytes(40_000)
            } else {
                json(number)
            };
            send(&mut world, ann, ben, number, value);
            if number % 40 == 0 {
                send(&mut world, ben, ann, number, json(number));
            }
            if number % 100 == 0 {
                world.run(Duration::from_millis(u64::from(number) % 7));
            }
            match number {
                800 | 1_200 | 2_000 | 2_001 | 2_800 => world.break_connections(ann, ben),
                1_000 | 1_500 | 2_500 | 3_300 => {
                    let mended = world.run_until(MINUTE, World::is_full_mesh);
                    assert!(mended, "seed {seed}");
                }
                3_500 => world.cut(ann, ben, true),
                3_600 => {
                    world.run(Duration::from_secs(11));
                    assert_eq!(world.roster(ann)["ben"], PeerState::Reconnecting);
                    world.cut(ann, ben, false);
                }
                _ => {}
            }
        }
        let done = |world: &World| values(world, ben).len() == 5_000;
        assert!(
            world.run_until(MINUTE, done),
            "seed {seed}: {}",
            values(&world, ben).len()
        );
        world.run(Duration::from_secs(1));
        for (number, value) in values(&world, ben).into_iter().enumerate() {
            let expected = if number % 50 == 7 {
                bytes(40_000)
            } else {
                json(number)
            };
            assert_eq!(value, expected, "seed {seed}: number {number}");
        }
        let back: Vec<Value> = (0..5_000).step_by(40).map(json).collect();
        assert_eq!(values(&world, ann), back, "seed {seed}");
        assert_eq!(sent(&world, ann), (0..5_000).collect::<Vec<_>>());
        assert_eq!(send_failures(&world, ann), []);
        assert!(world.connections(ann) <= 2);
    }
}

#[test]
fn twenty_thousand_sends_at_once_all_arrive_with_a_bounded_number_in_flight() {
    let (mut world, ann, ben) = pair();
    let text = |number: u32| json(format!("\"{number:0>98}\""));
    // Most values share a chunk with others, with a length of two bytes each.
    let size = 103;
    world.run(Duration::from_millis(100));
    let before = world.carried;
    for number in 0..20_000 {
        send(&mut world, ann, ben, number, text(number));
    }
    let at_once = sent(&world, ann).len();
    // The first window, which grows.
    assert!(at_once * size <= 256 * 1024, "{at_once}");
    assert!((at_once + 200) * size > 256 * 1024, "{at_once}");
    // Each window takes one round trip of four milliseconds: nobody waits for the acknowledgement timer.
    world.run(Duration::from_millis(40));
    assert_eq!(sent(&world, ann).len(), 20_000);
    world.run(Duration::from_millis(100));
    let expected: Vec<Value> = (0..20_000).map(text).collect();
    assert_eq!(values(&world, ben), expected);
    assert_eq!(sent(&world, ann), (0..20_000).collect::<Vec<_>>());
    let messages = world.carried - before;
    assert!(messages < 1_000, "{messages}");
    assert_eq!(world.dropped(ben, "too many frames at once"), 0);
}

#[test]
fn values_keep_their_order_and_none_is_lost_while_the_path_is_cut() {
    let (mut world, ann, ben) = pair();
    world.cut(ann, ben, true);
    for number in 0..300 {
        send(&mut world, ann, ben, number, bytes(10_000));
    }
    world.run(Duration::from_secs(7));
    assert_eq!(world.roster(ann)["ben"], PeerState::Reconnecting);
    let in_flight = sent(&world, ann).len();
    assert!(in_flight <= 104, "{in_flight}");
    world.cut(ann, ben, false);
    assert!(world.run_until(MINUTE, |world| values(world, ben).len() == 300));
    assert_eq!(sent(&world, ann), (0..300).collect::<Vec<_>>());
}

#[test]
fn sends_to_a_gone_peer_fail_and_each_outcome_is_reported_once() {
    let (mut world, ann, ben) = pair();
    world.crash(ben);
    for number in 0..200 {
        send(&mut world, ann, ben, number, bytes(10_000));
    }
    ask_within(&mut world, ann, ben, 500, "1", MINUTE * 60);
    world.run(MINUTE * 3);
    let sent = sent(&world, ann);
    let send_failures = send_failures(&world, ann);
    assert!(!sent.is_empty() && !send_failures.is_empty());
    let mut all: Vec<u32> = send_failures.iter().map(|(token, _)| *token).collect();
    assert!(
        send_failures
            .iter()
            .all(|(_, reason)| *reason == SendError::Gone)
    );
    all.splice(0..0, sent);
    assert_eq!(all, (0..200).collect::<Vec<_>>());
    assert_eq!(answered(&world, ann), [(500, Err(AskError::Gone))]);

    send(&mut world, ann, ben, 700, json(1));
    ask(&mut world, ann, ben, 701, "1");
    let last = world.nodes[ann].events.iter().rev().take(2);
    let peer = id(&world, ben);
    assert_eq!(
        last.cloned().collect::<Vec<_>>(),
        [
            Event::App(AppEvent::Answered {
                token: 701,
                peer,
                result: Err(AskError::Gone)
            }),
            Event::App(AppEvent::SendFailed {
                token: 700,
                reason: SendError::Gone
            })
        ]
    );
}

#[test]
fn leaving_ends_open_and_later_sends_and_questions() {
    let (mut world, ann, ben) = pair();
    world.cut(ann, ben, true);
    for number in 0..150 {
        send(&mut world, ann, ben, number, bytes(10_000));
    }
    ask(&mut world, ann, ben, 500, "1");
    world.command(ann, Command::Leave);
    send(&mut world, ann, ben, 600, json(1));
    ask(&mut world, ann, ben, 601, "1");
    let ended = sent(&world, ann).len() + send_failures(&world, ann).len();
    assert_eq!(ended, 151);
    assert_eq!(
        answered(&world, ann),
        [(500, Err(AskError::Gone)), (601, Err(AskError::Gone))]
    );
}

#[test]
fn a_peer_that_forgot_us_while_we_slept_is_gone_for_us_too_and_returns() {
    let (mut world, ann, ben) = pair();
    send(&mut world, ben, ann, 1, json(1));
    send(&mut world, ann, ben, 1, json(2));
    world.run(SOON);
    // Ben's computer sleeps. Ann gives him up after thirty seconds, and he does not know.
    world.sleep(ben, Duration::from_secs(120));
    assert!(world.roster(ann).is_empty());
    for token in 2..300 {
        send(&mut world, ben, ann, token, bytes(10_000));
    }
    ask_within(&mut world, ben, ann, 900, "1", MINUTE * 60);
    assert!(
        world.run_until(MINUTE, World::is_full_mesh),
        "{:?}",
        world.roster(ben)
    );
    world.run(SOON);
    let moves = world.nodes[ben]
        .events
        .iter()
        .filter_map(|event| match event {
            Event::People(PeopleEvent::Gone { reason, .. }) => Some(*reason),
            _ => None,
        });
    assert_eq!(moves.collect::<Vec<_>>(), [GoneReason::Silent]);
    let ended = sent(&world, ben).len() + send_failures(&world, ben).len();
    assert_eq!(ended, 299);
    assert_eq!(answered(&world, ben), [(900, Err(AskError::Gone))]);
    // From here on the two are like peers that have just met.
    let before = values(&world, ann).len();
    send(&mut world, ben, ann, 1_000, json("[1]"));
    send(&mut world, ann, ben, 1_000, json("[2]"));
    world.run(SOON);
    world.break_connections(ann, ben);
    send(&mut world, ben, ann, 1_001, json("[3]"));
    world.run(MINUTE);
    assert_eq!(values(&world, ann)[before..], [json("[1]"), json("[3]")]);
    assert_eq!(values(&world, ben), [json(2), json("[2]")]);
}

#[test]
fn values_that_are_too_large_or_malformed_are_refused() {
    let (mut world, ann, ben) = pair();
    send(&mut world, ann, ben, 1, bytes(MAX_VALUE + 1));
    send(&mut world, ann, ben, 2, json("{"));
    let kind = "ü".to_owned();
    send(
        &mut world,
        ann,
        ben,
        3,
        Value::Bytes {
            kind,
            bytes: vec![],
        },
    );
    assert_eq!(
        send_failures(&world, ann),
        [
            (1, SendError::TooLarge),
            (2, SendError::Malformed),
            (3, SendError::Malformed)
        ]
    );
}

#[test]
fn a_ping_measures_the_round_trip_time() {
    let (mut world, ann, ben) = pair();
    let peer = id(&world, ben);
    world.command(ann, Command::App(AppCommand::Ping { peer, token: 9 }));
    world.run(Duration::from_millis(50));
    let pong = Event::App(AppEvent::Pong {
        token: 9,
        peer,
        after: Duration::from_millis(4),
    });
    assert_eq!(world.nodes[ann].events.last(), Some(&pong));

    world.cut(ann, ben, true);
    world.command(ann, Command::App(AppCommand::Ping { peer, token: 10 }));
    world.break_connections(ann, ben);
    world.run(Duration::from_millis(50));
    world.command(ann, Command::App(AppCommand::Ping { peer, token: 11 }));
    let lost = [(10, SendError::Lost), (11, SendError::Gone)];
    assert_eq!(send_failures(&world, ann), lost);
}

#[test]
fn typing_is_sent_at_most_every_three_seconds() {
    let (mut world, ann, ben) = pair();
    for _ in 0..70 {
        world.command(ann, Command::Chat(ChatCommand::Typing(None)));
        world.run(Duration::from_millis(100));
    }
    let peer = id(&world, ann);
    let conversation = Conversation::Channel(MAIN_CHANNEL.to_owned());
    let typing = Event::Chat(ChatEvent::Typing { peer, conversation });
    let is_typing = |event: &&Event| **event == typing;
    assert_eq!(world.nodes[ben].events.iter().filter(is_typing).count(), 3);
}

#[test]
fn a_private_message_reaches_only_its_recipient_and_is_marked() {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    let (peer, text) = (id(&world, ben), "between us".to_owned());
    world.command(ann, Command::Chat(ChatCommand::SayTo { peer, text }));
    world.run(SOON);
    assert_eq!(world.heard(cleo), []);
    let said = |at: usize| {
        let mut events = world.nodes[at].events.iter();
        events.find_map(|event| match event {
            Event::Chat(ChatEvent::Message(message)) => {
                Some((message.is_direct(), message.with.clone()))
            }
            _ => None,
        })
    };
    assert_eq!(said(ann), Some((true, Some("ben".into()))));
    assert_eq!(said(ben), Some((true, Some("ann".into()))));
    let delivered = |event: &Event| {
        matches!(
            event,
            Event::Chat(ChatEvent::Delivery {
                delivered: 1,
                of: 1,
                ..
            })
        )
    };
    assert!(world.nodes[ann].events.iter().any(delivered));

    world.leave(ben);
    world.run(SOON);
    let text = "too late".to_owned();
    world.command(ann, Command::Chat(ChatCommand::SayTo { peer, text }));
    assert!(matches!(
        world.nodes[ann].events.last(),
        Some(Event::Refused(_))
    ));
}

#[test]
fn a_disconnected_peer_stays_away_until_it_returns_as_a_new_peer() {
    let (mut world, ann, ben) = pair();
    let peer = id(&world, ben);
    world.command(ann, Command::People(PeopleCommand::Disconnect(peer)));
    world.run(MINUTE * 10);
    assert!(world.roster(ann).is_empty());
    assert_eq!((world.connections(ann), world.connections(ben)), (0, 0));
    let gone = world.nodes[ann]
        .events
        .iter()
        .find_map(|event| match event {
            Event::People(PeopleEvent::Gone { reason, .. }) => Some(*reason),
            _ => None,
        });
    assert_eq!(gone, Some(GoneReason::Disconnected));
    world.leave(ben);
    world.open("ben");
    assert!(world.run_until(SOON, World::is_full_mesh));
}
