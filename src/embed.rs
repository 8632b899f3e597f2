//! The chat as a part of somebody's page: what that page asks for, and what it is told.

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::browser::object;
use crate::room::{ChatEvent, Event, Message, PeerView, PeopleEvent, Status};

/// What a host page asks for, and how it hears what happens.
#[derive(Debug)]
pub struct Embedding {
    /// The settings, as in `rtchat.json`: `embed/widget/` has put the page's own options over that file's.
    pub settings: String,
    /// Goes by this name without asking.
    pub name: Option<String>,
    listener: Function,
}

impl Embedding {
    /// Reads `{ settings, name }`. The listener is called with a word and an object.
    pub fn new(options: &Object, listener: Function) -> Embedding {
        let text = |key: &str| Reflect::get(options, &key.into()).ok()?.as_string();
        Embedding {
            settings: text("settings").unwrap_or_else(|| "{}".to_owned()),
            name: text("name"),
            listener,
        }
    }

    /// Tells the host page. What it throws is its own affair.
    pub fn tell(&self, what: &str, details: &[(&str, JsValue)]) {
        let _ = self
            .listener
            .call2(&JsValue::UNDEFINED, &what.into(), &object(details));
    }

    /// Tells what a page may want to react to.
    pub fn happened(&self, event: &Event) {
        match event {
            Event::Chat(ChatEvent::Message(message)) => self.message(message),
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
        let details = [
            ("id", message.id.0.as_str().into()),
            ("text", message.text.as_str().into()),
            ("sender", message.sender.as_str().into()),
            ("fingerprint", message.key.fingerprint().into()),
            ("own", message.peer.is_none().into()),
            // Milliseconds since 1970 fit into a float for longer than there will be browsers.
            ("time", (message.at.0 as f64).into()),
        ];
        self.tell("message", &details);
    }

    fn peer(&self, peer: &PeerView, state: &str, reason: JsValue) {
        let details = [
            ("user", peer.user.as_str().into()),
            ("id", peer.id.to_string().into()),
            ("fingerprint", peer.key.fingerprint().into()),
            ("state", state.into()),
            ("trust", peer.trust.as_str().into()),
            ("reason", reason),
        ];
        self.tell("peer", &details);
    }

    fn status(&self, status: Status) {
        let details = [("status", crate::ui::texts::status_word(status).into())];
        self.tell("status", &details);
    }
}
