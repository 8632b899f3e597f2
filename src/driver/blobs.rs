//! The bytes of files beside messages: in memory, and kept with the history.
//!
//! A file that was stored is no longer held in memory, and is read again when somebody wants it.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use js_sys::{Array, Promise, Uint8Array};
use litemap::LiteMap;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::Blob;

use super::Driver;
use crate::browser::object;
use crate::history::web::Store;
use crate::history::{HistoryError, StoredFile};
use crate::room::{BlobCommand, BlobEvent, Input};
use crate::rtc::file_channel::FileId;
use crate::rtc::web::file_channel::Sink;
use crate::wire::{FileKey, RoomId};

/// The collected parts are joined into one blob, which the browser can move to its disk, once they have this many bytes.
const GATHERED: u32 = 4 << 20;

/// The parts of an incoming file that have come so far.
struct Collected {
    parts: Array,
    /// The number of bytes at the end that are not in a blob yet.
    loose: u32,
}

impl Collected {
    fn write(&mut self, bytes: &Uint8Array) {
        self.parts.push(bytes);
        self.loose += bytes.length();
        if self.loose >= GATHERED {
            self.gather();
        }
    }

    /// Makes one blob of all parts. If the browser has no memory for that, the parts stay.
    fn gather(&mut self) -> Option<Blob> {
        let blob = Blob::new_with_u8_array_sequence(&self.parts).ok()?;
        self.parts = Array::of1(&blob);
        self.loose = 0;
        Some(blob)
    }
}

/// Where an incoming file is collected, and the functions that the sink has for that.
struct Incoming {
    collected: Rc<RefCell<Collected>>,
    _write: Closure<dyn Fn(Uint8Array) -> Promise>,
    _close: Closure<dyn Fn() -> Promise>,
}

/// The bytes of files.
pub(super) struct Blobs {
    room: RoomId,
    /// Files that were prepared to be sent, and whose messages are not sent yet.
    prepared: RefCell<LiteMap<FileKey, Blob>>,
    /// Files that are in memory and not in the store.
    held: RefCell<LiteMap<FileKey, Blob>>,
    incoming: RefCell<LiteMap<u32, Incoming>>,
}

impl Blobs {
    pub fn new(room: RoomId) -> Blobs {
        Blobs {
            room,
            prepared: RefCell::default(),
            held: RefCell::default(),
            incoming: RefCell::default(),
        }
    }

    /// Keeps what is about to be sent until it is said.
    pub fn prepare(&self, key: FileKey, blob: Blob) {
        self.prepared.borrow_mut().insert(key, blob);
    }

    /// Forgets what is not sent after all; what was said with the same file beside it is not concerned.
    pub fn drop_prepared(&self, key: &FileKey) {
        self.prepared.borrow_mut().remove(key);
    }

    /// This file is being said.
    pub fn say(&self, key: &FileKey) {
        if let Some(blob) = self.prepared.borrow_mut().remove(key) {
            self.held.borrow_mut().insert(*key, blob);
        }
    }

    fn in_memory(&self, key: &FileKey) -> Option<Blob> {
        self.held.borrow().get(key).cloned()
    }

    /// The bytes of a file, from memory or from the store.
    pub async fn get(&self, key: &FileKey, store: Option<Store>) -> Option<Blob> {
        if let Some(blob) = self.in_memory(key) {
            return Some(blob);
        }
        let bytes = store?.get_file(&self.room, key).await.ok()??;
        Blob::new_with_u8_array_sequence(&Array::of1(&bytes)).ok()
    }

    /// Collects an incoming file.
    fn collect(&self, file: u32) -> Sink {
        let collected = Rc::new(RefCell::new(Collected {
            parts: Array::new(),
            loose: 0,
        }));
        let target = collected.clone();
        // The buffers are not given back, because a blob need not have copied them.
        let done = || Promise::resolve(&JsValue::UNDEFINED);
        let write = Closure::<dyn Fn(Uint8Array) -> Promise>::new(move |bytes: Uint8Array| {
            target.borrow_mut().write(&bytes);
            done()
        });
        let close = Closure::<dyn Fn() -> Promise>::new(done);
        let sink = object(&[
            ("write", write.as_ref().clone()),
            ("close", close.as_ref().clone()),
        ]);
        let incoming = Incoming {
            collected,
            _write: write,
            _close: close,
        };
        self.incoming.borrow_mut().insert(file, incoming);
        JsValue::from(sink).unchecked_into()
    }

    /// Turns the collected parts into the file with this key.
    fn finish(&self, file: u32, key: FileKey) {
        let incoming = self.incoming.borrow_mut().remove(&file);
        let blob = incoming.and_then(|incoming| incoming.collected.borrow_mut().gather());
        if let Some(blob) = blob {
            self.held.borrow_mut().insert(key, blob);
        }
    }

    /// Stores a file that is in memory, where it is held no longer then.
    async fn keep(&self, file: &StoredFile, store: &Store) -> Result<(), HistoryError> {
        let Some(blob) = self.in_memory(&file.key) else {
            return Ok(());
        };
        let Ok(buffer) = JsFuture::from(blob.array_buffer()).await else {
            return Err(HistoryError::Other);
        };
        let bytes = Uint8Array::new(&buffer);
        store.put_file(&self.room, file, &bytes).await?;
        self.held.borrow_mut().remove(&file.key);
        Ok(())
    }

    /// Takes the files of a store into memory, because it is about to be deleted. Returns what they are.
    pub(super) async fn recall(&self, store: &Store) -> Vec<StoredFile> {
        let files = store.files(&self.room).await.unwrap_or_default();
        for file in &files {
            if let Some(blob) = self.get(&file.key, Some(store.clone())).await {
                self.held.borrow_mut().insert(file.key, blob);
            }
        }
        files
    }

    /// Stores these files, as far as they are in memory.
    pub(super) async fn keep_all(
        &self,
        files: &[StoredFile],
        store: &Store,
    ) -> Result<(), HistoryError> {
        for file in files {
            self.keep(file, store).await?;
        }
        Ok(())
    }
}

impl Driver {
    /// The store has been opened, or cannot be: then files are there for as long as the page is open.
    pub(super) async fn open_blobs(self: &Rc<Self>, store: Option<&Store>) {
        let files = match store {
            Some(store) => store.files(&self.blobs.room).await.unwrap_or_default(),
            None => Vec::new(),
        };
        self.feed(Input::Blob(BlobEvent::Open(files)));
    }

    pub(super) fn carry_out_blob(self: &Rc<Self>, command: BlobCommand) {
        let blobs = &self.blobs;
        match command {
            BlobCommand::Send { token, key } => {
                if let Some(blob) = blobs.in_memory(&key) {
                    self.supply(token, Some(blob));
                    return;
                }
                self.later(async move |driver| {
                    let blob = driver.blobs.get(&key, driver.store.get()).await;
                    driver.supply(token, blob);
                });
            }
            BlobCommand::Collect(file) => {
                let sink = blobs.collect(file);
                self.files.store_in(FileId::Theirs(file), sink);
            }
            BlobCommand::Finish { file, key } => blobs.finish(file, key),
            BlobCommand::Discard(file) => {
                blobs.incoming.borrow_mut().remove(&file);
            }
            BlobCommand::Keep(file) => self.later(async move |driver| {
                let Some(store) = driver.store.get() else {
                    return;
                };
                if let Err(error) = driver.blobs.keep(&file, &store).await {
                    let words = "A file is not kept longer than this page is open.";
                    driver.observer.notice(format!("{words} {error}"));
                }
            }),
            BlobCommand::Delete(key) => {
                blobs.held.borrow_mut().remove(&key);
                self.later(async move |driver| {
                    if let Some(store) = driver.store.get() {
                        // A file that cannot be deleted now is deleted when room is needed.
                        let _ = store.delete_file(&driver.blobs.room, &key).await;
                    }
                });
            }
        }
    }

    /// Puts the bytes of a file behind a transfer, or says that they are not here.
    fn supply(self: &Rc<Self>, token: u32, blob: Option<Blob>) {
        let event = match blob {
            Some(blob) => {
                self.files.send_from(FileId::Ours(token), blob);
                BlobEvent::Ready(token)
            }
            None => BlobEvent::Missing(token),
        };
        self.feed(Input::Blob(event));
    }

    fn later(self: &Rc<Self>, work: impl AsyncFnOnce(Rc<Driver>) + 'static) {
        let weak: Weak<Driver> = Rc::downgrade(self);
        spawn_local(async move {
            if let Some(driver) = weak.upgrade() {
                work(driver).await;
            }
        });
    }
}
