//! Entries that were made up, altered, dated wrongly or said in floods.

use std::time::Duration;

use rtchat::identity::{IdentityKey, Name};
use rtchat::room::{ChatCommand, Command, Conversation, Message};
use rtchat::rtc::LinkEvent;
use rtchat::time::Millis;
use rtchat::wire::Frame;
use rtchat::wire::entry::{
    Clock, Content, ConversationId, Draft, Entry, EntryBody, EntryId, Place, parse_entry_name,
};
use rtchat::wire::frame::{EntryFrame, short};
use rtchat::wire::statement::StatementId;

use super::prompts::{accept, open_asking, was_asked_about};
use super::{key, rng};
use crate::conversations::{shown, texts};
use crate::scenes::{SOON, pair};
use crate::world::World;

const NOBODY: EntryId = StatementId([0; 32]);

fn lobby() -> ConversationId {
    ConversationId::channel("lobby")
}

fn text(text: &str) -> Content {
    Content::Say {
        reply_to: None,
        text: text.to_owned(),
    }
}

/// An entry with this author's name and key, signed by `signer`.
fn forged(
    world: &World,
    author: usize,
    signer: &IdentityKey,
    at: Millis,
    content: Content,
) -> Entry {
    let place = Place {
        author: world.nodes[author].identity.public(),
        writer: [9; 8],
        number: 0,
        previous: NOBODY,
        conversation: lobby(),
        seen: NOBODY,
        clock: Clock::at(at),
    };
    let body = EntryBody {
        name: Name::parse("ann").unwrap(),
        tab: 1,
        content,
    };
    let draft = Draft::new(&place, &body, &mut rng(7)).unwrap();
    let signature = signer.sign_message(&draft.message(world.keys.id()));
    draft.signed(world.keys.id(), signature).unwrap()
}

fn own(world: &World, author: usize, at: Millis, content: Content) -> Entry {
    let key = world.nodes[author].identity.clone();
    forged(world, author, &key, at, content)
}

fn bytes(entry: &Entry) -> Vec<u8> {
    let mut bytes = Vec::new();
    entry.write(&mut bytes);
    bytes
}

/// `from` sends a frame that its room knows nothing of.
fn inject(world: &mut World, from: usize, to: usize, frame: EntryFrame) {
    let texts = Frame::Entry(frame).encode();
    assert_eq!(texts.len(), 1, "short enough for one message");
    world.inject(from, to, LinkEvent::Text(texts[0].clone()));
    world.run(Duration::from_millis(20));
}

fn say(world: &mut World, from: usize, to: usize, entries: &[Entry]) {
    let list = entries.iter().map(bytes).collect();
    inject(world, from, to, EntryFrame::Entries { list, with: None });
}

/// `from` claims to have these entries, and gives them when it is asked.
fn offer(world: &mut World, from: usize, to: usize, entries: &[Entry]) {
    let page = EntryFrame::Page {
        conversation: lobby(),
        before: None,
        from: None,
        ids: entries.iter().map(|entry| short(&entry.id())).collect(),
        with: None,
    };
    inject(world, from, to, page);
    say(world, from, to, entries);
    world.run(SOON);
}

fn frame(entry: &Entry) -> LinkEvent {
    let list = vec![bytes(entry)];
    let mut texts = Frame::Entry(EntryFrame::Entries { list, with: None }).encode();
    assert_eq!(texts.len(), 1, "short enough for one message");
    LinkEvent::Text(texts.remove(0))
}

/// A frame with a message of `author` that is longer than a message may be.
pub(super) fn too_long(world: &World, author: usize) -> LinkEvent {
    frame(&own(world, author, world.now, text(&"x".repeat(10_001))))
}

/// A frame with a message of `author` that somebody else signed.
pub(super) fn badly_signed(world: &World, author: usize, number: usize) -> LinkEvent {
    let words = text(&format!("forgery {number}"));
    frame(&forged(world, author, &key(99), world.now, words))
}

/// Both are asked about each other, and accept.
fn meet(world: &mut World, one: (usize, &str), other: (usize, &str)) {
    for ((at, _), (_, name)) in [(one, other), (other, one)] {
        assert!(world.run_until(SOON, |world| was_asked_about(world, at, name)));
        accept(world, at, name);
    }
    let met = |world: &World| !world.open_connections(one.0, other.0).is_empty();
    assert!(world.run_until(SOON, met));
    world.run(SOON);
}

#[test]
fn nobody_speaks_for_somebody_else() {
    let (mut world, ann, ben) = pair();
    let now = world.now;
    let mallory = key(5);
    // Under ann's key, but not signed by her: as if it had just been said, and as something that was said before.
    let entry = forged(&world, ann, &mallory, now, text("ann owes me a million"));
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    say(&mut world, ben, cleo, std::slice::from_ref(&entry));
    assert_eq!(world.dropped(cleo, "belonging to no attempt of ours"), 1);
    offer(&mut world, ben, cleo, &[entry]);
    assert_eq!(world.dropped(cleo, "an invalid signature"), 1);
    assert_eq!(texts(&world, cleo), [""; 0]);
}

#[test]
fn words_that_were_altered_are_refused() {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    let entry = own(&world, ann, world.now, text("yes"));
    let mut altered = bytes(&entry);
    let last = altered.len() - 1;
    altered[last] ^= 1;
    let page = EntryFrame::Page {
        conversation: lobby(),
        before: None,
        from: None,
        ids: vec![short(&entry.id())],
        with: None,
    };
    inject(&mut world, ben, cleo, page);
    inject(
        &mut world,
        ben,
        cleo,
        EntryFrame::Entries {
            list: vec![altered],
            with: None,
        },
    );
    assert_eq!(world.dropped(cleo, "an unreadable frame"), 1);
    assert_eq!(texts(&world, cleo), [""; 0]);
    // The words themselves are taken from whoever has them.
    say(&mut world, ben, cleo, &[entry]);
    assert_eq!(texts(&world, cleo), ["yes"]);
}

#[test]
fn nobody_changes_or_takes_back_the_words_of_others() {
    let (mut world, ann, ben) = pair();
    world.say(ann, "mine");
    world.run(SOON);
    let target = parse_entry_name(&shown(&world, ann)[0].id.0).unwrap();
    for content in [
        Content::Edit {
            target,
            text: "yours".to_owned(),
        },
        Content::Retract { target },
    ] {
        let entry = own(&world, ben, world.now, content);
        say(&mut world, ben, ann, &[entry]);
        world.run(SOON);
    }
    let seen = shown(&world, ann).remove(0);
    assert_eq!((seen.text.as_str(), seen.retracted), ("mine", false));
    assert_eq!(seen.earlier, [""; 0]);
}

#[test]
fn a_clock_a_year_ahead_disturbs_nobody() {
    let (mut world, ann, ben) = pair();
    let year = Duration::from_secs(365 * 24 * 3600);
    let entry = own(&world, ben, world.now + year, text("from the future"));
    say(&mut world, ben, ann, &[entry]);
    let arrived = world.now;
    world.run(SOON);
    world.say(ann, "now");
    world.run(SOON);
    assert_eq!(texts(&world, ann), ["from the future", "now"]);
    for message in shown(&world, ann) {
        assert!(message.at <= world.now, "{message:?}");
    }
    assert!(shown(&world, ann)[0].at <= arrived);
    let clock = |message: &Message| message.order.0 >> 16;
    assert!(
        clock(&shown(&world, ann)[1]) <= world.now.0,
        "our own clock is not moved"
    );
}

#[test]
fn one_number_said_twice_is_shown_as_what_it_is() {
    let (mut world, ann, ben) = pair();
    let now = world.now;
    let one = own(&world, ben, now, text("I agree"));
    let other = own(&world, ben, now, text("I do not agree"));
    say(&mut world, ben, ann, &[one]);
    assert!(!shown(&world, ann)[0].forked);
    say(&mut world, ben, ann, &[other]);
    let forked: Vec<bool> = shown(&world, ann)
        .iter()
        .map(|message| message.forked)
        .collect();
    assert_eq!(forked, [true, true]);
}

#[test]
fn answers_in_a_circle_are_harmless() {
    let (mut world, ann, ben) = pair();
    // Nobody can name an entry that does not exist yet, so a circle can only be claimed.
    let answer = |to: u8| Content::Say {
        reply_to: Some(StatementId([to; 32])),
        text: format!("to {to}"),
    };
    for to in 1..5 {
        let entry = own(&world, ben, world.now, answer(to));
        say(&mut world, ben, ann, &[entry]);
    }
    assert_eq!(shown(&world, ann).len(), 4);
}

#[test]
fn what_a_liar_claims_to_have_is_asked_for_once_and_then_of_others() {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.cut(ann, cleo, true);
    world.say(ann, "the truth");
    world.run(SOON);
    let entry = parse_entry_name(&shown(&world, ann)[0].id.0).unwrap();
    let ids: Vec<[u8; 16]> = (0u8..149).map(|number| [number; 16]).collect();
    let page = |ids| EntryFrame::Page {
        conversation: lobby(),
        before: None,
        from: None,
        ids,
        with: None,
    };
    // Cleo hears of many entries that do not exist, and of one that ann has, from somebody who does not give it.
    world.muted.push((ben, "entries".to_owned()));
    inject(&mut world, ben, cleo, page(ids));
    inject(&mut world, ben, cleo, page(vec![short(&entry)]));
    world.cut(ann, cleo, false);
    let caught_up = |world: &World| texts(world, cleo) == ["the truth"];
    assert!(world.run_until(Duration::from_secs(60), caught_up));
}

#[test]
fn a_flood_of_words_is_held_back_and_the_others_go_on() {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    let signatures = |world: &World| world.nodes[ann].room.diagnostics().signatures_checked;
    let before = signatures(&world);
    for number in 0..500 {
        let entry = own(&world, ben, world.now, text(&format!("flood {number}")));
        say(&mut world, ben, ann, &[entry]);
    }
    // Ten seconds of it.
    assert!(
        signatures(&world) - before < 300,
        "{}",
        signatures(&world) - before
    );
    world.say(cleo, "hello");
    world.run(Duration::from_millis(200));
    assert!(texts(&world, ann).contains(&"hello".to_owned()));
    assert!(
        world.dropped(
            ann,
            "more words at once than are taken without being asked for"
        ) > 200
    );
}

#[test]
fn strangers_cannot_push_out_the_words_of_known_people_nor_fill_the_memory() {
    let mut world = World::new(1);
    let mut book = rtchat::identity::TrustBook::default();
    book.remember(&key(2).public(), &Name::parse("ben").unwrap(), Millis(1));
    let everyone = rtchat::settings::Accept::Everyone;
    let ann = world.open_as("ann", key(1), everyone, book);
    let ben = world.open_as("ben", key(2), everyone, Default::default());
    let mallory = world.open_as("mallory", key(3), everyone, Default::default());
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.say(ben, "remember this");
    world.run(SOON);
    // Twelve times what may be kept, in the largest messages; the last page is what a newcomer gets.
    for number in 0..1_400 {
        let flood = text(&format!("{number} {}", "😀".repeat(9_990)));
        let entry = own(&world, mallory, world.now, flood);
        let frame = Frame::Entry(EntryFrame::Entries {
            list: vec![bytes(&entry)],
            with: None,
        });
        let message = rtchat::wire::OutboundMessage::frame(&frame);
        for chunk in chunks(message) {
            world.inject(mallory, ann, chunk);
        }
        world.run(Duration::from_millis(100));
    }
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, |world| world.verified(cleo) >= 2));
    world.leave(mallory);
    world.leave(ben);
    world.run(SOON);
    for _ in 0..30 {
        let lobby = Conversation::Channel("lobby".to_owned());
        world.command(cleo, Command::Chat(ChatCommand::Older(lobby)));
        world.run(SOON);
    }
    let texts = texts(&world, cleo);
    assert!(texts.contains(&"remember this".to_owned()));
    assert!(texts.len() < 1_400, "{}", texts.len());
}

/// The messages of the stream that carry this.
fn chunks(mut message: rtchat::wire::OutboundMessage) -> Vec<LinkEvent> {
    let mut chunks = Vec::new();
    loop {
        let (chunk, last) = message.next_chunk();
        chunks.push(match chunk {
            rtchat::wire::Chunk::Text(text) => LinkEvent::Text(text),
            rtchat::wire::Chunk::Bytes(bytes) => LinkEvent::Bytes(bytes),
        });
        if last {
            return chunks;
        }
    }
}

#[test]
fn requests_without_end_are_not_answered_without_end() {
    let (mut world, ann, ben) = pair();
    for number in 0..50 {
        world.say(ann, &format!("{number} {}", "x".repeat(5_000)));
        world.run(Duration::from_millis(200));
    }
    let ids: Vec<[u8; 16]> = shown(&world, ann)
        .iter()
        .map(|message| short(&parse_entry_name(&message.id.0).unwrap()))
        .collect();
    for _ in 0..400 {
        let need = EntryFrame::Need {
            conversation: lobby(),
            ids: ids.clone(),
        };
        inject(&mut world, ben, ann, need);
    }
    assert!(world.dropped(ann, "too many frames at once") > 100);
}

#[test]
fn a_stranger_whom_the_author_turned_away_does_not_get_her_words_from_others() {
    let mut world = World::new(1);
    let ann = open_asking(&mut world, "ann", 1);
    let ben = open_asking(&mut world, "ben", 2);
    meet(&mut world, (ann, "ann"), (ben, "ben"));
    world.say(ann, "only for ben");
    world.run(SOON);
    world.say(ben, "and I answer");
    world.run(SOON);
    assert_eq!(texts(&world, ben).len(), 2);
    let cleo = open_asking(&mut world, "cleo", 3);
    meet(&mut world, (ben, "ben"), (cleo, "cleo"));
    world.run(SOON);
    assert_eq!(texts(&world, cleo), ["and I answer"]);
}

#[test]
fn texts_that_are_too_long_or_empty_are_not_shown() {
    let (mut world, ann, ben) = pair();
    for content in [text(""), text(&"x".repeat(10_001))] {
        let entry = own(&world, ben, world.now, content);
        for frame in Frame::Entry(EntryFrame::Entries {
            list: vec![bytes(&entry)],
            with: None,
        })
        .encode()
        {
            world.inject(ben, ann, LinkEvent::Text(frame));
        }
        world.run(SOON);
    }
    assert_eq!(texts(&world, ann), [""; 0]);
    assert_eq!(
        world.dropped(ann, "an unreadable frame"),
        0,
        "they are entries all the same"
    );
    let react = |emoji: &str| {
        Command::Chat(ChatCommand::React {
            id: rtchat::room::MessageId("x".to_owned()),
            emoji: emoji.to_owned(),
            on: true,
        })
    };
    world.command(ben, react(""));
    world.command(ben, react(&"👍".repeat(100)));
    world.run(SOON);
    assert_eq!(texts(&world, ann), [""; 0]);
}
