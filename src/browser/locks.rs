//! Locks of the Web Locks API. The browser grants each to one tab only, keeps it while the tab is throttled, and
//! releases it when the tab is closed or crashes. Pages without HTTPS and old browsers have none.

use futures_channel::oneshot;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::within;

/// The time limit for the browser's answer to a request for a lock, in milliseconds. After it, the page goes on without
/// locks. It is long because a busy browser answers late, and a tab that goes on without locks may take a number that
/// another tab holds.
pub(crate) const PATIENCE: u32 = 10_000;

/// A lock, held until it is dropped.
pub(crate) struct Lock(Function);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.call0(&JsValue::UNDEFINED);
    }
}

/// The result of a request for a lock.
pub(crate) enum Attempt {
    Granted(Lock),
    Taken,
    /// The Web Locks API is missing or does not answer.
    Unsupported,
}

/// Requests a lock, if it is free.
pub(crate) async fn try_lock(name: &str) -> Attempt {
    let answer = request(name, true, PATIENCE).await;
    answer.unwrap_or(Attempt::Unsupported)
}

/// Requests a lock, and waits for at most this many milliseconds until it is free.
pub(crate) async fn lock_within(name: &str, millis: u32) -> Attempt {
    request(name, false, millis).await.unwrap_or(Attempt::Taken)
}

/// Returns `None` if there is no answer within this many milliseconds.
async fn request(name: &str, if_available: bool, millis: u32) -> Option<Attempt> {
    let (sender, answer) = oneshot::channel();
    let mut sender = Some(sender);
    let granted = Closure::<dyn FnMut(JsValue) -> JsValue>::new(move |lock: JsValue| {
        let Some(sender) = sender.take() else {
            return JsValue::UNDEFINED;
        };
        if lock.is_null() {
            let _ = sender.send(Attempt::Taken);
            return JsValue::UNDEFINED;
        }
        let mut resolve = None;
        let held = Promise::new(&mut |resolver, _| resolve = Some(resolver));
        match resolve.map(|resolve| sender.send(Attempt::Granted(Lock(resolve.unchecked_into())))) {
            // The caller has given up waiting, and dropping the answer released the lock.
            None | Some(Err(_)) => JsValue::UNDEFINED,
            Some(Ok(())) => held.into(),
        }
    });
    let Ok(request) = call(name, if_available, granted.as_ref()) else {
        return Some(Attempt::Unsupported);
    };
    // The browser calls the closure only before the promise settles. So the closure lives until then, and if the
    // request is refused, the sender is dropped with it.
    spawn_local(async move {
        let _ = JsFuture::from(request).await;
        drop(granted);
    });
    let answer = within(millis, answer).await?;
    Some(answer.unwrap_or(Attempt::Unsupported))
}

/// Calls `navigator.locks.request(name, { ifAvailable }, callback)`, which web-sys has only behind a compiler flag.
fn call(name: &str, if_available: bool, callback: &JsValue) -> Result<Promise, JsValue> {
    let navigator = web_sys::window().ok_or(JsValue::UNDEFINED)?.navigator();
    let locks = Reflect::get(&navigator, &"locks".into())?;
    let request: Function = Reflect::get(&locks, &"request".into())?.dyn_into()?;
    let options = Object::new();
    Reflect::set(&options, &"ifAvailable".into(), &if_available.into())?;
    request
        .call3(&locks, &name.into(), &options, callback)?
        .dyn_into()
}
