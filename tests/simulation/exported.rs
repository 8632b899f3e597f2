//! What was said is exported, and imported again elsewhere: all of it or nothing, and nothing that nobody can prove is
//! passed on.

use rtchat::identity::TrustBook;
use rtchat::room::{
    ChatCommand, ChatEvent, Command, Conversation, Deletion, Event, ImportError, Imported, Message,
};
use rtchat::settings::Accept;

use crate::conversations::{shown, texts};
use crate::scenes::{MINUTE, SOON};
use crate::world::World;

fn chat(world: &mut World, at: usize, command: ChatCommand) {
    world.command(at, Command::Chat(command));
}

fn say_in(world: &mut World, at: usize, conversation: Option<Conversation>, text: &str) {
    let say = ChatCommand::Say {
        conversation,
        text: text.to_owned(),
        reply_to: None,
    };
    chat(world, at, say);
    world.run(SOON);
}

fn export(world: &World, at: usize) -> String {
    world.nodes[at].room.export("lobby", "example.org/chat")
}

/// Imports a file, and returns what came of it.
fn import(
    world: &mut World,
    at: usize,
    file: &str,
    restores: bool,
) -> Result<Imported, ImportError> {
    let before = world.nodes[at].events.len();
    let file = file.to_owned();
    chat(world, at, ChatCommand::Import { file, restores });
    world.run(SOON);
    let mut new = world.nodes[at].events[before..].iter();
    let result = new.find_map(|event| match event {
        Event::Chat(ChatEvent::Imported(result)) => Some(result.clone()),
        _ => None,
    });
    result.expect("an answer")
}

fn id_of(world: &World, at: usize, text: &str) -> rtchat::room::MessageId {
    let all = shown(world, at);
    all.iter().find(|its| its.text == text).unwrap().id.clone()
}

/// Opens a tab as the person of another one, with this store.
fn again(world: &mut World, at: usize, name: &str, store: Option<usize>) -> usize {
    let identity = world.nodes[at].identity.clone();
    let at = world.open_as(name, identity, Accept::Everyone, TrustBook::default());
    if let Some(store) = store {
        world.keep(at, store);
    }
    at
}

/// Ann and Ben have talked, also with each other alone.
fn talk() -> (World, usize, usize) {
    let mut world = World::new(1);
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    assert!(world.run_until(SOON, World::is_full_mesh));
    for (at, text) in [(ann, "helo"), (ben, "hi"), (ben, "a mistake")] {
        say_in(&mut world, at, None, text);
    }
    let id = id_of(&world, ann, "helo");
    let text = "hello \"you\"".to_owned();
    chat(
        &mut world,
        ann,
        ChatCommand::Edit {
            id: id.clone(),
            text,
        },
    );
    let emoji = "👍".to_owned();
    chat(
        &mut world,
        ben,
        ChatCommand::React {
            id,
            emoji,
            on: true,
        },
    );
    let id = id_of(&world, ben, "a mistake");
    chat(&mut world, ben, ChatCommand::Retract(id));
    world.run(SOON);
    let (anns, bens) = (
        world.nodes[ann].identity.public(),
        world.nodes[ben].identity.public(),
    );
    say_in(&mut world, ann, Some(Conversation::Direct(bens)), "for ben");
    say_in(&mut world, ben, Some(Conversation::Direct(anns)), "for ann");
    (world, ann, ben)
}

fn is_direct(message: &&Message) -> bool {
    message.is_direct()
}

#[test]
fn what_one_browser_exports_another_one_imports_and_has_for_good() {
    let (mut world, ann, ben) = talk();
    let file = export(&world, ann);
    let bens = world.nodes[ben].identity.public();
    world.leave(ann);
    world.leave(ben);
    world.run(MINUTE * 5);
    let carl = world.open("carl");
    world.keep(carl, 0);
    world.run(SOON);
    let all = import(&mut world, carl, &file, false).unwrap();
    assert_eq!((all.added, all.known, all.deleted), (8, 0, 0));
    let expected = ["hello \"you\"", "hi", "", "for ben", "for ann"];
    assert_eq!(texts(&world, carl), expected);
    let seen = shown(&world, carl);
    assert_eq!(seen[0].earlier, ["helo"]);
    assert_eq!(seen[0].reactions[0].people[0].1, "ben");
    assert!(seen[2].retracted);
    assert!(seen.iter().all(|message| message.caught_up && !message.own));
    // What is signed is as good as what was heard.
    assert!(seen[..3].iter().all(|message| !message.imported));
    for message in seen.iter().filter(is_direct) {
        assert!(message.imported && message.peer.is_none());
        assert_eq!(message.conversation, Conversation::Direct(bens));
    }
    // The same file adds nothing, and neither does what was made of it.
    let again_exported = export(&world, carl);
    for file in [&file, &again_exported] {
        let all = import(&mut world, carl, file, false).unwrap();
        assert_eq!((all.added, all.known), (0, 8));
    }
    // It is all there after a reload.
    world.crash(carl);
    world.run(MINUTE);
    let carl = again(&mut world, carl, "carl", Some(0));
    world.run(SOON);
    assert_eq!(texts(&world, carl), expected);
    let seen = shown(&world, carl);
    assert!(
        seen.iter()
            .all(|message| message.imported == message.is_direct())
    );
    // Whoever comes is given what was signed, and nothing else.
    let dora = world.open("dora");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.run(SOON);
    assert_eq!(texts(&world, dora), expected[..3]);
    // Nothing can be said about it.
    let id = id_of(&world, carl, "for ann");
    let emoji = "👍".to_owned();
    chat(
        &mut world,
        carl,
        ChatCommand::React {
            id,
            emoji,
            on: true,
        },
    );
    world.run(SOON);
    let last = world.nodes[carl].events.last();
    assert!(matches!(last, Some(Event::Refused(_))), "{last:?}");
}

#[test]
fn imported_words_are_never_said_and_make_way_for_those_that_are() {
    let (mut world, ann, ben) = talk();
    let file = export(&world, ann);
    // Ann has lost everything but her key, and Ben's browser has nothing of hers.
    world.leave(ann);
    let other_ben = again(&mut world, ben, "ben", None);
    world.leave(ben);
    world.run(MINUTE * 5);
    let ann = again(&mut world, ann, "ann", Some(0));
    world.run(SOON);
    import(&mut world, ann, &file, false).unwrap();
    world.run(MINUTE);
    let direct: Vec<Message> = shown(&world, ann)
        .into_iter()
        .filter(Message::is_direct)
        .collect();
    assert!(direct[0].own && direct.iter().all(|message| message.imported));
    let of_direct = |world: &World, at: usize| -> Vec<String> {
        let all = shown(world, at).into_iter().filter(Message::is_direct);
        all.map(|message| message.text).collect()
    };
    assert_eq!(of_direct(&world, other_ben), [""; 0]);
    // What they say now comes after it, and is like any other message.
    let key = world.nodes[ben].identity.public();
    say_in(&mut world, ann, Some(Conversation::Direct(key)), "again");
    assert_eq!(of_direct(&world, other_ben), ["again"]);
    assert_eq!(of_direct(&world, ann), ["for ben", "for ann", "again"]);
    world.crash(ann);
    world.crash(other_ben);

    // The same, but Ben has what he said.
    let (mut world, ann, ben) = talk();
    world.leave(ann);
    world.run(MINUTE * 5);
    let ann = again(&mut world, ann, "ann", Some(0));
    import(&mut world, ann, &file, false).unwrap();
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    world.run(SOON);
    let seen = shown(&world, ann);
    let is_imported = |text: &str| seen.iter().find(|its| its.text == text).unwrap().imported;
    assert!(!is_imported("for ann"), "Ben has said it to us");
    assert!(is_imported("for ben"), "nobody can say it but we");
    world.crash(ann);
    world.leave(ben);
    world.run(MINUTE);
    let ann = again(&mut world, ann, "ann", Some(0));
    world.run(SOON);
    let seen = shown(&world, ann);
    let imported = seen.iter().filter(|its| its.imported);
    let imported: Vec<&str> = imported.map(|its| its.text.as_str()).collect();
    assert_eq!(imported, ["for ben"]);
}

#[test]
fn what_was_brought_back_stays_also_if_peers_are_faster_than_the_store() {
    let mut world = World::new(1);
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    world.keep(ann, 0);
    assert!(world.run_until(SOON, World::is_full_mesh));
    say_in(&mut world, ben, None, "wanted");
    let file = export(&world, ann);
    let deletion = Deletion::Message(id_of(&world, ann, "wanted"));
    chat(&mut world, ann, ChatCommand::Delete(deletion));
    assert_eq!(import(&mut world, ann, &file, true).unwrap().added, 1);
    world.reading_takes = 20_000;
    let mut ann = ann;
    // The second visit shows what the first one left in the store.
    for _ in 0..2 {
        world.crash(ann);
        world.run(MINUTE * 5);
        ann = again(&mut world, ann, "ann", Some(0));
        assert!(world.run_until(SOON, World::is_full_mesh));
        world.run(SOON);
        assert_eq!(texts(&world, ann), ["wanted"], "from ben");
        world.run(MINUTE);
        let room = &world.nodes[ann].room;
        let lobby = Conversation::Channel("lobby".to_owned());
        let found = room.history(&lobby, None, 9);
        assert_eq!(found.len(), 1, "from the store");
        assert_eq!(world.kept[0].records.len(), 1);
    }
}

#[test]
fn a_file_changes_nothing_of_what_was_said_to_us() {
    let (mut world, ann, ben) = talk();
    let anns = world.nodes[ann].identity.public();
    let before = export(&world, ann);
    // This change is in the file, and was never said to Ann.
    world.cut(ann, ben, true);
    let id = id_of(&world, ben, "for ann");
    let text = "forged".to_owned();
    chat(&mut world, ben, ChatCommand::Edit { id, text });
    world.run(SOON);
    let file = export(&world, ben);
    assert!(file.contains("forged") && !before.contains("forged"));
    world.leave(ben);
    import(&mut world, ann, &file, false).unwrap();
    world.run(SOON);
    let seen = shown(&world, ann);
    let theirs = seen.iter().filter(is_direct);
    let theirs: Vec<&str> = theirs.map(|its| its.text.as_str()).collect();
    assert_eq!(theirs, ["for ben", "for ann"], "{anns:?}");
}

#[test]
fn what_was_deleted_comes_back_only_if_the_person_wants_it() {
    let (mut world, ann, ben) = talk();
    world.keep(ann, 0);
    world.next_tab = 2;
    let other = again(&mut world, ann, "ann", Some(0));
    world.run(SOON);
    let file = export(&world, ann);
    let id = id_of(&world, ann, "hi");
    chat(&mut world, ann, ChatCommand::Delete(Deletion::Message(id)));
    let direct = Conversation::Direct(world.nodes[ben].identity.public());
    chat(
        &mut world,
        ann,
        ChatCommand::Delete(Deletion::Conversation(direct)),
    );
    world.run(SOON);
    assert!(
        !export(&world, ann).contains("\"hi\""),
        "deleted is not exported"
    );
    world.leave(ben);
    let all = import(&mut world, ann, &file, false).unwrap();
    assert_eq!((all.added, all.deleted), (0, 3));
    world.nodes[other].events.clear();
    let all = import(&mut world, ann, &file, true).unwrap();
    assert_eq!((all.added, all.deleted), (3, 0));
    assert_eq!(texts(&world, other), ["hi", "for ben", "for ann"]);
    world.crash(ann);
    world.crash(other);
    world.run(MINUTE);
    let ann = again(&mut world, ann, "ann", Some(0));
    world.run(SOON);
    let expected = ["hello \"you\"", "hi", "", "for ben", "for ann"];
    assert_eq!(texts(&world, ann), expected);
    // And it can be deleted once more.
    chat(&mut world, ann, ChatCommand::Delete(Deletion::Room));
    world.run(SOON);
    assert_eq!(world.kept[0].records.len(), 0);
}

#[test]
fn a_file_that_is_not_sound_changes_nothing() {
    let (mut world, ann, _) = talk();
    let file = export(&world, ann);
    world.run(MINUTE);
    let carl = world.open("carl");
    world.cut(carl, ann, true);
    world.cut(carl, ann + 1, true);
    // The first entry, in base64: its signature begins behind its length and 205 bytes or more.
    let from = file.find("\"entry\": \"").unwrap() + "\"entry\": \"".len();
    let end = from + file[from..].find('"').unwrap();
    let changed = |at: usize| {
        let letter = if &file[at..=at] == "A" { "B" } else { "A" };
        [&file[..at], letter, &file[at + 1..]].concat()
    };
    let of = |text: &str, with: &str| file.replacen(text, with, 1);
    let nested = format!("{{\"format\": {}", "[".repeat(1_000));
    let unsigned = of("\"with\"", "\"channel\": \"lobby\", \"with\"");
    let cases = [
        (String::new(), ImportError::NotJson),
        ("Dear Ann".to_owned(), ImportError::NotJson),
        (file[..file.len() / 2].to_owned(), ImportError::NotJson),
        (nested, ImportError::NotJson),
        ("[1, 2]".to_owned(), ImportError::NotAnExport),
        ("{}".to_owned(), ImportError::NotAnExport),
        (of("rtchat-export", "rtchat.json"), ImportError::NotAnExport),
        (
            of("\"version\": 1", "\"version\": 2"),
            ImportError::OtherVersion,
        ),
        (of("\"by\"", "\"bye\""), ImportError::NotAnExport),
        (
            of("\"conversations\": [", "\"conversations\": [1, "),
            ImportError::NotAnExport,
        ),
        (
            of("\"entries\": [", "\"entries\": [1, "),
            ImportError::Damaged(1),
        ),
        (unsigned, ImportError::NotAnExport),
        (
            of("\"id\": \"", "\"id\": \"A"),
            ImportError::OtherRoom("lobby".to_owned()),
        ),
        (
            of("\"channel\": \"lobby\"", "\"channel\": \"other\""),
            ImportError::Damaged(1),
        ),
        // Its text, and its signature.
        (changed(end - 2), ImportError::Damaged(1)),
        (changed(from + 300), ImportError::Forged(1)),
    ];
    for (file, error) in cases {
        assert_eq!(import(&mut world, carl, &file, false), Err(error));
        assert_eq!(texts(&world, carl), [""; 0]);
    }
    let large = " ".repeat(rtchat::room::MAX_IMPORT + 1);
    let result = import(&mut world, carl, &large, false);
    assert_eq!(result, Err(ImportError::TooLarge));
    // The whole file is taken afterwards.
    assert_eq!(import(&mut world, carl, &file, false).unwrap().added, 8);
}

#[test]
fn a_long_file_shows_its_newest_messages_first_and_pushes_nothing_out() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    for number in 0..300 {
        world.say(ann, &format!("{number}"));
        world.run(std::time::Duration::from_millis(20));
    }
    let file = export(&world, ann);
    world.leave(ann);
    let carl = world.open("carl");
    world.keep(carl, 0);
    world.run(SOON);
    assert_eq!(import(&mut world, carl, &file, false).unwrap().added, 300);
    assert_eq!(texts(&world, carl).len(), 100);
    assert_eq!(world.kept[0].records.len(), 300);
    let lobby = Conversation::Channel("lobby".to_owned());
    for expected in [200, 300] {
        chat(&mut world, carl, ChatCommand::Older(lobby.clone()));
        world.run(SOON);
        assert_eq!(texts(&world, carl).len(), expected);
    }
    // A room that is full takes nothing.
    let entries = file.find("\"entries\": [").unwrap() + "\"entries\": [".len();
    let end = file.rfind("\n]}\n]}").unwrap();
    let many = vec![&file[entries..end]; 40].join(",");
    let many = [&file[..entries], &many, &file[end..]].concat();
    assert_eq!(
        import(&mut world, carl, &many, false),
        Err(ImportError::NoRoom)
    );
}
