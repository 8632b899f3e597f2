//! Messages that answer each other, were changed, taken back and reacted to.

use super::people::lobby;
use crate::identity::{PeerId, PublicKey};
use crate::room::{Message, MessageId, Reaction};
use crate::time::Millis;

/// What mentions people, and what was passed on: the byte of a key, a name, and a text.
pub const WRITING: [(u8, &str, &str); 3] = [
    (
        1,
        "Ben",
        "@Ada, could you ask @Claire Dubois about *Friday*?",
    ),
    (200, "Ada", "I do. @ben, and who brings the cake? 🎂"),
    (
        2,
        "Claire Dubois",
        "> Forwarded from أمل\n\nThe cake is **mine**:\n- flour\n- eggs",
    ),
];

/// The messages, by Ben, Claire and Ada, whose page it is.
pub fn answers(now: Millis, ben: PublicKey, claire: PublicKey, ada: PublicKey) -> Vec<Message> {
    let said = |id: &str, own: bool, user: &str, key, text: &str| Message {
        own,
        peer: (!own).then_some(PeerId([if key == ben { 1 } else { 2 }; 16])),
        ..Message::new(
            MessageId(id.into()),
            lobby(),
            user.into(),
            key,
            text.into(),
            now,
        )
    };
    let people = |names: &[&str]| names.iter().map(|name| (ben, (*name).to_owned())).collect();
    let reaction = |emoji: &str, names: &[&str], own| Reaction {
        emoji: emoji.into(),
        people: people(names),
        own,
    };
    let question = "Shall we meet at the fountain, or rather at the *station*, where there is a roof in case it rains?";
    let answered = |message: Message| Message {
        reply_to: Some(MessageId("question".into())),
        ..message
    };
    vec![
        Message {
            reactions: vec![
                reaction("👍", &["Ben", "Claire", "Ada"], true),
                reaction("🎉", &["Claire"], false),
            ],
            ..said("question", false, "Ben", ben, question)
        },
        answered(said("answer", false, "Claire", claire, "At the station")),
        Message {
            earlier: vec!["I come latr".into()],
            reactions: vec![reaction("❤️", &["Ben"], false)],
            ..answered(said("own", true, "Ada", ada, "I come later"))
        },
        said("more", true, "Ada", ada, "By bicycle"),
        Message {
            retracted: true,
            ..said("back", true, "Ada", ada, "")
        },
        Message {
            reply_to: Some(MessageId("gone".into())),
            ..said("lost", false, "Ben", ben, "Fine")
        },
        Message {
            forked: true,
            ..said("fork", false, "Claire", claire, "I pay for all")
        },
        Message {
            retracted: true,
            ..said("back too", false, "Claire", claire, "")
        },
    ]
}
