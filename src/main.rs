//! What JavaScript calls: `boot.js` for the page, `rtchat.js` for chats in somebody's page.
#![cfg_attr(not(target_arch = "wasm32"), allow(unused))]

/// The program runs in a browser, which decides what to show by calling [`exports::mount`].
fn main() {}

#[cfg(target_arch = "wasm32")]
mod exports {
    use std::rc::Rc;

    use js_sys::{Function, Object};
    use rtchat::embed::Embedding;
    use rtchat::identity::Profile;
    use rtchat::identity::web::LocalStorage;
    use rtchat::page::Page;
    use rtchat::ui::{self, Backend, Shown, UiEvent};
    use wasm_bindgen::prelude::*;
    use web_sys::Element;

    /// A chat that is shown.
    #[wasm_bindgen]
    pub struct Mounted {
        app: Shown,
        page: Page,
    }

    /// Shows the chat in `root`. With options it is a part of somebody's page: `{ settings, name }`, see
    /// [`Embedding`]; `listener` is told what happens. Without them the page is the chat's own.
    #[wasm_bindgen]
    pub fn mount(root: Element, options: Option<Object>, listener: Option<Function>) -> Mounted {
        let page = match (options, listener) {
            (Some(options), Some(listener)) => Page::within(Embedding::new(&options, listener)),
            _ => Page::new(),
        };
        #[cfg(not(feature = "demo"))]
        let backend: Rc<dyn Backend> = Rc::new(page.clone());
        #[cfg(feature = "demo")]
        let backend: Rc<dyn Backend> = Rc::new(ui::demo::Demo::new());
        let app = ui::mount(&root, backend);
        Mounted { app, page }
    }

    /// Whether somebody has told their name here before: then a chat joins by itself.
    #[wasm_bindgen(js_name = knowsName)]
    pub fn knows_name() -> bool {
        Profile::has_name(&LocalStorage)
    }

    #[wasm_bindgen]
    impl Mounted {
        /// Leaves the room, and leaves nothing behind.
        pub fn unmount(self) {
            self.page.close();
            self.app.end();
        }

        /// Whether the chat is shown now. What is said meanwhile is unread.
        pub fn show(&self, shown: bool) {
            self.page.emit(UiEvent::Shown(shown));
        }

        /// A sentence that the person should see.
        pub fn notice(&self, text: String) {
            self.page.emit(UiEvent::Notice(text));
        }
    }
}
