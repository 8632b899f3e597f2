//! The lines of the log, in their order, and by number and by message. A clone shares all but what changes, so that a new
//! message costs little in a long log.

use core::ops::Range;
use std::rc::Rc;

use super::line::{Content, Line};
use crate::room::{MessageId, Order};

/// A piece has at most this many lines.
const PIECE: usize = 128;

/// Lines in pieces, which clones share. A change copies one piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Pieces(Vec<Rc<Vec<Rc<Line>>>>);

/// Where a line is: its piece, and its place in there.
type Spot = (usize, usize);

impl Pieces {
    /// The spot of the first line that does not come before a place; `is_before` holds for all lines above, and for no
    /// other.
    fn spot(&self, is_before: &dyn Fn(&Line) -> bool) -> Spot {
        let Pieces(pieces) = self;
        let begins_before =
            |piece: &Rc<Vec<Rc<Line>>>| piece.first().is_some_and(|line| is_before(line));
        let piece = pieces.partition_point(begins_before).saturating_sub(1);
        let lines = pieces.get(piece).map_or(&[][..], |piece| piece);
        let at = lines.partition_point(|line| is_before(line));
        if at == lines.len() && piece + 1 < pieces.len() {
            (piece + 1, 0)
        } else {
            (piece, at)
        }
    }

    fn get(&self, (piece, at): Spot) -> Option<&Rc<Line>> {
        self.0.get(piece)?.get(at)
    }

    /// The lines from a spot on.
    fn from(&self, (piece, at): Spot) -> impl Iterator<Item = &Rc<Line>> {
        let pieces = self.0.get(piece..).unwrap_or_default();
        pieces.iter().flat_map(|piece| piece.iter()).skip(at)
    }

    /// The spot of the line at an index, or that behind the last line.
    fn spot_of(&self, index: usize) -> Spot {
        let (mut piece, mut at) = (0, index);
        while let Some(lines) = self.0.get(piece)
            && at >= lines.len()
            && piece + 1 < self.0.len()
        {
            at -= lines.len();
            piece += 1;
        }
        (piece, at)
    }

    fn index_of(&self, (piece, at): Spot) -> usize {
        let above = self.0.iter().take(piece);
        above.map(|lines| lines.len()).sum::<usize>() + at
    }

    fn insert(&mut self, (piece, at): Spot, line: Rc<Line>) {
        let pieces = &mut self.0;
        let Some(lines) = pieces.get_mut(piece) else {
            return pieces.push(Rc::new(vec![line]));
        };
        let lines = Rc::make_mut(lines);
        lines.insert(at.min(lines.len()), line);
        if lines.len() > PIECE {
            // Most lines come at the end, so the piece before it stays full.
            let rest = lines.split_off(PIECE / 8 * 7);
            pieces.insert(piece + 1, Rc::new(rest));
        }
    }

    fn replace(&mut self, (piece, at): Spot, line: Rc<Line>) {
        let lines = self.0.get_mut(piece).map(Rc::make_mut);
        if let Some(place) = lines.and_then(|lines| lines.get_mut(at)) {
            *place = line;
        }
    }

    fn remove(&mut self, (piece, at): Spot) {
        let Some(lines) = self.0.get_mut(piece) else {
            return;
        };
        if at < lines.len() {
            Rc::make_mut(lines).remove(at);
        }
        if lines.is_empty() {
            self.0.remove(piece);
        }
    }
}

/// The lines of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// In the order in which they are shown, which is that of their places.
    shown: Pieces,
    by_number: Pieces,
    /// The lines with messages, by their ids.
    by_id: Pieces,
    len: usize,
}

impl Lines {
    /// The number of lines.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The line at an index.
    pub fn get(&self, index: usize) -> Option<&Rc<Line>> {
        self.shown.get(self.shown.spot_of(index))
    }

    /// The first line.
    pub fn first(&self) -> Option<&Rc<Line>> {
        self.get(0)
    }

    /// The last line.
    pub fn last(&self) -> Option<&Rc<Line>> {
        self.shown.0.last()?.last()
    }

    /// All lines, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<Line>> {
        self.shown.from((0, 0))
    }

    /// The lines with these indices.
    pub fn range(&self, range: Range<usize>) -> impl Iterator<Item = &Rc<Line>> {
        self.shown
            .from(self.shown.spot_of(range.start))
            .take(range.len())
    }

    /// The index of the line with this number.
    pub fn position(&self, seq: u32) -> Option<usize> {
        let line = self.by_number(seq)?;
        let spot = self.shown.spot(&|other| other.place < line.place);
        let mut same = self.shown.from(spot);
        let at = same.position(|other| other.seq == seq)?;
        Some(self.shown.index_of(spot) + at)
    }

    /// The line with this number.
    pub fn by_number(&self, seq: u32) -> Option<&Rc<Line>> {
        let found = self.by_number.get(self.number_spot(seq));
        found.filter(|line| line.seq == seq)
    }

    /// The lines of the messages with this id, the oldest first. There can be several, because whoever sends a message to
    /// one person chooses its id.
    pub fn by_id<'a>(&'a self, id: &'a MessageId) -> impl Iterator<Item = &'a Rc<Line>> {
        let is_before = |line: &Line| id_of(line).is_some_and(|other| other < id);
        let spot = self.by_id.spot(&is_before);
        let lines = self.by_id.from(spot);
        lines.take_while(move |line| id_of(line) == Some(id))
    }

    /// The number of lines up to a place, including those that stand there.
    pub fn up_to(&self, place: &Order) -> usize {
        let spot = self.shown.spot(&|line| line.place <= *place);
        self.shown.index_of(spot)
    }

    /// Inserts a line at an index. The places of the lines have to stay in their order.
    pub fn insert(&mut self, index: usize, line: Line) {
        let line = Rc::new(line);
        let spot = self.shown.spot_of(index);
        self.shown.insert(spot, line.clone());
        if let Some(spot) = self.id_spot(&line) {
            self.by_id.insert(spot, line.clone());
        }
        let spot = self.number_spot(line.seq);
        self.by_number.insert(spot, line);
        self.len += 1;
    }

    /// Puts a line in the place of the one with the same number. Its message has to have the same id.
    pub fn replace(&mut self, line: Line) {
        let Some(index) = self.position(line.seq) else {
            return;
        };
        let line = Rc::new(line);
        let spot = self.shown.spot_of(index);
        self.shown.replace(spot, line.clone());
        if let Some(spot) = self.id_spot(&line) {
            self.by_id.replace(spot, line.clone());
        }
        let spot = self.number_spot(line.seq);
        self.by_number.replace(spot, line);
    }

    /// Removes the line with this number, and returns it.
    pub fn remove(&mut self, seq: u32) -> Option<Rc<Line>> {
        let line = self.by_number(seq)?.clone();
        let spot = self.shown.spot_of(self.position(seq)?);
        self.shown.remove(spot);
        if let Some(spot) = self.id_spot(&line) {
            self.by_id.remove(spot);
        }
        let spot = self.number_spot(seq);
        self.by_number.remove(spot);
        self.len -= 1;
        Some(line)
    }

    fn number_spot(&self, seq: u32) -> Spot {
        self.by_number.spot(&|other| other.seq < seq)
    }

    fn id_spot(&self, line: &Line) -> Option<Spot> {
        let key = (id_of(line)?, line.seq);
        let is_before = |other: &Line| id_of(other).is_some_and(|id| (id, other.seq) < key);
        Some(self.by_id.spot(&is_before))
    }
}

#[cfg(test)]
impl core::ops::Index<usize> for Lines {
    type Output = Rc<Line>;

    fn index(&self, index: usize) -> &Rc<Line> {
        match self.get(index) {
            Some(line) => line,
            None => panic!("there is no line {index}"),
        }
    }
}

fn id_of(line: &Line) -> Option<&MessageId> {
    match &line.content {
        Content::Said(said) => Some(&said.message.id),
        Content::Moves(_) | Content::Called(_) => None,
    }
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
