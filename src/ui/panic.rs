//! When the program breaks, the page says so and offers to begin again; it does not stand there dead.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement, console};

use super::backend::Backend;
use super::hooks::listen::{document, may_take_focus};

thread_local! {
    /// Whatever is shown. One program runs them all, so all of them end with it.
    static SHOWN: RefCell<Vec<Weak<dyn Backend>>> = const { RefCell::new(Vec::new()) };
}

/// Shows a notice instead of the page when the program breaks; a site that the chat is a part of is told.
pub fn install(backend: &Rc<dyn Backend>) {
    SHOWN.with_borrow_mut(|shown| {
        shown.retain(|backend| backend.strong_count() > 0);
        shown.push(Rc::downgrade(backend));
    });
    yew::set_custom_panic_hook(Box::new(|info| {
        let reason = info.to_string();
        console::error_1(&JsValue::from_str(&reason));
        let shown = SHOWN
            .with(|shown| shown.try_borrow().map(|shown| shown.clone()))
            .unwrap_or_default();
        let backends = shown.iter().filter_map(Weak::upgrade);
        // Each of them hears it, so nothing may stop early.
        if backends
            .filter(|backend| backend.report_panic(&reason))
            .count()
            == 0
        {
            // Nothing is left to do if even this fails.
            let _ = show(&reason);
        }
    }));
}

/// Uses nothing of the program that just broke: plain elements, and a click that is the browser's own function.
fn show(reason: &str) -> Result<(), JsValue> {
    let document = document();
    let body = document.body().ok_or(JsValue::NULL)?;
    if document.query_selector("[data-testid=panic]")?.is_some() {
        return Ok(());
    }
    let append = |parent: &Element, tag: &str, text: &str| -> Result<Element, JsValue> {
        let element = document.create_element(tag)?;
        element.set_text_content(Some(text));
        parent.append_child(&element)?;
        Ok(element)
    };
    let notice = append(&body, "div", "")?;
    notice.set_class_name("rt-panic");
    notice.set_attribute("role", "alert")?;
    notice.set_attribute("data-testid", "panic")?;
    let card = append(&notice, "div", "")?;
    append(&card, "h1", "This page stopped working")?;
    append(
        &card,
        "p",
        "There is a mistake in the program. Reload the page to continue.",
    )?;
    let reload = append(&card, "button", "Reload")?;
    reload.set_class_name("primary");
    append(&card, "pre", reason)?;
    let location: JsValue = document.location().ok_or(JsValue::NULL)?.into();
    let function: Function = Reflect::get(&location, &"reload".into())?.dyn_into()?;
    reload.add_event_listener_with_callback("click", &function.bind0(&location))?;
    let reload: HtmlElement = reload.unchecked_into();
    if may_take_focus(&reload) {
        reload.focus()?;
    }
    Ok(())
}
