//! Frames about what people are doing. What they say stands in entries.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::Frame;
use super::json::{Fields, Writer};
use crate::wire::entry::ConversationId;

/// A frame about what people are doing.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatFrame {
    /// The person is typing in this conversation.
    Typing {
        /// The conversation.
        conversation: ConversationId,
    },
}

impl ChatFrame {
    pub(super) const KINDS: [&str; 1] = ["typing"];

    pub(super) fn read(_kind: &str, fields: &Fields) -> Option<ChatFrame> {
        let bytes = Base64UrlUnpadded::decode_vec(&fields.text("in")?).ok()?;
        Some(ChatFrame::Typing {
            conversation: ConversationId(bytes.try_into().ok()?),
        })
    }

    pub(super) fn write(&self) -> String {
        let [typing] = ChatFrame::KINDS;
        let ChatFrame::Typing { conversation } = self;
        let conversation = Base64UrlUnpadded::encode_string(&conversation.0);
        Writer::new(typing).text("in", &conversation).end()
    }
}

impl From<ChatFrame> for Frame {
    fn from(frame: ChatFrame) -> Frame {
        Frame::Chat(frame)
    }
}
