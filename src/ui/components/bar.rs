//! The bar: the room's name and the status line.

use yew::prelude::*;

use super::empty::CopyLink;
use super::icon::{LOCK, PEOPLE, icon};
use super::sentence::changing;
use crate::room::{PeerState, Status};
use crate::ui::backend::Entry;
use crate::ui::context::Ui;
use crate::ui::hooks::listen::{focus_is_lost, focus_new, use_change, use_interval};
use crate::ui::markup::view;
use crate::ui::state::{Action, Sheet, State};
use crate::ui::texts;
use std::rc::Rc;

pub fn bar(state: &Rc<State>, people: &NodeRef, ui: &Ui) -> Html {
    let present = state.present();
    view! {
        <header class="bar" part="header">
            <div class="where">
                <h1>
                    <bdi data-testid="room" translate="no">{ &state.opening.room }</bdi>
                    if state.opening.entry == Entry::Private {
                        <span
                            class="private" title="Private room"
                        >
                            { icon(LOCK) }<span class="sr">{ "Private room" }</span>
                        </span>
                    }
                </h1>
                { html! { <StatusLine state={state.clone()} ui={ui.clone()} /> } }
            </div>
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
