//! The functions that JavaScript calls: `boot.js` for the chat's own page, `rtchat.js` for chats in other pages.
#![cfg_attr(not(target_arch = "wasm32"), allow(unused))]

/// Does nothing: the browser starts the program by calling [`exports::mount`].
fn main() {}

#[cfg(target_arch = "wasm32")]
mod exports {
    use std::rc::Rc;

    use js_sys::{Function, Object, Reflect};
    use rtchat::embed::Embedding;
    use rtchat::head_start::HeadStart;
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

    /// Shows the chat in `root`. With a `listener`, the chat is embedded in another site's page, whose events the listener
    /// receives, and `options` are `{ page, settings, name }` (see [`Embedding`]). Without one the page is the chat's own, and
    /// `options` are what was begun before the program was there (see [`HeadStart`]). Either way they have the function
    /// `assist`, which does what few need at once (see [`ui::assist`]), and `media`, which loads the script for pictures, and `archive`, which
    /// loads the one that writes what was said as a file.
    #[wasm_bindgen]
    pub fn mount(root: Element, options: Option<Object>, listener: Option<Function>) -> Mounted {
        if let Some(options) = &options {
            ui::assist::provide(options);
            ui::export::provide(options);
        }
        let media: Option<Function> = options.as_ref().and_then(|options| {
            let media = Reflect::get(options, &"media".into()).ok()?;
            media.dyn_into().ok()
        });
        let page = match (options, listener) {
            (Some(options), Some(listener)) => {
                Page::within(Embedding::new(&options, listener), media.clone())
            }
            (begun, _) => Page::new(begun.map(HeadStart::new), media.clone()),
        };
        #[cfg(not(feature = "demo"))]
        let backend: Rc<dyn Backend> = Rc::new(page.clone());
        #[cfg(feature = "demo")]
        let backend: Rc<dyn Backend> = Rc::new(ui::demo::Demo::new(media.clone()));
        let app = ui::mount(&root, backend);
        Mounted { app, page }
    }

    /// Whether a name is stored in this browser. If so, a chat joins without asking.
    #[wasm_bindgen(js_name = knowsName)]
    pub fn knows_name() -> bool {
        Profile::has_name(&LocalStorage)
    }

    #[wasm_bindgen]
    impl Mounted {
        /// Leaves the room, removes the chat and frees everything.
        pub fn unmount(self) {
            self.page.close();
            self.app.end();
        }

        /// Sets whether the chat is visible. Messages that arrive while it is not count as unread.
        pub fn show(&self, shown: bool) {
            self.page.emit(UiEvent::Shown(shown));
        }

        /// Shows a sentence to the person.
        pub fn notice(&self, text: String) {
            self.page.emit(UiEvent::Notice(text));
        }
    }
}
