//! How long this browser keeps what is said, and deleting it.

use std::rc::Rc;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use super::sentence::changing;
use super::transfer::Transfer;
use crate::history::Mode;
use crate::room::{ChatCommand, Command, Deletion};
use crate::ui::context::Ui;
use crate::ui::hooks::listen::use_flag;
use crate::ui::markup::view;
use crate::ui::state::Import;
use crate::ui::texts;

#[derive(Properties, PartialEq)]
pub struct KeepingProps {
    /// Whether the person chooses how long messages are kept, because the site keeps any.
    pub can_choose: bool,
    /// How far the import of a file has come.
    pub import: Option<Rc<Import>>,
    pub ui: Ui,
}

/// The choice, and the button that deletes everything, which asks first.
#[function_component]
pub fn Keeping(props: &KeepingProps) -> Html {
    let ui = &props.ui;
    let redraw = use_force_update();
    let asking = use_flag();
    let mode = ui.backend.0.history();
    let choose = {
        let (ui, redraw) = (ui.clone(), redraw.clone());
        Callback::from(move |event: Event| {
            let select = event.target_dyn_into::<HtmlSelectElement>();
            let mode = select.and_then(|select| Mode::parse(&select.value()));
            if let Some(mode) = mode {
                ui.backend.0.set_history(mode);
                redraw.force_update();
            }
        })
    };
    let chosen = |this: Mode| (mode == this).then_some("");
    let ask = {
        let asking = asking.clone();
        Callback::from(move |_: Event| asking.set(true))
    };
    let cancel = {
        let asking = asking.clone();
        Callback::from(move |_: Event| asking.set(false))
    };
    let delete = {
        let (asking, ui) = (asking.clone(), ui.clone());
        Callback::from(move |_: Event| {
            asking.set(false);
            ui.command(Command::Chat(ChatCommand::Delete(Deletion::Room)));
        })
    };
    view! {
        <section class="keeping" aria-label="History">
            if props.can_choose {
                <label>
                    <span>{ "Messages here" }</span>
                    <select data-testid="history-mode" oninput={choose}>
                        <option value="kept" selected={chosen(Mode::Kept)}>{ texts::history_mode(Mode::Kept) }</option>
                        <option value="session" selected={chosen(Mode::Session)}>{ texts::history_mode(Mode::Session) }</option>
                        <option value="off" selected={chosen(Mode::Off)}>{ texts::history_mode(Mode::Off) }</option>
                    </select>
                </label>
            }
            if *asking {
                <div class="asked" role="group" aria-label="Delete all messages of this room?">
                    <p class="hint">{ changing(texts::DELETE_ROOM) }</p>
                    <button type="button" data-testid="keep-room" onclick={cancel}>{ "Keep" }</button>
                    <button type="button" class="primary" data-testid="delete-room-now" onclick={delete}>{ "Delete" }</button>
                </div>
            } else {
                <button type="button" class="quiet" data-testid="delete-room" onclick={ask}>{ "Delete all …" }</button>
            }
            { html! { <Transfer import={props.import.clone()} ui={ui.clone()} /> } }
        </section>
    }
}
