//! Frames about what people are doing. What they say stands in entries.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::Frame;
use super::json::{Fields, Writer};
use crate::wire::entry::ConversationId;

/// The word for a person who is at their page.
const ACTIVE: &str = "active";

/// A frame about what people are doing.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatFrame {
    /// The person is typing in this conversation.
    Typing {
        /// The conversation.
        conversation: ConversationId,
    },
    /// Whether the person is at their page.
    Activity {
        /// Whether they are away.
        away: bool,
    },
}

impl ChatFrame {
    pub(super) const KINDS: [&str; 2] = ["typing", "activity"];

    pub(super) fn read(kind: &str, fields: &Fields) -> Option<ChatFrame> {
        if kind == "activity" {
            // Whatever a later version says in place of it, the person is not simply there.
            let away = fields.text("is")? != ACTIVE;
            return Some(ChatFrame::Activity { away });
        }
        let bytes = Base64UrlUnpadded::decode_vec(&fields.text("in")?).ok()?;
        Some(ChatFrame::Typing {
            conversation: ConversationId(bytes.try_into().ok()?),
        })
    }

    pub(super) fn write(&self) -> String {
        let [typing, activity] = ChatFrame::KINDS;
        let object = match self {
            ChatFrame::Typing { conversation } => {
                let conversation = Base64UrlUnpadded::encode_string(&conversation.0);
                Writer::new(typing).text("in", &conversation)
            }
            ChatFrame::Activity { away } => {
                Writer::new(activity).text("is", if *away { "away" } else { ACTIVE })
            }
        };
        object.end()
    }
}

impl From<ChatFrame> for Frame {
    fn from(frame: ChatFrame) -> Frame {
        Frame::Chat(frame)
    }
}
