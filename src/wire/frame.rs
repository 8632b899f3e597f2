//! What travels on the data channel: JSON text frames of at most 16 KiB.

use serde::{Deserialize, Serialize};

use crate::rtc::{Candidate, Description};
use crate::time::Millis;

/// The largest text frame, in bytes. Every browser takes messages of this size whole (RFC 8831, section 6.6).
pub const MAX_FRAME: usize = 16 * 1024;

/// The largest thing that is put together from parts, in bytes.
pub const MAX_JOINED: usize = 256 * 1024;

/// Escaping can double a part's length, and the frame around it needs some room of its own.
const PART: usize = MAX_FRAME / 2 - 128;

/// Why a text frame was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than [`MAX_FRAME`], or joined longer than [`MAX_JOINED`].
    #[error("The frame is too large.")]
    TooLarge,
    /// Not JSON, or not of a shape that this page knows.
    #[error("The frame cannot be read.")]
    Malformed,
    /// A part without those before it.
    #[error("A part of a long frame came out of its order.")]
    OutOfOrder,
}

/// One thing that one peer says to another.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// The first frame of each side: its ECDSA signature over "rtchat/1 verify" ‖ topic ‖ own peer id ‖ their peer
    /// id ‖ their challenge ‖ own DTLS fingerprint ‖ their DTLS fingerprint.
    Verify {
        /// 64 bytes, base64url without padding.
        signature: String,
    },
    /// The sender goes by another name now.
    Profile {
        /// The new name.
        name: String,
    },
    /// A message to everybody in the room.
    Chat {
        /// Chosen by the sender, at random.
        id: String,
        /// Plain text.
        text: String,
        /// When it was said, by the sender's clock.
        at: Millis,
    },
    /// The message with this id has arrived.
    Receipt {
        /// Its id.
        id: String,
    },
    /// Are you there?
    Ping,
    /// Yes.
    Pong,
    /// Renegotiation or ICE restart: an offer or answer.
    Signal {
        /// It; `{"kind":"offer","sdp":"v=0…"}`, at most 64 KiB.
        description: Box<Description>,
    },
    /// Candidates that belong to a renegotiation.
    Candidates {
        /// They; each in JSON as its `candidate:` line.
        candidates: Vec<Candidate>,
    },
    /// The peers that the sender is connected to, so that who misses one can announce itself.
    Presence {
        /// Their peer ids.
        peers: Vec<String>,
    },
    /// The sender goes.
    Leave,
    /// A piece of a longer frame.
    Part {
        /// Which piece, from 0.
        index: u32,
        /// How many there are.
        of: u32,
        /// The piece of the longer frame's JSON.
        text: String,
    },
    /// Of a kind that this version does not know: ignored.
    Unknown,
}

/// A frame as it stands in JSON: its kind in `k`, and the fields that kind has. One flat record for all kinds is
/// a fifth of the code that a tagged enum costs.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Record {
    k: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Box<Description>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates: Option<Vec<Candidate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<u32>,
}

impl From<&Frame> for Record {
    fn from(frame: &Frame) -> Record {
        let kind = |k: &str| Record {
            k: k.to_owned(),
            ..Record::default()
        };
        match frame.clone() {
            Frame::Verify { signature } => Record {
                signature: Some(signature),
                ..kind("verify")
            },
            Frame::Profile { name } => Record {
                name: Some(name),
                ..kind("profile")
            },
            Frame::Chat { id, text, at } => Record {
                id: Some(id),
                text: Some(text),
                at: Some(at.0),
                ..kind("chat")
            },
            Frame::Receipt { id } => Record {
                id: Some(id),
                ..kind("receipt")
            },
            Frame::Ping => kind("ping"),
            Frame::Pong => kind("pong"),
            Frame::Signal { description } => Record {
                description: Some(description),
                ..kind("signal")
            },
            Frame::Candidates { candidates } => Record {
                candidates: Some(candidates),
                ..kind("candidates")
            },
            Frame::Presence { peers } => Record {
                peers: Some(peers),
                ..kind("presence")
            },
            Frame::Leave => kind("leave"),
            Frame::Part { index, of, text } => Record {
                index: Some(index),
                of: Some(of),
                text: Some(text),
                ..kind("part")
            },
            Frame::Unknown => kind(""),
        }
    }
}

impl Record {
    /// The frame; `None` if a field is missing that its kind needs.
    fn frame(self) -> Option<Frame> {
        Some(match self.k.as_str() {
            "verify" => Frame::Verify {
                signature: self.signature?,
            },
            "profile" => Frame::Profile { name: self.name? },
            "chat" => Frame::Chat {
                id: self.id?,
                text: self.text?,
                at: Millis(self.at?),
            },
            "receipt" => Frame::Receipt { id: self.id? },
            "ping" => Frame::Ping,
            "pong" => Frame::Pong,
            "signal" => Frame::Signal {
                description: self.description?,
            },
            "candidates" => Frame::Candidates {
                candidates: self.candidates?,
            },
            "presence" => Frame::Presence { peers: self.peers? },
            "leave" => Frame::Leave,
            "part" => Frame::Part {
                index: self.index?,
                of: self.of?,
                text: self.text?,
            },
            "" => return None,
            _ => Frame::Unknown,
        })
    }
}

impl Frame {
    /// The text frames that carry this one: itself, or its parts.
    pub fn encode(&self) -> Vec<String> {
        let Some(text) = self.to_json() else {
            return Vec::new();
        };
        if text.len() <= MAX_FRAME {
            return vec![text];
        }
        let pieces = split(&text);
        let of = pieces.len() as u32;
        let parts = pieces.into_iter().zip(0..).filter_map(|(piece, index)| {
            Frame::Part {
                index,
                of,
                text: piece.to_owned(),
            }
            .to_json()
        });
        parts.collect()
    }

    /// Reads the JSON of one whole frame.
    ///
    /// # Errors
    /// [`FrameError::Malformed`].
    pub fn from_json(text: &str) -> Result<Frame, FrameError> {
        let record: Record = serde_json::from_str(text).map_err(|_| FrameError::Malformed)?;
        record.frame().ok_or(FrameError::Malformed)
    }

    fn to_json(&self) -> Option<String> {
        serde_json::to_string(&Record::from(self)).ok()
    }
}

/// Cuts `text` into pieces of at most [`PART`] bytes at character boundaries.
fn split(mut text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while !text.is_empty() {
        let (piece, rest) = text.split_at(text.floor_char_boundary(PART.min(text.len())));
        pieces.push(piece);
        text = rest;
    }
    pieces
}

/// Reads text frames and joins the parts of long ones. One for each channel.
#[derive(Debug, Default)]
pub struct Joiner {
    parts: String,
    next: u32,
}

impl Joiner {
    /// Reads one text frame; `None` while parts of a longer one are missing.
    ///
    /// # Errors
    /// [`FrameError`]; a long frame of which a part was missing is lost as a whole.
    pub fn read(&mut self, text: &str) -> Result<Option<Frame>, FrameError> {
        if text.len() > MAX_FRAME {
            return Err(FrameError::TooLarge);
        }
        match Frame::from_json(text)? {
            Frame::Part { index, of, text } => self.join(index, of, &text),
            frame => Ok(Some(frame)),
        }
    }

    fn join(&mut self, index: u32, of: u32, text: &str) -> Result<Option<Frame>, FrameError> {
        if index == 0 {
            self.reset();
        }
        if index != self.next || index >= of {
            self.reset();
            return Err(FrameError::OutOfOrder);
        }
        if self.parts.len() + text.len() > MAX_JOINED {
            self.reset();
            return Err(FrameError::TooLarge);
        }
        self.parts.push_str(text);
        self.next += 1;
        if self.next < of {
            return Ok(None);
        }
        let joined = core::mem::take(&mut self.parts);
        self.reset();
        match Frame::from_json(&joined) {
            Ok(Frame::Part { .. }) | Err(_) => Err(FrameError::Malformed),
            Ok(frame) => Ok(Some(frame)),
        }
    }

    fn reset(&mut self) {
        self.parts.clear();
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(text: String) -> Frame {
        Frame::Chat {
            id: "1".into(),
            text,
            at: Millis(5),
        }
    }

    #[test]
    fn a_short_frame_is_one_text() {
        let frame = chat("hello".into());
        let texts = frame.encode();
        assert_eq!(texts, [r#"{"k":"chat","id":"1","text":"hello","at":5}"#]);
        assert_eq!(Joiner::default().read(&texts[0]), Ok(Some(frame)));
    }

    #[test]
    fn the_longest_message_arrives_whole_in_frames_that_fit() {
        for character in ["𝄞", "\"", "\\", "\u{1}", "a"] {
            let frame = chat(character.repeat(10_000));
            let mut joiner = Joiner::default();
            let texts = frame.encode();
            let mut read = Vec::new();
            for text in &texts {
                assert!(text.len() <= MAX_FRAME, "{character:?}: {}", text.len());
                read.extend(joiner.read(text).unwrap());
            }
            assert_eq!(read, [frame]);
        }
    }

    #[test]
    fn parts_out_of_order_are_dropped_and_do_not_harm_the_next() {
        let long = chat("x".repeat(40_000));
        let texts = long.encode();
        let mut joiner = Joiner::default();
        assert_eq!(joiner.read(&texts[1]), Err(FrameError::OutOfOrder));
        assert_eq!(joiner.read(&texts[0]), Ok(None));
        assert_eq!(joiner.read(&texts[2]), Err(FrameError::OutOfOrder));
        let read: Vec<_> = texts
            .iter()
            .filter_map(|text| joiner.read(text).unwrap())
            .collect();
        assert_eq!(read, [long]);
    }

    #[test]
    fn nothing_endless_is_kept() {
        let mut joiner = Joiner::default();
        let mut errors = 0;
        for index in 0..100 {
            let part = Frame::Part {
                index,
                of: u32::MAX,
                text: "x".repeat(8000),
            };
            let text = part.to_json().unwrap();
            errors += usize::from(joiner.read(&text).is_err());
            assert!(joiner.parts.len() <= MAX_JOINED);
        }
        assert!(errors > 0);
    }

    #[test]
    fn unknown_kinds_are_ignored_and_garbage_is_an_error() {
        let mut joiner = Joiner::default();
        assert_eq!(
            joiner.read(r#"{"k":"dance","step":3}"#),
            Ok(Some(Frame::Unknown))
        );
        for garbage in [
            "",
            "{",
            "[]",
            "null",
            r#"{"k":"chat"}"#,
            r#"{"k":"part","index":-1}"#,
        ] {
            assert_eq!(
                joiner.read(garbage),
                Err(FrameError::Malformed),
                "{garbage}"
            );
        }
        assert_eq!(
            joiner.read(&"x".repeat(MAX_FRAME + 1)),
            Err(FrameError::TooLarge)
        );
    }
}
