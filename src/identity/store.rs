//! The stored data of a browser profile, and how the profile works where nothing can be stored.
//!
//! Storage may be blocked or full, or contain unreadable data. None of that stops a chat: [`Profile`] then works from
//! memory and reports this once. Unreadable data is moved aside and never overwritten.

use core::cell::RefCell;
use core::fmt;
use core::time::Duration;
use litemap::LiteMap;
use std::rc::Rc;

use base64ct::{Base64UrlUnpadded, Encoding};
use chacha20::rand_core::CryptoRng;

use super::{Acquaintance, IdentityKey, Name, TrustBook, TrustChange, TrustDecision};

/// The storage key of the identity key, which is 32 bytes in base64url.
pub const IDENTITY: &str = "rtchat/1/identity";
/// The storage key of the name.
pub const NAME: &str = "rtchat/1/name";
/// The storage key of the trust book.
pub const TRUST: &str = "rtchat/1/trust";
/// The storage key of the list of tabs.
pub const TABS: &str = "rtchat/1/tabs";

/// The limit of broken values of one kind that are kept aside. Beyond it, nothing is moved and nothing is written.
const MAX_BROKEN: u32 = 20;

/// A key that was met again under the same name within this time is not written again.
const FRESH: Duration = Duration::from_secs(60);

/// Why an operation on storage failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// The browser or its user forbids storage, for example in a third-party frame.
    #[error("This browser does not let the page store anything.")]
    Blocked,
    /// The storage is full.
    #[error("This browser has no room left for what the page wants to store.")]
    Full,
}

/// A store of short texts under keys, like `localStorage`.
pub trait Storage {
    /// Returns the value that is stored under `key`.
    ///
    /// # Errors
    /// [`StorageError`] if storage cannot be read.
    fn get(&self, key: &str) -> Result<Option<String>, StorageError>;

    /// Stores `value` under `key`.
    ///
    /// # Errors
    /// [`StorageError`] if the value was not stored.
    fn set(&self, key: &str, value: &str) -> Result<(), StorageError>;

    /// Removes the value that is stored under `key`.
    ///
    /// # Errors
    /// [`StorageError`] if the value could not be removed.
    fn remove(&self, key: &str) -> Result<(), StorageError>;
}

/// Storage that lasts as long as the tab.
#[derive(Debug, Default)]
pub struct MemoryStorage(RefCell<LiteMap<String, String>>);

impl Storage for MemoryStorage {
    fn get(&self, key: &str) -> Result<Option<String>, StorageError> {
        Ok(self.0.borrow().get(key).cloned())
    }

    fn set(&self, key: &str, value: &str) -> Result<(), StorageError> {
        self.0.borrow_mut().insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    fn remove(&self, key: &str) -> Result<(), StorageError> {
        self.0.borrow_mut().remove(key);
        Ok(())
    }
}

impl<S: Storage + ?Sized> Storage for Rc<S> {
    fn get(&self, key: &str) -> Result<Option<String>, StorageError> {
        (**self).get(key)
    }

    fn set(&self, key: &str, value: &str) -> Result<(), StorageError> {
        (**self).set(key, value)
    }

    fn remove(&self, key: &str) -> Result<(), StorageError> {
        (**self).remove(key)
    }
}

/// Facts about storage that the person should know. Each is reported once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum StorageNotice {
    /// Nothing can be stored.
    #[error(
        "This browser does not let the page store anything. You can chat, but when you close this tab, your name \
         and your key are forgotten and people will see you as new."
    )]
    Blocked,
    /// Nothing more can be stored.
    #[error(
        "This browser has no room left to store anything for this page. You can chat, but what changes now is \
         forgotten when you close this tab."
    )]
    Full,
    /// The identity key could not be read.
    #[error(
        "The key that was stored in this browser is damaged, so you have a new one and people will see you as new. \
         The damaged one is kept aside."
    )]
    IdentitySetAside,
    /// The name could not be read.
    #[error(
        "The name that was stored in this browser is damaged. It is kept aside; please enter your name again."
    )]
    NameSetAside,
    /// The trust book could not be read.
    #[error(
        "The list of people you met before is damaged or from a newer version of this page. It is kept aside; \
         for now everybody is shown as new."
    )]
    TrustSetAside,
}

impl From<StorageError> for StorageNotice {
    fn from(error: StorageError) -> StorageNotice {
        match error {
            StorageError::Blocked => StorageNotice::Blocked,
            StorageError::Full => StorageNotice::Full,
        }
    }
}

/// The stored data of this browser profile: the person's own identity, and the keys that were met. Reads are answered
/// from memory. Changes are stored at once; changes of other tabs are taken over when [`Profile::refresh`] is called.
pub struct Profile {
    storage: Box<dyn Storage>,
    identity: IdentityKey,
    name: Option<Name>,
    trust: TrustBook,
    /// Keys whose value could not be stored, so that memory is ahead of storage.
    ahead: Vec<&'static str>,
    /// Keys whose stored value can neither be read nor be moved aside.
    stuck: Vec<&'static str>,
    notices: Vec<StorageNotice>,
    told: Vec<StorageNotice>,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("identity", &self.identity)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Profile {
    /// Whether an identity key would have to be made, because storage can be read and has none.
    pub fn is_first_visit(storage: &dyn Storage) -> bool {
        matches!(storage.get(IDENTITY), Ok(None))
    }

    /// Whether a name is stored, so that the person need not be asked for one.
    pub fn has_name(storage: &dyn Storage) -> bool {
        matches!(storage.get(NAME), Ok(Some(_)))
    }

    /// Reads the stored data, and creates what is missing. Never fails: see [`Profile::take_notices`].
    pub fn open(storage: impl Storage + 'static, rng: &mut impl CryptoRng) -> Profile {
        // Making a key costs milliseconds that only a first visit should pay.
        let stored = storage.get(IDENTITY).ok().flatten();
        let identity = stored
            .as_deref()
            .and_then(identity_of)
            .unwrap_or_else(|| IdentityKey::generate(rng));
        let mut profile = Profile {
            storage: Box::new(storage),
            identity,
            name: None,
            trust: TrustBook::default(),
            ahead: Vec::new(),
            stuck: Vec::new(),
            notices: Vec::new(),
            told: Vec::new(),
        };
        profile.settle_identity();
        profile.refresh();
        profile
    }

    /// The key that this profile signs with.
    pub fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    /// The name, if one was entered before.
    pub fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// The keys that were met before.
    pub fn trust(&self) -> &TrustBook {
        &self.trust
    }

    /// An identifier of this profile among others in the same browser, for the names of locks. It is not secret.
    pub fn scope(&self) -> String {
        self.identity.public().fingerprint().replace(' ', "")
    }

    /// Changes the name and stores it.
    pub fn set_name(&mut self, name: Name) {
        self.store(NAME, name.as_str());
        self.name = Some(name);
    }

    /// Applies a change to the stored trust book. Returns whether this wrote the book: that somebody was met whom it has met
    /// under the same name a moment ago changes nothing.
    pub fn remember(&mut self, note: &TrustChange) -> bool {
        // Writing the whole book each time would be too expensive for a peer that reconnects often.
        let is_fresh = |known: &Acquaintance| {
            known.name() == Some(note.name.as_str()) && note.at.since(known.last) < FRESH
        };
        let is_known =
            note.what == TrustDecision::Met && self.trust.get(&note.key).is_some_and(is_fresh);
        if !is_known {
            self.read_trust();
            self.trust.note(note);
            self.store_trust();
        }
        !is_known
    }

    /// Merges a trust book that another tab has written, and that may have been overwritten since. Stores the result if
    /// storage lacks any of it.
    pub fn merge_trust(&mut self, written: &str) {
        let mut is_ahead = self.read_trust();
        if let Ok(written) = TrustBook::from_text(written) {
            let merged = self.trust.merge(&written);
            is_ahead |= merged != self.trust;
            self.trust = merged;
        }
        if is_ahead {
            self.store_trust();
        }
    }

    /// Takes over data that another tab stored, and restores data that the other tab has overwritten without having
    /// seen it. Returns whether anything changed in this tab.
    pub fn refresh(&mut self) -> bool {
        let before = (self.name.clone(), self.trust.clone());
        if let Some(text) = self.read(NAME) {
            match Name::parse(&text) {
                Ok(name) => self.name = Some(name),
                Err(_) => self.set_aside(NAME, &text, StorageNotice::NameSetAside),
            }
        }
        if self.read_trust() {
            self.store_trust();
        }
        before != (self.name.clone(), self.trust.clone())
    }

    /// After a first visit, takes over the key of another tab that was opened at the same instant, if that tab stored
    /// its key last. Returns whether the identity has changed.
    pub fn settle_identity(&mut self) -> bool {
        let before = self.identity.public();
        match self.read(IDENTITY) {
            Some(text) if text == identity_text(&self.identity) => {}
            Some(text) => match identity_of(&text) {
                Some(identity) => self.identity = identity,
                None => {
                    self.set_aside(IDENTITY, &text, StorageNotice::IdentitySetAside);
                    self.store_identity();
                }
            },
            None => self.store_identity(),
        }
        self.identity.public() != before
    }

    /// Whether the person was, or is about to be, told that nothing can be stored.
    pub fn is_blocked(&self) -> bool {
        self.told.contains(&StorageNotice::Blocked)
    }

    /// Takes the notices that the person has not been shown yet.
    pub fn take_notices(&mut self) -> Vec<StorageNotice> {
        core::mem::take(&mut self.notices)
    }

    /// Stores the identity only if none is stored, and then uses the stored one, which may be that of another tab.
    fn store_identity(&mut self) {
        if matches!(self.storage.get(IDENTITY), Ok(None)) {
            let text = identity_text(&self.identity);
            self.store(IDENTITY, &text);
            let now_stored = self.read(IDENTITY).filter(|stored| *stored != text);
            if let Some(identity) = now_stored.as_deref().and_then(identity_of) {
                self.identity = identity;
            }
        }
    }

    /// Merges the stored trust book into this tab's. Returns whether the stored one lacks anything that this tab knows.
    /// Browsers pass storage on between processes with a delay, so another tab may have overwritten entries that it had
    /// not seen.
    fn read_trust(&mut self) -> bool {
        let Some(text) = self.read(TRUST) else {
            return false;
        };
        match TrustBook::from_text(&text) {
            Ok(stored) => {
                self.trust = self.trust.merge(&stored);
                self.trust != stored
            }
            Err(_) => {
                self.set_aside(TRUST, &text, StorageNotice::TrustSetAside);
                false
            }
        }
    }

    fn store_trust(&mut self) {
        let text = self.trust.to_text();
        self.store(TRUST, &text);
    }

    /// Returns the stored value, unless memory is ahead of storage.
    fn read(&mut self, key: &'static str) -> Option<String> {
        if self.ahead.contains(&key) {
            return None;
        }
        match self.storage.get(key) {
            Ok(value) => value,
            Err(error) => {
                self.notice(error.into());
                None
            }
        }
    }

    fn store(&mut self, key: &'static str, value: &str) {
        self.ahead.retain(|ahead| *ahead != key);
        // Data that could not be moved aside must not be overwritten.
        let stored = if self.stuck.contains(&key) {
            Err(StorageError::Full)
        } else {
            self.storage.set(key, value)
        };
        if let Err(error) = stored {
            self.ahead.push(key);
            self.notice(error.into());
        }
    }

    /// Moves an unreadable value to `{key}.broken-{n}`. If that fails, the value stays where it is and is not
    /// overwritten.
    fn set_aside(&mut self, key: &'static str, text: &str, notice: StorageNotice) {
        self.notice(notice);
        let mut aside = (1..=MAX_BROKEN).map(|n| format!("{key}.broken-{n}"));
        let free = aside.find(|aside| matches!(self.storage.get(aside), Ok(None)));
        let kept = free.map_or(Err(StorageError::Full), |aside| {
            self.storage.set(&aside, text)
        });
        self.stuck.retain(|stuck| *stuck != key);
        if let Err(error) = kept.and_then(|()| self.storage.remove(key)) {
            self.stuck.push(key);
            self.notice(error.into());
        }
    }

    fn notice(&mut self, notice: StorageNotice) {
        if !self.told.contains(&notice) {
            self.told.push(notice);
            self.notices.push(notice);
        }
    }
}

fn identity_text(identity: &IdentityKey) -> String {
    Base64UrlUnpadded::encode_string(&identity.to_bytes())
}

fn identity_of(text: &str) -> Option<IdentityKey> {
    let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
    IdentityKey::from_bytes(&bytes).ok()
}
