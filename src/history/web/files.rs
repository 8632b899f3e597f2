//! The bytes of files beside messages.

use js_sys::Uint8Array;

use super::super::error::HistoryError;
use super::super::file::{StoredFile, file_key};
use super::super::record::KeyRange;
use super::connection::{FILE_HEADS, FILES, Part, Step};
use super::{Store, delete_in};
use crate::wire::{FileKey, RoomId};

/// The number of entries that are read at once.
const PAGE: u32 = 500;

impl Store {
    /// Stores the bytes of a file. They stay in JavaScript's memory.
    ///
    /// # Errors
    /// [`HistoryError`] if nothing was stored.
    pub async fn put_file(
        &self,
        room: &RoomId,
        file: &StoredFile,
        bytes: &Uint8Array,
    ) -> Result<(), HistoryError> {
        let key = file_key(room, &file.key);
        let steps = vec![
            Step::Put {
                store: FILE_HEADS,
                key: key.clone(),
                value: file.to_value(),
                replaces: true,
            },
            Step::PutBytes {
                store: FILES,
                key,
                value: bytes.clone(),
            },
        ];
        self.write(steps, Vec::new()).await
    }

    /// Returns the bytes of a file, if they are there.
    ///
    /// # Errors
    /// [`HistoryError`] if they cannot be read.
    pub async fn get_file(
        &self,
        room: &RoomId,
        key: &FileKey,
    ) -> Result<Option<Uint8Array>, HistoryError> {
        match &self.0 {
            Some(database) => database.get(FILES, &file_key(room, key)).await,
            None => Ok(None),
        }
    }

    /// Deletes the bytes of a file, if they are there.
    ///
    /// # Errors
    /// [`HistoryError`] if they were not deleted.
    pub async fn delete_file(&self, room: &RoomId, key: &FileKey) -> Result<(), HistoryError> {
        let range = KeyRange::of_key(file_key(room, key));
        let steps = [FILE_HEADS, FILES].map(|store| delete_in(store, range.clone()));
        self.write(steps.into(), Vec::new()).await
    }

    /// Returns which files of a room are there.
    ///
    /// # Errors
    /// [`HistoryError`] if they cannot be read.
    pub async fn files(&self, room: &RoomId) -> Result<Vec<StoredFile>, HistoryError> {
        let Some(database) = &self.0 else {
            return Ok(Vec::new());
        };
        let part = Part {
            limit: PAGE,
            is_last: false,
            values: true,
        };
        let mut range = KeyRange::of_prefix(&room.0);
        let mut files = Vec::new();
        loop {
            let entries = database.read(FILE_HEADS, &range, part).await?;
            let Some(last) = entries.last().map(|entry| entry.key.clone()) else {
                return Ok(files);
            };
            // A damaged entry counts as missing.
            let read = entries.iter().filter_map(|entry| {
                let value = entry.value.as_deref()?;
                StoredFile::from_entry(&entry.key, value)
            });
            files.extend(read);
            range = range.after(last);
        }
    }
}
