//! The chat embedded in another site's page: the options of that page, and the events it receives.

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::browser::object;
use crate::room::{ChatEvent, Conversation, Event, Message, PeerView, PeopleEvent, Status};
use crate::ui::Counts;

/// The options of the host page, and the function that receives events.
#[derive(Debug)]
pub struct Embedding {
    /// The address of the page that the room belongs to, without query and fragment.
    pub page: String,
    /// The settings, as in `rtchat.json`. `embed/widget/` has already let the page's options override that file.
    pub settings: String,
    /// The name to join with, so that the person is not asked for one.
    pub name: Option<String>,
    listener: Function,
}

impl Embedding {
    /// Reads `{ page, settings, name }`. The listener is called with the kind of an event and an object.
    pub fn new(options: &Object, listener: Function) -> Embedding {
        let text = |key: &str| Reflect::get(options, &key.into()).ok()?.as_string();
        Embedding {
            page: text("page").unwrap_or_default(),
            settings: text("settings").unwrap_or_else(|| "{}".to_owned()),
            name: text("name"),
            listener,
        }
    }

    /// Calls the host page's listener. An exception that the listener throws is ignored.
    pub fn notify(&self, kind: &str, details: &[(&str, JsValue)]) {
        let _ = self
            .listener
            .call2(&JsValue::UNDEFINED, &kind.into(), &object(details));
    }

    /// Forwards the events that a host page may react to.
    pub fn forward(&self, event: &Event) {
        match event {
            Event::Chat(ChatEvent::Message(message)) if !message.caught_up => self.message(message),
            Event::People(PeopleEvent::Changed(peer)) => {
                self.peer(peer, peer.state.as_str(), JsValue::NULL)
            }
            Event::People(PeopleEvent::Gone { peer, reason }) => {
                self.peer(peer, "gone", reason.as_str().into());
            }
            Event::Status(status) => self.status(*status),
            _ => {}
        }
    }

    fn message(&self, message: &Message) {
        let file = message.file.as_ref().map_or(JsValue::NULL, |file| {
            let details = [
                ("name", file.name.as_str().into()),
                // Below 2^53.
                ("size", (file.size as f64).into()),
                ("type", file.mime.as_str().into()),
            ];
            object(&details).into()
        });
        let details = [
            ("id", message.id.0.as_str().into()),
            ("conversation", message.conversation.to_string().into()),
            ("text", message.text.as_str().into()),
            ("sender", message.sender.as_str().into()),
            ("fingerprint", message.key.fingerprint().into()),
            ("file", file),
            ("own", (message.own && message.peer.is_none()).into()),
            // Milliseconds since 1970 stay below 2^53, so a float holds them exactly.
            ("time", (message.at.0 as f64).into()),
        ];
        self.notify("message", &details);
    }

    /// Tells what a closed chat shows.
    pub fn counts(&self, counts: &Counts) {
        let unread = counts.by_conversation.iter();
        let names: Vec<String> = unread.map(|(its, _)| its.to_string()).collect();
        let unread = names.iter().zip(&counts.by_conversation);
        let unread: Vec<_> = unread
            .map(|(name, (_, count))| (name.as_str(), JsValue::from(*count)))
            .collect();
        let details = [
            ("unread", counts.unread.into()),
            ("unreadIn", object(&unread).into()),
            ("mentioned", counts.mentioned.into()),
            ("people", counts.people.into()),
        ];
        self.notify("counts", &details);
    }

    fn peer(&self, peer: &PeerView, state: &str, reason: JsValue) {
        let details = [
            ("user", peer.user.as_str().into()),
            ("id", peer.id.to_string().into()),
            ("key", Conversation::Direct(peer.key).to_string().into()),
            ("fingerprint", peer.key.fingerprint().into()),
            ("state", state.into()),
            ("trust", peer.trust.as_str().into()),
            ("reason", reason),
        ];
        self.notify("peer", &details);
    }

    fn status(&self, status: Status) {
        let details = [("status", crate::ui::texts::status_word(status).into())];
        self.notify("status", &details);
    }
}
