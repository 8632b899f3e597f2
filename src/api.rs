//! The module's engine: a room for `mqtt-rtc.js`, which turns it into promises and events. The engine decides nothing.
//!
//! Every event is passed to one JavaScript function, `listener(kind, …)`, in a microtask of its own and never from
//! within a call, so that nothing is borrowed when the listener calls back. [`events`] lists the arguments of each
//! kind.

mod calls;
mod events;
mod session;

use core::time::Duration;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use base64ct::{Base64UrlUnpadded, Encoding};
use js_sys::{Array, Error, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Blob;

use crate::identity::{Name, PeerId, PublicKey, safety_number};
use crate::room::{
    AppCommand, AttachmentCommand, ChatCommand, Command, Conversation, FileCommand, MessageId,
    PeopleCommand, Purpose, Shown, Value,
};
use crate::rtc::file_channel::FileId;
use crate::rtc::web::WebError;
use crate::rtc::web::file_channel::{Sink, hash_of};
use crate::settings::options::NAME;
use crate::settings::{OptionError, Options};
use crate::wire::attachment::{file_name, media_type};
use crate::wire::{Attachment, FileHash, FileKey};
use session::Inner;

/// An `Error` with a `code`, for JavaScript.
fn error(code: &str, message: &str) -> JsValue {
    let error = Error::new(message);
    // Setting a property of a plain object does not fail.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}

/// Reads the name of a conversation.
fn conversation_of(text: &str) -> Result<Conversation, JsValue> {
    let wanted = "a channel, such as \"#lobby\", or a peer's key";
    Conversation::parse(text).ok_or_else(|| option_error(OptionError::new("conversation", wanted)))
}

fn option_error(option: OptionError) -> JsValue {
    error("option", &option.to_string())
}

/// Takes the function that loads the script that keeps what is said. It is called where something is to be kept.
#[wasm_bindgen(js_name = provideStore)]
pub fn provide_store(load: Function) {
    crate::history::web::provide(load);
}

/// A room that was entered, is being entered, or can be.
#[wasm_bindgen]
pub struct Engine(Rc<Inner>);

#[wasm_bindgen]
impl Engine {
    /// Checks the options, a JSON object. `config` is the address of the settings' file if the options name none.
    ///
    /// # Errors
    /// An error with the code `option`, and a sentence that names the option and describes its valid values.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str, config: String, listener: Function) -> Result<Engine, JsValue> {
        let mut options = Options::parse(options).map_err(option_error)?;
        let name = options.name.as_deref().map(name_of).transpose()?;
        let inner = Rc::new(Inner {
            name: RefCell::new(name),
            config: options.config.take().unwrap_or(config),
            options,
            listener,
            events: RefCell::default(),
            delivering: Cell::new(false),
            session: Cell::new(0),
            asks_about_all: Cell::new(false),
            joined: RefCell::default(),
            call_script: RefCell::default(),
            calls: RefCell::default(),
            deciding: Cell::new(false),
            refusal: RefCell::default(),
        });
        Ok(Engine(inner))
    }

    /// Enters the room. Reported as `opened` or `failed`.
    pub fn open(&self) {
        self.0.close();
        self.0.open();
    }

    /// Leaves the room and frees everything. No further events are delivered.
    pub fn close(&self) {
        self.0.close();
    }

    /// Sets whether the program decides about everybody (`request`), whatever the settings say.
    #[wasm_bindgen(js_name = askAboutAll)]
    pub fn ask_about_all(&self, all: bool) {
        self.0.asks_about_all.set(all);
        self.command(Command::People(PeopleCommand::AskAboutAll(all)));
    }

    /// Answers a `request`. Key and name are those that the program was asked about. Returns a sentence if the room
    /// refuses the answer, because the peer has another name by now.
    pub fn decide(&self, peer: &str, key: &str, name: &str, accept: bool) -> Option<String> {
        self.decision(peer, key, name, |who| PeopleCommand::Decide { who, accept })
    }

    /// Changes the name, and stores it for the next visit. Returns the name as others see it.
    ///
    /// # Errors
    /// An error with the code `option` if the text is not a valid name.
    pub fn rename(&self, name: &str) -> Result<Option<String>, JsValue> {
        let name = name_of(name)?;
        if let Some(joined) = &*self.0.joined.borrow() {
            joined.join.profile.borrow_mut().set_name(name.clone());
        }
        self.0.name.replace(Some(name.clone()));
        self.command(Command::Rename(name));
        let joined = self.0.joined.borrow();
        Ok(joined.as_ref().map(|joined| joined.handle.own().1))
    }

    /// Says something in the direct conversation with this peer's person.
    #[wasm_bindgen(js_name = sayTo)]
    pub fn say_to(&self, peer: &str, text: String) {
        self.to(peer, |peer| {
            Command::Chat(ChatCommand::SayTo { peer, text })
        });
    }

    /// Says something in a conversation: `#name`, or a key for a direct one; without one, in the room's first channel.
    ///
    /// # Errors
    /// An error with the code `option` if the conversation is neither.
    pub fn say(
        &self,
        conversation: Option<String>,
        text: String,
        reply_to: Option<String>,
    ) -> Result<(), JsValue> {
        let conversation = conversation
            .map(|text| conversation_of(&text))
            .transpose()?;
        self.command(Command::Chat(ChatCommand::Say {
            conversation,
            text,
            reply_to: reply_to.map(MessageId),
        }));
        Ok(())
    }

    /// Says something with a file beside it, in a conversation as in `say`. Resolves to the message's id, once the file's hash
    /// is known.
    ///
    /// # Errors
    /// An error with the code `option` if the conversation is none. The promise is rejected with `failed` if the file cannot be
    /// read, `refused` if the room refuses it, or `gone` outside of a room.
    #[wasm_bindgen(js_name = sayFile)]
    pub fn say_file(
        &self,
        conversation: Option<String>,
        blob: Blob,
        name: &str,
        text: String,
        reply_to: Option<String>,
    ) -> Result<Promise, JsValue> {
        let conversation = conversation
            .map(|text| conversation_of(&text))
            .transpose()?;
        let (inner, name) = (self.0.clone(), file_name(name));
        let reply_to = reply_to.map(MessageId);
        Ok(future_to_promise(async move {
            let failed = |thrown: WebError| error("failed", &thrown.to_string());
            let file = Box::new(Attachment {
                hash: FileHash(hash_of(&blob).await.map_err(failed)?),
                // A whole number below 2^53.
                size: blob.size() as u64,
                name,
                mime: media_type(blob.type_()),
                picture: None,
            });
            let say = ChatCommand::SayFile {
                conversation,
                file,
                text,
                reply_to,
            };
            inner.say_file(say, blob)
        }))
    }

    /// Fetches a file beside a message, or stops that. Reported as `attachment`.
    #[wasm_bindgen(js_name = fetchFile)]
    pub fn fetch_file(&self, hash: &str, size: f64, wanted: bool) {
        if let Some(key) = file_key(hash, size) {
            self.command(Command::Attachment(if wanted {
                AttachmentCommand::Fetch(key)
            } else {
                AttachmentCommand::Cancel(key)
            }));
        }
    }

    /// Resolves to a file beside a message, or to `undefined` if its bytes are not here.
    pub fn file(&self, hash: &str, size: f64) -> Promise {
        let joined = self.0.joined.borrow();
        let handle = joined.as_ref().map(|joined| &joined.handle);
        let file = handle
            .zip(file_key(hash, size))
            .map(|(handle, key)| handle.file(key));
        future_to_promise(async move {
            let file = match file {
                Some(file) => file.await,
                None => None,
            };
            Ok(file.into())
        })
    }

    /// Changes the text of an own message.
    pub fn edit(&self, id: String, text: String) {
        let id = MessageId(id);
        self.command(Command::Chat(ChatCommand::Edit { id, text }));
    }

    /// Takes an own message back.
    pub fn retract(&self, id: String) {
        self.command(Command::Chat(ChatCommand::Retract(MessageId(id))));
    }

    /// Tries again to say a message that was not said.
    pub fn retry(&self, id: String) {
        self.command(Command::Chat(ChatCommand::Retry(MessageId(id))));
    }

    /// Reacts to a message, or takes the reaction back.
    pub fn react(&self, id: String, emoji: String, on: bool) {
        let id = MessageId(id);
        self.command(Command::Chat(ChatCommand::React { id, emoji, on }));
    }

    /// The conversations that there are: `{ id, name, key? }`.
    pub fn conversations(&self) -> Array {
        let joined = self.0.joined.borrow();
        let all = joined
            .iter()
            .flat_map(|joined| joined.handle.conversations());
        all.map(|(conversation, name)| events::conversation(&conversation, name))
            .collect()
    }

    /// The last messages of a conversation that are here, or the last ones before one of them, as in `message`. Peers are
    /// asked for older ones if there are too few.
    ///
    /// # Errors
    /// An error with the code `option` if the conversation is none.
    pub fn history(
        &self,
        conversation: Option<String>,
        before: Option<String>,
        limit: u32,
    ) -> Result<Array, JsValue> {
        let joined = self.0.joined.borrow();
        let Some(handle) = joined.as_ref().map(|joined| &joined.handle) else {
            return Ok(Array::new());
        };
        let conversation = match conversation {
            Some(text) => Some(conversation_of(&text)?),
            None => handle
                .conversations()
                .into_iter()
                .next()
                .map(|(first, _)| first),
        };
        let Some(conversation) = conversation else {
            return Ok(Array::new());
        };
        let (before, limit) = (before.map(MessageId), limit as usize);
        let messages = handle.history_of(&conversation, before.as_ref(), limit);
        if messages.len() < limit {
            handle.command(Command::Chat(ChatCommand::Older(conversation)));
        }
        Ok(messages.iter().map(events::message).collect())
    }

    /// Tells everybody that the person is writing.
    pub fn typing(&self) {
        self.command(Command::Chat(ChatCommand::Typing(None)));
    }

    /// Sends a JSON value. Reported as `sent` or `sendfailed`.
    pub fn send(&self, peer: &str, token: u32, dm: bool, json: String) {
        self.send_value(peer, token, dm, Value::Json(json));
    }

    /// Sends bytes, together with a word that names their kind. Reported like a JSON value.
    #[wasm_bindgen(js_name = sendBytes)]
    pub fn send_bytes(&self, peer: &str, token: u32, dm: bool, kind: String, bytes: Vec<u8>) {
        self.send_value(peer, token, dm, Value::Bytes { kind, bytes });
    }

    /// Asks a question, in JSON. Reported as `answered`.
    pub fn ask(
        &self,
        peer: &str,
        token: u32,
        topic: Option<String>,
        content: String,
        timeout: u32,
    ) {
        let timeout = Duration::from_millis(timeout.into());
        self.to(peer, |peer| {
            Command::App(AppCommand::Ask {
                peer,
                token,
                topic,
                content,
                timeout,
            })
        });
    }

    /// Withdraws a question. Its answer will not be reported.
    pub fn withdraw(&self, token: u32) {
        self.command(Command::App(AppCommand::Withdraw { token }));
    }

    /// Answers a `question` with JSON, or with the reason why there is no answer.
    pub fn answer(&self, peer: &str, question: String, json: Option<String>, failure: String) {
        let result = json.ok_or(failure);
        self.to(peer, |peer| {
            Command::App(AppCommand::Answer {
                peer,
                question,
                result,
            })
        });
    }

    /// Offers a file. Reported as `fileprogress`, and `filedone` or `filefailed`.
    #[wasm_bindgen(js_name = sendFile)]
    pub fn send_file(&self, peer: &str, token: u32, name: String, blob: Blob) {
        let joined = self.0.joined.borrow();
        if let (Some(joined), Some(peer)) = (&*joined, PeerId::parse(peer)) {
            joined.handle.offer_file(peer, token, name, blob);
        }
    }

    /// Accepts a file that was offered as `file`. Reported like a file that is sent.
    #[wasm_bindgen(js_name = acceptFile)]
    pub fn accept_file(&self, file: u32, sink: Sink) {
        if let Some(joined) = &*self.0.joined.borrow() {
            joined.handle.accept_file(file, sink);
        }
    }

    /// Refuses an offered file, or the rest of it.
    #[wasm_bindgen(js_name = refuseFile)]
    pub fn refuse_file(&self, file: u32, words: String) {
        self.command(Command::File(FileCommand::Refuse { file, words }));
    }

    /// Cancels a file that is being sent.
    #[wasm_bindgen(js_name = cancelFile)]
    pub fn cancel_file(&self, token: u32) {
        self.command(Command::File(FileCommand::Cancel(FileId::Ours(token))));
    }

    /// Sends a ping. Reported as `pong` or `sendfailed`.
    pub fn ping(&self, peer: &str, token: u32) {
        self.to(peer, |peer| Command::App(AppCommand::Ping { peer, token }));
    }

    /// Closes the connection to a peer, until it comes back in a new session.
    pub fn disconnect(&self, peer: &str) {
        self.to(peer, |peer| {
            Command::People(PeopleCommand::Disconnect(peer))
        });
    }

    /// Listens again to a peer that is muted.
    pub fn listen(&self, peer: &str) {
        self.to(peer, |peer| Command::People(PeopleCommand::Listen(peer)));
    }

    /// Records a decision of the person about a peer's key: `block`, `verify` (the safety number was compared and is
    /// the same) or `accept-key` (the known name is right on this key). Key and name are those that the person saw.
    /// Returns a sentence if the room refuses the decision, because the peer has another name by now.
    #[wasm_bindgen(js_name = decideTrust)]
    pub fn decide_trust(
        &self,
        peer: &str,
        key: &str,
        name: &str,
        decision: &str,
    ) -> Option<String> {
        let command = match decision {
            "block" => PeopleCommand::Block,
            "verify" => PeopleCommand::MarkVerified,
            "accept-key" => PeopleCommand::AcceptKey,
            _ => return Some("There is no such decision.".to_owned()),
        };
        self.decision(peer, key, name, command)
    }

    /// The counts since joining; `undefined` outside of a room.
    pub fn stats(&self) -> JsValue {
        let joined = self.0.joined.borrow();
        joined.as_ref().map_or(JsValue::UNDEFINED, |joined| {
            events::stats(&joined.handle.diagnostics()).into()
        })
    }

    /// The safety number with the holder of this key, which is encoded as in `peer`.
    #[wasm_bindgen(js_name = safetyNumber)]
    pub fn safety_number(&self, key: &str) -> Option<String> {
        let joined = self.0.joined.borrow();
        let (_, _, own) = joined.as_ref()?.handle.own();
        Some(safety_number(&own, &key_of(key)?))
    }
}

impl Engine {
    fn command(&self, command: Command) {
        if let Some(joined) = &*self.0.joined.borrow() {
            joined.handle.command(command);
        }
    }

    /// Passes a command about a peer to the room. JavaScript receives peer ids from here, so all of them are valid.
    fn to(&self, peer: &str, command: impl FnOnce(PeerId) -> Command) {
        if let Some(peer) = PeerId::parse(peer) {
            self.command(command(peer));
        }
    }

    /// Passes a decision about a peer to the room. Returns the reason if the room refuses it.
    fn decision(
        &self,
        peer: &str,
        key: &str,
        name: &str,
        command: impl FnOnce(Shown) -> PeopleCommand,
    ) -> Option<String> {
        let (Some(id), Some(key), Ok(name)) = (PeerId::parse(peer), key_of(key), Name::parse(name))
        else {
            return Some("Nobody has this key and this name.".to_owned());
        };
        // The room answers before `command` returns.
        self.0.deciding.set(true);
        self.command(Command::People(command(Shown { id, key, name })));
        self.0.deciding.set(false);
        self.0.refusal.take()
    }

    fn send_value(&self, peer: &str, token: u32, dm: bool, value: Value) {
        let purpose = if dm { Purpose::Dm } else { Purpose::Data };
        self.to(peer, |peer| {
            Command::App(AppCommand::Send {
                peer,
                token,
                purpose,
                value,
            })
        });
    }
}

/// Reads a file's hash as it is encoded in `message`, and its size.
fn file_key(hash: &str, size: f64) -> Option<FileKey> {
    let hash = Base64UrlUnpadded::decode_vec(hash).ok()?;
    let hash = FileHash(hash.try_into().ok()?);
    // A whole number below 2^53.
    let size = size as u64;
    Some(FileKey { hash, size })
}

/// Reads a key as it is encoded in `peer`.
fn key_of(text: &str) -> Option<PublicKey> {
    let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
    Some(PublicKey(bytes.try_into().ok()?))
}

fn name_of(text: &str) -> Result<Name, JsValue> {
    Name::parse(text).map_err(|refused| {
        let wrong = OptionError::new("name", NAME);
        error("option", &format!("{wrong} {refused}"))
    })
}
