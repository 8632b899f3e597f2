//! What goes in and comes out about files.

use crate::identity::PeerId;
use crate::rtc::file_channel::FileId;

/// What a person can want of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileCommand {
    /// Send a file to a verified peer. Ends as [`FileEvent::Done`] or [`FileEvent::Failed`].
    Offer {
        /// To whom.
        peer: PeerId,
        /// Names it here, as [`FileId::Ours`]. Of those that are open at one time no two are the same.
        token: u32,
        /// Its name: plain text on one line, without a path.
        name: String,
        /// How many bytes it has.
        size: u64,
        /// Its media type, or nothing.
        mime: String,
    },
    /// Take an offered file. Ends as [`FileEvent::Done`] or [`FileEvent::Failed`].
    Accept(u32),
    /// Do not take an offered file. Nothing more is told of it.
    Refuse {
        /// Which.
        file: u32,
        /// What its sender is told.
        words: String,
    },
    /// Send or receive no more of it. Nothing more is told of it here, and the other side is told.
    Cancel(FileId),
}

/// What is told of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileEvent {
    /// A peer wants to send a file. Answered with [`FileCommand::Accept`] or [`FileCommand::Refuse`].
    Offered {
        /// Who.
        peer: PeerId,
        /// Names it here, as [`FileId::Theirs`].
        file: u32,
        /// Plain text on one line, without a path.
        name: String,
        /// How many bytes it has.
        size: u64,
        /// Its media type, or nothing. Chosen by the peer.
        mime: String,
    },
    /// So many bytes are stored at the receiver's.
    Progress {
        /// Which.
        file: FileId,
        /// How many.
        stored: u64,
    },
    /// The receiver has all of it, and its hash is right.
    Done(FileId),
    /// It does not come, or no more of it.
    Failed {
        /// Which.
        file: FileId,
        /// Why.
        reason: FileError,
    },
}

/// Why a file did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The peer is not here, or no longer.
    #[error("The person is not here any more.")]
    Gone,
    /// It was not accepted, or cannot be offered. The words may be the other side's.
    #[error("{0}")]
    Refused(String),
    /// It was given up. The words may be the other side's.
    #[error("{0}")]
    Failed(String),
}
