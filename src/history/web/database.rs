//! A database that the browser may close or delete at any time, and the other tabs that use it.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Uint8Array;

use super::super::error::HistoryError;
use super::super::record::{KeyRange, after_prefix};
use super::channel::Channel;
use super::connection::{self, Connection, Entry, Part, State, Step};
use super::session::Session;

/// The database of a store.
pub(super) struct Database {
    name: String,
    connection: RefCell<Option<Rc<Connection>>>,
    /// Tells other tabs of changes, and is told of theirs.
    pub channel: Channel,
    /// Held for as long as the store is open.
    _session: Option<Rc<Session>>,
}

impl Database {
    /// Opens the database of this name, and makes it if there is none.
    pub async fn open(name: &str, session: Option<Rc<Session>>) -> Result<Database, HistoryError> {
        let database = Database {
            name: name.to_owned(),
            connection: RefCell::default(),
            channel: Channel::join(name),
            _session: session,
        };
        database.connection().await?;
        Ok(database)
    }

    /// The connection, which is opened again if it was closed.
    async fn connection(&self) -> Result<Rc<Connection>, HistoryError> {
        if let Some(connection) = self.usable()? {
            return Ok(connection);
        }
        let opened = Rc::new(Connection::open(&self.name).await?);
        // Another call may have been faster.
        if let Some(connection) = self.usable()? {
            return Ok(connection);
        }
        self.connection.replace(Some(opened.clone()));
        Ok(opened)
    }

    fn usable(&self) -> Result<Option<Rc<Connection>>, HistoryError> {
        let connection = self.connection.borrow().clone();
        match connection.as_ref().map(|connection| connection.state()) {
            Some(State::Open) => Ok(connection),
            Some(State::Superseded) => Err(HistoryError::Closed),
            Some(State::Closed) | None => Ok(None),
        }
    }

    /// Does something with the connection, and once more if it turns out to be closed.
    async fn with_connection<T>(
        &self,
        job: impl AsyncFn(&Connection) -> Result<T, HistoryError>,
    ) -> Result<T, HistoryError> {
        let mut may_be_closed = true;
        loop {
            let connection = self.connection().await?;
            match job(&connection).await {
                Err(HistoryError::Closed) if may_be_closed => {
                    connection.lost();
                    may_be_closed = false;
                }
                done => return done,
            }
        }
    }

    /// Deletes the database. The next call makes it again.
    pub async fn delete(&self) -> Result<(), HistoryError> {
        // The browser waits until everybody has closed it.
        self.connection.take();
        connection::delete(&self.name).await
    }

    /// Carries out all steps or none, and returns when what was written is stored.
    pub async fn write(&self, steps: &[Step]) -> Result<(), HistoryError> {
        self.with_connection(async |connection| connection.write(steps).await)
            .await
    }

    /// Reads entries of a range, in the order of their keys.
    pub async fn read(
        &self,
        store: &'static str,
        range: &KeyRange,
        part: Part,
    ) -> Result<Vec<Entry>, HistoryError> {
        self.with_connection(async |connection| connection.read(store, range, part).await)
            .await
    }

    /// The bytes under this key.
    pub async fn get(
        &self,
        store: &'static str,
        key: &[u8],
    ) -> Result<Option<Uint8Array>, HistoryError> {
        self.with_connection(async |connection| connection.get(store, key).await)
            .await
    }

    /// The number of entries in a range.
    pub async fn count(&self, store: &'static str, range: &KeyRange) -> Result<u32, HistoryError> {
        self.with_connection(async |connection| connection.count(store, range).await)
            .await
    }

    /// The different beginnings, of this length, of the keys in a range. Each is looked up, so that the other keys need
    /// not be read.
    pub async fn prefixes<const LENGTH: usize>(
        &self,
        store: &'static str,
        mut range: KeyRange,
    ) -> Result<Vec<[u8; LENGTH]>, HistoryError> {
        let part = Part {
            limit: 1,
            is_last: false,
            values: false,
        };
        let mut prefixes = Vec::new();
        while let Some(entry) = self.read(store, &range, part).await?.pop() {
            match entry.key.first_chunk::<LENGTH>() {
                Some(prefix) => {
                    prefixes.push(*prefix);
                    let Some(lower) = after_prefix(prefix) else {
                        break;
                    };
                    range = KeyRange {
                        lower,
                        is_lower_open: false,
                        ..range
                    };
                }
                // A damaged key.
                None => range = range.after(entry.key),
            }
        }
        Ok(prefixes)
    }
}
