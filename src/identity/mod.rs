//! Identities: keys, peer ids, sealing, names, tab numbers and the trust book.
//!
//! A browser profile has one [`IdentityKey`] that lives as long as its storage; a tab has one
//! [`SessionKey`] that lives as long as the tab. A [`PeerId`] is the hash of both public keys, so only somebody who
//! holds both can use it.

pub mod acquaintance;
pub mod display;
pub mod framing;
pub mod keys;
pub mod lookalike;
pub mod name;
pub mod safety;
pub mod seal;
pub mod store;
pub mod tabs;
pub mod trust;
pub mod trust_change;
pub mod unicode;
#[cfg(target_arch = "wasm32")]
pub mod web;

pub use acquaintance::Acquaintance;
pub use display::{DisplayNames, Person};
pub use keys::{IdentityKey, KeyError, PeerId, PublicKey, SessionKey, Signature, SignatureCheck};
pub use lookalike::Lookalike;
pub use name::{Name, NameError};
pub use safety::{safety_code, safety_number};
pub use seal::{SealError, SealKey};
pub use store::{MemoryStorage, Profile, Storage, StorageError, StorageNotice};
pub use trust::{DecisionError, Trust, TrustBook, TrustError};
pub use trust_change::{TrustChange, TrustDecision};
