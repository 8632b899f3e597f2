//! Effects and timers that end with the view that made them, and where the focus is.

use std::any::Any;

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, HtmlElement, ShadowRoot, Window};
use yew::prelude::*;

/// The window. This code runs nowhere else.
pub fn window() -> Window {
    js_sys::global().unchecked_into()
}

/// The document.
pub fn document() -> Document {
    js_sys::Reflect::get(&js_sys::global(), &"document".into())
        .unwrap_or_default()
        .unchecked_into()
}

/// Does something once, when the view appears, and keeps what that returns until it is gone. Boxed, as every
/// closure of another type would bring its own copy of the hook.
#[hook]
pub fn use_appeared(effect: Box<dyn FnOnce() -> Option<Box<dyn Any>>>) {
    use_effect_with((), move |()| {
        let kept = effect();
        move || drop(kept)
    });
}

/// Does something when `value` is another than at the last drawing, and at the first.
#[hook]
pub fn use_changed(value: u64, effect: Box<dyn FnOnce()>) {
    use_effect_with(value, move |_| effect());
}

/// Moves the focus to one of two elements when something opens or closes; back only if it would be nowhere.
#[hook]
pub fn use_focus(open: bool, opened: NodeRef, closed: NodeRef) {
    let before = use_mut_ref(|| open);
    use_changed(
        u64::from(open),
        Box::new(move || {
            if before.replace(open) == open {
                return;
            }
            if open {
                focus(&opened);
            } else if focus_is_lost(&closed) {
                focus(&closed);
            }
        }),
    );
}

/// Calls back every `period` milliseconds as long as the view is there and a period is given.
#[hook]
pub fn use_interval(period: Option<i32>, callback: Callback<()>) {
    use_effect_with(period, move |period| {
        let closure = Closure::<dyn FnMut()>::new(move || callback.emit(()));
        let handle = period.and_then(|period| {
            let function = closure.as_ref().unchecked_ref();
            window()
                .set_interval_with_callback_and_timeout_and_arguments_0(function, period)
                .ok()
        });
        move || {
            if let Some(handle) = handle {
                window().clear_interval_with_handle(handle);
            }
            drop(closure);
        }
    });
}

/// Moves the focus to the element, if it is shown.
pub fn focus(node: &NodeRef) {
    if let Some(element) = node.cast::<HtmlElement>() {
        let _ = element.focus();
    }
}

/// Moves the focus to a field that has just appeared. Who reads the page around a widget (`data-away`, set by
/// `embed/widget/view.ts`) keeps it.
pub fn focus_new(node: &NodeRef) {
    let away = node
        .cast::<HtmlElement>()
        .and_then(|element| element.closest("[data-away]").ok().flatten());
    if away.is_none() {
        focus(node);
    }
}

/// Whether the focus is on nothing: what had it is gone or hidden. (A hidden element loses it at the next frame only.)
/// For the document, a widget is one element; only its own tree knows more.
fn focus_is_lost(near: &NodeRef) -> bool {
    let tree = near.get().map(|node| node.get_root_node());
    let inside = tree
        .as_ref()
        .and_then(|tree| tree.dyn_ref::<ShadowRoot>())
        .and_then(ShadowRoot::active_element);
    let active = inside
        .or_else(|| document().active_element())
        .and_then(|element| element.dyn_into::<HtmlElement>().ok());
    active.is_none_or(|element| element.tag_name() == "BODY" || element.offset_width() == 0)
}
