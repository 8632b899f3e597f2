//! Frames about messages.

use super::Frame;
use super::json::{Fields, Writer};
use crate::time::Millis;

/// A frame about messages.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatFrame {
    /// A message.
    Message {
        /// The message's id, chosen by the sender at random.
        id: String,
        /// Plain text.
        text: String,
        /// When it was sent, by the sender's clock.
        at: Millis,
        /// Whether it is sent to this one person only.
        private: bool,
    },
    /// The message with this id has arrived.
    Receipt {
        /// Its id.
        id: String,
    },
    /// The person is typing.
    Typing,
}

impl ChatFrame {
    pub(super) const KINDS: [&str; 3] = ["chat", "receipt", "typing"];

    pub(super) fn read(kind: &str, fields: &Fields) -> Option<ChatFrame> {
        Some(match kind {
            "chat" => ChatFrame::Message {
                id: fields.text("id")?,
                text: fields.text("text")?,
                at: Millis(fields.number("at")?),
                private: fields.json("private") == Some("true"),
            },
            "receipt" => ChatFrame::Receipt {
                id: fields.text("id")?,
            },
            _ => ChatFrame::Typing,
        })
    }

    pub(super) fn write(&self) -> String {
        let [message, receipt, typing] = ChatFrame::KINDS;
        let object = match self {
            ChatFrame::Message {
                id,
                text,
                at,
                private,
            } => {
                let object = Writer::new(message).text("id", id).text("text", text);
                let object = object.number("at", at.0);
                if *private {
                    object.json("private", "true")
                } else {
                    object
                }
            }
            ChatFrame::Receipt { id } => Writer::new(receipt).text("id", id),
            ChatFrame::Typing => Writer::new(typing),
        };
        object.end()
    }
}

impl From<ChatFrame> for Frame {
    fn from(frame: ChatFrame) -> Frame {
        Frame::Chat(frame)
    }
}
