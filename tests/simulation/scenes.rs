//! Common beginnings of tests, actions of peers, and the events that they received.

use std::time::Duration;

use rtchat::identity::PeerId;
use rtchat::room::{
    AppCommand, AppEvent, AskError, Command, Event, PeopleEvent, Purpose, SendError, Shown, Value,
};

use super::world::World;

pub const SOON: Duration = Duration::from_secs(5);
pub const MINUTE: Duration = Duration::from_secs(60);

/// Two connected peers.
pub fn pair() -> (World, usize, usize) {
    let mut world = World::new(1);
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    assert!(world.run_until(SOON, World::is_full_mesh));
    (world, ann, ben)
}

pub fn id(world: &World, at: usize) -> PeerId {
    world.nodes[at].room.id()
}

pub fn send(world: &mut World, from: usize, to: usize, token: u32, value: Value) {
    let (peer, purpose) = (id(world, to), Purpose::Data);
    world.command(
        from,
        Command::App(AppCommand::Send {
            peer,
            token,
            purpose,
            value,
        }),
    );
}

pub fn ask(world: &mut World, from: usize, to: usize, token: u32, content: &str) {
    ask_within(world, from, to, token, content, Duration::from_secs(30));
}

pub fn ask_within(
    world: &mut World,
    from: usize,
    to: usize,
    token: u32,
    content: &str,
    timeout: Duration,
) {
    let command = Command::App(AppCommand::Ask {
        peer: id(world, to),
        token,
        topic: None,
        content: content.to_owned(),
        timeout,
    });
    world.command(from, command);
}

/// The questions that `at` was asked: the peer that asked, the question's id and its content.
pub fn questions(world: &World, at: usize) -> Vec<(PeerId, String, String)> {
    let events = world.nodes[at].events.iter();
    let questions = events.filter_map(|event| match event {
        Event::App(AppEvent::Question {
            peer,
            question,
            content,
            ..
        }) => Some((*peer, question.clone(), content.clone())),
        _ => None,
    });
    questions.collect()
}

/// The results of the questions that `at` asked.
pub fn answered(world: &World, at: usize) -> Vec<(u32, Result<String, AskError>)> {
    let events = world.nodes[at].events.iter();
    let answers = events.filter_map(|event| match event {
        Event::App(AppEvent::Answered { token, result, .. }) => Some((*token, result.clone())),
        _ => None,
    });
    answers.collect()
}

/// The values that `at` received.
pub fn values(world: &World, at: usize) -> Vec<Value> {
    let events = world.nodes[at].events.iter();
    let values = events.filter_map(|event| match event {
        Event::App(AppEvent::Value { value, .. }) => Some(value.clone()),
        _ => None,
    });
    values.collect()
}

/// The tokens of the values that `at` has sent, in order.
pub fn sent(world: &World, at: usize) -> Vec<u32> {
    let events = world.nodes[at].events.iter();
    let sent = events.filter_map(|event| match event {
        Event::App(AppEvent::Sent { token }) => Some(*token),
        _ => None,
    });
    sent.collect()
}

pub fn send_failures(world: &World, at: usize) -> Vec<(u32, SendError)> {
    let events = world.nodes[at].events.iter();
    let send_failures = events.filter_map(|event| match event {
        Event::App(AppEvent::SendFailed { token, reason }) => Some((*token, *reason)),
        _ => None,
    });
    send_failures.collect()
}

/// The other peer as it was last reported to `at`.
pub fn shown(world: &World, at: usize, other: usize) -> Shown {
    let other = id(world, other);
    let events = world.nodes[at].events.iter().rev();
    let mut views = events.filter_map(|event| match event {
        Event::People(PeopleEvent::Changed(view) | PeopleEvent::Request(view)) => Some(view),
        _ => None,
    });
    views
        .find(|view| view.id == other)
        .expect("the other peer should be shown")
        .shown()
}
