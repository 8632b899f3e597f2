//! Who speaks: keys, peer ids, sealing, names, tab numbers and the trust book.
//!
//! A browser profile has one [`IdentityKey`] that lives as long as its storage; a tab has one
//! [`SessionKey`] that lives as long as the tab. A [`PeerId`] is the hash of both public keys, so it can be
//! claimed only by who holds both.

pub mod display;
pub mod keys;
pub mod lookalike;
pub mod name;
pub mod note;
pub mod safety;
pub mod seal;
pub mod store;
pub mod tabs;
pub mod trust;
pub mod unicode;
#[cfg(target_arch = "wasm32")]
pub mod web;

pub use display::{DisplayNames, Person};
pub use keys::{IdentityKey, KeyError, PeerId, PublicKey, SessionKey, Signature};
pub use lookalike::Lookalike;
pub use name::{Name, NameError};
pub use note::{Note, Noted};
pub use safety::{safety_code, safety_number};
pub use seal::{SealError, SealKey};
pub use store::{MemoryStorage, Profile, Storage, StorageError, StorageNotice};
pub use trust::{Acquaintance, Trust, TrustBook, TrustError};
