//! Stores that last as long as a tab.

use wasm_bindgen_test::wasm_bindgen_test;

use super::*;

async fn session() -> Store {
    Store::open(Mode::Session).await.unwrap()
}

/// The name of this tab's database.
async fn name() -> String {
    let name = js("return sessionStorage.getItem('rtchat/1/session')").await;
    name.as_string().unwrap()
}

/// Holds the lock of this name like another tab, until [`release`] is called.
async fn hold(name: &str) {
    let script = "await new Promise((held) => navigator.locks.request('NAME', \
        () => new Promise((release) => { window.release = release; held(); })))";
    js(&script.replace("NAME", name)).await;
}

async fn release() {
    js("window.release()").await;
}

/// Lets a pause of this many milliseconds be over at once.
struct NoPause;

impl NoPause {
    async fn of(millis: u32) -> NoPause {
        let script = "window.pause = window.setTimeout; window.setTimeout = (callback, millis, ...values) => \
            window.pause(callback, millis == MILLIS ? 0 : millis, ...values)";
        js(&script.replace("MILLIS", &millis.to_string())).await;
        NoPause
    }

    async fn end(self) {
        js("window.setTimeout = window.pause").await;
    }
}

#[wasm_bindgen_test]
async fn a_session_goes_on_after_a_reload_of_its_tab() {
    fresh().await;
    let store = session().await;
    store.put(&ROOM, &records(ALICE, 0..3)).await.unwrap();
    let before = name().await;
    // A reload ends the page, and its lock with it.
    drop(store);
    let store = session().await;
    assert_eq!(name().await, before);
    assert_eq!(counts(&store, &ROOM).await, [(ALICE, 3)]);
    assert_eq!(databases().await, [before]);
    // What is kept lies elsewhere.
    assert_eq!(kept().await.conversations(&ROOM).await.unwrap(), []);
}

#[wasm_bindgen_test]
async fn stores_of_one_page_share_its_session() {
    fresh().await;
    let (one, other) = futures_util::future::join(session(), session()).await;
    let third = session().await;
    one.put(&ROOM, &records(ALICE, 0..3)).await.unwrap();
    assert_eq!(other.conversations(&ROOM).await.unwrap(), [ALICE]);
    assert_eq!(third.conversations(&ROOM).await.unwrap(), [ALICE]);
    assert_eq!(databases().await, [name().await]);
}

#[wasm_bindgen_test]
async fn a_duplicated_tab_has_a_session_of_its_own() {
    fresh().await;
    let store = session().await;
    store.put(&ROOM, &records(ALICE, 0..3)).await.unwrap();
    let original = name().await;
    drop(store);
    hold(&original).await;
    let duplicate = session().await;
    assert_ne!(name().await, original);
    assert_eq!(duplicate.conversations(&ROOM).await.unwrap(), []);
    duplicate.put(&ROOM, &records(BEN, 0..1)).await.unwrap();
    let mut expected = [name().await, original.clone()];
    expected.sort();
    assert_eq!(databases().await, expected);
    release().await;
    // Where a script has written nonsense, it is not used.
    drop(duplicate);
    js("sessionStorage.setItem('rtchat/1/session', 'rtchat/1/history')").await;
    let another = session().await;
    assert!(name().await.starts_with("rtchat/1/session/"));
    assert_eq!(another.conversations(&ROOM).await.unwrap(), []);
}

#[wasm_bindgen_test]
async fn what_tabs_left_behind_is_deleted() {
    fresh().await;
    let store = session().await;
    let own = name().await;
    js("for (const name of ['rtchat/1/session/crashed', 'rtchat/1/session/open', 'of another program']) { \
        (await result(indexedDB.open(name))).close(); }")
    .await;
    hold("rtchat/1/session/open").await;
    let no_pause = NoPause::of(15_000).await;
    let _opened = Store::open(Mode::Kept).await.unwrap();
    until("what was left behind is gone", async || {
        let names = databases().await;
        !names.iter().any(|name| name.ends_with("crashed"))
    })
    .await;
    no_pause.end().await;
    let expected = [
        "of another program",
        "rtchat/1/history",
        &own,
        "rtchat/1/session/open",
    ];
    let mut expected = expected.map(str::to_owned);
    expected.sort();
    assert_eq!(databases().await, expected);
    store.put(&ROOM, &records(ALICE, 0..3)).await.unwrap();
    release().await;
}

#[wasm_bindgen_test]
async fn what_is_free_for_a_moment_only_is_not_deleted() {
    fresh().await;
    let store = session().await;
    store.put(&ROOM, &records(ALICE, 0..3)).await.unwrap();
    // Like a page that is being loaded again while another tab opens its store. The other tab waits long enough.
    drop(store);
    let pauses = "window.pause = window.setTimeout; window.paused = []; \
        window.setTimeout = (callback, millis, ...values) => millis == 15000 \
            ? paused.push(callback) : window.pause(callback, millis, ...values)";
    js(pauses).await;
    let _other = kept().await;
    until("the other tab waits", async || {
        js("return window.paused.length").await.as_f64() == Some(1.0)
    })
    .await;
    let store = session().await;
    js("window.setTimeout = window.pause; window.paused[0]()").await;
    // The lock is asked for once more, and refused, before this one is granted.
    let refused = "await navigator.locks.request('NAME', { ifAvailable: true }, () => 0)";
    js(&refused.replace("NAME", &name().await)).await;
    assert_eq!(counts(&store, &ROOM).await, [(ALICE, 3)]);
}

#[wasm_bindgen_test]
async fn there_are_no_sessions_that_nobody_would_delete() {
    fresh().await;
    js("Object.defineProperty(navigator, 'locks', { configurable: true, value: undefined })").await;
    let without_locks = Store::open(Mode::Session).await.err();
    js("delete navigator.locks").await;
    assert_eq!(without_locks, Some(Reason::from("sessionless")));
    js("window.found = IDBFactory.prototype.databases; delete IDBFactory.prototype.databases")
        .await;
    let without_list = Store::open(Mode::Session).await.err();
    js("IDBFactory.prototype.databases = window.found").await;
    assert_eq!(without_list, Some(Reason::from("sessionless")));
    assert_eq!(databases().await, [""; 0]);
}
