//! Carries what is done with the bytes of files beside messages to the script that holds and keeps them
//! (`embed/store/keeper.ts`).

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use super::store::pairs;
use super::{Driver, StoreKeeper};
use crate::history::StoredFile;
use crate::history::file::file_key;
use crate::history::web::bytes;
use crate::room::{BlobCommand, BlobEvent, Input};
use crate::rtc::file_channel::FileId;
use crate::wire::FileKey;

/// The key of a file for the script.
pub(super) fn key_of(key: &FileKey) -> JsValue {
    bytes(&file_key(key)).into()
}

/// The bytes of a file, from memory or from the store.
pub(super) async fn get(store: Rc<StoreKeeper>, key: FileKey) -> Option<Blob> {
    let answer = store.call("getFile", &[key_of(&key)]);
    let found = JsFuture::from(answer.dyn_into::<Promise>().ok()?).await;
    found.ok()?.dyn_into().ok()
}

impl Driver {
    pub(super) fn carry_out_blob(self: &Rc<Self>, command: BlobCommand) {
        let (method, values) = match command {
            BlobCommand::Send { token, .. } if self.store.is_missing() => {
                return self.supply(token, None);
            }
            BlobCommand::Send { token, key } => ("sendFile", [token.into(), key_of(&key)]),
            BlobCommand::Collect(file) => {
                let sink = self.store.call("collectFile", &[file.into()]);
                return self
                    .files
                    .store_in(FileId::Theirs(file), sink.unchecked_into());
            }
            BlobCommand::Finish { file, key } => ("finishFile", [file.into(), key_of(&key)]),
            BlobCommand::Discard(file) => ("discardFile", [file.into(), JsValue::UNDEFINED]),
            BlobCommand::Keep(file) => {
                let head = bytes(&file.to_value()).into();
                ("keepFile", [key_of(&file.key), head])
            }
            BlobCommand::Delete(key) => ("deleteFile", [key_of(&key), JsValue::UNDEFINED]),
        };
        self.store.call(method, &values);
    }

    /// Hands on what the script tells of files.
    pub(super) fn hear_of_blobs(self: &Rc<Self>, kind: &str, first: &JsValue, second: &JsValue) {
        if kind == "files" {
            // A damaged entry counts as missing.
            let files = pairs(first);
            let files = files.filter_map(|(key, head)| StoredFile::from_entry(&key, &head));
            self.feed(Input::Blob(BlobEvent::Open(files.collect())));
        } else if let Some(token) = first.as_f64() {
            // The conversion saturates.
            self.supply(token as u32, second.clone().dyn_into().ok());
        }
    }

    /// Puts the bytes of a file behind a transfer, or says that they are not here.
    fn supply(self: &Rc<Self>, token: u32, blob: Option<Blob>) {
        let event = match blob {
            Some(blob) => {
                self.files.send_from(FileId::Ours(token), blob);
                BlobEvent::Ready(token)
            }
            None => BlobEvent::Missing(token),
        };
        self.feed(Input::Blob(event));
    }
}
