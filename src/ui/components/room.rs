//! The room: the log and the composer, with the people beside them.

use std::rc::Rc;

use yew::prelude::*;

use super::bar::bar;
use super::calls::Place;
use super::chooser::chooser;
use super::composer::Composer;
use super::log::Log;
use super::people::people;
use super::prompts::prompts;
use super::sheet::{BlockQuestion, DeleteQuestion, Dialog};
use super::talks::{beginning, talks};
use crate::room::{CallCommand, ChatCommand, Command, Message, Status};
use crate::ui::context::Ui;
use crate::ui::drafts;
use crate::ui::forward::{command, destinations};
use crate::ui::hooks::history::use_history;
use crate::ui::hooks::listen::{focus_new, use_focus, use_mount};
use crate::ui::markup::view;
use crate::ui::state::{Action, State};

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
    let embedded = ui.backend.0.is_embedded();
    let field = use_node_ref();
    let field_too = field.clone();
    let conversation = &state.talk.conversation;
    let place = drafts::key(&state.opening, &conversation.to_string());
    let list = use_node_ref();
    let listed = state.listed();
    let (open, has_list) = (state.opened(), listed.len() > 1);
    let talk_open = has_list && !state.list_open;
    use_history(!embedded, talk_open, state.people_open, [&back, &list]);
    // Where a narrow page shows the people, the field is hidden.
    let next = [back.clone(), field.clone()];
    let look = match (state.people_open, state.list_open) {
        (true, _) => Some("people"),
        (false, true) if has_list => Some("list"),
        _ => None,
    };
    {
        let ui = ui.clone();
        use_effect_with(state.read_up_to(), move |read| {
            if let Some((conversation, order)) = read.clone() {
                ui.command(Command::Chat(ChatCommand::Read(conversation, order)));
            }
        });
    }
    {
        let ui = ui.clone();
        use_effect_with(state.missed_call_seen(), move |seen| {
            if let Some((conversation, _)) = seen.clone() {
                ui.command(Command::Call(CallCommand::Seen(conversation)));
            }
        });
    }
    view! {
        <@{ui.landmark()} class="rt">
            <div class="room" data-look={look} data-list={has_list.then_some("")}>
                if has_list { { talks(state, &listed, ui) } }
                <section class="conversation" aria-label="Conversation">
                    { bar(state, &open, has_list, (&list, &to_people), ui) }
                    { html! { <Place state={state.clone()} ui={ui.clone()} /> } }
                    { prompts(state, &next, ui) }
                    { html! { <Log
                        key={conversation.to_string()} log={state.talk.log.clone()} files={state.files.clone()}
                        opening={state.opening.clone()}
                        empty={state.emptiness()} unread={state.talk.unread} unread_from={state.talk.unread_from}
                        mentioned={state.talk.mentioned} shown={state.shown} conversation={conversation.clone()}
                        beginning={beginning(&open)} target={state.target.clone()} ui={ui.clone()}
                    /> } }
                    if state.status == Status::Left {
                        { html! { <Gone ui={ui.clone()} /> } }
                    } else {
                        { html! { <Composer
                            area={field} composing={state.composing.clone()} people={state.names()} writing={state.writing()}
                            conversation={conversation.clone()} has_files={state.opening.features.files}
                            key={place.clone()} place={place.clone()} returned={state.returned.clone()} ui={ui.clone()} /> } }
                    }
                </section>
                { people(state, &back, ui) }
            </div>
            if let Some(sheet) = state.sheet { { html! { <Dialog {sheet} state={state.clone()} ui={ui.clone()} /> } } }
            if let Some(message) = &state.forwarding { { forwarding(message, state, ui) } }
            if let Some(conversation) = &state.deleting {
                { html! { <DeleteQuestion
                    conversation={conversation.clone()} title={open.title.clone()} field={field_too} ui={ui.clone()}
                /> } }
            }
            if let Some(peer) = &state.blocking { { html! { <BlockQuestion peer={peer.clone()} ui={ui.clone()} /> } } }
        </@>
    }
}

/// Asks where to pass a message on to.
fn forwarding(message: &Rc<Message>, state: &State, ui: &Ui) -> Html {
    let all = destinations(state);
    let chosen = {
        let (message, all, ui) = (message.clone(), all.clone(), ui.clone());
        Callback::from(move |at: usize| {
            if let Some(destination) = all.get(at) {
                ui.command(Command::Chat(command(&message, &destination.to)));
            }
            ui.act(Action::Forward(None));
        })
    };
    let closed = ui.acts(|| Action::Forward(None));
    chooser("Forward to", &all, &chosen, closed)
}

#[derive(Properties, PartialEq)]
struct GoneProps {
    ui: Ui,
}

/// Stands in place of the composer after leaving. The button takes the focus, which was on the one to leave.
#[function_component]
fn Gone(props: &GoneProps) -> Html {
    let button = use_node_ref();
    {
        let button = button.clone();
        use_mount(Box::new(move || {
            focus_new(&button);
            None
        }));
    }
    let rejoin = props.ui.on(Box::new(Ui::rejoin));
    view! {
        <div class="composer gone">
            <p>{ "You left. What was said stays here." }</p>
            <button ref={button} type="button" class="primary" data-testid="rejoin" onclick={rejoin}>{ "Rejoin" }</button>
        </div>
    }
}
