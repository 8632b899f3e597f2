//! The browser adapter of this module: the store, on IndexedDB.
//!
//! There is one database for all pages of an origin, like the profile. Rooms of different pages have different ids, so
//! they do not meet in it.

mod channel;
mod database;
mod session;

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Promise, Reflect};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::StorageManager;

use self::channel::Channel;
use self::database::{Connection, Entry, HEADS, Part, RECORDS, STATES, State, Step, thrown};
use self::session::Session;
use super::Mode;
use super::change::{Change, by_conversation};
use super::error::HistoryError;
use super::record::{
    ConversationId, Head, Key, KeyRange, Position, Record, after_prefix, conversation_prefix,
    state_key,
};
use crate::wire::RoomId;

/// The name of the database that is kept.
const KEPT: &str = "rtchat/1/history";

/// A page of records has at most this many, so that reading it makes nobody wait.
pub const MAX_PAGE: u32 = 256;

/// Some of the records of a room or of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// The number of entries that were skipped because they are damaged.
    pub damaged: u32,
    /// The last record of this page, behind which the next page begins. `None` if there is no next page.
    pub next: Option<Key>,
}

/// How much space the browser gives to all pages of the origin, in bytes, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// What is used.
    pub used: u64,
    /// What may be used.
    pub quota: u64,
}

/// What this browser keeps of what was said. With [`Mode::Off`], it takes everything, and has nothing.
///
/// What was written is stored when the future is ready, also if the page is closed at that moment. The browser may close
/// or delete the database at any time; the next call opens it again. Calls may overlap.
pub struct Store(Option<Rc<Database>>);

struct Database {
    name: String,
    connection: RefCell<Option<Rc<Connection>>>,
    channel: Channel,
    /// Held for as long as the store is open.
    _session: Option<Rc<Session>>,
}

impl Store {
    /// Opens the store. It also deletes, a while later, what tabs that are gone have left behind.
    ///
    /// # Errors
    /// [`HistoryError`] if the browser does not allow it, has no space left, cannot read what is there, or does not
    /// answer within ten seconds.
    pub async fn open(mode: Mode) -> Result<Store, HistoryError> {
        spawn_local(session::sweep());
        let session = match mode {
            Mode::Off => return Ok(Store(None)),
            Mode::Session => Some(Session::of_this_tab().await?),
            Mode::Kept => None,
        };
        let name = session.as_ref().map_or(KEPT, |session| session.name());
        let database = Rc::new(Database {
            name: name.to_owned(),
            connection: RefCell::default(),
            channel: Channel::join(name),
            _session: session.clone(),
        });
        database.connection().await?;
        Ok(Store(Some(database)))
    }

    /// Stores all of these records, or none of them. A record whose key is there already takes its place. Some hundreds
    /// at once are stored quickly without making anybody wait.
    ///
    /// # Errors
    /// [`HistoryError`] if nothing was stored.
    pub async fn put(&self, room: &RoomId, records: &[Record]) -> Result<(), HistoryError> {
        let steps = records.iter().flat_map(|record| {
            let key = record.key().to_bytes(room);
            [
                put_in(HEADS, key.clone(), record.head().to_value()),
                put_in(RECORDS, key, record.to_value()),
            ]
        });
        let keys: Vec<Key> = records.iter().map(Record::key).collect();
        let changes = by_conversation(&keys).into_iter();
        let changes = changes.map(|(conversation, positions)| Change::Put {
            room: *room,
            conversation,
            positions,
        });
        self.write(steps.collect(), changes.collect()).await
    }

    /// Deletes the records with these keys, as far as they are there.
    ///
    /// # Errors
    /// [`HistoryError`] if nothing was deleted.
    pub async fn delete(&self, room: &RoomId, keys: &[Key]) -> Result<(), HistoryError> {
        let steps = keys.iter().flat_map(|key| {
            let range = KeyRange::of_key(key.to_bytes(room));
            [delete_in(HEADS, range.clone()), delete_in(RECORDS, range)]
        });
        let changes = by_conversation(keys).into_iter();
        let changes = changes.map(|(conversation, positions)| Change::Deleted {
            room: *room,
            conversation,
            positions,
        });
        self.write(steps.collect(), changes.collect()).await
    }

    /// Returns the newest records of a conversation, or the newest ones before a position: at most `limit` and
    /// [`MAX_PAGE`], the newest first.
    ///
    /// # Errors
    /// [`HistoryError`] if they cannot be read.
    pub async fn newest(
        &self,
        room: &RoomId,
        conversation: ConversationId,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Page<Record>, HistoryError> {
        let before = before.map(|position| Key {
            conversation,
            position,
        });
        let prefix = conversation_prefix(room, &conversation);
        let range = KeyRange::of_prefix(&prefix);
        let range = match before {
            Some(key) => range.before(key.to_bytes(room)),
            None => range,
        };
        let read = Record::from_value;
        self.page(RECORDS, range, limit, true, read).await
    }

    /// Returns the records of a room in the order of their keys, from the one after `after` on: at most `limit` and
    /// [`MAX_PAGE`].
    ///
    /// # Errors
    /// [`HistoryError`] if they cannot be read.
    pub async fn scan(
        &self,
        room: &RoomId,
        after: Option<Key>,
        limit: u32,
    ) -> Result<Page<Record>, HistoryError> {
        let range = rest_of_room(room, after);
        let read = Record::from_value;
        self.page(RECORDS, range, limit, false, read).await
    }

    /// Like [`Store::scan`], without the records' bytes.
    ///
    /// # Errors
    /// [`HistoryError`] if they cannot be read.
    pub async fn scan_heads(
        &self,
        room: &RoomId,
        after: Option<Key>,
        limit: u32,
    ) -> Result<Page<Head>, HistoryError> {
        let range = rest_of_room(room, after);
        self.page(HEADS, range, limit, false, Head::from_value)
            .await
    }

    /// Returns the conversations of a room that have records, and their number.
    ///
    /// # Errors
    /// [`HistoryError`] if they cannot be read.
    pub async fn conversations(
        &self,
        room: &RoomId,
    ) -> Result<Vec<(ConversationId, u32)>, HistoryError> {
        let Some(database) = &self.0 else {
            return Ok(Vec::new());
        };
        let mut conversations = Vec::new();
        let range = KeyRange::of_prefix(&room.0);
        for prefix in database.prefixes::<48>(HEADS, range).await? {
            let range = KeyRange::of_prefix(&prefix);
            let count = database.count(HEADS, &range).await?;
            if let Some((_, conversation)) = prefix.split_last_chunk() {
                conversations.push((ConversationId(*conversation), count));
            }
        }
        Ok(conversations)
    }

    /// Returns the rooms of which anything is stored, of all pages of the origin.
    ///
    /// # Errors
    /// [`HistoryError`] if they cannot be read.
    pub async fn rooms(&self) -> Result<Vec<RoomId>, HistoryError> {
        let Some(database) = &self.0 else {
            return Ok(Vec::new());
        };
        let mut rooms = database.prefixes(HEADS, KeyRange::all()).await?;
        for room in database.prefixes(STATES, KeyRange::all()).await? {
            if !rooms.contains(&room) {
                rooms.push(room);
            }
        }
        Ok(rooms.into_iter().map(RoomId).collect())
    }

    /// Returns a small value of a room, if there is one of this name.
    ///
    /// # Errors
    /// [`HistoryError`] if it cannot be read.
    pub async fn get_state(
        &self,
        room: &RoomId,
        name: &str,
    ) -> Result<Option<Vec<u8>>, HistoryError> {
        let Some(database) = &self.0 else {
            return Ok(None);
        };
        let part = Part {
            limit: 1,
            is_last: false,
            values: true,
        };
        let range = KeyRange::of_key(state_key(room, name));
        let found = database.read(STATES, &range, part).await?;
        Ok(found.into_iter().find_map(|entry| entry.value))
    }

    /// Stores a small value of a room under this name.
    ///
    /// # Errors
    /// [`HistoryError`] if it was not stored.
    pub async fn put_state(
        &self,
        room: &RoomId,
        name: &str,
        value: &[u8],
    ) -> Result<(), HistoryError> {
        let step = put_in(STATES, state_key(room, name), value.to_vec());
        self.write(vec![step], vec![state_changed(room, name)])
            .await
    }

    /// Deletes the value of this name, if there is one.
    ///
    /// # Errors
    /// [`HistoryError`] if it was not deleted.
    pub async fn delete_state(&self, room: &RoomId, name: &str) -> Result<(), HistoryError> {
        let step = delete_in(STATES, KeyRange::of_key(state_key(room, name)));
        self.write(vec![step], vec![state_changed(room, name)])
            .await
    }

    /// Deletes all records of a conversation.
    ///
    /// # Errors
    /// [`HistoryError`] if nothing was deleted.
    pub async fn delete_conversation(
        &self,
        room: &RoomId,
        conversation: ConversationId,
    ) -> Result<(), HistoryError> {
        let range = KeyRange::of_prefix(&conversation_prefix(room, &conversation));
        let steps = [HEADS, RECORDS].map(|store| delete_in(store, range.clone()));
        let room = *room;
        let change = Change::ConversationDeleted { room, conversation };
        self.write(steps.into(), vec![change]).await
    }

    /// Deletes all records and values of a room.
    ///
    /// # Errors
    /// [`HistoryError`] if nothing was deleted.
    pub async fn delete_room(&self, room: &RoomId) -> Result<(), HistoryError> {
        let range = KeyRange::of_prefix(&room.0);
        let steps = [HEADS, RECORDS, STATES].map(|store| delete_in(store, range.clone()));
        let change = Change::RoomDeleted { room: *room };
        self.write(steps.into(), vec![change]).await
    }

    /// Deletes everything in this store, of all pages of the origin, even what cannot be read any more.
    ///
    /// # Errors
    /// [`HistoryError`] if it was not deleted.
    pub async fn delete_all(&self) -> Result<(), HistoryError> {
        let Some(database) = &self.0 else {
            return Ok(());
        };
        // The browser waits until everybody has closed the database.
        database.connection.take();
        database::delete(&database.name).await?;
        database.channel.tell(&Change::AllDeleted);
        Ok(())
    }

    /// Asks the browser not to delete the data of this origin when it needs space. Returns whether it promised that. Some
    /// browsers ask the person.
    ///
    /// # Errors
    /// [`HistoryError`] if the browser refuses to answer.
    pub async fn persist(&self) -> Result<bool, HistoryError> {
        let Some(storage) = self.storage() else {
            return Ok(false);
        };
        Ok(answer(storage.persist()).await?.is_truthy())
    }

    /// Returns how much space is used. `None` if the browser does not say.
    ///
    /// # Errors
    /// [`HistoryError`] if the browser refuses to answer.
    pub async fn usage(&self) -> Result<Option<Usage>, HistoryError> {
        let Some(storage) = self.storage() else {
            return Ok(None);
        };
        let estimate = answer(storage.estimate()).await?;
        let bytes = |key: &str| {
            let bytes = Reflect::get(&estimate, &key.into()).ok()?.as_f64()?;
            // The conversion saturates.
            Some(bytes as u64)
        };
        let (used, quota) = (bytes("usage"), bytes("quota"));
        Ok(used.zip(quota).map(|(used, quota)| Usage { used, quota }))
    }

    /// Calls back when another tab, or another store of this page, has written or deleted something. A later call replaces
    /// the callback.
    pub fn on_change(&self, callback: impl Fn(Change) + 'static) {
        if let Some(database) = &self.0 {
            database.channel.on_change(Box::new(callback));
        }
    }

    /// What the browser knows of the origin's space. `None` without HTTPS, and if nothing is kept.
    fn storage(&self) -> Option<StorageManager> {
        self.0.as_ref()?;
        let navigator = web_sys::window()?.navigator();
        let storage = Reflect::get(&navigator, &"storage".into()).ok()?;
        storage.is_object().then(|| storage.into())
    }

    async fn write(&self, steps: Vec<Step>, changes: Vec<Change>) -> Result<(), HistoryError> {
        let Some(database) = &self.0 else {
            return Ok(());
        };
        if !steps.is_empty() {
            database
                .with_connection(async |connection| connection.write(&steps).await)
                .await?;
        }
        for change in &changes {
            database.channel.tell(change);
        }
        Ok(())
    }

    /// Reads a page of entries, from the beginning or from the end of the range.
    async fn page<T>(
        &self,
        store: &'static str,
        mut range: KeyRange,
        limit: u32,
        from_end: bool,
        read: fn(Key, &[u8]) -> Option<T>,
    ) -> Result<Page<T>, HistoryError> {
        let mut page = Page {
            items: Vec::new(),
            damaged: 0,
            next: None,
        };
        let part = Part {
            limit: limit.min(MAX_PAGE),
            is_last: from_end,
            values: true,
        };
        let Some(database) = self.0.as_ref().filter(|_| part.limit > 0) else {
            return Ok(page);
        };
        loop {
            let mut entries = database.read(store, &range, part).await?;
            if from_end {
                entries.reverse();
            }
            let is_full = u32::try_from(entries.len()).is_ok_and(|length| length == part.limit);
            let last = entries.last().map(|entry| entry.key.clone());
            for Entry { key, value } in entries {
                let key = Key::from_bytes(&key).map(|(_, key)| key);
                page.next = key.or(page.next);
                let item = key.zip(value).and_then(|(key, value)| read(key, &value));
                match item {
                    Some(item) => page.items.push(item),
                    None => page.damaged += 1,
                }
            }
            match last {
                // Nothing that can be named as the end of the page: it goes on.
                Some(last) if is_full && page.next.is_none() => {
                    range = if from_end {
                        range.before(last)
                    } else {
                        range.after(last)
                    };
                }
                _ => {
                    page.next = page.next.filter(|_| is_full);
                    return Ok(page);
                }
            }
        }
    }
}

impl Database {
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
        let connection = self.connection().await?;
        match job(&connection).await {
            Err(HistoryError::Closed) => job(&*self.connection().await?).await,
            done => done,
        }
    }

    async fn read(
        &self,
        store: &'static str,
        range: &KeyRange,
        part: Part,
    ) -> Result<Vec<Entry>, HistoryError> {
        self.with_connection(async |connection| connection.read(store, range, part).await)
            .await
    }

    async fn count(&self, store: &'static str, range: &KeyRange) -> Result<u32, HistoryError> {
        self.with_connection(async |connection| connection.count(store, range).await)
            .await
    }

    /// The different beginnings, of this length, of the keys in a range. Each is looked up, so that the other keys need
    /// not be read.
    async fn prefixes<const LENGTH: usize>(
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

fn put_in(store: &'static str, key: Vec<u8>, value: Vec<u8>) -> Step {
    Step::Put { store, key, value }
}

fn delete_in(store: &'static str, range: KeyRange) -> Step {
    Step::Delete { store, range }
}

fn state_changed(room: &RoomId, name: &str) -> Change {
    Change::State {
        room: *room,
        name: name.to_owned(),
    }
}

fn rest_of_room(room: &RoomId, after: Option<Key>) -> KeyRange {
    let range = KeyRange::of_prefix(&room.0);
    match after {
        Some(key) => range.after(key.to_bytes(room)),
        None => range,
    }
}

/// The browser's answer to a question.
async fn answer(
    asked: Result<Promise, wasm_bindgen::JsValue>,
) -> Result<wasm_bindgen::JsValue, HistoryError> {
    let promise = asked.map_err(|error| thrown(&error))?;
    JsFuture::from(promise)
        .await
        .map_err(|error| thrown(&error))
}
