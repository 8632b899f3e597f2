//! Plays a conversation without a network, to show every state of the page: `?demo=<scene>`. It is not part of releases.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::Blob;

use self::people::{OWN, key, lobby, view};
use self::talks::{channels, said};
use super::calls::{self as script, Calls};
use super::export::Format;
use super::hooks::clock;
use super::hooks::listen::{document, window};
use super::media::{self, Media};
use super::{Backend, Blocked, Entry, EventSink, Later, Opening, Own, UiEvent};
use crate::history::Mode;
use crate::identity::{Name, PeerId, Trust};
use crate::room::{
    CallPeer, CallsView, ChatCommand, ChatEvent, Command, Diagnostics, Event, GoneReason, Message,
    MessageId, PeerState, PeopleCommand, PeopleEvent, Status,
};
use crate::settings::{Accept, CallKinds, Features};
use crate::time::Millis;
use crate::wire::{Attachment, FileKey};

mod answers;
mod calls;
mod files;
mod markdown;
mod people;
mod scenes;
mod talks;
mod trouble;

/// A backend that plays a scripted conversation.
#[derive(Clone)]
pub struct Demo(Rc<Inner>);

struct Inner {
    scene: String,
    sink: RefCell<Option<EventSink>>,
    name: RefCell<String>,
    said: Cell<u32>,
    people: Cell<u32>,
    blocked: RefCell<Vec<Blocked>>,
    media: Option<Function>,
    calls: script::Loading,
    /// How it stands with calls, and who else is in the call that the person is in or may join.
    calls_view: RefCell<CallsView>,
    in_call: RefCell<Vec<CallPeer>>,
}

impl Demo {
    /// Plays the scene that the address names.
    pub fn new(media: Option<Function>, calls: Option<Function>) -> Demo {
        let search = document()
            .location()
            .and_then(|location| location.search().ok())
            .unwrap_or_default();
        let scene = search
            .split(['?', '&'])
            .find_map(|part| part.strip_prefix("demo="))
            .unwrap_or("talk")
            .to_owned();
        Demo(Rc::new(Inner {
            scene,
            sink: RefCell::default(),
            name: RefCell::new("Ada".into()),
            said: Cell::new(0),
            people: Cell::new(0),
            blocked: RefCell::default(),
            media,
            calls: script::Loading::with(calls),
            calls_view: RefCell::default(),
            in_call: RefCell::default(),
        }))
    }

    fn emit(&self, event: UiEvent) {
        let sink = self.0.sink.borrow().clone();
        if let Some(sink) = sink {
            sink(event);
        }
    }

    fn event(&self, event: Event) {
        self.emit(UiEvent::Event(event));
    }

    fn later(&self, millis: i32, act: impl FnOnce(&Demo) + 'static) {
        let demo = self.clone();
        let act = Closure::once_into_js(move || act(&demo));
        let _ = window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(act.unchecked_ref(), millis);
    }

    fn peer(&self, byte: u8, user: &str, state: PeerState, trust: Trust) {
        self.event(Event::People(PeopleEvent::Changed(view(
            byte, user, state, trust,
        ))));
    }

    fn add_message(&self, byte: u8, user: &str, ago: u64, text: &str) -> MessageId {
        let number = self.0.said.replace(self.0.said.get() + 1);
        let id = MessageId(number.to_string());
        let at = Millis(clock::now().0.saturating_sub(ago));
        self.event(Event::Chat(ChatEvent::Message(Box::new(Message {
            peer: (byte != OWN).then_some(PeerId([byte; 16])),
            own: byte == OWN,
            ..Message::new(id.clone(), lobby(), user.into(), key(byte), text.into(), at)
        }))));
        id
    }

    fn deliver(&self, id: &MessageId, delivered: u32, of: u32) {
        self.event(Event::Chat(ChatEvent::Delivery {
            id: id.clone(),
            sent: of,
            delivered,
            of,
        }));
    }

    fn connected(&self, people: u32, reconnecting: u32) {
        self.0.people.set(people);
        self.event(Event::Status(Status::Connected {
            people,
            reconnecting,
            own_tabs: 0,
        }));
    }

    fn looking(&self, pause: Option<u64>, own_tabs: u32, dropping: bool) {
        self.event(Event::Status(Status::Looking {
            retry_at: pause.map(|pause| Millis(clock::now().0 + pause)),
            own_tabs,
            dropping,
        }));
    }
}

impl Backend for Demo {
    fn restart(&self) {
        let _ = window().location().reload();
    }

    fn try_now(&self) {}

    fn approach(&self) {}

    fn open(&self, sink: EventSink) {
        *self.0.sink.borrow_mut() = Some(sink);
        let link = document()
            .location()
            .and_then(|location| location.href().ok())
            .unwrap_or_default();
        let scene = self.0.scene.as_str();
        let entry = match scene {
            "wrong" => Entry::WrongSecret,
            "private" | "empty-private" => Entry::Private,
            _ => Entry::Open,
        };
        let name = if matches!(scene, "first" | "private" | "failed") {
            None
        } else {
            Name::parse("Ada").ok()
        };
        let room = if scene == "many" {
            "Planning the summer fair of the whole neighbourhood, 2026"
        } else {
            "lobby"
        };
        let opening = Opening {
            room: room.into(),
            open_link: link.clone(),
            link,
            entry,
            accept: match scene {
                "request" => Accept::Ask,
                "empty-known" => Accept::Known,
                _ => Accept::Everyone,
            },
            channels: match scene {
                "conversations" => channels(),
                _ => Vec::new(),
            },
            features: Features::default(),
            calls: CallKinds::default(),
            name,
            notices: vec![],
        };
        self.emit(UiEvent::Opened(opening));
    }

    fn join(&self, name: &Name) -> Result<Own, String> {
        if self.0.scene == "failed" {
            return Err(
                "This browser has no WebRTC. A current Firefox, Chrome or Safari has it.".into(),
            );
        }
        *self.0.name.borrow_mut() = name.to_string();
        self.later(0, Demo::play);
        self.own().ok_or_else(String::new)
    }

    fn command(&self, command: Command) {
        match command {
            Command::Chat(ChatCommand::Say { text, .. }) if text == "/panic" => {
                panic!("somebody asked for it")
            }
            Command::Chat(ChatCommand::Say { text, .. }) => {
                let user = self.0.name.borrow().clone();
                let id = self.add_message(OWN, &user, 0, &text);
                let of = self.0.people.get();
                self.deliver(&id, 0, of);
                if of > 0 {
                    let (one, all) = (id.clone(), id);
                    self.later(400, move |demo| demo.deliver(&one, 1, of));
                    self.later(1_200, move |demo| demo.deliver(&all, of, of));
                }
            }
            Command::Chat(ChatCommand::Search { text, .. }) => {
                let holds = |message: &Message| message.text.contains(&text);
                let messages = said(clock::now()).into_iter().filter(holds).collect();
                self.event(Event::Chat(ChatEvent::Found { text, messages }));
            }
            Command::Chat(ChatCommand::Retry(id)) => self.deliver(&id, 3, 3),
            Command::Chat(ChatCommand::Delete(deletion)) => {
                self.event(Event::Chat(ChatEvent::Deleted(deletion)));
            }
            Command::People(PeopleCommand::Listen(peer)) => {
                self.peer(peer.0[0], "Mallory", PeerState::Verified, Trust::New);
            }
            Command::Call(command) => self.on_call(command),
            Command::Rename(name) => *self.0.name.borrow_mut() = name.to_string(),
            Command::People(PeopleCommand::Decide { who, accept }) if accept => {
                self.peer(who.id.0[0], "Greta", PeerState::Verified, Trust::New)
            }
            Command::Leave => self.event(Event::Status(Status::Left)),
            Command::People(PeopleCommand::Retry(peer)) => {
                self.peer(peer.0[0], "Somebody", PeerState::Connecting, Trust::New)
            }
            Command::People(PeopleCommand::AcceptKey(who)) => {
                self.peer(who.id.0[0], "Ben", PeerState::Verified, Trust::Known)
            }
            Command::People(PeopleCommand::MarkVerified(who)) => {
                self.peer(who.id.0[0], "Ben", PeerState::Verified, Trust::Verified)
            }
            Command::People(PeopleCommand::Block(who)) => {
                let peer = view(who.id.0[0], "Ben", PeerState::Verified, Trust::New);
                self.0.blocked.borrow_mut().push(Blocked {
                    key: who.key,
                    name: "Ben".into(),
                });
                self.event(Event::People(PeopleEvent::Gone {
                    peer,
                    reason: GoneReason::Blocked,
                }));
            }
            Command::People(PeopleCommand::Unblock(key)) => {
                self.0.blocked.borrow_mut().retain(|other| other.key != key);
                self.peer(key.0[1], "Ben", PeerState::Verified, Trust::Known);
            }
            _ => {}
        }
    }

    fn prepare_file(&self, _: Blob, _: bool) -> Later<Result<(Attachment, bool), String>> {
        Box::pin(async { Err("Nothing is sent in a play.".to_owned()) })
    }

    fn drop_file(&self, _: &FileKey) {}

    fn file(&self, _: FileKey) -> Later<Option<Blob>> {
        Box::pin(async { files::landscape() })
    }

    fn media(&self) -> Later<Result<Media, String>> {
        Box::pin(media::load(self.0.media.clone()))
    }

    fn calls(&self) -> Later<Result<Calls, String>> {
        Box::pin(self.clone().load_calls())
    }

    fn place_calls(&self, place: web_sys::Element) {
        self.0.calls.place(place);
    }

    fn rejoin(&self) -> Result<Own, String> {
        self.later(0, |demo| demo.looking(None, 0, false));
        self.own().ok_or_else(String::new)
    }

    fn blocked(&self) -> Vec<Blocked> {
        self.0.blocked.borrow().clone()
    }

    fn own(&self) -> Option<Own> {
        Some(Own {
            id: PeerId([OWN; 16]),
            user: self.0.name.borrow().clone(),
            key: key(OWN),
        })
    }

    fn diagnostics(&self) -> Diagnostics {
        Diagnostics {
            published: 14,
            published_bytes: 4_211,
            received: 37,
            dropped: vec![
                ("does not open with the room's key", 12),
                ("older than the newest from the same sender", 3),
            ],
            skipped: 2,
            signatures_checked: 9,
            connections_opened: 4,
        }
    }

    fn history(&self) -> Mode {
        Mode::Kept
    }

    fn set_history(&self, _mode: Mode) {}

    fn delete_site(&self, _with_identity: bool) {}

    fn export(&self, _format: Format) -> Option<(String, String)> {
        None
    }

    fn private_link(&self) -> Result<String, String> {
        Ok("?demo=empty-private#k=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIGFkCs".into())
    }
}
