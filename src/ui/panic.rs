//! After a panic, the page says that it stopped working and offers to reload, instead of silently doing nothing.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement, console};

use super::backend::Backend;
use super::hooks::listen::{document, may_take_focus};

thread_local! {
    /// The backends of all mounted chats. One program runs all of them, so a panic ends all of them.
    static SHOWN: RefCell<Vec<Weak<dyn Backend>>> = const { RefCell::new(Vec::new()) };
}

/// Installs a panic hook that reports to the embedding pages, or shows a notice if no page embeds the chat.
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
        // `count` visits every backend, so that each one reports the panic.
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

/// Shows the notice without any code of the program that just panicked: with plain elements, and with the browser's own
/// function for the click.
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
