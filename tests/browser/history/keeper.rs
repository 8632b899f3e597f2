//! What carries the room's records to the store and back (`embed/store/keeper.ts`).

use js_sys::Array;
use rtchat::history::StoredFile;
use rtchat::history::file::file_key;
use rtchat::time::Millis;
use rtchat::wire::{FileHash, FileKey};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Blob;

use super::store::{array, call, field, load};
use super::*;

/// The keeper of a room, and what it told.
struct Keeper {
    keeper: JsValue,
    heard: Heard<Array>,
    _listener: Closure<dyn Fn(JsValue, JsValue, JsValue)>,
}

impl Keeper {
    async fn new() -> Keeper {
        load().await;
        let heard = Heard::new();
        let hear = heard.callback();
        let listener = Closure::<dyn Fn(JsValue, JsValue, JsValue)>::new(
            move |kind: JsValue, first: JsValue, second: JsValue| {
                hear(Array::of3(&kind, &first, &second));
            },
        );
        let class: js_sys::Function = field(&js_sys::global(), "Keeper").unchecked_into();
        let states = Array::of1(&"read".into());
        let with = Array::of3(&array(&ROOM.0), &states, listener.as_ref());
        Keeper {
            keeper: js_sys::Reflect::construct(&class, &with).unwrap(),
            heard,
            _listener: listener,
        }
    }

    async fn call(&self, method: &str, with: &[JsValue]) -> JsValue {
        call(&self.keeper, method, with).await.unwrap()
    }

    async fn open(mode: Mode) -> Keeper {
        let keeper = Keeper::new().await;
        keeper.call("open", &[mode.as_str().into()]).await;
        keeper
    }

    async fn choose(&self, mode: Mode) {
        self.call("choose", &[mode.as_str().into()]).await;
    }

    async fn put(&self, record: &Record) {
        let with = [record.key().to_bytes(), record.to_value()].map(|it| array(&it));
        self.call("put", &with).await;
    }

    /// The kinds of what it told since the last time, once it has told something of this kind.
    async fn kinds(&self, last: &str) -> Vec<String> {
        let kind = |event: &Array| event.get(0).as_string().unwrap();
        until("the keeper tells something", async || {
            self.heard
                .0
                .borrow()
                .iter()
                .any(|event| kind(event) == last)
        })
        .await;
        self.heard.0.take().iter().map(kind).collect()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let close: js_sys::Function = field(&self.keeper, "close").unchecked_into();
        close.call0(&self.keeper).unwrap();
    }
}

/// Waits until the kept store has records of these clocks.
async fn written(expected: &[u64]) {
    let store = kept().await;
    until("it is written", async || {
        clocks(&read_all(&store, &ROOM, 9).await.unwrap()) == expected
    })
    .await;
}

#[wasm_bindgen_test]
async fn what_is_said_before_the_store_is_open_is_kept_and_read_again() {
    fresh().await;
    let keeper = Keeper::new().await;
    keeper.put(&record(ALICE, 1)).await;
    let with = ["read".into(), array(b"x")];
    keeper.call("putState", &with).await;
    keeper.call("open", &["kept".into()]).await;
    assert_eq!(keeper.kinds("restored").await, ["files", "restored"]);
    keeper.put(&record(ALICE, 2)).await;
    written(&[1, 2]).await;
    // The page may leave at once: what was to be kept is still written.
    keeper.put(&record(ALICE, 3)).await;
    keeper.call("close", &[]).await;
    written(&[1, 2, 3]).await;
    assert_eq!(keeper.heard.0.take().len(), 0);

    let again = Keeper::open(Mode::Kept).await;
    let told = ["state", "records", "files", "restored"];
    assert_eq!(again.kinds("restored").await, told);
    // What another tab writes is told.
    let other = kept().await;
    other.put(&ROOM, &records(BEN, [4])).await.unwrap();
    other.put(&OTHER_ROOM, &records(BEN, [4])).await.unwrap();
    other.put_state(&ROOM, "unknown", b"x").await.unwrap();
    other.delete(&ROOM, &[key(ALICE, 1)]).await.unwrap();
    other.put_state(&ROOM, "read", b"y").await.unwrap();
    other.delete_conversation(&ROOM, BEN).await.unwrap();
    other.delete_room(&ROOM).await.unwrap();
    let mut told = again.kinds("room").await;
    // Records and values are read before they are told, and others are not.
    told.sort();
    let expected = ["conversation", "deleted", "records", "room"];
    told.retain(|kind| kind != "state");
    assert_eq!(told, expected);
}

#[wasm_bindgen_test]
async fn off_keeps_nothing() {
    fresh().await;
    let keeper = Keeper::open(Mode::Off).await;
    assert_eq!(keeper.kinds("files").await, ["files"]);
    keeper.put(&record(ALICE, 1)).await;
    keeper.call("close", &[]).await;
    assert_eq!(databases().await, [""; 0]);
}

#[wasm_bindgen_test]
async fn the_browser_is_asked_once_and_nobody_waits_for_its_answer() {
    fresh().await;
    // Firefox asks the person, who may never answer.
    js(
        "window.asked = 0; StorageManager.prototype.found = StorageManager.prototype.persist; \
        StorageManager.prototype.persist = () => { window.asked += 1; return new Promise(() => {}); }",
    )
    .await;
    let keeper = Keeper::open(Mode::Kept).await;
    let before = js("return window.asked").await.as_f64();
    for clock in 0..3 {
        keeper.put(&record(ALICE, clock)).await;
        let expected: Vec<u64> = (0..=clock).collect();
        written(&expected).await;
    }
    let after = js("return window.asked").await.as_f64();
    js("StorageManager.prototype.persist = StorageManager.prototype.found").await;
    assert_eq!((before, after), (Some(0.0), Some(1.0)));
}

#[wasm_bindgen_test]
async fn a_full_disk_is_told_once() {
    fresh().await;
    let keeper = Keeper::open(Mode::Kept).await;
    js("window.put = IDBObjectStore.prototype.put; \
        IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); }")
    .await;
    keeper.put(&record(ALICE, 1)).await;
    assert_eq!(keeper.kinds("notice").await.last().unwrap(), "notice");
    keeper.put(&record(ALICE, 2)).await;
    js("IDBObjectStore.prototype.put = window.put").await;
    keeper.put(&record(ALICE, 3)).await;
    written(&[3]).await;
    assert_eq!(keeper.heard.0.take().len(), 0);
}

#[wasm_bindgen_test]
async fn what_is_kept_follows_the_mode_with_its_files() {
    fresh().await;
    let keeper = Keeper::open(Mode::Kept).await;
    let file = StoredFile {
        key: FileKey {
            hash: FileHash([1; 32]),
            size: 3,
        },
        author: PublicKey([2; 33]),
        at: Millis(1),
    };
    let key = array(&file_key(&file.key));
    let head = array(&file.to_value());
    let blob = Blob::new_with_str_sequence(&Array::of1(&"abc".into())).unwrap();
    let is_here = async || {
        let found = keeper.call("getFile", std::slice::from_ref(&key)).await;
        let blob: Blob = found.dyn_into().unwrap();
        JsFuture::from(blob.text()).await.unwrap().as_string() == Some("abc".to_owned())
    };
    keeper
        .call("prepareFile", &[key.clone(), blob.into()])
        .await;
    let none = keeper.call("getFile", std::slice::from_ref(&key)).await;
    assert!(none.is_undefined(), "it was not said yet");
    keeper.call("sayFile", std::slice::from_ref(&key)).await;
    // The page does not go away unasked while the file is being written.
    let asks = "return !dispatchEvent(new Event('beforeunload', { cancelable: true }))";
    let keep = [key.clone(), head];
    let (_, asked) = futures_util::future::join(keeper.call("keepFile", &keep), js(asks)).await;
    assert_eq!(asked, JsValue::TRUE);
    assert_eq!(js(asks).await, JsValue::FALSE);
    keeper.put(&record(ALICE, 1)).await;
    written(&[1]).await;
    let store = kept().await;
    assert_eq!(store.files(&ROOM).await.unwrap(), [file]);
    assert!(is_here().await);
    drop(store);

    keeper.choose(Mode::Session).await;
    let told = keeper.kinds("replaced").await;
    assert_eq!(told, ["files", "restored", "replaced"]);
    assert!(is_here().await);
    let session = Store::open(Mode::Session).await.unwrap();
    assert_eq!(session.files(&ROOM).await.unwrap(), [file]);
    assert_eq!(session.conversations(&ROOM).await.unwrap(), [ALICE]);
    drop(session);
    written(&[]).await;
    assert_eq!(kept().await.files(&ROOM).await.unwrap(), []);

    keeper.choose(Mode::Off).await;
    assert!(is_here().await);
    let session = Store::open(Mode::Session).await.unwrap();
    assert_eq!(session.files(&ROOM).await.unwrap(), []);
    assert_eq!(session.conversations(&ROOM).await.unwrap(), []);
    keeper.call("deleteFile", std::slice::from_ref(&key)).await;
    let none = keeper.call("getFile", std::slice::from_ref(&key)).await;
    assert!(none.is_undefined());
}

#[wasm_bindgen_test]
async fn a_mode_that_was_chosen_while_another_one_was_opened_is_the_one_that_counts() {
    fresh().await;
    let keeper = Keeper::open(Mode::Kept).await;
    keeper.put(&record(ALICE, 1)).await;
    written(&[1]).await;
    let (_, _, _) = futures_util::future::join3(
        keeper.choose(Mode::Session),
        keeper.choose(Mode::Off),
        keeper.choose(Mode::Kept),
    )
    .await;
    keeper.put(&record(ALICE, 2)).await;
    written(&[1, 2]).await;
    let session = Store::open(Mode::Session).await.unwrap();
    assert_eq!(session.conversations(&ROOM).await.unwrap(), []);
}

#[wasm_bindgen_test]
async fn what_is_not_written_when_the_page_goes_away_is_written_by_the_next_one() {
    fresh().await;
    // Nothing is written before the store is open.
    let gone = Keeper::new().await;
    gone.put(&record(ALICE, 1)).await;
    gone.put(&record(ALICE, 2)).await;
    let deleted = [array(&key(ALICE, 1).to_bytes())];
    gone.call("delete", &deleted).await;
    gone.call("putState", &["read".into(), array(b"x")]).await;
    js("dispatchEvent(new PageTransitionEvent('pagehide'))").await;
    let next = Keeper::open(Mode::Kept).await;
    let told = ["state", "records", "files", "restored"];
    assert_eq!(next.kinds("restored").await, told);
    written(&[2]).await;
    assert_eq!(js("return sessionStorage.length").await.as_f64(), Some(0.0));
    // A page that comes back as it was writes it itself.
    let noted = async || js("return sessionStorage.length").await.as_f64();
    js("dispatchEvent(new PageTransitionEvent('pagehide'))").await;
    assert_eq!(noted().await, Some(1.0));
    js("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))").await;
    assert_eq!(noted().await, Some(0.0));
    // A long list: the newest of it.
    for clock in 10..14 {
        let large = Record {
            bytes: vec![0; 200_000],
            ..record(ALICE, clock)
        };
        gone.put(&large).await;
    }
    js("dispatchEvent(new PageTransitionEvent('pagehide'))").await;
    drop(next);
    let _next = Keeper::open(Mode::Kept).await;
    written(&[2, 11, 12, 13]).await;
}

#[wasm_bindgen_test]
async fn a_note_that_other_scripts_wrote_harms_nothing() {
    fresh().await;
    let unreadable = "put\\nput,AAAA\\nconstructor,AAAA\\neat,AAAA\\nput,%,%";
    let odd = "session,kept,off\\nadd,AAAA,AAAA\\nputState,unknown,eA==\\nputState,read,eA==,\\nputState,read,eA==\\n";
    for note in [unreadable, odd] {
        js(&format!(
            "const room = btoa(String.fromCharCode(...Array(32).fill(7)));
            sessionStorage.setItem('rtchat/1/unwritten/' + room, '{note}')"
        ))
        .await;
        let keeper = Keeper::open(Mode::Kept).await;
        let told = keeper.kinds("restored").await;
        assert!(!told.contains(&"notice".to_owned()), "{told:?}");
    }
    let read = kept().await.get_state(&ROOM, "read").await.unwrap();
    assert_eq!(read.as_deref(), Some(&b"x"[..]));
}

#[wasm_bindgen_test]
async fn what_was_kept_is_deleted_also_where_the_store_that_was_chosen_cannot_be_opened() {
    fresh().await;
    let keeper = Keeper::open(Mode::Kept).await;
    keeper.put(&record(ALICE, 1)).await;
    written(&[1]).await;
    // Pages without HTTPS have no locks, so nothing can be kept for the time of a tab.
    js("Object.defineProperty(navigator, 'locks', { value: undefined, configurable: true })").await;
    keeper.choose(Mode::Session).await;
    js("delete navigator.locks").await;
    let told = keeper.kinds("notice").await;
    assert!(!told.contains(&"replaced".to_owned()), "{told:?}");
    written(&[]).await;
}
