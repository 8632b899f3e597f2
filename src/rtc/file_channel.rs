//! Files on channel 1: the form of messages, the checks of received bytes, and the commands to the adapter.
//!
//! The bytes never pass through the room. The room decides which file goes where, and the adapter moves the bytes. Both
//! ends hash a file slice by slice. A message consists of a [`Header`] and content. See `docs/PROTOCOL.md`.

use core::time::Duration;

use sha2::{Digest as _, Sha256};

use super::ConnectionId;
use crate::time::Millis;

/// The size limit of a message on channel 1, in bytes.
pub const MAX_FILE_MESSAGE: usize = 64 * 1024;
/// The size limit of the messages that we send while channel 0 is in use, in bytes. A browser sends the whole of a
/// message before it sends one of another channel.
pub const SMALL_FILE_MESSAGE: usize = 16 * 1024;
/// The size of a slice, the part of a file that is hashed and written at once, in bytes. It is the content of four full
/// messages; the last slice may be shorter. With slices of a megabyte, hashing takes browsers twice as long, because
/// they copy each slice to new memory first.
pub const SLICE: u64 = 4 * (MAX_FILE_MESSAGE - Header::LENGTH) as u64;
/// The limit of bytes of a file that are in flight beyond those that the receiver has acknowledged.
pub const FILE_WINDOW: u64 = 8 * 1024 * 1024;
/// The limit of bytes in flight at first. It grows by one byte for each [`WINDOW_GROWTH`] bytes that have arrived. A
/// browser by itself doubles the bytes in flight with each round trip until some are lost, and then so many are lost at
/// once that it is busy for seconds.
pub const FIRST_WINDOW: u64 = 512 * 1024;
const WINDOW_GROWTH: u64 = 8;
/// The limit of bytes that are acknowledged before they are stored, so that the sender does not wait for the disk.
const UNSTORED: u64 = 1024 * 1024;
/// The receiver acknowledges after each step. The length of a step is the number of bytes acknowledged since the
/// transfer began or resumed, divided by [`STEP_GROWTH`], but at least this many bytes, and at most [`LAST_STEP`],
/// which is often enough for the sender's window …
const FIRST_STEP: u64 = 128 * 1024;
const LAST_STEP: u64 = 1024 * 1024;
const STEP_GROWTH: u64 = 16;
/// … or after this time, if any bytes have arrived since the last acknowledgement.
pub const FILE_PAUSE: Duration = Duration::from_millis(250);

/// Identifies a file on this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileId {
    /// A file that we send, with the token that was given when it was offered.
    Ours(u32),
    /// A file that was offered to us.
    Theirs(u32),
}

/// Commands to the adapter about a file. The adapter gets the content to send, or the sink to store to, separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferCommand {
    /// Send the file over this connection from the byte `from` on, as far as the window allows. This ends an earlier
    /// sending.
    Send {
        /// The connection.
        connection: ConnectionId,
        /// The file's number on the wire.
        number: u32,
        /// The first byte to send.
        from: u64,
    },
    /// The receiver has acknowledged this many bytes.
    Stored(u64),
    /// Accept the file over this connection, continuing after the bytes that have arrived before, and report
    /// [`TransferEvent::Ready`].
    Expect {
        /// The connection.
        connection: ConnectionId,
        /// The file's number on the wire.
        number: u32,
        /// The size of the file, in bytes.
        size: u64,
    },
    /// End the transfer.
    Forget,
}

/// Events of the adapter about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferEvent {
    /// The adapter is ready to receive the bytes from this position on.
    Ready(u64),
    /// This many bytes have arrived, and all but at most 1 MiB of them are stored.
    Stored(u64),
    /// The whole file was passed to the channel, and has this hash.
    Sent([u8; 32]),
    /// The whole file has arrived and is stored, and has this hash.
    Whole([u8; 32]),
    /// The transfer has failed; the sentence says why.
    Failed(String),
}

/// Why a message on channel 1 is refused, which ends the transfer of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// The content does not begin where the previous message ended.
    #[error("The bytes of the file arrived out of order.")]
    OutOfOrder,
    /// The content exceeds the announced size of the file.
    #[error("More bytes arrived than were announced.")]
    TooMuch,
    /// The content spans two slices.
    #[error("A message of the file spans two slices.")]
    Slices,
    /// The content exceeds [`FILE_WINDOW`].
    #[error("More bytes arrived at once than are allowed.")]
    TooFast,
}

/// The header of a message: the file's number in 4 bytes, and the position of the content in the file in 8 bytes, both
/// big-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The file's number on the wire.
    pub number: u32,
    /// The position in the file at which the content begins, in bytes.
    pub place: u64,
}

impl Header {
    /// The length of a header, in bytes.
    pub const LENGTH: usize = 12;

    /// Whether this is a valid length of a message, including its header.
    pub fn fits(message: usize) -> bool {
        (Header::LENGTH + 1..=MAX_FILE_MESSAGE).contains(&message)
    }

    /// Reads a header.
    pub fn from_bytes(bytes: [u8; Header::LENGTH]) -> Header {
        let [a, b, c, d, place @ ..] = bytes;
        Header {
            number: u32::from_be_bytes([a, b, c, d]),
            place: u64::from_be_bytes(place),
        }
    }

    /// Returns the header in its form on the wire.
    pub fn to_bytes(self) -> [u8; Header::LENGTH] {
        let mut bytes = [0; Header::LENGTH];
        let (number, place) = bytes.split_at_mut(4);
        number.copy_from_slice(&self.number.to_be_bytes());
        place.copy_from_slice(&self.place.to_be_bytes());
        bytes
    }
}

/// The hash of a file: the SHA-256 of the SHA-256 hashes of its slices, in order. Browsers hash a complete buffer
/// several times as fast as WebAssembly does, but cannot continue a hash.
#[derive(Debug, Clone)]
pub struct Hash {
    size: u64,
    /// The number of bytes that are hashed.
    at: u64,
    slices: Sha256,
}

impl Hash {
    /// Begins with a file of this size.
    pub fn new(size: u64) -> Hash {
        Hash {
            size,
            at: 0,
            slices: Sha256::new(),
        }
    }

    /// The number of bytes whose slices were added.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Adds the SHA-256 of the next slice.
    pub fn add(&mut self, slice: [u8; 32]) {
        self.slices.update(slice);
        self.at = self.size.min(self.at + SLICE);
    }

    /// The hash of the file, once all slices were added.
    pub fn whole(&self) -> Option<[u8; 32]> {
        (self.at == self.size).then(|| self.slices.clone().finalize().into())
    }
}

/// The progress of sending a file.
#[derive(Debug, Clone)]
pub struct Sending {
    size: u64,
    at: u64,
    /// The furthest position that was ever sent.
    reached: u64,
    /// The position at which sending began or was last resumed.
    from: u64,
    stored: u64,
    hash: Hash,
}

impl Sending {
    /// Begins to send a file of this size.
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

    /// Resumes at `from` on a new connection, because the receiver has this many bytes. Returns false if so many were
    /// never sent.
    pub fn go_on(&mut self, from: u64) -> bool {
        let sent = from <= self.reached;
        if sent {
            self.at = from;
            self.from = from;
            self.stored = from;
        }
        sent
    }

    /// Notes that the receiver has acknowledged this many bytes.
    pub fn stored(&mut self, stored: u64) {
        self.stored = self.stored.max(stored.min(self.size));
    }

    /// The range of bytes to send next: at most `most` bytes, all of one slice. It is empty if sending has to wait.
    pub fn next(&self, most: u64) -> (u64, u64) {
        let window = FIRST_WINDOW + (self.stored - self.from) / WINDOW_GROWTH;
        let until = self.size.min(self.stored + window.min(FILE_WINDOW));
        let most = most.min(SLICE - self.at % SLICE);
        (self.at, until.min(self.at + most).max(self.at))
    }

    /// The position and the length of the slice that is sent next.
    pub fn slice(&self) -> (u64, u64) {
        let begin = self.at - self.at % SLICE;
        (begin, SLICE.min(self.size - begin))
    }

    /// Whether the slice that is sent next still has to be hashed. A slice that is sent again was hashed before.
    pub fn is_new(&self) -> bool {
        self.hash.at == self.slice().0
    }

    /// Adds the SHA-256 of the slice that is sent next.
    pub fn hashed(&mut self, slice: [u8; 32]) {
        self.hash.add(slice);
    }

    /// Notes that this many further bytes were sent.
    pub fn sent(&mut self, length: u64) {
        self.at = self.size.min(self.at + length);
        self.reached = self.reached.max(self.at);
    }

    /// The hash of the file, once all of it was sent.
    pub fn whole(&self) -> Option<[u8; 32]> {
        self.hash.whole().filter(|_| self.at == self.size)
    }
}

/// The progress of receiving a file.
#[derive(Debug, Clone)]
pub struct Receiving {
    size: u64,
    at: u64,
    /// The position at which receiving began or was last resumed.
    from: u64,
    told: u64,
    told_at: Millis,
    /// The hash of the slices that are stored.
    hash: Hash,
}

impl Receiving {
    /// Begins to receive a file of this size.
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

    /// Resumes on a new connection. Returns the position from which the sender should continue. Bytes that have arrived
    /// but are not stored yet count as received.
    pub fn go_on(&mut self) -> u64 {
        self.told = self.at;
        self.from = self.at;
        self.at
    }

    /// Accepts `length` bytes that arrived for the position `place`.
    ///
    /// # Errors
    /// [`TransferError`]. None of these bytes may be kept then.
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

    /// The offset of `place` in its slice, and the length of that slice. Accepted content never spans two slices.
    pub fn slice(&self, place: u64) -> (u64, u64) {
        let at = place % SLICE;
        (at, SLICE.min(self.size - (place - at)))
    }

    /// Notes that the next slice, with this SHA-256, was stored.
    pub fn stored(&mut self, slice: [u8; 32]) {
        self.hash.add(slice);
    }

    /// The number of bytes to acknowledge to the sender, if an acknowledgement is due.
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

    /// The hash of the file, once all of it has arrived and is stored.
    pub fn whole(&self) -> Option<[u8; 32]> {
        self.hash.whole()
    }
}

#[cfg(test)]
#[path = "file_channel_tests.rs"]
mod tests;
