//! A connection to a database, and the transactions in it.
//!
//! Requests are issued and awaited without anything else in between, because a transaction ends when it has nothing
//! more to do.

use std::cell::Cell;
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{Array, ArrayBuffer, Promise, Reflect, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Event, IdbCursor, IdbCursorDirection, IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore,
    IdbOpenDbRequest, IdbRequest, IdbTransaction, IdbTransactionMode, IdbVersionChangeEvent,
};

use super::super::error::HistoryError;
use super::super::record::KeyRange;
use crate::browser::{Listener, within};

/// The records, by key.
pub(super) const RECORDS: &str = "records";
/// The records without their bytes, by key.
pub(super) const HEADS: &str = "heads";
/// The state values, by room and name.
pub(super) const STATES: &str = "states";

/// The bytes of files, by room and file.
pub(super) const FILES: &str = "files";
/// The sender and the time of each file, by room and file.
pub(super) const FILE_HEADS: &str = "file heads";

const STORES: [&str; 5] = [RECORDS, HEADS, STATES, FILES, FILE_HEADS];

/// The version of the database. It grows when what is stored changes its form.
const VERSION: u32 = 2;

/// The time limit for opening or deleting a database, in milliseconds. It is long because a busy device answers late;
/// and some browsers never answer, in private windows or after they were started.
const PATIENCE: u32 = 10_000;

thread_local! {
    /// Keeps an error of a request from its transaction.
    static IGNORE: Closure<dyn Fn(Event)> = Closure::new(|event: Event| {
        let request = event.target().map(JsCast::unchecked_into::<IdbRequest>);
        let error = request.and_then(|request| request.error().ok().flatten());
        if error.is_some_and(|error| error.name() == "ConstraintError") {
            event.prevent_default();
            event.stop_propagation();
        }
    });
}

/// Whether a connection can be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    /// The browser has closed or deleted the database, or somebody has deleted it. It can be opened again.
    Closed,
    /// A newer version of the page uses the database now.
    Superseded,
}

/// A connection, which is closed when this is dropped, or as soon as it stands in somebody's way. Transactions that
/// have begun are completed.
pub(super) struct Connection {
    database: IdbDatabase,
    state: Rc<Cell<State>>,
    _listeners: [Listener; 2],
}

/// The part of a range that is read.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// At most this many entries.
    pub limit: u32,
    /// Whether they are the last ones of the range instead of the first ones.
    pub is_last: bool,
    /// Whether values are read, too.
    pub values: bool,
}

/// An entry as it is stored. Other scripts of the origin can write, too, so it may be anything.
pub(super) struct Entry {
    pub key: Vec<u8>,
    /// `None` if it was not read, or is nothing that this page writes.
    pub value: Option<Vec<u8>>,
}

/// A part of a transaction that writes.
pub(super) enum Step {
    Put {
        store: &'static str,
        key: Vec<u8>,
        value: Vec<u8>,
        /// Whether it takes the place of what is there.
        replaces: bool,
    },
    /// The same with bytes that stay in JavaScript's memory.
    PutBytes {
        store: &'static str,
        key: Vec<u8>,
        value: Uint8Array,
    },
    Delete {
        store: &'static str,
        range: KeyRange,
    },
}

impl Connection {
    /// Opens the database of this name, and makes it if there is none.
    pub async fn open(name: &str) -> Result<Connection, HistoryError> {
        let request = factory()?.open_with_u32(name, VERSION);
        let request = request.map_err(|error| thrown(&error))?;
        let (sender, answer) = oneshot::channel();
        // This task ends when the browser answers, so that a late answer makes no database without stores, and leaves
        // no connection that stands in the way of others.
        spawn_local(async move {
            let _upgrade = Listener::new(&request, "upgradeneeded", Box::new(make_stores));
            let opened = settled(&request).await;
            let _ = sender.send(opened.map(|database| Connection::new(database.unchecked_into())));
        });
        match within(PATIENCE, answer).await {
            Some(Ok(opened)) => opened,
            _ => Err(HistoryError::NoAnswer),
        }
    }

    fn new(database: IdbDatabase) -> Connection {
        let state = Rc::new(Cell::new(State::Open));
        let close = |kind| {
            let (open, state) = (database.clone(), state.clone());
            let close = move |event: Event| {
                let change = event.dyn_ref::<IdbVersionChangeEvent>();
                let is_upgrade = change.is_some_and(|change| change.new_version().is_some());
                state.set(if is_upgrade {
                    State::Superseded
                } else {
                    State::Closed
                });
                open.close();
            };
            Listener::new(&database, kind, Box::new(close))
        };
        Connection {
            _listeners: [close("versionchange"), close("close")],
            database,
            state,
        }
    }

    /// Whether the connection can be used.
    pub fn state(&self) -> State {
        self.state.get()
    }

    /// Notes that the connection turned out to be closed.
    pub fn lost(&self) {
        if self.state.get() == State::Open {
            self.state.set(State::Closed);
        }
    }

    /// Reads entries of a range, in the order of their keys.
    pub async fn read(
        &self,
        store: &'static str,
        range: &KeyRange,
        part: Part,
    ) -> Result<Vec<Entry>, HistoryError> {
        let Some(mut range) = key_range(range)? else {
            return Ok(Vec::new());
        };
        let transaction = self.transaction(&[store], IdbTransactionMode::Readonly)?;
        let store = object_store(&transaction, store)?;
        if part.is_last {
            range = last(&store, range, part.limit).await?;
        }
        let keys = store
            .get_all_keys_with_key_and_limit(&range, part.limit)
            .map_err(|error| thrown(&error))?;
        let values = part
            .values
            .then(|| store.get_all_with_key_and_limit(&range, part.limit))
            .transpose()
            .map_err(|error| thrown(&error))?;
        completed(&transaction).await?;
        let list = |request: &IdbRequest| request.result().ok()?.dyn_into::<Array>().ok();
        let values = values.as_ref().and_then(list).unwrap_or_default();
        let keys = list(&keys).unwrap_or_default();
        let entries = keys.iter().zip(0..).map(|(key, at)| Entry {
            key: bytes_of(&key).unwrap_or_default(),
            value: bytes_of(&values.get(at)),
        });
        Ok(entries.collect())
    }

    /// The bytes under this key. They stay in JavaScript's memory.
    pub async fn get(
        &self,
        store: &'static str,
        key: &[u8],
    ) -> Result<Option<Uint8Array>, HistoryError> {
        let transaction = self.transaction(&[store], IdbTransactionMode::Readonly)?;
        let request = object_store(&transaction, store)?.get(&array(key));
        let request = request.map_err(|error| thrown(&error))?;
        completed(&transaction).await?;
        let found = request.result().map_err(|error| thrown(&error))?;
        Ok(found.dyn_into().ok())
    }

    /// The number of entries in a range.
    pub async fn count(&self, store: &'static str, range: &KeyRange) -> Result<u32, HistoryError> {
        let Some(keys) = key_range(range)? else {
            return Ok(0);
        };
        let transaction = self.transaction(&[store], IdbTransactionMode::Readonly)?;
        let request = object_store(&transaction, store)?.count_with_key(&keys);
        let request = request.map_err(|error| thrown(&error))?;
        completed(&transaction).await?;
        let count = request.result().ok().and_then(|count| count.as_f64());
        // The conversion cannot overflow, it saturates.
        Ok(count.unwrap_or_default() as u32)
    }

    /// Carries out all steps or none, and returns when what was written is stored.
    pub async fn write(&self, steps: &[Step]) -> Result<(), HistoryError> {
        let transaction = self.transaction(&STORES, IdbTransactionMode::Readwrite)?;
        for step in steps {
            if let Err(error) = issue(&transaction, step) {
                let _ = transaction.abort();
                return Err(error);
            }
        }
        completed(&transaction).await
    }

    fn transaction(
        &self,
        stores: &[&'static str],
        mode: IdbTransactionMode,
    ) -> Result<IdbTransaction, HistoryError> {
        let stores: Array = stores
            .iter()
            .map(|store| JsValue::from_str(store))
            .collect();
        let transaction = self
            .database
            .transaction_with_str_sequence_and_mode(&stores, mode);
        transaction.map_err(|error| match thrown(&error) {
            // It throws an `InvalidStateError` if the connection is closed.
            HistoryError::Denied => HistoryError::Closed,
            error => error,
        })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.database.close();
    }
}

/// Deletes the database of this name, if there is one. Everybody who uses it closes it.
pub(super) async fn delete(name: &str) -> Result<(), HistoryError> {
    let request = factory()?.delete_database(name);
    let request = request.map_err(|error| thrown(&error))?;
    let deleted = within(PATIENCE, settled(&request)).await;
    deleted.map_or(Err(HistoryError::NoAnswer), |deleted| deleted.map(|_| ()))
}

/// The browser's databases.
pub(super) fn factory() -> Result<IdbFactory, HistoryError> {
    let window = web_sys::window().ok_or(HistoryError::Denied)?;
    let factory = window.indexed_db().map_err(|error| thrown(&error))?;
    factory.ok_or(HistoryError::Denied)
}

/// The error that the browser threw, or gave as a reason.
pub(super) fn thrown(error: &JsValue) -> HistoryError {
    let name = Reflect::get(error, &"name".into()).ok();
    let name = name.and_then(|name| name.as_string()).unwrap_or_default();
    let meaning = HistoryError::of(&name);
    if meaning == HistoryError::Other {
        web_sys::console::warn_1(error);
    }
    meaning
}

fn make_stores(event: Event) {
    let request = event
        .target()
        .map(JsCast::unchecked_into::<IdbOpenDbRequest>);
    if let Some(Ok(database)) = request.map(|request| request.result()) {
        for store in STORES {
            // A store that an earlier version made stays. A database without one is reported as broken when it is used.
            let _ = database
                .unchecked_ref::<IdbDatabase>()
                .create_object_store(store);
        }
    }
}

/// The part of a range that has its last entries. They are looked up, because entries are read forwards only.
async fn last(
    store: &IdbObjectStore,
    range: IdbKeyRange,
    entries: u32,
) -> Result<IdbKeyRange, HistoryError> {
    let request = store
        .open_key_cursor_with_range_and_direction(&range, IdbCursorDirection::Prev)
        .map_err(|error| thrown(&error))?;
    let mut steps = entries.saturating_sub(1);
    loop {
        let found = settled(&request).await?;
        let Some(cursor) = found.dyn_ref::<IdbCursor>() else {
            // There are fewer entries.
            return Ok(range);
        };
        if steps == 0 {
            let first = cursor.key().map_err(|error| thrown(&error))?;
            let end = range.upper().map_err(|error| thrown(&error))?;
            let last = if end.is_undefined() {
                IdbKeyRange::lower_bound(&first)
            } else {
                let is_open = range.upper_open();
                IdbKeyRange::bound_with_lower_open_and_upper_open(&first, &end, false, is_open)
            };
            return last.map_err(|error| thrown(&error));
        }
        cursor.advance(steps).map_err(|error| thrown(&error))?;
        steps = 0;
    }
}

/// Waits for the end of a transaction. Nothing is awaited before that.
async fn completed(transaction: &IdbTransaction) -> Result<(), HistoryError> {
    let ended = Promise::new(&mut |resolve, reject| {
        transaction.set_oncomplete(Some(resolve.unchecked_ref()));
        transaction.set_onabort(Some(reject.unchecked_ref()));
    });
    match JsFuture::from(ended).await {
        Ok(_) => Ok(()),
        // Only a database that is closed or deleted aborts without a reason.
        Err(_) => Err(transaction
            .error()
            .map_or(HistoryError::Closed, |error| thrown(&error))),
    }
}

/// The result of a request.
async fn settled(request: &IdbRequest) -> Result<JsValue, HistoryError> {
    let settled = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(resolve.unchecked_ref()));
        request.set_onerror(Some(reject.unchecked_ref()));
    });
    match JsFuture::from(settled).await {
        Ok(_) => request.result().map_err(|error| thrown(&error)),
        Err(_) => {
            let error = request.error().ok().flatten();
            Err(thrown(&error.map_or(JsValue::UNDEFINED, JsValue::from)))
        }
    }
}

fn object_store(transaction: &IdbTransaction, store: &str) -> Result<IdbObjectStore, HistoryError> {
    transaction
        .object_store(store)
        .map_err(|error| thrown(&error))
}

fn issue(transaction: &IdbTransaction, step: &Step) -> Result<(), HistoryError> {
    let issued = match step {
        Step::Put {
            store,
            key,
            value,
            replaces: true,
        } => object_store(transaction, store)?.put_with_key(&array(value), &array(key)),
        Step::Put {
            store, key, value, ..
        } => {
            let added = object_store(transaction, store)?.add_with_key(&array(value), &array(key));
            if let Ok(request) = &added {
                // That it is there already must not end the transaction.
                IGNORE.with(|ignore| request.set_onerror(Some(ignore.as_ref().unchecked_ref())));
            }
            added
        }
        Step::PutBytes { store, key, value } => {
            object_store(transaction, store)?.put_with_key(value, &array(key))
        }
        Step::Delete { store, range } => match key_range(range)? {
            Some(range) => object_store(transaction, store)?.delete(&range),
            None => return Ok(()),
        },
    };
    issued.map(|_| ()).map_err(|error| thrown(&error))
}

fn array(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// The bytes of a key or a value.
fn bytes_of(stored: &JsValue) -> Option<Vec<u8>> {
    match stored.dyn_ref::<ArrayBuffer>() {
        Some(buffer) => Some(Uint8Array::new(buffer).to_vec()),
        None => stored.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec),
    }
}

/// The browser's form of a range. `None` if no key can lie in it, which browsers take for a mistake.
fn key_range(range: &KeyRange) -> Result<Option<IdbKeyRange>, HistoryError> {
    if range.is_empty() {
        return Ok(None);
    }
    let (lower, is_open) = (array(&range.lower), range.is_lower_open);
    let range = match &range.end {
        Some(end) => {
            IdbKeyRange::bound_with_lower_open_and_upper_open(&lower, &array(end), is_open, true)
        }
        None => IdbKeyRange::lower_bound_with_open(&lower, is_open),
    };
    range.map(Some).map_err(|error| thrown(&error))
}
