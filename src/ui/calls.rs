//! The script for calls (`embed/calls/`), which is loaded when somebody calls, is called, or shows or watches something.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, JSON, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Element;

use crate::call_script;
use crate::room::{CallCommand, Conversation};

#[wasm_bindgen]
extern "C" {
    /// The script.
    type Script;
    #[wasm_bindgen(method, structural, catch)]
    fn open(this: &Script, host: &Object) -> Result<Calls, JsValue>;

    /// The script's object for one chat.
    #[derive(Clone)]
    pub type Calls;
    #[wasm_bindgen(method, structural)]
    fn mount(this: &Calls, root: &Element);
    #[wasm_bindgen(method, structural)]
    fn show(this: &Calls, view: &JsValue);
    #[wasm_bindgen(method, structural)]
    fn begin(this: &Calls, call: &Object);
    /// Shows a camera to whoever opens it, once the person has seen what that will be.
    #[wasm_bindgen(method, structural)]
    pub fn share(this: &Calls);
    /// Ends everything.
    #[wasm_bindgen(method, structural)]
    pub fn close(this: &Calls);
}

impl Calls {
    /// Shows how things stand, as [`call_script::view`] writes it.
    pub fn update(&self, view: &str) {
        if let Ok(view) = JSON::parse(view) {
            self.show(&view);
        }
    }

    /// Calls whoever is in a conversation, once the person has seen what they will send.
    pub fn call(&self, conversation: &Conversation, title: &str, video: bool) {
        let call = object(&[
            ("conversation", conversation.to_string().into()),
            ("title", title.into()),
            ("video", video.into()),
        ]);
        self.begin(&call);
    }
}

fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a property of a plain object does not fail.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object
}

/// The script of one chat: how to load it, and what it has been once it was loaded.
#[derive(Clone, Default)]
pub struct Loading(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    load: Option<Function>,
    place: Option<Element>,
    calls: Option<Calls>,
}

impl Loading {
    /// Loads it with this function of the page.
    pub fn with(load: Option<Function>) -> Loading {
        let loading = Loading::default();
        loading.0.borrow_mut().load = load;
        loading
    }

    /// The script's object, if it is there.
    pub fn loaded(&self) -> Option<Calls> {
        self.0.borrow().calls.clone()
    }

    /// Sets the element in which it draws.
    pub fn place(&self, place: Element) {
        if let Some(calls) = self.loaded() {
            calls.mount(&place);
        }
        self.0.borrow_mut().place = Some(place);
    }

    /// Loads it, unless it is there. The room gets what the person does, and the person sentences.
    ///
    /// # Errors
    /// A sentence, if it cannot be loaded.
    pub async fn get(
        &self,
        command: impl Fn(CallCommand) + 'static,
        notice: impl Fn(String) + 'static,
    ) -> Result<Calls, String> {
        if let Some(calls) = self.loaded() {
            return Ok(calls);
        }
        let sentence = || {
            "The part of the page for calls could not be loaded. Try again, or reload the page."
                .to_owned()
        };
        let load = self.0.borrow().load.clone();
        let promise = load.and_then(|load| load.call0(&JsValue::UNDEFINED).ok());
        let promise = promise.map(Promise::from).ok_or_else(sentence)?;
        let script = JsFuture::from(promise).await.map_err(|_| sentence())?;
        // Somebody else may have waited for it as well.
        if let Some(calls) = self.loaded() {
            return Ok(calls);
        }
        let command = Closure::<dyn Fn(JsValue)>::new(move |given: JsValue| {
            let text = JSON::stringify(&given).map(String::from);
            if let Some(given) = text.ok().and_then(|text| call_script::command(&text)) {
                command(given);
            }
        });
        let notice = Closure::<dyn Fn(String)>::new(notice);
        let host = object(&[
            ("command", command.into_js_value()),
            ("notice", notice.into_js_value()),
        ]);
        let script: Script = script.unchecked_into();
        let calls = script.open(&host).map_err(|_| sentence())?;
        let mut inner = self.0.borrow_mut();
        if let Some(place) = &inner.place {
            calls.mount(place);
        }
        inner.calls = Some(calls.clone());
        Ok(calls)
    }

    /// Ends everything.
    pub fn close(&self) {
        let calls = self.0.borrow_mut().calls.take();
        if let Some(calls) = calls {
            calls.close();
        }
    }
}
