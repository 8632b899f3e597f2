//! Passing a message on: to whom, and how it reads there.

use crate::identity::{PeerId, PublicKey};
use crate::room::{ChatCommand, MAIN_CHANNEL, Message};
use crate::ui::state::{State, is_here};

/// What the line above a message that was passed on begins with.
pub const FORWARDED: &str = "Forwarded from ";

/// Where a message can be passed on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// What it is called.
    pub name: String,
    /// The key of the person, if it is one.
    pub key: Option<PublicKey>,
    /// Which conversation it is.
    pub to: Conversation,
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// A channel of the room.
    Channel(String),
    /// One person who is here.
    Person(PeerId),
}

/// Where messages can be passed on to: the channel, and the people who are here.
pub fn destinations(state: &State) -> Vec<Destination> {
    let mut all = vec![Destination {
        name: ["#", MAIN_CHANNEL].concat(),
        key: None,
        to: Conversation::Channel(MAIN_CHANNEL.to_owned()),
    }];
    for peer in state.people.iter() {
        if is_here(peer.state) && !state.is_own_tab(peer) {
            all.push(Destination {
                name: peer.user.clone(),
                key: Some(peer.key),
                to: Conversation::Person(peer.id),
            });
        }
    }
    all
}

/// The command that passes a message on. Who wrote it is a quote above it, which every client can show.
pub fn command(message: &Message, to: &Conversation) -> ChatCommand {
    let mut text = ["> ", FORWARDED].concat();
    for c in message.sender.chars() {
        // The signs of Markdown within a line. A backslash before another one is itself.
        if "*_~`[]".contains(c) {
            text.push('\\');
        }
        text.push(c);
    }
    text += "\n\n";
    text += &message.text;
    match to {
        Conversation::Channel(name) => ChatCommand::Say {
            channel: Some(name.clone()),
            text,
            reply_to: None,
        },
        Conversation::Person(peer) => ChatCommand::SayTo { peer: *peer, text },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::MessageId;
    use crate::time::Millis;
    use crate::ui::markdown::plain;

    #[test]
    fn the_text_stays_and_the_author_stands_above_it() {
        for sender in ["ann", "*ann* _b_ (3f2a) [x](y) `z`", "a\\b\\*c*"] {
            let text = "- one\n- *two*";
            let (id, key) = (MessageId("m".into()), PublicKey([1; 33]));
            let message = Message::new(id, sender.into(), key, text.into(), Millis(0));
            let to = Conversation::Channel("lobby".into());
            let ChatCommand::Say { channel, text, .. } = command(&message, &to) else {
                panic!("a channel");
            };
            assert_eq!(channel.as_deref(), Some("lobby"));
            assert!(text.ends_with("\n\n- one\n- *two*"), "{text}");
            let shown = plain(&text);
            assert!(
                shown.starts_with(&format!("Forwarded from {sender}")),
                "{shown}"
            );
            let direct = command(&message, &Conversation::Person(PeerId([1; 16])));
            assert!(matches!(direct, ChatCommand::SayTo { .. }));
        }
    }
}
