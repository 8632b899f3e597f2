//! Files on channel 1: what a message there looks like, what is checked of it, and what the adapter is told to do.
//!
//! The bytes never pass through the room. It says which file goes where; the adapter moves bytes, and both ends hash
//! them slice by slice as they go. A message is a [`Header`] and content. See `docs/PROTOCOL.md`.

use core::time::Duration;

use sha2::{Digest as _, Sha256};

use super::ConnectionId;
use crate::time::Millis;

/// A message on channel 1 has at most this many bytes.
pub const MAX_FILE_MESSAGE: usize = 64 * 1024;
/// Those that we send have this many while people talk: a browser sends a message as a whole before it sends one of
/// another channel.
pub const SMALL_FILE_MESSAGE: usize = 16 * 1024;
/// So many bytes of a file, four messages, are hashed and written at once. The last slice may be shorter. Browsers need
/// twice the time for a hash of a megabyte, as they copy it to new memory first.
pub const SLICE: u64 = 4 * (MAX_FILE_MESSAGE - Header::LENGTH) as u64;
/// So many bytes of a file may be under way beyond what the receiver said that it has.
pub const FILE_WINDOW: u64 = 8 * 1024 * 1024;
/// We let so many be under way at first, and one more for each [`WINDOW_GROWTH`] that arrived. A browser doubles what is
/// under way with each round trip until something is lost, and then has lost so much of it that it is busy for seconds.
pub const FIRST_WINDOW: u64 = 512 * 1024;
const WINDOW_GROWTH: u64 = 8;
/// So much may have come and not be stored when the receiver says that it has it: what is under way does not wait for
/// the disk.
const UNSTORED: u64 = 1024 * 1024;
/// The receiver says how much it has after so many bytes, or after this part of what came since the sender began or went
/// on, but often enough for the sender's window …
const FIRST_STEP: u64 = 128 * 1024;
const LAST_STEP: u64 = 1024 * 1024;
const STEP_GROWTH: u64 = 16;
/// … or after so long, if it is any more than before.
pub const FILE_PAUSE: Duration = Duration::from_millis(250);

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
pub enum TransferCommand {
    /// Send it over this connection from `from` on, as far as it may. This ends what was done with it before.
    Send {
        /// Where.
        connection: ConnectionId,
        /// What it is called on the wire.
        number: u32,
        /// From which byte on.
        from: u64,
    },
    /// The receiver has so many bytes.
    Stored(u64),
    /// Take what comes for it over this connection, after what came before, and tell [`TransferEvent::Ready`].
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
pub enum TransferEvent {
    /// What comes next has to be from this byte on.
    Ready(u64),
    /// So many bytes have come, and are stored, all but 1 MiB at most.
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
pub enum TransferError {
    /// Not where the last message ended.
    #[error("The file came out of its order.")]
    OutOfOrder,
    /// More than was announced.
    #[error("More bytes came than were announced.")]
    TooMuch,
    /// Of two slices.
    #[error("A message of the file belongs to two slices.")]
    Slices,
    /// Faster than was agreed.
    #[error("More bytes came at once than may.")]
    TooFast,
}

/// What stands before the content of a message: 4 bytes with the file's number and 8 with the place of what follows, both
/// big-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The file's number on the wire.
    pub number: u32,
    /// Where in the file the content begins, in bytes.
    pub place: u64,
}

impl Header {
    /// So many bytes long.
    pub const LENGTH: usize = 12;

    /// Whether a message, with its header, may have this length.
    pub fn fits(message: usize) -> bool {
        (Header::LENGTH + 1..=MAX_FILE_MESSAGE).contains(&message)
    }

    /// Reads it.
    pub fn from_bytes(bytes: [u8; Header::LENGTH]) -> Header {
        let [a, b, c, d, place @ ..] = bytes;
        Header {
            number: u32::from_be_bytes([a, b, c, d]),
            place: u64::from_be_bytes(place),
        }
    }

    /// As it stands in the message.
    pub fn to_bytes(self) -> [u8; Header::LENGTH] {
        let mut bytes = [0; Header::LENGTH];
        let (number, place) = bytes.split_at_mut(4);
        number.copy_from_slice(&self.number.to_be_bytes());
        place.copy_from_slice(&self.place.to_be_bytes());
        bytes
    }
}

/// The hash of a file: the SHA-256 of the SHA-256 of its slices, one after the other. A browser hashes what it is given
/// as a whole several times as fast as WebAssembly does, and cannot go on with a hash.
#[derive(Debug, Clone)]
struct Hash {
    size: u64,
    /// How much of it is hashed.
    at: u64,
    slices: Sha256,
}

impl Hash {
    fn new(size: u64) -> Hash {
        Hash {
            size,
            at: 0,
            slices: Sha256::new(),
        }
    }

    fn add(&mut self, slice: [u8; 32]) {
        self.slices.update(slice);
        self.at = self.size.min(self.at + SLICE);
    }

    fn whole(&self) -> Option<[u8; 32]> {
        (self.at == self.size).then(|| self.slices.clone().finalize().into())
    }
}

/// How far the sending of a file is.
#[derive(Debug, Clone)]
pub struct Sending {
    size: u64,
    at: u64,
    /// How far it ever was.
    reached: u64,
    /// Where it went on last.
    from: u64,
    stored: u64,
    hash: Hash,
}

impl Sending {
    /// Of a file with so many bytes.
    pub fn new(size: u64) -> Sending {
        Sending {
            size,
            at: 0,
            reached: 0,
            from: 0,
            stored: 0,
            hash: Hash::new(size),
        }
    }

    /// The receiver has so much, and a connection is there to send the rest. False if it cannot have so much.
    pub fn go_on(&mut self, from: u64) -> bool {
        let sent = from <= self.reached;
        if sent {
            self.at = from;
            self.from = from;
            self.stored = from;
        }
        sent
    }

    /// The receiver has so much.
    pub fn stored(&mut self, stored: u64) {
        self.stored = self.stored.max(stored.min(self.size));
    }

    /// From where to where to send now, `most` bytes at most and all of one slice; nothing between the two if it has to
    /// wait.
    pub fn next(&self, most: u64) -> (u64, u64) {
        let window = FIRST_WINDOW + (self.stored - self.from) / WINDOW_GROWTH;
        let until = self.size.min(self.stored + window.min(FILE_WINDOW));
        let most = most.min(SLICE - self.at % SLICE);
        (self.at, until.min(self.at + most).max(self.at))
    }

    /// Where the slice begins from which is sent next, and how many bytes it has.
    pub fn slice(&self) -> (u64, u64) {
        let begin = self.at - self.at % SLICE;
        (begin, SLICE.min(self.size - begin))
    }

    /// Whether the slice from which is sent next is to be hashed. What is sent again after a connection broke is not.
    pub fn is_new(&self) -> bool {
        self.hash.at == self.slice().0
    }

    /// The SHA-256 of that slice.
    pub fn hashed(&mut self, slice: [u8; 32]) {
        self.hash.add(slice);
    }

    /// So many bytes were sent next.
    pub fn sent(&mut self, length: u64) {
        self.at = self.size.min(self.at + length);
        self.reached = self.reached.max(self.at);
    }

    /// The hash, once everything was sent.
    pub fn whole(&self) -> Option<[u8; 32]> {
        self.hash.whole().filter(|_| self.at == self.size)
    }
}

/// How much of a file has come.
#[derive(Debug, Clone)]
pub struct Receiving {
    size: u64,
    at: u64,
    /// Where it went on last.
    from: u64,
    told: u64,
    told_at: Millis,
    /// Of what is stored.
    hash: Hash,
}

impl Receiving {
    /// Of a file with so many bytes.
    pub fn new(size: u64) -> Receiving {
        Receiving {
            size,
            at: 0,
            from: 0,
            told: 0,
            told_at: Millis(0),
            hash: Hash::new(size),
        }
    }

    /// A new connection is there: from where on to send. What waits to be stored has come.
    pub fn go_on(&mut self) -> u64 {
        self.told = self.at;
        self.from = self.at;
        self.at
    }

    /// So many bytes came, said to be from this place on.
    ///
    /// # Errors
    /// [`TransferError`]; nothing of it may be kept.
    pub fn take(&mut self, place: u64, length: u64) -> Result<(), TransferError> {
        let end = place.saturating_add(length);
        if place != self.at {
            return Err(TransferError::OutOfOrder);
        }
        if end > self.size {
            return Err(TransferError::TooMuch);
        }
        if place % SLICE + length > SLICE {
            return Err(TransferError::Slices);
        }
        if end > self.told + FILE_WINDOW {
            return Err(TransferError::TooFast);
        }
        self.at = end;
        Ok(())
    }

    /// Where in its slice the byte at this place is, and how many bytes that slice has. What was taken is of one slice.
    pub fn slice(&self, place: u64) -> (u64, u64) {
        let at = place % SLICE;
        (at, SLICE.min(self.size - (place - at)))
    }

    /// The next slice was stored; its SHA-256.
    pub fn stored(&mut self, slice: [u8; 32]) {
        self.hash.add(slice);
    }

    /// How much the sender is to be told that we have.
    pub fn news(&mut self, now: Millis) -> Option<u64> {
        let has = self.at.min(self.hash.at + UNSTORED);
        let news = has.saturating_sub(self.told);
        let is_time = has == self.size || now.since(self.told_at) >= FILE_PAUSE;
        let step = ((self.told - self.from) / STEP_GROWTH).clamp(FIRST_STEP, LAST_STEP);
        if news < step && (news == 0 || !is_time) {
            return None;
        }
        self.told = has;
        self.told_at = now;
        Some(has)
    }

    /// The hash, once everything has come and is stored.
    pub fn whole(&self) -> Option<[u8; 32]> {
        self.hash.whole()
    }
}

#[cfg(test)]
#[path = "file_channel_tests.rs"]
mod tests;
