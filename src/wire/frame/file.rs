//! Frames about files. They are chunks of the stream; the bytes of files travel on channel 1.

use super::Frame;
use super::json::{Fields, Writer};

/// A frame about a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileFrame {
    /// The file's number, chosen by its sender.
    pub number: u32,
    /// The step of the transfer, such as `offer` or `accept`.
    pub step: String,
    /// The file's size, or how many of its bytes have come.
    pub bytes: Option<u64>,
    /// The file's name.
    pub name: Option<String>,
    /// The file's type, its hash, or the reason why it does not arrive.
    pub text: Option<String>,
    /// The hash that was asked for, if the file is offered because of that.
    pub hash: Option<String>,
}

impl FileFrame {
    pub(super) const KIND: &str = "file";

    pub(super) fn read(fields: &Fields) -> Option<FileFrame> {
        Some(FileFrame {
            number: fields.number("file")?,
            step: fields.text("step")?,
            bytes: fields.number("n"),
            name: fields.text("name"),
            text: fields.text("text"),
            hash: fields.text("hash"),
        })
    }

    pub(super) fn write(&self) -> String {
        Writer::new(FileFrame::KIND)
            .number("file", u64::from(self.number))
            .text("step", &self.step)
            .number_if("n", self.bytes)
            .text_if("name", self.name.as_ref())
            .text_if("text", self.text.as_ref())
            .text_if("hash", self.hash.as_ref())
            .end()
    }
}

impl From<FileFrame> for Frame {
    fn from(frame: FileFrame) -> Frame {
        Frame::File(frame)
    }
}
