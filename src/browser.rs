//! Browser helpers that the adapters share: listeners that end when they are dropped, pauses, plain objects, locks.

pub(crate) mod locks;

use core::cell::RefCell;
use core::future::Future;
use core::pin::pin;

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Date, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{Event, EventTarget};

use crate::time::{Millis, SteadyClock};

/// An event listener that is removed when it is dropped.
pub(crate) struct Listener {
    target: EventTarget,
    kind: &'static str,
    callback: Closure<dyn Fn(Event)>,
}

impl Listener {
    /// Listens for `kind` on `target`. The callback is boxed so that this function is compiled only once.
    pub fn new(target: &EventTarget, kind: &'static str, callback: Box<dyn Fn(Event)>) -> Listener {
        let callback = Closure::wrap(callback);
        // Adding a listener to an existing target does not fail.
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

// Bound by hand, because web-sys has it only as a method of `Window` or of `WorkerGlobalScope`. This works in both.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

thread_local! {
    static CLOCK: RefCell<SteadyClock> = RefCell::new(SteadyClock::new(performance_now(), Date::now()));
}

/// The time in milliseconds since the epoch. It never runs backwards, and it counts the time that the computer slept.
pub(crate) fn now() -> Millis {
    let (steady, wall) = (performance_now(), Date::now());
    CLOCK.with_borrow_mut(|clock| clock.read(steady, wall))
}

/// Returns the time that the computer's clock shows for a moment of [`now`].
pub(crate) fn on_the_wall(at: Millis) -> Millis {
    now();
    CLOCK.with_borrow(|clock| clock.on_the_wall(at))
}

/// The longest pause that a browser's timer supports, in milliseconds: 24 days.
const MAX_PAUSE: u32 = i32::MAX as u32;

/// Waits for this many milliseconds; dropping the future clears its timer. Browsers may delay timers of tabs in the
/// background by a second or more.
pub(crate) fn sleep(millis: u32) -> TimeoutFuture {
    TimeoutFuture::new(millis.min(MAX_PAUSE))
}

/// Returns the output of `future`, or `None` if it takes longer than this many milliseconds.
pub(crate) async fn within<F: Future>(millis: u32, future: F) -> Option<F::Output> {
    match select(pin!(future), sleep(millis)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// Makes a plain JavaScript object from these entries.
pub(crate) fn object(entries: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (key, value) in entries {
        // Setting a property of a plain object does not fail.
        let _ = Reflect::set(&object, &(*key).into(), value);
    }
    object
}
