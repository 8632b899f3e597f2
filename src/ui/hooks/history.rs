//! The views of a narrow page as entries of the browser's history, so that *Back* goes from the people to the conversation,
//! and from there to the list of conversations.

use web_sys::HtmlElement;
use yew::prelude::*;

use super::listen::{use_change, window};
use crate::browser::Listener;
use crate::ui::context::Ui;
use crate::ui::state::Action;

/// That a conversation is in the place of the list.
const TALK: u64 = 1;
/// That the people are in the place of either.
const PEOPLE: u64 = 2;

/// The states of the entries. The number of one says what it shows above the list, or above the only conversation.
const STATES: [&str; 4] = ["", "rtchat/talk", "rtchat/people", "rtchat/talk/people"];

/// What the current entry shows.
fn shown() -> u64 {
    let state = window()
        .history()
        .ok()
        .and_then(|history| history.state().ok()?.as_string());
    let at = STATES
        .iter()
        .position(|known| state.as_deref() == Some(known));
    at.unwrap_or_default() as u64
}

/// Adds an entry when a conversation takes the place of the list, or the people that of the conversation, and goes back when
/// they no longer do. A wide page shows them side by side, and none of these buttons. Where the history belongs to somebody
/// else's page, this does nothing.
#[hook]
pub fn use_history(is_own: bool, talk_open: bool, people_open: bool, buttons: [&NodeRef; 2]) {
    let buttons = buttons.map(NodeRef::clone);
    let to = (u64::from(talk_open) * TALK) | (u64::from(people_open) * PEOPLE);
    use_change(
        to,
        Box::new(move || {
            let Some(history) = window().history().ok().filter(|_| is_own) else {
                return;
            };
            let from = shown();
            let is_narrow = buttons.iter().any(|button| {
                let button = button.cast::<HtmlElement>();
                button.is_some_and(|button| button.offset_width() > 0)
            });
            let push = |to: u64| history.push_state(&STATES[to as usize & 3].into(), "");
            // It fails in documents without an address of their own, where *Back* leaves the page as before.
            let _ = match (from, to) {
                _ if from == to => Ok(()),
                (3, 0) => history.go_with_delta(-2),
                (_, 0) | (3, TALK) => history.back(),
                _ if !is_narrow => Ok(()),
                (0, 3) => push(TALK).and_then(|()| push(to)),
                (0, _) | (TALK, 3) => push(to),
                // The entry below stays what it is: the list, since there is one by now.
                _ => history.replace_state(&STATES[to as usize & 3].into(), ""),
            };
        }),
    );
}

/// Follows the browser's *Back* and *Forward* until it is dropped.
pub fn follow(ui: &Ui) -> Listener {
    let ui = ui.clone();
    Listener::on_window(
        "popstate",
        Box::new(move |_| {
            let shown = shown();
            ui.act(Action::People(shown & PEOPLE != 0));
            ui.act(Action::List(shown & TALK == 0));
        }),
    )
}
