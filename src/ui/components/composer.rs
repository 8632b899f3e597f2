//! The field for writing messages. A text that cannot be sent stays in the field.

use wasm_bindgen::JsCast;
use web_sys::{HtmlTextAreaElement, KeyboardEvent};
use yew::prelude::*;

use super::icon::{SEND, icon};
use super::sentence::changing;
use crate::room::{ChatCommand, Command, MAX_TEXT};
use crate::ui::context::Ui;
use crate::ui::early;
use crate::ui::hooks::listen::{focus_new, use_mount};
use crate::ui::markup::view;
use crate::ui::{texts, typed};

/// The number of characters from which the count is shown.
const COUNT_FROM: usize = MAX_TEXT - MAX_TEXT / 10;
const MAX_ROWS: usize = 8;

#[derive(Properties, PartialEq)]
pub struct ComposerProps {
    /// The field.
    pub area: NodeRef,
    pub ui: Ui,
}

#[derive(Clone, PartialEq)]
enum Hint {
    None,
    Count(usize),
    Refused(usize),
}

fn rows(text: &str) -> u32 {
    text.split('\n').count().min(MAX_ROWS) as u32
}

#[function_component]
pub fn Composer(props: &ComposerProps) -> Html {
    let area = props.area.clone();
    let hint = use_state(|| Hint::None);
    {
        let area = area.clone();
        use_mount(Box::new(move || {
            let field = area.cast::<HtmlTextAreaElement>()?;
            if let Some(early) = early::look(&field) {
                early.move_to(&field, None);
                field.set_rows(rows(&field.value()));
            }
            focus_new(&area);
            None
        }));
    }
    let send = {
        let (area, hint, ui) = (area.clone(), hint.setter(), props.ui.clone());
        Callback::from(move |()| {
            let Some(area) = area.cast::<HtmlTextAreaElement>() else {
                return;
            };
            let text = area.value();
            let count = text.chars().count();
            if count > MAX_TEXT {
                hint.set(Hint::Refused(count));
            } else if !text.trim().is_empty() {
                area.set_value("");
                area.set_rows(1);
                hint.set(Hint::None);
                let text = typed::trimmed(&text).to_owned();
                ui.command(Command::Chat(ChatCommand::Say(text)));
            }
            let _ = area.focus();
        })
    };
    let on_key_down = {
        let send = send.clone();
        Callback::from(move |event: Event| {
            let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
                return;
            };
            // An Enter that ends a composition belongs to the input method. Safari signals this only by the key code 229.
            let composing = event.is_composing() || event.key_code() == 229;
            if event.key() == "Enter" && !event.shift_key() && !composing {
                event.prevent_default();
                send.emit(());
            }
        })
    };
    let on_input = {
        let (hint, area) = (hint.clone(), area.clone());
        Callback::from(move |_: Event| {
            let Some(area) = area.cast::<HtmlTextAreaElement>() else {
                return;
            };
            let text = area.value();
            // In browsers whose style sheets cannot make a field grow with its text, its line breaks make it grow.
            area.set_rows(rows(&text));
            let count = text.chars().count();
            let next = if count >= COUNT_FROM {
                Hint::Count(count)
            } else {
                Hint::None
            };
            if *hint != next {
                hint.set(next);
            }
        })
    };
    let on_click = Callback::from(move |_: Event| send.emit(()));
    let refused = matches!(*hint, Hint::Refused(_));
    view! {
        <div class="composer" part="composer">
            <p
                class="limit" data-look={refused.then_some("problem")} id="rt-limit"
                role={refused.then_some("alert")} data-testid="composer-problem"
            >
                { match *hint {
                    Hint::None => Html::default(),
                    Hint::Count(count) => changing(&format!("{} of {}", texts::number(count), texts::number(MAX_TEXT))),
                    Hint::Refused(count) => changing(&texts::too_long(count, MAX_TEXT)),
                } }
            </p>
            <div class="field">
                <textarea
                    ref={area} part="field" rows="1" dir="auto" data-testid="composer" aria-label="Message" placeholder="Message"
                    enterkeyhint="send" aria-describedby="rt-limit" aria-invalid={refused.then_some("true")}
                    onkeydown={on_key_down} oninput={on_input}
                />
                <button
                    type="button" class="primary send" part="send" data-testid="send" aria-label="Send" title="Send (Enter)"
                    onclick={on_click}
                >
                    { icon(SEND) }
                </button>
            </div>
        </div>
    }
}
