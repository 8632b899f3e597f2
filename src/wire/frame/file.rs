//! Frames about files. They are chunks of the stream; the bytes of files travel on channel 1.

use super::Frame;
use super::json::{Fields, Writer};

/// What one side says about a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileFrame {
    /// Chosen by the sender of the file.
    pub number: u32,
    /// What is said.
    pub step: String,
    /// Its size, or how much of it has come.
    pub bytes: Option<u64>,
    /// Its name.
    pub name: Option<String>,
    /// Its type, its hash, or why it does not come.
    pub text: Option<String>,
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
        })
    }

    pub(super) fn write(&self) -> String {
        Writer::new(FileFrame::KIND)
            .number("file", u64::from(self.number))
            .text("step", &self.step)
            .number_if("n", self.bytes)
            .text_if("name", self.name.as_ref())
            .text_if("text", self.text.as_ref())
            .end()
    }
}

impl From<FileFrame> for Frame {
    fn from(frame: FileFrame) -> Frame {
        Frame::File(frame)
    }
}
