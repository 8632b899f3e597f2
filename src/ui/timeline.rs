//! The log: messages in groups, and folded lines about people who joined, left or changed their names.

use std::rc::Rc;

use crate::identity::Trust;
use crate::room::{Message, MessageId};
use crate::time::Millis;
use crate::ui::mentions::Mention;

/// Messages of one person that are less than this many milliseconds apart form a group.
const GROUP: u64 = 5 * 60_000;
/// At most this many lines are kept. Older ones are dropped, so that a tab that stays open for weeks stays small.
const MAX_LINES: usize = 5_000;
/// At most this many bytes of text and names are kept.
const MAX_BYTES: usize = 8 << 20;
/// At most this many people are named in one line for each kind of change. Further people are only counted.
const MAX_NAMED: usize = 50;

/// The delivery state of a message that the person sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Nobody was here to receive it.
    ToNobody,
    /// It waits for this many people, to none of whom there is a connection.
    Waiting(u32),
    /// It was sent, and nobody has confirmed it yet.
    Sent,
    /// The first number of people have received it, out of the second number it was sent to.
    Delivered(u32, u32),
}

impl Delivery {
    /// Makes the state from the numbers of [`ChatEvent::Delivery`](crate::room::ChatEvent::Delivery).
    pub fn of(sent: u32, delivered: u32, of: u32) -> Delivery {
        match (sent, delivered, of) {
            (_, _, 0) => Delivery::ToNobody,
            (0, 0, of) => Delivery::Waiting(of),
            (_, 0, _) => Delivery::Sent,
            (_, delivered, of) => Delivery::Delivered(delivered, of),
        }
    }
}

/// A message in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The message.
    pub message: Rc<Message>,
    /// The local day of the message, counted from a fixed day.
    pub day: i32,
    /// Whether it is the first message of its day.
    pub new_day: bool,
    /// Whether it begins a group and shows the avatar, name and time.
    pub leads: bool,
    /// The delivery state; `None` if another person sent it.
    pub delivery: Option<Delivery>,
    /// The trust in the sender's key at the time.
    pub trust: Trust,
    /// Whom it mentions, of those who were here when it came.
    pub mentions: Vec<Mention>,
}

impl Said {
    /// Whether it mentions the person at this browser.
    pub fn calls(&self) -> bool {
        self.mentions.iter().any(|(_, own)| *own)
    }
}

/// The people in one part of a [`Moves`] line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crowd {
    /// The names of the first [`MAX_NAMED`] people.
    pub named: Vec<String>,
    /// The number of further people.
    pub others: u32,
}

impl Crowd {
    /// The number of people.
    pub fn count(&self) -> usize {
        self.named.len().saturating_add(self.others as usize)
    }

    fn contains(&self, user: &str) -> bool {
        self.named.iter().any(|named| named == user)
    }

    /// Removes a name. Returns whether it was listed.
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

/// The people who joined, left or changed their names since the last message, folded into one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// People who joined and are still here.
    pub joined: Crowd,
    /// People who left.
    pub left: Crowd,
    /// Old and new names of people who changed their names.
    pub renamed: Vec<(String, String)>,
    /// The number of further people who changed their names.
    pub more_renamed: u32,
}

/// A person who joined, left or changed their name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// The person joined.
    Joined(String),
    /// The person left.
    Left(String),
    /// The person changed their name: the old name and the new one.
    Renamed(String, String),
}

impl Moves {
    fn add(&mut self, change: Move) {
        match change {
            // A person who left and came back is still here, so there is nothing to report.
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

/// The content of a line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A message.
    Said(Said),
    /// People who joined, left or changed their names.
    Moves(Moves),
}

impl Content {
    /// The size of its text and names in bytes.
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
    /// Its number, which is unique in this log.
    pub seq: u32,
    /// Its content.
    pub content: Content,
}

/// The log. It is cheap to clone, because lines are shared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    lines: Vec<Rc<Line>>,
    /// The size of all text and names in bytes.
    bytes: usize,
    next: u32,
    last_day: Option<i32>,
}

impl Timeline {
    /// All lines, the oldest first.
    pub fn lines(&self) -> &[Rc<Line>] {
        &self.lines
    }

    /// The line of the message that this one answers.
    pub fn quoted(&self, line: &Line) -> Option<Rc<Line>> {
        let Content::Said(said) = &line.content else {
            return None;
        };
        let id = said.message.reply_to.as_ref()?;
        self.find(id).and_then(|at| self.lines.get(at)).cloned()
    }

    /// Where the message with this id is. Most are recent, so the search begins at the end.
    fn find(&self, id: &MessageId) -> Option<usize> {
        let is_it = |line: &Rc<Line>| match &line.content {
            Content::Said(said) => said.message.id == *id,
            Content::Moves(_) => false,
        };
        self.lines.iter().rposition(is_it)
    }

    /// Whether there is any message.
    pub fn has_messages(&self) -> bool {
        self.last_day.is_some()
    }

    /// Appends a message and returns the number of its line.
    pub fn say(&mut self, message: Message, day: i32, trust: Trust) -> u32 {
        // A sender's clock may be slow. The log keeps the order of arrival, and no day begins twice.
        // Whoever left and comes back gets again what they have.
        let known = self.find(&message.id).filter(|_| message.caught_up);
        if let Some(seq) = known.and_then(|at| self.lines.get(at)).map(|line| line.seq) {
            self.change(message);
            return seq;
        }
        if let Some(place) = self.place(&message) {
            return self.insert(place, message, day, trust);
        }
        let new_day = self.last_day.is_none_or(|last| day > last);
        self.last_day = Some(self.last_day.map_or(day, |last| last.max(day)));
        let leads = new_day
            || !self
                .lines
                .last()
                .is_some_and(|line| continues(line, &message));
        let delivery = delivery(&message);
        self.push(Content::Said(Said {
            message: Rc::new(message),
            day,
            new_day,
            leads,
            delivery,
            trust,
            mentions: Vec::new(),
        }))
    }

    /// Where a message belongs that does not come last: before messages that are shown after it, and, if it was said
    /// before it came here, before people who have come in the meantime.
    fn place(&self, message: &Message) -> Option<usize> {
        let is_above = |line: &Rc<Line>| match &line.content {
            Content::Said(said) => said.message.order <= message.order,
            Content::Moves(_) => false,
        };
        let place = self.lines.iter().rposition(is_above).map_or(0, |at| at + 1);
        let mut below = self.lines.iter().skip(place);
        let is_said = |line: &Rc<Line>| matches!(line.content, Content::Said(_));
        (below.any(is_said) || (message.caught_up && place < self.lines.len())).then_some(place)
    }

    /// Inserts a message among the others.
    fn insert(&mut self, place: usize, message: Message, day: i32, trust: Trust) -> u32 {
        let (above, below) = self.lines.split_at(place.min(self.lines.len()));
        let said = |line: &Rc<Line>| match &line.content {
            Content::Said(said) => Some((said.day, said.message.clone())),
            Content::Moves(_) => None,
        };
        let before = above.iter().rev().find_map(said);
        let new_day = before.as_ref().is_none_or(|(before, _)| day > *before);
        let leads = new_day || !above.last().is_some_and(|line| continues(line, &message));
        let next = below.iter().position(|line| said(line).is_some());
        let seq = self.next;
        self.next = self.next.wrapping_add(1);
        let content = Content::Said(Said {
            delivery: delivery(&message),
            message: Rc::new(message),
            day,
            new_day,
            leads,
            trust,
            mentions: Vec::new(),
        });
        self.bytes += content.bytes();
        let line = Rc::new(Line { seq, content });
        self.lines.insert(place, line.clone());
        self.last_day = Some(self.last_day.map_or(day, |last| last.max(day)));
        if let Some(next) = next.and_then(|next| self.lines.get_mut(place + 1 + next))
            && let Content::Said(said) = &mut Rc::make_mut(next).content
        {
            said.new_day = said.day > day;
            said.leads = said.new_day || !continues(&line, &said.message);
        }
        if self.lines.len() > MAX_LINES || self.bytes > MAX_BYTES {
            self.drop_oldest();
        }
        seq
    }

    /// A message looks different.
    pub fn change(&mut self, message: Message) {
        let Some(at) = self.find(&message.id) else {
            return;
        };
        let Some(line) = self.lines.get_mut(at) else {
            return;
        };
        let content = &mut Rc::make_mut(line).content;
        let before = content.bytes();
        let mut moved = None;
        if let Content::Said(said) = content {
            moved = (said.message.order != message.order).then_some((said.day, said.trust));
            if said.message.text != message.text {
                said.mentions = Vec::new();
            }
            said.message = Rc::new(message.clone());
        }
        self.bytes = (self.bytes + content.bytes()).saturating_sub(before);
        if let Some((day, trust)) = moved {
            self.bytes = self
                .bytes
                .saturating_sub(self.lines.remove(at).content.bytes());
            self.say(message, day, trust);
        }
    }

    /// Notes whom a message mentions.
    pub fn mention(&mut self, id: &MessageId, mentions: Vec<Mention>) {
        let line = self.find(id).and_then(|at| self.lines.get_mut(at));
        if let Some(line) = line
            && let Content::Said(said) = &mut Rc::make_mut(line).content
        {
            said.mentions = mentions;
        }
    }

    /// Sets the delivery state of a message that the person sent.
    pub fn deliver(&mut self, id: &MessageId, delivery: Delivery) {
        let own = |line: &&mut Rc<Line>| match &line.content {
            Content::Said(said) => said.delivery.is_some() && said.message.id == *id,
            Content::Moves(_) => false,
        };
        // Most receipts are for recent messages, so the search begins at the end.
        let Some(line) = self.lines.iter_mut().rev().find(own) else {
            return;
        };
        if let Content::Said(said) = &mut Rc::make_mut(line).content {
            said.delivery = Some(delivery);
        }
    }

    /// Adds a change to the [`Moves`] line at the end, or begins such a line.
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
            self.drop_oldest();
        }
        seq
    }

    /// Drops the oldest lines, a tenth at once, because moving all others takes time.
    fn drop_oldest(&mut self) {
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

/// The delivery state of a message that has just come: of one that we said here or at another time. What we said at
/// another time has come back from somebody who has it.
fn delivery(message: &Message) -> Option<Delivery> {
    match (message.own && message.peer.is_none(), message.caught_up) {
        (false, _) => None,
        (true, true) => Some(Delivery::Delivered(1, 1)),
        (true, false) => Some(Delivery::ToNobody),
    }
}

/// Whether `message` continues the group that ends with `line`.
fn continues(line: &Line, message: &Message) -> bool {
    let Content::Said(said) = &line.content else {
        return false;
    };
    let before = &said.message;
    before.peer == message.peer
        && before.key == message.key
        && before.sender == message.sender
        // A new group shows where messages begin or cease to be private.
        && (before.private, &before.to) == (message.private, &message.to)
        && distance(before.at, message.at) < GROUP
}

fn distance(one: Millis, other: Millis) -> u64 {
    one.0.abs_diff(other.0)
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
