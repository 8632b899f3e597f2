//! The room: the log and the composer, with the people beside them.

use std::rc::Rc;

use yew::prelude::*;

use super::bar::bar;
use super::composer::Composer;
use super::log::Log;
use super::people::people;
use super::prompts::{prompts, warning};
use super::sheet::Dialog;
use super::welcome::restart_button;
use crate::room::Status;
use crate::ui::context::Ui;
use crate::ui::hooks::listen::use_focus;
use crate::ui::state::State;

#[derive(Properties, PartialEq)]
pub struct RoomProps {
    pub state: Rc<State>,
    pub ui: Ui,
}

#[function_component]
pub fn Room(props: &RoomProps) -> Html {
    let RoomProps { state, ui } = props;
    // A wide page shows neither of the two buttons, so neither can take the focus.
    let (to_people, back) = (use_node_ref(), use_node_ref());
    use_focus(state.people_open, back.clone(), to_people.clone());
    html! {
        <@{ui.landmark()} class="rt">
            <div class="room" data-look={state.people_open.then_some("people")}>
                { warning(state, ui) }
                <section class="conversation" aria-label="Conversation">
                    { bar(state, &to_people, ui) }
                    { prompts(state, ui) }
                    <Log
                        log={state.log.clone()} opening={state.opening.clone()} empty={state.emptiness()}
                        unread={state.unread} unread_from={state.unread_from} ui={ui.clone()}
                    />
                    if state.status == Status::Left {
                        <div class="composer gone"><p>{ "You left the room." }</p>{ restart_button("Rejoin", ui) }</div>
                    } else {
                        <Composer ui={ui.clone()} />
                    }
                </section>
                { people(state, &back, ui) }
            </div>
            if let Some(sheet) = state.sheet { <Dialog {sheet} state={state.clone()} ui={ui.clone()} /> }
        </@>
    }
}
