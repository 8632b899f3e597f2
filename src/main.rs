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
    use rtchat::history::web as store;
    use rtchat::identity::Profile;
    use rtchat::identity::web::LocalStorage;
    use rtchat::page::{Page, Scripts};
    use rtchat::room::Conversation;
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
    /// `assist`, which does what few need at once (see [`ui::assist`]), and those that load scripts: `media` for pictures, `calls` for calls,
    /// `store` for what keeps what is said, and `archive` for what writes it as a file.
    #[wasm_bindgen]
    pub fn mount(root: Element, options: Option<Object>, listener: Option<Function>) -> Mounted {
        if let Some(options) = &options {
            ui::assist::provide(options);
            if let Some(load) = function(options, "store") {
                store::provide(load);
            }
            ui::export::provide(options);
        }
        let script = |name| options.as_ref().and_then(|it| function(it, name));
        let scripts = Scripts {
            media: script("media"),
            calls: script("calls"),
        };
        #[cfg(feature = "demo")]
        let demo = ui::demo::Demo::new(scripts.media.clone(), scripts.calls.clone());
        let page = match (options, listener) {
            (Some(options), Some(listener)) => {
                Page::within(Embedding::new(&options, listener), scripts)
            }
            (begun, _) => Page::new(begun.map(HeadStart::new), scripts),
        };
        #[cfg(not(feature = "demo"))]
        let backend: Rc<dyn Backend> = Rc::new(page.clone());
        #[cfg(feature = "demo")]
        let backend: Rc<dyn Backend> = Rc::new(demo);
        let app = ui::mount(&root, backend);
        Mounted { app, page }
    }

    fn function(options: &Object, name: &str) -> Option<Function> {
        Reflect::get(options, &name.into()).ok()?.dyn_into().ok()
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

        /// Opens a conversation: `#name` of a channel, or somebody's public key.
        pub fn open(&self, conversation: &str) {
            if let Some(conversation) = Conversation::parse(conversation) {
                self.page.show(conversation);
            }
        }

        /// Says something as the person. Returns false if they are not in the room.
        pub fn say(&self, text: String, conversation: Option<String>) -> bool {
            let conversation = conversation.as_deref().map(Conversation::parse);
            match conversation {
                Some(None) => false,
                named => self.page.say(text, named.flatten()),
            }
        }

        /// Shows a sentence to the person.
        pub fn notice(&self, text: String) {
            self.page.emit(UiEvent::Notice(text));
        }
    }
}
