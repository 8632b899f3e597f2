//! The log: what was said and who came and went, grouped and folded.

use std::rc::Rc;

use crate::identity::Trust;
use crate::room::{Message, MessageId};
use crate::time::Millis;

/// Messages of one person within this time of each other are one group.
const GROUP: u64 = 5 * 60_000;
/// At most this many lines are kept. Older ones are forgotten, so that a tab left open for weeks stays small.
const MAX_LINES: usize = 5_000;
/// At most this many bytes of text and names are kept.
const MAX_BYTES: usize = 8 << 20;
/// At most this many people are named in one line for each kind of change. Further ones are counted.
const MAX_NAMED: usize = 50;

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

/// People in a line of comings and goings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crowd {
    /// The first of them, by name.
    pub named: Vec<String>,
    /// How many more there are.
    pub others: u32,
}

impl Crowd {
    /// How many people these are.
    pub fn count(&self) -> usize {
        self.named.len().saturating_add(self.others as usize)
    }

    fn contains(&self, user: &str) -> bool {
        self.named.iter().any(|named| named == user)
    }

    /// Whether somebody was named here, who no longer is.
    fn remove(&mut self, user: &str) -> bool {
        let before = self.named.len();
        self.named.retain(|named| named != user);
        self.named.len() < before
    }

    fn add(&mut self, user: String) {
        if self.contains(&user) {
        } else if self.named.len() < MAX_NAMED {
            self.named.push(user);
        } else {
            self.others = self.others.saturating_add(1);
        }
    }
}

/// Who came, went and changed names since the last message, folded into one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// Who came and is still here.
    pub joined: Crowd,
    /// Who went.
    pub left: Crowd,
    /// Old and new names.
    pub renamed: Vec<(String, String)>,
    /// How many more changed their names.
    pub more_renamed: u32,
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
            // Whoever went and came back is still here: there is nothing to report.
            Move::Joined(user) if self.left.remove(&user) => {}
            Move::Joined(user) => self.joined.add(user),
            Move::Left(user) => {
                self.joined.remove(&user);
                self.left.add(user);
            }
            Move::Renamed(before, now) => self.rename(before, now),
        }
    }

    fn rename(&mut self, before: String, now: String) {
        let joined = &mut self.joined.named;
        if let Some(joined) = joined.iter_mut().find(|joined| **joined == before) {
            *joined = now;
        } else if let Some(at) = self.renamed.iter().position(|(_, name)| *name == before) {
            if self.renamed[at].0 == now {
                self.renamed.remove(at);
            } else {
                self.renamed[at].1 = now;
            }
        } else if self.renamed.len() < MAX_NAMED {
            self.renamed.push((before, now));
        } else {
            self.more_renamed = self.more_renamed.saturating_add(1);
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

impl Content {
    /// How many bytes of text and names it holds.
    fn bytes(&self) -> usize {
        let names = |names: &[String]| names.iter().map(String::len).sum::<usize>();
        match self {
            Content::Said(Said { message, .. }) => {
                let to = message.to.as_ref().map_or(0, String::len);
                message.text.len() + message.sender.len() + message.id.0.len() + to
            }
            Content::Moves(moves) => {
                let renamed = moves.renamed.iter();
                let renamed: usize = renamed.map(|(before, now)| before.len() + now.len()).sum();
                names(&moves.joined.named) + names(&moves.left.named) + renamed
            }
        }
    }
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
    /// How many bytes of text and names they hold.
    bytes: usize,
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
            && matches!(line.content, Content::Moves(_))
        {
            let content = &mut Rc::make_mut(line).content;
            let before = content.bytes();
            if let Content::Moves(moves) = content {
                moves.add(change);
            }
            self.bytes = (self.bytes + content.bytes()).saturating_sub(before);
            return;
        }
        let mut moves = Moves::default();
        moves.add(change);
        self.push(Content::Moves(moves));
    }

    fn push(&mut self, content: Content) -> u32 {
        let seq = self.next;
        self.next = self.next.wrapping_add(1);
        self.bytes += content.bytes();
        self.lines.push(Rc::new(Line { seq, content }));
        if self.lines.len() > MAX_LINES || self.bytes > MAX_BYTES {
            self.forget();
        }
        seq
    }

    /// Forgets the oldest lines, a tenth at once: to move all others takes a while.
    fn forget(&mut self) {
        let mut forgotten = 0;
        for line in self.lines.iter().take(self.lines.len().saturating_sub(1)) {
            let kept = self.lines.len() - forgotten;
            if kept <= MAX_LINES / 10 * 9 && self.bytes <= MAX_BYTES / 10 * 9 {
                break;
            }
            self.bytes = self.bytes.saturating_sub(line.content.bytes());
            forgotten += 1;
        }
        self.lines.drain(..forgotten);
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
                joined: crowd(&["anna"]),
                left: crowd(&["ben"]),
                ..Moves::default()
            }
        );
        timeline.say(message("m", Some(1), 0), 0, Trust::New);
        timeline.moved(Move::Left("ann".into()));
        assert_eq!(timeline.lines().len(), 3, "what was said stands between");
    }

    fn crowd(named: &[&str]) -> Crowd {
        Crowd {
            named: named.iter().map(|name| (*name).to_owned()).collect(),
            others: 0,
        }
    }

    #[test]
    fn a_line_of_comings_and_goings_stays_short_whoever_comes_and_goes() {
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
        // All of it, or what was said between would be the way around this.
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
    fn numbers_stay_unique_when_old_lines_are_forgotten() {
        let mut timeline = Timeline::default();
        for at in 0..6_000 {
            timeline.say(message("m", None, at), 0, Trust::Known);
        }
        assert!(timeline.lines().len() <= MAX_LINES);
        assert!(
            timeline
                .lines()
                .is_sorted_by(|one, next| one.seq + 1 == next.seq)
        );
        assert_eq!(timeline.lines().last().map(|line| line.seq), Some(5_999));
    }
}
