//! Messages that people write.

use crate::identity::{PeerId, PublicKey};
use crate::time::Millis;

/// Chat commands of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatCommand {
    /// Say something to everybody who is here. At most [`MAX_TEXT`](crate::room::MAX_TEXT) characters.
    Say(String),
    /// Say something to one person only.
    SayTo {
        /// The receiver.
        peer: PeerId,
        /// The text, at most [`MAX_TEXT`](crate::room::MAX_TEXT) characters.
        text: String,
    },
    /// Tell everybody that the person is typing.
    Typing,
}

/// Chat events.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatEvent {
    /// A message was sent, here or elsewhere.
    Message(Message),
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

/// The id of a message: random, chosen by its sender.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub String);

/// A chat message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The sender; `None` for oneself.
    pub peer: Option<PeerId>,
    /// The sender's name as it was shown at the time.
    pub sender: String,
    /// The sender's identity key.
    pub key: PublicKey,
    /// Plain text, never markup.
    pub text: String,
    /// When it was sent, by the sender's clock, but never later than it arrived.
    pub at: Millis,
    /// Whether it was sent to one person only.
    pub private: bool,
    /// The receiver's name as it was shown at the time, for an own message to one person only.
    pub to: Option<String>,
}
