//! Passing a message on: to whom, and how it reads there.

use crate::identity::PublicKey;
use crate::room::{ChatCommand, Conversation, Message};
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

/// Where messages can be passed on to: the conversations, and the people who are here.
pub fn destinations(state: &State) -> Vec<Destination> {
    let listed = state.listed().into_iter();
    let mut all: Vec<Destination> = listed
        .map(|listed| match &listed.conversation {
            Conversation::Channel(name) => Destination {
                name: ["#", name].concat(),
                key: None,
                to: listed.conversation,
            },
            Conversation::Direct(key) => Destination {
                name: listed.title,
                key: Some(*key),
                to: listed.conversation,
            },
        })
        .collect();
    let people = state.people.iter();
    for peer in people.filter(|_| state.opening.features.direct) {
        let to = Conversation::Direct(peer.key);
        let is_new = all.iter().all(|other| other.to != to);
        if is_new && is_here(peer.state) && !state.is_own_tab(peer) {
            all.push(Destination {
                name: peer.name.to_string(),
                key: Some(peer.key),
                to,
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
    ChatCommand::Say {
        conversation: Some(to.clone()),
        text,
        reply_to: None,
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
            let to = Conversation::Channel("lobby".into());
            let message = Message::new(id, to.clone(), sender.into(), key, text.into(), Millis(0));
            let ChatCommand::Say {
                conversation, text, ..
            } = command(&message, &to)
            else {
                panic!("something that is said");
            };
            assert_eq!(conversation, Some(to));
            assert!(text.ends_with("\n\n- one\n- *two*"), "{text}");
            let shown = plain(&text);
            assert!(
                shown.starts_with(&format!("Forwarded from {sender}")),
                "{shown}"
            );
        }
    }
}
