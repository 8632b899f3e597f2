//! What travels on the data channel: JSON text frames of at most 16 KiB.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

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
        /// What the sender's application tells about its user: a JSON object, written as `text`.
        info: Option<String>,
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
        /// Whether it is said to this one person only.
        private: bool,
    },
    /// The message with this id has arrived.
    Receipt {
        /// Its id.
        id: String,
    },
    /// Are you there?
    Ping {
        /// To tell one ping from another, if that matters.
        id: Option<String>,
    },
    /// Yes.
    Pong {
        /// The ping's.
        id: Option<String>,
    },
    /// The person is writing.
    Typing,
    /// A question from one application to another. A piece of the stream.
    Question {
        /// Chosen by the asker.
        id: String,
        /// Which handler should answer.
        topic: Option<String>,
        /// The question, in JSON.
        content: String,
    },
    /// The answer. A piece of the stream.
    Answer {
        /// The question's.
        id: String,
        /// The answer, in JSON, or why there is none.
        result: Result<String, String>,
    },
    /// What one side says about a file. A piece of the stream.
    File(FileStep),
    /// So many pieces of your stream have come.
    Ack {
        /// How many, in this session.
        count: u64,
        /// In the first one on each connection.
        streams: Option<StreamIds>,
    },
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

/// A word about a file that goes from peer to peer. Its bytes travel on channel 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileStep {
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

/// Which streams of pieces the two sides mean. Who has forgotten the other one begins a new stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamIds {
    /// The one that the sender of this frame sends: a random number.
    pub own: u32,
    /// The one that it receives and counts, if it knows of any.
    pub yours: Option<u32>,
}

/// Writes a frame's object. Written out: derived code for so many fields weighs three times as much.
struct Writer(String);

impl Writer {
    fn new(kind: &str) -> Writer {
        Writer(["{\"k\":\"", kind, "\""].concat())
    }

    /// A field with what is JSON already.
    fn json(&mut self, name: &str, json: &str) -> &mut Writer {
        for part in [",\"", name, "\":", json] {
            self.0.push_str(part);
        }
        self
    }

    fn value<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> &mut Writer {
        // Text, numbers and lists of them: nothing that JSON could not hold.
        let json = serde_json::to_string(value).unwrap_or_default();
        self.json(name, &json)
    }

    fn text(&mut self, name: &str, text: &str) -> &mut Writer {
        self.value(name, text)
    }

    fn text_if(&mut self, name: &str, text: Option<&String>) -> &mut Writer {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    fn number(&mut self, name: &str, number: u64) -> &mut Writer {
        self.json(name, &number.to_string())
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// The fields of a frame's object. Only those that its kind has are looked into.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Deserialize<'a> for Fields<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Fields<'a>, D::Error> {
        struct Object;

        impl<'a> Visitor<'a> for Object {
            type Value = Fields<'a>;

            fn expecting(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Fields<'a>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

impl<'a> Fields<'a> {
    fn json(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().find(|(field, _)| field == name)?;
        Some(value.get())
    }

    fn value<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.json(name)?).ok()
    }

    fn text(&self, name: &str) -> Option<String> {
        self.value(name)
    }

    fn number<T: TryFrom<u64>>(&self, name: &str) -> Option<T> {
        let number: u64 = self.json(name)?.parse().ok()?;
        T::try_from(number).ok()
    }

    /// The frame; `None` if a field is missing that its kind needs.
    fn frame(&self) -> Option<Frame> {
        let id = || self.text("id");
        let json = || self.json("v").map(str::to_owned);
        Some(match self.text("k")?.as_str() {
            "verify" => Frame::Verify {
                signature: self.text("signature")?,
                info: self.text("text"),
            },
            "profile" => Frame::Profile {
                name: self.text("name")?,
            },
            "chat" => Frame::Chat {
                id: id()?,
                text: self.text("text")?,
                at: Millis(self.number("at")?),
                private: self.json("private") == Some("true"),
            },
            "receipt" => Frame::Receipt { id: id()? },
            "ping" => Frame::Ping { id: id() },
            "pong" => Frame::Pong { id: id() },
            "typing" => Frame::Typing,
            "question" => Frame::Question {
                id: id()?,
                topic: self.text("topic"),
                content: json()?,
            },
            "answer" => Frame::Answer {
                id: id()?,
                result: match self.text("error") {
                    Some(error) => Err(error),
                    None => Ok(json()?),
                },
            },
            "file" => Frame::File(FileStep {
                number: self.number("file")?,
                step: self.text("step")?,
                bytes: self.number("n"),
                name: self.text("name"),
                text: self.text("text"),
            }),
            "got" => {
                let (own, yours) = (self.number("stream"), self.number("yours"));
                Frame::Ack {
                    count: self.number("n")?,
                    streams: own.map(|own| StreamIds { own, yours }),
                }
            }
            "signal" => Frame::Signal {
                description: self.value("description")?,
            },
            "candidates" => Frame::Candidates {
                candidates: self.value("candidates")?,
            },
            "presence" => Frame::Presence {
                peers: self.value("peers")?,
            },
            "leave" => Frame::Leave,
            "part" => Frame::Part {
                index: self.number("index")?,
                of: self.number("of")?,
                text: self.text("text")?,
            },
            "" => return None,
            _ => Frame::Unknown,
        })
    }
}

impl Frame {
    /// Whether it is a piece of the stream, which both sides count.
    pub fn is_chunk(&self) -> bool {
        matches!(
            self,
            Frame::Question { .. } | Frame::Answer { .. } | Frame::File(_)
        )
    }

    /// The text frames that carry this one: itself, or its parts.
    pub fn encode(&self) -> Vec<String> {
        let text = self.to_json();
        if text.len() <= MAX_FRAME {
            return vec![text];
        }
        let pieces = split(&text);
        let of = pieces.len() as u32;
        let parts = pieces.into_iter().zip(0..).map(|(piece, index)| {
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
        let fields: Fields = serde_json::from_str(text).map_err(|_| FrameError::Malformed)?;
        fields.frame().ok_or(FrameError::Malformed)
    }

    pub(super) fn to_json(&self) -> String {
        let mut to = Writer::new(self.kind());
        match self {
            Frame::Verify { signature, info } => to
                .text("signature", signature)
                .text_if("text", info.as_ref()),
            Frame::Profile { name } => to.text("name", name),
            Frame::Chat {
                id,
                text,
                at,
                private,
            } => {
                to.text("id", id).text("text", text).number("at", at.0);
                if *private {
                    to.json("private", "true");
                }
                &mut to
            }
            Frame::Receipt { id } => to.text("id", id),
            Frame::Ping { id } | Frame::Pong { id } => to.text_if("id", id.as_ref()),
            Frame::Question { id, topic, content } => {
                let to = to.text("id", id).text_if("topic", topic.as_ref());
                to.json("v", content)
            }
            Frame::Answer { id, result } => match result {
                Ok(value) => to.text("id", id).json("v", value),
                Err(error) => to.text("id", id).text("error", error),
            },
            Frame::File(said) => {
                let to = to.number("file", u64::from(said.number));
                let to = to.text("step", &said.step);
                if let Some(bytes) = said.bytes {
                    to.number("n", bytes);
                }
                to.text_if("name", said.name.as_ref())
                    .text_if("text", said.text.as_ref())
            }
            Frame::Ack { count, streams } => {
                to.number("n", *count);
                if let Some(StreamIds { own, yours }) = streams {
                    to.number("stream", u64::from(*own));
                    yours.map(|yours| to.number("yours", u64::from(yours)));
                }
                &mut to
            }
            Frame::Signal { description } => to.value("description", description),
            Frame::Candidates { candidates } => to.value("candidates", candidates),
            Frame::Presence { peers } => to.value("peers", peers),
            Frame::Part { index, of, text } => {
                let to = to.number("index", u64::from(*index));
                to.number("of", u64::from(*of)).text("text", text)
            }
            Frame::Typing | Frame::Leave | Frame::Unknown => &mut to,
        };
        to.end()
    }

    fn kind(&self) -> &'static str {
        match self {
            Frame::Verify { .. } => "verify",
            Frame::Profile { .. } => "profile",
            Frame::Chat { .. } => "chat",
            Frame::Receipt { .. } => "receipt",
            Frame::Ping { .. } => "ping",
            Frame::Pong { .. } => "pong",
            Frame::Typing => "typing",
            Frame::Question { .. } => "question",
            Frame::Answer { .. } => "answer",
            Frame::File(_) => "file",
            Frame::Ack { .. } => "got",
            Frame::Signal { .. } => "signal",
            Frame::Candidates { .. } => "candidates",
            Frame::Presence { .. } => "presence",
            Frame::Leave => "leave",
            Frame::Part { .. } => "part",
            Frame::Unknown => "",
        }
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
pub struct PartReassembler {
    parts: String,
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
        match Frame::from_json(&joined)? {
            Frame::Part { .. } => Err(FrameError::Malformed),
            // One piece is one message, or nobody could count them.
            frame if frame.is_chunk() => Err(FrameError::Malformed),
            frame => Ok(Some(frame)),
        }
    }

    fn reset(&mut self) {
        self.parts.clear();
        self.next = 0;
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
