//! What was said, as a file for people: `embed/archive/` writes the page or the text, and is loaded when somebody wants one.

use crate::json::{list, object, quoted};
use crate::room::{Conversation, Message, Reaction};
use crate::ui::markdown::{html, parse};
use crate::ui::typed::trimmed;

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A page.
    Html,
    /// Plain text.
    Text,
    /// What can be imported again.
    Json,
}

impl Format {
    /// The word that stands for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Html => "html",
            Format::Text => "text",
            Format::Json => "json",
        }
    }
}

/// A conversation that is exported: which one, the name of the other person in a direct one, and its messages in any order.
pub type Talk = (Conversation, Option<String>, Vec<Message>);

/// Returns what the script writes a file from, as JSON; see the types in `embed/archive/model.ts`.
pub fn model(room: &str, by: &str, talks: Vec<Talk>, format: Format) -> String {
    let begun = talks
        .into_iter()
        .filter(|(_, _, messages)| !messages.is_empty());
    let talks = list(begun.map(|(conversation, name, messages)| {
        let title = match &conversation {
            Conversation::Channel(channel) => format!("#{channel}"),
            Conversation::Direct(key) => name.unwrap_or_else(|| key.fingerprint()),
        };
        let is_direct = matches!(conversation, Conversation::Direct(_));
        let sorted = crate::sort::sorted_by(messages, |one, other| one.order.cmp(&other.order));
        object([
            ("title", quoted(&title)),
            ("direct", is_direct.to_string()),
            ("messages", list(sorted.iter().map(|it| said(it, format)))),
        ])
    }));
    object([("room", quoted(room)), ("by", quoted(by)), ("talks", talks)])
}

fn said(message: &Message, format: Format) -> String {
    let texts = |texts: &[String]| list(texts.iter().map(|text| quoted(text)));
    let reaction = |Reaction { emoji, people, .. }: &Reaction| {
        let names: Vec<String> = people.iter().map(|(_, name)| name.clone()).collect();
        object([("emoji", quoted(emoji)), ("names", texts(&names))])
    };
    let text = trimmed(&message.text);
    let html = (format == Format::Html).then(|| ("html", quoted(&html(&parse(text)))));
    let answers = message
        .reply_to
        .as_ref()
        .map(|id| ("answers", quoted(&id.0)));
    let file = message.file.as_ref().map(|file| {
        let fields = [
            ("name", quoted(&file.name)),
            ("size", file.size.to_string()),
        ];
        ("file", object(fields))
    });
    let fields = [
        ("id", quoted(&message.id.0)),
        ("at", message.at.0.to_string()),
        ("sender", quoted(&message.sender)),
        ("key", quoted(&message.key.fingerprint())),
        ("own", message.own.to_string()),
        ("text", quoted(text)),
        ("earlier", texts(&message.earlier)),
        ("reactions", list(message.reactions.iter().map(reaction))),
        ("retracted", message.retracted.to_string()),
        ("imported", message.imported.to_string()),
    ];
    object(fields.into_iter().chain(html).chain(answers).chain(file))
}

#[cfg(target_arch = "wasm32")]
pub use browser::{provide, save};

#[cfg(target_arch = "wasm32")]
mod browser {
    use std::cell::RefCell;

    use js_sys::{Function, Object, Promise, Reflect};
    use wasm_bindgen::JsCast;
    use wasm_bindgen::prelude::*;
    use wasm_bindgen_futures::JsFuture;

    use super::Format;

    #[wasm_bindgen]
    extern "C" {
        /// The script.
        type Archive;
        #[wasm_bindgen(method, structural, catch)]
        fn save(this: &Archive, format: &str, room: &str, content: &str) -> Result<(), JsValue>;
    }

    thread_local! {
        /// Loads the script. All chats of a page load the same one.
        static LOAD: RefCell<Option<Function>> = const { RefCell::new(None) };
    }

    /// Takes the function `archive` out of the options of a chat.
    pub fn provide(options: &Object) {
        let found = Reflect::get(options, &"archive".into()).ok();
        if let Some(load) = found.and_then(|load| load.dyn_into().ok()) {
            LOAD.set(Some(load));
        }
    }

    /// Saves a file of this format: what [`model`](super::model) returned, or the JSON itself.
    ///
    /// # Errors
    /// A sentence, if the script cannot be loaded.
    pub async fn save(format: Format, room: String, content: String) -> Result<(), String> {
        let load = LOAD.with_borrow(Clone::clone);
        let saved = async {
            let load = load.ok_or(JsValue::UNDEFINED)?;
            let promise: Promise = load.call0(&JsValue::UNDEFINED)?.dyn_into()?;
            let script: Archive = JsFuture::from(promise).await?.unchecked_into();
            script.save(format.as_str(), &room, &content)
        };
        saved.await.map_err(|_: JsValue| {
            "The part of the page that writes files could not be loaded. Try again, or reload the page.".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::PublicKey;
    use crate::json::Json;
    use crate::room::MessageId;
    use crate::time::Millis;

    fn message(number: u64, text: &str) -> Message {
        let id = MessageId(format!("id{number}"));
        let conversation = Conversation::Channel("lobby".to_owned());
        let key = PublicKey([2; 33]);
        Message::new(
            id,
            conversation,
            "ann \"x\"".to_owned(),
            key,
            text.to_owned(),
            Millis(number),
        )
    }

    #[test]
    fn messages_are_written_in_their_order_with_html_only_for_a_page() {
        let lobby = Conversation::Channel("lobby".to_owned());
        let empty = (Conversation::Direct(PublicKey([3; 33])), None, Vec::new());
        let talks = vec![
            (lobby, None, vec![message(2, "*two*"), message(1, "one")]),
            empty,
        ];
        let json = model("garden", "ann", talks.clone(), Format::Html);
        fn get<'a>(json: &'a Json, name: &str) -> &'a Json {
            json.as_object().unwrap().get(name).unwrap()
        }
        let read = Json::parse(&json).unwrap();
        let talks_read = get(&read, "talks").as_list().unwrap();
        let messages = get(&talks_read[0], "messages").as_list().unwrap();
        let field = |at: usize, name: &str| get(&messages[at], name).as_text().map(str::to_owned);
        assert_eq!(talks_read.len(), 1);
        assert_eq!(messages.len(), 2);
        assert_eq!(field(0, "text").as_deref(), Some("one"));
        assert_eq!(field(1, "html").as_deref(), Some("<p><em>two</em></p>"));
        assert_eq!(field(1, "sender").as_deref(), Some("ann \"x\""));
        assert!(!model("garden", "ann", talks, Format::Text).contains("html"));
    }
}
