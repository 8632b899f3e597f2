//! What the helper says. Replace this file to make another bot.

use std::collections::BTreeMap;
use std::time::Duration;

use rtchat::identity::{Name, PeerId, Trust};
use rtchat::room::{
    AppCommand, AppEvent, ChatCommand, ChatEvent, Command, Event, FileCommand, FileEvent, Message,
    PeerState, PeerView, PeopleEvent,
};

/// So long may an answer take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Greets whoever comes, and answers questions.
#[derive(Debug)]
pub struct Helper {
    name: Name,
    /// What it asks everybody who comes.
    question: Option<String>,
    asked: u32,
    /// Who is here and was greeted, with the name that is shown.
    people: BTreeMap<PeerId, String>,
}

impl Helper {
    pub fn new(name: Name, question: Option<String>) -> Helper {
        Helper {
            name,
            question,
            asked: 0,
            people: BTreeMap::new(),
        }
    }

    /// What to do about an event.
    pub fn hears(&mut self, event: &Event) -> Vec<Command> {
        match event {
            Event::People(PeopleEvent::Changed(peer)) if peer.state == PeerState::Verified => {
                self.greet(peer)
            }
            Event::People(PeopleEvent::Gone { peer, .. }) => {
                self.people.remove(&peer.id);
                Vec::new()
            }
            Event::Chat(ChatEvent::Message(message)) => self.chat(message).into_iter().collect(),
            Event::App(AppEvent::Question {
                peer,
                question,
                content,
                ..
            }) => vec![Command::App(AppCommand::Answer {
                peer: *peer,
                question: question.clone(),
                result: self.answer_json(content),
            })],
            Event::File(FileEvent::Offered { file, .. }) => {
                let (file, words) = (*file, "I take no files.".to_owned());
                vec![Command::File(FileCommand::Refuse { file, words })]
            }
            _ => Vec::new(),
        }
    }

    /// Says hello to who is new here, but not to who was merely out of reach.
    fn greet(&mut self, peer: &PeerView) -> Vec<Command> {
        if self.people.insert(peer.id, peer.user.clone()).is_some() {
            return Vec::new();
        }
        let (user, name) = (&peer.user, self.name.as_str());
        let text = match peer.trust {
            Trust::Known | Trust::Verified => format!("Welcome back, {user}!"),
            _ => {
                format!("Hello {user}, I am {name}. Ask me something: end it with a question mark.")
            }
        };
        // To nobody else, or a room with many people would hear little else.
        let greeting = Command::Chat(ChatCommand::SayTo {
            peer: peer.id,
            text,
        });
        [greeting].into_iter().chain(self.ask(peer.id)).collect()
    }

    /// A question for a program, not to be seen in the chat.
    fn ask(&mut self, peer: PeerId) -> Option<Command> {
        let content = serde_json::to_string(self.question.as_ref()?).ok()?;
        self.asked += 1;
        Some(Command::App(AppCommand::Ask {
            peer,
            token: self.asked,
            topic: None,
            content,
            timeout: PATIENCE,
        }))
    }

    /// Answers what is said in the chat, if it is a question.
    fn chat(&self, message: &Message) -> Option<Command> {
        let peer = message.peer?;
        let text = message.text.trim();
        // Its own answers never end like this, so two helpers do not talk for ever.
        let answer = text.ends_with('?').then(|| self.answer(text))?;
        Some(if message.private {
            Command::Chat(ChatCommand::SayTo { peer, text: answer })
        } else {
            Command::Chat(ChatCommand::Say(answer))
        })
    }

    /// Questions of programs come as JSON; this one understands text.
    fn answer_json(&self, content: &str) -> Result<String, String> {
        let question: String =
            serde_json::from_str(content).map_err(|_| "I understand text only.".to_owned())?;
        serde_json::to_string(&self.answer(&question)).map_err(|error| error.to_string())
    }

    fn answer(&self, question: &str) -> String {
        let question = question.to_lowercase();
        let asks = |words: &str| question.contains(words);
        if asks("who are you") {
            format!(
                "I am {}, a program. I came here without a browser.",
                self.name.as_str()
            )
        } else if asks("who is here") {
            let people: Vec<&str> = self.people.values().map(String::as_str).collect();
            format!("I see {}.", people.join(", "))
        } else if asks("the answer to life, the universe, and everything") {
            "42".to_owned()
        } else {
            "I don't know the answer.".to_owned()
        }
    }
}
