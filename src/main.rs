//! The full page.

/// Shows the page in the document's body.
#[cfg(target_arch = "wasm32")]
fn main() {
    #[cfg(not(feature = "demo"))]
    use rtchat::page::Page as Backend;
    #[cfg(feature = "demo")]
    use rtchat::ui::demo::Demo as Backend;
    use std::rc::Rc;

    if let Some(body) = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.body())
    {
        rtchat::ui::mount(body.into(), Rc::new(Backend::new()));
    }
}

/// The page runs in a browser.
#[cfg(not(target_arch = "wasm32"))]
fn main() {}
