use super::*;
use crate::identity::{PeerId, PublicKey};
use crate::room::{CallId, CallLine, Conversation};
use crate::ui::line::{Crowd, MAX_NAMED};

fn lobby() -> Conversation {
    Conversation::Channel("lobby".into())
}

fn message(id: &str, from: Option<u8>, at: u64) -> Message {
    let key = PublicKey([from.unwrap_or(0); 33]);
    let (id, user) = (MessageId(id.into()), format!("user {from:?}"));
    Message {
        peer: from.map(|byte| PeerId([byte; 16])),
        own: from.is_none(),
        ..Message::new(id, lobby(), user, key, "text".into(), Millis(at))
    }
}

fn said(timeline: &Timeline, index: usize) -> &Said {
    match &timeline.lines()[index].content {
        Content::Said(said) => said,
        Content::Moves(_) | Content::Called(_) => panic!("a message was expected"),
    }
}

#[test]
fn groups_end_with_another_sender_five_minutes_or_a_day() {
    let mut timeline = Timeline::default();
    for (from, at, day) in [
        (Some(1), 0, 7),
        (Some(1), 299_999, 7),
        (Some(2), 300_000, 7),
        (Some(2), 600_000, 7),
        (Some(2), 600_001, 8),
        (Some(2), 600_002, 7),
    ] {
        timeline.say(message("m", from, at), day, Trust::New);
    }
    let leads: Vec<bool> = (0..6).map(|index| said(&timeline, index).leads).collect();
    assert_eq!(leads, [true, false, true, true, true, false]);
    let days: Vec<bool> = (0..6).map(|index| said(&timeline, index).new_day).collect();
    assert_eq!(
        days,
        [true, false, false, false, true, false],
        "a late message does not begin yesterday again"
    );
}

#[test]
fn delivery_finds_own_messages_only() {
    let mut timeline = Timeline::default();
    timeline.say(message("x", None, 0), 0, Trust::Known);
    timeline.say(message("x", Some(1), 0), 0, Trust::Known);
    timeline.deliver(&MessageId("x".into()), Delivery::of(2, 1, 2));
    timeline.deliver(&MessageId("y".into()), Delivery::of(2, 1, 2));
    assert_eq!(said(&timeline, 0).delivery, Some(Delivery::Delivered(1, 2)));
    assert_eq!(said(&timeline, 1).delivery, None);
    assert_eq!(Delivery::of(0, 0, 0), Delivery::ToNobody);
    assert_eq!(Delivery::of(0, 0, 3), Delivery::Waiting(3));
    assert_eq!(Delivery::of(1, 0, 3), Delivery::Sent);
}

#[test]
fn joining_leaving_and_renaming_fold_into_one_line() {
    let mut timeline = Timeline::default();
    for change in [
        Move::Joined("ann".into()),
        Move::Joined("ben".into()),
        Move::Joined("ben".into()),
        Move::Left("ben".into()),
        Move::Left("cat".into()),
        Move::Joined("cat".into()),
        Move::Renamed("ann".into(), "anna".into()),
        Move::Renamed("dan".into(), "daniel".into()),
        Move::Renamed("daniel".into(), "dan".into()),
    ] {
        timeline.moved(change);
    }
    let Content::Moves(moves) = &timeline.lines()[0].content else {
        panic!("comings and goings were expected")
    };
    assert_eq!(
        *moves,
        Moves {
            joined: crowd(&["anna"]),
            left: crowd(&["ben"]),
            ..Moves::default()
        }
    );
    timeline.say(message("m", Some(1), 0), 0, Trust::New);
    timeline.moved(Move::Left("ann".into()));
    assert_eq!(timeline.lines().len(), 3, "a message separates the lines");
}

#[test]
fn what_cannot_be_read_of_somebody_is_counted_in_one_line() {
    let mut timeline = Timeline::default();
    let unreadable =
        |byte, user: &str, count| Move::Unreadable(PublicKey([byte; 33]), user.to_owned(), count);
    timeline.moved(Move::Joined("ben".into()));
    timeline.moved(unreadable(1, "ben", 1));
    timeline.say(message("m", Some(1), 0), 0, Trust::New);
    timeline.moved(unreadable(2, "eve", 4));
    // Also under another name, and whatever was said in between.
    timeline.moved(unreadable(1, "benno", 2));
    let counted = |index: usize| match &timeline.lines()[index].content {
        Content::Moves(moves) => moves.unreadable.clone(),
        Content::Said(_) | Content::Called(_) => panic!("a line about people was expected"),
    };
    assert_eq!(timeline.lines().len(), 3);
    assert_eq!(counted(0), [(PublicKey([1; 33]), "benno".to_owned(), 3)]);
    assert_eq!(counted(2), [(PublicKey([2; 33]), "eve".to_owned(), 4)]);
    for number in 0..200 {
        timeline.moved(unreadable(100, &format!("{number}"), u32::MAX));
        timeline.moved(unreadable(number, "somebody", 1));
    }
    assert_eq!(timeline.lines().len(), 3, "strangers cannot fill the log");
}

fn crowd(named: &[&str]) -> Crowd {
    Crowd {
        named: named.iter().map(|name| (*name).to_owned()).collect(),
        others: 0,
    }
}

#[test]
fn a_moves_line_has_a_limited_size() {
    let mut timeline = Timeline::default();
    let long = "x".repeat(30);
    for number in 0..3_000 {
        let name = |what: &str| format!("{what}{number}{long}");
        timeline.moved(Move::Joined(name("joined")));
        timeline.moved(Move::Left(name("left")));
        timeline.moved(Move::Renamed(name("before"), name("now")));
    }
    let Content::Moves(moves) = &timeline.lines()[0].content else {
        panic!("comings and goings were expected")
    };
    for crowd in [&moves.joined, &moves.left] {
        assert_eq!((crowd.named.len(), crowd.count()), (MAX_NAMED, 3_000));
    }
    assert_eq!(moves.renamed.len(), MAX_NAMED);
    assert_eq!(moves.more_renamed as usize, 3_000 - MAX_NAMED);
    assert_eq!(timeline.lines().len(), 1);
    // The size of the line counts towards the limit of the log.
    assert!(timeline.bytes < 4 * MAX_NAMED * 40, "{}", timeline.bytes);
}

#[test]
fn at_most_8_mib_of_text_are_kept() {
    let mut timeline = Timeline::default();
    for number in 0..2_000 {
        let text = "ä".repeat(10_000);
        timeline.say(
            Message {
                text,
                ..message("m", Some(1), number)
            },
            0,
            Trust::New,
        );
        timeline.moved(Move::Left("y".repeat(40)));
        timeline.moved(Move::Joined("z".repeat(40)));
        let kept: usize = timeline
            .lines()
            .iter()
            .map(|line| line.content.bytes())
            .sum();
        assert_eq!(kept, timeline.bytes);
        assert!(kept <= MAX_BYTES, "{kept}");
    }
    assert!(timeline.bytes > MAX_BYTES / 2, "as much as may be is kept");
    let seqs = timeline.lines().iter().map(|line| line.seq);
    assert_eq!(seqs.max(), Some(3_999));
}

#[test]
fn numbers_stay_unique_when_old_lines_are_dropped() {
    let mut timeline = Timeline::default();
    for at in 0..15_000 {
        timeline.say(message("m", None, at), 0, Trust::Known);
    }
    assert!(timeline.lines().len() <= MAX_LINES);
    let seqs: Vec<u32> = timeline.lines().iter().map(|line| line.seq).collect();
    assert!(seqs.is_sorted_by(|one, next| one + 1 == *next));
    assert_eq!(timeline.lines().last().map(|line| line.seq), Some(14_999));
}

fn missed(call: u8, at: u64) -> CallNote {
    CallNote {
        call: CallId([call; 8]),
        conversation: lobby(),
        user: Some("ann".into()),
        what: CallLine::Missed,
        at: Millis(at),
        order: Order(at, [0; 32]),
        is_new: false,
        is_seen: true,
    }
}

fn ordered(id: &str, at: u64) -> Message {
    Message {
        order: Order(at, [1; 32]),
        caught_up: true,
        ..message(id, Some(1), at)
    }
}

/// What the lines are, each with whether a day begins there.
fn order_of(timeline: &Timeline) -> Vec<(String, bool)> {
    let lines = timeline.lines().iter();
    let each = lines.map(|line| match &line.content {
        Content::Said(said) => (said.message.id.0.clone(), said.new_day),
        Content::Called(called) => (format!("call {}", called.note.at.0), called.new_day),
        Content::Moves(_) => ("moves".to_owned(), false),
    });
    each.collect()
}

#[test]
fn a_call_stands_where_it_happened_whatever_comes_first() {
    let day = |at: u64| if at < 50 { 7 } else { 8 };
    let expected = ["a", "call 20", "b", "call 60", "c"];
    let expected = expected.map(|id| (id.to_owned(), id == "a" || id == "call 60"));
    // The calls before the messages, after them, and in between.
    for order in [
        [1, 3, 0, 2, 4],
        [4, 2, 0, 3, 1],
        [0, 4, 1, 2, 3],
        [2, 1, 3, 4, 0],
    ] {
        let mut timeline = Timeline::default();
        for step in order {
            let at = [10, 20, 40, 60, 70][step];
            let number = if step % 2 == 1 {
                timeline.called(missed(step as u8, at), day(at))
            } else {
                let id = ["a", "b", "c"][step / 2];
                Some(timeline.say(ordered(id, at), day(at), Trust::Known))
            };
            assert!(number.is_some());
        }
        assert_eq!(order_of(&timeline), expected, "{order:?}");
        assert_eq!(timeline.called(missed(1, 20), 7), None, "it is there");
        assert!(timeline.called(missed(9, 20), 7).is_some(), "another one");
    }
}
