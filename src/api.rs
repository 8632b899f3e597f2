//! The module's engine: a room for `mqtt-rtc.js`, which makes promises and events of it. It decides nothing.
//!
//! Everything is told to one JavaScript function, `listener(kind, …)`, from a microtask of its own and never from inside
//! a call: so whatever is called from there, nothing is borrowed. What each kind brings is written in [`tell`].

mod tell;

use core::time::Duration;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{self, PanicHookInfo};
use std::rc::{Rc, Weak};

use base64ct::{Base64UrlUnpadded, Encoding};
use js_sys::{Array, Error, Function, Reflect};
use litemap::LiteMap;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

use crate::browser::object;
use crate::driver::Handle;
use crate::identity::{Name, PeerId, PublicKey, safety_number};
use crate::join::{Audience, Joining};
use crate::room::{
    AppCommand, ChatCommand, Command, Event, FileCommand, PeopleCommand, PeopleEvent, Purpose,
    Shown, Value,
};
use crate::rtc::file_channel::FileId;
use crate::rtc::web::file_channel::Sink;
use crate::settings::options::NAME;
use crate::settings::web::{address, load, nfc};
use crate::settings::{OptionError, Options};
use tell::Told;

thread_local! {
    /// Every listener there is. One program runs all rooms, so all of them end with it.
    static LISTENERS: RefCell<Vec<Weak<Inner>>> = const { RefCell::new(Vec::new()) };
}

/// Tells all listeners at once that the program breaks: there is no later.
fn broke(info: &PanicHookInfo<'_>) {
    let told = Array::of2(&"broke".into(), &info.to_string().into());
    let rooms = LISTENERS.with(|all| all.try_borrow().map(|all| all.clone()).unwrap_or_default());
    for inner in rooms.iter().filter_map(Weak::upgrade) {
        // Nothing is left to do if even this fails.
        let _ = inner.listener.apply(&JsValue::UNDEFINED, &told);
    }
}

/// Why something cannot be done, for JavaScript: an `Error` with a `code`.
fn error(code: &str, message: &str) -> JsValue {
    let error = Error::new(message);
    // Setting a property of a plain object does not fail.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}

fn wrong(option: OptionError) -> JsValue {
    error("option", &option.to_string())
}

/// A room, or the wish for one.
#[wasm_bindgen]
pub struct Engine(Rc<Inner>);

struct Inner {
    options: Options,
    name: RefCell<Option<Name>>,
    /// Where `rtchat.json` is if nobody says otherwise.
    config: String,
    listener: Function,
    told: RefCell<VecDeque<Told>>,
    telling: Cell<bool>,
    /// How often the room was opened or closed: what belongs to an earlier time is not told.
    session: Cell<u32>,
    asks_about_all: Cell<bool>,
    joined: RefCell<Option<Joined>>,
    /// Whom we told of, as they were told last.
    shown: RefCell<LiteMap<PeerId, Shown>>,
}

/// A room that was entered. The order of the fields is that of leaving: the tab's number is free once we left.
struct Joined {
    handle: Handle,
    join: Joining,
}

#[wasm_bindgen]
impl Engine {
    /// Checks the options, a JSON object. `config` is the address of the settings' file if the options name none.
    ///
    /// # Errors
    /// With the code `option`, and a sentence that names the option and what fits.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str, config: String, listener: Function) -> Result<Engine, JsValue> {
        let mut options = Options::parse(options).map_err(wrong)?;
        options.room = options.room.map(|room| nfc(&room));
        let name = options.name.as_deref().map(name_of).transpose()?;
        let inner = Rc::new(Inner {
            name: RefCell::new(name),
            config: options.config.take().unwrap_or(config),
            options,
            listener,
            told: RefCell::default(),
            telling: Cell::new(false),
            session: Cell::new(0),
            asks_about_all: Cell::new(false),
            joined: RefCell::default(),
            shown: RefCell::new(LiteMap::new()),
        });
        LISTENERS.with_borrow_mut(|all| {
            all.retain(|inner| inner.strong_count() > 0);
            all.push(Rc::downgrade(&inner));
        });
        panic::set_hook(Box::new(broke));
        Ok(Engine(inner))
    }

    /// Enters the room. Comes back as `opened` or `failed`.
    pub fn open(&self) {
        self.0.close();
        self.0.open();
    }

    /// Leaves the room and frees everything. Nothing more is told.
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether to ask about everybody (`request`), whatever the settings say.
    #[wasm_bindgen(js_name = askAboutAll)]
    pub fn ask_about_all(&self, all: bool) {
        self.0.asks_about_all.set(all);
        self.command(Command::People(PeopleCommand::AskAboutAll(all)));
    }

    /// The answer to `request`.
    pub fn decide(&self, peer: &str, accept: bool) {
        self.about(peer, |who| PeopleCommand::Decide { who, accept });
    }

    /// Goes by another name, and keeps it for the next visit. Returns it as others see it.
    ///
    /// # Errors
    /// With the code `option`: this is no name.
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

    /// Says something to everybody, or to one.
    pub fn say(&self, peer: Option<String>, text: String) {
        match peer {
            Some(peer) => self.to(&peer, |peer| {
                Command::Chat(ChatCommand::SayTo { peer, text })
            }),
            None => self.command(Command::Chat(ChatCommand::Say(text))),
        }
    }

    /// Tells everybody that something is being written.
    pub fn typing(&self) {
        self.command(Command::Chat(ChatCommand::Typing));
    }

    /// Sends a JSON value. Comes back as `taken` or `nottaken`, as do bytes.
    pub fn send(&self, peer: &str, token: u32, dm: bool, json: String) {
        self.send_value(peer, token, dm, Value::Json(json));
    }

    /// Sends bytes, and with them a word that says what they are.
    #[wasm_bindgen(js_name = sendBytes)]
    pub fn send_bytes(&self, peer: &str, token: u32, dm: bool, kind: String, bytes: Vec<u8>) {
        self.send_value(peer, token, dm, Value::Bytes { kind, bytes });
    }

    /// Asks a question, in JSON. Comes back as `answered`.
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

    /// Nobody waits for the answer any more.
    pub fn withdraw(&self, token: u32) {
        self.command(Command::App(AppCommand::Withdraw { token }));
    }

    /// Answers a `question`: with JSON, or with why there is no answer.
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

    /// Offers a file. Comes back as `fileprogress`, and `filedone` or `filefailed`.
    #[wasm_bindgen(js_name = sendFile)]
    pub fn send_file(&self, peer: &str, token: u32, name: String, blob: Blob) {
        let joined = self.0.joined.borrow();
        if let (Some(joined), Some(peer)) = (&*joined, PeerId::parse(peer)) {
            joined.handle.offer_file(peer, token, name, blob);
        }
    }

    /// Takes a file that was offered as `file`. Comes back like one that was sent.
    #[wasm_bindgen(js_name = acceptFile)]
    pub fn accept_file(&self, file: u32, sink: Sink) {
        if let Some(joined) = &*self.0.joined.borrow() {
            joined.handle.accept_file(file, sink);
        }
    }

    /// Does not take a file that was offered, or no more of it.
    #[wasm_bindgen(js_name = refuseFile)]
    pub fn refuse_file(&self, file: u32, words: String) {
        self.command(Command::File(FileCommand::Refuse { file, words }));
    }

    /// Sends no more of a file.
    #[wasm_bindgen(js_name = cancelFile)]
    pub fn cancel_file(&self, token: u32) {
        self.command(Command::File(FileCommand::Cancel(FileId::Ours(token))));
    }

    /// Asks for a sign of life. Comes back as `pong` or `nottaken`.
    pub fn ping(&self, peer: &str, token: u32) {
        self.to(peer, |peer| Command::App(AppCommand::Ping { peer, token }));
    }

    /// Closes the connection to a peer, until it comes back in a new session.
    pub fn disconnect(&self, peer: &str) {
        self.to(peer, |peer| {
            Command::People(PeopleCommand::Disconnect(peer))
        });
    }

    /// Has nothing to do with a peer's key, now and later.
    pub fn block(&self, peer: &str) {
        self.about(peer, PeopleCommand::Block);
    }

    /// The safety number was compared and is the same.
    #[wasm_bindgen(js_name = markVerified)]
    pub fn mark_verified(&self, peer: &str) {
        self.about(peer, PeopleCommand::MarkVerified);
    }

    /// What was counted since joining; `undefined` outside a room.
    pub fn stats(&self) -> JsValue {
        let joined = self.0.joined.borrow();
        joined.as_ref().map_or(JsValue::UNDEFINED, |joined| {
            tell::stats(&joined.handle.diagnostics()).into()
        })
    }

    /// The safety number with who holds this key, as it stands in `peer`.
    #[wasm_bindgen(js_name = safetyNumber)]
    pub fn safety_number(&self, key: &str) -> Option<String> {
        let joined = self.0.joined.borrow();
        let (_, _, own) = joined.as_ref()?.handle.own();
        let key = Base64UrlUnpadded::decode_vec(key).ok()?;
        Some(safety_number(&own, &PublicKey(key.try_into().ok()?)))
    }
}

impl Engine {
    fn command(&self, command: Command) {
        if let Some(joined) = &*self.0.joined.borrow() {
            joined.handle.command(command);
        }
    }

    /// A command about a peer. JavaScript has their ids from us, so there is none that is none.
    fn to(&self, peer: &str, command: impl FnOnce(PeerId) -> Command) {
        if let Some(peer) = PeerId::parse(peer) {
            self.command(command(peer));
        }
    }

    /// A decision about a peer, as it was told last.
    fn about(&self, peer: &str, command: impl FnOnce(Shown) -> PeopleCommand) {
        let peer = PeerId::parse(peer);
        let shown = peer.and_then(|peer| self.0.shown.borrow().get(&peer).cloned());
        if let Some(shown) = shown {
            self.command(Command::People(command(shown)));
        }
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

fn name_of(text: &str) -> Result<Name, JsValue> {
    Name::parse(text).map_err(|refused| {
        let wrong = OptionError::new("name", NAME);
        error("option", &format!("{wrong} {refused}"))
    })
}

impl Inner {
    fn open(self: &Rc<Inner>) {
        let (inner, session) = (self.clone(), self.session.get());
        spawn_local(async move {
            let opened = inner.enter(session).await;
            if let (Err(sentence), true) = (opened, inner.session.get() == session) {
                inner.tell(Told::Failed(sentence));
            }
        });
    }

    fn close(&self) {
        self.session.set(self.session.get().wrapping_add(1));
        // Out of its cell first: what is told while it is dropped comes back here.
        let joined = self.joined.take();
        drop(joined);
        self.told.take();
    }

    /// Reads what has to be read, and goes in unless it was closed in the meantime.
    async fn enter(self: &Rc<Inner>, session: u32) -> Result<(), String> {
        let sentence = |error: &dyn core::fmt::Display| error.to_string();
        let options = &self.options;
        let mut place = match &options.page {
            Some(page) => page.clone(),
            None => address().map_err(|error| sentence(&error))?,
        };
        place.room = options.room.clone().or(place.room);
        place.secret = options.secret.clone().or(place.secret);
        let teller = Rc::new(Teller {
            inner: Rc::downgrade(self),
            session,
        });
        let outdated = teller.clone();
        let join = Joining::open(place, load(&self.config), options.in_memory, move || {
            outdated.outdated();
        });
        let mut join = join.await.map_err(|error| sentence(&error))?;
        if self.session.get() != session {
            return Ok(());
        }
        join.settings = options
            .complete(join.settings)
            .map_err(|error| sentence(&error))?;
        join.password.clone_from(&options.password);
        join.info.clone_from(&options.info);
        join.relay_only = options.relay_only;
        let notices = join.profile.borrow_mut().take_notices();
        for notice in notices {
            teller.notice(notice.to_string());
        }
        let name = self.name(&join)?;
        // What it tells at once is queued, after this.
        let handle = join.join(&name, teller).map_err(|error| sentence(&error))?;
        handle.command(Command::People(PeopleCommand::AskAboutAll(
            self.asks_about_all.get(),
        )));
        let (id, user, key) = handle.own();
        let opened = object(&[
            ("id", id.to_string().into()),
            ("user", user.into()),
            ("room", join.room().into()),
            ("fingerprint", key.fingerprint().into()),
        ]);
        self.told.borrow_mut().push_front(Told::Opened(opened));
        self.joined.replace(Some(Joined { handle, join }));
        self.tell_soon();
        Ok(())
    }

    /// The name that was asked for, or the stored one, or one that the key gives.
    fn name(&self, join: &Joining) -> Result<Name, String> {
        let profile = join.profile.borrow();
        let name = self.name.borrow().clone().or(profile.name().cloned());
        let key = profile.identity().public().fingerprint();
        match name {
            Some(name) => Ok(name),
            None => Name::parse(&format!("anon-{}", &key[..4])).map_err(|error| error.to_string()),
        }
    }

    fn tell(self: &Rc<Inner>, told: Told) {
        let mut waiting = self.told.borrow_mut();
        match (waiting.back_mut(), told) {
            // Thousands may be taken at once.
            (Some(Told::Taken { last, .. }), Told::Taken { first, .. })
                if last.checked_add(1) == Some(first) =>
            {
                *last = first;
            }
            (_, told) => waiting.push_back(told),
        }
        drop(waiting);
        self.tell_soon();
    }

    /// Tells what waits, from a microtask.
    fn tell_soon(self: &Rc<Inner>) {
        if self.telling.replace(true) {
            return;
        }
        let inner = self.clone();
        spawn_local(async move {
            inner.telling.set(false);
            loop {
                let next = inner.told.borrow_mut().pop_front();
                let Some(told) = next else { return };
                let arguments = told.into_arguments();
                if arguments.length() == 0 {
                    continue;
                }
                // It catches what its own listeners throw.
                let _ = inner.listener.apply(&JsValue::UNDEFINED, &arguments);
            }
        });
    }
}

/// Tells what the room tells, as long as it is still the same.
struct Teller {
    inner: Weak<Inner>,
    session: u32,
}

impl Teller {
    fn inner(&self) -> Option<Rc<Inner>> {
        let inner = self.inner.upgrade()?;
        (inner.session.get() == self.session).then_some(inner)
    }
}

impl Audience for Teller {
    fn event(&self, event: Event) {
        if let Some(inner) = self.inner() {
            if let Event::People(PeopleEvent::Changed(view) | PeopleEvent::Request(view)) = &event {
                inner.shown.borrow_mut().insert(view.id, view.shown());
            }
            if let Event::People(PeopleEvent::Gone { peer, .. }) = &event {
                inner.shown.borrow_mut().remove(&peer.id);
            }
            inner.tell(event.into());
        }
    }

    fn notice(&self, notice: String) {
        if let Some(inner) = self.inner() {
            inner.tell(Told::Notice(notice));
        }
    }

    /// Leaves, and comes in anew.
    fn outdated(&self) {
        if let Some(inner) = self.inner() {
            // Not from here: this is called by what is about to be dropped.
            spawn_local(async move {
                inner.close();
                inner.tell(Told::Outdated);
                inner.open();
            });
        }
    }
}
