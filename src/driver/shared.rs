//! What the tabs of a browser tell each other whatever store they have, over `localStorage`: how long a room is kept, and that
//! everything was deleted.

use base64ct::{Base64UrlUnpadded, Encoding};
use wasm_bindgen::JsCast;
use web_sys::StorageEvent;

use crate::browser::Listener;
use crate::history::Mode;
use crate::history::web::{choice_key, chosen_mode};
use crate::identity::Storage;
use crate::identity::store::IDENTITY;
use crate::identity::web::LocalStorage;
use crate::wire::RoomId;

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

/// Something that another tab has done.
pub(super) enum Told {
    /// It has chosen how long the room is kept.
    Chosen(Mode),
    /// It has deleted everything of all rooms, up to what this value says.
    AllDeleted(Vec<u8>),
    /// It has deleted who the person is.
    Outdated,
}

/// Listens for what other tabs choose and delete.
pub(super) fn watch(room: &RoomId, told: impl Fn(Told) + 'static) -> Listener {
    let room = *room;
    let stored = move |event: web_sys::Event| {
        let event = event.dyn_ref::<StorageEvent>();
        let Some(key) = event.and_then(StorageEvent::key) else {
            return;
        };
        let what = if key == choice_key(&room) {
            chosen_mode(&room).map(Told::Chosen)
        } else if key == ALL_DELETED {
            deleted().map(Told::AllDeleted)
        } else {
            let is_gone = event.and_then(StorageEvent::new_value).is_none();
            (key == IDENTITY && is_gone).then_some(Told::Outdated)
        };
        if let Some(what) = what {
            told(what);
        }
    };
    Listener::on_window("storage", Box::new(stored))
}
