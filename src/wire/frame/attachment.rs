//! Frames about the bytes of files that stand beside what somebody says.

use super::Frame;
use super::json::{Fields, Writer};
use crate::wire::attachment::{FileHash, FileKey};

/// A frame about the bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttachmentFrame {
    /// A request for a file. Whoever has it offers it on the file channel.
    Want(FileKey),
    /// The sender does not have this file, or does not give it now.
    Lack(FileKey),
}

impl AttachmentFrame {
    pub(super) const KINDS: [&str; 2] = ["want", "lack"];

    pub(super) fn read(kind: &str, fields: &Fields) -> Option<AttachmentFrame> {
        let [want, _] = AttachmentFrame::KINDS;
        let key = FileKey {
            hash: FileHash::parse(&fields.text("hash")?)?,
            size: fields.number("n")?,
        };
        Some(if kind == want {
            AttachmentFrame::Want(key)
        } else {
            AttachmentFrame::Lack(key)
        })
    }

    pub(super) fn write(&self) -> String {
        let [want, lack] = AttachmentFrame::KINDS;
        let (kind, key) = match self {
            AttachmentFrame::Want(key) => (want, key),
            AttachmentFrame::Lack(key) => (lack, key),
        };
        Writer::new(kind)
            .text("hash", &key.hash.to_text())
            .number("n", key.size)
            .end()
    }
}

impl From<AttachmentFrame> for Frame {
    fn from(frame: AttachmentFrame) -> Frame {
        Frame::Attachment(frame)
    }
}
