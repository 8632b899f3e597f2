//! The store of what was said, in a real browser.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Date, Promise, eval};
use rtchat::history::{ConversationId, Key, Mode, Position, Record};
use rtchat::identity::PublicKey;
use rtchat::wire::RoomId;
use rtchat::wire::entry::Clock;
use rtchat::wire::statement::StatementId;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::sides::sleep;

use store::{Change, Reason, Store};

mod failures;
mod files;
mod keeper;
mod records;
mod sessions;
mod speed;
mod store;

const ROOM: RoomId = RoomId([7; 32]);
const OTHER_ROOM: RoomId = RoomId([8; 32]);
const ALICE: ConversationId = ConversationId([1; 16]);
const BEN: ConversationId = ConversationId([2; 16]);

/// Functions that the tests' scripts use.
const HELPERS: &str = "
    window.result = (request) => new Promise((done, failed) => {
        request.onsuccess = () => done(request.result);
        request.onerror = () => failed(request.error);
    });
    window.listed = async () => (await indexedDB.databases()).map((database) => database.name);
    window.write = async (entries) => {
        const database = await result(indexedDB.open('rtchat/1/history', 2));
        const transaction = database.transaction(['records', 'heads', 'states'], 'readwrite');
        for (const [store, key, value] of entries) {
            transaction.objectStore(store).put(value, new Uint8Array(key));
        }
        await new Promise((done) => { transaction.oncomplete = done; });
        database.close();
    };
    window.bytes = (...runs) => runs.flatMap(([byte, length]) => Array(length).fill(byte));
";

/// Runs statements of a script, in which `await` may be used, and returns what they return.
async fn js(script: &str) -> JsValue {
    let script = format!("(async () => {{ {script} }})()");
    let promise: Promise = eval(&script).unwrap().into();
    JsFuture::from(promise).await.unwrap()
}

/// The names of all databases.
async fn databases() -> Vec<String> {
    let names = js("return (await listed()).sort().join('\\n')").await;
    let names = names.as_string().unwrap();
    names.lines().map(str::to_owned).collect()
}

/// Begins without any database.
async fn fresh() {
    js(HELPERS).await;
    js("for (const name of await listed()) { await result(indexedDB.deleteDatabase(name)); } sessionStorage.clear();")
        .await;
}

async fn kept() -> Store {
    Store::open(Mode::Kept).await.unwrap()
}

/// A store without records.
async fn empty() -> Store {
    fresh().await;
    kept().await
}

/// Waits until something is so.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let give_up = Date::now() + 20_000.0;
    while Date::now() < give_up {
        if is_so().await {
            return;
        }
        sleep(10).await;
    }
    panic!("waited in vain until {what}");
}

fn position(clock: u64) -> Position {
    Position {
        clock: Clock(clock),
        id: StatementId([clock.to_le_bytes()[0]; 32]),
    }
}

fn key(conversation: ConversationId, clock: u64) -> Key {
    Key {
        conversation,
        position: position(clock),
    }
}

fn record(conversation: ConversationId, clock: u64) -> Record {
    Record {
        conversation,
        position: position(clock),
        author: PublicKey([2; 33]),
        bytes: format!("said at {clock}").into_bytes(),
    }
}

fn records(conversation: ConversationId, clocks: impl IntoIterator<Item = u64>) -> Vec<Record> {
    let clocks = clocks.into_iter();
    clocks.map(|clock| record(conversation, clock)).collect()
}

fn clocks(records: &[Record]) -> Vec<u64> {
    records
        .iter()
        .map(|record| record.position.clock.0)
        .collect()
}

/// All records of a room, in their order, read in pages of this size.
async fn read_all(store: &Store, room: &RoomId, limit: u32) -> Result<Vec<Record>, Reason> {
    let mut all = Vec::new();
    for conversation in store.conversations(room).await? {
        let (mut records, mut before) = (Vec::new(), None);
        loop {
            let page = store.newest(room, conversation, before, limit).await?;
            records.extend(page.items);
            before = page.next.map(|key| key.position);
            if before.is_none() {
                break;
            }
        }
        records.reverse();
        all.extend(records);
    }
    Ok(all)
}

/// The conversations of a room, and the number of their records.
async fn counts(store: &Store, room: &RoomId) -> Vec<(ConversationId, usize)> {
    let records = read_all(store, room, 256).await.unwrap();
    let conversations = store.conversations(room).await.unwrap();
    let count = |id: &ConversationId| {
        let its = records.iter().filter(|record| record.conversation == *id);
        its.count()
    };
    conversations.iter().map(|id| (*id, count(id))).collect()
}

/// Keeps everything that a callback is called with.
struct Heard<T>(Rc<RefCell<Vec<T>>>);

impl<T: 'static> Heard<T> {
    fn new() -> Heard<T> {
        Heard(Rc::default())
    }

    fn callback(&self) -> impl Fn(T) + 'static {
        let heard = self.0.clone();
        move |it| heard.borrow_mut().push(it)
    }

    /// Waits for this many calls, and returns what they were called with.
    async fn wait(&self, calls: usize) -> Vec<T> {
        until("a callback was called", async || {
            self.0.borrow().len() >= calls
        })
        .await;
        self.0.take()
    }
}
