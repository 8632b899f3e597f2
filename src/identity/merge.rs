//! Merges what several tabs write into the one stored trust book.
//!
//! Browsers give `localStorage` no transactions, and pass it on from process to process with a delay: a tab may write a
//! book that lacks what another tab wrote a moment before. So every tab remembers what it wrote itself, and restores it
//! when it reads a book without it; and it takes over the decisions in the books that other tabs report to have written,
//! because such a tab may be closed before it can restore anything.
//!
//! Where two tabs disagree about a key, a block counts more than its absence, and so does a verification. No decision
//! takes a block back; one that does would need its time in the book, so that the later one counts.

use super::trust::{MAX_ENTRIES, MAX_NAMES};
use super::{Acquaintance, Name, PublicKey, Trust, TrustBook, TrustChange, TrustDecision};

/// What this tab has written into the trust book. At most [`MAX_ENTRIES`] changes; the oldest meetings are forgotten first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnChanges(Vec<TrustChange>);

impl OwnChanges {
    /// Remembers a change.
    pub fn add(&mut self, change: &TrustChange) {
        self.0.retain(|own| {
            let is_same = own.key == change.key && own.what == change.what;
            // A verification takes a block back.
            let is_revoked = own.key == change.key
                && own.what == TrustDecision::Blocked
                && change.what == TrustDecision::Compared;
            !(is_same || is_revoked)
        });
        self.0.push(change.clone());
        if self.0.len() > MAX_ENTRIES {
            let meeting = self.0.iter().position(|own| own.what == TrustDecision::Met);
            self.0.remove(meeting.unwrap_or_default());
        }
    }

    /// Writes those changes into the book that it lacks. Says whether there were any.
    pub fn restore(&self, book: &mut TrustBook) -> bool {
        let mut is_changed = false;
        for change in &self.0 {
            if !contains(book, change) && has_room(book, &change.key, change.what) {
                book.note(change);
                is_changed = true;
            }
        }
        is_changed
    }
}

/// Takes over who was met, verified or blocked according to the book that another tab wrote. Says whether that changed
/// anything.
pub fn merge(book: &mut TrustBook, written: &TrustBook) -> bool {
    let before = book.clone();
    for (key, entry) in written.iter() {
        let was_blocked = book.is_blocked(key);
        let was_verified = book.get(key).is_some_and(|own| own.verified);
        // The latest name last, as it was.
        let names = entry.names.iter().filter_map(|name| Name::parse(name).ok());
        let names: Vec<Name> = names.collect();
        if entry.verified
            && !was_verified
            && has_room(book, key, TrustDecision::Compared)
            && let Some(name) = names.last()
        {
            book.verify(key, name, entry.first);
        }
        if (entry.blocked || was_blocked)
            && !book.is_blocked(key)
            && has_room(book, key, TrustDecision::Blocked)
        {
            book.block(key, true, entry.first);
        }
        if before.get(key).is_none() && has_room(book, key, TrustDecision::Met) {
            for name in &names {
                book.remember(key, name, entry.last);
            }
        }
    }
    *book != before
}

/// Whether the book has what the change would write.
fn contains(book: &TrustBook, change: &TrustChange) -> bool {
    book.get(&change.key)
        .is_some_and(|entry| match change.what {
            TrustDecision::Met => true,
            TrustDecision::NameAccepted => {
                // Tabs must not push each other's names out for ever.
                entry.names.len() >= MAX_NAMES
                    || book.trust(&change.key, &change.name) != Trust::NameOnAnotherKey
            }
            TrustDecision::Compared => entry.verified,
            TrustDecision::Blocked => entry.blocked,
        })
}

/// Whether writing this pushes nobody out whom another tab would restore. Meetings are restored only while there is room,
/// decisions also in the place of somebody about whom nobody has decided.
fn has_room(book: &TrustBook, key: &PublicKey, what: TrustDecision) -> bool {
    let is_undecided = |entry: &Acquaintance| !entry.verified && !entry.blocked;
    book.get(key).is_some()
        || book.len() < MAX_ENTRIES
        || (what != TrustDecision::Met && book.iter().any(|(_, entry)| is_undecided(entry)))
}
