//! Messages that people write.

use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::identity::{PeerId, PublicKey, Trust};
use crate::time::Millis;
use crate::wire::attachment::Attachment;
use crate::wire::entry::{Clock, ConversationId};

/// A conversation of the room.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Conversation {
    /// A channel: everybody in the room reads it.
    Channel(String),
    /// What is said between us and whoever holds this key, in all of their tabs and ours.
    Direct(PublicKey),
}

impl Conversation {
    /// Its id among those of the person with this key.
    pub fn id(&self, own: &PublicKey) -> ConversationId {
        match self {
            Conversation::Channel(name) => ConversationId::channel(name),
            Conversation::Direct(other) => ConversationId::direct(own, other),
        }
    }

    /// Reads what `Display` writes: `#name`, or a key in base64url.
    pub fn parse(text: &str) -> Option<Conversation> {
        if let Some(name) = text.strip_prefix('#') {
            return Some(Conversation::Channel(name.to_owned()));
        }
        let key = Base64UrlUnpadded::decode_vec(text).ok()?;
        Some(Conversation::Direct(PublicKey(key.try_into().ok()?)))
    }
}

impl fmt::Display for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Conversation::Channel(name) => write!(f, "#{name}"),
            Conversation::Direct(key) => f.write_str(&Base64UrlUnpadded::encode_string(&key.0)),
        }
    }
}

/// Chat commands of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatCommand {
    /// Say something. At most [`MAX_TEXT`](crate::room::MAX_TEXT) characters.
    Say {
        /// The conversation; `None` for the room's first channel.
        conversation: Option<Conversation>,
        /// The text.
        text: String,
        /// The message that this one answers.
        reply_to: Option<MessageId>,
    },
    /// Say something with a file beside it, whose bytes are here. The text may be empty.
    SayFile {
        /// The conversation; `None` for the room's first channel.
        conversation: Option<Conversation>,
        /// The file.
        file: Box<Attachment>,
        /// The text.
        text: String,
        /// The message that this one answers.
        reply_to: Option<MessageId>,
    },
    /// Say something in the direct conversation with whoever this peer is.
    SayTo {
        /// The peer.
        peer: PeerId,
        /// The text, at most [`MAX_TEXT`](crate::room::MAX_TEXT) characters.
        text: String,
    },
    /// Try again to say an own message that was not said.
    Retry(MessageId),
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
    /// Show what was said in a conversation before the oldest message that is shown: what is here, or else ask those who
    /// are here for it.
    Older(Conversation),
    /// Show everything from this message on that is here.
    Reveal(MessageId),
    /// Everything up to this place was read.
    Read(Conversation, Order),
    /// Delete this here, in all tabs of this browser. Other people keep what they have.
    Delete(Deletion),
    /// Look for a text, in this conversation or in all: answered with [`ChatEvent::Found`].
    Search {
        /// The conversation.
        conversation: Option<Conversation>,
        /// The text; upper and lower case are the same.
        text: String,
    },
    /// Take in what [`Room::export`](crate::room::Room::export) wrote. [`ChatEvent::Imported`] is the answer.
    #[cfg(feature = "export")]
    Import {
        /// The file.
        file: String,
        /// Whether what was deleted here comes back with it.
        restores: bool,
    },
    /// Tell the others that the person is typing; `None` for the room's first channel.
    Typing(Option<Conversation>),
}

/// Why an own message was not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsaid {
    /// The key did not sign it.
    #[error("This browser could not sign it with your key.")]
    NotSigned,
    /// It was meant for somebody whom the person has blocked.
    #[error("You have blocked this person.")]
    Blocked,
    /// It is longer than an entry may be, with the file beside it.
    #[error("It is too long to be sent. Copy the text, and send it in parts.")]
    TooLong,
}

/// What is to be deleted here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// One message.
    Message(MessageId),
    /// All messages of a conversation. A direct one is no longer listed.
    Conversation(Conversation),
    /// Everything that was said in this room.
    Room,
    /// Everything that was said in any room of this site.
    Site,
}

impl ChatCommand {
    /// Says something in the room's first channel.
    pub fn say(text: impl Into<String>) -> ChatCommand {
        ChatCommand::Say {
            conversation: None,
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
    /// An own message was not said, and nobody has it. [`ChatCommand::Retry`] tries again, and [`ChatCommand::Delete`] gives
    /// it up.
    Failed {
        /// The message.
        id: MessageId,
        /// The reason.
        reason: Unsaid,
    },
    /// These messages of a conversation are no longer here: they were deleted, in this tab or in another one.
    Deleted(Deletion),
    /// Everything up to this place was read, here or in another tab.
    Read(Conversation, Order),
    /// The answer to [`ChatCommand::Search`].
    Found {
        /// The text that was looked for.
        text: String,
        /// The messages, the newest first: at most [`MAX_FOUND`](crate::room::MAX_FOUND).
        messages: Vec<Message>,
    },
    /// The answer to [`ChatCommand::Import`].
    #[cfg(feature = "export")]
    Imported(Result<crate::room::Imported, crate::room::ImportError>),
    /// Somebody is typing. Repeated every few seconds while it lasts.
    Typing {
        /// The peer.
        peer: PeerId,
        /// The conversation.
        conversation: Conversation,
    },
}

/// The id of a message: its entry's id, the same for everybody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub String);

/// Where a message is shown: messages of a conversation are sorted by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order(pub u64, pub [u8; 32]);

impl Order {
    /// The place of what happens at this time, before all that is said in the same millisecond.
    pub fn at(time: Millis) -> Order {
        Order(Clock::at(time).0, [0; 32])
    }
}

/// A chat message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The conversation that it was said in.
    pub conversation: Conversation,
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
    /// The other person's name, in a direct conversation.
    pub with: Option<String>,
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
    /// Whether it was imported and nobody can prove it, as nobody signs what is said to one person. Others never get it.
    pub imported: bool,
}

impl Message {
    /// A plain message of our own: whoever makes another kind of message changes the fields.
    pub fn new(
        id: MessageId,
        conversation: Conversation,
        sender: String,
        key: PublicKey,
        text: String,
        at: Millis,
    ) -> Message {
        Message {
            id,
            conversation,
            order: Order::at(at),
            peer: None,
            own: true,
            sender,
            key,
            trust: Trust::Verified,
            text,
            file: None,
            at,
            with: None,
            reply_to: None,
            earlier: Vec::new(),
            retracted: false,
            reactions: Vec::new(),
            caught_up: false,
            forked: false,
            imported: false,
        }
    }

    /// Whether it was said to one person only.
    pub fn is_direct(&self) -> bool {
        matches!(self.conversation, Conversation::Direct(_))
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
