//! Keeps what a browser would keep in its storage in one file of JSON.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rtchat::identity::{Storage, StorageError};

/// A file that holds texts by name, the secret key among them.
pub struct FileStorage(PathBuf);

type Texts = BTreeMap<String, String>;

impl FileStorage {
    /// Storage in this file, which is made when something is stored.
    ///
    /// A file that holds something else is an error, and stays as it is: a helper that people know by its key should
    /// not come with another one because of a typing mistake.
    pub fn open(path: &Path) -> Result<FileStorage> {
        let storage = FileStorage(path.to_owned());
        storage.read()?;
        Ok(storage)
    }

    fn read(&self) -> Result<Texts> {
        let file = self.0.display();
        match fs::read_to_string(&self.0) {
            Ok(text) => {
                serde_json::from_str(&text).with_context(|| format!("{file} holds no identity"))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Texts::new()),
            Err(error) => Err(error).with_context(|| format!("cannot read {file}")),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Texts)) -> Result<(), StorageError> {
        let mut texts = self.read().map_err(|_| StorageError::Blocked)?;
        change(&mut texts);
        self.write(&texts).map_err(|error| {
            eprintln!("{error:#}");
            StorageError::Full
        })
    }

    /// Writes beside the file and puts it in its place, so that there is a whole one at any time.
    fn write(&self, texts: &Texts) -> Result<()> {
        let beside = self.0.with_extension("new");
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(true);
        // The key is nobody else's business.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = || -> Result<()> {
            let mut file = options.open(&beside)?;
            file.write_all(serde_json::to_string_pretty(texts)?.as_bytes())?;
            file.sync_all()?;
            Ok(fs::rename(&beside, &self.0)?)
        };
        written().with_context(|| format!("cannot write {}", self.0.display()))
    }
}

impl Storage for FileStorage {
    fn get(&self, key: &str) -> Result<Option<String>, StorageError> {
        let mut texts = self.read().map_err(|_| StorageError::Blocked)?;
        Ok(texts.remove(key))
    }

    fn set(&self, key: &str, value: &str) -> Result<(), StorageError> {
        self.change(|texts| {
            texts.insert(key.to_owned(), value.to_owned());
        })
    }

    fn remove(&self, key: &str) -> Result<(), StorageError> {
        self.change(|texts| {
            texts.remove(key);
        })
    }
}
