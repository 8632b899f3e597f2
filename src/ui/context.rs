//! The handle that every view holds: it changes the page's state and reaches the room.

use std::rc::Rc;

use web_sys::Event;
use yew::prelude::*;

use super::backend::{Backend, UiEvent};
use super::hooks::clock;
use super::state::{Action, State};
use crate::identity::{Name, PublicKey};
use crate::room::{
    self, CallEvent, ChatEvent, Command, FileCommand, FileEvent, PeerView, PeopleCommand,
};

/// A backend that can be compared, because Yew compares properties.
#[derive(Clone)]
pub struct Shared(pub Rc<dyn Backend>);

impl PartialEq for Shared {
    fn eq(&self, other: &Shared) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        Rc::new(State::reduce(Rc::unwrap_or_clone(self), action))
    }
}

/// Changes the page's state and calls the backend.
#[derive(Clone, PartialEq)]
pub struct Ui {
    /// The room behind the page.
    pub backend: Shared,
    /// Dispatches actions. Unlike a state handle, it is never stale.
    pub dispatch: UseReducerDispatcher<State>,
}

impl Ui {
    /// The element that holds the chat. A page has one `main` element, and in an embedding page that is not the chat.
    pub fn landmark(&self) -> &'static str {
        if self.backend.0.is_embedded() {
            "div"
        } else {
            "main"
        }
    }

    /// Changes the page's state.
    pub fn act(&self, action: Action) {
        self.dispatch.dispatch(action);
    }

    /// Hands a command to the room.
    pub fn command(&self, command: Command) {
        self.backend.0.command(command);
    }

    /// Joins under this name.
    pub fn join(&self, name: &Name) {
        self.act(match self.backend.0.join(name) {
            Ok(own) => Action::Joined(own),
            Err(reason) => Action::Failed(reason),
        });
        self.read_blocked();
    }

    /// Joins again after leaving, under the same name. What was said stays.
    pub fn rejoin(&self) {
        self.act(Action::Rejoining);
        self.act(match self.backend.0.rejoin() {
            Ok(own) => Action::Joined(own),
            Err(reason) => Action::Failed(reason),
        });
    }

    /// Blocks somebody.
    pub fn block(&self, peer: &PeerView) {
        self.act(Action::Blocked(peer.key, peer.user.clone()));
        self.command(Command::People(PeopleCommand::Block(peer.shown())));
        self.read_blocked();
    }

    /// Unblocks a key.
    pub fn unblock(&self, key: PublicKey) {
        self.command(Command::People(PeopleCommand::Unblock(key)));
        self.read_blocked();
    }

    /// Shows whom the person has blocked now, here or in another tab.
    fn read_blocked(&self) {
        self.act(Action::BlockedAre(self.backend.0.blocked()));
    }

    /// Changes the name of the person at this browser.
    pub fn rename(&self, name: Name) {
        self.command(Command::Rename(name));
        if let Some(own) = self.backend.0.own() {
            self.act(Action::Joined(own));
        }
    }

    /// Returns a callback that does this. It is boxed so that all buttons share one kind of callback.
    pub fn on(&self, act: Box<dyn Fn(&Ui)>) -> Callback<Event> {
        let ui = self.clone();
        Callback::from(move |_| act(&ui))
    }

    /// Returns a callback that dispatches this action.
    pub fn acts(&self, action: fn() -> Action) -> Callback<Event> {
        self.on(Box::new(move |ui| ui.act(action())))
    }

    /// Handles an event from the backend.
    pub fn on_event(&self, event: UiEvent) {
        match event {
            UiEvent::Opened(opening) => {
                let name = opening.name.clone().filter(|_| opening.joins());
                self.act(Action::Opened(opening));
                if let Some(name) = name {
                    self.join(&name);
                }
            }
            // A program offers a file that stands beside nothing that was said.
            UiEvent::Event(room::Event::File(FileEvent::Offered { file, .. })) => {
                let words = "This page takes files beside messages only.".to_owned();
                self.command(Command::File(FileCommand::Refuse { file, words }));
            }
            UiEvent::Event(event) => {
                let day = match &event {
                    room::Event::Chat(
                        ChatEvent::Message(message) | ChatEvent::Changed(message),
                    ) => clock::local_day(message.at),
                    room::Event::Call(CallEvent::Noted(note)) => clock::local_day(note.at),
                    _ => 0,
                };
                self.act(Action::Event { event, day });
            }
            UiEvent::Open(conversation) => self.act(Action::Open(conversation)),
            UiEvent::KeptAs(mode) => self.act(Action::Mode(mode)),
            UiEvent::Entering => self.act(Action::Entering(true)),
            UiEvent::Entered => self.act(Action::Entering(false)),
            UiEvent::Shown(shown) => self.act(Action::Shown(shown)),
            UiEvent::Notice(text) => self.act(Action::Notice(text)),
            UiEvent::Failed(reason) => self.act(Action::Failed(reason)),
            UiEvent::WrongAddress { reason, open_link } => {
                self.act(Action::WrongAddress { reason, open_link });
            }
            UiEvent::TrustChanged => self.read_blocked(),
            UiEvent::NamedElsewhere(name) => match self.backend.0.own() {
                Some(_) => self.rename(name),
                None => self.join(&name),
            },
        }
    }
}
