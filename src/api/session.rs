//! The room of an engine, from the options to the events for the listener.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use js_sys::Function;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

use super::error;
use super::events::EngineEvent;
use crate::browser::object;
use crate::driver::{CallScript, Handle, RoomObserver};
use crate::identity::Name;
use crate::join::Joining;
use crate::room::{CallEvent, CallsView, ChatCommand, ChatEvent, Command, Event, PeopleCommand};
use crate::settings::Options;
use crate::settings::web::{address, load};

/// The state of an engine.
pub(super) struct Inner {
    pub options: Options,
    pub name: RefCell<Option<Name>>,
    /// The address of `rtchat.json` if the options name none.
    pub config: String,
    pub listener: Function,
    pub events: RefCell<VecDeque<EngineEvent>>,
    /// Whether a microtask is about to deliver the events.
    pub delivering: Cell<bool>,
    /// A counter that grows whenever the room is opened or closed. Events of earlier sessions are not delivered.
    pub session: Cell<u32>,
    pub asks_about_all: Cell<bool>,
    pub joined: RefCell<Option<Joined>>,
    /// The script that moves sound and pictures, once the program has used it.
    pub call_script: RefCell<Option<CallScript>>,
    /// How it stands with calls.
    pub calls: RefCell<CallsView>,
    /// Whether a decision about a peer, a file or a call is being passed to the room, so that a refusal belongs to it.
    pub deciding: Cell<bool>,
    /// The reason why that decision was refused.
    pub refusal: RefCell<Option<String>>,
}

/// A room that was entered. Fields are dropped in this order, so the room is left before the tab's number becomes free.
pub(super) struct Joined {
    pub handle: Handle,
    pub join: Joining,
}

impl Inner {
    /// Enters the room, and says so or why not.
    pub fn open(self: &Rc<Inner>) {
        let (inner, session) = (self.clone(), self.session.get());
        spawn_local(async move {
            let opened = inner.enter(session).await;
            if let (Err(sentence), true) = (opened, inner.session.get() == session) {
                inner.emit(EngineEvent::Failed(sentence));
            }
        });
    }

    /// Says something with this file beside it, and returns the message's id.
    pub fn say_file(&self, say: ChatCommand, blob: Blob) -> Result<JsValue, JsValue> {
        let joined = self.joined.borrow();
        let (Some(Joined { handle, .. }), ChatCommand::SayFile { file, .. }) = (&*joined, &say)
        else {
            return Err(error("gone", "The room was left."));
        };
        let key = file.key();
        handle.prepare_file(key, blob);
        // The room answers before `command` returns.
        self.deciding.set(true);
        handle.command(Command::Chat(say));
        self.deciding.set(false);
        if let Some(refusal) = self.refusal.take() {
            handle.drop_prepared_file(&key);
            return Err(error("refused", &refusal));
        }
        let events = self.events.borrow();
        let said = events.iter().rev().find_map(|event| match event {
            EngineEvent::Room(Event::Chat(ChatEvent::Message(said))) if said.own => {
                Some(said.id.0.as_str())
            }
            _ => None,
        });
        Ok(said.into())
    }

    /// Leaves the room.
    pub fn close(&self) {
        self.session.set(self.session.get().wrapping_add(1));
        // The cell is emptied first, because dropping the room emits events, which come back here.
        let joined = self.joined.take();
        drop(joined);
        self.calls.take();
        self.events.take();
    }

    /// Reads the profile and the settings, and enters the room unless it was closed in the meantime.
    async fn enter(self: &Rc<Inner>, session: u32) -> Result<(), String> {
        let sentence = |error: &dyn core::fmt::Display| error.to_string();
        let options = &self.options;
        let mut place = match &options.page {
            Some(page) => page.clone(),
            None => address().map_err(|error| sentence(&error))?,
        };
        place.room = options.room.clone().or(place.room);
        place.secret = options.secret.clone().or(place.secret);
        let sink = Rc::new(EventSink {
            inner: Rc::downgrade(self),
            session,
        });
        let outdated = sink.clone();
        let join = Joining::open(
            place,
            load(&self.config, None),
            options.in_memory,
            move || {
                outdated.outdated();
            },
        );
        let mut join = join.await.map_err(|error| sentence(&error))?;
        if self.session.get() != session {
            return Ok(());
        }
        join.settings = options
            .complete(join.settings)
            .map_err(|error| sentence(&error))?;
        if let Some(password) = &options.password {
            let stretched = join.stretch(password).map_err(|error| sentence(&error))?;
            join.password = Some(stretched);
        }
        join.info.clone_from(&options.info);
        join.relay_only = options.relay_only;
        let notices = join.profile.borrow_mut().take_notices();
        for notice in notices {
            sink.notice(notice.to_string());
        }
        let name = self.name(&join)?;
        // Events that the room emits while joining are queued, and `opened` is put before them.
        let handle = join.join(&name, sink).map_err(|error| sentence(&error))?;
        if let Some(script) = self.call_script.borrow().clone() {
            handle.provide_calls(script);
        }
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
        self.events
            .borrow_mut()
            .push_front(EngineEvent::Opened(opened));
        self.joined.replace(Some(Joined { handle, join }));
        self.deliver_soon();
        Ok(())
    }

    /// The name from the options, or else the stored one, or else one made from the key.
    fn name(&self, join: &Joining) -> Result<Name, String> {
        let profile = join.profile.borrow();
        let name = self.name.borrow().clone().or(profile.name().cloned());
        let key = profile.identity().public().fingerprint();
        match name {
            Some(name) => Ok(name),
            None => Name::parse(&format!("anon-{}", &key[..4])).map_err(|error| error.to_string()),
        }
    }

    pub fn emit(self: &Rc<Inner>, event: EngineEvent) {
        let mut events = self.events.borrow_mut();
        match (events.back_mut(), event) {
            // Thousands may be sent at once.
            (Some(EngineEvent::Sent { last, .. }), EngineEvent::Sent { first, .. })
                if last.checked_add(1) == Some(first) =>
            {
                *last = first;
            }
            // The last one counts.
            (Some(EngineEvent::Calls), EngineEvent::Calls) => {}
            (_, event) => events.push_back(event),
        }
        drop(events);
        self.deliver_soon();
    }

    /// Delivers the events from a microtask.
    fn deliver_soon(self: &Rc<Inner>) {
        if self.delivering.replace(true) {
            return;
        }
        let inner = self.clone();
        spawn_local(async move {
            inner.delivering.set(false);
            loop {
                let next = inner.events.borrow_mut().pop_front();
                let Some(event) = next else { return };
                let arguments = event.into_arguments(|| inner.view_of(&inner.calls.borrow()));
                if arguments.length() == 0 {
                    continue;
                }
                // The listener catches what the program's handlers throw.
                let _ = inner.listener.apply(&JsValue::UNDEFINED, &arguments);
            }
        });
    }
}

/// Passes events on as long as their session lasts.
struct EventSink {
    inner: Weak<Inner>,
    session: u32,
}

impl EventSink {
    fn inner(&self) -> Option<Rc<Inner>> {
        let inner = self.inner.upgrade()?;
        (inner.session.get() == self.session).then_some(inner)
    }
}

impl RoomObserver for EventSink {
    fn event(&self, event: Event) {
        if let Some(inner) = self.inner() {
            match event {
                Event::Refused(sentence) if inner.deciding.get() => {
                    inner.refusal.replace(Some(sentence));
                }
                Event::Call(CallEvent::Changed(view)) => {
                    inner.calls.replace(*view);
                    inner.emit(EngineEvent::Calls);
                }
                event => inner.emit(event.into()),
            }
        }
    }

    fn notice(&self, notice: String) {
        if let Some(inner) = self.inner() {
            inner.emit(EngineEvent::Notice(notice));
        }
    }

    /// Leaves the room and enters it anew.
    fn outdated(&self) {
        if let Some(inner) = self.inner() {
            // Later, because the caller is about to be dropped.
            spawn_local(async move {
                inner.close();
                inner.emit(EngineEvent::Outdated);
                inner.open();
            });
        }
    }
}
