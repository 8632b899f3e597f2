//! What is written into the trust book.

use super::{Name, PublicKey, TrustBook};
use crate::time::Millis;

/// One entry to make, in this tab's book and in the stored one that other tabs write too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustChange {
    /// Whom it is about.
    pub key: PublicKey,
    /// The name that the key goes by.
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
}

impl TrustBook {
    /// Writes the note down.
    pub fn note(&mut self, note: &TrustChange) {
        match note.what {
            TrustDecision::Met => self.remember(&note.key, &note.name, note.at),
            TrustDecision::NameAccepted => self.accept_name(&note.key, &note.name, note.at),
            TrustDecision::Compared => self.verify(&note.key, &note.name, note.at),
            TrustDecision::Blocked => self.block(&note.key, true, note.at),
        }
    }
}
