//! What adapters share of the browser: listeners that end when they are dropped, pauses, plain objects.

use core::future::Future;
use core::pin::pin;

use futures_util::future::{Either, select};
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Event, EventTarget};

// Bound by hand because it is found in pages and in workers alike, and web-sys has it only as a method of either.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout, catch)]
    fn set_timeout(handler: &Function, millis: i32) -> Result<JsValue, JsValue>;
}

/// An event listener that is taken off when it is dropped.
pub(crate) struct Listener {
    target: EventTarget,
    kind: &'static str,
    callback: Closure<dyn Fn(Event)>,
}

impl Listener {
    /// Listens for `kind` on `target`. Boxed, as every callback of another type would bring its own copy of this.
    pub fn new(target: &EventTarget, kind: &'static str, callback: Box<dyn Fn(Event)>) -> Listener {
        let callback = Closure::wrap(callback);
        // It fails for no target that exists.
        let _ = target.add_event_listener_with_callback(kind, callback.as_ref().unchecked_ref());
        Listener {
            target: target.clone(),
            kind,
            callback,
        }
    }

    /// Listens for `kind` on the window.
    pub fn on_window(kind: &'static str, callback: Box<dyn Fn(Event)>) -> Listener {
        Listener::new(js_sys::global().unchecked_ref(), kind, callback)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self
            .target
            .remove_event_listener_with_callback(self.kind, self.callback.as_ref().unchecked_ref());
    }
}

/// Waits for so many milliseconds. Tabs in the background may be made to wait for a second or longer.
pub(crate) async fn sleep(millis: i32) {
    let done = Promise::new(&mut |resolve, reject| {
        if set_timeout(&resolve, millis).is_err() {
            let _ = reject.call0(&JsValue::NULL);
        }
    });
    // A page without timers does not wait.
    let _ = JsFuture::from(done).await;
}

/// What `future` gives, unless it takes longer than so many milliseconds.
pub(crate) async fn within<F: Future>(millis: i32, future: F) -> Option<F::Output> {
    match select(pin!(future), pin!(sleep(millis))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// A plain object.
pub(crate) fn object(entries: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (key, value) in entries {
        // Setting a property of a plain object does not fail.
        let _ = Reflect::set(&object, &(*key).into(), value);
    }
    object
}
