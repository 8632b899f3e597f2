//! Emphasis: which runs of `*`, `_` and `~` belong together.
//!
//! The rules are those of CommonMark (section 6.2), and `~~` strikes out. Beyond them, signs stay signs: in names
//! (`__init__`), in products (`2*3*4`), in paths (`src/*.rs`), in words that are not written out (`f**k`), in faces
//! (`^_^`), and longer runs.

use std::ops::Range;

use super::inline::{Kind, Token};
use super::{Style, spend};
use crate::identity::unicode::{is_alphanumeric, is_joiner, is_nonspacing_mark};
use crate::ui::links::is_unspaced;

/// Longer runs are signs.
const MAX_RUN: usize = 3;
/// Delimiters that look for the same openers: so many signs, open or not, and lengths.
const CLASSES: usize = 3 * 2 * 3;

/// A run of equal signs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delimiter {
    sign: u8,
    length: usize,
    /// How many of its signs are not used up.
    left: usize,
    /// How many were used up to close something. Those are the first ones.
    closed: usize,
    can_open: bool,
    can_close: bool,
    /// Whether it stands within a word.
    in_word: bool,
    opens: Flags,
    closes: Flags,
}

/// How many of each are open.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    emphasis: usize,
    strong: usize,
    struck: usize,
}

impl Flags {
    fn add(&mut self, sign: u8, count: usize) {
        match (sign, count) {
            (b'~', _) => self.struck += 1,
            (_, 1) => self.emphasis += 1,
            _ => self.strong += 1,
        }
    }

    pub fn open(&mut self, delimiter: &Delimiter) {
        self.emphasis += delimiter.opens.emphasis;
        self.strong += delimiter.opens.strong;
        self.struck += delimiter.opens.struck;
    }

    /// What is closed was opened before.
    pub fn close(&mut self, delimiter: &Delimiter) {
        let less = usize::saturating_sub;
        self.emphasis = less(self.emphasis, delimiter.closes.emphasis);
        self.strong = less(self.strong, delimiter.closes.strong);
        self.struck = less(self.struck, delimiter.closes.struck);
    }

    pub fn style(self) -> Style {
        Style {
            emphasis: self.emphasis > 0,
            strong: self.strong > 0,
            struck: self.struck > 0,
        }
    }
}

/// What stands beside a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Blank,
    Word,
    /// A letter of a script without spaces between words.
    Unspaced,
    Sign(char),
}

impl Side {
    fn of(character: Option<char>) -> Side {
        match character {
            None => Side::Blank,
            Some(c) if c.is_whitespace() => Side::Blank,
            Some(c) if is_unspaced(c) => Side::Unspaced,
            Some(c) if is_alphanumeric(c) || is_nonspacing_mark(c) || is_joiner(c) => Side::Word,
            Some(c) => Side::Sign(c),
        }
    }

    fn is_sign(self, signs: &str) -> bool {
        matches!(self, Side::Sign(c) if signs.contains(c))
    }

    /// Whether a word may end here, as seen from a run with a sign behind it.
    fn is_apart(self, signs: &str) -> bool {
        matches!(self, Side::Blank | Side::Unspaced) || self.is_sign(signs)
    }
}

impl Delimiter {
    pub fn new(sign: u8, length: usize, before: Option<char>, after: Option<char>) -> Delimiter {
        let is_digit = |side: Option<char>| side.is_some_and(|c| c.is_ascii_digit());
        let [left, right] = [before, after].map(Side::of);
        let in_word = left == Side::Word && right == Side::Word;
        let is_signs = match sign {
            b'_' => length != 1 || in_word,
            b'~' => length != 2 || in_word && (is_digit(before) || is_digit(after)),
            _ => length > MAX_RUN || in_word && (is_digit(before) || is_digit(after)),
        };
        let possible = !is_signs && !left.is_sign("/\\");
        let is_letter = |side| sign == b'_' && matches!(side, Side::Word | Side::Unspaced);
        let can_open = possible
            && right != Side::Blank
            && !right.is_sign(")]}")
            && !is_letter(left)
            && (!matches!(right, Side::Sign(_)) || left.is_apart("*_~([{\"'“‘«„‚¿¡—–"));
        let can_close = possible
            && left != Side::Blank
            && !left.is_sign("([{")
            && !right.is_sign("/")
            && !is_letter(right)
            && (!matches!(left, Side::Sign(_)) || right.is_apart("*_~)]}\"'”’»“‘.,;:!?…—–"));
        Delimiter {
            sign,
            length,
            left: length,
            closed: 0,
            can_open,
            can_close,
            in_word,
            opens: Flags::default(),
            closes: Flags::default(),
        }
    }

    /// The signs that are not used up, if the run begins at `start`.
    pub fn shown(&self, start: usize) -> Range<usize> {
        let start = start + self.closed;
        start..start + self.left
    }

    fn class(&self) -> usize {
        let sign = match self.sign {
            b'*' => 0,
            b'_' => 1,
            _ => 2,
        };
        (sign * 2 + usize::from(self.can_open)) * 3 + self.length % 3
    }

    /// Whether this opens what `closer` closes. If one of them can do both, a sum of three is no pair.
    fn opens_for(&self, closer: &Delimiter) -> bool {
        let sum = self.length + closer.length;
        let is_odd = (self.can_close || closer.can_open)
            && sum.is_multiple_of(3)
            && !closer.length.is_multiple_of(3);
        self.sign == closer.sign && !is_odd
    }
}

/// Finds the pairs among these tokens, and marks what they use up. Labels of links are left out.
///
/// Every step either uses up an opener, or shows that no opener below a place fits a class. So the number of steps grows
/// with that of the tokens.
pub(super) fn match_delimiters(tokens: &mut [Token]) {
    let mut openers: Vec<(usize, Delimiter)> = Vec::new();
    // Below these places, there is no opener for the class.
    let mut bottoms = [0; CLASSES];
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let place = token.place;
        let mut closer = match token.kind {
            Kind::Link { end, .. } => {
                at = end;
                continue;
            }
            Kind::Delimiter(delimiter) => delimiter,
            _ => {
                at += 1;
                continue;
            }
        };
        while closer.can_close && closer.left > 0 {
            let class = closer.class();
            let candidates = openers.iter().enumerate().skip(bottoms[class]);
            let found = candidates.rev().find(|(_, (_, opener))| {
                spend(1);
                opener.opens_for(&closer)
            });
            let pair = found.map(|(depth, (opening, opener))| (depth, *opening, *opener));
            let pair = pair.filter(|(_, opening, opener)| {
                // Signs around signs are a face, and two words with a sign in each are two words.
                tokens.get(*opening).is_some_and(|token| {
                    let is_open = opener.in_word && closer.in_word;
                    token.place.words < place.words && !(is_open && token.place.gaps < place.gaps)
                })
            });
            let Some((depth, opening, mut opener)) = pair else {
                bottoms[class] = openers.len();
                break;
            };
            let count = opener.left.min(closer.left).min(2);
            opener.left -= count;
            opener.opens.add(opener.sign, count);
            closer.left -= count;
            closer.closed += count;
            closer.closes.add(closer.sign, count);
            if let Some(token) = tokens.get_mut(opening) {
                token.kind = Kind::Delimiter(opener);
            }
            openers.truncate(depth);
            if opener.left > 0 {
                openers.push((opening, opener));
            }
            bottoms = bottoms.map(|bottom| bottom.min(openers.len()));
        }
        if closer.can_open && closer.left > 0 {
            openers.push((at, closer));
        }
        if let Some(token) = tokens.get_mut(at) {
            token.kind = Kind::Delimiter(closer);
        }
        at += 1;
    }
}
