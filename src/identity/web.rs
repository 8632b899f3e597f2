//! The browser adapter of this module: `localStorage`, Web Locks, random numbers.

pub mod signatures;

use core::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use base32ct::{Base32Unpadded, Encoding};
use chacha20::rand_core::CryptoRng;
use js_sys::{Date, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{PageTransitionEvent, StorageEvent};

use super::store::{Profile, Storage, StorageError, TABS, TRUST};
use super::tabs;
use crate::browser::locks::{self, Attempt, Lock, lock_within, try_lock};
use crate::browser::{Listener, sleep};
use crate::time::Millis;

/// How long the tab that makes the first identity keeps the lock that stops other tabs from making one, too, in
/// milliseconds. A write to `localStorage` may reach other processes later than the release of a lock.
const FIRST_VISIT_GUARD: u32 = 1_000;

/// The browser has no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "This browser has no source of random numbers, so no key would be safe. Please use a current browser."
)]
pub struct SeedError;

/// Returns 32 random bytes from the browser.
///
/// # Errors
/// [`SeedError`] if the browser has no source of random numbers.
pub fn seed() -> Result<[u8; 32], SeedError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| SeedError)?;
    Ok(bytes)
}

/// `localStorage`. It is looked up for every operation, because permission may change while the page is open.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalStorage;

impl LocalStorage {
    fn open(self) -> Result<web_sys::Storage, StorageError> {
        let window = web_sys::window().ok_or(StorageError::Blocked)?;
        window
            .local_storage()
            .ok()
            .flatten()
            .ok_or(StorageError::Blocked)
    }
}

impl Storage for LocalStorage {
    fn get(&self, key: &str) -> Result<Option<String>, StorageError> {
        self.open()?
            .get_item(key)
            .map_err(|_| StorageError::Blocked)
    }

    fn set(&self, key: &str, value: &str) -> Result<(), StorageError> {
        self.open()?.set_item(key, value).map_err(|error| {
            let name = Reflect::get(&error, &"name".into())
                .ok()
                .and_then(|name| name.as_string());
            // Firefox uses another name than other browsers for this error.
            if name.is_some_and(|name| name.to_ascii_lowercase().contains("quota")) {
                StorageError::Full
            } else {
                StorageError::Blocked
            }
        })
    }

    fn remove(&self, key: &str) -> Result<(), StorageError> {
        self.open()?
            .remove_item(key)
            .map_err(|_| StorageError::Blocked)
    }
}

/// Opens this browser's profile, without a delay unless this is a first visit. If several tabs are opened at the same
/// instant on a first visit, all of them get the same identity: the first one makes it, and the others wait until they
/// see it.
pub async fn open_profile(rng: &mut impl CryptoRng) -> Profile {
    if !Profile::is_first_visit(&LocalStorage) {
        return Profile::open(LocalStorage, rng);
    }
    match try_lock("rtchat/profile").await {
        Attempt::Granted(lock) => {
            let profile = Profile::open(LocalStorage, rng);
            spawn_local(async move {
                sleep(FIRST_VISIT_GUARD).await;
                drop(lock);
            });
            profile
        }
        Attempt::Taken => {
            for _ in 0..FIRST_VISIT_GUARD / 10 {
                sleep(10).await;
                if !Profile::is_first_visit(&LocalStorage) {
                    break;
                }
            }
            Profile::open(LocalStorage, rng)
        }
        Attempt::Unsupported => {
            let mut profile = Profile::open(LocalStorage, rng);
            // The last write counts. After this pause, all tabs see the same value.
            sleep(50).await;
            profile.settle_identity();
            profile
        }
    }
}

/// Calls back when another tab has written the value under `key`, or cleared all of the storage.
pub(crate) fn on_stored(key: &'static str, callback: impl Fn() + 'static) -> Listener {
    Listener::on_window(
        "storage",
        Box::new(move |event| {
            let written = event.dyn_ref::<StorageEvent>().and_then(StorageEvent::key);
            if written.is_none_or(|written| written == key) {
                callback();
            }
        }),
    )
}

/// Merges every trust book that another tab writes into this tab's book and the stored one, until the returned listener
/// is dropped. It must be registered before any other listener that reads the book on the same event.
pub(crate) fn merge_trust_of_other_tabs(profile: &Rc<RefCell<Profile>>) -> Listener {
    let profile = Rc::downgrade(profile);
    Listener::on_window(
        "storage",
        Box::new(move |event| {
            let event = event.dyn_ref::<StorageEvent>();
            let event = event.filter(|event| event.key().as_deref() == Some(TRUST));
            let written = event.and_then(StorageEvent::new_value);
            if let (Some(written), Some(profile)) = (written, profile.upgrade()) {
                profile.borrow_mut().merge_trust(&written);
            }
        }),
    )
}

/// Reads the stored trust book while no other tab does, and restores changes of this tab that are missing there. The
/// tab has already written them once, so that nothing is lost if it is closed at once.
pub(crate) async fn recheck_trust(profile: Weak<RefCell<Profile>>) {
    // Without Web Locks, changes are restored only on storage events.
    if let Attempt::Granted(_lock) = lock_within("rtchat/trust", locks::PATIENCE).await
        && let Some(profile) = profile.upgrade()
    {
        profile.borrow_mut().refresh();
    }
}

/// The number of this tab among the profile's open tabs. It is held until this value is dropped or the page goes away.
///
/// Where the Web Locks API exists, a lock for each number decides. The browser grants it to one tab only, keeps it
/// while the tab is throttled, and releases it when the tab is closed or crashes. Elsewhere (pages without HTTPS, old
/// browsers), the list of [`tabs`] decides.
pub struct TabClaim(Rc<Claimed>);

struct Claimed {
    scope: String,
    token: String,
    number: Cell<u16>,
    hold: RefCell<Hold>,
    /// See [`TabClaim::joined`].
    joined: Cell<bool>,
    listeners: RefCell<Vec<Listener>>,
    on_change: Box<dyn Fn(u16)>,
}

enum Hold {
    Nothing,
    Lock(#[allow(dead_code, reason = "held until it is dropped")] Lock),
    List,
}

impl TabClaim {
    /// Claims the smallest free number. `scope` tells profiles apart ([`Profile::scope`]). `on_change` is called when
    /// this tab gets another number later: after it came back from the back-forward cache or, without Web Locks, when
    /// two tabs took the same number.
    pub async fn claim(scope: &str, on_change: impl Fn(u16) + 'static) -> TabClaim {
        let claimed = Rc::new(Claimed {
            scope: scope.to_owned(),
            token: Base32Unpadded::encode_string(&seed().unwrap_or_default()[..10]),
            number: Cell::new(0),
            hold: RefCell::new(Hold::Nothing),
            joined: Cell::new(false),
            listeners: RefCell::default(),
            on_change: Box::new(on_change),
        });
        claimed.clone().obtain().await;
        claimed.listen();
        TabClaim(claimed)
    }

    /// The number, from 1.
    pub fn number(&self) -> u16 {
        self.0.number.get()
    }

    /// Notes that the tab has joined a room. From now on, a page that comes back from the back-forward cache starts
    /// again and makes a new claim, so this claim does not obtain a number any more.
    pub fn joined(&self) {
        self.0.joined.set(true);
    }

    /// Frees the number for other tabs.
    pub fn release(&self) {
        self.0.listeners.take();
        self.0.let_go();
    }
}

impl Drop for TabClaim {
    fn drop(&mut self) {
        self.release();
    }
}

impl Claimed {
    async fn obtain(self: Rc<Self>) {
        // The list has the same limit. Beyond it, the number comes from the list, where it may be shared.
        for number in 1..=200 {
            match try_lock(&format!("rtchat/tab/{}/{number}", self.scope)).await {
                Attempt::Granted(lock) => {
                    self.hold.replace(Hold::Lock(lock));
                    return self.settle(number);
                }
                Attempt::Taken => {}
                Attempt::Unsupported => break,
            }
        }
        self.hold.replace(Hold::List);
        self.keep_alive();
        spawn_local(keep_alive_until_gone(Rc::downgrade(&self)));
    }

    fn settle(&self, number: u16) {
        let before = self.number.replace(number);
        if before != 0 && before != number {
            (self.on_change)(number);
        }
    }

    /// Writes this tab into the list, with its old number if the tab still has it.
    fn keep_alive(&self) {
        if matches!(*self.hold.borrow(), Hold::List) {
            let stored = LocalStorage.get(TABS).unwrap_or_default();
            let claim = tabs::claim(stored.as_deref(), now(), &self.token);
            // Where nothing can be stored, every tab has its own profile, and its number is 1.
            let _ = LocalStorage.set(TABS, &claim.list);
            self.settle(claim.number);
        }
    }

    /// Claims again if another tab wrote a list without this tab.
    fn check(&self) {
        if matches!(*self.hold.borrow(), Hold::List) {
            let stored = LocalStorage.get(TABS).unwrap_or_default();
            if !tabs::holds(stored.as_deref(), now(), &self.token, self.number.get()) {
                self.keep_alive();
            }
        }
    }

    fn let_go(&self) {
        if let Hold::List = self.hold.replace(Hold::Nothing) {
            let stored = LocalStorage.get(TABS).unwrap_or_default();
            if let Some(list) = tabs::release(stored.as_deref(), now(), &self.token) {
                let _ = LocalStorage.set(TABS, &list);
            }
        }
    }

    fn listen(self: &Rc<Self>) {
        // A page in the back-forward cache is not open, and a page that holds a lock may not be cached at all.
        let weak = Rc::downgrade(self);
        let hidden = Listener::on_window(
            "pagehide",
            Box::new(move |_| {
                if let Some(claimed) = weak.upgrade() {
                    claimed.let_go();
                }
            }),
        );
        let weak = Rc::downgrade(self);
        let shown = Listener::on_window(
            "pageshow",
            Box::new(move |event| {
                let persisted = event
                    .dyn_ref::<PageTransitionEvent>()
                    .is_some_and(PageTransitionEvent::persisted);
                if persisted
                    && let Some(claimed) = weak.upgrade()
                    && !claimed.joined.get()
                {
                    spawn_local(claimed.obtain());
                }
            }),
        );
        let weak = Rc::downgrade(self);
        let stored = on_stored(TABS, move || {
            if let Some(claimed) = weak.upgrade() {
                claimed.check();
            }
        });
        self.listeners.replace(vec![hidden, shown, stored]);
    }
}

async fn keep_alive_until_gone(claimed: Weak<Claimed>) {
    // Once soon, because two writes may have crossed without an event in either tab.
    let mut pause = 100;
    loop {
        sleep(pause).await;
        match claimed.upgrade() {
            Some(claimed) if matches!(*claimed.hold.borrow(), Hold::List) => claimed.keep_alive(),
            _ => return,
        }
        pause = u32::try_from(tabs::KEEP_ALIVE.as_millis()).unwrap_or(u32::MAX);
    }
}

fn now() -> Millis {
    // The conversion turns a negative number and NaN into 0.
    Millis(Date::now() as u64)
}
