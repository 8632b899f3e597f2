//! The stored profile, tab numbers and the settings file in a real browser.

use std::cell::Cell;
use std::rc::Rc;

use chacha20::{ChaCha20Rng, rand_core::SeedableRng};
use futures_util::FutureExt;
use futures_util::future::join;
use js_sys::{Promise, eval};
use rtchat::identity::store::{IDENTITY, TABS};
use rtchat::identity::web::{LocalStorage, TabClaim, open_profile, seed};
use rtchat::identity::{Name, Profile, Storage, StorageError, StorageNotice};
use rtchat::settings::{self, Settings, SettingsError, SettingsWarning};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed(seed().unwrap())
}

fn js(text: &str) {
    eval(text).unwrap();
}

fn fresh() {
    js("localStorage.clear()");
}

async fn pause(millis: u32) {
    let timer = eval(&format!("new Promise(done => setTimeout(done, {millis}))")).unwrap();
    JsFuture::from(Promise::from(timer)).await.unwrap();
}

/// Without Web Locks, as on a page without HTTPS.
struct NoLocks;

impl NoLocks {
    fn new() -> NoLocks {
        js("Object.defineProperty(navigator, 'locks', { configurable: true, value: undefined })");
        NoLocks
    }
}

impl Drop for NoLocks {
    fn drop(&mut self) {
        js("delete navigator.locks");
    }
}

/// Web Locks that are granted late, as in a busy browser.
struct BusyLocks;

impl BusyLocks {
    fn new() -> BusyLocks {
        js(
            "navigator.locks.request = (...values) => new Promise((done) => setTimeout(done, 800))
                .then(() => LockManager.prototype.request.apply(navigator.locks, values))",
        );
        BusyLocks
    }
}

impl Drop for BusyLocks {
    fn drop(&mut self) {
        js("delete navigator.locks.request");
    }
}

#[wasm_bindgen_test]
fn stored_values_are_read_back() {
    fresh();
    assert_eq!(LocalStorage.get("rtchat/1/test"), Ok(None));
    LocalStorage
        .set("rtchat/1/test", "zwölf \u{1f600}")
        .unwrap();
    assert_eq!(
        LocalStorage.get("rtchat/1/test").unwrap().as_deref(),
        Some("zwölf \u{1f600}")
    );
    LocalStorage.remove("rtchat/1/test").unwrap();
    assert_eq!(LocalStorage.get("rtchat/1/test"), Ok(None));
    assert_ne!(seed().unwrap(), seed().unwrap());
}

#[wasm_bindgen_test]
async fn a_stored_profile_is_loaded_at_once() {
    fresh();
    let mut first = open_profile(&mut rng()).await;
    first.set_name(Name::parse("alice").unwrap());
    let mut rng = rng();
    let again = open_profile(&mut rng).now_or_never();
    let again = again.expect("the profile should be ready at once");
    assert_eq!(again.identity().public(), first.identity().public());
    assert_eq!(again.name(), first.name());
    assert_eq!(first.take_notices(), []);
}

#[wasm_bindgen_test]
async fn tabs_opened_together_on_a_first_visit_share_one_identity() {
    fresh();
    // The lock of the previous test is held for a moment longer than its first visit.
    pause(1_100).await;
    let (mut one, mut other) = (rng(), rng());
    let (first, second) = join(open_profile(&mut one), open_profile(&mut other)).await;
    assert_eq!(first.identity().public(), second.identity().public());

    fresh();
    let _without = NoLocks::new();
    let (first, second) = join(open_profile(&mut one), open_profile(&mut other)).await;
    assert_eq!(first.identity().public(), second.identity().public());
}

#[wasm_bindgen_test]
fn an_unreadable_identity_is_set_aside() {
    fresh();
    LocalStorage.set(IDENTITY, "{\"not\": \"a key\"}").unwrap();
    let mut profile = Profile::open(LocalStorage, &mut rng());
    assert_eq!(profile.take_notices(), [StorageNotice::IdentitySetAside]);
    let aside = LocalStorage.get(&format!("{IDENTITY}.broken-1")).unwrap();
    assert_eq!(aside.as_deref(), Some("{\"not\": \"a key\"}"));
    assert_eq!(
        Profile::open(LocalStorage, &mut rng()).identity().public(),
        profile.identity().public()
    );
}

#[wasm_bindgen_test]
async fn blocked_and_full_storage_are_distinguished() {
    fresh();
    js(
        "window.found = Object.getOwnPropertyDescriptor(window, 'localStorage'); \
        Object.defineProperty(window, 'localStorage', \
        { configurable: true, get() { throw new DOMException('no', 'SecurityError') } })",
    );
    let blocked = LocalStorage.get(IDENTITY);
    let mut profile = open_profile(&mut rng()).await;
    js("Object.defineProperty(window, 'localStorage', window.found)");
    assert_eq!(blocked, Err(StorageError::Blocked));
    assert_eq!(profile.take_notices(), [StorageNotice::Blocked]);

    assert_eq!(
        LocalStorage.set("rtchat/1/test", &"x".repeat(20_000_000)),
        Err(StorageError::Full)
    );
    assert_eq!(LocalStorage.get("rtchat/1/test"), Ok(None));
}

#[wasm_bindgen_test]
async fn tab_numbers_are_claimed_with_locks() {
    let one = TabClaim::claim("locks", |_| panic!("no other tab claims this number")).await;
    let (two, three) = (
        TabClaim::claim("locks", |_| ()).await,
        TabClaim::claim("locks", |_| ()).await,
    );
    assert_eq!((one.number(), two.number(), three.number()), (1, 2, 3));
    assert_eq!(TabClaim::claim("other profile", |_| ()).await.number(), 1);
    drop(two);
    pause(20).await;
    let next = TabClaim::claim("locks", |_| ()).await;
    assert_eq!((next.number(), three.number()), (2, 3));
    let (a, b) = join(
        TabClaim::claim("locks", |_| ()),
        TabClaim::claim("locks", |_| ()),
    )
    .await;
    assert_eq!(
        a.number() + b.number(),
        4 + 5,
        "claimed together, but distinct"
    );
}

#[wasm_bindgen_test]
async fn a_browser_that_grants_locks_late_gives_no_number_twice() {
    let one = TabClaim::claim("busy", |_| ()).await;
    let _busy = BusyLocks::new();
    let two = TabClaim::claim("busy", |_| ()).await;
    assert_eq!((one.number(), two.number()), (1, 2));
}

#[wasm_bindgen_test]
async fn a_page_in_the_back_forward_cache_holds_no_number() {
    let changed = Rc::new(Cell::new(0));
    let reported = changed.clone();
    let cached = TabClaim::claim("cache", move |number| reported.set(number)).await;
    js("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))");
    pause(20).await;
    let next = TabClaim::claim("cache", |_| ()).await;
    assert_eq!((cached.number(), next.number()), (1, 1));
    js("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
    pause(50).await;
    assert_eq!((cached.number(), changed.get()), (2, 2));
}

#[wasm_bindgen_test]
async fn without_locks_tab_numbers_are_claimed_in_a_stored_list() {
    fresh();
    let _without = NoLocks::new();
    let changed = Rc::new(Cell::new(0));
    let reported = changed.clone();
    let one = TabClaim::claim("list", move |number| reported.set(number)).await;
    let two = TabClaim::claim("list", |_| ()).await;
    let three = TabClaim::claim("list", |_| ()).await;
    assert_eq!((one.number(), two.number(), three.number()), (1, 2, 3));
    two.release();
    let next = TabClaim::claim("list", |_| ()).await;
    assert_eq!(next.number(), 2);
    // Another tab wrote at the same moment as the first one, and its entry is the one that stayed.
    let list = LocalStorage.get(TABS).unwrap().unwrap();
    let own = list
        .lines()
        .find_map(|line| line.strip_prefix("1 ")?.split(' ').next())
        .unwrap();
    LocalStorage
        .set(TABS, &list.replace(own, "somebody-else"))
        .unwrap();
    js("dispatchEvent(new StorageEvent('storage', { key: 'rtchat/1/tabs' }))");
    assert_eq!((one.number(), changed.get()), (4, 4));
    drop((one, two, three, next));
    assert!(
        LocalStorage
            .get(TABS)
            .unwrap()
            .unwrap()
            .contains("somebody-else")
    );
    assert_eq!(TabClaim::claim("list", |_| ()).await.number(), 2);
}

#[wasm_bindgen_test]
async fn settings_are_fetched_and_may_be_missing() {
    let (found, warnings) = settings::web::load(
        "data:application/json,{\"room\":\"cafe%CC%81\",\"x\":1}",
        None,
    )
    .await;
    let found = found.unwrap();
    assert_eq!(found.default_room(), "caf\u{e9}", "in composed form");
    assert_eq!(
        warnings,
        [SettingsWarning::UnknownKey {
            key: "x".to_owned()
        }]
    );
    settings::web::print(&warnings);
    assert_eq!(
        settings::web::load("no-such-rtchat.json", None).await,
        (Ok(Settings::default()), vec![])
    );
    let (failed, _) = settings::web::load("ftp://nowhere.invalid/rtchat.json", None).await;
    assert!(matches!(failed, Err(SettingsError::NotLoaded { .. })));
    let (failed, _) =
        settings::web::load("data:application/json,{\"room\":\"caf%E9\"}", None).await;
    assert_eq!(failed, Err(SettingsError::NotUtf8));
}

#[wasm_bindgen_test]
fn the_address_of_the_page_is_read_from_the_browser() {
    let address = settings::web::address().unwrap();
    assert!(
        address.page.starts_with("127.0.0.1:") || address.page.starts_with("localhost:"),
        "{}",
        address.page
    );
    let old = settings::web::href().unwrap();
    js("history.replaceState(null, '', '?room=cafe%CC%81#k=short')");
    assert_eq!(
        settings::web::address(),
        Err(settings::AddressError::BadSecret)
    );
    js("history.replaceState(null, '', '?room=cafe%CC%81')");
    assert_eq!(
        settings::web::address().unwrap().room.as_deref(),
        Some("caf\u{e9}")
    );
    js(&format!("history.replaceState(null, '', '{old}')"));
}
