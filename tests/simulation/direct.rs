//! What is said to one person: it reaches all of their tabs and ours, waits for somebody who is away, and can be changed
//! like everything else.

use rtchat::identity::TrustBook;
use rtchat::room::{ChatCommand, Command, Conversation, Event, MessageId};
use rtchat::settings::Accept;

use crate::conversations::{deliveries, shown, texts};
use crate::scenes::{MINUTE, SOON, pair};
use crate::world::World;

/// Opens another tab of `at`.
fn tab(world: &mut World, at: usize, name: &str) -> usize {
    let identity = world.nodes[at].identity.clone();
    world.next_tab = 2;
    world.open_as(name, identity, Accept::Everyone, TrustBook::default())
}

fn with(world: &World, at: usize) -> Conversation {
    Conversation::Direct(world.nodes[at].identity.public())
}

fn tell(world: &mut World, from: usize, to: usize, text: &str) {
    let conversation = Some(with(world, to));
    let (text, reply_to) = (text.to_owned(), None);
    world.command(
        from,
        Command::Chat(ChatCommand::Say {
            conversation,
            text,
            reply_to,
        }),
    );
}

fn id_of(world: &World, at: usize, text: &str) -> MessageId {
    let mut all = shown(world, at).into_iter();
    all.find(|message| message.text == text).unwrap().id
}

#[test]
fn it_reaches_every_tab_of_both_and_nobody_else() {
    let (mut world, ann, ben) = pair();
    let (ann2, ben2) = (tab(&mut world, ann, "ann"), tab(&mut world, ben, "ben"));
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    tell(&mut world, ann, ben, "between us");
    world.run(SOON);
    tell(&mut world, ben2, ann2, "all right");
    world.run(SOON);
    for (at, other) in [(ann, ben), (ann2, ben), (ben, ann), (ben2, ann)] {
        assert_eq!(texts(&world, at), ["between us", "all right"], "{at}");
        let conversation = with(&world, other);
        assert!(
            shown(&world, at)
                .iter()
                .all(|message| message.conversation == conversation)
        );
    }
    assert_eq!(texts(&world, cleo), [""; 0]);
    assert_eq!(deliveries(&world, ann), [(1, 1, 1)]);
}

#[test]
fn it_waits_for_somebody_who_is_away_and_is_shown_once() {
    let (mut world, ann, ben) = pair();
    tell(&mut world, ann, ben, "first");
    world.run(SOON);
    world.leave(ben);
    world.run(MINUTE);
    tell(&mut world, ann, ben, "while you were away");
    world.run(MINUTE);
    let mut counts = deliveries(&world, ann);
    counts.sort();
    assert_eq!(counts, [(0, 0, 1), (1, 1, 1)]);
    let back = {
        let identity = world.nodes[ben].identity.clone();
        world.open_as("ben", identity, Accept::Everyone, TrustBook::default())
    };
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.run(SOON);
    // This tab knows nothing of what was said before, and gets all of it from its author.
    assert_eq!(texts(&world, back), ["first", "while you were away"]);
    assert_eq!(deliveries(&world, ann), [(1, 1, 1), (1, 1, 1)]);
    tell(&mut world, back, ann, "here I am");
    world.run(SOON);
    assert_eq!(
        texts(&world, ann),
        ["first", "while you were away", "here I am"]
    );
}

#[test]
fn it_can_be_answered_changed_and_taken_back() {
    let (mut world, ann, ben) = pair();
    tell(&mut world, ann, ben, "helo");
    tell(&mut world, ann, ben, "oops");
    world.run(SOON);
    let (hello, oops) = (id_of(&world, ben, "helo"), id_of(&world, ben, "oops"));
    let text = "hello".to_owned();
    let id = hello.clone();
    world.command(ann, Command::Chat(ChatCommand::Edit { id, text }));
    world.command(ann, Command::Chat(ChatCommand::Retract(oops.clone())));
    let (id, emoji) = (hello.clone(), "👍".to_owned());
    world.command(
        ben,
        Command::Chat(ChatCommand::React {
            id,
            emoji,
            on: true,
        }),
    );
    let reply = ChatCommand::Say {
        conversation: Some(with(&world, ann)),
        text: "hello to you".to_owned(),
        reply_to: Some(hello.clone()),
    };
    world.command(ben, Command::Chat(reply));
    world.run(SOON);
    for at in [ann, ben] {
        let all = shown(&world, at);
        assert_eq!(all[0].text, "hello");
        assert_eq!(all[0].reactions[0].emoji, "👍");
        assert!(all[1].retracted);
        assert_eq!(all[2].reply_to, Some(hello.clone()));
    }
    // Only whoever wrote it can change it.
    world.command(ben, Command::Chat(ChatCommand::Retract(hello)));
    assert!(matches!(
        world.nodes[ben].events.last(),
        Some(Event::Refused(_))
    ));
}

#[test]
fn nobody_can_prove_what_was_said() {
    let (mut world, ann, ben) = pair();
    let before = world.nodes[ben].room.diagnostics().signatures_checked;
    tell(&mut world, ann, ben, "deniable");
    world.run(SOON);
    assert_eq!(texts(&world, ben), ["deniable"]);
    let after = world.nodes[ben].room.diagnostics().signatures_checked;
    assert_eq!(before, after, "it has no signature");
}
