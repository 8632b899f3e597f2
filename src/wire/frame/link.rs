//! Frames about the connection itself.

use super::Frame;
use super::json::{Fields, Writer};
use crate::rtc::{Candidate, SessionDescription};

/// A frame about the connection itself.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkFrame {
    /// The first frame of each side: its [`Proof`](crate::wire::transcript::Proof).
    Verify {
        /// The proof, base64url without padding.
        proof: String,
        /// Information that the sender's application gives about its user: a JSON object, written as `text`.
        info: Option<String>,
    },
    /// A ping: asks whether the peer is there.
    Ping {
        /// Identifies the ping, if that matters.
        id: Option<String>,
    },
    /// The answer to a ping.
    Pong {
        /// The ping's id.
        id: Option<String>,
    },
    /// Renegotiation or ICE restart: an offer or answer, `{"kind":"offer","sdp":"v=0…"}`, at most 24 KiB.
    Signal {
        /// The description.
        description: Box<SessionDescription>,
    },
    /// Asks for the turn to offer sound or pictures, and gives it.
    Turn,
    /// Late ICE candidates, each serialised as its `candidate:` line.
    Candidates {
        /// The candidates.
        candidates: Vec<Candidate>,
    },
    /// The sender leaves.
    Leave,
}

impl LinkFrame {
    pub(super) const KINDS: [&str; 7] = [
        "verify",
        "ping",
        "pong",
        "signal",
        "turn",
        "candidates",
        "leave",
    ];

    pub(super) fn read(kind: &str, fields: &Fields) -> Option<LinkFrame> {
        Some(match kind {
            "verify" => LinkFrame::Verify {
                proof: fields.text("proof")?,
                info: fields.text("text"),
            },
            "ping" => LinkFrame::Ping {
                id: fields.text("id"),
            },
            "pong" => LinkFrame::Pong {
                id: fields.text("id"),
            },
            "signal" => LinkFrame::Signal {
                description: Box::new(description(fields)?),
            },
            "turn" => LinkFrame::Turn,
            "candidates" => LinkFrame::Candidates {
                candidates: candidates(fields)?,
            },
            _ => LinkFrame::Leave,
        })
    }

    pub(super) fn write(&self) -> String {
        let [verify, ping, pong, signal, turn, candidates, leave] = LinkFrame::KINDS;
        let object = match self {
            LinkFrame::Verify { proof, info } => Writer::new(verify)
                .text("proof", proof)
                .text_if("text", info.as_ref()),
            LinkFrame::Ping { id } => Writer::new(ping).text_if("id", id.as_ref()),
            LinkFrame::Pong { id } => Writer::new(pong).text_if("id", id.as_ref()),
            LinkFrame::Signal { description } => {
                let words = description.kind().as_str();
                let object = Writer::with("kind", words).text("sdp", description.sdp());
                Writer::new(signal).json("description", &object.end())
            }
            LinkFrame::Turn => Writer::new(turn),
            LinkFrame::Candidates { candidates: all } => {
                let lines: Vec<_> = all.iter().map(|one| one.to_line(0)).collect();
                Writer::new(candidates).texts("candidates", &lines)
            }
            LinkFrame::Leave => Writer::new(leave),
        };
        object.end()
    }
}

fn description(fields: &Fields) -> Option<SessionDescription> {
    let description = Fields::parse(fields.json("description")?)?;
    let (kind, sdp) = (
        description.only_text("kind")?,
        description.only_text("sdp")?,
    );
    SessionDescription::read_from_peer(&kind, &sdp).ok()
}

fn candidates(fields: &Fields) -> Option<Vec<Candidate>> {
    let lines = fields.texts("candidates")?;
    lines.iter().map(|line| Candidate::parse(line)).collect()
}

impl From<LinkFrame> for Frame {
    fn from(frame: LinkFrame) -> Frame {
        Frame::Link(frame)
    }
}
