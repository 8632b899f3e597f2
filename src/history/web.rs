//! The browser adapter of this module: the script `embed/store/`, which is loaded when something is to be kept, and what
//! people chose.

use std::cell::RefCell;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use js_sys::{Array, Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::Mode;
use crate::wire::RoomId;

/// The prefix of the keys under which chosen modes stand, before the room's id.
const MODE: &str = "rtchat/1/history-mode/";

/// The prefix of the keys in `sessionStorage` under which `embed/store/unwritten.ts` notes what is not written, before the
/// room's id.
const UNWRITTEN: &str = "rtchat/1/unwritten/";

/// Hears what is kept: the kind of an event, and what belongs to it (see `embed/store/keeper.ts`).
pub(crate) type Listener = Closure<dyn Fn(JsValue, JsValue, JsValue)>;

#[wasm_bindgen]
extern "C" {
    /// The script.
    pub(crate) type Script;
    #[wasm_bindgen(method, structural, catch)]
    fn keep(
        this: &Script,
        room: &Uint8Array,
        states: &Array,
        tell: &JsValue,
    ) -> Result<JsValue, JsValue>;
}

thread_local! {
    /// The function that loads the script, of the page, of the script tag or of the module.
    static LOAD: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Takes the function that loads the script.
pub fn provide(load: Function) {
    LOAD.set(Some(load));
}

/// Loads the script. `None` if it cannot be loaded.
pub(crate) async fn load() -> Option<Script> {
    let load = LOAD.with_borrow(Clone::clone)?;
    let promise: Promise = load.call0(&JsValue::UNDEFINED).ok()?.dyn_into().ok()?;
    let script = JsFuture::from(promise).await.ok()?;
    Some(script.unchecked_into())
}

impl Script {
    /// Makes the keeper of a room.
    pub(crate) fn keeper(
        &self,
        room: &RoomId,
        states: &[&str],
        listener: &Listener,
    ) -> Result<JsValue, JsValue> {
        let states: Array = states.iter().map(|name| JsValue::from_str(name)).collect();
        self.keep(&bytes(&room.0), &states, listener.as_ref())
    }
}

/// A copy of these bytes in JavaScript's memory.
pub(crate) fn bytes(bytes: &[u8]) -> Uint8Array {
    Uint8Array::from(bytes)
}

/// The key in `localStorage` of the mode that the person chose for a room.
pub(crate) fn choice_key(room: &RoomId) -> String {
    format!("{MODE}{}", Base64UrlUnpadded::encode_string(&room.0))
}

fn local_storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}

/// Whether the page before this one could not write everything that was to be written or deleted.
pub(crate) fn is_unwritten(room: &RoomId) -> bool {
    let storage = web_sys::window().and_then(|window| window.session_storage().ok().flatten());
    let key = format!("{UNWRITTEN}{}", Base64::encode_string(&room.0));
    storage.is_some_and(|it| matches!(it.get_item(&key), Ok(Some(_))))
}

/// The mode that the person chose for a room, if they did and the browser tells.
pub fn chosen_mode(room: &RoomId) -> Option<Mode> {
    let word = local_storage()?.get_item(&choice_key(room)).ok()??;
    Mode::parse(&word)
}

/// Remembers the mode that the person chose for a room, if the browser allows it.
pub fn remember_mode(room: &RoomId, mode: Mode) {
    if let Some(storage) = local_storage() {
        // Where nothing can be stored, nothing is kept either, and the store says so.
        let _ = storage.set_item(&choice_key(room), mode.as_str());
    }
}
