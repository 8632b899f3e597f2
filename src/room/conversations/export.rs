//! What was said in a room, as a file that can be read elsewhere and imported again. `docs/EXPORT.md` describes it.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::Conversations;
use super::log::Held;
use super::thread::Thread;
use crate::identity::PublicKey;
use crate::json::{list, object, quoted};
use crate::room::cx::Cx;
use crate::room::io::Conversation;
use crate::room::members::Members;
use crate::wire::RoomId;
use crate::wire::entry::{Content, EntryId, entry_name};

/// What the field `format` of every such file says.
pub(super) const FORMAT: &str = "rtchat-export";
/// The version of the format, as JSON.
pub(super) const VERSION: &str = "1";

impl Conversations {
    /// Returns everything that is here, as JSON. The names of the room and its page are for whoever reads the file.
    pub fn export(&self, room: &str, page: &str, members: &Members, cx: &Cx) -> String {
        let begun = self.threads.iter().filter(|thread| thread.log.size().0 > 0);
        let conversations = list(begun.map(|thread| conversation(thread, members)));
        object([
            ("format", quoted(FORMAT)),
            ("version", VERSION.to_owned()),
            (
                "room",
                object([
                    ("id", quoted(&room_name(&cx.own.room))),
                    ("name", quoted(room)),
                    ("page", quoted(page)),
                ]),
            ),
            ("by", person(&cx.own.key, Some(cx.own.name.as_str()))),
            ("exported", cx.now.0.to_string()),
            ("conversations", conversations),
        ])
    }
}

/// The room's id, as it stands in the file.
pub(super) fn room_name(room: &RoomId) -> String {
    Base64UrlUnpadded::encode_string(&room.0)
}

fn key_name(key: &PublicKey) -> String {
    Base64UrlUnpadded::encode_string(&key.0)
}

fn person(key: &PublicKey, name: Option<&str>) -> String {
    let name = name.map(|name| ("name", quoted(name)));
    object([("key", quoted(&key_name(key)))].into_iter().chain(name))
}

fn conversation(thread: &Thread, members: &Members) -> String {
    let place = match &thread.conversation {
        Conversation::Channel(name) => ("channel", quoted(name)),
        Conversation::Direct(other) => ("with", person(other, members.name_of(other).as_deref())),
    };
    object([place, ("entries", list(thread.log.iter().map(entry)))])
}

/// What an entry says, for people and programs, and the entry as it was signed, which alone counts.
fn entry(held: &Held) -> String {
    let entry = &held.entry;
    let body = entry.body();
    let text = |name: &'static str, text: &str| Some((name, quoted(text)));
    let id = |name: &'static str, id: &EntryId| text(name, &entry_name(id));
    let answers = |reply_to: &Option<EntryId>| reply_to.as_ref().and_then(|it| id("answers", it));
    let (kind, about) = match body.as_ref().map(|body| &body.content) {
        Some(Content::Say {
            reply_to,
            text: said,
        }) => ("message", [answers(reply_to), text("text", said), None]),
        Some(Content::File {
            reply_to,
            file,
            text: said,
        }) => {
            let file = text("file", &file.name);
            ("message", [answers(reply_to), text("text", said), file])
        }
        Some(Content::Edit { target, text: said }) => {
            ("edit", [id("of", target), text("text", said), None])
        }
        Some(Content::Retract { target }) => ("taking back", [id("of", target), None, None]),
        Some(Content::React { target, emoji, on }) => {
            let kind = if *on { "reaction" } else { "no reaction" };
            (kind, [id("of", target), text("emoji", emoji), None])
        }
        None if entry.has_body() => ("unknown", [None, None, None]),
        None => ("taken back", [None, None, None]),
    };
    let mut bytes = Vec::with_capacity(entry.size());
    entry.write(&mut bytes);
    let head = [
        text("kind", kind),
        Some(("at", entry.clock.millis().0.to_string())),
        text("author", &key_name(&entry.author)),
        body.as_ref().and_then(|body| text("name", &body.user())),
        id("id", &entry.id()),
    ];
    let is_unproven = held.origin.is_unproven;
    let tail = [
        is_unproven.then(|| ("imported", "true".to_owned())),
        text("entry", &Base64UrlUnpadded::encode_string(&bytes)),
    ];
    object(head.into_iter().chain(about).chain(tail).flatten())
}
