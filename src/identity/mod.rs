//! Who speaks: keys, peer ids, sealing, names, tab numbers and the trust book.
//!
//! A browser profile has one [`IdentityKey`] that lives as long as its storage; a tab has one
//! [`SessionKey`] that lives as long as the tab. A [`PeerId`] is the hash of both public keys, so it can be
//! claimed only by who holds both.

pub mod keys;
pub mod merge;
pub mod name;
pub mod seal;
pub mod store;
pub mod tabs;
pub mod trust;
pub mod trust_change;
#[cfg(target_arch = "wasm32")]
pub mod web;

pub use keys::{IdentityKey, KeyError, PeerId, PublicKey, SessionKey, Signature, safety_number};
pub use name::{Name, NameError};
pub use seal::{SealError, SealKey};
pub use store::{MemoryStorage, Profile, Storage, StorageError, StorageNotice};
pub use trust::{Acquaintance, Trust, TrustBook, TrustError};
pub use trust_change::{TrustChange, TrustDecision};
