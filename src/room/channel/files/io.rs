//! Commands and events about files.

use crate::identity::PeerId;
use crate::rtc::file_channel::FileId;

/// Commands about files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileCommand {
    /// Send a file to a verified peer. Ends as [`FileEvent::Done`] or [`FileEvent::Failed`].
    Offer {
        /// The receiver.
        peer: PeerId,
        /// Identifies the file here, as [`FileId::Ours`]. Must be unique among the files that are open at the same
        /// time.
        token: u32,
        /// Its name: plain text on one line, without a path.
        name: String,
        /// Its size in bytes.
        size: u64,
        /// Its media type, or an empty text.
        mime: String,
    },
    /// Take an offered file. Ends as [`FileEvent::Done`] or [`FileEvent::Failed`].
    Accept(u32),
    /// Refuse an offered file. No more events about it follow.
    Refuse {
        /// The file, as named in [`FileEvent::Offered`].
        file: u32,
        /// The reason that its sender is given.
        words: String,
    },
    /// Stop sending or receiving a file, and tell the other side. No more events about it follow here.
    Cancel(FileId),
}

/// Events about files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileEvent {
    /// A peer wants to send a file. Answered with [`FileCommand::Accept`] or [`FileCommand::Refuse`].
    Offered {
        /// The sender.
        peer: PeerId,
        /// Identifies the file here, as [`FileId::Theirs`].
        file: u32,
        /// Its name: plain text on one line, without a path.
        name: String,
        /// Its size in bytes.
        size: u64,
        /// Its media type, or an empty text. Chosen by the peer.
        mime: String,
    },
    /// The receiver has stored more bytes.
    Progress {
        /// The file.
        file: FileId,
        /// The number of bytes stored so far.
        stored: u64,
    },
    /// The receiver has all of it, and its hash is right.
    Done(FileId),
    /// The file will not arrive, or not all of it.
    Failed {
        /// The file.
        file: FileId,
        /// The reason.
        reason: FileError,
    },
}

/// The reason why a file did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The peer is not here, or has left.
    #[error("The person is not here any more.")]
    Gone,
    /// The file was not accepted, or cannot be offered. The text may come from the other side.
    #[error("{0}")]
    Refused(String),
    /// The transfer was given up. The text may come from the other side.
    #[error("{0}")]
    Failed(String),
}
