//! What is written into the trust book.

use super::trust::DecisionError;
use super::{Name, PublicKey, TrustBook};
use crate::time::Millis;

/// One change of the trust book, in this tab's copy and in the stored one that other tabs write too.
///
/// It carries the key and the name that were shown when the person decided. So a decision stays what it was, whatever
/// the other side calls itself by the time it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustChange {
    /// Whom it is about.
    pub key: PublicKey,
    /// The name under which the key was shown.
    pub name: Name,
    /// When.
    pub at: Millis,
    /// What happened.
    pub what: TrustDecision,
}

/// What happened between this browser and a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustDecision {
    /// It proved itself on a connection.
    Met,
    /// The person says that the name is right on this key.
    NameAccepted,
    /// The person compared the safety number.
    Compared,
    /// The person wants nothing to do with it.
    Blocked,
    /// The person takes a block back.
    Unblocked,
}

impl TrustBook {
    /// Makes the change.
    ///
    /// # Errors
    /// [`DecisionError`] if an earlier decision stands against it; the book is as it was then.
    pub fn apply(&mut self, change: &TrustChange) -> Result<(), DecisionError> {
        let TrustChange {
            key,
            name,
            at,
            what,
        } = change;
        match what {
            TrustDecision::Met => self.remember(key, name, *at),
            TrustDecision::NameAccepted => self.accept_name(key, name, *at)?,
            TrustDecision::Compared => self.verify(key, name, *at)?,
            TrustDecision::Blocked => self.block(key, true, *at),
            TrustDecision::Unblocked => self.block(key, false, *at),
        }
        Ok(())
    }

    /// Makes the change unless an earlier decision stands against it.
    pub fn note(&mut self, change: &TrustChange) {
        // What is refused leaves the book as it was.
        let _ = self.apply(change);
    }
}
