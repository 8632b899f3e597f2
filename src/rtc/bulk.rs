//! Files on channel 1: what a message there looks like, what is checked of it, and what the adapter is told to do.
//!
//! The bytes never pass through the room. It says which file goes where; the adapter moves bytes, and both ends hash
//! as they go. A message is 4 bytes with the file's number, 8 bytes with the place of what follows (both big-endian),
//! and the content. See `docs/PROTOCOL.md`.

use core::time::Duration;

use sha2::{Digest as _, Sha256};

use super::ConnectionId;
use crate::time::Millis;

/// A message on channel 1 has at most this many bytes.
pub const MAX_BULK: usize = 64 * 1024;
/// Those that we send have this many while people talk: a browser sends a message as a whole before it sends one of
/// another channel.
pub const SMALL_BULK: usize = 16 * 1024;
/// What stands before the content.
pub const HEADER: usize = 12;
/// So many bytes of a file may be under way beyond what the receiver said that it has stored.
pub const FILE_WINDOW: u64 = 8 * 1024 * 1024;
/// The receiver says how much it has stored after so many bytes …
pub const FILE_STEP: u64 = 256 * 1024;
/// … or after so long, if it is any more than before.
pub const FILE_PAUSE: Duration = Duration::from_secs(10);

/// Names a file here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileId {
    /// One that we send, with the token of whoever sends it.
    Ours(u32),
    /// One that was offered to us.
    Theirs(u32),
}

/// What the adapter should do with a file. It has its source or its place from whoever gave the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileOrder {
    /// Send it over this connection from `from` on, as far as it may. This ends what was done with it before.
    Send {
        /// Where.
        connection: ConnectionId,
        /// What it is called on the wire.
        number: u32,
        /// From which byte on.
        from: u64,
    },
    /// The receiver has stored so many bytes.
    Stored(u64),
    /// Take what comes for it over this connection, after what came before, and tell [`FileNotice::Ready`].
    Expect {
        /// Where.
        connection: ConnectionId,
        /// What it is called on the wire.
        number: u32,
        /// How many bytes it has.
        size: u64,
    },
    /// It is over.
    Forget,
}

/// What the adapter tells about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileNotice {
    /// What comes next has to be from this byte on.
    Ready(u64),
    /// So many bytes are stored.
    Stored(u64),
    /// Everything was given to the channel: the hash of it.
    Sent([u8; 32]),
    /// Everything came and is stored: the hash of it.
    Whole([u8; 32]),
    /// It cannot go on. A sentence.
    Failed(String),
}

/// Why what came on channel 1 is not taken. It ends the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BulkError {
    /// Not where the last message ended.
    #[error("The file came out of its order.")]
    Place,
    /// More than was announced.
    #[error("More bytes came than were announced.")]
    TooMuch,
    /// Faster than was agreed.
    #[error("More bytes came at once than may.")]
    TooFast,
}

/// Reads a message: the file's number, the place, and the content. `None` if it is none.
pub fn read(message: &[u8]) -> Option<(u32, u64, &[u8])> {
    if message.len() > MAX_BULK {
        return None;
    }
    let (number, rest) = message.split_first_chunk()?;
    let (place, content) = rest.split_first_chunk()?;
    let content = (!content.is_empty()).then_some(content)?;
    Some((
        u32::from_be_bytes(*number),
        u64::from_be_bytes(*place),
        content,
    ))
}

/// A message.
pub fn message(number: u32, place: u64, content: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(HEADER + content.len());
    message.extend(number.to_be_bytes());
    message.extend(place.to_be_bytes());
    message.extend(content);
    message
}

/// How far the sending of a file is.
#[derive(Debug, Clone)]
pub struct Sending {
    size: u64,
    at: u64,
    stored: u64,
    /// What was sent again after a connection broke is hashed once.
    hashed: u64,
    hash: Sha256,
}

impl Sending {
    /// Of a file with so many bytes.
    pub fn new(size: u64) -> Sending {
        Sending {
            size,
            at: 0,
            stored: 0,
            hashed: 0,
            hash: Sha256::new(),
        }
    }

    /// The receiver has so much, and a connection is there to send the rest. False if it cannot have so much.
    pub fn go_on(&mut self, from: u64) -> bool {
        let sent = from <= self.hashed;
        if sent {
            self.at = from;
            self.stored = from;
        }
        sent
    }

    /// The receiver has stored so much.
    pub fn stored(&mut self, stored: u64) {
        self.stored = self.stored.max(stored.min(self.size));
    }

    /// From where to where to send now, `most` bytes at most; nothing between the two if it has to wait.
    pub fn next(&self, most: u64) -> (u64, u64) {
        let until = self.size.min(self.stored + FILE_WINDOW);
        (self.at, until.min(self.at + most).max(self.at))
    }

    /// This was sent next.
    pub fn sent(&mut self, content: &[u8]) {
        let known = (self.hashed - self.at).min(content.len() as u64);
        let new = content.get(known as usize..).unwrap_or_default();
        self.hash.update(new);
        self.at += content.len() as u64;
        self.hashed = self.hashed.max(self.at);
    }

    /// The hash, once everything was sent.
    pub fn whole(&self) -> Option<[u8; 32]> {
        (self.at == self.size).then(|| self.hash.clone().finalize().into())
    }
}

/// How much of a file has come.
#[derive(Debug, Clone)]
pub struct Receiving {
    size: u64,
    at: u64,
    stored: u64,
    told: u64,
    told_at: Millis,
    hash: Sha256,
}

impl Receiving {
    /// Of a file with so many bytes.
    pub fn new(size: u64) -> Receiving {
        Receiving {
            size,
            at: 0,
            stored: 0,
            told: 0,
            told_at: Millis(0),
            hash: Sha256::new(),
        }
    }

    /// A new connection is there: from where on to send. What waits to be stored has come.
    pub fn go_on(&mut self) -> u64 {
        self.told = self.at;
        self.at
    }

    /// Takes what came.
    ///
    /// # Errors
    /// [`BulkError`]; nothing of it may be kept.
    pub fn take(&mut self, place: u64, content: &[u8]) -> Result<(), BulkError> {
        let end = place.saturating_add(content.len() as u64);
        if place != self.at {
            return Err(BulkError::Place);
        }
        if end > self.size {
            return Err(BulkError::TooMuch);
        }
        if end > self.told + FILE_WINDOW {
            return Err(BulkError::TooFast);
        }
        self.hash.update(content);
        self.at = end;
        Ok(())
    }

    /// So much more was stored: whether to tell the sender how much that is by now.
    pub fn stored(&mut self, length: u64, now: Millis) -> Option<u64> {
        self.stored += length;
        let news = self.stored.saturating_sub(self.told);
        let is_time = self.stored == self.size || now.since(self.told_at) >= FILE_PAUSE;
        if news < FILE_STEP && (news == 0 || !is_time) {
            return None;
        }
        self.told = self.stored;
        self.told_at = now;
        Some(self.stored)
    }

    /// The hash, once everything has come and is stored.
    pub fn whole(&self) -> Option<[u8; 32]> {
        (self.stored == self.size).then(|| self.hash.clone().finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(bytes: &[u8]) -> [u8; 32] {
        Sha256::digest(bytes).into()
    }

    #[test]
    fn a_message_says_what_it_holds() {
        let bytes = message(7, 1 << 40, b"abc");
        assert_eq!(read(&bytes), Some((7, 1 << 40, &b"abc"[..])));
        assert_eq!(bytes.len(), HEADER + 3);
        for wrong in [vec![], vec![0; HEADER], vec![0; MAX_BULK + 1]] {
            assert_eq!(read(&wrong), None);
        }
    }

    #[test]
    fn a_file_that_is_sent_again_in_part_has_its_hash() {
        let file: Vec<u8> = (0..100).collect();
        let mut sending = Sending::new(100);
        sending.sent(&file[..60]);
        assert!(sending.go_on(30));
        assert_eq!(sending.next(10), (30, 40));
        assert_eq!(sending.whole(), None);
        // Further than we are, nobody can be.
        assert!(!sending.go_on(61));
        assert_eq!(sending.next(10), (30, 40));
        sending.sent(&file[30..80]);
        sending.sent(&file[80..]);
        assert_eq!(sending.next(10), (100, 100));
        assert_eq!(sending.whole(), Some(hash(&file)));
    }

    #[test]
    fn no_more_is_under_way_than_agreed() {
        let mut sending = Sending::new(3 * FILE_WINDOW);
        let content = vec![0; FILE_WINDOW as usize];
        sending.sent(&content);
        assert_eq!(sending.next(10), (FILE_WINDOW, FILE_WINDOW));
        sending.stored(5);
        assert_eq!(sending.next(10), (FILE_WINDOW, FILE_WINDOW + 5));

        let mut receiving = Receiving::new(3 * FILE_WINDOW);
        assert_eq!(receiving.take(0, &content), Ok(()));
        assert_eq!(receiving.take(FILE_WINDOW, &[0]), Err(BulkError::TooFast));
        let now = Millis(1_000);
        assert_eq!(receiving.stored(FILE_STEP, now), Some(FILE_STEP));
        assert_eq!(receiving.take(FILE_WINDOW, &[0]), Ok(()));
    }

    #[test]
    fn only_what_was_announced_is_taken() {
        let mut receiving = Receiving::new(5);
        assert_eq!(receiving.take(1, b"a"), Err(BulkError::Place));
        assert_eq!(receiving.take(u64::MAX, b"a"), Err(BulkError::Place));
        assert_eq!(receiving.take(0, b"abcdef"), Err(BulkError::TooMuch));
        assert_eq!(receiving.take(0, b"abc"), Ok(()));
        assert_eq!(receiving.take(0, b"abc"), Err(BulkError::Place));
        assert_eq!(receiving.go_on(), 3);
        assert_eq!(receiving.take(3, b"de"), Ok(()));
        assert_eq!(receiving.stored(4, Millis(1)), None);
        assert_eq!(receiving.whole(), None);
        assert_eq!(receiving.stored(1, Millis(1)), Some(5));
        assert_eq!(receiving.whole(), Some(hash(b"abcde")));
    }

    #[test]
    fn what_comes_slowly_is_told_from_time_to_time() {
        let mut receiving = Receiving::new(100);
        let (begin, later) = (Millis(50_000), Millis(60_000));
        assert_eq!(receiving.stored(1, begin), Some(1));
        assert_eq!(receiving.stored(1, begin), None);
        assert_eq!(receiving.stored(1, later), Some(3));
        assert_eq!(receiving.stored(1, later), None);
        assert_eq!(receiving.stored(0, later + FILE_PAUSE), Some(4));
        assert_eq!(receiving.stored(0, later + FILE_PAUSE * 2), None);
    }

    #[test]
    fn an_empty_file_is_whole_at_once() {
        assert_eq!(Receiving::new(0).whole(), Some(hash(b"")));
        assert_eq!(Sending::new(0).whole(), Some(hash(b"")));
    }
}
