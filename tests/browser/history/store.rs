//! The store, which is TypeScript (`embed/store/records.ts`), in the types of the library.

use std::cell::RefCell;

use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use rtchat::history::file::file_key;
use rtchat::history::{ConversationId, Key, Mode, Position, Record, StoredFile};
use rtchat::wire::{FileKey, RoomId};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::js;

/// Why something failed; see `embed/store/errors.ts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl From<&str> for Reason {
    fn from(reason: &str) -> Reason {
        Reason(reason.to_owned())
    }
}

/// What another tab has changed; see `embed/store/changes.ts`.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    Put(Vec<Key>),
    Deleted(Vec<Key>),
    ConversationDeleted(ConversationId),
    RoomDeleted,
    State(String),
}

/// Some of the records of a conversation, the newest first.
pub struct Page {
    pub items: Vec<Record>,
    pub next: Option<Key>,
}

type Listener = Closure<dyn Fn(JsValue)>;

/// The store. Whoever drops it closes it, as a page does that ends.
pub struct Store {
    store: JsValue,
    listener: RefCell<Option<Listener>>,
}

pub fn array(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

pub fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

fn bytes(value: &JsValue) -> Vec<u8> {
    value.unchecked_ref::<Uint8Array>().to_vec()
}

fn list(value: JsValue) -> impl Iterator<Item = JsValue> {
    value.unchecked_into::<Array>().into_iter()
}

fn pair(value: JsValue) -> (Vec<u8>, Vec<u8>) {
    let pair: Array = value.unchecked_into();
    (bytes(&pair.get(0)), bytes(&pair.get(1)))
}

fn record((key, value): (Vec<u8>, Vec<u8>)) -> Record {
    Record::from_value(Key::from_bytes(&key).unwrap(), &value).unwrap()
}

/// Calls a method, and waits for what it promises.
pub async fn call(object: &JsValue, method: &str, values: &[JsValue]) -> Result<JsValue, Reason> {
    let method: Function = field(object, method).unchecked_into();
    let answer = method.apply(object, &values.iter().collect::<Array>());
    let reason = |error: JsValue| Reason(field(&error, "reason").as_string().unwrap());
    let answer = JsFuture::from(Promise::resolve(&answer.unwrap())).await;
    answer.map_err(reason)
}

/// Loads the script, once.
pub async fn load() {
    js("await import('/embed/engine/browser-tests.js')").await;
}

impl Store {
    pub async fn open(mode: Mode) -> Result<Store, Reason> {
        load().await;
        let class = field(&js_sys::global(), "Store");
        Ok(Store {
            store: call(&class, "open", &[mode.as_str().into()]).await?,
            listener: RefCell::default(),
        })
    }

    async fn call(&self, method: &str, room: &RoomId, with: &[JsValue]) -> Result<JsValue, Reason> {
        let values = [&[array(&room.0)], with].concat();
        call(&self.store, method, &values).await
    }

    async fn put_or_add(
        &self,
        room: &RoomId,
        records: &[Record],
        replaces: bool,
    ) -> Result<(), Reason> {
        let item = |record: &Record| {
            let value = array(&record.to_value());
            Array::of2(&array(&record.key().to_bytes()), &value)
        };
        let records: Array = records.iter().map(item).collect();
        let with = [records.into(), replaces.into()];
        self.call("put", room, &with).await.map(drop)
    }

    pub async fn put(&self, room: &RoomId, records: &[Record]) -> Result<(), Reason> {
        self.put_or_add(room, records, true).await
    }

    pub async fn add(&self, room: &RoomId, records: &[Record]) -> Result<(), Reason> {
        self.put_or_add(room, records, false).await
    }

    pub async fn delete(&self, room: &RoomId, keys: &[Key]) -> Result<(), Reason> {
        let keys: Array = keys.iter().map(|key| array(&key.to_bytes())).collect();
        self.call("delete", room, &[keys.into()]).await.map(drop)
    }

    pub async fn get(&self, room: &RoomId, key: Key) -> Result<Option<Record>, Reason> {
        let found = self.call("get", room, &[array(&key.to_bytes())]).await?;
        Ok((!found.is_undefined()).then(|| record(pair(found))))
    }

    pub async fn newest(
        &self,
        room: &RoomId,
        conversation: ConversationId,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Page, Reason> {
        let key = |position| Key {
            conversation,
            position,
        };
        let before = before.map_or(JsValue::UNDEFINED, |it| array(&key(it).to_bytes()));
        let with = [array(&conversation.0), before, limit.into()];
        let page = self.call("newest", room, &with).await?;
        let records = list(field(&page, "records"));
        let next = field(&page, "next");
        Ok(Page {
            items: records.map(|item| record(pair(item))).collect(),
            next: (!next.is_undefined()).then(|| Key::from_bytes(&bytes(&next)).unwrap()),
        })
    }

    /// The conversations that have records.
    pub async fn conversations(&self, room: &RoomId) -> Result<Vec<ConversationId>, Reason> {
        let found = self.call("conversations", room, &[]).await?;
        let id = |id: JsValue| ConversationId(bytes(&id).try_into().unwrap());
        Ok(list(found).map(id).collect())
    }

    pub async fn get_state(&self, room: &RoomId, name: &str) -> Result<Option<Vec<u8>>, Reason> {
        let found = self.call("getState", room, &[name.into()]).await?;
        Ok((!found.is_undefined()).then(|| bytes(&found)))
    }

    pub async fn put_state(&self, room: &RoomId, name: &str, value: &[u8]) -> Result<(), Reason> {
        let with = [name.into(), array(value)];
        self.call("putState", room, &with).await.map(drop)
    }

    pub async fn delete_conversation(
        &self,
        room: &RoomId,
        conversation: ConversationId,
    ) -> Result<(), Reason> {
        let with = [array(&conversation.0)];
        self.call("deleteConversation", room, &with).await.map(drop)
    }

    pub async fn delete_room(&self, room: &RoomId) -> Result<(), Reason> {
        self.call("deleteRoom", room, &[]).await.map(drop)
    }

    pub async fn put_file(
        &self,
        room: &RoomId,
        file: &StoredFile,
        bytes: &Uint8Array,
    ) -> Result<(), Reason> {
        let item = Array::of2(&array(&file_key(&file.key)), &array(&file.to_value()));
        let with = [item.into(), bytes.into()];
        self.call("putFile", room, &with).await.map(drop)
    }

    pub async fn get_file(
        &self,
        room: &RoomId,
        key: &FileKey,
    ) -> Result<Option<Uint8Array>, Reason> {
        let found = self.call("getFile", room, &[array(&file_key(key))]).await?;
        Ok(found.dyn_into().ok())
    }

    pub async fn delete_file(&self, room: &RoomId, key: &FileKey) -> Result<(), Reason> {
        let with = [array(&file_key(key))];
        self.call("deleteFile", room, &with).await.map(drop)
    }

    /// The files of a room. Damaged ones are passed over, as the driver does it.
    pub async fn files(&self, room: &RoomId) -> Result<Vec<StoredFile>, Reason> {
        let files = list(self.call("files", room, &[]).await?).map(pair);
        Ok(files
            .filter_map(|(key, head)| StoredFile::from_entry(&key, &head))
            .collect())
    }

    pub fn on_change(&self, callback: impl Fn(Change) + 'static) {
        let listener = Listener::new(move |change: JsValue| {
            let keys = || {
                let keys = list(field(&change, "keys"));
                keys.map(|key| Key::from_bytes(&bytes(&key)).unwrap())
                    .collect()
            };
            callback(match &*field(&change, "kind").as_string().unwrap() {
                "put" => Change::Put(keys()),
                "deleted" => Change::Deleted(keys()),
                "conversation" => {
                    let id = bytes(&field(&change, "conversation"));
                    Change::ConversationDeleted(ConversationId(id.try_into().unwrap()))
                }
                "room" => Change::RoomDeleted,
                _ => Change::State(field(&change, "name").as_string().unwrap()),
            });
        });
        Reflect::set(&self.store, &"onChange".into(), listener.as_ref()).unwrap();
        self.listener.replace(Some(listener));
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = Reflect::set(&self.store, &"onChange".into(), &Function::new_no_args(""));
        let close: Function = field(&self.store, "close").unchecked_into();
        close.call0(&self.store).unwrap();
    }
}
