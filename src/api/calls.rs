//! Calls, for programs: what the module's script for calls (`embed/src/calls.ts`) is told, and what it says.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::*;

use super::{Engine, Inner};
use crate::browser::on_the_wall;
use crate::call_script::{self, Names, Person};
use crate::driver::CallScript;
use crate::identity::PeerId;
use crate::room::{CallLine, CallsView, Command, Conversation};
use crate::time::Millis;

/// Programs know everybody by their peer ids.
struct Unnamed;

impl Names for Unnamed {
    fn person(&self, _peer: &PeerId) -> Option<Person> {
        None
    }

    fn title(&self, _conversation: &Conversation) -> String {
        String::new()
    }

    fn on_the_wall(&self, at: Millis) -> Millis {
        on_the_wall(at)
    }
}

#[wasm_bindgen]
impl Engine {
    /// Moves sound and pictures with this object: in this room, and whenever a room is opened.
    #[wasm_bindgen(js_name = provideCalls)]
    pub fn provide_calls(&self, script: CallScript) {
        if let Some(joined) = &*self.0.joined.borrow() {
            joined.handle.provide_calls(script.clone());
        }
        self.0.call_script.replace(Some(script));
    }

    /// Carries out a `Command` of `embed/calls/contract.ts`, in JSON. Returns a sentence if the room refuses it.
    #[wasm_bindgen(js_name = callCommand)]
    pub fn call_command(&self, command: &str) -> Option<String> {
        if self.0.joined.borrow().is_none() {
            return Some("The room was left.".to_owned());
        }
        let Some(command) = call_script::command(command) else {
            return Some("There is no such conversation or peer.".to_owned());
        };
        // The room answers before `command` returns.
        self.0.deciding.set(true);
        self.command(Command::Call(command));
        self.0.deciding.set(false);
        self.0.refusal.take()
    }

    /// How it stands with calls, as a `View` of `embed/calls/contract.ts` without people and titles, in JSON. `undefined`
    /// outside of a room.
    #[wasm_bindgen(js_name = callsView)]
    pub fn calls_view(&self) -> Option<String> {
        let view = self.0.calls.borrow();
        self.0.view_of(&view)
    }
}

impl Inner {
    /// Writes how it stands with calls.
    pub(super) fn view_of(&self, view: &CallsView) -> Option<String> {
        let joined = self.joined.borrow();
        let joined = joined.as_ref()?;
        let (own, _, _) = joined.handle.own();
        let allowed = joined.join.settings.calls.as_str();
        Some(call_script::view(view, &own, allowed, &Unnamed))
    }
}

/// The word for what became of a call.
pub(super) fn outcome(line: CallLine) -> JsValue {
    let word = match line {
        CallLine::Missed => "missed",
        CallLine::NotAnswered => "unanswered",
        CallLine::Declined => "declined",
        CallLine::Unable => "unable",
        CallLine::Ended(_) => "ended",
    };
    word.into()
}
