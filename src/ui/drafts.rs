//! What was typed and not sent yet, for each conversation. The browser keeps it for the tab, also when the page is loaded
//! again.

use super::composing::{Composing, Purpose};
use crate::room::{Conversation, MAX_TEXT, MessageId};

/// At most this many bytes of a text are kept: more than a message may have, since what is too long can be shortened.
const MAX_BYTES: usize = 6 * MAX_TEXT;

/// What stands in the composer of one conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// The message that the text is about.
    pub composing: Option<Composing>,
}

impl Draft {
    /// Writes it as it is kept; nothing if there is nothing to keep.
    pub fn write(&self) -> Option<String> {
        if self.text.is_empty() && self.composing.is_none() {
            return None;
        }
        let place = self.composing.as_ref();
        let place = place.map(|about| about.conversation.to_string());
        let fields = match &self.composing {
            None => [""; 6],
            Some(about) => [
                match about.purpose {
                    Purpose::Reply => "reply",
                    Purpose::Edit => "edit",
                },
                &about.id.0,
                place.as_deref().unwrap_or_default(),
                &about.sender,
                &about.text,
                beginning(about.aside.as_deref().unwrap_or_default()),
            ],
        };
        // Nobody types what separates the fields; the last one may have it.
        Some([&fields.join("\0"), beginning(&self.text)].join("\0"))
    }

    /// Reads what [`Draft::write`] wrote. Scripts of the same origin can write there as well, so anything may come.
    pub fn read(kept: &str) -> Draft {
        let mut fields = kept.splitn(7, '\0');
        let mut next = || beginning(fields.next().unwrap_or_default()).to_owned();
        let purpose = match next().as_str() {
            "reply" => Some(Purpose::Reply),
            "edit" => Some(Purpose::Edit),
            _ => None,
        };
        let (id, conversation, sender, quoted) = (next(), next(), next(), next());
        let (aside, text) = (next(), next());
        let about = purpose.zip(Conversation::parse(&conversation));
        let composing = about.map(|(purpose, conversation)| Composing {
            purpose,
            id: MessageId(id),
            conversation,
            sender,
            text: quoted,
            begun: Some(text.clone()),
            aside: Some(aside),
        });
        Draft { text, composing }
    }
}

/// As much of a text as is kept.
fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_BYTES)]
}

#[cfg(target_arch = "wasm32")]
mod kept {
    use super::Draft;
    use crate::ui::backend::{Entry, Opening};
    use crate::ui::hooks::listen::window;

    /// The key under which the draft of a conversation is kept.
    pub fn key(opening: &Opening, conversation: &str) -> String {
        // Rooms of one name differ by their secret, which stays in the address: the number does not tell it.
        let number = |number: u32, byte| (number ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        let room = match opening.entry {
            Entry::Private => opening.link.bytes().fold(0, number).to_string(),
            _ => opening.room.clone(),
        };
        ["rtchat/1/draft/", &room, "/", conversation].concat()
    }

    /// Keeps a draft. Where storage is blocked or full, it stays in its field alone.
    pub fn keep(key: &str, draft: &Draft) {
        if let Ok(Some(storage)) = window().session_storage() {
            let _ = match draft.write() {
                Some(draft) => storage.set_item(key, &draft),
                None => storage.remove_item(key),
            };
        }
    }

    /// What was kept.
    pub fn kept(key: &str) -> Draft {
        let storage = window().session_storage().ok().flatten();
        let kept = storage.and_then(|storage| storage.get_item(key).ok().flatten());
        Draft::read(&kept.unwrap_or_default())
    }
}

#[cfg(target_arch = "wasm32")]
pub use kept::{keep, kept, key};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::PublicKey;

    fn about(purpose: Purpose) -> Composing {
        Composing {
            purpose,
            id: MessageId("m1".into()),
            conversation: Conversation::Channel("lobby".into()),
            sender: "ann".into(),
            text: "what\nshe said".into(),
            begun: None,
            aside: Some("before".into()),
        }
    }

    #[test]
    fn what_was_typed_comes_back_with_what_it_is_about() {
        assert_eq!(Draft::default().write(), None);
        for composing in [None, Some(Purpose::Reply), Some(Purpose::Edit)] {
            let draft = Draft {
                text: "hi\0 there\n".into(),
                composing: composing.map(about),
            };
            let read = Draft::read(&draft.write().unwrap());
            assert_eq!(read.text, draft.text);
            let begun = composing.map(|purpose| Composing {
                begun: Some(draft.text.clone()),
                ..about(purpose)
            });
            assert_eq!(read.composing, begun);
        }
        let conversation = Conversation::Direct(PublicKey([7; 33]));
        let direct = Draft {
            composing: Some(Composing {
                conversation: conversation.clone(),
                ..about(Purpose::Reply)
            }),
            ..Draft::default()
        };
        let read = Draft::read(&direct.write().unwrap()).composing.unwrap();
        assert_eq!(read.conversation, conversation);
    }

    #[test]
    fn whatever_is_kept_can_be_read_and_is_bounded() {
        for kept in ["", "x", "\0\0", "edit\0\0\0\0\0\0", "reply"] {
            let read = Draft::read(kept);
            assert!(read.text.is_empty(), "{kept:?}");
        }
        let long = "é".repeat(MAX_BYTES);
        let draft = Draft {
            text: long.clone(),
            ..Draft::default()
        };
        let read = Draft::read(&draft.write().unwrap());
        assert_eq!(read.text.len(), MAX_BYTES);
        let all = Draft::read(&["edit", &long, "#lobby", &long, &long, &long, &long].join("\0"));
        let aside = all.composing.and_then(|about| about.aside);
        assert_eq!(aside.unwrap().len(), MAX_BYTES);
    }
}
