//! Changes to the trust book.

use super::trust::DecisionError;
use super::{Name, PublicKey, TrustBook};
use crate::time::Millis;

/// A change to the trust book: to this tab's copy, and to the stored one, which other tabs write, too.
///
/// It contains the key and the name that were shown when the person decided. So the decision keeps its meaning even if
/// the peer has another name when it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustChange {
    /// The key that the change is about.
    pub key: PublicKey,
    /// The name under which the key was shown.
    pub name: Name,
    /// The time of the change.
    pub at: Millis,
    /// The event or decision.
    pub what: TrustDecision,
}

/// An event between this browser and a key, or a decision of the person about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustDecision {
    /// The key proved itself on a connection.
    Met,
    /// The person confirmed that the name is right on this key.
    NameAccepted,
    /// The person compared the safety number.
    Compared,
    /// The person blocked the key.
    Blocked,
    /// The person unblocked the key.
    Unblocked,
}

impl TrustBook {
    /// Applies the change.
    ///
    /// # Errors
    /// [`DecisionError`] if an earlier decision forbids it. The book is unchanged then.
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
            TrustDecision::Blocked => self.block_as(key, name, *at),
            TrustDecision::Unblocked => self.block(key, false, *at),
        }
        Ok(())
    }

    /// Applies the change unless an earlier decision forbids it.
    pub fn note(&mut self, change: &TrustChange) {
        // A refused change leaves the book unchanged.
        let _ = self.apply(change);
    }
}
