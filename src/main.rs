//! The full page.

/// Shows the page in the document's body.
#[cfg(all(target_arch = "wasm32", feature = "demo"))]
fn main() {
    use std::rc::Rc;
    if let Some(body) = web_sys::window().and_then(|window| window.document()).and_then(|document| document.body()) {
        rtchat::ui::mount(body.into(), Rc::new(rtchat::ui::demo::Demo::new()));
    }
}

/// The page runs in a browser.
#[cfg(not(all(target_arch = "wasm32", feature = "demo")))]
fn main() {}
