//! What happens when the browser or another tab does not let the store do its work.

use wasm_bindgen_test::wasm_bindgen_test;

use super::*;

/// Keeps the next database that is opened as `window.connection`.
async fn watch_connection() {
    js(
        "const open = IDBFactory.prototype.open; IDBFactory.prototype.open = function (...values) { \
            IDBFactory.prototype.open = open; const request = open.apply(this, values); \
            request.addEventListener('success', () => { window.connection = request.result; }); return request; }",
    )
    .await;
}

/// What opening a store fails with while `indexedDB.open` is this function.
async fn refused(open: &str) -> Option<Reason> {
    let script = "window.found = IDBFactory.prototype.open; IDBFactory.prototype.open = OPEN";
    js(&script.replace("OPEN", open)).await;
    let refused = Store::open(Mode::Kept).await.err();
    js("IDBFactory.prototype.open = window.found").await;
    refused
}

fn reason(reason: &str) -> Option<Reason> {
    Some(Reason::from(reason))
}

#[wasm_bindgen_test]
async fn a_newer_version_in_another_tab_is_not_kept_waiting() {
    let store = empty().await;
    store.put(&ROOM, &records(ALICE, 0..3)).await.unwrap();
    // This is ready only when the store has closed its connection.
    js("(await result(indexedDB.open('rtchat/1/history', 3))).close()").await;
    let closed = reason("closed");
    assert_eq!(store.conversations(&ROOM).await.err(), closed);
    assert_eq!(store.put(&ROOM, &records(ALICE, 3..4)).await.err(), closed);
    let newer = Store::open(Mode::Kept).await.err();
    assert_eq!(newer, reason("newer"));
    // Where it is gone, everything begins anew.
    js("await result(indexedDB.deleteDatabase('rtchat/1/history'))").await;
    assert_eq!(kept().await.conversations(&ROOM).await.unwrap(), []);
}

#[wasm_bindgen_test]
async fn a_database_that_was_deleted_or_closed_is_opened_again() {
    let store = empty().await;
    store.put(&ROOM, &records(ALICE, 0..3)).await.unwrap();
    js("await result(indexedDB.deleteDatabase('rtchat/1/history'))").await;
    assert_eq!(store.conversations(&ROOM).await.unwrap(), []);
    store.put(&ROOM, &records(ALICE, 0..2)).await.unwrap();

    // The browser has closed it, and says so …
    watch_connection().await;
    let store = kept().await;
    js("connection.close(); connection.dispatchEvent(new Event('close'))").await;
    assert_eq!(counts(&store, &ROOM).await, [(ALICE, 2)]);
    // … or does not.
    watch_connection().await;
    let store = kept().await;
    js("connection.close()").await;
    let (one, other) = futures_util::future::join(
        store.conversations(&ROOM),
        store.put(&ROOM, &records(BEN, 0..1)),
    )
    .await;
    assert_eq!(one.unwrap()[0], ALICE);
    other.unwrap();
    // A transaction that it broke off is begun again.
    js(
        "const { put } = IDBObjectStore.prototype; IDBObjectStore.prototype.put = function (...values) { \
            IDBObjectStore.prototype.put = put; const request = put.apply(this, values); \
            this.transaction.abort(); return request; }",
    )
    .await;
    store.put_state(&ROOM, "draft", b"x").await.unwrap();
    assert!(store.get_state(&ROOM, "draft").await.unwrap().is_some());
}

#[wasm_bindgen_test]
async fn a_full_disk_is_told_and_nothing_is_stored_by_half() {
    let store = empty().await;
    store.put(&ROOM, &records(ALICE, 0..2)).await.unwrap();
    let full = reason("full");
    // Some browsers throw at once, at the third request here …
    js(
        "const { put } = IDBObjectStore.prototype; let calls = 0; \
        IDBObjectStore.prototype.put = function (...values) { \
            if (++calls < 3) return put.apply(this, values); \
            IDBObjectStore.prototype.put = put; throw new DOMException('full', 'QuotaExceededError'); }",
    )
    .await;
    let result = store.put(&ROOM, &records(ALICE, 2..9)).await;
    assert_eq!(result.err(), full);
    // … and others abort the transaction later.
    js(
        "const { put } = IDBObjectStore.prototype; IDBObjectStore.prototype.put = function (...values) { \
            IDBObjectStore.prototype.put = put; const request = put.apply(this, values); \
            const error = new DOMException('full', 'QuotaExceededError'); \
            Object.defineProperty(this.transaction, 'error', { value: error }); \
            request.onsuccess = () => request.transaction.abort(); return request; }",
    )
    .await;
    let result = store.put(&ROOM, &records(ALICE, 2..9)).await;
    assert_eq!(result.err(), full);
    // A request that fails takes the whole transaction with it: `add` refuses a key that is there.
    js(
        "const { put } = IDBObjectStore.prototype; IDBObjectStore.prototype.put = function (...values) { \
            IDBObjectStore.prototype.put = put; put.apply(this, values); return this.add(...values); }",
    )
    .await;
    let result = store.put(&ROOM, &records(ALICE, 2..9)).await;
    assert_eq!(result.err(), reason("other"));
    assert_eq!(counts(&store, &ROOM).await, [(ALICE, 2)]);
    assert_eq!(read_all(&store, &ROOM, 9).await.unwrap().len(), 2);
    store.put(&ROOM, &records(ALICE, 2..9)).await.unwrap();
}

#[wasm_bindgen_test]
async fn refusals_are_told_apart() {
    fresh().await;
    let denied = reason("denied");
    let throwing = |name| format!("() => {{ throw new DOMException('no', '{name}'); }}");
    assert_eq!(refused(&throwing("SecurityError")).await, denied);
    let failing = |name| {
        format!(
            "() => {{ const request = new EventTarget(); request.error = new DOMException('no', '{name}'); \
            setTimeout(() => request.onerror(new Event('error'))); return request; }}"
        )
    };
    assert_eq!(refused(&failing("InvalidStateError")).await, denied);
    let full = refused(&failing("QuotaExceededError")).await;
    assert_eq!(full, reason("full"));
    let broken = refused(&failing("UnknownError")).await;
    assert_eq!(broken, reason("broken"));
    for indexed_db in ["undefined", "null"] {
        let script =
            "Object.defineProperty(window, 'indexedDB', { configurable: true, value: VALUE })";
        js("window.found = Object.getOwnPropertyDescriptor(window, 'indexedDB')").await;
        js(&script.replace("VALUE", indexed_db)).await;
        let missing = Store::open(Mode::Kept).await.err();
        js("Object.defineProperty(window, 'indexedDB', window.found)").await;
        assert_eq!(missing, denied);
    }
}

#[wasm_bindgen_test]
async fn a_database_without_its_parts_is_broken_until_it_is_deleted() {
    fresh().await;
    js("(await result(indexedDB.open('rtchat/1/history', 2))).close()").await;
    let store = kept().await;
    let broken = reason("broken");
    assert_eq!(store.conversations(&ROOM).await.err(), broken);
    let result = store.put(&ROOM, &records(ALICE, 0..1)).await;
    assert_eq!(result.err(), broken);
    js("await result(indexedDB.deleteDatabase('rtchat/1/history'))").await;
    store.put(&ROOM, &records(ALICE, 0..1)).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_browser_that_does_not_answer_is_not_waited_for() {
    fresh().await;
    js(
        "window.pause = window.setTimeout; window.setTimeout = (callback, millis, ...values) => \
        window.pause(callback, millis == 10000 ? 0 : millis, ...values)",
    )
    .await;
    // It answers when the test says so.
    let late = "function (...values) { const request = window.found.apply(this, values); \
        const late = new Proxy(request, { \
            get: (_, name) => name == 'addEventListener' || name == 'removeEventListener' \
                ? request[name].bind(request) : request[name], \
            set: (_, name, value) => { if (name == 'onsuccess') window.answer = value; return true; } }); \
        window.late = request; return late; }";
    let refused = refused(late).await;
    js("window.setTimeout = window.pause").await;
    assert_eq!(refused, reason("silent"));
    js("if (late.readyState == 'pending') await new Promise((done) => { late.onsuccess = done; }); answer()").await;
    // The late answer is closed, so that a newer version of the page does not wait for it.
    js("(await result(indexedDB.open('rtchat/1/history', 3))).close()").await;
}

#[wasm_bindgen_test]
async fn damaged_entries_are_skipped_and_counted() {
    let store = empty().await;
    store.put(&ROOM, &records(ALICE, 0..9)).await.unwrap();
    let (room, alice) = ("[7, 32]", "[1, 16]");
    // Values that are too short, of another kind, or nothing; then keys of another length among and behind the others.
    let stored = |clock: u8| format!("bytes({room}, {alice}, [0, 7], [{clock}, 1], [{clock}, 32])");
    let entries = [
        format!("['records', {}, new Uint8Array(32)]", stored(3)),
        format!("['records', {}, 'text']", stored(5)),
        format!("['records', {}, {{ deep: [1] }}]", stored(7)),
        format!("['heads', {}, new Uint8Array(36)]", stored(4)),
        format!("['records', bytes({room}, {alice}, [0, 7], [6, 1]), new Uint8Array(99)]"),
        format!("['records', bytes({room}, {alice}, [9, 60]), new Uint8Array(99)]"),
        format!("['records', bytes({room}, {alice}, [9, 61]), new Uint8Array(99)]"),
        format!("['records', bytes({room}, {alice}, [9, 62]), new Uint8Array(99)]"),
        "['states', bytes([7, 32], [100, 1]), 'text']".to_owned(),
        "['heads', bytes([7, 3]), 1]".to_owned(),
    ];
    js(&format!("await write([{}])", entries.join(","))).await;

    for limit in [1, 2, 3, 4, 99] {
        let all = read_all(&store, &ROOM, limit).await.unwrap();
        assert_eq!(clocks(&all), [0, 1, 2, 4, 6, 8], "in pages of {limit}");
    }
    assert_eq!(store.get(&ROOM, key(ALICE, 5)).await.unwrap(), None);
    assert_eq!(store.get_state(&ROOM, "d").await.unwrap(), None);
    assert_eq!(counts(&store, &ROOM).await, [(ALICE, 6)]);
    // They can be overwritten and deleted.
    store.put(&ROOM, &records(ALICE, 3..4)).await.unwrap();
    let page = store.newest(&ROOM, ALICE, Some(position(4)), 1).await;
    assert_eq!(clocks(&page.unwrap().items), [3]);
    store.delete_room(&ROOM).await.unwrap();
    assert_eq!(read_all(&store, &ROOM, 99).await.unwrap(), []);
}
