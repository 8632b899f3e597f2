//! Messages that people write.

use crate::identity::{PeerId, PublicKey, Trust};
use crate::time::Millis;
use crate::wire::attachment::Attachment;

/// Chat commands of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatCommand {
    /// Say something in a channel. At most [`MAX_TEXT`](crate::room::MAX_TEXT) characters.
    Say {
        /// The channel; `None` for the room's first one.
        channel: Option<String>,
        /// The text.
        text: String,
        /// The message that this one answers.
        reply_to: Option<MessageId>,
    },
    /// Say something in a channel with a file beside it, whose bytes are here. The text may be empty.
    SayFile {
        /// The channel; `None` for the room's first one.
        channel: Option<String>,
        /// The file.
        file: Box<Attachment>,
        /// The text.
        text: String,
        /// The message that this one answers.
        reply_to: Option<MessageId>,
    },
    /// Say something to one person only.
    SayTo {
        /// The receiver.
        peer: PeerId,
        /// The text, at most [`MAX_TEXT`](crate::room::MAX_TEXT) characters.
        text: String,
    },
    /// Change the text of an own message.
    Edit {
        /// The message.
        id: MessageId,
        /// The new text, at most [`MAX_TEXT`](crate::room::MAX_TEXT) characters.
        text: String,
    },
    /// Take an own message back.
    Retract(MessageId),
    /// React to a message, or take the reaction back.
    React {
        /// The message.
        id: MessageId,
        /// The emoji, at most [`MAX_EMOJI`](crate::wire::entry::MAX_EMOJI) bytes.
        emoji: String,
        /// Whether the reaction is set.
        on: bool,
    },
    /// Ask those who are here for what was said in this channel before the oldest message that we have.
    Older {
        /// The channel.
        channel: String,
    },
    /// Tell everybody that the person is typing.
    Typing,
}

impl ChatCommand {
    /// Says something in the room's first channel.
    pub fn say(text: impl Into<String>) -> ChatCommand {
        ChatCommand::Say {
            channel: None,
            text: text.into(),
            reply_to: None,
        }
    }
}

/// Chat events.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatEvent {
    /// A message was said, here or elsewhere.
    Message(Box<Message>),
    /// A message looks different: it was edited, taken back or reacted to.
    Changed(Box<Message>),
    /// The delivery of an own message made progress.
    Delivery {
        /// The message.
        id: MessageId,
        /// To how many people it has been sent over a connection.
        sent: u32,
        /// How many people have it.
        delivered: u32,
        /// How many it was meant for.
        of: u32,
    },
    /// Somebody is typing. Repeated every few seconds while it lasts.
    Typing {
        /// The peer.
        peer: PeerId,
    },
}

/// The id of a message: of one in a channel, its entry's id, the same for everybody; of a direct one, random and chosen
/// by its sender.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub String);

/// Where a message is shown: messages of a conversation are sorted by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order(pub u64, pub [u8; 32]);

/// A chat message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The channel that it was said in; `None` for a direct message.
    pub channel: Option<String>,
    /// Where it is shown.
    pub order: Order,
    /// The peer that said it, if it is here; `None` for oneself.
    pub peer: Option<PeerId>,
    /// Whether we said it: here, in another tab, or at another time.
    pub own: bool,
    /// The sender's name as it was shown at the time.
    pub sender: String,
    /// The sender's identity key.
    pub key: PublicKey,
    /// What the trust book says of this key under this name.
    pub trust: Trust,
    /// Plain text, never markup: as it was edited last, or nothing once it was taken back.
    pub text: String,
    /// The file beside it, until it is taken back.
    pub file: Option<Box<Attachment>>,
    /// When it was sent, by the sender's clock, but never later than it arrived.
    pub at: Millis,
    /// Whether it was sent to one person only.
    pub private: bool,
    /// The receiver's name as it was shown at the time, for an own message to one person only.
    pub to: Option<String>,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// Earlier texts, oldest first, if it was edited: at most [`MAX_VERSIONS`](crate::room::MAX_VERSIONS).
    pub earlier: Vec<String>,
    /// Whether its author took it back.
    pub retracted: bool,
    /// The reactions, in the order of their first ones: at most [`MAX_REACTIONS`](crate::room::MAX_REACTIONS).
    pub reactions: Vec<Reaction>,
    /// Whether it was said before we came.
    pub caught_up: bool,
    /// Whether its author said something else to others in its place.
    pub forked: bool,
}

impl Message {
    /// A plain message of our own, to one person: whoever makes another kind of message changes the fields.
    pub fn new(id: MessageId, sender: String, key: PublicKey, text: String, at: Millis) -> Message {
        Message {
            id,
            channel: None,
            order: Order(at.0 << 16, [0; 32]),
            peer: None,
            own: true,
            sender,
            key,
            trust: Trust::Verified,
            text,
            file: None,
            at,
            private: true,
            to: None,
            reply_to: None,
            earlier: Vec::new(),
            retracted: false,
            reactions: Vec::new(),
            caught_up: false,
            forked: false,
        }
    }
}

/// One emoji under a message, and who set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// The emoji.
    pub emoji: String,
    /// Who reacted with it, under the names that they had.
    pub people: Vec<(PublicKey, String)>,
    /// Whether we did.
    pub own: bool,
}
