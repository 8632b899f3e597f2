//! The bar: the room's name and the status line.

use yew::prelude::*;

use super::calls::buttons;
use super::empty::CopyLink;
use super::icon::{LOCK, PEOPLE, TRASH, icon};
use super::search::Search;
use super::sentence::changing;
use super::talks::{sign, to_list};
use crate::room::{PeerState, Status};
use crate::ui::backend::Entry;
use crate::ui::context::Ui;
use crate::ui::hooks::listen::{focus_is_lost, focus_new, use_change, use_interval};
use crate::ui::markup::view;
use crate::ui::state::{Action, Listed, Sheet, State};
use crate::ui::texts;
use std::rc::Rc;

/// The bar of the conversation that is open. With others beside it, it has the conversation's name, and the list has the
/// room's.
pub fn bar(
    state: &Rc<State>,
    open: &Listed,
    has_list: bool,
    (list, people): (&NodeRef, &NodeRef),
    ui: &Ui,
) -> Html {
    let present = state.present();
    let topic = open
        .channel
        .as_ref()
        .and_then(|channel| channel.topic.clone());
    let ask = {
        let conversation = open.conversation.clone();
        ui.on(Box::new(move |ui| {
            ui.act(Action::Deleting(Some(conversation.clone())));
        }))
    };
    view! {
        <header class="bar" part="header">
            if has_list { { to_list(state, list, ui) }<span class="seat">{ sign(open) }</span> }
            <div class="where">
                <h1>
                    if has_list {
                        <bdi data-testid="title" translate="no">{ &open.title }</bdi>
                        <span class="sr">{ " – " }<bdi data-testid="room" translate="no">{ &state.opening.room }</bdi></span>
                    } else {
                        <bdi data-testid="room" translate="no">{ &state.opening.room }</bdi>
                    }
                    if state.opening.entry == Entry::Private {
                        <span
                            class="private" title="Private room"
                        >
                            { icon(LOCK) }<span class="sr">{ "Private room" }</span>
                        </span>
                    }
                </h1>
                if let Some(topic) = topic { <p class="topic" dir="auto" title={topic.clone()}>{ topic }</p> }
                { html! { <StatusLine state={state.clone()} ui={ui.clone()} /> } }
            </div>
            { buttons(state, open, ui) }
            if state.talk.log.has_messages() {
                <button
                    type="button" class="quiet icon-only" data-testid="delete-conversation" aria-label={texts::DELETE_THIS}
                    title={texts::DELETE_THIS} onclick={ask}
                >
                    { icon(TRASH) }
                </button>
            }
            { html! { <Search found={state.found.clone()} open={open.clone()} has_others={has_list} ui={ui.clone()} /> } }
            { html! { <CopyLink link={state.opening.link.clone()} label="Copy link" class="quiet" ui={ui.clone()} /> } }
            <button
                ref={people.clone()} type="button" class="quiet to-people" data-testid="people-button"
                aria-expanded={if state.people_open { "true" } else { "false" }} onclick={ui.acts(|| Action::People(true))}
            >
                { icon(PEOPLE) }<span aria-hidden="true" translate="no">{ present }</span>
                <span class="sr">{ changing(&format!("People, {}", texts::people(present))) }</span>
            </button>
        </header>
    }
}

#[derive(Properties, PartialEq)]
struct StatusProps {
    state: Rc<State>,
    ui: Ui,
}

/// The status in one line of plain words. A click opens the details.
#[function_component]
fn StatusLine(props: &StatusProps) -> Html {
    let StatusProps { state, ui } = props;
    let tick = use_force_update();
    let waits = texts::waits(state.status);
    use_interval(
        waits.then_some(1_000),
        Callback::from(move |()| tick.force_update()),
    );
    // *Try now* goes with the wait that it ends. If it had the focus, the status takes it.
    let (line, tried) = (use_node_ref(), use_mut_ref(|| false));
    {
        let (line, tried) = (line.clone(), tried.clone());
        use_change(
            u64::from(waits),
            Box::new(move || {
                if !waits && tried.replace(false) && focus_is_lost(&line) {
                    focus_new(&line);
                }
            }),
        );
    }

    let named = |states: &[PeerState]| -> Vec<&str> {
        let others = state.people.iter().filter(|peer| !state.is_own_tab(peer));
        let about = others.filter(|peer| states.contains(&peer.state));
        about.map(|peer| peer.user.as_str()).collect()
    };
    let now = crate::browser::now();
    let text = texts::status(state.status, named, now);
    let aloud = texts::status_aloud(state.status, named, now);
    let try_now = ui.on(Box::new(move |ui| {
        tried.replace(true);
        ui.backend.0.try_now();
    }));
    let dropping = matches!(state.status, Status::Looking { dropping: true, .. });
    let details = ui.acts(|| Action::Sheet(Some(Sheet::Diagnostics)));
    view! {
        <>
            <div class="line">
                <button
                    ref={line} type="button" class="status" part="status" data-testid="status"
                    data-state={texts::status_word(state.status)} title="Details" onclick={details.clone()}
                >
                    <span class="lamp" aria-hidden="true" /><span class="words">{ changing(&text) }</span>
                </button>
                if dropping {
                    <button type="button" class="quiet try" data-testid="what-was-dropped" onclick={details}>
                        { "What was dropped" }
                    </button>
                }
                if waits {
                    <button type="button" class="quiet try" data-testid="try-now" onclick={try_now}>{ "Try now" }</button>
                }
            </div>
            <span class="sr" role="status">{ changing(&aloud) }</span>
        </>
    }
}
