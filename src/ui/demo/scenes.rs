//! What happens in each scene.

use super::answers::{WRITING, answers};
use super::files::files;
use super::markdown::{MARKDOWN, MARKUP};
use super::people::{OWN, key, lobby, view};
use super::talks::said;
use super::trouble::trouble;
use super::{Demo, clock};
use crate::identity::{PeerId, Trust};
use crate::room::{
    ChatEvent, Conversation, Event, GoneReason, Imported, MAIN_CHANNEL, PeerState, PeerView,
    PeopleEvent, Status,
};
use crate::time::Millis;
use crate::ui::UiEvent;

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

impl Demo {
    fn own_tab(&self) {
        self.event(Event::People(PeopleEvent::Changed(PeerView {
            key: key(OWN),
            ..view(30, "Ada(2)", PeerState::Verified, Trust::Known)
        })));
    }

    pub(super) fn conversation(&self) {
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

    /// Somebody comes with a known name and another key.
    fn alias(&self) {
        self.peer(
            9,
            "Ben (k7qd)",
            PeerState::Verified,
            Trust::NameOnAnotherKey,
        );
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
    pub(super) fn play(&self) {
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
            "call" => self.call(false),
            "call-full" => self.call(true),
            "ring" => self.ring(),
            "ring-alias" => {
                self.ring();
                self.alias();
            }
            "watch" => self.watch(),
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
                self.alias();
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
