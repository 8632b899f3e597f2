//! How long this browser keeps what is said, and deleting it.

use std::rc::Rc;

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::sentence::changing;
use super::transfer::Transfer;
use crate::history::Mode;
use crate::room::{ChatCommand, Command, Deletion};
use crate::ui::context::Ui;
use crate::ui::hooks::listen::{use_change, use_flag, use_focus};
use crate::ui::markup::view;
use crate::ui::state::{Action, Import};
use crate::ui::texts;

#[derive(Properties, PartialEq)]
pub struct KeepingProps {
    /// Whether the person chooses how long messages are kept, because the site keeps any.
    pub can_choose: bool,
    /// How far the import of a file has come.
    pub import: Option<Rc<Import>>,
    /// What another tab has chosen last. It is asked for anew whenever this changes.
    pub mode: Option<Mode>,
    pub ui: Ui,
}

/// The choice, and the buttons that delete, which ask first.
#[function_component]
pub fn Keeping(props: &KeepingProps) -> Html {
    let ui = &props.ui;
    let (room, site) = (use_flag(), use_flag());
    let (keep, opener, identity) = (use_node_ref(), use_node_ref(), use_node_ref());
    use_focus(*room || *site, keep.clone(), opener.clone());
    let (select, mode) = (use_node_ref(), ui.backend.0.history());
    {
        // Attributes change nothing of a choice that the person has made before.
        let select = select.clone();
        use_change(
            mode as u64,
            Box::new(move || {
                if let Some(select) = select.cast::<HtmlSelectElement>() {
                    select.set_value(mode.as_str());
                }
            }),
        );
    }
    let choose = {
        let ui = ui.clone();
        Callback::from(move |event: Event| {
            let select = event.target_dyn_into::<HtmlSelectElement>();
            let mode = select.and_then(|select| Mode::parse(&select.value()));
            if let Some(mode) = mode {
                ui.backend.0.set_history(mode);
                ui.act(Action::Mode(mode));
            }
        })
    };
    let chosen = |this: Mode| (mode == this).then_some("");
    let set = |flag: &UseStateHandle<bool>| {
        let flag = flag.clone();
        Callback::from(move |_: Event| flag.set(true))
    };
    let cancel = {
        let (room, site) = (room.clone(), site.clone());
        Callback::from(move |_: Event| {
            room.set(false);
            site.set(false);
        })
    };
    let delete = {
        let (room, site, ui, identity) = (room.clone(), site.clone(), ui.clone(), identity.clone());
        Callback::from(move |_: Event| {
            if *site {
                let identity = identity.cast::<HtmlInputElement>();
                ui.backend
                    .0
                    .delete_site(identity.is_some_and(|it| it.checked()));
            } else {
                ui.command(Command::Chat(ChatCommand::Delete(Deletion::Room)));
            }
            room.set(false);
            site.set(false);
        })
    };
    let (sentence, now) = if *site {
        (texts::DELETE_SITE, "delete-site-now")
    } else {
        (texts::DELETE_ROOM, "delete-room-now")
    };
    view! {
        <section class="keeping" aria-label="History">
            if props.can_choose {
                <label>
                    <span>{ "Messages here" }</span>
                    <select ref={select} data-testid="history-mode" oninput={choose}>
                        <option value="kept" selected={chosen(Mode::Kept)}>{ texts::history_mode(Mode::Kept) }</option>
                        <option value="session" selected={chosen(Mode::Session)}>{ texts::history_mode(Mode::Session) }</option>
                        <option value="off" selected={chosen(Mode::Off)}>{ texts::history_mode(Mode::Off) }</option>
                    </select>
                </label>
            }
            if *room || *site {
                <div class="asked" role="group" aria-label="Delete all messages?">
                    <p class="hint">{ changing(sentence) }</p>
                    if *site {
                        <label>
                            <input ref={identity} type="checkbox" data-testid="delete-identity" />
                            <span>{ "My name, my key and the people I met, too" }</span>
                        </label>
                    }
                    <button ref={keep} type="button" data-testid="keep-room" onclick={cancel}>{ "Keep" }</button>
                    <button type="button" class="primary" data-testid={now} onclick={delete}>{ "Delete" }</button>
                </div>
            } else {
                <div class="deleting" role="group" aria-label="Delete">
                    <span>{ "Delete" }</span>
                    <button ref={opener} type="button" class="quiet" data-testid="delete-room" onclick={set(&room)}>{ "This room …" }</button>
                    <button type="button" class="quiet" data-testid="delete-site" onclick={set(&site)}>{ "All rooms …" }</button>
                </div>
            }
            { html! { <Transfer import={props.import.clone()} ui={ui.clone()} /> } }
        </section>
    }
}
