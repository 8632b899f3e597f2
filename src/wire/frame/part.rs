//! Frames that are too long for one message travel in parts.

use super::json::{Fields, Writer};
use super::{Frame, FrameError, MAX_FRAME, MAX_JOINED};

/// Escaping can double a part's length, and the frame around it needs some room of its own.
const MAX_PART: usize = MAX_FRAME / 2 - 128;

/// A part of a longer frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The index of the part, from 0.
    pub index: u32,
    /// The number of parts.
    pub of: u32,
    /// This part of the longer frame's JSON.
    pub text: String,
}

impl Part {
    pub(super) const KIND: &str = "part";

    pub(super) fn read(fields: &Fields) -> Option<Part> {
        Some(Part {
            index: fields.number("index")?,
            of: fields.number("of")?,
            text: fields.text("text")?,
        })
    }

    pub(super) fn write(&self) -> String {
        Writer::new(Part::KIND)
            .number("index", u64::from(self.index))
            .number("of", u64::from(self.of))
            .text("text", &self.text)
            .end()
    }

    /// Cuts a frame's JSON at character boundaries.
    pub(super) fn split(mut text: &str) -> impl Iterator<Item = Part> {
        let mut texts = Vec::new();
        while !text.is_empty() {
            let (part, rest) = text.split_at(text.floor_char_boundary(MAX_PART.min(text.len())));
            texts.push(part.to_owned());
            text = rest;
        }
        let of = texts.len() as u32;
        let parts = texts.into_iter().zip(0..);
        parts.map(move |(text, index)| Part { index, of, text })
    }
}

/// Reads text frames and joins the parts of long ones. Each connection has its own.
#[derive(Debug, Default)]
pub struct PartReassembler {
    pub(super) parts: String,
    next: u32,
}

impl PartReassembler {
    /// Reads one text frame; `None` while parts of a longer one are missing.
    ///
    /// # Errors
    /// [`FrameError`]; a long frame of which a part was missing is lost as a whole.
    pub fn read(&mut self, text: &str) -> Result<Option<Frame>, FrameError> {
        if text.len() > MAX_FRAME {
            return Err(FrameError::TooLarge);
        }
        match Frame::from_json(text)? {
            Frame::Part(part) => self.join(&part),
            frame => Ok(Some(frame)),
        }
    }

    fn join(&mut self, part: &Part) -> Result<Option<Frame>, FrameError> {
        if part.index == 0 {
            self.reset();
        }
        if part.index != self.next || part.index >= part.of {
            self.reset();
            return Err(FrameError::OutOfOrder);
        }
        if self.parts.len() + part.text.len() > MAX_JOINED {
            self.reset();
            return Err(FrameError::TooLarge);
        }
        self.parts.push_str(&part.text);
        self.next += 1;
        if self.next < part.of {
            return Ok(None);
        }
        let joined = core::mem::take(&mut self.parts);
        self.reset();
        match Frame::from_json(&joined)? {
            Frame::Part(_) => Err(FrameError::Malformed),
            // A chunk is one message: otherwise the two sides could not count chunks.
            frame if frame.is_chunk() => Err(FrameError::Malformed),
            frame => Ok(Some(frame)),
        }
    }

    fn reset(&mut self) {
        self.parts.clear();
        self.next = 0;
    }
}
