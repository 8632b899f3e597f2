//! A member who says whatever fits into a frame, in any order and at any time, and shakes the connections meanwhile:
//! nobody panics, nothing wakes the room for ever, and the others go on talking.

use std::collections::BTreeSet;
use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::Rng;
use rtchat::room::{ChatEvent, Event, Input, Value};
use rtchat::rtc::{LinkEvent, Path};

use super::{Mallory, newest_connect, rng};
use crate::scenes::{MINUTE, SOON, ask, send};
use crate::world::World;

fn pick<'a>(rng: &mut ChaCha20Rng, all: &[&'a str]) -> &'a str {
    all[rng.next_u32() as usize % all.len()]
}

/// A number that somebody may have forgotten to think of.
fn number(rng: &mut ChaCha20Rng) -> String {
    let small = (rng.next_u32() % 70).to_string();
    let numbers = [
        "0",
        "1",
        "-1",
        "4294967295",
        "4294967296",
        "9007199254740992",
        "18446744073709551615",
        "18446744073709551616",
        "1e9",
        "null",
    ];
    if rng.next_u32().is_multiple_of(2) {
        small
    } else {
        pick(rng, &numbers).to_owned()
    }
}

fn text(rng: &mut ChaCha20Rng) -> String {
    let words = [
        "\"\"",
        "\"a\"",
        "\"1\"",
        "\"offer\"",
        "\"accept\"",
        "\"stored\"",
        "\"sent\"",
        "\"done\"",
        "\"refuse\"",
        "\"stop\"",
        "\"ann\"",
        "\"AAAAAAAAAAA\"",
        "\"{\\\"k\\\":\\\"chat\\\",\\\"id\\\":\\\"p\\\",\\\"text\\\":\\\"p\\\",\\\"at\\\":1}\"",
        "\"\\u202e\\ud83d\\ude00\"",
        "7",
        "[]",
        "{}",
    ];
    pick(rng, &words).to_owned()
}

fn frame(rng: &mut ChaCha20Rng) -> LinkEvent {
    if rng.next_u32().is_multiple_of(4) {
        let length = rng.next_u32() % 40;
        let mut bytes: Vec<u8> = (0..length).map(|_| rng.next_u32() as u8).collect();
        if let Some(first) = bytes.first_mut() {
            *first &= 0xc7;
        }
        return LinkEvent::Bytes(bytes);
    }
    let kinds = [
        "chat",
        "receipt",
        "typing",
        "profile",
        "presence",
        "fetch",
        "connects",
        "verify",
        "ping",
        "pong",
        "signal",
        "candidates",
        "question",
        "answer",
        "file",
        "got",
        "part",
        "later",
    ];
    let kind = pick(rng, &kinds);
    let mut fields = format!("\"k\":\"{kind}\"");
    for name in ["n", "stream", "yours", "at", "file", "index", "of"] {
        if !rng.next_u32().is_multiple_of(4) {
            let number = number(rng);
            fields.push_str(&format!(",\"{name}\":{number}"));
        }
    }
    for name in ["id", "text", "name", "step", "error", "topic", "v", "proof"] {
        if !rng.next_u32().is_multiple_of(4) {
            let text = text(rng);
            fields.push_str(&format!(",\"{name}\":{text}"));
        }
    }
    for name in ["peers", "connects", "candidates"] {
        if rng.next_u32().is_multiple_of(2) {
            let text = text(rng);
            fields.push_str(&format!(",\"{name}\":[{text}]"));
        }
    }
    LinkEvent::Text(format!("{{{fields}}}"))
}

fn shake(world: &mut World, rng: &mut ChaCha20Rng, mallory: usize, other: usize) {
    match rng.next_u32() % 12 {
        0 => world.break_connections(mallory, other),
        1 => world.cut(mallory, other, true),
        2 | 3 => world.cut(mallory, other, false),
        4 => {
            let connections = world.open_connections(other, mallory);
            for connection in connections {
                let event = match rng.next_u32() % 4 {
                    0 => LinkEvent::Closed,
                    1 => LinkEvent::Opened,
                    2 => LinkEvent::Path(Path::Disconnected),
                    _ => LinkEvent::Failed("It broke.".to_owned()),
                };
                world.feed(other, Input::Link(connection, event));
            }
        }
        5 => world.feed(other, Input::Resumed),
        6 => send(
            world,
            other,
            mallory,
            rng.next_u32(),
            Value::Json("1".to_owned()),
        ),
        7 => ask(world, other, mallory, rng.next_u32(), "2"),
        _ => {}
    }
}

#[test]
fn whatever_a_member_says_nobody_panics_and_the_others_go_on_talking() {
    for seed in 0..12 {
        let mut world = World::new(seed);
        let mut rng = rng(700 + seed);
        let (ann, cleo) = (world.open("ann"), world.open("cleo"));
        let mallory = world.open("mallory");
        assert!(world.run_until(SOON, World::is_full_mesh));
        let mut outside = Mallory::new(800 + seed);
        for step in 0..1_500 {
            let to = [ann, cleo][rng.next_u32() as usize % 2];
            let message = frame(&mut rng);
            world.inject(mallory, to, message);
            shake(&mut world, &mut rng, mallory, to);
            if step % 10 == 0 {
                let theirs = newest_connect(&world, to);
                match rng.next_u32() % 3 {
                    0 => outside.send_offer(&mut world, &theirs),
                    1 => drop(outside.knock(&mut world, &theirs)),
                    _ => {
                        let connect = outside.connect(world.now);
                        outside.announce(&mut world, outside.id(), connect);
                    }
                }
                outside.answer(&mut world, to);
            }
            if step % 100 == 50 {
                world.say(ann, &format!("{step} of ann"));
                world.say(cleo, &format!("{step} of cleo"));
            }
            let pause = [0, 1, 7, 40, 500][rng.next_u32() as usize % 5];
            world.run(Duration::from_millis(pause));
        }
        world.cut(mallory, ann, false);
        world.cut(mallory, cleo, false);
        world.crash(mallory);
        world.run(2 * MINUTE);
        for (at, other) in [(ann, "of cleo"), (cleo, "of ann")] {
            let said = world.heard(at).into_iter().map(|(_, text)| text);
            let said: Vec<String> = said.filter(|text| text.ends_with(other)).collect();
            let expected = (0..15).map(|round| format!("{} {other}", round * 100 + 50));
            assert_eq!(said, expected.collect::<Vec<_>>(), "seed {seed}");
            // Whatever was shown was shown once.
            let events = world.nodes[at].events.iter();
            let ids = events.filter_map(|event| match event {
                Event::Chat(ChatEvent::Message(message)) => Some((message.peer, &message.id)),
                _ => None,
            });
            let ids: Vec<_> = ids.collect();
            let once: BTreeSet<_> = ids.iter().collect();
            assert_eq!(ids.len(), once.len(), "seed {seed}");
            let (_, wake) = world.nodes[at].room.next_wake().unwrap();
            assert!(wake > world.now, "seed {seed}");
        }
        world.run(30 * MINUTE);
        for at in [ann, cleo] {
            assert_eq!(world.verified(at), 1, "seed {seed} {:?}", world.roster(at));
            assert_eq!(world.connections(at), 1, "seed {seed}");
        }
    }
}
