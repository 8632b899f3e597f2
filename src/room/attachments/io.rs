//! Commands and events about attachments, for the person and for the adapter that holds the bytes.

use crate::history::StoredFile;
use crate::wire::attachment::FileKey;

/// Commands of the person about a file that stands beside a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentCommand {
    /// Fetch it from whoever has it.
    Fetch(FileKey),
    /// Do not fetch it, and do not show it as something to fetch.
    Refuse(FileKey),
    /// Stop fetching it; of a file of ours, stop sending it.
    Cancel(FileKey),
}

/// A file that stands beside a message looks different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentEvent {
    /// The file.
    pub key: FileKey,
    /// What people see of it now.
    pub view: FileView,
}

/// What people see of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileView {
    /// What is being done about it.
    pub state: FileState,
    /// Whether its bytes are here.
    pub here: bool,
}

/// What is being done about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// It can be fetched. Of a file of ours: nobody has fetched it yet.
    Offered,
    /// It is to be fetched, from whoever has it and is here.
    Waiting,
    /// It is on its way.
    Transferring {
        /// The number of bytes that have come.
        done: u64,
        /// The number of bytes a second, lately.
        per_second: u64,
    },
    /// It is here. Of a file of ours: somebody has it.
    Done,
    /// It could not be fetched; the sentence says why.
    Failed(String),
    /// The person does not want it.
    Refused,
}

/// Commands to the adapter that holds the bytes of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobCommand {
    /// Put the bytes of this file behind a transfer of ours. Answered with [`BlobEvent::Ready`] or [`BlobEvent::Missing`].
    Send {
        /// The transfer.
        token: u32,
        /// The file.
        key: FileKey,
    },
    /// Collect the bytes of this transfer to us.
    Collect(u32),
    /// What was collected of this transfer are the bytes of this file.
    Finish {
        /// The transfer.
        file: u32,
        /// The file.
        key: FileKey,
    },
    /// Forget what was collected of this transfer.
    Discard(u32),
    /// Keep the bytes of this file with the history.
    Keep(StoredFile),
    /// Forget the bytes of this file, kept or not.
    Delete(FileKey),
}

/// Events of the adapter that holds the bytes of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobEvent {
    /// There is a place for bytes, and these are there. Before this, nothing is fetched.
    Open(Vec<StoredFile>),
    /// The bytes stand behind this transfer of ours.
    Ready(u32),
    /// The bytes for this transfer are not here.
    Missing(u32),
}
