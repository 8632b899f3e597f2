//! Members who cheat on the stream of values: the amount that they make others keep is bounded, impossible messages are
//! dropped and counted, and nobody else notices.

use std::time::Duration;

use rtchat::room::{AppCommand, AppEvent, AskError, ChatEvent, Command, Event, PeopleEvent, Value};
use rtchat::rtc::LinkEvent;

use crate::scenes::{SOON, answered, id, pair, send, sent, values};
use crate::world::World;

fn text(text: &str) -> LinkEvent {
    LinkEvent::Text(text.to_owned())
}

/// Ann and Cleo, who is honest, can still send each other values, and know of no others.
fn honest_ones_go_on(world: &mut World, ann: usize, cleo: usize) {
    let before = (values(world, ann).len(), values(world, cleo).len());
    let value = Value::Json("\"well\"".into());
    send(world, ann, cleo, 70_000, value.clone());
    send(world, cleo, ann, 70_000, value.clone());
    world.run(Duration::from_millis(500));
    let only = [value];
    assert_eq!(values(world, ann)[before.0..], only);
    assert_eq!(values(world, cleo)[before.1..], only);
    assert_eq!(sent(world, ann).last(), Some(&70_000));
}

fn three() -> (World, usize, usize, usize) {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    (world, ann, ben, cleo)
}

#[test]
fn bytes_before_the_proof_are_dropped_and_end_the_connection() {
    for first in [vec![], vec![0, 0, 7], vec![4, b'1'], vec![0xff; 16_384]] {
        let mut world = World::new(1);
        let (ann, ben) = (world.open("ann"), world.open("ben"));
        world.replace_first_frame = Some((ben, LinkEvent::Bytes(first)));
        world.run(Duration::from_secs(2));
        assert_eq!((world.verified(ann), values(&world, ann)), (0, vec![]));
        assert!(world.dropped(ann, "an unreadable frame") > 0);
        let failed =
            |event: &Event| matches!(event, Event::People(PeopleEvent::ValidationFailure { .. }));
        assert!(world.nodes[ann].events.iter().any(failed));
    }
}

#[test]
fn values_before_the_proof_are_not_delivered() {
    for first in [
        LinkEvent::Bytes(b"\x041".to_vec()),
        text(r#"{"k":"question","id":"q","v":1}"#),
        text(r#"{"k":"got","n":0,"stream":1}"#),
    ] {
        let mut world = World::new(1);
        let (ann, ben) = (world.open("ann"), world.open("ben"));
        world.replace_first_frame = Some((ben, first));
        world.run(Duration::from_secs(2));
        assert_eq!((world.verified(ann), values(&world, ann)), (0, vec![]));
    }
}

#[test]
fn values_before_it_is_clear_which_stream_they_belong_to_are_dropped() {
    let mut world = World::new(1);
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    world.muted.push((ben, "\"got\"".to_owned()));
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.inject(ben, ann, text(r#"{"k":"question","id":"q","v":1}"#));
    world.inject(ben, ann, LinkEvent::Bytes(vec![0, 0, 7]));
    world.run(SOON);
    assert_eq!(values(&world, ann), []);
    // Two that were injected, and what ben has to say of the conversation.
    assert_eq!(world.dropped(ann, "an unreadable frame"), 3);
    // Nor is anything sent to a peer that does not say where to go on.
    send(&mut world, ann, ben, 1, Value::Json("1".into()));
    world.run(SOON);
    assert_eq!(sent(&world, ann), [0; 0]);
}

#[test]
fn a_value_without_end_is_given_up_and_not_kept() {
    let (mut world, ann, ben, cleo) = three();
    let mut piece = vec![0xc0; 16_384];
    world.inject(ben, ann, LinkEvent::Bytes(vec![0x80, 0]));
    // Forty megabytes: more than twice what a value may have.
    for _ in 0..2_600 {
        world.inject(ben, ann, LinkEvent::Bytes(piece.clone()));
        world.run(Duration::from_millis(3));
    }
    assert_eq!(world.dropped(ann, "too large"), 1);
    assert_eq!(values(&world, ann), []);
    // The end of the value, and a valid value.
    piece.truncate(10);
    piece[0] = 0x40;
    world.inject(ben, ann, LinkEvent::Bytes(piece));
    world.inject(ben, ann, LinkEvent::Bytes(vec![0, 0, 7]));
    world.run(SOON);
    let bytes = vec![7];
    let kind = String::new();
    assert_eq!(values(&world, ann), [Value::Bytes { kind, bytes }]);
    honest_ones_go_on(&mut world, ann, cleo);
}

#[test]
fn binary_messages_that_fit_nowhere_are_counted_and_dropped() {
    let (mut world, ann, ben, cleo) = three();
    let messages: [&[u8]; 9] = [
        &[],
        &[3],
        &[0x20, 0],
        &[0x40, 1],
        &[0, 200, 1],
        &[0, 1, 0xff],
        &[4, b'['],
        &[4, 0xff],
        &[2, b'{'],
    ];
    for message in messages {
        world.inject(ben, ann, LinkEvent::Bytes(message.to_vec()));
    }
    let frame = [&[2], &br#"{"k":"leave"}"#[..]].concat();
    world.inject(ben, ann, LinkEvent::Bytes(frame));
    world.run(SOON);
    assert_eq!(world.dropped(ann, "an unreadable frame"), 10);
    assert_eq!(values(&world, ann), []);
    assert!(world.is_full_mesh());
    honest_ones_go_on(&mut world, ann, cleo);
}

#[test]
fn impossible_counts_are_dropped_and_nothing_is_lost_by_them() {
    let (mut world, ann, ben, cleo) = three();
    send(&mut world, ann, ben, 1, Value::Json("1".into()));
    world.run(SOON);
    for count in ["99", "18446744073709551615", "0"] {
        world.inject(ben, ann, text(&format!("{{\"k\":\"got\",\"n\":{count}}}")));
    }
    let again = r#"{"k":"got","n":0,"stream":5,"yours":5}"#;
    world.inject(ben, ann, text(again));
    world.inject(ben, ann, text(r#"{"k":"got","n":-1}"#));
    world.run(SOON);
    assert_eq!(world.dropped(ann, "an unreadable frame"), 5);
    send(&mut world, ann, ben, 2, Value::Json("2".into()));
    world.run(SOON);
    let numbers = [Value::Json("1".into()), Value::Json("2".into())];
    assert_eq!(values(&world, ben), numbers);
    honest_ones_go_on(&mut world, ann, cleo);
}

#[test]
fn a_peer_that_never_acknowledges_is_sent_no_more_than_the_first_window() {
    let (mut world, ann, ben, cleo) = three();
    world.muted.push((ben, "\"got\"".to_owned()));
    for token in 0..3_000 {
        let bytes = vec![1; 10_000];
        let kind = String::new();
        send(&mut world, ann, ben, token, Value::Bytes { kind, bytes });
    }
    world.run(SOON);
    // Nothing shows how fast it takes them, so it gets 256 KiB.
    let sent = sent(&world, ann).len();
    assert!((20..=26).contains(&sent), "{sent}");
    honest_ones_go_on(&mut world, ann, cleo);
}

#[test]
fn only_the_peer_that_was_asked_can_answer() {
    let (mut world, ann, ben, cleo) = three();
    let ask = Command::App(AppCommand::Ask {
        peer: id(&world, cleo),
        token: 1,
        topic: None,
        content: "1".into(),
        timeout: Duration::from_secs(60),
    });
    world.command(ann, ask);
    world.run(Duration::from_millis(100));
    let question = world.nodes[cleo]
        .events
        .iter()
        .find_map(|event| match event {
            Event::App(AppEvent::Question { question, .. }) => Some(question.clone()),
            _ => None,
        });
    let question = question.unwrap();
    // Even if ben knows the question's id.
    let forged = format!("{{\"k\":\"answer\",\"id\":\"{question}\",\"v\":\"ben's\"}}");
    world.inject(ben, ann, text(&forged));
    for id in ["", "a", "aaaaaaaaaaaaaaaa", "\u{1F600}"] {
        let answer = format!("{{\"k\":\"answer\",\"id\":\"{id}\",\"error\":\"never asked\"}}");
        world.inject(ben, ann, text(&answer));
    }
    world.run(SOON);
    assert_eq!(answered(&world, ann), []);
    assert_eq!(world.dropped(ann, "an answer to no open question"), 5);
    let answer = Command::App(AppCommand::Answer {
        peer: id(&world, ann),
        question,
        result: Ok("\"cleo's\"".into()),
    });
    world.command(cleo, answer);
    world.run(SOON);
    let honest: Result<String, AskError> = Ok("\"cleo's\"".into());
    assert_eq!(answered(&world, ann), [(1, honest)]);
}

#[test]
fn a_flood_of_values_does_not_keep_messages_from_others_out() {
    let (mut world, ann, ben, cleo) = three();
    for round in 0..100 {
        for _ in 0..200 {
            world.inject(ben, ann, LinkEvent::Bytes(b"\x04[1,2,3]".to_vec()));
            world.inject(ben, ann, text(r#"{"k":"question","id":"q","v":1}"#));
            world.inject(ben, ann, text(r#"{"k":"got","n":999}"#));
            world.inject(ben, ann, text(r#"{"k":"typing"}"#));
        }
        world.say(cleo, &format!("{round}"));
        world.run(Duration::from_millis(50));
    }
    world.run(SOON);
    assert_eq!(world.heard(ann).len(), 100);
    let typing = |event: &&Event| matches!(event, Event::Chat(ChatEvent::Typing { .. }));
    let typing = world.nodes[ann].events.iter().filter(typing).count();
    assert!(typing <= 400 + 60 * 6, "{typing}");
    // Whoever sends so much that nobody can read is not heard about anything.
    assert!(values(&world, ann).len() < 1_000);
    honest_ones_go_on(&mut world, ann, cleo);
}

#[test]
fn a_question_that_is_too_long_or_has_a_strange_name_is_dropped() {
    let (mut world, ann, ben, cleo) = three();
    let long = "x".repeat(2_000);
    for question in [
        r#"{"k":"question","id":"","v":1}"#.to_owned(),
        format!("{{\"k\":\"question\",\"id\":\"{long}\",\"v\":1}}"),
        format!("{{\"k\":\"question\",\"id\":\"q\",\"topic\":\"{long}\",\"v\":1}}"),
    ] {
        world.inject(ben, ann, text(&question));
    }
    world.run(SOON);
    assert_eq!(world.dropped(ann, "an unreadable frame"), 3);
    let asked = |event: &Event| matches!(event, Event::App(AppEvent::Question { .. }));
    assert!(!world.nodes[ann].events.iter().any(asked));
    honest_ones_go_on(&mut world, ann, cleo);
}
