//! What a browser keeps: it is there after a reload, waits for people, is shared by tabs, and can be deleted.

use rtchat::identity::TrustBook;
use rtchat::room::{
    ChatCommand, ChatEvent, Command, Conversation, Deletion, Event, Message, Order,
};
use rtchat::settings::Accept;

use crate::conversations::{deliveries, shown, texts};
use crate::scenes::{MINUTE, SOON};
use crate::world::World;

fn lobby() -> Conversation {
    Conversation::Channel("lobby".to_owned())
}

fn chat(world: &mut World, at: usize, command: ChatCommand) {
    world.command(at, Command::Chat(command));
}

/// Opens a tab that keeps what is said in this store.
fn open(world: &mut World, name: &str, store: usize) -> usize {
    let at = world.open(name);
    world.keep(at, store);
    at
}

/// Opens a tab of the same browser.
fn again(world: &mut World, at: usize, name: &str, store: usize) -> usize {
    let identity = world.nodes[at].identity.clone();
    let at = world.open_as(name, identity, Accept::Everyone, TrustBook::default());
    world.keep(at, store);
    at
}

fn say_many(world: &mut World, at: usize, count: usize) {
    for number in 0..count {
        world.say(at, &format!("{number}"));
        world.run(std::time::Duration::from_millis(20));
    }
}

#[test]
fn what_was_said_is_there_after_a_reload_also_when_nobody_else_is() {
    let mut world = World::new(1);
    let (ann, ben) = (open(&mut world, "ann", 0), world.open("ben"));
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.say(ann, "helo");
    world.say(ben, "hi");
    world.run(SOON);
    let id = shown(&world, ann)[0].id.clone();
    let text = "hello".to_owned();
    chat(&mut world, ann, ChatCommand::Edit { id, text });
    world.run(SOON);
    world.leave(ben);
    world.leave(ann);
    world.run(MINUTE);
    let ann = again(&mut world, ann, "ann", 0);
    world.run(SOON);
    assert_eq!(texts(&world, ann), ["hello", "hi"]);
    let all = shown(&world, ann);
    assert_eq!(all[0].earlier, ["helo"]);
    assert!(all.iter().all(|message| message.caught_up));
    assert!(all[0].own && !all[1].own);
    assert_eq!(all[1].sender, "ben");
    // Its deliveries are known, too.
    assert_eq!(deliveries(&world, ann), [(1, 1, 1)]);
}

#[test]
fn what_was_said_to_nobody_is_delivered_also_if_the_page_was_closed_in_between() {
    let mut world = World::new(1);
    let ann = open(&mut world, "ann", 0);
    world.run(SOON);
    world.say(ann, "is anybody here");
    world.run(SOON);
    assert_eq!(deliveries(&world, ann), [(0, 0, 0)]);
    world.crash(ann);
    world.run(MINUTE * 10);
    let ann = again(&mut world, ann, "ann", 0);
    world.run(SOON);
    assert_eq!(deliveries(&world, ann), [(0, 0, 0)]);
    let ben = world.open("ben");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.run(SOON);
    assert_eq!(texts(&world, ben), ["is anybody here"]);
    assert_eq!(deliveries(&world, ann), [(1, 1, 1)]);
}

#[test]
fn a_direct_message_waits_through_a_reload_for_somebody_who_is_away() {
    let mut world = World::new(1);
    let (ann, ben) = (open(&mut world, "ann", 0), open(&mut world, "ben", 1));
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.leave(ben);
    world.run(SOON);
    let key = world.nodes[ben].identity.public();
    let say = ChatCommand::Say {
        conversation: Some(Conversation::Direct(key)),
        text: "for you".to_owned(),
        reply_to: None,
    };
    chat(&mut world, ann, say);
    world.run(SOON);
    world.crash(ann);
    world.run(MINUTE);
    let ann = again(&mut world, ann, "ann", 0);
    assert_eq!(texts(&world, ann), [""; 0]);
    world.run(SOON);
    assert_eq!(
        shown(&world, ann)[0].conversation,
        Conversation::Direct(key)
    );
    let ben = again(&mut world, ben, "ben", 1);
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.run(SOON);
    assert_eq!(texts(&world, ben), ["for you"]);
    assert_eq!(deliveries(&world, ann), [(1, 1, 1)]);
    // It is not shown again after another reload.
    world.crash(ben);
    let ben = again(&mut world, ben, "ben", 1);
    world.run(SOON);
    assert_eq!(texts(&world, ben), ["for you"]);
}

#[test]
fn two_tabs_share_one_store_and_never_fight_or_double() {
    let mut world = World::new(1);
    let ann = open(&mut world, "ann", 0);
    world.next_tab = 2;
    let other = again(&mut world, ann, "ann", 0);
    let ben = world.open("ben");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.say(ann, "one");
    world.say(other, "two");
    world.say(ben, "three");
    world.run(SOON);
    let id = shown(&world, ann)[0].id.clone();
    chat(&mut world, other, ChatCommand::Retract(id));
    world.run(SOON);
    for at in [ann, other] {
        assert_eq!(texts(&world, at), ["", "two", "three"]);
    }
    assert_eq!(world.kept[0].records.len(), 4);
    world.crash(ann);
    world.crash(other);
    world.run(MINUTE * 5);
    let ann = again(&mut world, ann, "ann", 0);
    world.run(SOON);
    assert_eq!(texts(&world, ann), ["", "two", "three"]);
    // Each of its tabs knew who has what it said.
    let all = deliveries(&world, ann);
    assert!(all.iter().all(|counts| *counts == (1, 1, 1)), "{all:?}");
}

#[test]
fn only_the_newest_are_shown_at_first_and_older_ones_when_they_are_asked_for() {
    let mut world = World::new(1);
    let ann = open(&mut world, "ann", 0);
    world.run(SOON);
    say_many(&mut world, ann, 420);
    world.crash(ann);
    world.run(MINUTE);
    let ann = again(&mut world, ann, "ann", 0);
    world.run(SOON);
    assert_eq!(texts(&world, ann).len(), 150);
    for expected in [250, 350, 420, 420] {
        chat(&mut world, ann, ChatCommand::Older(lobby()));
        world.run(SOON);
        assert_eq!(texts(&world, ann).len(), expected);
    }
    let expected: Vec<String> = (0..420).map(|number| format!("{number}")).collect();
    assert_eq!(texts(&world, ann), expected);
}

#[test]
fn what_was_read_in_one_tab_is_read_in_all() {
    let read = |world: &World, at: usize| {
        let events = world.nodes[at].events.iter().rev();
        let mut marks = events.filter_map(|event| match event {
            Event::Chat(ChatEvent::Read(_, order)) => Some(*order),
            _ => None,
        });
        marks.next()
    };
    let mut world = World::new(1);
    let ann = open(&mut world, "ann", 0);
    world.next_tab = 2;
    let other = again(&mut world, ann, "ann", 0);
    let ben = world.open("ben");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.say(ben, "one");
    world.run(SOON);
    let order = shown(&world, ann)[0].order;
    chat(&mut world, ann, ChatCommand::Read(lobby(), order));
    world.run(SOON);
    assert_eq!(read(&world, other), Some(order));
    // It does not go back.
    chat(
        &mut world,
        other,
        ChatCommand::Read(lobby(), Order(1, [0; 32])),
    );
    world.run(SOON);
    world.crash(ann);
    let ann = again(&mut world, ann, "ann", 0);
    world.run(SOON);
    assert_eq!(read(&world, ann), Some(order));
}

#[test]
fn what_is_read_before_the_store_is_there_does_not_make_it_forget() {
    let mut world = World::new(1);
    let (ann, ben) = (open(&mut world, "ann", 0), world.open("ben"));
    assert!(world.run_until(SOON, World::is_full_mesh));
    let direct = Conversation::Direct(world.nodes[ann].identity.public());
    for (conversation, text) in [(lobby(), "to all"), (direct, "to you")] {
        let say = ChatCommand::Say {
            conversation: Some(conversation),
            text: text.to_owned(),
            reply_to: None,
        };
        chat(&mut world, ben, say);
    }
    world.run(SOON);
    for message in shown(&world, ann) {
        let read = ChatCommand::Read(message.conversation, message.order);
        chat(&mut world, ann, read);
    }
    world.run(SOON);
    let marks = world.kept[0].states["read"].len();
    world.crash(ann);
    world.run(MINUTE * 5);
    let ann = again(&mut world, ann, "ann", 0);
    // This is read at once, while the store is still being read.
    world.say(ann, "back");
    let order = shown(&world, ann)[0].order;
    chat(&mut world, ann, ChatCommand::Read(lobby(), order));
    world.run(SOON);
    assert_eq!(world.kept[0].states["read"].len(), marks);
    world.crash(ann);
    let ann = again(&mut world, ann, "ann", 0);
    world.run(SOON);
    let read = Event::Chat(ChatEvent::Read(lobby(), order));
    assert!(world.nodes[ann].events.contains(&read), "and it is kept");
}

/// Ann, who keeps what is said, and ben, who has said this to her.
fn heard(texts: &[&str]) -> (World, usize, usize) {
    let mut world = World::new(1);
    let (ann, ben) = (open(&mut world, "ann", 0), world.open("ben"));
    assert!(world.run_until(SOON, World::is_full_mesh));
    for text in texts {
        world.say(ben, text);
        world.run(SOON);
    }
    (world, ann, ben)
}

/// Ann's page is closed, and opened again much later.
fn come_back(world: &mut World, ann: usize) -> usize {
    world.crash(ann);
    world.run(MINUTE * 5);
    let ann = again(world, ann, "ann", 0);
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    world.run(SOON);
    ann
}

#[test]
fn what_was_deleted_does_not_come_back_if_the_page_is_closed_at_that_moment() {
    let delete = |deletion: fn(&World, usize) -> Deletion| {
        let (mut world, ann, _) = heard(&["one", "two"]);
        world.writes_left = Some(1);
        let deletion = deletion(&world, ann);
        chat(&mut world, ann, ChatCommand::Delete(deletion));
        world.run(SOON);
        world.crash(ann);
        world.writes_left = None;
        let ann = come_back(&mut world, ann);
        texts(&world, ann)
    };
    let message = delete(|world, at| Deletion::Message(shown(world, at)[1].id.clone()));
    assert_eq!(message, ["one"]);
    let conversation = delete(|_, _| Deletion::Conversation(lobby()));
    assert_eq!(conversation, [""; 0]);
}

#[test]
fn what_was_deleted_does_not_come_back_while_the_store_is_slow() {
    let delete = |deletion: fn(&World, usize) -> Deletion, expected: &[&str]| {
        let (mut world, ann, ben) = heard(&["one", "two"]);
        let id = shown(&world, ben)[1].id.clone();
        let react = |emoji: &str| ChatCommand::React {
            id: id.clone(),
            emoji: emoji.to_owned(),
            on: true,
        };
        chat(&mut world, ben, react("👍"));
        world.run(SOON);
        let deletion = deletion(&world, ann);
        chat(&mut world, ann, ChatCommand::Delete(deletion));
        world.run(SOON);
        world.crash(ann);
        // Whatever ben says about the message later is deleted with it.
        chat(&mut world, ben, react("👋"));
        world.say(ben, "three");
        world.run(MINUTE * 5);
        world.reading_takes = 20_000;
        let ann = again(&mut world, ann, "ann", 0);
        assert!(world.run_until(SOON, World::is_full_mesh));
        world.run(SOON);
        assert_eq!(texts(&world, ann), ["one", "two", "three"]);
        world.run(MINUTE);
        let texts_of = |all: Vec<Message>| -> Vec<String> {
            all.into_iter().map(|message| message.text).collect()
        };
        let left = texts_of(world.nodes[ann].room.history(&lobby(), None, 9));
        assert_eq!(left, expected);
        assert_eq!(world.kept[0].records.len(), expected.len());
        let told = |number: usize| {
            let id = shown(&world, ben)[number].id.clone();
            let deleted = Event::Chat(ChatEvent::Deleted(Deletion::Message(id)));
            world.nodes[ann].events.contains(&deleted)
        };
        assert!(told(1) && !told(2), "and people are told");
    };
    delete(
        |world, at| Deletion::Message(shown(world, at)[1].id.clone()),
        &["one", "three"],
    );
    delete(|_, _| Deletion::Conversation(lobby()), &["three"]);
    delete(|_, _| Deletion::Room, &["three"]);
}

#[test]
fn what_is_deleted_while_its_signature_is_checked_does_not_come_afterwards() {
    let mut world = World::new(1);
    let (ann, ben) = (open(&mut world, "ann", 0), world.open("ben"));
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.slow_keys.push(ann);
    world.signing_takes = 2_000;
    world.say(ben, "one");
    world.run(std::time::Duration::from_secs(1));
    chat(
        &mut world,
        ann,
        ChatCommand::Delete(Deletion::Conversation(lobby())),
    );
    world.run(SOON);
    assert_eq!(texts(&world, ann), [""; 0]);
    world.say(ben, "two");
    world.run(SOON);
    assert_eq!(texts(&world, ann), ["two"]);
}

#[test]
fn what_was_deleted_does_not_come_back() {
    let mut world = World::new(1);
    let (ann, ben) = (open(&mut world, "ann", 0), world.open("ben"));
    world.next_tab = 2;
    let other = again(&mut world, ann, "ann", 0);
    assert!(world.run_until(SOON, World::is_full_mesh));
    for text in ["one", "two", "three"] {
        world.say(ben, text);
        world.run(SOON);
    }
    let id = shown(&world, ann)[1].id.clone();
    let deletion = Deletion::Message(id);
    chat(&mut world, ann, ChatCommand::Delete(deletion.clone()));
    world.run(SOON);
    let deleted = Event::Chat(ChatEvent::Deleted(deletion));
    assert!(world.nodes[other].events.contains(&deleted));
    world.crash(ann);
    world.crash(other);
    world.run(MINUTE * 5);
    let ann = again(&mut world, ann, "ann", 0);
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    world.run(SOON);
    assert_eq!(texts(&world, ann), ["one", "three"]);
    chat(&mut world, ann, ChatCommand::Delete(Deletion::Room));
    world.run(SOON);
    assert_eq!(world.kept[0].records.len(), 0);
    world.say(ben, "four");
    world.run(SOON);
    let ann = come_back(&mut world, ann);
    assert_eq!(texts(&world, ann), ["four"]);
}

#[test]
fn a_conversation_is_deleted_in_all_tabs_and_does_not_come_back_while_others_stay() {
    let mut world = World::new(1);
    let (ann, ben) = (open(&mut world, "ann", 0), world.open("ben"));
    world.next_tab = 2;
    let other = again(&mut world, ann, "ann", 0);
    assert!(world.run_until(SOON, World::is_full_mesh));
    let (anns, bens) = (
        Conversation::Direct(world.nodes[ann].identity.public()),
        Conversation::Direct(world.nodes[ben].identity.public()),
    );
    let say = |world: &mut World, conversation: &Conversation, text: &str| {
        let say = ChatCommand::Say {
            conversation: Some(conversation.clone()),
            text: text.to_owned(),
            reply_to: None,
        };
        chat(world, ben, say);
        world.run(SOON);
    };
    say(&mut world, &lobby(), "to all");
    say(&mut world, &anns, "to ann");
    let deletion = Deletion::Conversation(bens.clone());
    chat(&mut world, ann, ChatCommand::Delete(deletion.clone()));
    world.run(SOON);
    let deleted = Event::Chat(ChatEvent::Deleted(deletion));
    for at in [ann, other] {
        assert!(world.nodes[at].events.contains(&deleted));
        let all = world.nodes[at].room.conversations();
        assert!(all.iter().all(|(conversation, _)| *conversation != bens));
    }
    assert_eq!(world.kept[0].records.len(), 1);
    world.crash(ann);
    world.crash(other);
    world.run(MINUTE * 5);
    let ann = again(&mut world, ann, "ann", 0);
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    say(&mut world, &anns, "again");
    assert_eq!(texts(&world, ann), ["to all", "again"]);
    // And of a channel, which stays.
    let deletion = Deletion::Conversation(lobby());
    chat(&mut world, ann, ChatCommand::Delete(deletion));
    world.run(SOON);
    world.crash(ann);
    world.run(MINUTE * 5);
    let ann = again(&mut world, ann, "ann", 0);
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    say(&mut world, &lobby(), "anew");
    assert_eq!(texts(&world, ann), ["again", "anew"]);
}

#[test]
fn what_was_deleted_of_all_rooms_does_not_come_back_even_if_the_store_is_empty() {
    let mut world = World::new(1);
    let (ann, ben) = (open(&mut world, "ann", 0), world.open("ben"));
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.say(ben, "one");
    world.run(SOON);
    chat(&mut world, ann, ChatCommand::Delete(Deletion::Site));
    world.run(SOON);
    let deleted = Event::Chat(ChatEvent::Deleted(Deletion::Site));
    assert!(world.nodes[ann].events.contains(&deleted));
    assert_eq!(world.kept[0].records.len(), 0);
    world.say(ben, "two");
    world.run(SOON);
    let ann = come_back(&mut world, ann);
    assert_eq!(texts(&world, ann), ["two"]);
}

#[test]
fn a_search_finds_messages_as_they_look_now() {
    let mut world = World::new(1);
    let (ann, ben) = (open(&mut world, "ann", 0), world.open("ben"));
    assert!(world.run_until(SOON, World::is_full_mesh));
    for text in ["Grüße", "the old words", "gone", "nothing"] {
        world.say(ann, text);
    }
    world.run(SOON);
    let all = shown(&world, ann);
    let id = |text: &str| all.iter().find(|its| its.text == text).unwrap().id.clone();
    let text = "the new words".to_owned();
    let edit = ChatCommand::Edit {
        id: id("the old words"),
        text,
    };
    chat(&mut world, ann, edit);
    chat(&mut world, ann, ChatCommand::Retract(id("gone")));
    world.run(SOON);
    for at in [ann, ben] {
        for (text, expected) in [
            ("GRÜSSE", vec![]),
            ("GRÜ", vec!["Grüße"]),
            (" new ", vec!["the new words"]),
            ("old", vec![]),
            ("gone", vec![]),
            ("", vec![]),
            ("o", vec!["nothing", "the new words"]),
        ] {
            let (conversation, text) = (None, text.to_owned());
            chat(&mut world, at, ChatCommand::Search { conversation, text });
            let Some(Event::Chat(ChatEvent::Found { messages, .. })) =
                world.nodes[at].events.last()
            else {
                panic!("an answer");
            };
            let found: Vec<&str> = messages.iter().map(|its| its.text.as_str()).collect();
            assert_eq!(found, expected);
        }
    }
}
