//! What the tabs of a browser tell each other whatever store they have, over `localStorage`: how long a room is kept, and that
//! everything was deleted.

use std::rc::Rc;

use base64ct::{Base64UrlUnpadded, Encoding};
use wasm_bindgen::JsCast;
use web_sys::StorageEvent;

use super::store::StoreKeeper;
use crate::browser::Listener;
use crate::history::web::{choice_key, chosen_mode};
use crate::identity::Storage;
use crate::identity::store::IDENTITY;
use crate::identity::web::LocalStorage;

/// The key of the value that says up to when everything was deleted, in all rooms.
pub(crate) const ALL_DELETED: &str = "rtchat/1/deleted";

/// What was deleted of all rooms, if anything ever was.
pub(super) fn deleted() -> Option<Vec<u8>> {
    let text = LocalStorage.get(ALL_DELETED).ok()??;
    Base64UrlUnpadded::decode_vec(&text).ok()
}

/// Tells all tabs that everything of all rooms is deleted.
pub(super) fn tell_deleted(value: &[u8]) {
    // Where nothing can be stored, there is nothing either.
    let _ = LocalStorage.set(ALL_DELETED, &Base64UrlUnpadded::encode_string(value));
}

/// Listens for what other tabs choose and delete.
pub(super) fn watch(keeper: &Rc<StoreKeeper>) -> Listener {
    let keeper = Rc::downgrade(keeper);
    let told = move |event: web_sys::Event| {
        let event = event.dyn_ref::<StorageEvent>();
        let key = event.and_then(StorageEvent::key);
        let Some((keeper, key)) = keeper.upgrade().zip(key) else {
            return;
        };
        if key == choice_key(keeper.room()) {
            if let Some(mode) = chosen_mode(keeper.room()) {
                keeper.follow(mode);
            }
        } else if key == ALL_DELETED {
            if let Some(value) = deleted() {
                keeper.all_deleted(value);
            }
        } else if key == IDENTITY && event.and_then(StorageEvent::new_value).is_none() {
            keeper.outdated();
        }
    };
    Listener::on_window("storage", Box::new(told))
}
