//! What is known of one key: when it was met, under which names, and what the person decided about it.

use super::{Lookalike, Name};
use crate::sort::sorted_by;
use crate::time::Millis;

/// At most this many names of one key are remembered.
pub const MAX_NAMES: usize = 8;

/// Whoever was here for longer than this counts as met on one day more.
const LONG_STAY: u64 = 60 * 60 * 1000;

const DAY: u64 = 24 * 60 * 60 * 1000;

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acquaintance {
    /// The names that belong to it, by when they were used last; at most [`MAX_NAMES`].
    names: Vec<KnownName>,
    /// When it was met first.
    pub first: Millis,
    /// When it was met last.
    pub last: Millis,
    /// On how many days it was met.
    days: u16,
    /// When the person compared the safety number.
    compared: Option<Millis>,
    /// The person's last word on having anything to do with it.
    block: Option<Block>,
}

/// A name that a key goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KnownName {
    text: String,
    lookalike: Lookalike,
    first: Millis,
    last: Millis,
    /// When the person said that it is right on this key.
    accepted: Option<Millis>,
}

/// A decision to block a key, or to take that back. Of two the later one counts; at the same instant, the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    at: Millis,
    is_blocked: bool,
}

/// How well founded it is that a name belongs to a key. The smallest claim is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Claim {
    is_unverified: bool,
    is_unaccepted: bool,
    since: Millis,
}

impl Claim {
    /// Whether the person said that the name is right on the key.
    pub(super) fn is_accepted(self) -> bool {
        !self.is_unaccepted
    }
}

/// How much it would be a loss to forget a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Met once or a few times on one day.
    Stranger,
    /// Met on more days or for longer: 2 to 3, 4 to 7, 8 to 15 …
    Familiar(u32),
    /// The person said that a name is right on it.
    NameAccepted,
    /// The person wants nothing to do with it.
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
    /// A key that was never met before.
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

    /// The name that it went by last.
    pub fn name(&self) -> Option<&str> {
        self.names.last().map(|name| name.text.as_str())
    }

    /// The names that belong to it, the latest last.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| name.text.as_str())
    }

    /// Whether the person compared the safety number.
    pub fn is_verified(&self) -> bool {
        self.compared.is_some()
    }

    /// Whether the person wants nothing to do with it.
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
            // By powers of two: who was met yesterday may make room for nobody who was met last year.
            match self.days.saturating_add(stays).max(1).ilog2() {
                0 => Standing::Stranger,
                power => Standing::Familiar(power),
            }
        }
    }

    /// How well founded it is that a name that looks like this one belongs to this key; `None` if none does.
    pub(super) fn claim(&self, lookalike: &Lookalike) -> Option<Claim> {
        let alike = self
            .names
            .iter()
            .filter(|name| name.lookalike.matches(lookalike));
        let claims = alike.map(|name| Claim {
            is_unverified: !self.is_verified(),
            is_unaccepted: name.accepted.is_none(),
            since: name.first,
        });
        claims.min()
    }

    /// It was met.
    pub(super) fn meet(&mut self, at: Millis) {
        if at.0 / DAY > self.last.0 / DAY {
            self.days = self.days.saturating_add(1);
        }
        self.last = self.last.max(at);
    }

    /// It goes by this name.
    pub(super) fn add_name(&mut self, name: &Name, at: Millis, is_accepted: bool) {
        self.merge_name(&KnownName {
            text: name.as_str().to_owned(),
            lookalike: name.lookalike(),
            first: at,
            last: at,
            accepted: is_accepted.then_some(at),
        });
        self.order_names();
    }

    /// The person compared the safety number.
    pub(super) fn compare(&mut self, at: Millis) {
        self.compared = self.compared.max(Some(at));
    }

    /// The person blocks it or takes that back: later than what was decided before, whatever the clock says.
    pub(super) fn set_blocked(&mut self, is_blocked: bool, at: Millis) {
        if self.is_blocked() != is_blocked {
            let after = self.block.map(|block| Millis(block.at.0.saturating_add(1)));
            let at = after.map_or(at, |after| after.max(at));
            self.block = Some(Block { at, is_blocked });
        }
    }

    /// Adds what another copy of this entry knows.
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

    /// Forgets the names beyond [`MAX_NAMES`] that were used longest ago, accepted ones last.
    fn order_names(&mut self) {
        let names = core::mem::take(&mut self.names);
        let mut names = sorted_by(names, |a, b| (a.last, &a.text).cmp(&(b.last, &b.text)));
        while names.len() > MAX_NAMES {
            let unaccepted = names.iter().position(|name| name.accepted.is_none());
            names.remove(unaccepted.unwrap_or(0));
        }
        self.names = names;
    }

    /// The fields of a line in storage: when the key was met first and last, on how many days, when it was compared,
    /// whether it is blocked and since when that has been so, and its names. A name comes after the times when it was
    /// used first and last and when it was accepted. There are tabs between fields; no name holds one.
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

    /// Reads what [`Acquaintance::to_fields`] wrote.
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
            let lookalike = Lookalike::of(&text);
            entry.merge_name(&KnownName {
                text,
                lookalike,
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
