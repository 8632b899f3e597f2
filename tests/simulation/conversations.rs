//! What people say in a channel: newcomers catch up, groups that were apart come together, and nothing is lost or shown
//! twice.

use std::collections::BTreeMap;
use std::time::Duration;

use rtchat::room::{ChatCommand, ChatEvent, Command, Conversation, Event, Message, MessageId};

use crate::scenes::{MINUTE, SOON, pair};
use crate::world::World;

/// The messages that `at` shows, in the order in which it shows them, as they look now.
pub fn shown(world: &World, at: usize) -> Vec<Message> {
    let mut all: BTreeMap<MessageId, Message> = BTreeMap::new();
    for event in &world.nodes[at].events {
        match event {
            Event::Chat(ChatEvent::Message(message)) => {
                let twice = all.insert(message.id.clone(), (**message).clone());
                assert_eq!(twice, None, "shown twice");
            }
            Event::Chat(ChatEvent::Changed(message)) => {
                all.insert(message.id.clone(), (**message).clone());
            }
            _ => {}
        }
    }
    let mut all: Vec<Message> = all.into_values().collect();
    all.sort_by_key(|message| message.order);
    all
}

/// Their texts.
pub fn texts(world: &World, at: usize) -> Vec<String> {
    let shown = shown(world, at).into_iter();
    shown.map(|message| message.text).collect()
}

/// To how many people a message was sent, how many have it, and how many it is meant for, for each message of `at`.
pub fn deliveries(world: &World, at: usize) -> Vec<(u32, u32, u32)> {
    let mut all = BTreeMap::new();
    for event in &world.nodes[at].events {
        if let Event::Chat(ChatEvent::Delivery {
            id,
            sent,
            delivered,
            of,
        }) = event
        {
            all.insert(id.clone(), (*sent, *delivered, *of));
        }
    }
    all.into_values().collect()
}

fn older(world: &mut World, at: usize) {
    let lobby = Conversation::Channel("lobby".to_owned());
    world.command(at, Command::Chat(ChatCommand::Older(lobby)));
}

fn say_many(world: &mut World, at: usize, count: usize) {
    for number in 0..count {
        world.say(at, &format!("{number:04}"));
        world.run(Duration::from_millis(150));
    }
}

#[test]
fn a_newcomer_catches_up_on_what_was_said_and_by_whom() {
    let (mut world, ann, ben) = pair();
    for (at, text) in [(ann, "one"), (ben, "two"), (ann, "three"), (ben, "four")] {
        world.say(at, text);
        world.run(Duration::from_millis(100));
    }
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.run(SOON);
    let seen = shown(&world, cleo);
    let said = |message: &Message| (message.sender.clone(), message.text.clone());
    let expected = [
        ("ann", "one"),
        ("ben", "two"),
        ("ann", "three"),
        ("ben", "four"),
    ];
    let expected = expected.map(|(who, text)| (who.to_owned(), text.to_owned()));
    assert_eq!(seen.iter().map(said).collect::<Vec<_>>(), expected);
    assert!(seen.iter().all(|message| message.caught_up && !message.own));
    // Everybody has them in the same order, under the same ids.
    let ids = |at| shown(&world, at).into_iter().map(|message| message.id);
    assert!(ids(ann).eq(ids(cleo)) && ids(ben).eq(ids(cleo)));
    // Whoever was not there when it was said does not count among those whom it was meant for.
    assert_eq!(deliveries(&world, ann), [(1, 1, 1); 2]);
}

#[test]
fn what_is_said_to_an_empty_room_is_delivered_to_the_first_who_comes() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    world.run(SOON);
    world.say(ann, "is anybody there?");
    world.run(SOON);
    assert_eq!(deliveries(&world, ann), [(0, 0, 0)]);
    let ben = world.open("ben");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.run(SOON);
    assert_eq!(texts(&world, ben), ["is anybody there?"]);
    assert_eq!(deliveries(&world, ann), [(1, 1, 1)]);
    world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.run(SOON);
    assert_eq!(deliveries(&world, ann), [(1, 1, 1)]);
}

#[test]
fn words_reach_newcomers_after_their_author_has_left() {
    let (mut world, ann, ben) = pair();
    world.say(ann, "I have to go");
    world.run(SOON);
    world.leave(ann);
    world.run(SOON);
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, |world| world.verified(cleo) == 1));
    world.run(SOON);
    let seen = shown(&world, cleo);
    assert_eq!(
        (seen[0].sender.as_str(), seen[0].text.as_str()),
        ("ann", "I have to go")
    );
    assert_eq!(seen[0].peer, None);
    assert_eq!(texts(&world, ben).len(), 1);
}

#[test]
fn the_last_page_comes_at_once_and_older_ones_when_they_are_asked_for() {
    let (mut world, ann, _) = pair();
    say_many(&mut world, ann, 400);
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.run(SOON);
    let numbers = |range: std::ops::Range<usize>| -> Vec<String> {
        range.map(|number| format!("{number:04}")).collect()
    };
    assert_eq!(texts(&world, cleo), numbers(250..400));
    older(&mut world, cleo);
    world.run(SOON);
    assert_eq!(texts(&world, cleo), numbers(100..400));
    for _ in 0..3 {
        older(&mut world, cleo);
        world.run(SOON);
    }
    assert_eq!(texts(&world, cleo), numbers(0..400));
}

#[test]
fn a_slow_page_that_was_away_gets_all_of_what_was_said() {
    let (mut world, ann, ben) = pair();
    world.say(ann, "before");
    world.run(SOON);
    world.cut(ann, ben, true);
    for number in 0..4_000 {
        world.say(ann, &format!("{number:04}"));
        world.run(Duration::from_millis(2));
    }
    world.slow_pages.push(ben);
    world.cut(ann, ben, false);
    assert!(world.run_until(MINUTE * 10, World::is_full_mesh));
    world.run(MINUTE * 2);
    assert_eq!(texts(&world, ben).len(), 4_001);
}

#[test]
fn groups_that_were_apart_have_the_same_conversation_afterwards() {
    for seed in 0..6 {
        let mut world = World::new(seed);
        let all = ["ann", "ben", "cleo", "dan"].map(|name| world.open(name));
        let [ann, ben, cleo, dan] = all;
        assert!(world.run_until(SOON, World::is_full_mesh), "{seed}");
        world.say(ann, "together");
        world.run(SOON);
        for (one, other) in [(ann, cleo), (ann, dan), (ben, cleo), (ben, dan)] {
            world.cut(one, other, true);
        }
        // More than two pages on each side.
        for number in 0..170 {
            for (at, side) in [
                (ann, "left"),
                (ben, "left"),
                (cleo, "right"),
                (dan, "right"),
            ] {
                if (number + at) % 3 > 0 {
                    world.say(at, &format!("{side} {number}"));
                }
            }
            world.run(Duration::from_millis(400));
        }
        for (one, other) in [(ann, cleo), (ann, dan), (ben, cleo), (ben, dan)] {
            world.cut(one, other, false);
        }
        assert!(world.run_until(MINUTE * 10, World::is_full_mesh), "{seed}");
        world.run(MINUTE);
        let expected = texts(&world, ann);
        assert!(expected.len() > 400, "{seed}: {}", expected.len());
        for at in all {
            let ids = |at| shown(&world, at).into_iter().map(|message| message.id);
            assert_eq!(ids(at).count(), expected.len(), "{seed} {at}");
            let mut sets = [ids(at).collect::<Vec<_>>(), ids(ann).collect()];
            sets.iter_mut().for_each(|ids| ids.sort());
            assert_eq!(sets[0], sets[1], "{seed} {at}");
            // Everybody who was there when something was said has it.
            let delivered = deliveries(&world, at).into_iter();
            let missing = delivered.filter(|(_, delivered, of)| delivered < of);
            assert_eq!(missing.count(), 0, "{seed} {at}");
        }
    }
}

#[test]
fn edits_reactions_and_what_is_taken_back_look_the_same_to_everybody() {
    let (mut world, ann, ben) = pair();
    world.say(ann, "helo");
    world.say(ben, "oops");
    world.run(SOON);
    let id = |world: &World, text: &str| {
        let all = shown(world, ann);
        let found = all.into_iter().find(|message| message.text == text);
        found.unwrap().id
    };
    let (hello, oops) = (id(&world, "helo"), id(&world, "oops"));
    let text = "hello".to_owned();
    let edit = ChatCommand::Edit {
        id: hello.clone(),
        text,
    };
    world.command(ann, Command::Chat(edit));
    for (at, emoji, on) in [
        (ben, "👍", true),
        (ann, "👍", true),
        (ann, "❤️", true),
        (ann, "👍", false),
    ] {
        let (id, emoji) = (hello.clone(), emoji.to_owned());
        world.command(at, Command::Chat(ChatCommand::React { id, emoji, on }));
        world.run(Duration::from_millis(50));
    }
    world.command(ben, Command::Chat(ChatCommand::Retract(oops.clone())));
    let reply = ChatCommand::Say {
        conversation: Some(Conversation::Channel("lobby".to_owned())),
        text: "indeed".to_owned(),
        reply_to: Some(hello.clone()),
    };
    world.command(ben, Command::Chat(reply));
    world.run(SOON);
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.run(SOON);
    for at in [ann, ben, cleo] {
        let all = shown(&world, at);
        let find = |id: &MessageId| all.iter().find(|message| message.id == *id).unwrap();
        let message = find(&hello);
        assert_eq!(
            (message.text.as_str(), &message.earlier[..]),
            ("hello", &["helo".to_owned()][..])
        );
        let reactions = message.reactions.iter();
        let reactions = reactions.map(|one| {
            (
                one.emoji.as_str(),
                one.people[0].1.as_str(),
                one.people.len(),
            )
        });
        assert_eq!(
            reactions.collect::<Vec<_>>(),
            [("👍", "ben", 1), ("❤️", "ann", 1)]
        );
        assert_eq!(message.reactions[1].own, at == ann);
        let message = find(&oops);
        assert!(message.retracted && message.text.is_empty(), "{message:?}");
        let message = all.iter().find(|message| message.text == "indeed").unwrap();
        assert_eq!(message.reply_to.as_ref(), Some(&hello));
    }
    // Whoever came later never got the words that were taken back.
    let told = format!("{:?}", world.nodes[cleo].events);
    assert!(!told.contains("oops"));
}

#[test]
fn only_whoever_wrote_a_message_changes_it() {
    let (mut world, ann, ben) = pair();
    world.say(ann, "mine");
    world.run(SOON);
    let id = shown(&world, ben)[0].id.clone();
    let text = "yours".to_owned();
    let edit = ChatCommand::Edit {
        id: id.clone(),
        text,
    };
    for command in [edit, ChatCommand::Retract(id)] {
        world.command(ben, Command::Chat(command));
        let refused = world.nodes[ben]
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Refused(why) => Some(why.clone()),
                _ => None,
            });
        assert_eq!(
            refused.unwrap(),
            "Only whoever wrote a message can change it."
        );
    }
    world.run(SOON);
    assert_eq!(texts(&world, ann), ["mine"]);
}
