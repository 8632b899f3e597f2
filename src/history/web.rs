//! The browser adapter of this module: the store, on IndexedDB.
//!
//! There is one database for all pages of an origin, like the profile. Rooms of different pages have different ids, so
//! they do not meet in it.

mod channel;
mod connection;
mod database;
mod files;
mod session;

use std::rc::Rc;

use base64ct::{Base64UrlUnpadded, Encoding};
use js_sys::{Promise, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::StorageManager;

use self::connection::{Entry, FILE_HEADS, FILES, HEADS, Part, RECORDS, STATES, Step, thrown};
use self::database::Database;
use self::session::Session;
use super::Mode;
use super::change::{Change, by_conversation};
use super::error::HistoryError;
use super::record::{
    ConversationId, Head, Key, KeyRange, Position, Record, conversation_prefix, state_key,
};
use crate::wire::RoomId;

/// The name of the database that is kept.
/// The prefix of the keys under which chosen modes stand, before the room's id.
const MODE: &str = "rtchat/1/history-mode/";

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
    /// The number of bytes in use.
    pub used: u64,
    /// The number of bytes that may be used.
    pub quota: u64,
}

/// What this browser keeps of what was said. With [`Mode::Off`], it takes everything, and has nothing.
///
/// What was written is stored when the future is ready, also if the page is closed at that moment. The browser may close or
/// delete the database at any time; the next call opens it again. Calls may overlap. Clones are the same store.
#[derive(Clone)]
pub struct Store(Option<Rc<Database>>);

impl Store {
    /// Opens the store. It also deletes, a while later, what tabs that are gone have left behind. With [`Mode::Off`], the
    /// browser is asked for nothing.
    ///
    /// # Errors
    /// [`HistoryError`] if the browser does not allow it, has no space left, cannot read what is there, or does not
    /// answer within ten seconds.
    pub async fn open(mode: Mode) -> Result<Store, HistoryError> {
        if mode == Mode::Off {
            return Ok(Store(None));
        }
        spawn_local(session::sweep());
        let session = match mode {
            Mode::Session => Some(Session::of_this_tab().await?),
            Mode::Off | Mode::Kept => None,
        };
        let name = session.as_ref().map_or(KEPT, |session| session.name());
        let database = Database::open(name, session.clone()).await?;
        Ok(Store(Some(Rc::new(database))))
    }

    /// Stores all of these records, or none of them. A record whose key is there already takes its place. Some hundreds
    /// at once are stored quickly without making anybody wait.
    ///
    /// # Errors
    /// [`HistoryError`] if nothing was stored.
    pub async fn put(&self, room: &RoomId, records: &[Record]) -> Result<(), HistoryError> {
        self.put_or_add(room, records, true).await
    }

    /// Stores those of these records whose keys are not there yet, or none of them.
    ///
    /// # Errors
    /// [`HistoryError`] if nothing was stored.
    pub async fn add(&self, room: &RoomId, records: &[Record]) -> Result<(), HistoryError> {
        self.put_or_add(room, records, false).await
    }

    async fn put_or_add(
        &self,
        room: &RoomId,
        records: &[Record],
        replaces: bool,
    ) -> Result<(), HistoryError> {
        let mut steps = Vec::new();
        let mut keys = Vec::new();
        for record in records {
            let key = record.key();
            let step = |store, value| Step::Put {
                store,
                key: key.to_bytes(room),
                value,
                replaces,
            };
            steps.push(step(HEADS, record.head().to_value()));
            steps.push(step(RECORDS, record.to_value()));
            keys.push(key);
        }
        let told = |conversation, positions| Change::Put {
            room: *room,
            conversation,
            positions,
        };
        self.write(steps, by_conversation(&keys, told)).await
    }

    /// Deletes the records with these keys, as far as they are there.
    ///
    /// # Errors
    /// [`HistoryError`] if nothing was deleted.
    pub async fn delete(&self, room: &RoomId, keys: &[Key]) -> Result<(), HistoryError> {
        let mut steps = Vec::new();
        for key in keys {
            let range = KeyRange::of_key(key.to_bytes(room));
            steps.push(delete_in(HEADS, range.clone()));
            steps.push(delete_in(RECORDS, range));
        }
        let told = |conversation, positions| Change::Deleted {
            room: *room,
            conversation,
            positions,
        };
        self.write(steps, by_conversation(keys, told)).await
    }

    /// Returns the record with this key, if there is one that can be read.
    ///
    /// # Errors
    /// [`HistoryError`] if it cannot be read.
    pub async fn get(&self, room: &RoomId, key: Key) -> Result<Option<Record>, HistoryError> {
        let range = KeyRange::of_key(key.to_bytes(room));
        let page = self.page(RECORDS, range, 1, false).await?;
        Ok(page.read(Record::from_value).items.pop())
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
        let page = self.page(RECORDS, range, limit, true).await?;
        Ok(page.read(Record::from_value))
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
        let page = self.page(RECORDS, range, limit, false).await?;
        Ok(page.read(Record::from_value))
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
        let page = self.page(HEADS, range, limit, false).await?;
        Ok(page.read(Head::from_value))
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
        let step = Step::Put {
            store: STATES,
            key: state_key(room, name),
            value: value.to_vec(),
            replaces: true,
        };
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

    /// Deletes all records, values and files of a room.
    ///
    /// # Errors
    /// [`HistoryError`] if nothing was deleted.
    pub async fn delete_room(&self, room: &RoomId) -> Result<(), HistoryError> {
        let range = KeyRange::of_prefix(&room.0);
        let stores = [HEADS, RECORDS, STATES, FILES, FILE_HEADS];
        let steps = stores.map(|store| delete_in(store, range.clone()));
        let change = Change::RoomDeleted { room: *room };
        self.write(steps.into(), vec![change]).await
    }

    /// Does the same, and tells no other tab: what was said is kept in another way, and stays in their view.
    ///
    /// # Errors
    /// [`HistoryError`] if nothing was deleted.
    pub async fn forget_room(&self, room: &RoomId) -> Result<(), HistoryError> {
        let range = KeyRange::of_prefix(&room.0);
        let stores = [HEADS, RECORDS, STATES, FILES, FILE_HEADS];
        let steps = stores.map(|store| delete_in(store, range.clone()));
        self.write(steps.into(), Vec::new()).await
    }

    /// Deletes everything in this store, of all pages of the origin, even what cannot be read any more.
    ///
    /// # Errors
    /// [`HistoryError`] if it was not deleted.
    pub async fn delete_all(&self) -> Result<(), HistoryError> {
        let Some(database) = &self.0 else {
            return Ok(());
        };
        database.delete().await?;
        database.channel.tell(&Change::AllDeleted);
        Ok(())
    }

    /// Asks the browser not to delete the data of this origin when it needs space. Returns whether it promised that.
    /// Some browsers ask the person.
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

    /// Calls back when another tab, or another store of this page, has written or deleted something. A later call
    /// replaces the callback.
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
            database.write(&steps).await?;
        }
        for change in &changes {
            database.channel.tell(change);
        }
        Ok(())
    }

    /// Reads a page of entries, from the beginning or from the end of the range.
    async fn page(
        &self,
        store: &'static str,
        mut range: KeyRange,
        limit: u32,
        from_end: bool,
    ) -> Result<Page<(Key, Vec<u8>)>, HistoryError> {
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
                match key.zip(value) {
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

impl Page<(Key, Vec<u8>)> {
    /// Reads the values. Those that cannot be read are damaged.
    fn read<T>(self, read: fn(Key, &[u8]) -> Option<T>) -> Page<T> {
        let mut page = Page {
            items: Vec::new(),
            damaged: self.damaged,
            next: self.next,
        };
        for (key, value) in self.items {
            match read(key, &value) {
                Some(item) => page.items.push(item),
                None => page.damaged += 1,
            }
        }
        page
    }
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
async fn answer(asked: Result<Promise, JsValue>) -> Result<JsValue, HistoryError> {
    let promise = asked.map_err(|error| thrown(&error))?;
    JsFuture::from(promise)
        .await
        .map_err(|error| thrown(&error))
}

/// The key in `localStorage` of the mode that the person chose for a room.
pub(crate) fn choice_key(room: &RoomId) -> String {
    format!("{MODE}{}", Base64UrlUnpadded::encode_string(&room.0))
}

fn local_storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}

/// The mode that the person chose for a room, if they did and the browser tells.
pub fn chosen_mode(room: &RoomId) -> Option<Mode> {
    let word = local_storage()?.get_item(&choice_key(room)).ok()??;
    Mode::parse(&word)
}

/// Remembers the mode that the person chose for a room, if the browser allows it.
pub fn remember_mode(room: &RoomId, mode: Mode) {
    if let Some(storage) = local_storage() {
        // Where nothing can be stored, nothing is kept either, and the store says so.
        let _ = storage.set_item(&choice_key(room), mode.as_str());
    }
}
