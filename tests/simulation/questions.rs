//! Questions are answered in time and once by the peer that was asked, over as many connections as needed.

use std::time::Duration;

use rtchat::room::{AppCommand, AskError, Command, MAX_QUESTION};

use super::scenes::{MINUTE, SOON, answered, ask, ask_within, pair, questions};
use super::world::World;

fn answer(world: &mut World, at: usize, result: Result<&str, &str>) {
    for (peer, question, _) in questions(world, at) {
        let result = result.map(str::to_owned).map_err(str::to_owned);
        world.command(
            at,
            Command::App(AppCommand::Answer {
                peer,
                question,
                result,
            }),
        );
    }
}

#[test]
fn a_question_is_answered_once_by_the_peer_that_was_asked() {
    let (mut world, ann, ben) = pair();
    ask(&mut world, ann, ben, 1, "{\"what\": \"time\"}");
    world.run(Duration::from_millis(100));
    assert_eq!(questions(&world, ben)[0].2, "{\"what\": \"time\"}");
    answer(&mut world, ben, Ok("[12, 30]"));
    // A second answer is not even sent.
    let carried = world.carried;
    answer(&mut world, ben, Ok("[12, 31]"));
    assert_eq!(world.carried, carried);
    world.run(SOON);
    assert_eq!(answered(&world, ann), [(1, Ok("[12, 30]".into()))]);
}

#[test]
fn a_handler_that_fails_reports_why() {
    let (mut world, ann, ben) = pair();
    ask(&mut world, ann, ben, 1, "1");
    world.run(Duration::from_millis(100));
    answer(&mut world, ben, Err(&"ü".repeat(5_000)));
    world.run(SOON);
    let [(1, Err(AskError::Failed(why)))] = &answered(&world, ann)[..] else {
        panic!("{:?}", answered(&world, ann));
    };
    assert_eq!(*why, "ü".repeat(500));
}

#[test]
fn a_question_without_an_answer_in_time_times_out() {
    let (mut world, ann, ben) = pair();
    ask_within(&mut world, ann, ben, 1, "1", Duration::from_secs(10));
    ask_within(&mut world, ann, ben, 2, "2", Duration::from_secs(3));
    ask_within(&mut world, ann, ben, 3, "3", Duration::ZERO);
    world.run(Duration::from_secs(4));
    let late = |token| (token, Err(AskError::Timeout));
    assert_eq!(answered(&world, ann), [late(3), late(2)]);
    world.run(Duration::from_secs(5));
    assert_eq!(answered(&world, ann).len(), 2);
    world.run(Duration::from_secs(1) + Duration::from_millis(1));
    assert_eq!(answered(&world, ann), [late(3), late(2), late(1)]);
    answer(&mut world, ben, Ok("1"));
    world.run(SOON);
    assert_eq!(answered(&world, ann).len(), 3);
    assert_eq!(world.dropped(ann, "an answer to no open question"), 3);
}

#[test]
fn a_withdrawn_question_gets_no_result() {
    let (mut world, ann, ben) = pair();
    ask(&mut world, ann, ben, 1, "1");
    ask(&mut world, ann, ben, 2, "2");
    world.command(ann, Command::App(AppCommand::Withdraw { token: 1 }));
    world.run(Duration::from_millis(100));
    answer(&mut world, ben, Ok("true"));
    world.run(MINUTE);
    assert_eq!(answered(&world, ann), [(2, Ok("true".into()))]);
}

#[test]
fn questions_and_answers_survive_broken_connections() {
    let (mut world, ann, ben) = pair();
    world.break_connections(ann, ben);
    ask(&mut world, ann, ben, 1, "1");
    assert!(world.run_until(MINUTE, |world| questions(world, ben).len() == 1));
    world.break_connections(ann, ben);
    world.run(Duration::from_millis(10));
    answer(&mut world, ben, Ok("\"yes\""));
    world.run(MINUTE);
    assert_eq!(answered(&world, ann), [(1, Ok("\"yes\"".into()))]);
}

#[test]
fn each_of_a_thousand_questions_gets_its_own_answer() {
    let (mut world, ann, ben) = pair();
    let long = "x".repeat(900);
    for token in 0..1_000 {
        ask(&mut world, ann, ben, token, &format!("\"{token} {long}\""));
    }
    world.run(SOON);
    for (peer, question, content) in questions(&world, ben).into_iter().rev() {
        let result = Ok(content);
        world.command(
            ben,
            Command::App(AppCommand::Answer {
                peer,
                question,
                result,
            }),
        );
    }
    world.run(SOON);
    let mut answers = answered(&world, ann);
    answers.sort_by_key(|(token, _)| *token);
    let expected = (0..1_000).map(|token| (token, Ok(format!("\"{token} {long}\""))));
    assert_eq!(answers, expected.collect::<Vec<_>>());
}

#[test]
fn questions_and_answers_that_are_too_long_fail_with_a_sentence() {
    let (mut world, ann, ben) = pair();
    ask(
        &mut world,
        ann,
        ben,
        4,
        &format!("\"{}\"", "x".repeat(MAX_QUESTION)),
    );
    ask(&mut world, ann, ben, 5, "{");
    for (_, result) in answered(&world, ann) {
        assert!(matches!(result, Err(AskError::Failed(why)) if why.ends_with('.')));
    }
    ask(
        &mut world,
        ann,
        ben,
        6,
        &format!("\"{}\"", "x".repeat(MAX_QUESTION - 2)),
    );
    world.run(SOON);
    assert_eq!(questions(&world, ben).len(), 1);
    let long = format!("\"{}\"", "x".repeat(MAX_QUESTION));
    answer(&mut world, ben, Ok(&long));
    world.run(SOON);
    assert_eq!(answered(&world, ann).len(), 3);
    let (6, Err(AskError::Failed(why))) = &answered(&world, ann)[2] else {
        panic!("{:?}", answered(&world, ann));
    };
    assert!(why.contains("256 KiB"));
}
