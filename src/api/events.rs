//! The events that the listener is called with: their kind, followed by
//!
//! | kind | arguments |
//! | --- | --- |
//! | `opened` | `{ id, user, room, fingerprint }` |
//! | `failed` | a sentence |
//! | `outdated` | none: the room was left and is being entered anew |
//! | `notice`, `refused` | a sentence |
//! | `status` | `{ state, people, reconnecting?, unreached?, ownTabs?, dropping?, retryAt? }` |
//! | `peer`, `request` | `{ id, user, name, key, fingerprint, state, trust, info, presence, muted }` |
//! | `withdrawn` | peer id |
//! | `gone` | peer id, reason |
//! | `validationfailure` | the peer as in `peer`, a sentence |
//! | `message` | the message as in [`message`], the id of its peer if it is here |
//! | `messagechange` | the message, the id of its peer if it is here |
//! | `delivery` | message id, to how many it was sent, how many have it, how many it is meant for |
//! | `unsaid` | message id, a sentence |
//! | `typing` | peer id |
//! | `unreadable` | peer id, how many messages |
//! | `sent` | the first and the last of consecutive tokens |
//! | `sendfailed` | token, code, a sentence |
//! | `value` | peer id, whether it is a `dm`, JSON; or `undefined`, the kind of the bytes, and the bytes |
//! | `question` | peer id, question id, topic or `undefined`, JSON |
//! | `answered` | token, code or `undefined`, JSON or a sentence |
//! | `attachment` | hash and size of a file beside a message, whether it is here, how many bytes have come, a sentence if it failed |
//! | `file` | peer id, number, name, size, type |
//! | `fileprogress` | whether the file is ours, its token or number, stored bytes |
//! | `filedone` | whether the file is ours, its token or number |
//! | `filefailed` | whether the file is ours, its token or number, code, a sentence |
//! | `calls` | how it stands with calls: a `View` of `embed/calls/contract.ts` without people and titles, in JSON |
//! | `called` | the conversation of a call that is over, and what became of it |
//! | `pong` | token, milliseconds |

use base64ct::{Base64UrlUnpadded, Encoding};
use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::JsValue;

use crate::browser::object;
use crate::identity::{PeerId, PublicKey};
use crate::room::{
    Activity, AppEvent, AskError, AttachmentEvent, CallEvent, ChatEvent, Conversation, Diagnostics,
    Event, FileError, FileEvent, FileState, Message, PeerView, PeopleEvent, Purpose, Reaction,
    SendError, Status, Value,
};
use crate::rtc::file_channel::FileId;
use crate::time::Millis;
use crate::wire::FileHash;

/// An event that waits for the listener.
pub(super) enum EngineEvent {
    Opened(Object),
    Failed(String),
    Outdated,
    Notice(String),
    Sent {
        first: u32,
        last: u32,
    },
    /// It stands in another way with calls.
    Calls,
    Room(Event),
}

impl From<Event> for EngineEvent {
    fn from(event: Event) -> EngineEvent {
        match event {
            Event::App(AppEvent::Sent { token }) => EngineEvent::Sent {
                first: token,
                last: token,
            },
            event => EngineEvent::Room(event),
        }
    }
}

impl EngineEvent {
    /// The listener's arguments: none if there is nothing to tell. `calls` writes how it stands with calls, in a room.
    pub(super) fn into_arguments(self, calls: impl FnOnce() -> Option<String>) -> Array {
        match self {
            EngineEvent::Opened(opened) => list("opened", [opened.into()]),
            EngineEvent::Failed(sentence) => list("failed", [sentence.into()]),
            EngineEvent::Outdated => list("outdated", []),
            EngineEvent::Notice(sentence) => list("notice", [sentence.into()]),
            EngineEvent::Sent { first, last } => list("sent", [first.into(), last.into()]),
            EngineEvent::Calls => {
                calls().map_or_else(Array::new, |view| list("calls", [view.into()]))
            }
            EngineEvent::Room(event) => arguments(event),
        }
    }
}

/// A conversation: `{ id, name, key? }`.
pub(super) fn conversation(conversation: &Conversation, name: Option<String>) -> Object {
    let key = match conversation {
        Conversation::Channel(_) => JsValue::UNDEFINED,
        Conversation::Direct(_) => conversation.to_string().into(),
    };
    let name = match conversation {
        Conversation::Channel(channel) => Some(channel.clone()),
        Conversation::Direct(_) => name,
    };
    object(&[
        ("id", conversation.to_string().into()),
        ("name", name.into()),
        ("key", key),
    ])
}

/// A message: `{ id, conversation, sender, key, own, trust, text, file?, at, replyTo?, earlier, retracted, reactions,
/// caughtUp, forked, imported }`, with `file` as `{ name, size, type, hash }`, and `reactions` as a list of
/// `{ emoji, own, people: [{ key, name }] }`.
pub(super) fn message(message: &Message) -> Object {
    let reaction = |reaction: &Reaction| {
        let people = reaction.people.iter();
        let people: Array = people
            .map(|(key, name)| object(&[("key", key_text(key)), ("name", name.clone().into())]))
            .collect();
        object(&[
            ("emoji", reaction.emoji.clone().into()),
            ("own", reaction.own.into()),
            ("people", people.into()),
        ])
    };
    let earlier: Array = message
        .earlier
        .iter()
        .map(|text| JsValue::from(text.clone()))
        .collect();
    let reactions: Array = message.reactions.iter().map(reaction).collect();
    let file = message.file.as_ref().map_or(JsValue::UNDEFINED, |file| {
        let described = [
            ("name", file.name.clone().into()),
            ("size", (file.size as f64).into()),
            ("type", file.mime.clone().into()),
            ("hash", hash_text(&file.hash)),
        ];
        object(&described).into()
    });
    let reply_to = message.reply_to.as_ref().map(|id| id.0.clone());
    object(&[
        ("id", message.id.0.clone().into()),
        ("conversation", message.conversation.to_string().into()),
        ("sender", message.sender.clone().into()),
        ("key", key_text(&message.key)),
        ("own", message.own.into()),
        ("trust", message.trust.as_str().into()),
        ("text", message.text.clone().into()),
        ("file", file),
        ("at", (message.at.0 as f64).into()),
        ("replyTo", reply_to.into()),
        ("earlier", earlier.into()),
        ("retracted", message.retracted.into()),
        ("reactions", reactions.into()),
        ("caughtUp", message.caught_up.into()),
        ("forked", message.forked.into()),
        ("imported", message.imported.into()),
    ])
}

fn key_text(key: &PublicKey) -> JsValue {
    Base64UrlUnpadded::encode_string(&key.0).into()
}

fn hash_text(hash: &FileHash) -> JsValue {
    Base64UrlUnpadded::encode_string(&hash.0).into()
}

fn id_if(peer: Option<PeerId>) -> JsValue {
    peer.map_or(JsValue::UNDEFINED, id)
}

fn arguments(event: Event) -> Array {
    match event {
        Event::Status(status) => list("status", [status_of(status).into()]),
        Event::People(PeopleEvent::Changed(view)) => list("peer", [peer(&view).into()]),
        Event::People(PeopleEvent::Request(view)) => list("request", [peer(&view).into()]),
        Event::People(PeopleEvent::RequestWithdrawn(peer)) => list("withdrawn", [id(peer)]),
        Event::People(PeopleEvent::Gone { peer, reason }) => {
            list("gone", [id(peer.id), reason.as_str().into()])
        }
        Event::People(PeopleEvent::Unreadable { peer, count }) => {
            list("unreadable", [id(peer), count.into()])
        }
        Event::People(PeopleEvent::ValidationFailure { peer: view, reason }) => {
            list("validationfailure", [peer(&view).into(), reason.into()])
        }
        Event::Chat(ChatEvent::Message(said)) => {
            list("message", [message(&said).into(), id_if(said.peer)])
        }
        Event::Chat(ChatEvent::Changed(said)) => {
            list("messagechange", [message(&said).into(), id_if(said.peer)])
        }
        Event::Chat(ChatEvent::Delivery {
            id,
            sent,
            delivered,
            of,
        }) => list(
            "delivery",
            [id.0.into(), sent.into(), delivered.into(), of.into()],
        ),
        Event::Chat(ChatEvent::Failed { id, reason }) => {
            list("unsaid", [id.0.into(), reason.to_string().into()])
        }
        Event::Call(CallEvent::Noted(note)) if note.is_new => {
            let conversation = note.conversation.to_string();
            list(
                "called",
                [conversation.into(), super::calls::outcome(note.what)],
            )
        }
        Event::Call(_)
        | Event::Chat(ChatEvent::Read(..) | ChatEvent::Deleted(_) | ChatEvent::Found { .. })
        | Event::App(AppEvent::Sent { .. }) => Array::new(),
        Event::Refused(sentence) => list("refused", [sentence.into()]),
        Event::Chat(ChatEvent::Typing { peer, .. }) => list("typing", [id(peer)]),
        Event::App(AppEvent::SendFailed { token, reason }) => list(
            "sendfailed",
            [
                token.into(),
                send_failure(reason).into(),
                reason.to_string().into(),
            ],
        ),
        Event::App(AppEvent::Value {
            peer,
            purpose,
            value,
        }) => {
            let dm = (purpose == Purpose::Dm).into();
            match value {
                Value::Json(json) => list("value", [id(peer), dm, json.into()]),
                Value::Bytes { kind, bytes } => list(
                    "value",
                    [
                        id(peer),
                        dm,
                        JsValue::UNDEFINED,
                        kind.into(),
                        Uint8Array::from(&bytes[..]).into(),
                    ],
                ),
            }
        }
        Event::App(AppEvent::Question {
            peer,
            question,
            topic,
            content,
        }) => list(
            "question",
            [id(peer), question.into(), topic.into(), content.into()],
        ),
        Event::App(AppEvent::Answered { token, result, .. }) => match result {
            Ok(answer) => list(
                "answered",
                [token.into(), JsValue::UNDEFINED, answer.into()],
            ),
            Err(error) => {
                let code = match error {
                    AskError::Timeout => "timeout",
                    AskError::Gone => "gone",
                    AskError::Failed(_) => "failed",
                };
                list(
                    "answered",
                    [token.into(), code.into(), error.to_string().into()],
                )
            }
        },
        Event::File(event) => file(event),
        Event::Attachment(AttachmentEvent { key, view }) => {
            let (done, why) = match view.state {
                FileState::Transferring { done, .. } => (done, None),
                FileState::Failed(why) => (0, Some(why)),
                _ => (0, None),
            };
            let (size, done) = (key.size as f64, done as f64);
            let (here, hash) = (view.here.into(), hash_text(&key.hash));
            list(
                "attachment",
                [hash, size.into(), here, done.into(), why.into()],
            )
        }
        Event::App(AppEvent::Pong { token, after, .. }) => {
            list("pong", [token.into(), (after.as_millis() as f64).into()])
        }
    }
}

fn file(event: FileEvent) -> Array {
    let name = |file| match file {
        FileId::Ours(token) => (JsValue::TRUE, JsValue::from(token)),
        FileId::Theirs(number) => (JsValue::FALSE, JsValue::from(number)),
    };
    // Exact: sizes are at most 2^53.
    let number = |bytes: u64| JsValue::from(bytes as f64);
    match event {
        FileEvent::Offered {
            peer,
            file,
            name,
            size,
            mime,
        } => {
            let size = number(size);
            list(
                "file",
                [id(peer), file.into(), name.into(), size, mime.into()],
            )
        }
        FileEvent::Progress { file, stored } => {
            let (ours, name) = name(file);
            list("fileprogress", [ours, name, number(stored)])
        }
        FileEvent::Done(file) => {
            let (ours, name) = name(file);
            list("filedone", [ours, name])
        }
        FileEvent::Failed { file, reason } => {
            let (ours, name) = name(file);
            let code = match reason {
                FileError::Gone => "gone",
                FileError::Refused(_) => "refused",
                FileError::Failed(_) => "failed",
            };
            let sentence = reason.to_string();
            list("filefailed", [ours, name, code.into(), sentence.into()])
        }
    }
}

fn list<const N: usize>(kind: &str, values: [JsValue; N]) -> Array {
    let list = Array::of1(&kind.into());
    for value in &values {
        list.push(value);
    }
    list
}

/// The counts since joining.
pub(super) fn stats(counted: &Diagnostics) -> Object {
    let number = |count: u64| JsValue::from(count as f64);
    let dropped = counted.dropped.iter();
    let dropped: Vec<_> = dropped
        .map(|(reason, count)| (*reason, number(*count)))
        .collect();
    object(&[
        ("published", number(counted.published)),
        ("publishedBytes", number(counted.published_bytes)),
        ("received", number(counted.received)),
        ("signaturesChecked", number(counted.signatures_checked)),
        ("connectionsOpened", number(counted.connections_opened)),
        ("dropped", object(&dropped).into()),
    ])
}

fn id(peer: PeerId) -> JsValue {
    peer.to_string().into()
}

fn peer(view: &PeerView) -> Object {
    object(&[
        ("id", id(view.id)),
        ("user", (&*view.user).into()),
        ("name", view.name.as_str().into()),
        ("key", Base64UrlUnpadded::encode_string(&view.key.0).into()),
        ("fingerprint", view.key.fingerprint().into()),
        ("state", view.state.as_str().into()),
        ("trust", view.trust.as_str().into()),
        ("info", view.info.clone().into()),
        ("muted", view.muted.into()),
        ("presence", view.activity.map(Activity::as_str).into()),
    ])
}

fn send_failure(reason: SendError) -> &'static str {
    match reason {
        SendError::Gone | SendError::Lost => "gone",
        SendError::TooLarge | SendError::Malformed => "refused",
    }
}

fn status_of(status: Status) -> Object {
    let entries = |state: &str, people: u32, rest: &[(&str, JsValue)]| {
        let common = [("state", state.into()), ("people", people.into())];
        object(&[&common, rest].concat())
    };
    // Milliseconds since 1970 stay below 2^53, so a float holds them exactly.
    let time = |at: Millis| [("retryAt", JsValue::from(at.0 as f64))];
    let alone = [("reconnecting", JsValue::from(0))];
    match status {
        Status::Joining => entries("joining", 0, &alone),
        Status::Looking {
            retry_at,
            own_tabs,
            dropping,
        } => {
            let more = [
                ("ownTabs", own_tabs.into()),
                ("dropping", dropping.into()),
                ("retryAt", retry_at.map(|at| at.0 as f64).into()),
            ];
            entries("looking", 0, &more)
        }
        Status::Connected {
            people,
            reconnecting,
            own_tabs,
        } => {
            let more = [
                ("reconnecting", reconnecting.into()),
                ("ownTabs", own_tabs.into()),
            ];
            entries("connected", people, &more)
        }
        Status::NoPath { people, unreached } => {
            entries("no-path", people, &[("unreached", unreached.into())])
        }
        Status::Unreachable { people, retry_at } => entries("unreachable", people, &time(retry_at)),
        Status::Refused { people, retry_at } => entries("refused", people, &time(retry_at)),
        Status::Full { people } => entries("full", people, &alone),
        Status::Left => entries("left", 0, &alone),
    }
}
