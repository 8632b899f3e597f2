//! The log: what was said and who came and went, grouped and folded.

use std::rc::Rc;

use crate::identity::Trust;
use crate::room::{Message, MessageId};
use crate::time::Millis;

/// Messages of one person within this time of each other are one group.
const GROUP: u64 = 5 * 60_000;
/// What is kept. Older lines are forgotten, so that a tab left open for weeks stays small.
const KEPT: usize = 5_000;

/// How far an own message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Nobody has it, and nobody is here to take it.
    Waiting,
    /// It is on the way to this many people.
    Sent(u32),
    /// So many have it, of so many it was meant for.
    Delivered(u32, u32),
}

impl Delivery {
    /// From the two numbers of [`ChatEvent::Delivery`](crate::room::ChatEvent::Delivery).
    pub fn of(delivered: u32, of: u32) -> Delivery {
        match (delivered, of) {
            (_, 0) => Delivery::Waiting,
            (0, of) => Delivery::Sent(of),
            (delivered, of) => Delivery::Delivered(delivered, of),
        }
    }
}

/// A message as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What was said.
    pub message: Message,
    /// The local day it was said on, counted from any fixed one.
    pub day: i32,
    /// Whether it is the first of its day.
    pub new_day: bool,
    /// Whether it begins a group: avatar, name and time stand here.
    pub leads: bool,
    /// How far it came; `None` if somebody else said it.
    pub delivery: Option<Delivery>,
    /// What was known of the sender's key at the time.
    pub trust: Trust,
}

/// Who came, went and changed names since the last message, folded into one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// Who came and is still here.
    pub joined: Vec<String>,
    /// Who went.
    pub left: Vec<String>,
    /// Old and new names.
    pub renamed: Vec<(String, String)>,
}

/// One who came, went or changed names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Came.
    Joined(String),
    /// Went.
    Left(String),
    /// Goes by another name: before, now.
    Renamed(String, String),
}

impl Moves {
    fn add(&mut self, change: Move) {
        match change {
            Move::Joined(user) => {
                // Who went and came back is still here: nothing to report.
                if let Some(at) = self.left.iter().position(|left| *left == user) {
                    self.left.remove(at);
                } else if !self.joined.contains(&user) {
                    self.joined.push(user);
                }
            }
            Move::Left(user) => {
                self.joined.retain(|joined| *joined != user);
                if !self.left.contains(&user) {
                    self.left.push(user);
                }
            }
            Move::Renamed(before, now) => {
                if let Some(joined) = self.joined.iter_mut().find(|joined| **joined == before) {
                    *joined = now;
                } else if let Some(at) = self.renamed.iter().position(|(_, name)| *name == before) {
                    if self.renamed[at].0 == now {
                        self.renamed.remove(at);
                    } else {
                        self.renamed[at].1 = now;
                    }
                } else {
                    self.renamed.push((before, now));
                }
            }
        }
    }
}

/// What a line of the log holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A message.
    Said(Said),
    /// Comings and goings.
    Moves(Moves),
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, which no other line of this log has ever had.
    pub seq: u32,
    /// What it holds.
    pub content: Content,
}

/// The log. Cheap to clone: lines are shared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    lines: Vec<Rc<Line>>,
    next: u32,
    last_day: Option<i32>,
}

impl Timeline {
    /// All lines, the oldest first.
    pub fn lines(&self) -> &[Rc<Line>] {
        &self.lines
    }

    /// Whether anything was said.
    pub fn has_messages(&self) -> bool {
        self.last_day.is_some()
    }

    /// Appends a message and returns the number of its line.
    pub fn say(&mut self, message: Message, day: i32, trust: Trust) -> u32 {
        // A sender's clock may lie behind: the log keeps the order of arrival, and no day is begun twice.
        let new_day = self.last_day.is_none_or(|last| day > last);
        self.last_day = Some(self.last_day.map_or(day, |last| last.max(day)));
        let leads = new_day
            || !self
                .lines
                .last()
                .is_some_and(|line| continues(line, &message));
        let delivery = message.peer.is_none().then_some(Delivery::Waiting);
        self.push(Content::Said(Said {
            message,
            day,
            new_day,
            leads,
            delivery,
            trust,
        }))
    }

    /// Notes how far an own message came.
    pub fn deliver(&mut self, id: &MessageId, delivery: Delivery) {
        let own = |line: &&mut Rc<Line>| match &line.content {
            Content::Said(said) => said.delivery.is_some() && said.message.id == *id,
            Content::Moves(_) => false,
        };
        // Receipts are mostly for what was said last.
        let Some(line) = self.lines.iter_mut().rev().find(own) else {
            return;
        };
        if let Content::Said(said) = &mut Rc::make_mut(line).content {
            said.delivery = Some(delivery);
        }
    }

    /// Adds to the line of comings and goings at the end, or begins one.
    pub fn moved(&mut self, change: Move) {
        if let Some(line) = self.lines.last_mut()
            && let Content::Moves(moves) = &mut Rc::make_mut(line).content
        {
            moves.add(change);
            return;
        }
        let mut moves = Moves::default();
        moves.add(change);
        self.push(Content::Moves(moves));
    }

    fn push(&mut self, content: Content) -> u32 {
        let seq = self.next;
        self.next = self.next.wrapping_add(1);
        if self.lines.len() >= KEPT {
            self.lines.drain(..KEPT / 10);
        }
        self.lines.push(Rc::new(Line { seq, content }));
        seq
    }
}

/// Whether `message` belongs to the group that `line` is the end of.
fn continues(line: &Line, message: &Message) -> bool {
    let Content::Said(said) = &line.content else {
        return false;
    };
    let before = &said.message;
    before.peer == message.peer
        && before.key == message.key
        && before.sender == message.sender
        // Where a message begins to be private, or ceases to be, it has to say so.
        && (before.private, &before.to) == (message.private, &message.to)
        && distance(before.at, message.at) < GROUP
}

fn distance(one: Millis, other: Millis) -> u64 {
    one.0.abs_diff(other.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{PeerId, PublicKey};

    fn message(id: &str, from: Option<u8>, at: u64) -> Message {
        Message {
            id: MessageId(id.into()),
            peer: from.map(|byte| PeerId([byte; 16])),
            sender: format!("user {from:?}"),
            key: PublicKey([from.unwrap_or(0); 33]),
            text: "text".into(),
            at: Millis(at),
            private: false,
            to: None,
        }
    }

    fn said(timeline: &Timeline, index: usize) -> &Said {
        match &timeline.lines()[index].content {
            Content::Said(said) => said,
            Content::Moves(_) => panic!("a message was expected"),
        }
    }

    #[test]
    fn a_private_message_never_hides_in_a_group() {
        let mut timeline = Timeline::default();
        let to = |number, to: Option<&str>| Message {
            private: to.is_some(),
            to: to.map(str::to_owned),
            ..message(number, None, 0)
        };
        let said_to = [None, Some("ben"), Some("ben"), Some("cat"), None];
        for (number, user) in ["a", "b", "c", "d", "e"].into_iter().zip(said_to) {
            timeline.say(to(number, user), 0, Trust::Verified);
        }
        let leads: Vec<bool> = (0..5).map(|at| said(&timeline, at).leads).collect();
        assert_eq!(leads, [true, true, false, true, true]);
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
        timeline.deliver(&MessageId("x".into()), Delivery::of(1, 2));
        timeline.deliver(&MessageId("y".into()), Delivery::of(1, 2));
        assert_eq!(said(&timeline, 0).delivery, Some(Delivery::Delivered(1, 2)));
        assert_eq!(said(&timeline, 1).delivery, None);
        assert_eq!(Delivery::of(0, 0), Delivery::Waiting);
        assert_eq!(Delivery::of(0, 3), Delivery::Sent(3));
    }

    #[test]
    fn comings_and_goings_fold() {
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
                joined: vec!["anna".into()],
                left: vec!["ben".into()],
                renamed: vec![]
            }
        );
        timeline.say(message("m", Some(1), 0), 0, Trust::New);
        timeline.moved(Move::Left("ann".into()));
        assert_eq!(timeline.lines().len(), 3, "what was said stands between");
    }

    #[test]
    fn numbers_stay_unique_when_old_lines_are_forgotten() {
        let mut timeline = Timeline::default();
        for at in 0..6_000 {
            timeline.say(message("m", None, at), 0, Trust::Known);
        }
        assert!(timeline.lines().len() <= KEPT);
        assert!(
            timeline
                .lines()
                .is_sorted_by(|one, next| one.seq + 1 == next.seq)
        );
        assert_eq!(timeline.lines().last().map(|line| line.seq), Some(5_999));
    }
}
