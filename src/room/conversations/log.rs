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
    /// What is to be remembered of how it came here.
    pub origin: Origin,
}

/// What is to be remembered of how an entry came here, if it came from a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// Nobody signed it, and nobody said it here: it is shown as that, and never leaves this browser.
    pub is_unproven: bool,
    /// It was deleted here, and the person wanted it back.
    pub is_brought_back: bool,
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

    /// An entry that its author said here, or signed: it may be passed on.
    pub fn proven(&self, id: &ShortId) -> Option<&Held> {
        self.get(id).filter(|held| !held.origin.is_unproven)
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

    /// All entries that may be passed on, in their order.
    fn all_proven(&self) -> impl DoubleEndedIterator<Item = &Held> {
        self.iter().filter(|held| !held.origin.is_unproven)
    }

    /// The entry with the latest place, or zeros.
    pub fn newest(&self) -> EntryId {
        let newest = self.all_proven().next_back();
        newest.map_or(StatementId([0; 32]), |held| held.entry.id())
    }

    /// The latest clock that is not ahead of its arrival: ours goes on from there.
    pub fn clock(&self) -> Clock {
        let mut latest = self.all_proven().rev();
        let believed = latest.find(|held| held.entry.clock <= held.shown.clock);
        believed.map_or(Clock::default(), |held| held.entry.clock)
    }

    /// The oldest place that is taken.
    pub fn oldest(&self) -> Option<Position> {
        Some(self.all_proven().next()?.entry.position())
    }

    /// The place of the last entry but so many, or the oldest one.
    #[cfg(feature = "export")]
    pub fn last_but(&self, count: usize) -> Option<Position> {
        let at = self.held.len().saturating_sub(count);
        Some(self.held.get(at)?.entry.position())
    }

    /// The oldest place of what people see.
    #[cfg(feature = "export")]
    pub fn oldest_shown(&self) -> Option<Position> {
        let shown = self.held.iter().find(|held| held.is_shown);
        shown.map(|held| held.entry.position())
    }

    /// The last page before a place, of those entries that may be passed on.
    pub fn page(&self, before: Option<Position>, may_pass: impl Fn(&Entry) -> bool) -> Page {
        let end = before.map_or(self.held.len(), |before| {
            self.held
                .partition_point(|held| held.entry.position() < before)
        });
        let older = self.held.get(..end).unwrap_or_default().iter().rev();
        let mut older = older.filter(|held| !held.origin.is_unproven && may_pass(&held.entry));
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

    /// Adds an entry that was checked. `None` if it is here already; but what was only imported makes way for what was said.
    pub fn insert(&mut self, entry: Entry, now: Millis, caught_up: bool) -> Option<Inserted> {
        let (id, position) = (entry.id(), entry.position());
        let name = short(&id);
        let is_shown = match self.get(&name) {
            Some(held) if !held.origin.is_unproven => return None,
            Some(held) => held.is_shown,
            None => false,
        };
        self.remove(&position);
        let body = entry.body();
        let number = number_of(&entry);
        let mut held = Held {
            arrived: now,
            shown: self.shown_at(&entry, body.as_ref(), now),
            caught_up,
            is_forked: false,
            is_shown,
            origin: Origin::default(),
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

    /// Notes how an entry came here.
    pub fn set_origin(&mut self, id: &ShortId, origin: Origin) {
        if let Some(held) = self.get_mut(id) {
            held.origin = origin;
        }
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
