//! A bot that greets everybody who comes, and answers questions and calls.

use std::collections::BTreeMap;
use std::time::Duration;

use rtchat::identity::{PeerId, Trust};
use rtchat::room::{
    AppCommand, AppEvent, CallEvent, ChatCommand, ChatEvent, FileCommand, FileEvent, Message,
    PeerState, PeerView, PeopleEvent,
};
use rtchat_bot::{Bot, Command, Event, Received, rtchat};

use crate::calls;

/// How long the helper waits for an answer to its question.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Greets everybody who comes, answers questions, and prints events.
#[derive(Debug)]
pub struct Helper {
    name: String,
    /// The question for the program of everybody who comes.
    question: Option<String>,
    /// How many questions were asked so far.
    asked: u32,
    /// The display names of all people who are here.
    people: BTreeMap<PeerId, String>,
    /// The command that shows the camera or the screen, until it was given.
    share: Option<Command>,
}

impl Bot for Helper {
    fn on_event(&mut self, event: &Event) -> Vec<Command> {
        print(event);
        match event {
            Event::People(PeopleEvent::Changed(peer)) if peer.state == PeerState::Verified => {
                self.greet(peer)
            }
            Event::People(PeopleEvent::Gone { peer, .. }) => {
                self.people.remove(&peer.id);
                Vec::new()
            }
            Event::Chat(ChatEvent::Message(message)) if !message.caught_up => {
                self.chat(message).into_iter().collect()
            }
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
            Event::Call(CallEvent::Changed(view)) => calls::react(view).into_iter().collect(),
            Event::Status(_) => self.share.take().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn on_media(&mut self, received: &Received) {
        let user = self.people.get(&received.peer).map(String::as_str);
        calls::print(user.unwrap_or("somebody"), received);
    }
}

impl Helper {
    /// Creates a helper of this name, which gives the command `share` as soon as it is in the room.
    pub fn new(name: String, question: Option<String>, share: Option<Command>) -> Helper {
        Helper {
            name,
            question,
            asked: 0,
            people: BTreeMap::new(),
            share,
        }
    }

    /// Greets somebody who is new here, but not somebody who was merely out of reach.
    fn greet(&mut self, peer: &PeerView) -> Vec<Command> {
        if self.people.insert(peer.id, peer.user.clone()).is_some() {
            return Vec::new();
        }
        let (user, name) = (&peer.user, &self.name);
        let text = match peer.trust {
            Trust::Known | Trust::Verified => format!("Welcome back, {user}!"),
            _ => {
                format!("Hello {user}, I am {name}. Ask me something: end it with a question mark.")
            }
        };
        // Nobody else sees the greeting: in a room with many people there would be little else to see.
        let greeting = Command::Chat(ChatCommand::SayTo {
            peer: peer.id,
            text,
        });
        [greeting].into_iter().chain(self.ask(peer.id)).collect()
    }

    /// Asks the program of a peer. People do not see this question.
    fn ask(&mut self, peer: PeerId) -> Option<Command> {
        let content = serde_json::to_string(self.question.as_ref()?).ok()?;
        self.asked += 1;
        Some(Command::App(AppCommand::Ask {
            peer,
            token: self.asked,
            topic: None,
            content,
            timeout: ANSWER_TIMEOUT,
        }))
    }

    /// Answers a message, if it is a question.
    fn chat(&self, message: &Message) -> Option<Command> {
        let peer = message.peer?;
        let text = message.text.trim();
        // No answer of a helper ends with a question mark, so two helpers do not talk for ever.
        let answer = text.ends_with('?').then(|| self.answer(text))?;
        Some(if message.is_direct() {
            Command::Chat(ChatCommand::SayTo { peer, text: answer })
        } else {
            Command::Chat(ChatCommand::say(answer))
        })
    }

    /// Answers the question of a program, which is JSON. This program understands strings only.
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
                self.name
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

/// Prints an event for the owner.
fn print(event: &Event) {
    match event {
        Event::Status(status) => println!("{status:?}"),
        Event::People(PeopleEvent::Changed(PeerView { user, state, .. }))
            if *state == PeerState::Verified =>
        {
            println!("{user} is here.")
        }
        Event::People(PeopleEvent::Gone { peer, reason }) => {
            println!("{} is gone: {reason:?}.", peer.user)
        }
        Event::Chat(ChatEvent::Message(message)) => {
            println!("{}: {}", message.sender, message.text)
        }
        Event::App(AppEvent::Question { content, .. }) => println!("Asked: {content}"),
        Event::App(AppEvent::Answered { result, .. }) => match result {
            Ok(answer) => println!("Answered: {answer}"),
            Err(error) => println!("Not answered: {error}"),
        },
        Event::People(PeopleEvent::ValidationFailure { peer, reason }) => {
            println!("Somebody claimed to be {} and is not: {reason}", peer.user)
        }
        Event::Refused(why) => println!("{why}"),
        _ => {}
    }
}
