//! What a site leaves out is off, also for those who meet somebody whose chat has it.

use rtchat::room::{
    AttachmentCommand, ChatCommand, ChatEvent, Command, Conversation, Event, FileState,
};
use rtchat::settings::Features;

use crate::attachments::{attach, is, state, views};
use crate::conversations::{deliveries, shown, texts};
use crate::scenes::{SOON, id};
use crate::world::World;

fn refusals(world: &World, at: usize) -> usize {
    let events = world.nodes[at].events.iter();
    events.filter(|it| matches!(it, Event::Refused(_))).count()
}

#[test]
fn files_and_conversations_with_one_person_are_neither_begun_nor_taken() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    world.features = Features::NONE;
    let ben = world.open("ben");
    assert!(world.run_until(SOON, World::is_full_mesh));

    // A message stays what it is; of a file beside it there is nothing but its name, and nobody asks for it.
    let key = attach(&mut world, ann, "plan.pdf", vec![7; 5_000]);
    world.run(SOON);
    assert_eq!(texts(&world, ben), ["plan.pdf"]);
    assert_eq!(shown(&world, ben)[0].file, None);
    world.command(ben, Command::Attachment(AttachmentCommand::Fetch(key)));
    world.run(SOON);
    assert_eq!(views(&world, ben, key), []);
    assert!(is(&world, ann, key, &FileState::Offered));
    attach(&mut world, ben, "own.pdf", vec![8; 5_000]);
    assert_eq!((refusals(&world, ben), texts(&world, ben).len()), (1, 1));

    // Nor does it give any, whatever it holds.
    let other = attach(&mut world, ann, "other.pdf", vec![9; 5_000]);
    world.nodes[ben].blobs.insert(other, vec![9; 5_000]);
    world.run(SOON);
    world.nodes[ann].blobs.clear();
    world.features = Features::default();
    world.leave(ann);
    let cleo = world.open("cleo");
    world.run(SOON);
    world.command(cleo, Command::Attachment(AttachmentCommand::Fetch(other)));
    world.run(SOON);
    assert_eq!(state(&world, cleo, other), Some(FileState::Waiting));

    // What is said to one person does not arrive, is counted, and begins nothing.
    let before = world.dropped(ben, "belonging to no attempt of ours");
    for text in ["between us", "once more"] {
        let (peer, text) = (id(&world, ben), text.to_owned());
        world.command(cleo, Command::Chat(ChatCommand::SayTo { peer, text }));
    }
    let direct = Conversation::Direct(world.nodes[ben].identity.public());
    world.command(cleo, Command::Chat(ChatCommand::Typing(Some(direct))));
    world.run(SOON);
    assert_eq!(texts(&world, ben), ["plan.pdf", "other.pdf"]);
    assert_eq!(deliveries(&world, cleo), [(1, 0, 1), (1, 0, 1)]);
    let after = world.dropped(ben, "belonging to no attempt of ours");
    assert_eq!(
        after - before,
        3,
        "two messages, and that somebody is typing"
    );
    assert_eq!(world.nodes[ben].room.conversations().len(), 1);
    let is_typing = |event: &Event| matches!(event, Event::Chat(ChatEvent::Typing { .. }));
    assert!(!world.nodes[ben].events.iter().any(is_typing));
    let (peer, text) = (id(&world, cleo), "no".to_owned());
    world.command(ben, Command::Chat(ChatCommand::SayTo { peer, text }));
    assert_eq!(refusals(&world, ben), 2);
    assert_eq!(world.nodes[ben].room.conversations().len(), 1);
}
