//! Storage in one JSON file, where a browser would use its own storage.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use rtchat::identity::{Storage, StorageError};

use crate::{Error, Warning};

/// A file that holds texts by key, the secret identity key among them.
#[derive(Debug)]
pub struct FileStorage {
    path: PathBuf,
    warnings: RefCell<Vec<Warning>>,
}

type Texts = BTreeMap<String, String>;

impl FileStorage {
    /// Opens the storage in this file, which is created when something is stored.
    ///
    /// # Errors
    /// A file that holds something else is an error, and is left unchanged: a bot that people know by its key should
    /// not appear with another one because of a typing mistake.
    pub fn open(path: &Path) -> Result<FileStorage, Error> {
        let storage = FileStorage {
            path: path.to_owned(),
            warnings: RefCell::default(),
        };
        let path = || path.to_owned();
        match storage.read_text() {
            Ok(text) => {
                parse(&text).map_err(|source| Error::IdentityMalformed {
                    path: path(),
                    source,
                })?;
            }
            Err(source) => {
                return Err(Error::IdentityUnreadable {
                    path: path(),
                    source,
                });
            }
        }
        Ok(storage)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the warnings since the last call.
    pub fn take_warnings(&self) -> Vec<Warning> {
        self.warnings.take()
    }

    /// The content of the file, or that of an empty storage if there is no file.
    fn read_text(&self) -> io::Result<String> {
        match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok("{}".to_owned()),
            read => read,
        }
    }

    fn read(&self) -> Result<Texts, StorageError> {
        let texts = self.read_text().and_then(|text| Ok(parse(&text)?));
        texts.map_err(|source| self.warn(source, StorageError::Blocked))
    }

    fn change(&self, change: impl FnOnce(&mut Texts)) -> Result<(), StorageError> {
        let mut texts = self.read()?;
        change(&mut texts);
        self.write(&texts)
            .map_err(|source| self.warn(source, StorageError::Full))
    }

    /// Writes a new file and renames it, so that there is a complete file at any time.
    fn write(&self, texts: &Texts) -> io::Result<()> {
        let new = self.path.with_extension("new");
        // A file that an interrupted attempt left may have other permissions.
        let _ = fs::remove_file(&new);
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        // The file holds the secret key.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        file.write_all(serde_json::to_string_pretty(texts)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.path)
    }

    fn warn(&self, source: io::Error, error: StorageError) -> StorageError {
        let path = self.path.clone();
        let warning = Warning::Identity { path, source };
        self.warnings.borrow_mut().push(warning);
        error
    }
}

fn parse(text: &str) -> serde_json::Result<Texts> {
    serde_json::from_str(text)
}

impl Storage for FileStorage {
    fn get(&self, key: &str) -> Result<Option<String>, StorageError> {
        Ok(self.read()?.remove(key))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_texts_are_there_when_the_file_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.json");
        let storage = FileStorage::open(&path).unwrap();
        assert_eq!(storage.get("key").unwrap(), None);
        storage.set("key", "one").unwrap();
        storage.set("other", "two").unwrap();
        storage.remove("other").unwrap();
        let again = FileStorage::open(&path).unwrap();
        assert_eq!(again.get("key").unwrap().as_deref(), Some("one"));
        assert_eq!(again.get("other").unwrap(), None);
        assert!(again.take_warnings().is_empty());
    }

    #[test]
    #[cfg(unix)]
    fn only_the_owner_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.json");
        FileStorage::open(&path).unwrap().set("key", "one").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_with_something_else_is_refused_and_left_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter.txt");
        for text in ["Dear Ann", ""] {
            fs::write(&path, text).unwrap();
            let error = FileStorage::open(&path).unwrap_err();
            assert!(matches!(error, Error::IdentityMalformed { .. }));
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let storage = FileStorage::open(&folder.path().join("missing").join("file")).unwrap();
        assert_eq!(storage.set("key", "one"), Err(StorageError::Full));
        assert!(matches!(
            storage.take_warnings()[..],
            [Warning::Identity { .. }]
        ));
    }
}
