//! The stored profile, also when storage is blocked, full or damaged, and when two tabs use it at once.

use std::cell::RefCell;
use std::rc::Rc;

use base64ct::{Base64UrlUnpadded, Encoding};
use chacha20::{ChaCha20Rng, rand_core::SeedableRng};
use proptest::prelude::*;
use rtchat::identity::store::{IDENTITY, NAME, TRUST};
use rtchat::identity::{
    MemoryStorage, Name, Profile, PublicKey, Storage, StorageError, StorageNotice, Trust,
    TrustChange, TrustDecision,
};
use rtchat::time::Millis;

fn open(storage: &Rc<MemoryStorage>, seed: u8) -> Profile {
    Profile::open(storage.clone(), &mut ChaCha20Rng::from_seed([seed; 32]))
}

fn met(key: u8, name: &str, at: u64) -> TrustChange {
    TrustChange {
        key: PublicKey([key; 33]),
        name: Name::parse(name).unwrap(),
        at: Millis(at),
        what: TrustDecision::Met,
    }
}

#[test]
fn the_next_tab_has_the_same_key_name_and_trust_book() {
    let storage = Rc::new(MemoryStorage::default());
    assert!(Profile::is_first_visit(&*storage));
    let mut first = open(&storage, 1);
    assert_eq!(first.name(), None);
    first.set_name(Name::parse("alice").unwrap());
    first.remember(&met(7, "ben", 1));
    let mut again = open(&storage, 2);
    assert_eq!(again.identity().public(), first.identity().public());
    assert_eq!(again.name(), first.name());
    assert_eq!(again.trust(), first.trust());
    assert_eq!(
        (first.take_notices(), again.take_notices()),
        (vec![], vec![])
    );
    assert!(!Profile::is_first_visit(&*storage));
    assert_eq!(again.scope().len(), 16);
}

/// Another tab writes between this tab's first write and its next read.
struct Race(Rc<MemoryStorage>, RefCell<Option<String>>);

impl Storage for Race {
    fn get(&self, key: &str) -> Result<Option<String>, StorageError> {
        self.0.get(key)
    }
    fn set(&self, key: &str, value: &str) -> Result<(), StorageError> {
        self.0.set(key, value)?;
        self.1
            .take()
            .map_or(Ok(()), |other| self.0.set(key, &other))
    }
    fn remove(&self, key: &str) -> Result<(), StorageError> {
        self.0.remove(key)
    }
}

#[test]
fn two_tabs_on_a_first_visit_end_with_one_identity() {
    let (storage, elsewhere) = (
        Rc::new(MemoryStorage::default()),
        Rc::new(MemoryStorage::default()),
    );
    let other = open(&elsewhere, 2);
    let race = Race(
        storage.clone(),
        RefCell::new(elsewhere.get(IDENTITY).unwrap()),
    );
    let profile = Profile::open(race, &mut ChaCha20Rng::from_seed([1; 32]));
    assert_eq!(profile.identity().public(), other.identity().public());
    // A key that another tab writes later replaces this tab's own.
    let mut late = open(&storage, 3);
    assert!(!late.settle_identity());
    storage
        .set(IDENTITY, &Base64UrlUnpadded::encode_string(&[3; 32]))
        .unwrap();
    assert!(late.settle_identity());
    assert_eq!(late.identity().to_bytes(), [3; 32]);
}

#[test]
fn trust_changes_of_two_tabs_are_merged() {
    let storage = Rc::new(MemoryStorage::default());
    let (mut a, mut b) = (open(&storage, 1), open(&storage, 2));
    a.remember(&met(7, "ben", 1));
    b.remember(&met(8, "cleo", 2));
    assert_eq!((a.trust().len(), b.trust().len()), (1, 2));
    assert!(a.refresh());
    assert_eq!(a.trust(), b.trust());
    assert!(!a.refresh());
}

#[test]
fn the_book_is_not_written_again_for_somebody_who_was_met_a_moment_ago() {
    let storage = Rc::new(MemoryStorage::default());
    let mut profile = open(&storage, 1);
    assert!(profile.remember(&met(7, "ben", 1)));
    let written = storage.get(TRUST).unwrap();
    assert!(!profile.remember(&met(7, "ben", 59_000)));
    assert_eq!(storage.get(TRUST).unwrap(), written);
    // A new name, a decision and a later meeting are written.
    assert!(profile.remember(&met(7, "bea", 59_000)));
    let what = TrustDecision::Compared;
    assert!(profile.remember(&TrustChange {
        what,
        ..met(7, "bea", 59_000)
    }));
    assert!(profile.remember(&met(7, "bea", 200_000)));
    assert_ne!(storage.get(TRUST).unwrap(), written);
}

#[test]
fn damaged_values_are_set_aside_and_reported_once() {
    let storage = Rc::new(MemoryStorage::default());
    for round in 1..=2 {
        storage.set(IDENTITY, "not a key").unwrap();
        storage.set(NAME, "alice(2)").unwrap();
        storage.set(TRUST, "{").unwrap();
        let mut profile = open(&storage, round);
        let expected = [
            StorageNotice::IdentitySetAside,
            StorageNotice::NameSetAside,
            StorageNotice::TrustSetAside,
        ];
        assert_eq!(profile.take_notices(), expected);
        profile.refresh();
        assert_eq!(profile.take_notices(), []);
        for (key, text) in [(IDENTITY, "not a key"), (NAME, "alice(2)"), (TRUST, "{")] {
            assert_eq!(
                storage
                    .get(&format!("{key}.broken-{round}"))
                    .unwrap()
                    .as_deref(),
                Some(text)
            );
        }
        assert_eq!(
            open(&storage, 9).identity().public(),
            profile.identity().public()
        );
    }
}

/// Storage that can be read, but not written.
struct FullStorage(Rc<MemoryStorage>);

impl Storage for FullStorage {
    fn get(&self, key: &str) -> Result<Option<String>, StorageError> {
        self.0.get(key)
    }
    fn set(&self, _: &str, _: &str) -> Result<(), StorageError> {
        Err(StorageError::Full)
    }
    fn remove(&self, key: &str) -> Result<(), StorageError> {
        self.0.remove(key)
    }
}

#[test]
fn with_full_storage_a_profile_works_from_memory_and_loses_nothing() {
    let storage = Rc::new(MemoryStorage::default());
    storage.set(TRUST, "precious").unwrap();
    storage.set(NAME, "old name").unwrap();
    let mut profile = Profile::open(
        FullStorage(storage.clone()),
        &mut ChaCha20Rng::from_seed([1; 32]),
    );
    profile.set_name(Name::parse("alice").unwrap());
    profile.remember(&met(7, "ben", 1));
    profile.remember(&met(8, "cleo", 1));
    profile.refresh();
    assert_eq!(
        profile
            .trust()
            .trust(&PublicKey([7; 33]), &Name::parse("ben").unwrap()),
        Trust::Known
    );
    assert_eq!(profile.trust().len(), 2);
    assert_eq!(profile.name().map(Name::as_str), Some("alice"));
    let notices = profile.take_notices();
    assert_eq!(notices, [StorageNotice::Full, StorageNotice::TrustSetAside]);
    assert_eq!(storage.get(TRUST).unwrap().as_deref(), Some("precious"));
}

/// Storage that can be neither read nor written.
struct BlockedStorage;

impl Storage for BlockedStorage {
    fn get(&self, _: &str) -> Result<Option<String>, StorageError> {
        Err(StorageError::Blocked)
    }
    fn set(&self, _: &str, _: &str) -> Result<(), StorageError> {
        Err(StorageError::Blocked)
    }
    fn remove(&self, _: &str) -> Result<(), StorageError> {
        Err(StorageError::Blocked)
    }
}

#[test]
fn with_blocked_storage_a_profile_works_from_memory() {
    assert!(!Profile::is_first_visit(&BlockedStorage));
    let mut profile = Profile::open(BlockedStorage, &mut ChaCha20Rng::from_seed([1; 32]));
    profile.set_name(Name::parse("alice").unwrap());
    profile.remember(&met(7, "ben", 1));
    profile.remember(&met(8, "cleo", 1));
    assert_eq!(profile.trust().len(), 2);
    assert_eq!(profile.take_notices(), [StorageNotice::Blocked]);
    profile.refresh();
    assert_eq!(profile.take_notices(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_stored_text_panics_or_gets_lost(identity in ".{0,50}", name in ".{0,50}", trust in ".{0,50}") {
        let storage = Rc::new(MemoryStorage::default());
        let stored = [(IDENTITY, &identity), (NAME, &name), (TRUST, &trust)];
        for (key, text) in stored {
            storage.set(key, text).unwrap();
        }
        let mut profile = open(&storage, 1);
        profile.set_name(Name::parse("someone").unwrap());
        profile.remember(&met(7, "ben", 1));
        let name_is_valid = Name::parse(&name).is_ok();
        for (key, text) in stored {
            let kept = storage.get(&format!("{key}.broken-1")).unwrap();
            prop_assert!(kept.as_ref() == Some(text) || (key == NAME && name_is_valid));
        }
    }
}
