//! Tabs of one browser that write the stored trust book at the same time. A tab may read what another one has already
//! replaced, since browsers pass `localStorage` on from process to process.

use std::cell::RefCell;
use std::rc::Rc;

use chacha20::{ChaCha20Rng, rand_core::SeedableRng};
use proptest::prelude::*;
use rtchat::identity::store::TRUST;
use rtchat::identity::{
    MemoryStorage, Name, Profile, PublicKey, Storage, StorageError, TrustBook, TrustChange,
    TrustDecision,
};
use rtchat::time::Millis;

/// A tab's view of the storage: it sees its own writes at once, and those of others when it catches up.
#[derive(Clone)]
struct TabStorage {
    shared: Rc<MemoryStorage>,
    seen: Rc<RefCell<Option<String>>>,
}

impl TabStorage {
    fn catch_up(&self) {
        self.seen.replace(self.shared.get(TRUST).unwrap());
    }
}

impl Storage for TabStorage {
    fn get(&self, key: &str) -> Result<Option<String>, StorageError> {
        if key == TRUST {
            return Ok(self.seen.borrow().clone());
        }
        self.shared.get(key)
    }

    fn set(&self, key: &str, value: &str) -> Result<(), StorageError> {
        if key == TRUST {
            self.seen.replace(Some(value.to_owned()));
        }
        self.shared.set(key, value)
    }

    fn remove(&self, key: &str) -> Result<(), StorageError> {
        self.shared.remove(key)
    }
}

struct Tab {
    storage: TabStorage,
    profile: Profile,
}

impl Tab {
    fn open(shared: &Rc<MemoryStorage>) -> Tab {
        let storage = TabStorage {
            shared: shared.clone(),
            seen: Rc::default(),
        };
        storage.catch_up();
        let profile = Profile::open(storage.clone(), &mut ChaCha20Rng::from_seed([1; 32]));
        Tab { storage, profile }
    }

    fn decide(&mut self, n: u16, what: TrustDecision) {
        let note = TrustChange {
            key: key(n),
            name: Name::parse(&format!("person {n}")).unwrap(),
            at: Millis(1_000_000),
            what,
        };
        self.profile.remember(&note);
    }

    /// A storage event. The tab catches up before it, as browsers do.
    fn storage_event(&mut self) {
        self.storage.catch_up();
        self.profile.refresh();
    }
}

fn key(n: u16) -> PublicKey {
    let mut bytes = [2; 33];
    bytes[1..3].copy_from_slice(&n.to_be_bytes());
    PublicKey(bytes)
}

fn stored(shared: &MemoryStorage) -> TrustBook {
    TrustBook::from_text(&shared.get(TRUST).unwrap().unwrap()).unwrap()
}

fn is_verified(book: &TrustBook, n: u16) -> bool {
    book.get(&key(n)).is_some_and(|entry| entry.is_verified())
}

#[test]
fn a_block_survives_another_tab_that_writes_a_stale_book() {
    let shared = Rc::new(MemoryStorage::default());
    let (mut first, mut second) = (Tab::open(&shared), Tab::open(&shared));
    first.decide(7, TrustDecision::Blocked);
    second.decide(8, TrustDecision::Compared);
    first.storage_event();
    second.storage_event();
    let book = stored(&shared);
    assert!(book.is_blocked(&key(7)) && is_verified(&book, 8));
    assert_eq!(first.profile.trust(), &book);
    assert_eq!(second.profile.trust(), &book);
}

#[test]
fn a_block_survives_when_its_tab_is_closed_at_once() {
    let shared = Rc::new(MemoryStorage::default());
    let (mut first, mut second) = (Tab::open(&shared), Tab::open(&shared));
    first.decide(7, TrustDecision::Blocked);
    first.decide(9, TrustDecision::Compared);
    let written = shared.get(TRUST).unwrap().unwrap();
    second.decide(8, TrustDecision::Met);
    // Only the event tells that this was ever written.
    drop(first);
    assert!(!stored(&shared).is_blocked(&key(7)));
    second.profile.merge_trust(&written);
    let book = stored(&shared);
    assert!(book.is_blocked(&key(7)) && is_verified(&book, 9) && book.get(&key(8)).is_some());
    assert_eq!(second.profile.trust(), &book);
}

#[test]
fn a_block_and_a_verification_of_one_key_both_stand() {
    let shared = Rc::new(MemoryStorage::default());
    let (mut first, mut second) = (Tab::open(&shared), Tab::open(&shared));
    first.decide(7, TrustDecision::Blocked);
    let written = shared.get(TRUST).unwrap().unwrap();
    second.decide(7, TrustDecision::Compared);
    second.profile.merge_trust(&written);
    first.storage_event();
    let book = stored(&shared);
    assert!(book.is_blocked(&key(7)) && is_verified(&book, 7));
}

#[test]
fn a_full_book_is_not_written_back_and_forth() {
    let shared = Rc::new(MemoryStorage::default());
    let (mut first, mut second) = (Tab::open(&shared), Tab::open(&shared));
    for n in 0..400 {
        first.decide(n, TrustDecision::Met);
        second.decide(1_000 + n, TrustDecision::Met);
    }
    first.decide(0, TrustDecision::Blocked);
    second.decide(1_000, TrustDecision::Compared);
    let mut before = String::new();
    for round in 0.. {
        first.storage_event();
        second.storage_event();
        let now = shared.get(TRUST).unwrap().unwrap();
        if now == before {
            break;
        }
        assert!(round < 3, "the tabs overwrite each other without end");
        before = now;
    }
    let book = stored(&shared);
    assert!(book.is_blocked(&key(0)) && is_verified(&book, 1_000));
}

#[test]
fn a_damaged_report_changes_nothing() {
    let shared = Rc::new(MemoryStorage::default());
    let mut tab = Tab::open(&shared);
    tab.decide(7, TrustDecision::Blocked);
    let before = shared.get(TRUST).unwrap();
    for text in ["", "1\nwhatever", "9\n"] {
        tab.profile.merge_trust(text);
    }
    assert_eq!(shared.get(TRUST).unwrap(), before);
}

proptest! {
    /// Three tabs decide, catch up and hear of each other in any order.
    #[test]
    fn no_decision_is_ever_lost(
        moves in proptest::collection::vec((0usize..3, 0u16..6, 0u8..5), 0..40),
    ) {
        let shared = Rc::new(MemoryStorage::default());
        let mut tabs: Vec<Tab> = (0..3).map(|_| Tab::open(&shared)).collect();
        let (mut blocked, mut verified) = (Vec::new(), Vec::new());
        for (tab, n, action) in moves {
            match action {
                0 => {
                    tabs[tab].decide(n, TrustDecision::Blocked);
                    blocked.push(n);
                }
                // Nobody can verify whom this browser has blocked, since they are not let in.
                1 if !blocked.contains(&n) => {
                    tabs[tab].decide(n, TrustDecision::Compared);
                    verified.push(n);
                }
                2 => tabs[tab].decide(n, TrustDecision::Met),
                3 => tabs[tab].storage.catch_up(),
                _ => tabs[tab].storage_event(),
            }
        }
        for _ in 0..3 {
            tabs.iter_mut().for_each(Tab::storage_event);
        }
        let book = stored_or_empty(&shared);
        prop_assert!(blocked.iter().all(|n| book.is_blocked(&key(*n))));
        prop_assert!(verified.iter().all(|n| is_verified(&book, *n)));
        for tab in &tabs {
            prop_assert_eq!(tab.profile.trust(), &book);
        }
    }
}

fn stored_or_empty(shared: &MemoryStorage) -> TrustBook {
    let text = shared.get(TRUST).unwrap();
    text.map_or_else(TrustBook::default, |text| {
        TrustBook::from_text(&text).unwrap()
    })
}
