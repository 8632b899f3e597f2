//! Files beside messages, and the form in which a database keeps them.
//!
//! ```text
//! key   = hash 32 ‖ size 8, big-endian
//! head  = author 33 ‖ time 8, big-endian
//! ```
//!
//! In the database, the room's id stands before the key.

use crate::identity::PublicKey;
use crate::time::Millis;
use crate::wire::{FileHash, FileKey};

/// A file whose bytes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredFile {
    /// The file.
    pub key: FileKey,
    /// The key of its sender.
    pub author: PublicKey,
    /// When it was kept.
    pub at: Millis,
}

impl StoredFile {
    /// Returns the head as the database keeps it under the file's key.
    pub fn to_value(&self) -> Vec<u8> {
        [&self.author.0[..], &self.at.0.to_be_bytes()].concat()
    }

    /// Reads a key and what [`StoredFile::to_value`] returned. `None` if it is damaged.
    pub fn from_entry(key: &[u8], value: &[u8]) -> Option<StoredFile> {
        let (hash, size) = key.split_first_chunk()?;
        let (author, at) = value.split_first_chunk()?;
        Some(StoredFile {
            key: FileKey {
                hash: FileHash(*hash),
                size: u64::from_be_bytes(size.try_into().ok()?),
            },
            author: PublicKey(*author),
            at: Millis(u64::from_be_bytes(at.try_into().ok()?)),
        })
    }
}

/// Returns the key of a file as it stands in the database, behind that of the room.
pub fn file_key(key: &FileKey) -> Vec<u8> {
    [&key.hash.0[..], &key.size.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_as_they_were_written_and_damaged_ones_are_not() {
        let file = StoredFile {
            key: FileKey {
                hash: FileHash([1; 32]),
                size: 5,
            },
            author: PublicKey([2; 33]),
            at: Millis(7),
        };
        let (key, value) = (file_key(&file.key), file.to_value());
        assert_eq!(StoredFile::from_entry(&key, &value), Some(file));
        assert_eq!(StoredFile::from_entry(&key[1..], &value), None);
        assert_eq!(StoredFile::from_entry(&key, &value[1..]), None);
        assert_eq!(StoredFile::from_entry(&[], &[]), None);
    }
}
