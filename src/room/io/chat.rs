//! Messages that people write.

use crate::identity::{PeerId, PublicKey};
use crate::time::Millis;

/// What a person can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatCommand {
    /// Say something to everybody who is here. At most [`MAX_TEXT`](crate::room::MAX_TEXT) characters.
    Say(String),
    /// Say something to one person only.
    SayTo {
        /// To whom.
        peer: PeerId,
        /// What. At most [`MAX_TEXT`](crate::room::MAX_TEXT) characters.
        text: String,
    },
    /// Tell everybody that the person is writing.
    Typing,
}

/// What is told.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatEvent {
    /// A message was said, here or elsewhere.
    Message(Message),
    /// How far an own message came.
    Delivery {
        /// Which.
        id: MessageId,
        /// How many people have it.
        delivered: u32,
        /// How many it was meant for.
        of: u32,
    },
    /// Somebody is writing. Told again every few seconds while it lasts.
    Typing {
        /// Who.
        peer: PeerId,
    },
}

/// Names a message: random, chosen by its sender.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub String);

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Who said it; `None` for oneself.
    pub peer: Option<PeerId>,
    /// The sender's name as it was shown at the time.
    pub sender: String,
    /// The sender's identity key.
    pub key: PublicKey,
    /// Plain text, never markup.
    pub text: String,
    /// When it was said, by the sender's clock, but never later than it arrived.
    pub at: Millis,
    /// Whether it was said to one person only.
    pub private: bool,
    /// Of an own message that was said to one person only: their name as it was shown at the time.
    pub to: Option<String>,
}
