//! Several conversations: channels with icons, topics and welcome lines, and people to whom something was said directly.

use super::people::key;
use crate::identity::PeerId;
use crate::room::{Conversation, Message, MessageId, Order};
use crate::settings::Channel;
use crate::time::Millis;

/// The channels.
pub fn channels() -> Vec<Channel> {
    let channel = |name: &str, icon: Option<&str>, topic: Option<&str>, welcome: &[&str]| Channel {
        name: name.into(),
        icon: icon.map(Into::into),
        topic: topic.map(Into::into),
        welcome: welcome.iter().map(|line| (*line).to_owned()).collect(),
    };
    let welcome = [
        "Welcome to the summer fair. Say hello, and say which street you live in.",
        "Plans stand in #planning; photographs go to #pictures.",
    ];
    vec![
        channel(
            "lobby",
            None,
            Some("Everything that has no other place"),
            &welcome,
        ),
        channel("planning", Some("🗓️"), Some("Who does what, and when"), &[]),
        channel("pictures", Some("📷"), None, &[]),
        channel("a-channel-with-quite-a-long-name-indeed", None, None, &[]),
    ]
}

/// What was said in them.
pub fn said(now: Millis) -> Vec<Message> {
    let message =
        |number: u64, at: Conversation, byte: u8, own: bool, user: &str, ago: u64, text: &str| {
            let moment = Millis(now.0.saturating_sub(ago * 60_000));
            Message {
                own,
                peer: (!own).then_some(PeerId([byte; 16])),
                order: Order::at(moment),
                with: matches!(at, Conversation::Direct(_)).then(|| "Claire".to_owned()),
                ..Message::new(
                    MessageId(format!("talk-{number}")),
                    at,
                    user.into(),
                    key(byte),
                    text.into(),
                    moment,
                )
            }
        };
    let channel = |name: &str| Conversation::Channel(name.to_owned());
    let direct = |byte: u8| Conversation::Direct(key(byte));
    vec![
        message(
            1,
            channel("lobby"),
            1,
            false,
            "Ben",
            50,
            "Hello from Mill Street!",
        ),
        message(
            2,
            channel("lobby"),
            super::people::OWN,
            true,
            "Ada",
            48,
            "Hello Ben, Harbour Road here.",
        ),
        message(
            3,
            channel("planning"),
            2,
            false,
            "Claire",
            30,
            "The tables come on **Friday** at nine.",
        ),
        message(
            4,
            channel("planning"),
            1,
            false,
            "Ben",
            20,
            "@Ada I bring the van, and a friend who can carry.",
        ),
        message(
            5,
            direct(2),
            2,
            false,
            "Claire",
            12,
            "Can you lend me your drill until Sunday?",
        ),
        message(
            6,
            direct(1),
            super::people::OWN,
            true,
            "Ada",
            60 * 30,
            "The cake is for Greta, say nothing to her.",
        ),
        message(
            7,
            direct(2),
            2,
            false,
            "Claire",
            11,
            "The big one, if you still have it.",
        ),
    ]
}
