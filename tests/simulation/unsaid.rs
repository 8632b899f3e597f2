//! Own messages that cannot be said: they are shown as failed, with the reason, and are said once when they are tried again.

use rtchat::room::{
    ChatCommand, ChatEvent, Command, Conversation, Deletion, Event, MessageId, PeopleCommand,
    Unsaid,
};

use crate::attachments::described;
use crate::conversations::{deliveries, shown, texts};
use crate::scenes::{MINUTE, SOON, pair, shown as seen};
use crate::world::World;

/// What `at` was told of messages that were not said.
fn failures(world: &World, at: usize) -> Vec<(MessageId, Unsaid)> {
    let events = world.nodes[at].events.iter();
    let failures = events.filter_map(|event| match event {
        Event::Chat(ChatEvent::Failed { id, reason }) => Some((id.clone(), *reason)),
        _ => None,
    });
    failures.collect()
}

fn refusals(world: &World, at: usize) -> usize {
    let events = world.nodes[at].events.iter();
    events
        .filter(|event| matches!(event, Event::Refused(_)))
        .count()
}

fn given_up(world: &World, at: usize, id: &MessageId) -> bool {
    let deleted = Event::Chat(ChatEvent::Deleted(Deletion::Message(id.clone())));
    world.nodes[at].events.contains(&deleted)
}

fn retry(world: &mut World, at: usize, id: &MessageId) {
    world.command(at, Command::Chat(ChatCommand::Retry(id.clone())));
    world.run(SOON);
}

#[test]
fn a_message_that_was_not_signed_is_said_once_it_is() {
    let (mut world, ann, ben) = pair();
    world.refusing_keys.push(ann);
    world.say(ann, "one");
    world.run(SOON);
    let (id, reason) = failures(&world, ann).remove(0);
    assert_eq!(reason, Unsaid::NotSigned);
    assert_eq!(shown(&world, ann)[0].id, id, "it is shown, with its text");
    assert_eq!(texts(&world, ben), [""; 0]);
    // It fails again as long as the key refuses, and is counted for nobody in between.
    retry(&mut world, ann, &id);
    assert_eq!(failures(&world, ann).len(), 2);
    world.refusing_keys.clear();
    world.say(ann, "two");
    world.run(SOON);
    retry(&mut world, ann, &id);
    // A second press finds nothing to say.
    retry(&mut world, ann, &id);
    assert_eq!(refusals(&world, ann), 1);
    for at in [ann, ben] {
        assert_eq!(
            texts(&world, at),
            ["one", "two"],
            "in the order in which they were written"
        );
    }
    assert_eq!(deliveries(&world, ann), [(1, 1, 1), (1, 1, 1)]);
    // Whoever comes later has it once, too.
    let cleo = world.open("cleo");
    world.run(MINUTE);
    assert_eq!(texts(&world, cleo), ["one", "two"]);
}

#[test]
fn nothing_waits_for_whoever_comes_while_a_message_has_failed() {
    let mut world = World::new(3);
    let ann = world.open("ann");
    world.run(SOON);
    world.refusing_keys.push(ann);
    world.say(ann, "to whoever comes");
    world.run(SOON);
    world.refusing_keys.clear();
    let ben = world.open("ben");
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    world.run(SOON);
    assert_eq!(texts(&world, ben), [""; 0]);
    let (id, _) = failures(&world, ann).remove(0);
    retry(&mut world, ann, &id);
    assert_eq!(texts(&world, ben), ["to whoever comes"]);
    assert_eq!(deliveries(&world, ann), [(1, 1, 1)]);
}

#[test]
fn an_edit_that_was_not_signed_changes_nothing() {
    let (mut world, ann, ben) = pair();
    world.say(ann, "as it was");
    world.run(SOON);
    world.refusing_keys.push(ann);
    let id = shown(&world, ann)[0].id.clone();
    let text = "as it is".to_owned();
    world.command(ann, Command::Chat(ChatCommand::Edit { id, text }));
    world.run(SOON);
    assert_eq!(refusals(&world, ann), 1);
    assert_eq!(failures(&world, ann), []);
    for at in [ann, ben] {
        assert_eq!(texts(&world, at), ["as it was"]);
    }
}

#[test]
fn a_message_to_somebody_who_is_blocked_can_be_sent_once_they_are_not() {
    let (mut world, ann, ben) = pair();
    let key = world.nodes[ben].identity.public();
    let who = seen(&world, ann, ben);
    world.command(ann, Command::People(PeopleCommand::Block(who)));
    world.run(SOON);
    let conversation = Some(Conversation::Direct(key));
    let (text, reply_to) = ("make peace".to_owned(), None);
    let say = ChatCommand::Say {
        conversation,
        text,
        reply_to,
    };
    world.command(ann, Command::Chat(say));
    world.run(SOON);
    let (id, reason) = failures(&world, ann).remove(0);
    assert_eq!(reason, Unsaid::Blocked);
    retry(&mut world, ann, &id);
    let (again, _) = failures(&world, ann).remove(1);
    assert!(
        given_up(&world, ann, &id),
        "one takes the place of the other"
    );
    world.command(ann, Command::People(PeopleCommand::Unblock(key)));
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    retry(&mut world, ann, &again);
    assert!(given_up(&world, ann, &again));
    assert_eq!(texts(&world, ben), ["make peace"]);
    assert_eq!(failures(&world, ann).len(), 2);
}

#[test]
fn a_text_that_is_too_long_beside_its_file_is_lost_with_neither() {
    let (mut world, ann, ben) = pair();
    let file = described(&"ä".repeat(255), b"bytes");
    let (key, bytes) = (file.key(), b"bytes".to_vec());
    world.nodes[ann].blobs.insert(key, bytes);
    let text = "𝄞".repeat(10_000);
    let say = ChatCommand::SayFile {
        conversation: None,
        file: Box::new(file),
        text: text.clone(),
        reply_to: None,
    };
    world.command(ann, Command::Chat(say));
    world.run(SOON);
    let (_, reason) = failures(&world, ann).remove(0);
    assert_eq!(reason, Unsaid::TooLong);
    let said = shown(&world, ann).remove(0);
    assert_eq!(said.text, text);
    assert!(said.file.is_some());
    assert_eq!(texts(&world, ben), [""; 0]);
}

#[test]
fn a_message_can_be_given_up() {
    let (mut world, ann, ben) = pair();
    world.refusing_keys.push(ann);
    world.say(ann, "never mind");
    world.run(SOON);
    let (id, _) = failures(&world, ann).remove(0);
    let delete = ChatCommand::Delete(Deletion::Message(id.clone()));
    world.command(ann, Command::Chat(delete));
    world.refusing_keys.clear();
    world.run(SOON);
    assert!(given_up(&world, ann, &id));
    retry(&mut world, ann, &id);
    assert_eq!(refusals(&world, ann), 1);
    assert_eq!(texts(&world, ben), [""; 0]);
}

#[test]
fn only_so_many_messages_wait_to_be_tried_again() {
    let (mut world, ann, _) = pair();
    world.refusing_keys.push(ann);
    for number in 0..150 {
        world.say(ann, &format!("{number}"));
    }
    world.refusing_keys.clear();
    for (id, _) in failures(&world, ann) {
        world.command(ann, Command::Chat(ChatCommand::Retry(id)));
    }
    world.run(SOON);
    assert_eq!(refusals(&world, ann), 50);
}
