//! The entries of one conversation: in their order, with what refers to what.
//!
//! Every place of an entry in the set is the same for everybody, and depends on nothing but the entry. Where it is
//! *shown* depends on when it came here, as far as its author's clock cannot be believed.

use litemap::LiteMap;

use crate::time::Millis;
use crate::wire::entry::{Clock, Content, Entry, EntryBody, EntryId, Position};
use crate::wire::frame::{MAX_IDS, ShortId, short};
use crate::wire::statement::StatementId;

/// An entry that we have.
#[derive(Debug)]
pub(super) struct Held {
    pub entry: Entry,
    /// When it came here first.
    pub arrived: Millis,
    /// Where it is shown among the others.
    pub shown: Position,
    /// Whether it was said before we came: it was caught up on.
    pub caught_up: bool,
    /// Whether its author said something else under the same number.
    pub is_forked: bool,
    /// Whether people see it as a message.
    pub is_shown: bool,
}

/// A number of a writer: the beginning of the author's x-coordinate, the writer, and the number.
type Number = ([u8; 8], [u8; 8], u32);

fn number_of(entry: &Entry) -> Number {
    let [_, a, b, c, d, e, f, g, h, ..] = entry.author.0;
    ([a, b, c, d, e, f, g, h], entry.writer, entry.number)
}

/// The entries of one conversation.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// In the order of their positions.
    #[expect(
        clippy::vec_box,
        reason = "a page of old entries is inserted before all others"
    )]
    held: Vec<Box<Held>>,
    clocks: LiteMap<ShortId, Clock>,
    numbers: LiteMap<Number, ShortId>,
    /// The entries that refer to an entry, which need not be here.
    references: LiteMap<ShortId, Vec<ShortId>>,
    /// The size of all entries.
    bytes: usize,
}

/// What changes for people once an entry has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// A new message.
    Said(EntryId),
    /// A message looks different. It need not be here.
    Changed(EntryId),
    /// Nothing, as far as this version understands it.
    Nothing,
}

/// What came of adding an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inserted {
    pub change: Change,
    /// Other entries that are shown in another way or place: their author is seen to have lied.
    pub others: Vec<EntryId>,
}

/// A page of a log: the ids of its entries, and where it begins, if there is something before it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub ids: Vec<ShortId>,
    pub from: Option<Position>,
}

impl Log {
    pub fn contains(&self, id: &ShortId) -> bool {
        self.clocks.contains_key(id)
    }

    pub fn get(&self, id: &ShortId) -> Option<&Held> {
        self.held.get(self.index_of(id)?).map(|held| &**held)
    }

    fn get_mut(&mut self, id: &ShortId) -> Option<&mut Held> {
        let at = self.index_of(id)?;
        self.held.get_mut(at).map(|held| &mut **held)
    }

    fn index_of(&self, id: &ShortId) -> Option<usize> {
        let clock = *self.clocks.get(id)?;
        let from = self.held.partition_point(|held| held.entry.clock < clock);
        let mut same = self.held.get(from..)?.iter();
        let at = same.position(|held| short(&held.entry.id()) == *id)?;
        Some(from + at)
    }

    /// All entries, in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Held> {
        self.held.iter().map(|held| &**held)
    }

    /// The entry with the latest place, or zeros.
    pub fn newest(&self) -> EntryId {
        let newest = self.held.last();
        newest.map_or(StatementId([0; 32]), |held| held.entry.id())
    }

    /// The latest clock that is not ahead of its arrival: ours goes on from there.
    pub fn clock(&self) -> Clock {
        let mut latest = self.iter().rev();
        let believed = latest.find(|held| held.entry.clock <= held.shown.clock);
        believed.map_or(Clock::default(), |held| held.entry.clock)
    }

    /// The oldest place that is taken.
    pub fn oldest(&self) -> Option<Position> {
        Some(self.held.first()?.entry.position())
    }

    /// The last page before a place, of those entries that may be passed on.
    pub fn page(&self, before: Option<Position>, may_pass: impl Fn(&Entry) -> bool) -> Page {
        let end = before.map_or(self.held.len(), |before| {
            self.held
                .partition_point(|held| held.entry.position() < before)
        });
        let older = self.held.get(..end).unwrap_or_default().iter().rev();
        let mut older = older.filter(|held| may_pass(&held.entry));
        let page: Vec<&Box<Held>> = older.by_ref().take(MAX_IDS).collect();
        let from = older
            .next()
            .and_then(|_| page.last())
            .map(|held| held.entry.position());
        let ids = page.iter().rev().map(|held| short(&held.entry.id()));
        Page {
            ids: ids.collect(),
            from,
        }
    }

    /// The places of the last entries before a place, at most so many.
    pub fn before(&self, position: Position, count: usize) -> Vec<Position> {
        let end = self
            .held
            .partition_point(|held| held.entry.position() < position);
        let places = self.held.get(end.saturating_sub(count)..end);
        let places = places.unwrap_or_default().iter();
        places.map(|held| held.entry.position()).collect()
    }

    /// The places from one up to another, without that one.
    pub fn between(&self, from: Position, end: Position) -> Vec<Position> {
        let index = |at: Position| {
            let held = &self.held;
            held.partition_point(|held| held.entry.position() < at)
        };
        let places = self.held.get(index(from)..index(end));
        let places = places.unwrap_or_default().iter();
        places.map(|held| held.entry.position()).collect()
    }

    /// Adds an entry that was checked. `None` if it is here already.
    pub fn insert(&mut self, entry: Entry, now: Millis, caught_up: bool) -> Option<Inserted> {
        let (id, position) = (entry.id(), entry.position());
        let name = short(&id);
        if self.contains(&name) {
            return None;
        }
        let body = entry.body();
        let number = number_of(&entry);
        let mut held = Held {
            arrived: now,
            shown: self.shown_at(&entry, body.as_ref(), now),
            caught_up,
            is_forked: false,
            is_shown: false,
            entry,
        };
        let mut others = Vec::new();
        if let Some(other) = self.numbers.get(&number).copied() {
            held.is_forked = true;
            if let Some(other) = self.get_mut(&other) {
                other.is_forked = true;
                others.push(other.entry.id());
            }
        } else {
            self.numbers.insert(number, name);
        }
        self.clocks.insert(name, position.clock);
        self.bytes += held.entry.size();
        let place = self
            .held
            .partition_point(|other| other.entry.position() < position);
        self.held.insert(place, Box::new(held));
        others.extend(self.redate_next(number));
        let content = body.map(|body| body.content);
        let change = match content.as_ref().map(|content| (content, content.target())) {
            Some((_, Some(target))) => {
                let references = self.references.entry(short(&target)).or_default();
                references.push(name);
                Change::Changed(target)
            }
            Some((Content::Say { .. } | Content::File { .. }, None)) => Change::Said(id),
            // Its words were taken back, by an entry that may have come before it.
            None => Change::Said(id),
            _ => Change::Nothing,
        };
        Some(Inserted { change, others })
    }

    /// Where an entry is shown: at its own clock, unless that lies ahead of its arrival, or behind what the author said
    /// before; and never above what it answers or what the author had seen.
    fn shown_at(&self, entry: &Entry, body: Option<&EntryBody>, now: Millis) -> Position {
        let arrival = Clock(Clock::at(now).0 | 0xffff);
        let before = self.get(&short(&entry.previous));
        let is_backdated = before.is_some_and(|before| before.entry.clock >= entry.clock);
        let mut clock = if is_backdated {
            arrival
        } else {
            entry.clock.min(arrival)
        };
        let reply_to = match body.map(|body| &body.content) {
            Some(Content::Say { reply_to, .. } | Content::File { reply_to, .. }) => *reply_to,
            _ => None,
        };
        for above in [Some(entry.seen), reply_to].into_iter().flatten() {
            if let Some(above) = self.get(&short(&above)) {
                clock = clock.max(Clock(above.shown.clock.0.saturating_add(1)));
            }
        }
        let id = entry.id();
        Position { clock, id }
    }

    /// What an author said next may have come first: then it is only now seen that it was dated back.
    fn redate_next(&mut self, (author, writer, number): Number) -> Option<EntryId> {
        let this = *self.numbers.get(&(author, writer, number))?;
        let next = *self
            .numbers
            .get(&(author, writer, number.checked_add(1)?))?;
        let clock = self.get(&this)?.entry.clock;
        let next = self.get_mut(&next)?;
        if next.entry.clock > clock {
            return None;
        }
        next.shown.clock = Clock(Clock::at(next.arrived).0 | 0xffff);
        Some(next.entry.id())
    }

    /// The entries that refer to a message, in their order, with their bodies.
    pub fn references(&self, target: &ShortId) -> Vec<(&Held, EntryBody)> {
        let references = self.references.get(target).into_iter().flatten();
        let found = references.filter_map(|id| {
            let held = self.get(id)?;
            Some((held, held.entry.body()?))
        });
        let by_place = |(one, _): &(&Held, EntryBody), (other, _): &(&Held, EntryBody)| {
            one.entry.position().cmp(&other.entry.position())
        };
        crate::sort::sorted_by(found, by_place)
    }

    /// Notes that people see an entry as a message, and returns whether they did before.
    pub fn show(&mut self, id: &ShortId) -> bool {
        let held = self.get_mut(id);
        held.is_some_and(|held| core::mem::replace(&mut held.is_shown, true))
    }

    /// How many entries there are, and their size in bytes.
    pub fn size(&self) -> (u64, u64) {
        (self.held.len() as u64, self.bytes as u64)
    }

    /// Removes an entry for which there is no room.
    pub fn remove(&mut self, position: &Position) {
        let place = self
            .held
            .partition_point(|held| held.entry.position() < *position);
        if self.held.get(place).map(|held| held.entry.position()) != Some(*position) {
            return;
        }
        let held = self.held.remove(place);
        let id = short(&position.id);
        self.bytes -= held.entry.size();
        self.clocks.remove(&id);
        let number = number_of(&held.entry);
        if self.numbers.get(&number) == Some(&id) {
            self.numbers.remove(&number);
        }
        let body = held.entry.body();
        if let Some(target) = body.and_then(|body| body.content.target())
            && let Some(references) = self.references.get_mut(&short(&target))
        {
            references.retain(|other| *other != id);
        }
    }

    /// Drops the body of a message that was taken back.
    ///
    /// Returns whether it had one.
    pub fn take_back(&mut self, id: &ShortId) -> bool {
        let Some(held) = self.get_mut(id) else {
            return false;
        };
        let before = held.entry.size();
        held.entry.take_back();
        let saved = before - held.entry.size();
        self.bytes -= saved;
        saved > 0
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
