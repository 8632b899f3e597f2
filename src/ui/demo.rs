//! Plays a conversation without a network, to show every state of the page: `?demo=<scene>`. It is not part of releases.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::Blob;

use super::calls::{self, Calls};
use super::demo_answers::{WRITING, answers};
use super::demo_files::{files, landscape};
use super::demo_markdown::{MARKDOWN, MARKUP};
use super::demo_talks::{channels, said};
use super::demo_trouble::trouble;
use super::export::Format;
use super::hooks::clock;
use super::hooks::listen::{document, window};
use super::media::{self, Media};
use super::{Backend, Blocked, Entry, EventSink, Later, Opening, Own, UiEvent};
use crate::history::Mode;
use crate::identity::{Name, PeerId, PublicKey, Trust};
use crate::room::{
    Activity, ChatCommand, ChatEvent, Command, Conversation, Diagnostics, Event, GoneReason,
    Imported, MAIN_CHANNEL, Message, MessageId, PeerState, PeerView, PeopleCommand, PeopleEvent,
    Status,
};
use crate::settings::{Accept, CallKinds, Features};
use crate::time::Millis;
use crate::wire::{Attachment, FileKey};

pub(super) const OWN: u8 = 200;
const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

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
    calls: calls::Loading,
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
            calls: calls::Loading::with(calls),
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

    fn own_tab(&self) {
        self.event(Event::People(PeopleEvent::Changed(PeerView {
            key: key(OWN),
            ..view(30, "Ada(2)", PeerState::Verified, Trust::Known)
        })));
    }

    fn conversation(&self) {
        self.peer(1, "Ben", PeerState::Verified, Trust::Verified);
        self.peer(2, "Claire Dubois", PeerState::Verified, Trust::Known);
        self.peer(3, "أمل", PeerState::Verified, Trust::New);
        self.connected(3, 0);
        self.add_message(1, "Ben", DAY + 3 * MINUTE, "Did anybody try the new link?");
        self.add_message(
            2,
            "Claire Dubois",
            DAY + 2 * MINUTE,
            "Yes, it opened at once. No account, nothing to install.",
        );
        self.add_message(
            2,
            "Claire Dubois",
            DAY + MINUTE,
            "https://en.wikipedia.org/wiki/WebRTC says how the connecting works (roughly).",
        );
        let id = self.add_message(
            OWN,
            "Ada",
            50 * MINUTE,
            "Good morning. Shall we look at the plan for Friday?",
        );
        self.deliver(&id, 3, 3);
        self.add_message(1, "Ben", 48 * MINUTE, "Morning!");
        self.add_message(
            1,
            "Ben",
            47 * MINUTE,
            "I wrote down what is left:\n\n  1. the pictures\n  2. the texts for the front page\n  3. a cake",
        );
        self.add_message(
            3,
            "أمل",
            12 * MINUTE,
            "صباح الخير، أنا أعمل على النصوص الآن.",
        );
        self.add_message(
            1,
            "Ben",
            9 * MINUTE,
            "<img src=x onerror=alert(1)> is what somebody wrote in the form, by the way",
        );
        let id = self.add_message(
            OWN,
            "Ada",
            6 * MINUTE,
            "It shows as itself here, as it should.",
        );
        self.deliver(&id, 3, 3);
        let id = self.add_message(OWN, "Ada", 5 * MINUTE, "I take the cake.");
        self.deliver(&id, 2, 3);
        self.add_message(2, "Claire Dubois", 20_000, "Then the pictures are mine.");
    }

    fn many(&self) {
        self.conversation();
        let states = [
            PeerState::Verified,
            PeerState::Verified,
            PeerState::Connecting,
            PeerState::Verifying,
            PeerState::Reconnecting,
            PeerState::Failed,
        ];
        let trusts = [Trust::New, Trust::Known, Trust::Verified];
        for (index, name) in [
            "Dmitri",
            "Eve",
            "Farid",
            "Gudrun",
            "Hélène",
            "Ivo(2)",
            "Ivo",
            "Jan van den Berg-Oosterhuis van Rijn",
            "Kim",
            "李小龍",
            "Mia",
            "Noah",
            "Olga",
            "Pfffffffffffffffffffffffffffffffffffffff",
            "Quentin",
            "Rosa",
            "Sven (k7qd)",
            "Tom",
            "Uma",
            "Vera",
            "Wim",
            "Xia",
            "Yusuf",
            "Zoë",
            "🦀 crab",
        ]
        .into_iter()
        .enumerate()
        {
            self.peer(
                10 + index as u8,
                name,
                states[index % states.len()],
                trusts[index % 3],
            );
        }
        let long =
            "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
                .repeat(4);
        self.add_message(17, "Jan van den Berg-Oosterhuis van Rijn", 10_000, &long);
        let id = self.add_message(OWN, "Ada", 5_000, "Hello everybody");
        self.deliver(&id, 9, 14);
        let id = self.add_message(OWN, "Ada", 4_000, "Waiting");
        self.deliver(&id, 0, 0);
        self.add_message(
            OWN,
            "Ada",
            3_000,
            &"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".repeat(3),
        );
        self.connected(14, 4);
    }

    fn flood(&self, count: u64) {
        self.conversation();
        for index in 0..count {
            let (byte, user) =
                [(1, "Ben"), (2, "Claire Dubois"), (OWN, "Ada")][(index / 3 % 3) as usize];
            self.add_message(
                byte,
                user,
                (count - index) * 20_000,
                &format!("Message {index}: the quick brown fox jumps over the lazy dog."),
            );
        }
        self.chatter(0);
    }

    /// Two people go on writing.
    fn writes(&self) {
        for byte in [1, 2] {
            let peer = PeerId([byte; 16]);
            self.event(Event::Chat(ChatEvent::Typing {
                peer,
                conversation: lobby(),
            }));
        }
        self.later(2_000, Demo::writes);
    }

    fn chatter(&self, round: u32) {
        self.later(2_000, move |demo| {
            demo.add_message(
                2,
                "Claire Dubois",
                0,
                &format!("And one more, number {round}."),
            );
            demo.chatter(round + 1);
        });
    }

    /// Plays the scene.
    fn play(&self) {
        let unreachable = |people| {
            Event::Status(Status::Unreachable {
                people,
                retry_at: Millis(clock::now().0 + 8_900),
            })
        };
        match self.0.scene.as_str() {
            "empty" | "empty-private" | "empty-known" => self.looking(None, 0, false),
            "alone" => self.looking(Some(150_000), 0, false),
            "alone-dropping" => self.looking(Some(150_000), 0, true),
            "alone-tabs" => {
                self.own_tab();
                self.looking(Some(40_000), 1, false);
            }
            "many" => self.many(),
            "long" => {
                self.conversation();
                let lines = |line: &str| {
                    (1..=60)
                        .map(|number| format!("{number}. {line}\n"))
                        .collect::<String>()
                };
                self.add_message(
                    1,
                    "Ben",
                    MINUTE,
                    &lines("See https://example.org/minutes for this point."),
                );
                self.add_message(OWN, "Ada", 0, &lines("I agree."));
            }
            "markdown" | "markup" => {
                self.conversation();
                let messages = if self.0.scene == "markup" {
                    MARKUP
                } else {
                    MARKDOWN
                };
                for (index, text) in messages.iter().enumerate() {
                    let (byte, user) = [(1, "Ben"), (OWN, "Ada")][index % 2];
                    self.add_message(byte, user, 0, text);
                }
            }
            "answers" => {
                self.conversation();
                for message in answers(clock::now(), key(1), key(2), key(OWN)) {
                    self.event(Event::Chat(ChatEvent::Message(Box::new(message))));
                }
            }
            "files" => {
                self.conversation();
                for event in files(clock::now(), key(1), key(OWN)) {
                    self.event(event);
                }
            }
            "conversations" => {
                self.connected(2, 0);
                self.peer(1, "Ben", PeerState::Verified, Trust::Known);
                self.peer(2, "Claire", PeerState::Verified, Trust::New);
                for message in said(clock::now()) {
                    self.event(Event::Chat(ChatEvent::Message(Box::new(message))));
                }
            }
            "trouble" => {
                self.conversation();
                let said = self.add_message(OWN, "Ada", 0, "Is anybody still reading this?");
                for event in trouble(view(9, "Mallory", PeerState::Verified, Trust::New), said) {
                    self.event(event);
                }
            }
            "imported" => {
                self.conversation();
                for mut message in said(clock::now()).into_iter().rev().take(3) {
                    message.conversation = Conversation::Channel(MAIN_CHANNEL.to_owned());
                    message.imported = true;
                    self.event(Event::Chat(ChatEvent::Message(Box::new(message))));
                }
                let all = Imported {
                    added: 1_203,
                    known: 1,
                    deleted: 2,
                    elsewhere: 0,
                };
                self.event(Event::Chat(ChatEvent::Imported(Ok(all))));
            }
            "writing" => {
                self.conversation();
                for (byte, user, text) in WRITING {
                    self.add_message(byte, user, 0, text);
                }
                self.writes();
            }
            "flood" => self.flood(500),
            "flood2000" => self.flood(2_000),
            "request" => {
                self.conversation();
                self.event(Event::People(PeopleEvent::Request(view(
                    9,
                    "Greta",
                    PeerState::Connecting,
                    Trust::New,
                ))));
                self.event(Event::People(PeopleEvent::Request(view(
                    10,
                    "Hugo",
                    PeerState::Connecting,
                    Trust::Known,
                ))));
            }
            "alias" => {
                self.conversation();
                self.peer(
                    9,
                    "Ben (k7qd)",
                    PeerState::Verified,
                    Trust::NameOnAnotherKey,
                );
                self.add_message(
                    9,
                    "Ben (k7qd)",
                    0,
                    "Hi, it is me, on a new phone. Can you send me the password again?",
                );
                self.connected(4, 0);
            }
            "tabs" => {
                self.conversation();
                self.own_tab();
                self.add_message(30, "Ada(2)", 0, "From the other tab.");
                self.event(Event::Status(Status::Connected {
                    people: 3,
                    reconnecting: 0,
                    own_tabs: 1,
                }));
            }
            "unreachable" => {
                self.conversation();
                self.event(unreachable(3));
            }
            "unreachable-alone" => self.event(unreachable(0)),
            "reconnecting" => {
                self.conversation();
                self.peer(1, "Ben", PeerState::Reconnecting, Trust::Verified);
                self.connected(3, 1);
            }
            "notices" => {
                self.conversation();
                self.emit(UiEvent::Notice(
                    "This browser keeps nothing for this page: your name and key are gone when the tab is closed."
                        .into(),
                ));
                self.event(Event::People(PeopleEvent::ValidationFailure {
                    peer: view(9, "Mallory", PeerState::Failed, Trust::New),
                    reason: "The signature did not fit the connection.".into(),
                }));
                self.peer(9, "Mallory", PeerState::Failed, Trust::New);
            }
            "no-path" => {
                self.conversation();
                self.peer(9, "Greta", PeerState::NoPath, Trust::New);
                let (people, unreached) = (3, 1);
                self.event(Event::Status(Status::NoPath { people, unreached }));
            }
            "full" => {
                self.conversation();
                self.event(Event::Status(Status::Full { people: 50 }));
            }
            "joins" => {
                self.conversation();
                for (index, name) in ["Dan", "Eve", "Finn", "Gil", "Hal"].into_iter().enumerate() {
                    self.peer(20 + index as u8, name, PeerState::Verified, Trust::New);
                }
                self.event(Event::People(PeopleEvent::Gone {
                    peer: view(2, "Claire Dubois", PeerState::Verified, Trust::Known),
                    reason: GoneReason::Left,
                }));
            }
            _ => self.conversation(),
        }
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
        Box::pin(async { landscape() })
    }

    fn media(&self) -> Later<Result<Media, String>> {
        Box::pin(media::load(self.0.media.clone()))
    }

    fn calls(&self) -> Later<Result<Calls, String>> {
        let demo = self.clone();
        Box::pin(async move {
            let notices = demo.clone();
            let notice = move |text| notices.emit(UiEvent::Notice(text));
            demo.0.calls.get(|_| (), notice).await
        })
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

/// The room's only channel.
pub(super) fn lobby() -> Conversation {
    Conversation::Channel(MAIN_CHANNEL.to_owned())
}

pub(super) fn key(byte: u8) -> PublicKey {
    let mut key = [byte; 33];
    key[0] = 2;
    PublicKey(key)
}

/// The name without a suffix. The demo's people have simple names.
fn name(user: &str) -> Name {
    let name = user.split(['(', '\n']).next().unwrap_or_default();
    Name::parse(name)
        .or_else(|_| Name::parse("Somebody"))
        .unwrap_or_else(|_| unreachable!("it is a name"))
}

fn view(byte: u8, user: &str, state: PeerState, trust: Trust) -> PeerView {
    PeerView {
        id: PeerId([byte; 16]),
        user: user.into(),
        name: name(user),
        info: None,
        key: key(byte),
        state,
        trust,
        activity: [None, Some(Activity::Active), Some(Activity::Away)][usize::from(byte % 3)],
        muted: false,
    }
}
