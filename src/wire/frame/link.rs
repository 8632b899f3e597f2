//! Frames about the connection itself.

use super::Frame;
use super::json::{Fields, Writer};
use crate::rtc::{Candidate, Description};

/// About the connection itself.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkFrame {
    /// The first frame of each side: its ECDSA signature over "rtchat/1 verify" ‖ topic ‖ own peer id ‖ their peer
    /// id ‖ their challenge ‖ own DTLS fingerprint ‖ their DTLS fingerprint.
    Verify {
        /// 64 bytes, base64url without padding.
        signature: String,
        /// What the sender's application tells about its user: a JSON object, written as `text`.
        info: Option<String>,
    },
    /// Are you there?
    Ping {
        /// To tell one ping from another, if that matters.
        id: Option<String>,
    },
    /// The answer to a ping.
    Pong {
        /// The ping's.
        id: Option<String>,
    },
    /// Renegotiation or ICE restart: an offer or answer, `{"kind":"offer","sdp":"v=0…"}`, at most 64 KiB.
    Signal {
        /// The description.
        description: Box<Description>,
    },
    /// Late ICE candidates, each serialised as its `candidate:` line.
    Candidates {
        /// The candidates.
        candidates: Vec<Candidate>,
    },
    /// The sender goes.
    Leave,
}

impl LinkFrame {
    pub(super) const KINDS: [&str; 6] = ["verify", "ping", "pong", "signal", "candidates", "leave"];

    pub(super) fn read(kind: &str, fields: &Fields) -> Option<LinkFrame> {
        Some(match kind {
            "verify" => LinkFrame::Verify {
                signature: fields.text("signature")?,
                info: fields.text("text"),
            },
            "ping" => LinkFrame::Ping {
                id: fields.text("id"),
            },
            "pong" => LinkFrame::Pong {
                id: fields.text("id"),
            },
            "signal" => LinkFrame::Signal {
                description: fields.value("description")?,
            },
            "candidates" => LinkFrame::Candidates {
                candidates: fields.value("candidates")?,
            },
            _ => LinkFrame::Leave,
        })
    }

    pub(super) fn write(&self) -> String {
        let [verify, ping, pong, signal, candidates, leave] = LinkFrame::KINDS;
        let object = match self {
            LinkFrame::Verify { signature, info } => Writer::new(verify)
                .text("signature", signature)
                .text_if("text", info.as_ref()),
            LinkFrame::Ping { id } => Writer::new(ping).text_if("id", id.as_ref()),
            LinkFrame::Pong { id } => Writer::new(pong).text_if("id", id.as_ref()),
            LinkFrame::Signal { description } => {
                Writer::new(signal).value("description", description)
            }
            LinkFrame::Candidates { candidates: all } => {
                Writer::new(candidates).value("candidates", all)
            }
            LinkFrame::Leave => Writer::new(leave),
        };
        object.end()
    }
}

impl From<LinkFrame> for Frame {
    fn from(frame: LinkFrame) -> Frame {
        Frame::Link(frame)
    }
}
