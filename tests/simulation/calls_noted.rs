//! What is noted about calls in conversations: it is kept, shared by the tabs of a browser, and deleted with what was said.

use std::time::Duration;

use rtchat::identity::TrustBook;
use rtchat::room::{
    CallCommand, CallEvent, CallLine, CallNote, ChatCommand, Command, Deletion, Event,
};
use rtchat::settings::Accept;

use crate::calls::{call, direct, lobby, start};
use crate::scenes::{MINUTE, SOON};
use crate::world::World;

/// Ann's browser and Ben, who have met.
fn pair() -> (World, usize, usize) {
    let mut world = World::new(1);
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    world.keep(ann, 0);
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    world.run(SOON);
    (world, ann, ben)
}

/// Opens another tab of the same browser, or the page once more.
fn again(world: &mut World, at: usize) -> usize {
    let identity = world.nodes[at].identity.clone();
    world.next_tab = 2;
    let at = world.open_as("ann", identity, Accept::Everyone, TrustBook::default());
    world.keep(at, 0);
    world.run(SOON);
    at
}

/// Rings at Ann, who does not answer.
fn ring(world: &mut World, ben: usize, ann: usize) {
    let with = direct(world, ann);
    start(world, ben, with);
    call(world, ben, CallCommand::HangUp);
}

fn notes(world: &World, at: usize) -> Vec<CallNote> {
    let events = world.nodes[at].events.iter();
    let notes = events.filter_map(|event| match event {
        Event::Call(CallEvent::Noted(note)) => Some((**note).clone()),
        _ => None,
    });
    notes.collect()
}

#[test]
fn a_missed_call_is_still_there_after_a_reload_and_new_until_it_was_seen() {
    let (mut world, ann, ben) = pair();
    ring(&mut world, ben, ann);
    let told = notes(&world, ann);
    assert_eq!(told.len(), 1);
    assert!(told[0].is_new && !told[0].is_seen);
    world.crash(ann);
    world.run(MINUTE * 60);

    let ann = again(&mut world, ann);
    let kept = notes(&world, ann);
    let expected = CallNote {
        is_new: false,
        ..told[0].clone()
    };
    assert_eq!(kept, [expected]);
    assert_eq!(kept[0].user.as_deref(), Some("ben"));
    let with = direct(&world, ben);
    call(&mut world, ann, CallCommand::Seen(with));
    world.crash(ann);

    let ann = again(&mut world, ann);
    let kept = notes(&world, ann);
    assert!(kept[0].is_seen);
    assert_eq!((kept.len(), kept[0].at), (1, told[0].at));
}

#[test]
fn tabs_of_a_browser_tell_each_other_of_calls_and_that_they_were_seen() {
    let (mut world, ann, ben) = pair();
    let tab = again(&mut world, ann);
    // It rings in both, and each notes the same.
    ring(&mut world, ben, ann);
    world.run(SOON);
    for at in [ann, tab] {
        let notes = notes(&world, at);
        assert_eq!(notes.len(), 1, "{notes:?}");
    }
    let with = direct(&world, ben);
    call(&mut world, ann, CallCommand::Seen(with));
    world.run(SOON);
    let told = notes(&world, tab);
    assert_eq!(told.len(), 2);
    assert!(told[1].is_seen && !told[1].is_new && told[1].call == told[0].call);
    // They agree, and stop writing.
    let before = world.kept[0].states_put;
    world.run(MINUTE);
    assert_eq!(world.kept[0].states_put, before);

    // A call that one tab was in is known to the other.
    start(&mut world, ann, lobby());
    call(&mut world, ann, CallCommand::HangUp);
    start(&mut world, ben, lobby());
    start(&mut world, ann, lobby());
    call(&mut world, ann, CallCommand::HangUp);
    world.run(SOON);
    let is_end = |note: &&CallNote| matches!(note.what, CallLine::Ended(_));
    for (at, is_new) in [(ann, true), (tab, false)] {
        let notes = notes(&world, at);
        let ends: Vec<&CallNote> = notes.iter().filter(is_end).collect();
        assert_eq!(ends.len(), 1);
        assert_eq!((ends[0].is_new, ends[0].is_seen), (is_new, true));
    }
}

#[test]
fn notes_go_with_the_conversation_they_stand_in() {
    let (mut world, ann, ben) = pair();
    let tab = again(&mut world, ann);
    ring(&mut world, ben, ann);
    start(&mut world, ben, lobby());
    call(&mut world, ben, CallCommand::HangUp);
    world.run(SOON);
    assert_eq!(notes(&world, ann).len(), 2);
    let deletion = Deletion::Conversation(direct(&world, ben));
    world.command(ann, Command::Chat(ChatCommand::Delete(deletion)));
    world.run(SOON);
    world.crash(ann);
    // The other tab does not bring it back.
    ring(&mut world, ben, tab);
    world.run(SOON);
    world.crash(tab);
    let ann = again(&mut world, ann);
    let kept = notes(&world, ann);
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert_eq!(kept[0].conversation, lobby());
    assert_eq!(kept[1].conversation, direct(&world, ben));

    world.command(ann, Command::Chat(ChatCommand::Delete(Deletion::Room)));
    world.run(SOON);
    world.crash(ann);
    let ann = again(&mut world, ann);
    assert_eq!(notes(&world, ann), []);
}

#[test]
fn whoever_rings_all_day_pushes_out_nothing_but_their_own_notes() {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    ring(&mut world, cleo, ann);
    for _ in 0..60 {
        ring(&mut world, ben, ann);
        world.run(Duration::from_secs(31));
    }
    world.crash(ann);
    let ann = again(&mut world, ann);
    let kept = notes(&world, ann);
    let of = |user: &str| {
        let users = kept.iter().filter_map(|note| note.user.as_deref());
        users.filter(|its| *its == user).count()
    };
    assert_eq!((of("cleo"), of("ben")), (1, 25));
}
