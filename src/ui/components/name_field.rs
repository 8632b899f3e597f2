//! A field for a name, with a sentence beside it if the name is not valid.

use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use crate::ui::markup::view;

use super::sentence::changing;
use crate::identity::Name;
use crate::ui::early;
use crate::ui::hooks::listen::{focus, focus_new, use_mount};
use crate::ui::typed;

#[derive(Properties, PartialEq)]
pub struct NameFieldProps {
    pub label: &'static str,
    pub button: &'static str,
    pub button_id: &'static str,
    #[prop_or_default]
    pub value: AttrValue,
    pub on_name: Callback<Name>,
    /// Called whenever the person has typed.
    #[prop_or_default]
    pub on_type: Option<Callback<()>>,
    /// Called when the person cancels. Without it, there is no button to cancel.
    #[prop_or_default]
    pub on_cancel: Option<Callback<()>>,
    /// Whether this is the field that was shown before the program was there.
    #[prop_or_default]
    pub was_early: bool,
}

#[function_component]
pub fn NameField(props: &NameFieldProps) -> Html {
    let input = use_node_ref();
    let button = use_node_ref();
    let problem = use_state(|| None::<String>);

    let submit = {
        let (input, problem, on_name) = (input.clone(), problem.setter(), props.on_name.clone());
        Callback::from(move |()| {
            let text = input
                .cast::<HtmlInputElement>()
                .map(|input| input.value())
                .unwrap_or_default();
            match Name::parse(&text) {
                Ok(name) => on_name.emit(name),
                Err(error) => {
                    problem.set(Some(typed::problem_with_name(&text, error)));
                    focus(&input);
                }
            }
        })
    };
    {
        let (input, button, submit) = (input.clone(), button.clone(), submit.clone());
        let (value, was_early) = (props.value.clone(), props.was_early);
        let on_type = props.on_type.clone();
        use_mount(Box::new(move || {
            let field = input.cast::<HtmlInputElement>()?;
            // Not as an attribute, since every drawing would write it again over what was typed.
            field.set_value(&value);
            let early = was_early.then(|| early::look(&field)).flatten();
            if let Some(early) = &early {
                early.move_to(&field, button.cast::<HtmlElement>());
                if let Some(on_type) = on_type.filter(|_| !early.text.is_empty()) {
                    on_type.emit(());
                }
            }
            let left_alone = early.as_ref().is_none_or(|early| early.focus.is_none());
            // Selecting the text of a field would focus the field.
            if left_alone && focus_new(&input) {
                field.select();
            }
            if early.is_some_and(|early| early.join) {
                submit.emit(());
            }
            None
        }));
    }
    let on_key_down = {
        let (submit, cancel) = (submit.clone(), props.on_cancel.clone());
        Callback::from(move |event: Event| {
            let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
                return;
            };
            // While an input method composes text, the keys belong to it. Safari signals this only by the key code 229.
            if event.is_composing() || event.key_code() == 229 {
                return;
            }
            let act = match event.key().as_str() {
                "Enter" => Some(&submit),
                "Escape" => cancel.as_ref(),
                _ => None,
            };
            if let Some(act) = act {
                event.prevent_default();
                act.emit(());
            }
        })
    };
    let on_input = {
        let (problem, on_type) = (problem.clone(), props.on_type.clone());
        Callback::from(move |_: Event| {
            if let Some(on_type) = &on_type {
                on_type.emit(());
            }
            if problem.is_some() {
                problem.set(None);
            }
        })
    };
    let on_click = submit.reform(|_: Event| ());
    let on_cancel = props
        .on_cancel
        .clone()
        .map(|cancel| cancel.reform(|_: Event| ()));

    view! {
        // This is not a form, because a sandboxed frame without `allow-forms` would not submit it.
        <div class="name-form">
            <label for="rt-name">{ props.label }</label>
            <div class="field">
                <input
                    ref={input} id="rt-name" data-testid="name" type="text" dir="auto" autocomplete="nickname"
                    spellcheck="false" enterkeyhint="done" onkeydown={on_key_down} oninput={on_input}
                    aria-describedby="rt-name-problem" aria-invalid={problem.is_some().then_some("true")}
                />
                <button ref={button} type="button" class="primary" data-testid={props.button_id} onclick={on_click}>
                    { props.button }
                </button>
                if let Some(on_cancel) = on_cancel {
                    <button type="button" class="quiet" onclick={on_cancel}>{ "Cancel" }</button>
                }
            </div>
            <p class="problem" id="rt-name-problem" role="alert" data-testid="name-problem">
                if let Some(problem) = problem.as_deref() { { changing(problem) } }
            </p>
        </div>
    }
}
