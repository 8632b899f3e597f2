//! What the tabs of a browser tell each other whatever store they have, over `localStorage`: how long a room is kept, and that
//! everything was deleted.

use std::rc::{Rc, Weak};

use base64ct::{Base64UrlUnpadded, Encoding};
use wasm_bindgen::JsCast;
use web_sys::StorageEvent;

use super::Driver;
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
pub(super) fn watch(keeper: &Rc<StoreKeeper>, driver: &Weak<Driver>) -> Listener {
    let (keeper, driver) = (Rc::downgrade(keeper), driver.clone());
    let told = move |event: web_sys::Event| {
        let Some((keeper, driver)) = keeper.upgrade().zip(driver.upgrade()) else {
            return;
        };
        let event = event.dyn_ref::<StorageEvent>();
        let Some(key) = event.and_then(StorageEvent::key) else {
            return;
        };
        if key == choice_key(keeper.room()) {
            if let Some(mode) = chosen_mode(keeper.room()) {
                keeper.adopt(mode, &driver);
                driver.observer.kept_as(mode);
            }
        } else if key == ALL_DELETED {
            if let Some(value) = deleted() {
                keeper.all_deleted(value, &driver);
            }
        } else if key == IDENTITY && event.and_then(StorageEvent::new_value).is_none() {
            // The person wants to be nobody here any more.
            driver.observer.outdated();
        }
    };
    Listener::on_window("storage", Box::new(told))
}
