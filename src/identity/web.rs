//! Identity's adapter to the browser: `localStorage`, Web Locks, random numbers.

use core::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use base32ct::{Base32Unpadded, Encoding};
use chacha20::rand_core::CryptoRng;
use futures_channel::oneshot;
use js_sys::{Date, Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{PageTransitionEvent, StorageEvent};

use super::store::{Profile, Storage, StorageError, TABS, TRUST};
use super::tabs;
use crate::browser::{Listener, sleep, within};
use crate::time::Millis;

/// How long the browser may take to answer for a lock before the page goes on without, in milliseconds. A browser that
/// is busy answers late, and tabs that went on without would take numbers that others hold.
const LOCK_PATIENCE: u32 = 10_000;

/// How long the tab that makes the first identity keeps others from making one too, in milliseconds. What is
/// written to `localStorage` reaches other processes some time after the lock would.
const FIRST_VISIT_GUARD: u32 = 1_000;

/// The browser has no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "This browser has no source of random numbers, so no key would be safe. Please use a current browser."
)]
pub struct SeedError;

/// 32 random bytes from the browser.
///
/// # Errors
/// [`SeedError`] if it has none.
pub fn seed() -> Result<[u8; 32], SeedError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| SeedError)?;
    Ok(bytes)
}

/// `localStorage`. It is asked for each time: whether it is allowed may change while the page is open.
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
            // Firefox has a name of its own for it.
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

/// Opens this browser's profile: at once for who was here before. Tabs that are opened at the same instant on a
/// first visit end with one identity: the first makes it, the others wait until they see it.
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
            // The last one who wrote decides; after this moment everybody sees who that was.
            sleep(50).await;
            profile.settle_identity();
            profile
        }
    }
}

/// Calls back when another tab wrote what is kept under `key`, or cleared everything.
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

/// Merges every trust book that another tab reports to have written into this tab's book and the stored one, until it is
/// dropped. It has to be made before any other listener that reads the book on that occasion.
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

/// Reads the stored trust book while no other tab does, and restores what this tab wrote if it is missing there. The tab
/// has written it before this, so that closing it at once loses nothing.
pub(crate) async fn recheck_trust(profile: Weak<RefCell<Profile>>) {
    // Without Web Locks, the storage event is the only occasion for it.
    if let Attempt::Granted(_lock) = lock("rtchat/trust", Wait::UntilFree).await
        && let Some(profile) = profile.upgrade()
    {
        profile.borrow_mut().refresh();
    }
}

/// The number of this tab among the profile's open tabs, held until it is dropped or the page goes away.
///
/// Where the Web Locks API exists, a lock for each number decides: the browser hands it to one tab only, keeps
/// it while the tab is throttled, and frees it when the tab is closed or crashes. Elsewhere (pages without
/// HTTPS, old browsers) it is the list of [`tabs`].
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
    /// Claims the smallest free number. `scope` tells profiles apart ([`Profile::scope`]). `on_change` is called
    /// when this tab has another number later: after it came back from the back-forward cache, or, without Web
    /// Locks, when two tabs took the same one.
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

    /// From now on, coming back from the back-forward cache begins anew, with a claim of its own: this one must not be
    /// in its way.
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
        // The list never has more tabs either; beyond it the number is shared rather than missing.
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

    /// Writes this tab into the list, under its old number if it still has it.
    fn keep_alive(&self) {
        if matches!(*self.hold.borrow(), Hold::List) {
            let stored = LocalStorage.get(TABS).unwrap_or_default();
            let claim = tabs::claim(stored.as_deref(), now(), &self.token);
            // Where nothing can be stored there is one tab to a profile, and its number is 1.
            let _ = LocalStorage.set(TABS, &claim.list);
            self.settle(claim.number);
        }
    }

    /// Another tab wrote the list: claim again if it left this tab out.
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
        // A page in the back-forward cache is not open, and one that holds a lock may not get in there at all.
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
    // Once soon: the other tab's write may have crossed this one's without either being told.
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

/// A lock of the Web Locks API, held until it is dropped.
struct Lock(Function);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.call0(&JsValue::UNDEFINED);
    }
}

enum Attempt {
    Granted(Lock),
    Taken,
    /// No Web Locks here, or they do not answer.
    Unsupported,
}

/// Asks for a lock if it is free.
async fn try_lock(name: &str) -> Attempt {
    lock(name, Wait::No).await
}

/// Whether to wait for a lock that somebody holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    No,
    /// For at most [`LOCK_PATIENCE`].
    UntilFree,
}

/// Asks for a lock.
async fn lock(name: &str, wait: Wait) -> Attempt {
    let (sender, answer) = oneshot::channel();
    let mut sender = Some(sender);
    let granted = Closure::<dyn FnMut(JsValue) -> JsValue>::new(move |lock: JsValue| {
        let Some(sender) = sender.take() else {
            return JsValue::UNDEFINED;
        };
        if lock.is_null() {
            let _ = sender.send(Attempt::Taken);
            return JsValue::UNDEFINED;
        }
        let mut resolve = None;
        let held = Promise::new(&mut |resolver, _| resolve = Some(resolver));
        match resolve.map(|resolve| sender.send(Attempt::Granted(Lock(resolve.unchecked_into())))) {
            // Whoever asked has given up waiting: dropping the answer released the lock.
            None | Some(Err(_)) => JsValue::UNDEFINED,
            Some(Ok(())) => held.into(),
        }
    });
    let Ok(request) = request(name, wait, granted.as_ref()) else {
        return Attempt::Unsupported;
    };
    // The browser calls the closure before the promise settles, and never after: it lives until then, and
    // a refusal drops the sender with it.
    spawn_local(async move {
        let _ = JsFuture::from(request).await;
        drop(granted);
    });
    match within(LOCK_PATIENCE, answer).await {
        Some(Ok(attempt)) => attempt,
        _ => Attempt::Unsupported,
    }
}

/// `navigator.locks.request(name, { ifAvailable }, callback)`; web-sys has it behind a compiler flag only.
fn request(name: &str, wait: Wait, callback: &JsValue) -> Result<Promise, JsValue> {
    let navigator = web_sys::window().ok_or(JsValue::UNDEFINED)?.navigator();
    let locks = Reflect::get(&navigator, &"locks".into())?;
    let request: Function = Reflect::get(&locks, &"request".into())?.dyn_into()?;
    let options = Object::new();
    Reflect::set(&options, &"ifAvailable".into(), &(wait == Wait::No).into())?;
    request
        .call3(&locks, &name.into(), &options, callback)?
        .dyn_into()
}

fn now() -> Millis {
    // A float that is negative or not a number becomes 0.
    Millis(Date::now() as u64)
}
