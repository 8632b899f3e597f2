//! Databases that last as long as a tab.
//!
//! The name of a tab's database is random and stands in `sessionStorage`, which survives a reload. While the page is
//! open, it holds a lock of that name. So whoever finds a database whose lock nobody holds may delete it, also after a
//! crash; and a tab that was duplicated, with its `sessionStorage`, notices that the name is taken.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use base32ct::{Base32Unpadded, Encoding};
use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::super::error::HistoryError;
use super::connection::{self, thrown};
use crate::browser::locks::{Attempt, Lock, lock_within, try_lock};
use crate::browser::sleep;
use crate::identity::web::seed;

/// The prefix of the names of these databases.
const PREFIX: &str = "rtchat/1/session/";

/// The key in `sessionStorage` under which the name stands.
const STORED_NAME: &str = "rtchat/1/session";

/// How long a page waits for the lock of its tab's database, in milliseconds. After a reload, the page before it may
/// release the lock a moment late. A duplicated tab waits in vain.
const RELEASE: u32 = 1_000;

/// How long a lock has to be free until its database is deleted, in milliseconds. A page that is being loaded again has
/// released its lock and does not hold it yet.
const RELOAD: u32 = 15_000;

/// The name of this tab's database, and its lock.
pub(super) struct Session {
    name: String,
    _lock: Lock,
}

thread_local! {
    /// The session of this page, so that several stores share it.
    static CURRENT: RefCell<Weak<Session>> = const { RefCell::new(Weak::new()) };
}

impl Session {
    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The session of this tab, which goes on after a reload.
    pub async fn of_this_tab() -> Result<Rc<Session>, HistoryError> {
        if let Some(session) = current() {
            return Ok(session);
        }
        // Where they cannot be listed, none is made, because none would be deleted.
        listing()?;
        let window = web_sys::window().ok_or(HistoryError::Denied)?;
        let storage = window.session_storage().map_err(|error| thrown(&error))?;
        let storage = storage.ok_or(HistoryError::Denied)?;
        let stored = storage.get_item(STORED_NAME).ok().flatten();
        let (name, lock) = match before(stored).await {
            Some(before) => before,
            None => new().await?,
        };
        // Another store of this page may have been faster.
        if let Some(session) = current() {
            return Ok(session);
        }
        // If the name cannot be stored, the database lasts until the page is reloaded.
        let _ = storage.set_item(STORED_NAME, &name);
        let session = Rc::new(Session { name, _lock: lock });
        CURRENT.set(Rc::downgrade(&session));
        Ok(session)
    }
}

fn current() -> Option<Rc<Session>> {
    CURRENT.with_borrow(Weak::upgrade)
}

/// The name that this tab had before a reload, and its lock.
async fn before(stored: Option<String>) -> Option<(String, Lock)> {
    let name = stored.filter(|name| name.starts_with(PREFIX))?;
    match lock_within(&name, RELEASE).await {
        Attempt::Granted(lock) => Some((name, lock)),
        _ => None,
    }
}

/// A new name, and its lock.
async fn new() -> Result<(String, Lock), HistoryError> {
    let random = seed().map_err(|_| HistoryError::Other)?;
    let name = format!("{PREFIX}{}", Base32Unpadded::encode_string(&random[..16]));
    match try_lock(&name).await {
        Attempt::Granted(lock) => Ok((name, lock)),
        _ => Err(HistoryError::NoSessions),
    }
}

/// Deletes the databases of tabs that are gone.
pub(super) async fn sweep() {
    let mut gone = Vec::new();
    for name in names().await.unwrap_or_default() {
        if let Attempt::Granted(_) = try_lock(&name).await {
            gone.push(name);
        }
    }
    if gone.is_empty() {
        return;
    }
    sleep(RELOAD).await;
    for name in gone {
        if let Attempt::Granted(_lock) = try_lock(&name).await {
            // The next store that is opened finds a database that cannot be deleted now.
            let _ = connection::delete(&name).await;
        }
    }
}

/// The names of all databases of sessions.
async fn names() -> Result<Vec<String>, HistoryError> {
    let (factory, list) = listing()?;
    let list: Promise = list
        .call0(&factory)
        .and_then(JsValue::dyn_into)
        .map_err(|error| thrown(&error))?;
    let list = JsFuture::from(list).await.map_err(|error| thrown(&error))?;
    let list: Array = list.dyn_into().unwrap_or_default();
    let names = list.iter().filter_map(|entry| {
        let name = Reflect::get(&entry, &"name".into()).ok()?.as_string()?;
        name.starts_with(PREFIX).then_some(name)
    });
    Ok(names.collect())
}

/// `indexedDB` and its function `databases`, which web-sys does not have.
fn listing() -> Result<(JsValue, Function), HistoryError> {
    let factory = JsValue::from(connection::factory()?);
    let list = Reflect::get(&factory, &"databases".into()).and_then(JsValue::dyn_into);
    let list = list.map_err(|_| HistoryError::NoSessions)?;
    Ok((factory, list))
}
