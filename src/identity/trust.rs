//! The trust book: the keys that this browser has met, their names, and what the person decided about them.
//!
//! A name belongs to the first key that was met with it. Another key with that name, or with one that looks like it, is
//! [`Trust::NameOnAnotherKey`] every time, until the person accepts the name ([`TrustBook::accept_name`]) or compares
//! the safety number ([`TrustBook::verify`]). If the warning went away by itself after the first meeting, an impostor
//! would only have to wait.
//!
//! Decisions carry the time at which they were made, so that the books of two tabs can be [merged](TrustBook::merge) in
//! any order, and no decision is lost.

use std::collections::BinaryHeap;

use base64ct::{Base64UrlUnpadded, Encoding};
use litemap::LiteMap;

pub use super::acquaintance::MAX_NAMES;
use super::acquaintance::{Acquaintance, Claim, Standing};
use super::{Lookalike, Name, PublicKey};
use crate::time::Millis;

/// The limit of keys that are remembered.
pub const MAX_ENTRIES: usize = 500;

/// The limit, among them, of keys about which the person has decided something.
pub const MAX_DECIDED: usize = 400;

/// This many of the strangers who were met last are kept even if familiar keys have to be forgotten, so that somebody
/// new can become familiar in a book that is full of old acquaintances.
const NEWCOMERS: usize = 50;

const VERSION: u32 = 1;

/// Why a stored trust book cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The text is not a trust book.
    #[error("The list of people you met before is damaged.")]
    Damaged,
    /// The book was written by a later version of this page.
    #[error("The list of people you met before was written by a newer version of this page.")]
    Newer,
}

/// Why a decision is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// The key is blocked, perhaps in another tab.
    #[error("You blocked this person. To trust them again, unblock them first.")]
    Blocked,
}

/// The trust in a key, from what this browser knows about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The key was never met before.
    New,
    /// The key was met before.
    Known,
    /// The person compared the safety number.
    Verified,
    /// The name is known with another key, or is the person's own name. This is the only loud warning.
    NameOnAnotherKey,
}

impl Trust {
    /// The name of this value in programs, pages and style sheets.
    pub fn as_str(self) -> &'static str {
        match self {
            Trust::New => "new",
            Trust::Known => "known",
            Trust::Verified => "verified",
            Trust::NameOnAnotherKey => "name-on-another-key",
        }
    }
}

/// The keys that this browser has met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustBook(LiteMap<PublicKey, Acquaintance>);

impl TrustBook {
    /// Reads the text that [`TrustBook::to_text`] returned.
    ///
    /// # Errors
    /// [`TrustError`]. The text should then be kept aside and not be overwritten.
    pub fn from_text(text: &str) -> Result<TrustBook, TrustError> {
        let mut lines = text.lines();
        let version: u32 = lines
            .next()
            .and_then(|line| line.parse().ok())
            .ok_or(TrustError::Damaged)?;
        if version > VERSION {
            return Err(TrustError::Newer);
        }
        let mut book = TrustBook::default();
        for line in lines {
            let (key, entry) = read_line(line).ok_or(TrustError::Damaged)?;
            book.0.insert(key, entry);
        }
        book.forget_surplus();
        Ok(book)
    }

    /// Returns the book as text for storage: a line with the version, then a line for each key. The fields of a line
    /// are separated by tabs: the key in base64url, then the facts about it.
    pub fn to_text(&self) -> String {
        let mut text = VERSION.to_string();
        for (key, entry) in self.iter() {
            let key = Base64UrlUnpadded::encode_string(&key.0);
            text.push_str(&format!("\n{key}\t{}", entry.to_fields()));
        }
        text
    }

    /// Returns the trust in `key`, which uses `name`.
    pub fn trust(&self, key: &PublicKey, name: &Name) -> Trust {
        let lookalike = name.lookalike();
        let own = self.0.get(key);
        let claim = own.and_then(|own| own.claim(&lookalike));
        let is_others = self.best_claim(key, &lookalike).is_some_and(|(other, _)| {
            claim.is_none_or(|claim| !claim.is_accepted() && other < claim)
        });
        match own {
            _ if is_others => Trust::NameOnAnotherKey,
            Some(own) if own.is_verified() => Trust::Verified,
            Some(_) => Trust::Known,
            None => Trust::New,
        }
    }

    /// Like [`TrustBook::trust`], for a peer in the same room. The person's own name on another key is a
    /// [`Trust::NameOnAnotherKey`], too, until the person accepts it. Other tabs of the person are at least known.
    pub fn trust_beside(
        &self,
        (own_key, own_name): (&PublicKey, &Name),
        key: &PublicKey,
        name: &Name,
    ) -> Trust {
        if key == own_key {
            return match self.0.get(key) {
                Some(own) if own.is_verified() => Trust::Verified,
                _ => Trust::Known,
            };
        }
        let lookalike = name.lookalike();
        let claim = self.0.get(key).and_then(|entry| entry.claim(&lookalike));
        let is_accepted = claim.is_some_and(Claim::is_accepted);
        if !is_accepted && lookalike.matches(&own_name.lookalike()) {
            return Trust::NameOnAnotherKey;
        }
        self.trust(key, name)
    }

    /// Records that `key` proved itself with `name`. A name that belongs to another key stays with that key.
    ///
    /// While a peer stays, this should be called again from time to time, at least once an hour, because long stays
    /// count when the book is full.
    pub fn remember(&mut self, key: &PublicKey, name: &Name, at: Millis) {
        let lookalike = name.lookalike();
        let is_taken = self.best_claim(key, &lookalike).is_some();
        let entry = self.entry(key, at);
        entry.meet(at);
        if !is_taken || entry.claim(&lookalike).is_some() {
            entry.add_name(name, at, false);
        }
        self.forget_surplus();
    }

    /// Records that the person compared the safety number. `key` is then verified, and `name`, under which it was
    /// shown, is accepted.
    ///
    /// # Errors
    /// [`DecisionError`] if the key is blocked.
    pub fn verify(
        &mut self,
        key: &PublicKey,
        name: &Name,
        at: Millis,
    ) -> Result<(), DecisionError> {
        self.accept_name(key, name, at)?;
        self.entry(key, at).compare(at);
        self.forget_surplus();
        Ok(())
    }

    /// Records that the person accepts `name` on `key`, for example on a new device of a friend.
    ///
    /// # Errors
    /// [`DecisionError`] if the key is blocked.
    pub fn accept_name(
        &mut self,
        key: &PublicKey,
        name: &Name,
        at: Millis,
    ) -> Result<(), DecisionError> {
        if self.is_blocked(key) {
            return Err(DecisionError::Blocked);
        }
        self.entry(key, at).add_name(name, at, true);
        self.forget_surplus();
        Ok(())
    }

    /// Whether the person confirmed that a name that looks like this one is right on `key`.
    pub fn is_accepted(&self, key: &PublicKey, name: &Name) -> bool {
        let entry = self.0.get(key);
        entry
            .and_then(|entry| entry.claim(&name.lookalike()))
            .is_some_and(Claim::is_accepted)
    }

    /// Returns the name that [`TrustBook::owner`] has, as it is written there, with that key.
    pub fn original(&self, key: &PublicKey, name: &Name) -> Option<(PublicKey, Name)> {
        let owner = self.owner(key, name)?;
        let lookalike = name.lookalike();
        let names = self
            .0
            .get(&owner)?
            .names()
            .filter_map(|text| Name::parse(text).ok());
        let mut alike = names.filter(|own| own.lookalike().matches(&lookalike));
        alike.next_back().map(|own| (owner, own))
    }

    /// Blocks a key, which was shown under this name. The name is kept for the list of whom the person has blocked, and
    /// stays free for others.
    pub fn block_as(&mut self, key: &PublicKey, name: &Name, at: Millis) {
        self.entry(key, at).add_name(name, at, false);
        self.block(key, true, at);
    }

    /// Blocks a key, or unblocks it. The names of a blocked key are free for others.
    pub fn block(&mut self, key: &PublicKey, blocked: bool, at: Millis) {
        self.entry(key, at).set_blocked(blocked, at);
        self.forget_surplus();
    }

    /// Returns everything that either book knows: times, names and decisions. Of two decisions about blocking a key,
    /// the later one counts.
    ///
    /// It does not matter which book is merged into which, in what order, or how often.
    #[must_use]
    pub fn merge(&self, other: &TrustBook) -> TrustBook {
        let mut merged = self.clone();
        for (key, entry) in other.iter() {
            match merged.0.get_mut(key) {
                Some(known) => known.merge(entry),
                None => {
                    merged.0.insert(*key, entry.clone());
                }
            }
        }
        merged.forget_surplus();
        merged
    }

    /// Whether the person blocked `key`.
    pub fn is_blocked(&self, key: &PublicKey) -> bool {
        self.0.get(key).is_some_and(Acquaintance::is_blocked)
    }

    /// The entry of `key`.
    pub fn get(&self, key: &PublicKey) -> Option<&Acquaintance> {
        self.0.get(key)
    }

    /// All keys and their entries.
    pub fn iter(&self) -> impl Iterator<Item = (&PublicKey, &Acquaintance)> {
        self.0.iter()
    }

    /// The number of keys in the book.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the book is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the key that `name` belongs to, if that is not `key`: the other key of a [`Trust::NameOnAnotherKey`].
    pub fn owner(&self, key: &PublicKey, name: &Name) -> Option<PublicKey> {
        self.best_claim(key, &name.lookalike()).map(|(_, key)| key)
    }

    /// Returns the strongest claim to a name that looks like this one by any key but `except`.
    fn best_claim(&self, except: &PublicKey, lookalike: &Lookalike) -> Option<(Claim, PublicKey)> {
        let others = self
            .0
            .iter()
            .filter(|(key, entry)| *key != except && !entry.is_blocked());
        others
            .filter_map(|(key, entry)| Some((entry.claim(lookalike)?, *key)))
            .min()
    }

    fn entry(&mut self, key: &PublicKey, at: Millis) -> &mut Acquaintance {
        self.0.entry(*key).or_insert_with(|| Acquaintance::new(at))
    }

    /// Forgets the keys of the lowest standing while there are too many. Keys with a decision make room only for other
    /// keys with a decision, and strangers go before familiar keys, except for a few newcomers. Among keys of equal
    /// standing, the one that was not seen for the longest time goes first.
    fn forget_surplus(&mut self) {
        if self.0.len() <= MAX_DECIDED {
            return;
        }
        let ranked: BinaryHeap<(Standing, Millis, PublicKey)> = self
            .0
            .iter()
            .map(|(key, entry)| (entry.standing(), entry.last, *key))
            .collect();
        let ranked = ranked.into_sorted_vec();
        let strangers = ranked.partition_point(|(standing, ..)| *standing == Standing::Stranger);
        let undecided = ranked.partition_point(|(standing, ..)| !standing.is_decided());
        let decided = ranked.len() - undecided;
        let surplus_decided = decided.saturating_sub(MAX_DECIDED);
        let surplus = undecided.saturating_sub(MAX_ENTRIES - (decided - surplus_decided));
        let surplus_strangers = surplus.min(strangers.saturating_sub(NEWCOMERS));
        let surplus_familiar = surplus - surplus_strangers;
        let oldest = |from: usize, count: usize| ranked.iter().skip(from).take(count);
        let forgotten = oldest(0, surplus_strangers)
            .chain(oldest(strangers, surplus_familiar))
            .chain(oldest(undecided, surplus_decided));
        for (_, _, key) in forgotten {
            self.0.remove(key);
        }
    }
}

fn read_line(line: &str) -> Option<(PublicKey, Acquaintance)> {
    let mut fields = line.split('\t');
    let key = Base64UrlUnpadded::decode_vec(fields.next()?).ok()?;
    let entry = Acquaintance::from_fields(fields)?;
    Some((PublicKey(key.try_into().ok()?), entry))
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
