//! Somebody who asked nothing for a while, and then much at once, is answered and not sent away.

use std::time::Duration;

use rtchat::room::{AppCommand, Command};

use crate::scenes::{MINUTE, SOON, answered, ask, pair, questions};
use crate::world::World;

fn answer_all(world: &mut World, at: usize, content: &str) {
    for (peer, question, _) in questions(world, at) {
        let answer = AppCommand::Answer {
            peer,
            question,
            result: Ok(content.to_owned()),
        };
        world.command(at, Command::App(answer));
    }
}

#[test]
fn a_peer_that_asks_for_much_after_a_silence_gets_all_of_it() {
    let (mut world, ann, ben) = pair();
    world.run(MINUTE);
    for token in 0..12 {
        ask(&mut world, ben, ann, token, "1");
    }
    world.run(Duration::from_millis(100));
    let content = format!("\"{}\"", "a".repeat(250_000));
    answer_all(&mut world, ann, &content);
    world.run(SOON);
    let answers = answered(&world, ben);
    assert!(answers.iter().all(|(_, result)| result.is_ok()));
    assert_eq!(answers.len(), 12);
    assert_eq!(world.verified(ann), 1);
}
