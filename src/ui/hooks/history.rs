//! The views of a narrow page as entries of the browser's history, so that *Back* goes from the people to the conversation.

use web_sys::HtmlElement;
use yew::prelude::*;

use super::listen::{use_change, window};
use crate::browser::Listener;
use crate::ui::context::Ui;
use crate::ui::state::Action;

/// The state of the entry that shows the people.
const PEOPLE: &str = "rtchat/people";

/// Whether the current entry is the one that shows the people.
fn shows_people() -> bool {
    let state = window().history().and_then(|history| history.state());
    state.is_ok_and(|state| state == PEOPLE)
}

/// Adds an entry when the people take the place of the conversation, and goes back when they no longer do. A wide page
/// shows both, and not the button `back`. Where the history belongs to somebody else's page, this does nothing.
#[hook]
pub fn use_history(is_own: bool, people_open: bool, back: &NodeRef) {
    let back = back.clone();
    use_change(
        u64::from(people_open),
        Box::new(move || {
            let Some(history) = window().history().ok().filter(|_| is_own) else {
                return;
            };
            let is_narrow = || {
                let back = back.cast::<HtmlElement>();
                back.is_some_and(|back| back.offset_width() > 0)
            };
            // It fails in documents without an address of their own, where *Back* leaves the page as before.
            let _ = if people_open && !shows_people() && is_narrow() {
                history.push_state(&PEOPLE.into(), "")
            } else if !people_open && shows_people() {
                history.back()
            } else {
                Ok(())
            };
        }),
    );
}

/// Follows the browser's *Back* and *Forward* until it is dropped.
pub fn follow(ui: &Ui) -> Listener {
    let ui = ui.clone();
    Listener::on_window(
        "popstate",
        Box::new(move |_| ui.act(Action::People(shows_people()))),
    )
}
