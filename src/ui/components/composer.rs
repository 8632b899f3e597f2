//! The field for writing messages. A text that cannot be sent stays in the field.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{HtmlTextAreaElement, KeyboardEvent};
use yew::prelude::*;

use super::attach::use_chips;
use super::icon::{CLOSE, SEND, icon};
use super::sentence::changing;
use crate::room::{Command, MAX_TEXT};
use crate::ui::composing::{Composing, Purpose, command};
use crate::ui::context::Ui;
use crate::ui::early;
use crate::ui::hooks::listen::{focus_new, use_change, use_mount};
use crate::ui::markup::view;
use crate::ui::state::Action;
use crate::ui::{texts, typed};

/// The number of characters from which the count is shown.
const COUNT_FROM: usize = MAX_TEXT - MAX_TEXT / 10;
const MAX_ROWS: usize = 8;

#[derive(Properties, PartialEq)]
pub struct ComposerProps {
    /// The field.
    pub area: NodeRef,
    /// What the text is for, if it is not simply a new message.
    pub composing: Option<Rc<Composing>>,
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
    let chips = use_chips(&area, &props.ui);
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
    {
        let (area, composing) = (area.clone(), props.composing.clone());
        // Ids are long and random: the first bytes tell two messages apart.
        let begun = composing.as_ref().map_or(0, |it| it.number());
        use_change(
            begun,
            Box::new(move || {
                let Some(field) = area.cast::<HtmlTextAreaElement>().filter(|_| begun > 0) else {
                    return;
                };
                if let Some(edited) = composing.filter(|it| it.purpose == Purpose::Edit) {
                    field.set_value(&edited.text);
                    field.set_rows(rows(&edited.text));
                }
                let _ = field.focus();
            }),
        );
    }
    let send = {
        let (area, hint, ui) = (area.clone(), hint.setter(), props.ui.clone());
        let (composing, chips) = (props.composing.clone(), chips.clone());
        Callback::from(move |()| {
            let Some(area) = area.cast::<HtmlTextAreaElement>() else {
                return;
            };
            let text = area.value();
            let count = text.chars().count();
            if count > MAX_TEXT {
                hint.set(Hint::Refused(count));
            } else if !text.trim().is_empty() || !chips.is_empty() {
                area.set_value("");
                area.set_rows(1);
                hint.set(Hint::None);
                let text = typed::trimmed(&text).to_owned();
                let is_edit = composing
                    .as_ref()
                    .is_some_and(|it| it.purpose == Purpose::Edit);
                if chips.is_empty() || is_edit {
                    ui.command(Command::Chat(command(composing.as_deref(), text)));
                } else {
                    chips.send(text, composing.clone());
                }
                if composing.is_some() {
                    ui.act(Action::Compose(None));
                }
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
            if let Some(composing) = &props.composing { { about(composing, &props.ui) } }
            { chips.list() }
            <div class="field">
                { chips.button() }
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

/// What the text is about, above the field.
fn about(composing: &Composing, ui: &Ui) -> Html {
    let (ui, is_edit) = (ui.clone(), composing.purpose == Purpose::Edit);
    let onclick = Callback::from(move |_: MouseEvent| ui.act(Action::Compose(None)));
    let words = if is_edit {
        "Edit your message"
    } else {
        "Reply to "
    };
    html! {
        <div class="about" data-testid="composing" data-purpose={if is_edit { "edit" } else { "reply" }}>
            <p dir="auto">
                <b key={words}>{ words }if !is_edit { <bdi translate="no">{ &composing.sender }</bdi> }</b>
                <span key={composing.id.0.clone()}>{ &composing.text }</span>
            </p>
            <button type="button" class="quiet" data-testid="composing-cancel" aria-label="Cancel" title="Cancel (Esc)" {onclick}>
                { icon(CLOSE) }
            </button>
        </div>
    }
}
