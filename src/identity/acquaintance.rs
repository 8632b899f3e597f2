//! Knowledge about one key: when it was met, under which names, and what the person decided about it.

use std::sync::{Arc, OnceLock};

use super::{Lookalike, Name};
use crate::sort::sorted_by;
use crate::time::Millis;

/// The limit of names that are remembered for one key.
pub const MAX_NAMES: usize = 8;

/// In milliseconds. A key whose first and last meeting are at least this far apart counts as met on one more day.
const LONG_STAY: u64 = 60 * 60 * 1000;

const DAY: u64 = 24 * 60 * 60 * 1000;

/// Everything that is known about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acquaintance {
    /// The names that belong to the key, ordered by their last use; at most [`MAX_NAMES`].
    names: Vec<KnownName>,
    /// The time of the first meeting.
    pub first: Millis,
    /// The time of the last meeting.
    pub last: Millis,
    /// The number of days on which the key was met.
    days: u16,
    /// When the person compared the safety number.
    compared: Option<Millis>,
    /// The person's latest decision to block the key or to unblock it.
    block: Option<Block>,
}

/// A name that a key has used.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KnownName {
    text: String,
    appearance: Appearance,
    first: Millis,
    last: Millis,
    /// When the person confirmed that the name is right on this key.
    accepted: Option<Millis>,
}

impl KnownName {
    fn matches(&self, lookalike: &Lookalike) -> bool {
        let own = self.appearance.0.get_or_init(|| Lookalike::of(&self.text));
        own.matches(lookalike)
    }
}

/// The appearance of a known name, computed when it is first compared, and once for all copies of a book: names that
/// others chose can make it slow.
#[derive(Debug, Clone, Default)]
struct Appearance(Arc<OnceLock<Lookalike>>);

/// It follows from the text of its name.
impl PartialEq for Appearance {
    fn eq(&self, _: &Appearance) -> bool {
        true
    }
}

impl Eq for Appearance {}

/// A decision to block a key, or to unblock it. The later of two decisions counts; if both are from the same instant,
/// the block counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    at: Millis,
    is_blocked: bool,
}

/// The strength of a key's claim to a name. The smallest claim is the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Claim {
    is_unverified: bool,
    is_unaccepted: bool,
    since: Millis,
}

impl Claim {
    /// Whether the person confirmed that the name is right on the key.
    pub(super) fn is_accepted(self) -> bool {
        !self.is_unaccepted
    }
}

/// The importance of remembering a key. Keys of the lowest standing are forgotten first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// The key was met once, or a few times on one day.
    Stranger,
    /// The key was met on more days, where a long stay counts as one more day. The number is 1 for 2 or 3 days, 2 for
    /// 4 to 7, 3 for 8 to 15 …
    Familiar(u32),
    /// The person confirmed that a name is right on the key.
    NameAccepted,
    /// The person blocked the key.
    Blocked,
    /// The person compared the safety number.
    Verified,
}

impl Standing {
    /// Whether the person has decided anything about the key.
    pub(super) fn is_decided(self) -> bool {
        self >= Standing::NameAccepted
    }
}

impl Acquaintance {
    /// The entry of a key that was never met before.
    pub(super) fn new(at: Millis) -> Acquaintance {
        Acquaintance {
            names: Vec::new(),
            first: at,
            last: at,
            days: 1,
            compared: None,
            block: None,
        }
    }

    /// The latest name of the key.
    pub fn name(&self) -> Option<&str> {
        self.names.last().map(|name| name.text.as_str())
    }

    /// The names that belong to the key, the latest last.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.names.iter().map(|name| name.text.as_str())
    }

    /// Whether the person compared the safety number.
    pub fn is_verified(&self) -> bool {
        self.compared.is_some()
    }

    /// Whether the person blocked the key.
    pub fn is_blocked(&self) -> bool {
        self.block.is_some_and(|block| block.is_blocked)
    }

    pub(super) fn standing(&self) -> Standing {
        let stays = u16::from(self.last.since(self.first).as_millis() >= u128::from(LONG_STAY));
        if self.is_verified() {
            Standing::Verified
        } else if self.is_blocked() {
            Standing::Blocked
        } else if self.names.iter().any(|name| name.accepted.is_some()) {
            Standing::NameAccepted
        } else {
            // Powers of two, so that one more day does not outweigh a much older acquaintance.
            match self.days.saturating_add(stays).max(1).ilog2() {
                0 => Standing::Stranger,
                power => Standing::Familiar(power),
            }
        }
    }

    /// The key's strongest claim to a name that looks like this one; `None` if no such name belongs to the key.
    pub(super) fn claim(&self, lookalike: &Lookalike) -> Option<Claim> {
        let alike = self.names.iter().filter(|name| name.matches(lookalike));
        let claims = alike.map(|name| Claim {
            is_unverified: !self.is_verified(),
            is_unaccepted: name.accepted.is_none(),
            since: name.first,
        });
        claims.min()
    }

    /// Notes that the key was met.
    pub(super) fn meet(&mut self, at: Millis) {
        if at.0 / DAY > self.last.0 / DAY {
            self.days = self.days.saturating_add(1);
        }
        self.last = self.last.max(at);
    }

    /// Notes that the key goes by this name.
    pub(super) fn add_name(&mut self, name: &Name, at: Millis, is_accepted: bool) {
        self.merge_name(&KnownName {
            text: name.as_str().to_owned(),
            appearance: Appearance::default(),
            first: at,
            last: at,
            accepted: is_accepted.then_some(at),
        });
        self.order_names();
    }

    /// Notes that the person compared the safety number.
    pub(super) fn compare(&mut self, at: Millis) {
        self.compared = self.compared.max(Some(at));
    }

    /// Blocks the key or unblocks it. The decision is always later than the one before, even if the clock was set back.
    pub(super) fn set_blocked(&mut self, is_blocked: bool, at: Millis) {
        if self.is_blocked() != is_blocked {
            let after = self.block.map(|block| Millis(block.at.0.saturating_add(1)));
            let at = after.map_or(at, |after| after.max(at));
            self.block = Some(Block { at, is_blocked });
        }
    }

    /// Merges another copy of this entry into this one.
    pub(super) fn merge(&mut self, other: &Acquaintance) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.days = self.days.max(other.days);
        self.compared = self.compared.max(other.compared);
        self.block = self.block.max(other.block);
        other.names.iter().for_each(|name| self.merge_name(name));
        self.order_names();
    }

    fn merge_name(&mut self, name: &KnownName) {
        match self.names.iter_mut().find(|known| known.text == name.text) {
            Some(known) => {
                known.first = known.first.min(name.first);
                known.last = known.last.max(name.last);
                known.accepted = known.accepted.max(name.accepted);
            }
            None => self.names.push(name.clone()),
        }
    }

    /// Sorts the names by their last use. If there are more than [`MAX_NAMES`], forgets those that were used longest
    /// ago, and accepted ones only when no other is left.
    fn order_names(&mut self) {
        let names = core::mem::take(&mut self.names);
        let mut names = sorted_by(names, |a, b| (a.last, &a.text).cmp(&(b.last, &b.text)));
        while names.len() > MAX_NAMES {
            let unaccepted = names.iter().position(|name| name.accepted.is_none());
            names.remove(unaccepted.unwrap_or(0));
        }
        self.names = names;
    }

    /// Returns the fields of a line in storage: the times of the first and the last meeting, the number of days, the
    /// time of the comparison, whether the key is blocked and since when, and its names. Each name follows the times of
    /// its first use, its last use and its acceptance. Fields are separated by tabs, which names never contain.
    pub(super) fn to_fields(&self) -> String {
        let time = |at: Option<Millis>| at.map_or("-".to_owned(), |at| at.0.to_string());
        let block = self.block.map_or("-".to_owned(), |block| {
            let word = if block.is_blocked { "blocked" } else { "free" };
            format!("{word} {}", block.at.0)
        });
        let mut fields = format!(
            "{}\t{}\t{}\t{}\t{block}",
            self.first.0,
            self.last.0,
            self.days,
            time(self.compared)
        );
        for name in &self.names {
            fields.push_str(&format!(
                "\t{} {} {} {}",
                name.first.0,
                name.last.0,
                time(name.accepted),
                name.text
            ));
        }
        fields
    }

    /// Reads the fields that [`Acquaintance::to_fields`] returned.
    pub(super) fn from_fields<'a>(
        mut fields: impl Iterator<Item = &'a str>,
    ) -> Option<Acquaintance> {
        let mut entry = Acquaintance {
            first: time(fields.next()?)?,
            last: time(fields.next()?)?,
            days: fields.next()?.parse().ok()?,
            compared: optional_time(fields.next()?)?,
            block: match fields.next()? {
                "-" => None,
                text => {
                    let (word, at) = text.split_once(' ')?;
                    let is_blocked = match word {
                        "blocked" => true,
                        "free" => false,
                        _ => return None,
                    };
                    let at = time(at)?;
                    Some(Block { at, is_blocked })
                }
            },
            names: Vec::new(),
        };
        for field in fields {
            let mut parts = field.splitn(4, ' ');
            let (first, last) = (time(parts.next()?)?, time(parts.next()?)?);
            let accepted = optional_time(parts.next()?)?;
            let text = parts.next().filter(|text| !text.is_empty())?.to_owned();
            entry.merge_name(&KnownName {
                text,
                appearance: Appearance::default(),
                first,
                last,
                accepted,
            });
        }
        entry.order_names();
        Some(entry)
    }
}

fn time(text: &str) -> Option<Millis> {
    text.parse().ok().map(Millis)
}

/// A time or `-`; `None` if it is neither.
fn optional_time(text: &str) -> Option<Option<Millis>> {
    match text {
        "-" => Some(None),
        text => time(text).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appearances_are_computed_when_they_are_compared_and_once_for_all_copies() {
        let fields = ["10", "20", "1", "-", "-", "10 20 - ann", "10 20 - Ann Lee"];
        let read = Acquaintance::from_fields(fields.into_iter()).unwrap();
        let computed = |entry: &Acquaintance| {
            let names = entry.names.iter();
            names
                .filter(|name| name.appearance.0.get().is_some())
                .count()
        };
        assert_eq!((read.names.len(), computed(&read)), (2, 0));
        let copy = read.clone();
        assert!(copy.claim(&Lookalike::of("ANN")).is_some());
        assert_eq!((computed(&copy), computed(&read)), (2, 2));
    }
}
