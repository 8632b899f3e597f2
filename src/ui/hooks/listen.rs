//! Effects and timers that end with their view, and functions for the focus.

use std::any::Any;

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Document, HtmlElement, ShadowRoot, Window};
use yew::prelude::*;

/// The window. This code runs only in pages.
pub fn window() -> Window {
    js_sys::global().unchecked_into()
}

/// The document.
pub fn document() -> Document {
    js_sys::Reflect::get(&js_sys::global(), &"document".into())
        .unwrap_or_default()
        .unchecked_into()
}

/// Runs an effect once, when the view is mounted, and keeps its result until the view is unmounted. The effect is boxed so
/// that the hook is compiled only once.
#[hook]
pub fn use_mount(effect: Box<dyn FnOnce() -> Option<Box<dyn Any>>>) {
    use_effect_with((), move |()| {
        let kept = effect();
        move || drop(kept)
    });
}

/// A state that is false at first. Each use of `use_state` is compiled on its own.
#[hook]
pub fn use_flag() -> UseStateHandle<bool> {
    use_state(|| false)
}

/// Runs an effect at the first drawing, and whenever `value` differs from that of the previous drawing.
#[hook]
pub fn use_change(value: u64, effect: Box<dyn FnOnce()>) {
    use_effect_with(value, move |_| effect());
}

/// Moves the focus to `opened` when the person opens something. When the person closes it, moves the focus to `closed`, but
/// only if no other element has it.
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

/// Calls `callback` every `period` milliseconds while the view is mounted and a period is given.
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

/// Puts a text into the clipboard, and then says whether the browser allowed it. The answer is boxed so that there is one
/// kind of waiting.
pub fn copy(text: &str, then: Box<dyn FnOnce(bool)>) {
    // Outside of a secure context there is no clipboard object.
    let written = window()
        .is_secure_context()
        .then(|| window().navigator().clipboard().write_text(text));
    spawn_local(async move {
        then(match written {
            Some(written) => JsFuture::from(written).await.is_ok(),
            None => false,
        });
    });
}

/// Moves the focus to the element if it is visible. Use this only as the result of what the person does in the chat.
pub fn focus(node: &NodeRef) {
    if let Some(element) = node.cast::<HtmlElement>() {
        let _ = element.focus();
    }
}

/// Whether a finger caused this click. A field that gets the focus then brings up a keyboard that nobody asked for.
pub fn is_touch(event: &Event) -> bool {
    js_sys::Reflect::get(event, &"pointerType".into()).is_ok_and(|kind| kind == "touch")
}

/// Moves the focus to an element that has just appeared, unless the person is elsewhere. Returns whether it did.
pub fn focus_new(node: &NodeRef) -> bool {
    let Some(element) = node.cast::<HtmlElement>() else {
        return false;
    };
    may_take_focus(&element) && element.focus().is_ok()
}

/// Whether the chat may move the focus to one of its elements by itself. It never takes the focus away from the person:
///
/// - If the focus is already in the chat, the chat may move it, for example when the focused element disappears.
/// - If another site's page embeds the chat, the person must have used the chat last (`data-here`, which
///   `embed/widget/view.ts` sets), and nothing else on that page may have the focus.
/// - If the page is the chat's own, nothing else on it may have the focus.
/// - If the document is in a frame, the focus must be in that frame.
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

/// Whether nothing outside of this tree has the focus, in any of the trees that it is nested in.
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

/// Whether no visible element has the focus, because the focused element was removed or hidden. (A hidden element loses
/// the focus only at the next frame.) The document sees a widget as one element, so its shadow root is asked as well.
pub fn focus_is_lost(near: &NodeRef) -> bool {
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
