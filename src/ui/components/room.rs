//! The room: log and composer, and beside them the people.

use std::rc::Rc;

use yew::prelude::*;

use super::bar::Bar;
use super::composer::Composer;
use super::log::Log;
use super::people::People;
use super::prompts::Prompts;
use super::sheet::Over;
use super::welcome::Reload;
use crate::room::Status;
use crate::ui::app::Ui;
use crate::ui::state::State;

#[derive(Properties, PartialEq)]
pub struct RoomProps {
    pub state: Rc<State>,
    pub ui: Ui,
}

#[function_component]
pub fn Room(props: &RoomProps) -> Html {
    let RoomProps { state, ui } = props;
    html! {
        <main class="rt">
            <div class={classes!("room", state.people_open.then_some("show-people"))}>
                <section class="talk" aria-label="Conversation">
                    <Bar state={state.clone()} ui={ui.clone()} />
                    <Prompts state={state.clone()} ui={ui.clone()} />
                    <Log
                        log={state.log.clone()} opening={state.opening.clone()} empty={state.is_empty()}
                        unread={state.unread} unread_from={state.unread_from} ui={ui.clone()}
                    />
                    if state.status == Status::Left {
                        <div class="composer gone"><p>{ "You left the room." }</p><Reload label="Come back" /></div>
                    } else {
                        <Composer ui={ui.clone()} />
                    }
                </section>
                <People state={state.clone()} ui={ui.clone()} />
            </div>
            if let Some(sheet) = state.sheet { <Over {sheet} state={state.clone()} ui={ui.clone()} /> }
        </main>
    }
}
