//! Asks for what is loaded only once somebody writes: `embed/assist/assist.ts`.

use std::cell::RefCell;

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{HtmlElement, HtmlTextAreaElement};
use yew::NodeRef;

use super::context::Ui;
use super::state::Action;
use super::texts;

thread_local! {
    /// Of the page, or of the script tag. All chats of a page load the same files.
    static ASSIST: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Takes the function `assist` out of the options of a chat.
pub fn provide(options: &Object) {
    let found = Reflect::get(options, &"assist".into()).ok();
    if let Some(assist) = found.and_then(|assist| assist.dyn_into().ok()) {
        ASSIST.set(Some(assist));
    }
}

/// What to do with the answer. The error has no more to say than that the files could not be loaded. It is boxed so that
/// there is one kind of asking.
type Then = Box<dyn FnOnce(Result<Option<String>, ()>)>;

/// Asks for something.
fn ask(what: &str, with: [&JsValue; 2], then: Then) {
    let request = Array::of3(&what.into(), with[0], with[1]);
    let answer = ASSIST.with_borrow(Clone::clone);
    let answer = answer.and_then(|assist| assist.apply(&JsValue::UNDEFINED, &request).ok());
    let answer = answer.and_then(|answer| answer.dyn_into::<Promise>().ok());
    spawn_local(async move {
        then(match answer {
            Some(answer) => match JsFuture::from(answer).await {
                Ok(answer) => Ok(answer.as_string()),
                Err(_) => Err(()),
            },
            None => Err(()),
        });
    });
}

/// Offers names and shortcodes in this field from now on. Without the files it remains a field like any other.
pub fn help(field: &HtmlTextAreaElement) {
    ask("help", [field, &JsValue::UNDEFINED], Box::new(drop));
}

/// Puts emoji in the place of shortcodes, and passes the text on; as it was, if the table is not there soon.
pub fn finish(text: String, then: Box<dyn FnOnce(String)>) {
    let given = JsValue::from_str(&text);
    let then =
        move |answer: Result<Option<String>, ()>| then(answer.ok().flatten().unwrap_or(text));
    ask("finish", [&given, &JsValue::UNDEFINED], Box::new(then));
}

/// Shows the picker of emoji near this button, and passes on what was picked. With a field, it is written there as well.
pub fn pick(
    ui: &Ui,
    near: &NodeRef,
    field: Option<&HtmlTextAreaElement>,
    then: Box<dyn FnOnce(String)>,
) {
    let Some(near) = near.cast::<HtmlElement>() else {
        return;
    };
    let field = field.map_or(JsValue::UNDEFINED, JsValue::from);
    let ui = ui.clone();
    let then = move |answer: Result<Option<String>, ()>| match answer {
        Ok(Some(emoji)) => then(emoji),
        Ok(None) => {}
        Err(()) => ui.act(Action::Notice(texts::NO_EMOJI.to_owned())),
    };
    ask("pick", [&near, &field], Box::new(then));
}
