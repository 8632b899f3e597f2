//! What every view holds: the way to change the page, and the way to the room behind it.

use std::rc::Rc;

use yew::prelude::*;

use super::backend::{Backend, Entry, UiEvent};
use super::hooks::clock;
use super::state::{Action, State};
use crate::identity::Name;
use crate::room::{ChatEvent, Command, Event};

/// A backend that can be compared, as properties must be.
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

/// What every view may do: change the page, ask the backend.
#[derive(Clone, PartialEq)]
pub struct Ui {
    /// The room behind the page.
    pub backend: Shared,
    /// Takes actions. Never stale, unlike a state handle.
    pub dispatch: UseReducerDispatcher<State>,
}

impl Ui {
    /// The element that holds the chat: a page has one main part, and in somebody's page that is not the chat.
    pub fn landmark(&self) -> &'static str {
        if self.backend.0.is_embedded() {
            "div"
        } else {
            "main"
        }
    }

    /// Changes the page.
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
    }

    /// Goes by another name from now on.
    pub fn rename(&self, name: Name) {
        self.command(Command::Rename(name));
        if let Some(own) = self.backend.0.own() {
            self.act(Action::Joined(own));
        }
    }

    /// A callback that always does the same.
    pub fn acts<T>(&self, action: Action) -> Callback<T> {
        let ui = self.clone();
        Callback::from(move |_| ui.act(action.clone()))
    }

    /// Handles what happens below the views.
    pub fn on_event(&self, event: UiEvent) {
        match event {
            UiEvent::Opened(opening) => {
                let name = if opening.entry == Entry::WrongSecret {
                    None
                } else {
                    opening.name.clone()
                };
                self.act(Action::Opened(opening));
                if let Some(name) = name {
                    self.join(&name);
                }
            }
            UiEvent::Event(event) => {
                let day = if let Event::Chat(ChatEvent::Message(message)) = &event {
                    clock::local_day(message.at)
                } else {
                    0
                };
                self.act(Action::Event { event, day });
            }
            UiEvent::Shown(shown) => self.act(Action::Shown(shown)),
            UiEvent::Notice(text) => self.act(Action::Notice(text)),
            UiEvent::Failed(reason) => self.act(Action::Failed(reason)),
        }
    }
}
