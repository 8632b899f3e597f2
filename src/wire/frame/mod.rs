//! Text frames on channel 0: JSON of at most 16 KiB, with a source file for each domain.
//!
//! Every frame is an object with its kind under `k`. Kinds and fields that this version does not know are ignored.

mod attachment;
mod call;
mod chat;
mod entry;
mod file;
mod json;
mod link;
mod part;
mod people;
mod question;
mod stream;

pub use attachment::AttachmentFrame;
pub use call::{CallFrame, CallId, HangUp, MAX_STREAM_ID, Sends, Shown, Watching};
pub use chat::ChatFrame;
pub use entry::{EntryFrame, MAX_ENTRIES, MAX_IDS, ShortId, short};
pub use file::FileFrame;
pub use link::LinkFrame;
pub use part::{Part, PartReassembler};
pub use people::PeopleFrame;
pub use question::QuestionFrame;
pub use stream::{Ack, StreamIds};

use json::{Fields, Writer};

/// The largest text frame, in bytes. Every browser takes messages of this size whole (RFC 8831, section 6.6).
pub const MAX_FRAME: usize = 16 * 1024;

/// The largest frame that is put together from parts, in bytes.
pub const MAX_JOINED: usize = 256 * 1024;

/// The reason why a text frame was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than [`MAX_FRAME`], or joined longer than [`MAX_JOINED`].
    #[error("The frame is too large.")]
    TooLarge,
    /// Not JSON, or not of a shape that this page knows.
    #[error("The frame cannot be read.")]
    Malformed,
    /// A part came without those before it.
    #[error("A part of a long frame came out of order.")]
    OutOfOrder,
}

/// A frame from one peer to another, by domain.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// A frame about the connection itself.
    Link(LinkFrame),
    /// A frame about who is here.
    People(PeopleFrame),
    /// A frame about messages.
    Chat(ChatFrame),
    /// A frame about calls.
    Call(CallFrame),
    /// A frame about entries. A chunk of the stream.
    Entry(EntryFrame),
    /// A question or an answer of an application. A chunk of the stream.
    Question(QuestionFrame),
    /// A frame about a file. A chunk of the stream.
    File(FileFrame),
    /// A frame about the bytes of a file that stands beside what somebody says.
    Attachment(AttachmentFrame),
    /// An acknowledgement of the stream.
    Ack(Ack),
    /// A part of a longer frame.
    Part(Part),
    /// A frame of a kind that this version does not know: ignored.
    Unknown,
}

impl Frame {
    /// Whether it is a chunk of the stream, which both sides count.
    pub fn is_chunk(&self) -> bool {
        matches!(self, Frame::Question(_) | Frame::Entry(_) | Frame::File(_))
    }

    /// Whether whoever receives it answers at once.
    pub fn is_answered(&self) -> bool {
        matches!(self, Frame::Link(LinkFrame::Ping { .. }))
    }

    /// Encodes the frame: as one text, or as its parts.
    pub fn encode(&self) -> Vec<String> {
        let text = self.to_json();
        if text.len() <= MAX_FRAME {
            return vec![text];
        }
        let parts = Part::split(&text);
        parts.map(|part| Frame::Part(part).to_json()).collect()
    }

    /// Reads the JSON of one whole frame.
    ///
    /// # Errors
    /// [`FrameError::Malformed`].
    pub fn from_json(text: &str) -> Result<Frame, FrameError> {
        let frame = Fields::parse(text).and_then(|fields| Frame::read(&fields));
        frame.ok_or(FrameError::Malformed)
    }

    /// Reads a frame; `None` if a field is missing that its kind needs.
    fn read(fields: &Fields) -> Option<Frame> {
        let kind = fields.text("k")?;
        let kind = kind.as_str();
        Some(if LinkFrame::KINDS.contains(&kind) {
            Frame::Link(LinkFrame::read(kind, fields)?)
        } else if PeopleFrame::KINDS.contains(&kind) {
            Frame::People(PeopleFrame::read(kind, fields)?)
        } else if ChatFrame::KINDS.contains(&kind) {
            Frame::Chat(ChatFrame::read(kind, fields)?)
        } else if CallFrame::KINDS.contains(&kind) {
            Frame::Call(CallFrame::read(kind, fields)?)
        } else if QuestionFrame::KINDS.contains(&kind) {
            Frame::Question(QuestionFrame::read(kind, fields)?)
        } else if EntryFrame::KINDS.contains(&kind) {
            Frame::Entry(EntryFrame::read(kind, fields)?)
        } else if AttachmentFrame::KINDS.contains(&kind) {
            Frame::Attachment(AttachmentFrame::read(kind, fields)?)
        } else {
            match kind {
                FileFrame::KIND => Frame::File(FileFrame::read(fields)?),
                Ack::KIND => Frame::Ack(Ack::read(fields)?),
                Part::KIND => Frame::Part(Part::read(fields)?),
                "" => return None,
                _ => Frame::Unknown,
            }
        })
    }

    pub(super) fn to_json(&self) -> String {
        match self {
            Frame::Link(frame) => frame.write(),
            Frame::People(frame) => frame.write(),
            Frame::Chat(frame) => frame.write(),
            Frame::Call(frame) => frame.write(),
            Frame::Question(frame) => frame.write(),
            Frame::Entry(frame) => frame.write(),
            Frame::File(frame) => frame.write(),
            Frame::Attachment(frame) => frame.write(),
            Frame::Ack(frame) => frame.write(),
            Frame::Part(frame) => frame.write(),
            Frame::Unknown => Writer::new("").end(),
        }
    }
}

#[cfg(test)]
mod tests;
