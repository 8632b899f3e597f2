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
pub fn use_mount(effect: Box<dyn FnOnce() -> Option<Box<dyn Any>>>) {
    use_effect_with((), move |()| {
        let kept = effect();
        move || drop(kept)
    });
}

/// Does something when `value` is another than at the last drawing, and at the first.
#[hook]
pub fn use_change(value: u64, effect: Box<dyn FnOnce()>) {
    use_effect_with(value, move |_| effect());
}

/// Moves the focus to one of two elements when a person opens or closes something; back only if it would be nowhere.
#[hook]
pub fn use_focus(open: bool, opened: NodeRef, closed: NodeRef) {
    let before = use_mut_ref(|| open);
    use_change(
        u64::from(open),
        Box::new(move || {
            if before.replace(open) == open {
                return;
            }
            if open {
                focus(&opened);
            } else if focus_is_lost(&closed) {
                focus_new(&closed);
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

/// Moves the focus to the element, if it is shown: for what a person does in the chat.
pub fn focus(node: &NodeRef) {
    if let Some(element) = node.cast::<HtmlElement>() {
        let _ = element.focus();
    }
}

/// Moves the focus to what has just appeared, unless the person is elsewhere. Returns whether it did.
pub fn focus_new(node: &NodeRef) -> bool {
    let Some(element) = node.cast::<HtmlElement>() else {
        return false;
    };
    may_take_focus(&element) && element.focus().is_ok()
}

/// Whether the chat may move the focus to one of its elements by itself. Nobody's focus is ever taken away:
///
/// - Whoever is in the chat already stays in it, also when what they used is gone.
/// - Where the chat is a part of somebody's page, the person must have been in it last (`data-here`, kept by
///   `embed/widget/view.ts`), and nothing else on that page may have the focus.
/// - Where the page is the chat's own, nothing else on it may have the focus.
/// - Where the document is a frame in another one, the focus must be in that frame.
pub fn may_take_focus(element: &HtmlElement) -> bool {
    let window = window();
    let framed = window.parent().ok().flatten().as_ref() != Some(&window);
    if framed && !document().has_focus().unwrap_or(false) {
        return false;
    }
    let Some(chat) = element.get_root_node().dyn_into::<ShadowRoot>().ok() else {
        return document().active_element().is_none_or(|active| {
            active.tag_name() == "BODY" || active.closest(".rt").is_ok_and(|rt| rt.is_some())
        });
    };
    if chat.active_element().is_some() {
        return true;
    }
    let here = element.closest("[data-here]");
    here.is_ok_and(|here| here.is_some()) && nobody_has_focus(&chat)
}

/// Whether nothing around this tree has the focus, in any of the trees that it is nested in.
fn nobody_has_focus(inner: &ShadowRoot) -> bool {
    let mut host = inner.host();
    loop {
        let tree = host.get_root_node();
        let shadow = tree.dyn_into::<ShadowRoot>().ok();
        let active = match &shadow {
            Some(shadow) => shadow.active_element(),
            None => document().active_element(),
        };
        if active.is_some_and(|active| active != host && active.tag_name() != "BODY") {
            return false;
        }
        match shadow {
            Some(shadow) => host = shadow.host(),
            None => return true,
        }
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
