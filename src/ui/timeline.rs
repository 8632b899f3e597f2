//! The log: messages in groups, and folded lines about people who joined, left or changed their names.

use std::rc::Rc;

use super::line::{Called, Content, Delivery, Line, Move, Moves, Said};
use super::lines::Lines;
use crate::identity::Trust;
use crate::room::{CallNote, Message, MessageId, Order};
use crate::time::Millis;
use crate::ui::mentions::Mention;

/// Messages of one person that are less than this many milliseconds apart form a group.
const GROUP: u64 = 5 * 60_000;
/// At most this many lines are kept. Older ones are dropped, so that a tab that stays open for weeks stays small.
const MAX_LINES: usize = 12_000;
/// At most this many bytes of text and names are kept.
const MAX_BYTES: usize = 8 << 20;

/// The log. It is cheap to clone, because lines are shared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    lines: Lines,
    /// The size of all text and names in bytes.
    bytes: usize,
    next: u32,
    last_day: Option<i32>,
}

impl Timeline {
    /// All lines, the oldest first.
    pub fn lines(&self) -> &Lines {
        &self.lines
    }

    /// The line of the message that this one answers.
    pub fn quoted(&self, line: &Line) -> Option<Rc<Line>> {
        let id = said(line)?.message.reply_to.as_ref()?;
        self.find(id)
    }

    /// The line of the last message with this id.
    fn find(&self, id: &MessageId) -> Option<Rc<Line>> {
        self.lines.by_id(id).last().cloned()
    }

    /// Whether there is any message.
    pub fn has_messages(&self) -> bool {
        self.last_said().is_some()
    }

    /// Appends a message and returns the number of its line.
    pub fn say(&mut self, message: Message, day: i32, trust: Trust) -> u32 {
        // A sender's clock may be slow. The log keeps the order of arrival, and no day begins twice.
        // Whoever left and comes back gets again what they have.
        let known = self.find(&message.id).filter(|_| message.caught_up);
        if let Some(seq) = known.map(|line| line.seq) {
            self.change(message);
            return seq;
        }
        if let Some(index) = self.index_for(&message) {
            return self.insert(index, message, day, trust);
        }
        let new_day = self.last_day.is_none_or(|last| day > last);
        self.last_day = Some(self.last_day.map_or(day, |last| last.max(day)));
        let last = self.lines.last();
        let leads = new_day || !last.is_some_and(|line| continues(line, &message));
        let place = last.map_or(message.order, |last| last.place.max(message.order));
        let delivery = delivery(&message);
        let content = Content::Said(Said {
            message: Rc::new(message),
            day,
            new_day,
            leads,
            delivery,
            trust,
            mentions: Vec::new(),
        });
        self.add(self.lines.len(), place, content)
    }

    /// Where a message belongs that does not come last: before messages that are shown after it, and, if it was said
    /// before it came here, before people who have come in the meantime.
    fn index_for(&self, message: &Message) -> Option<usize> {
        let mut index = self.lines.up_to(&message.order);
        // Who came since the message above did so after this one.
        while let Some(above) = index.checked_sub(1)
            && self
                .lines
                .get(above)
                .is_some_and(|line| day(line).is_none())
        {
            index = above;
        }
        let mut below = self.lines.range(index..self.lines.len());
        let is_last = !below.any(|line| day(line).is_some());
        (!is_last || (message.caught_up && index < self.lines.len())).then_some(index)
    }

    /// Inserts a message among the others.
    fn insert(&mut self, index: usize, message: Message, day: i32, trust: Trust) -> u32 {
        let above = index.checked_sub(1).and_then(|above| self.lines.get(above));
        let new_day = above
            .and_then(|line| self::day(line))
            .is_none_or(|before| day > before);
        let leads = new_day || !above.is_some_and(|line| continues(line, &message));
        let place = message.order;
        // What stands between this message and the next one stands below both.
        let below = self.lines.range(index..self.lines.len());
        let between = below.take_while(|line| self::day(line).is_none() && line.place < place);
        for line in between.cloned().collect::<Vec<_>>() {
            let mut line = (*line).clone();
            line.place = place;
            self.lines.replace(line);
        }
        let content = Content::Said(Said {
            delivery: delivery(&message),
            message: Rc::new(message),
            day,
            new_day,
            leads,
            trust,
            mentions: Vec::new(),
        });
        self.last_day = Some(self.last_day.map_or(day, |last| last.max(day)));
        let seq = self.add(index, place, content);
        self.follow(seq, day);
        seq
    }

    /// What stands after a new line may no longer begin a day or a group, or may begin one now.
    fn follow(&mut self, seq: u32, day: i32) {
        let Some(index) = self.lines.position(seq) else {
            return;
        };
        let mut below = self.lines.range(index..self.lines.len()).cloned();
        let (line, next) = (below.next(), below.find(|line| self::day(line).is_some()));
        drop(below);
        let (Some(line), Some(next)) = (line, next) else {
            return;
        };
        let mut next = (*next).clone();
        match &mut next.content {
            Content::Said(said) => {
                let new_day = said.day > day;
                let leads = new_day || !continues(&line, &said.message);
                if (new_day, leads) == (said.new_day, said.leads) {
                    return;
                }
                (said.new_day, said.leads) = (new_day, leads);
            }
            Content::Called(called) => called.new_day = called.day > day,
            Content::Moves(_) => {}
        }
        self.lines.replace(next);
    }

    /// A message looks different.
    pub fn change(&mut self, message: Message) {
        let Some(mut line) = self.find(&message.id).map(Rc::unwrap_or_clone) else {
            return;
        };
        let before = line.content.bytes();
        let Content::Said(said) = &mut line.content else {
            return;
        };
        if said.message.text != message.text {
            said.mentions = Vec::new();
        }
        if said.message.order != message.order {
            let (day, trust) = (said.day, said.trust);
            self.lines.remove(line.seq);
            self.bytes = self.bytes.saturating_sub(before);
            self.say(message, day, trust);
            return;
        }
        said.message = Rc::new(message);
        self.bytes = (self.bytes + line.content.bytes()).saturating_sub(before);
        self.lines.replace(line);
    }

    /// Notes whom a message mentions.
    pub fn mention(&mut self, id: &MessageId, mentions: Vec<Mention>) {
        let Some(mut line) = self.find(id).map(Rc::unwrap_or_clone) else {
            return;
        };
        if let Content::Said(said) = &mut line.content {
            said.mentions = mentions;
        }
        self.lines.replace(line);
    }

    /// The number of the line of the message with this id.
    pub fn line_of(&self, id: &MessageId) -> Option<u32> {
        self.find(id).map(|line| line.seq)
    }

    /// Whether the message with this id is here.
    pub fn has(&self, id: &MessageId) -> bool {
        self.find(id).is_some()
    }

    /// Removes the message with this id, if it is here.
    pub fn remove(&mut self, id: &MessageId) {
        let removed = self.find(id).and_then(|line| self.lines.remove(line.seq));
        if let Some(line) = removed {
            self.bytes = self.bytes.saturating_sub(line.content.bytes());
        }
    }

    /// The messages of others that are shown after a place: the line of the first of them, and how many there are.
    pub fn after(&self, read: &Order) -> Option<(u32, u32)> {
        let lines = self.lines.range(self.lines.up_to(read)..self.lines.len());
        let theirs = lines.filter(|line| said(line).is_some_and(|said| !said.message.own));
        let mut count = 0;
        let first = theirs.inspect(|_| count += 1).map(|line| line.seq);
        let first = first.reduce(|first, _| first)?;
        Some((first, count))
    }

    /// The last message.
    pub fn last_said(&self) -> Option<&Said> {
        self.above(self.lines.len()).find_map(|line| said(line))
    }

    /// The lines before this index, the last of them first.
    fn above(&self, index: usize) -> impl Iterator<Item = &Rc<Line>> {
        (0..index).rev().filter_map(|above| self.lines.get(above))
    }

    /// Sets the delivery state of a message that the person sent.
    pub fn deliver(&mut self, id: &MessageId, delivery: Delivery) {
        let is_own = |line: &&Rc<Line>| said(line).is_some_and(|said| said.delivery.is_some());
        let own = self.lines.by_id(id).find(is_own).cloned();
        let Some(mut line) = own.map(Rc::unwrap_or_clone) else {
            return;
        };
        if let Content::Said(said) = &mut line.content {
            said.delivery = Some(delivery);
        }
        self.lines.replace(line);
    }

    /// Adds a change to the [`Moves`] line at the end, or begins such a line.
    pub fn moved(&mut self, change: Move) {
        let last = self.lines.last();
        // What cannot be read of somebody is counted in one line, wherever that is.
        let counted = match &change {
            Move::Unreadable(key, ..) => {
                let mut lines = self.lines.iter();
                lines.find(|line| matches!(&line.content, Content::Moves(moves) if moves.names_unreadable(key)))
            }
            _ => None,
        };
        if let Some(mut line) = counted.or(last).map(|line| (**line).clone()) {
            let before = line.content.bytes();
            if let Content::Moves(moves) = &mut line.content {
                moves.add(change);
                self.bytes = (self.bytes + line.content.bytes()).saturating_sub(before);
                return self.lines.replace(line);
            }
        }
        let place = last.map_or(Order::default(), |line| line.place);
        let mut moves = Moves::default();
        moves.add(change);
        self.add(self.lines.len(), place, Content::Moves(moves));
    }

    /// Adds a line about a call, and returns its number; `None` if the line is there already.
    pub fn called(&mut self, note: CallNote, day: i32) -> Option<u32> {
        let index = self.lines.up_to(&note.order);
        let is_there = self
            .above(index)
            .take_while(|line| line.place == note.order)
            .any(|line| is_about(line, &note));
        if is_there {
            return None;
        }
        let before = self.above(index).find_map(|line| self::day(line));
        let new_day = before.is_none_or(|before| day > before);
        self.last_day = Some(self.last_day.map_or(day, |last| last.max(day)));
        let place = note.order;
        let content = Content::Called(Called { note, day, new_day });
        let seq = self.add(index, place, content);
        self.follow(seq, day);
        Some(seq)
    }

    fn add(&mut self, index: usize, place: Order, content: Content) -> u32 {
        let seq = self.next;
        self.next = self.next.wrapping_add(1);
        self.bytes += content.bytes();
        let line = Line {
            seq,
            place,
            content,
        };
        self.lines.insert(index, line);
        if self.lines.len() > MAX_LINES || self.bytes > MAX_BYTES {
            self.drop_oldest();
        }
        seq
    }

    /// Drops the oldest lines, a tenth at once.
    fn drop_oldest(&mut self) {
        while self.lines.len() > MAX_LINES / 10 * 9 || self.bytes > MAX_BYTES / 10 * 9 {
            let oldest = self.lines.first().filter(|_| self.lines.len() > 1);
            let Some(line) = oldest
                .map(|line| line.seq)
                .and_then(|seq| self.lines.remove(seq))
            else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(line.content.bytes());
        }
    }
}

/// Whether a line says this about the same call.
fn is_about(line: &Line, note: &CallNote) -> bool {
    match &line.content {
        Content::Called(called) => (called.note.call, called.note.what) == (note.call, note.what),
        Content::Said(_) | Content::Moves(_) => false,
    }
}

/// The local day of a line, if days may begin with it.
fn day(line: &Line) -> Option<i32> {
    match &line.content {
        Content::Said(said) => Some(said.day),
        Content::Called(called) => Some(called.day),
        Content::Moves(_) => None,
    }
}

/// The message of a line, if it has one.
fn said(line: &Line) -> Option<&Said> {
    match &line.content {
        Content::Said(said) => Some(said),
        Content::Moves(_) | Content::Called(_) => None,
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
        && distance(before.at, message.at) < GROUP
}

fn distance(one: Millis, other: Millis) -> u64 {
    one.0.abs_diff(other.0)
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
