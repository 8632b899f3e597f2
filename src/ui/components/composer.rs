//! The field for writing messages. A text that cannot be sent stays in the field.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{HtmlTextAreaElement, KeyboardEvent};
use yew::prelude::*;

use super::attach::use_chips;
use super::icon::{CLOSE, SEND, SMILE, icon};
use super::sentence::changing;
use crate::room::{ChatCommand, Command, Conversation, MAX_TEXT};
use crate::ui::composing::{Composing, Purpose, command};
use crate::ui::context::Ui;
use crate::ui::drafts::{self, Draft};
use crate::ui::early;
use crate::ui::hooks::listen::{focus_new, use_change, use_interval, use_mount};
use crate::ui::markdown::plain;
use crate::ui::markup::view;
use crate::ui::state::Action;
use crate::ui::{assist, texts, typed};

/// The number of characters from which the count is shown.
const COUNT_FROM: usize = MAX_TEXT - MAX_TEXT / 10;
/// So much can stand in the field: with megabytes that are pasted, browsers stand still. What is too long to be sent stays for
/// the person to shorten.
const MAX_TYPED: &str = "60000";
const MAX_ROWS: usize = 8;

#[derive(Properties, PartialEq)]
pub struct ComposerProps {
    /// The field.
    pub area: NodeRef,
    /// What the text is for, if it is not simply a new message.
    pub composing: Option<Rc<Composing>>,
    /// The conversation that messages go to.
    pub conversation: Conversation,
    /// The key of the draft of this conversation.
    pub place: String,
    /// What was refused, and belongs into the field again.
    pub returned: Option<Rc<Draft>>,
    /// Who is writing, as a sentence.
    pub writing: String,
    /// The names of the others who are here, one a line.
    pub people: String,
    /// Whether files can be sent.
    pub has_files: bool,
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

/// Puts a text into the field.
fn set(field: &HtmlTextAreaElement, text: &str) {
    field.set_value(text);
    field.set_rows(rows(text));
}

fn is_empty(area: &NodeRef) -> bool {
    let field = area.cast::<HtmlTextAreaElement>();
    field.is_some_and(|field| field.value().is_empty())
}

#[function_component]
pub fn Composer(props: &ComposerProps) -> Html {
    let area = props.area.clone();
    let hint = use_state(|| Hint::None);
    let chips = use_chips(&area, props.has_files, &props.ui);
    // The text that stood here before that of a message took its place, to be edited.
    let aside = use_mut_ref(|| None::<String>);
    let keep: Rc<dyn Fn()> = {
        let (area, aside, composing) = (area.clone(), aside.clone(), props.composing.clone());
        let place = props.place.clone();
        Rc::new(move || {
            if let Some(field) = area.cast::<HtmlTextAreaElement>() {
                let aside = aside.borrow().clone();
                let composing = composing.as_deref().cloned();
                let draft = Draft {
                    text: field.value(),
                    composing: composing.map(|about| Composing { aside, ..about }),
                };
                drafts::keep(&place, &draft);
            }
        })
    };
    {
        let (area, ui, place) = (area.clone(), props.ui.clone(), props.place.clone());
        use_mount(Box::new(move || {
            let field = area.cast::<HtmlTextAreaElement>()?;
            let Draft {
                mut text,
                composing,
            } = drafts::kept(&place);
            if let Some(early) = early::look(&field) {
                early.move_to(&field, None);
                if !text.is_empty() && !early.text.is_empty() {
                    text += "\n";
                }
                text += &early.text;
            }
            if text != field.value() {
                set(&field, &text);
            }
            if let Some(mut composing) = composing {
                composing.begun = Some(text);
                ui.act(Action::Compose(Some(Rc::new(composing))));
            }
            focus_new(&area);
            None
        }));
    }
    {
        let (area, composing, keep) = (area.clone(), props.composing.clone(), keep.clone());
        // Ids are long and random: the first bytes tell two messages apart.
        let about = composing.as_ref().map_or(0, |it| it.number());
        use_change(
            about,
            Box::new(move || {
                let Some(field) = area.cast::<HtmlTextAreaElement>() else {
                    return;
                };
                let before = aside.take();
                match &composing {
                    Some(about) if about.purpose == Purpose::Edit => {
                        let before = before.or_else(|| about.aside.clone());
                        aside.replace(Some(before.unwrap_or_else(|| field.value())));
                        set(&field, about.begun.as_ref().unwrap_or(&about.text));
                    }
                    _ => {
                        if let Some(before) = before {
                            set(&field, &before);
                        }
                    }
                }
                if let Some(about) = composing {
                    if about.begun.is_some() {
                        focus_new(&area);
                    } else {
                        let _ = field.focus();
                    }
                }
                keep();
            }),
        );
    }
    {
        let (area, returned, keep) = (area.clone(), props.returned.clone(), keep.clone());
        use_change(
            returned.as_ref().map_or(0, |it| Rc::as_ptr(it) as u64),
            Box::new(move || {
                let field = area.cast::<HtmlTextAreaElement>();
                if let (Some(field), Some(returned)) = (field, returned) {
                    // An edit comes back as what the composer is for.
                    if returned
                        .composing
                        .as_ref()
                        .is_none_or(|it| it.purpose != Purpose::Edit)
                    {
                        let later = field.value();
                        let gap = if later.is_empty() { "" } else { "\n" };
                        set(&field, &[&returned.text, gap, &later].concat());
                        keep();
                    }
                }
            }),
        );
    }
    let send = {
        let (area, hint, ui) = (area.clone(), hint.setter(), props.ui.clone());
        let (composing, keep) = (props.composing.clone(), keep.clone());
        let (conversation, chips) = (props.conversation.clone(), chips.clone());
        Callback::from(move |()| {
            let Some(area) = area.cast::<HtmlTextAreaElement>() else {
                return;
            };
            let text = area.value();
            let count = text.chars().count();
            if count > MAX_TEXT {
                hint.set(Hint::Refused(count));
            } else if !text.trim().is_empty() || !chips.is_empty() {
                set(&area, "");
                hint.set(Hint::None);
                let text = typed::trimmed(&text).to_owned();
                let (ui, purpose) = (ui.clone(), composing.clone());
                let (conversation, chips) = (conversation.clone(), chips.clone());
                let say = Box::new(move |text: String| {
                    ui.act(Action::Sent(text.clone()));
                    chips.send(command(purpose.as_deref(), &conversation, text));
                });
                // The table is there, or on the way: a colon was typed.
                if text.split(':').count() > 2 {
                    assist::finish(text, say);
                } else {
                    say(text);
                }
                keep();
            }
            let _ = area.focus();
        })
    };
    let on_key_down = {
        let (send, area, ui) = (send.clone(), area.clone(), props.ui.clone());
        Callback::from(move |event: Event| {
            let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
                return;
            };
            // An Enter that ends a composition belongs to the input method. Safari signals this only by the key code 229.
            let composing = event.is_composing() || event.key_code() == 229;
            match event.key().as_str() {
                "Enter" if !event.shift_key() && !composing => {
                    event.prevent_default();
                    send.emit(());
                }
                "ArrowUp" if !composing && is_empty(&area) => {
                    event.prevent_default();
                    ui.act(Action::EditLast);
                }
                _ => {}
            }
        })
    };
    let on_input = {
        let (hint, area, ui) = (hint.clone(), area.clone(), props.ui.clone());
        let typed_in = props.conversation.clone();
        Callback::from(move |_: Event| {
            let Some(area) = area.cast::<HtmlTextAreaElement>() else {
                return;
            };
            let text = area.value();
            keep();
            // In browsers whose style sheets cannot make a field grow with its text, its line breaks make it grow.
            area.set_rows(rows(&text));
            if !text.is_empty() {
                ui.command(Command::Chat(ChatCommand::Typing(Some(typed_in.clone()))));
            }
            if text.contains([':', '@']) {
                assist::help(&area);
            }
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
    let smile = use_node_ref();
    let on_smile = {
        let (area, smile) = (area.clone(), smile.clone());
        props.ui.on(Box::new(move |ui| {
            let area = area.cast::<HtmlTextAreaElement>();
            assist::pick(ui, &smile, area.as_ref(), Box::new(drop));
        }))
    };
    {
        let ui = props.ui.clone();
        use_interval(
            (!props.writing.is_empty()).then_some(1_000),
            Callback::from(move |()| ui.act(Action::Look)),
        );
    }
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
            <p class="writing" data-testid="typing">{ changing(&props.writing) }</p>
            if let Some(composing) = &props.composing { { about(composing, &props.ui) } }
            { chips.list() }
            <div class="field">
                if props.has_files { { chips.button() } }
                <textarea
                    ref={area} part="field" rows="1" dir="auto" maxlength={MAX_TYPED} data-testid="composer" aria-label="Message" placeholder="Message"
                    enterkeyhint="send" data-people={props.people.clone()} aria-describedby="rt-limit" aria-invalid={refused.then_some("true")}
                    onkeydown={on_key_down} oninput={on_input}
                />
                <button
                    ref={smile} type="button" class="quiet smile" data-testid="emoji-button" aria-label="Emoji" aria-haspopup="dialog"
                    title="Emoji" onclick={on_smile}
                >
                    { icon(SMILE) }
                </button>
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
    let is_edit = composing.purpose == Purpose::Edit;
    let onclick = ui.acts(|| Action::Compose(None));
    let words = if is_edit {
        "Edit your message"
    } else {
        "Reply to "
    };
    view! {
        <div class="about" data-testid="composing" data-purpose={if is_edit { "edit" } else { "reply" }}>
            <p dir="auto">
                <b key={words}>{ words }if !is_edit { <bdi translate="no">{ &composing.sender }</bdi> }</b>
                <span key={composing.id.0.clone()}>{ plain(&composing.text) }</span>
            </p>
            <button type="button" class="quiet" data-testid="composing-cancel" aria-label="Cancel" title="Cancel (Esc)" onclick={onclick}>
                { icon(CLOSE) }
            </button>
        </div>
    }
}
