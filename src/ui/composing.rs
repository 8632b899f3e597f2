//! What the text in the composer is for: a new message, an answer to one, or another text for one's own.

use crate::room::{ChatCommand, Conversation, Message, MessageId};

/// What a text is for, if it is not simply a new message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It answers a message.
    Reply,
    /// It is another text for an own message.
    Edit,
}

/// The message that the text in the composer is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composing {
    /// What the text is for.
    pub purpose: Purpose,
    /// The message.
    pub id: MessageId,
    /// The conversation it was said in.
    pub conversation: Conversation,
    /// Who said it.
    pub sender: String,
    /// What it says.
    pub text: String,
    /// What was typed already, if this comes back after it was interrupted.
    pub begun: Option<String>,
}

impl Composing {
    /// Begins to answer or to edit a message.
    pub fn new(purpose: Purpose, message: &Message) -> Composing {
        Composing {
            purpose,
            id: message.id.clone(),
            conversation: message.conversation.clone(),
            sender: message.sender.clone(),
            text: message.text.clone(),
            begun: None,
        }
    }
}

impl Composing {
    /// A number that differs between two messages, or two purposes, and is never 0.
    pub fn number(&self) -> u64 {
        let digits = self.id.0.bytes().take(10);
        let number = digits.fold(1u64, |number, byte| number << 6 | u64::from(byte & 63));
        number << 1 | u64::from(self.purpose == Purpose::Edit)
    }
}

/// The command that sends a text.
pub fn command(composing: Option<&Composing>, open: &Conversation, text: String) -> ChatCommand {
    match composing {
        None => ChatCommand::Say {
            conversation: Some(open.clone()),
            text,
            reply_to: None,
        },
        Some(Composing {
            purpose: Purpose::Edit,
            id,
            ..
        }) => ChatCommand::Edit {
            id: id.clone(),
            text,
        },
        Some(Composing {
            id, conversation, ..
        }) => ChatCommand::Say {
            conversation: Some(conversation.clone()),
            text,
            reply_to: Some(id.clone()),
        },
    }
}
