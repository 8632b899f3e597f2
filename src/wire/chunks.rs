//! Messages of the stream: values are cut into binary messages and joined again. Frames of the stream, which travel as
//! text, can be cut as well; and a small message can share one binary message with others.
//!
//! The first byte of a binary message says what the message is:
//!
//! | bits | meaning |
//! | --- | --- |
//! | 0 and 1 | of a first chunk: 0 data, 1 direct message, 2 a frame's JSON, 3 several small messages |
//! | 2 | of a first chunk of 0 or 1: the value is JSON; else a length and the word for the bytes follow |
//! | 6 | not a first chunk |
//! | 7 | not the last chunk |
//!
//! Several small messages: each is a length of two bytes, and that many bytes, which would be a message of their own.

use serde::de::IgnoredAny;

use super::frame::{Frame, FrameError, MAX_FRAME};
use super::value::{MAX_KIND, MAX_QUESTION, MAX_VALUE, Purpose, Value, is_too_deep};

const DM: u8 = 1;
const FRAME: u8 = 2;
const SEVERAL: u8 = 3;
const JSON: u8 = 4;
const NOT_FIRST: u8 = 0x40;
const NOT_LAST: u8 = 0x80;

/// Room for the JSON around the content of a question or an answer, in bytes.
const AROUND: usize = MAX_FRAME;

/// A message with at most this many bytes is small.
const SMALL: usize = 4 * 1024;

/// One message of the stream on channel 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// A text frame.
    Text(String),
    /// A binary message.
    Bytes(Vec<u8>),
}

impl Chunk {
    /// Its size on the channel.
    pub fn size(&self) -> usize {
        match self {
            Chunk::Text(text) => text.len(),
            Chunk::Bytes(bytes) => bytes.len(),
        }
    }
}

/// A message for the stream that has not been sent, or not as a whole.
#[derive(Debug)]
pub enum OutboundMessage {
    /// One text frame.
    Whole(String),
    /// Content that is cut into binary messages.
    Cut {
        /// The beginning of the next chunk.
        head: Vec<u8>,
        /// The whole content.
        content: Vec<u8>,
        /// How many bytes of it have been cut off.
        at: usize,
    },
}

impl OutboundMessage {
    /// Packs a value.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`] beyond [`MAX_VALUE`]; [`FrameError::Malformed`] if it is not JSON or nested more than
    /// [`MAX_DEPTH`](super::value::MAX_DEPTH) deep, or the kind of its bytes is not a short ASCII word.
    pub fn value(purpose: Purpose, value: Value) -> Result<OutboundMessage, FrameError> {
        match value {
            Value::Json(json) if json.len() > MAX_VALUE => Err(FrameError::TooLarge),
            Value::Json(json) if !is_json(&json) => Err(FrameError::Malformed),
            // Neither parsed into a tree nor escaped: there may be thousands a second.
            Value::Json(json) => Ok(OutboundMessage::cut(
                vec![bit(purpose) | JSON],
                json.into_bytes(),
            )),
            Value::Bytes { bytes, .. } if bytes.len() > MAX_VALUE => Err(FrameError::TooLarge),
            Value::Bytes { kind, bytes } => {
                let length = kind_length(kind.as_bytes()).ok_or(FrameError::Malformed)?;
                let mut head = vec![bit(purpose), length];
                head.extend(kind.as_bytes());
                Ok(OutboundMessage::cut(head, bytes))
            }
        }
    }

    /// Packs a question, an answer, or a frame about a file.
    pub fn frame(frame: &Frame) -> OutboundMessage {
        let json = frame.to_json();
        if json.len() <= MAX_FRAME {
            OutboundMessage::Whole(json)
        } else {
            let mut content = json.into_bytes();
            // Its length is what counts against the limit, and writing it may have taken twice that memory.
            content.shrink_to_fit();
            OutboundMessage::cut(vec![FRAME], content)
        }
    }

    fn cut(head: Vec<u8>, content: Vec<u8>) -> OutboundMessage {
        let at = 0;
        OutboundMessage::Cut { head, content, at }
    }

    /// How many bytes of it have not been sent.
    pub fn size(&self) -> usize {
        match self {
            OutboundMessage::Whole(text) => text.len(),
            OutboundMessage::Cut { head, content, at } => head.len() + content.len() - at,
        }
    }

    /// Whether it is one short message.
    pub fn is_small(&self) -> bool {
        match self {
            OutboundMessage::Whole(text) => text.len() <= SMALL,
            OutboundMessage::Cut { content, at, .. } => *at == 0 && content.len() <= SMALL,
        }
    }

    /// Adds it to a binary message of several. Returns false if it is not small, or does not fit; the first one fits.
    pub fn join(&self, several: &mut Vec<u8>) -> bool {
        let (head, content) = match self {
            OutboundMessage::Whole(text) => (&[FRAME][..], text.as_bytes()),
            OutboundMessage::Cut { head, content, .. } => (&head[..], &content[..]),
        };
        let length = head.len() + content.len();
        if !self.is_small() || several.len() + 3 + length > MAX_FRAME {
            return false;
        }
        if several.is_empty() {
            several.push(SEVERAL);
        }
        // A small message and its head are far shorter than 65,535 bytes.
        several.extend((length as u16).to_be_bytes());
        several.extend(head);
        several.extend(content);
        true
    }

    /// Takes the next chunk, and returns whether it is the last.
    pub fn next_chunk(&mut self) -> (Chunk, bool) {
        match self {
            OutboundMessage::Whole(text) => (Chunk::Text(core::mem::take(text)), true),
            OutboundMessage::Cut { head, content, at } => {
                let mut chunk = core::mem::replace(head, vec![NOT_FIRST]);
                let rest = content.get(*at..).unwrap_or_default();
                let (now, later) = rest.split_at(rest.len().min(MAX_FRAME - chunk.len()));
                if let (false, Some(first)) = (later.is_empty(), chunk.first_mut()) {
                    *first |= NOT_LAST;
                }
                chunk.extend(now);
                *at += now.len();
                (Chunk::Bytes(chunk), later.is_empty())
            }
        }
    }
}

/// A message that has arrived as a whole.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrived {
    /// A value.
    Value(Purpose, Value),
    /// A question, an answer, or a frame about a file.
    Frame(Frame),
    /// Several of these, in their order.
    Several(Vec<Arrived>),
}

/// Joins the binary messages of one peer.
#[derive(Debug, Default)]
pub struct ChunkReassembler {
    open: Option<Open>,
    /// Whether the rest of a message that was given up is being skipped.
    passing: bool,
}

/// A message that has not arrived as a whole yet.
#[derive(Debug)]
struct Open {
    what: u8,
    kind: String,
    content: Vec<u8>,
}

impl ChunkReassembler {
    /// Reads one binary message; `None` while others are missing.
    ///
    /// # Errors
    /// [`FrameError`]; everything that the message belonged to is lost, and the error is reported once.
    pub fn read(&mut self, message: &[u8]) -> Result<Option<Arrived>, FrameError> {
        let (first, rest) = message.split_first().ok_or(FrameError::Malformed)?;
        let last = first & NOT_LAST == 0;
        let what = first & !NOT_LAST;
        let result = if what & NOT_FIRST == 0 {
            let unfinished = self.open.take().is_some();
            self.passing = false;
            match Open::begin(what, rest) {
                None if what == SEVERAL && last && !unfinished => return several(rest).map(Some),
                Some(open) if !unfinished => self.open.insert(open).check(),
                Some(_) => Err(FrameError::OutOfOrder),
                None => Err(FrameError::Malformed),
            }
        } else if self.passing {
            self.passing = !last;
            return Ok(None);
        } else {
            match &mut self.open {
                Some(open) if what == NOT_FIRST => {
                    open.content.extend(rest);
                    open.check()
                }
                _ => Err(FrameError::OutOfOrder),
            }
        };
        if let Err(error) = result {
            self.open = None;
            self.passing = !last;
            return Err(error);
        }
        if !last {
            return Ok(None);
        }
        match self.open.take() {
            Some(open) => open.close().map(Some),
            None => Ok(None),
        }
    }
}

impl Open {
    fn begin(what: u8, rest: &[u8]) -> Option<Open> {
        let (kind, content) = match what {
            FRAME => (&[][..], rest),
            _ if what & !DM == JSON => (&[][..], rest),
            _ if what & !DM == 0 => {
                let (length, rest) = rest.split_first()?;
                rest.split_at_checked(usize::from(*length))?
            }
            _ => return None,
        };
        kind_length(kind)?;
        Some(Open {
            what,
            kind: String::from_utf8(kind.to_vec()).ok()?,
            content: content.to_vec(),
        })
    }

    fn check(&mut self) -> Result<(), FrameError> {
        let most = match self.what {
            FRAME => MAX_QUESTION + AROUND,
            _ => MAX_VALUE,
        };
        if self.content.len() > most {
            return Err(FrameError::TooLarge);
        }
        Ok(())
    }

    fn close(self) -> Result<Arrived, FrameError> {
        let text = |content| String::from_utf8(content).map_err(|_| FrameError::Malformed);
        if self.what == FRAME {
            let frame = Frame::from_json(&text(self.content)?)?;
            return if frame.is_chunk() {
                Ok(Arrived::Frame(frame))
            } else {
                Err(FrameError::Malformed)
            };
        }
        let purpose = match self.what & DM {
            DM => Purpose::Dm,
            _ => Purpose::Data,
        };
        let value = if self.what & JSON != 0 {
            let json = text(self.content)?;
            if !is_json(&json) {
                return Err(FrameError::Malformed);
            }
            Value::Json(json)
        } else {
            Value::Bytes {
                kind: self.kind,
                bytes: self.content,
            }
        };
        Ok(Arrived::Value(purpose, value))
    }
}

/// Reads a binary message that holds several messages. If one of them is wrong, none is taken.
fn several(mut rest: &[u8]) -> Result<Arrived, FrameError> {
    let mut all = Vec::new();
    loop {
        let next = rest.split_first_chunk().and_then(|(length, rest)| {
            let length = usize::from(u16::from_be_bytes(*length));
            let (one, rest) = rest.split_at_checked(length)?;
            let (what, content) = one.split_first()?;
            Some((Open::begin(*what, content)?, rest))
        });
        let (open, later) = next.ok_or(FrameError::Malformed)?;
        all.push(open.close()?);
        if later.is_empty() {
            return Ok(Arrived::Several(all));
        }
        rest = later;
    }
}

fn bit(purpose: Purpose) -> u8 {
    match purpose {
        Purpose::Data => 0,
        Purpose::Dm => DM,
    }
}

/// Whether a text is one JSON value, and nested at most [`MAX_DEPTH`](super::value::MAX_DEPTH) deep. It is checked without being parsed into a
/// tree.
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok() && !is_too_deep(text)
}

/// The length of the kind of some bytes, if the kind is a short ASCII word.
fn kind_length(kind: &[u8]) -> Option<u8> {
    let printable = kind.iter().all(|byte| (b' '..=b'~').contains(byte));
    let length = u8::try_from(kind.len()).ok()?;
    (printable && kind.len() <= MAX_KIND).then_some(length)
}

#[cfg(test)]
#[path = "chunks_tests.rs"]
mod tests;
