//! What `start.js` has begun while the program was loading.

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::WebSocket;

/// The object `{ settings, connection }` of `start.js`. Whatever has another shape counts as not begun.
#[derive(Debug)]
pub struct HeadStart(Object);

impl HeadStart {
    /// Wraps the object of `start.js`.
    pub fn new(begun: Object) -> HeadStart {
        HeadStart(begun)
    }

    fn get<T: JsCast>(&self, key: &str) -> Option<T> {
        Reflect::get(&self.0, &key.into()).ok()?.dyn_into().ok()
    }

    /// The promise of the response with the settings.
    pub fn settings(&self) -> Option<Promise> {
        self.get("settings")
    }

    /// Takes the connection to a broker over: the broker's address and the WebSocket. There may be one as soon as the
    /// settings are there, and later, when somebody types their name.
    pub fn connection(&self) -> Option<(String, WebSocket)> {
        let take: Function = self.get("connection")?;
        let taken = take.call0(&JsValue::UNDEFINED).ok()?;
        let get = |key: &str| Reflect::get(&taken, &key.into()).ok();
        let socket = get("socket")?.dyn_into().ok()?;
        Some((get("url")?.as_string()?, socket))
    }
}
