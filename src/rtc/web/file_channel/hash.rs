//! SHA-256, computed by the browser where possible.

use js_sys::{Promise, Uint8Array};
use sha2::{Digest as _, Sha256};
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use crate::rtc::file_channel::{Hash, SLICE};
use crate::rtc::web::connection::settled;
use crate::rtc::web::{WebError, refused};

const WHAT: &str = "hash the file";

#[wasm_bindgen]
extern "C" {
    type SubtleCrypto;
    /// Missing in insecure contexts.
    #[wasm_bindgen(thread_local_v2, js_namespace = crypto, js_name = subtle)]
    static SUBTLE: Option<SubtleCrypto>;
    #[wasm_bindgen(method, catch)]
    fn digest(this: &SubtleCrypto, algorithm: &str, bytes: &Uint8Array)
    -> Result<Promise, JsValue>;
}

/// Begins to hash bytes, which may change as soon as this returns.
pub(super) fn begin(bytes: &Uint8Array) -> Result<Promise, WebError> {
    SUBTLE.with(|subtle| match subtle {
        Some(subtle) => subtle.digest("SHA-256", bytes).map_err(refused(WHAT)),
        None => {
            let hash: [u8; 32] = Sha256::digest(bytes.to_vec()).into();
            let hash: JsValue = Uint8Array::from(&hash[..]).into();
            Ok(Promise::resolve(&hash))
        }
    })
}

/// Waits for the hash that was begun.
pub(super) async fn end(begun: Promise) -> Result<[u8; 32], WebError> {
    let hash = Uint8Array::new(&settled(begun, WHAT).await?).to_vec();
    hash.try_into().map_err(|_| WebError::Refused {
        what: WHAT,
        name: String::new(),
    })
}

/// Returns the hash of a file: the SHA-256 of those of its slices. It is read in parts, so it may be larger than memory.
///
/// # Errors
/// [`WebError`] if the browser cannot read it.
pub async fn hash_of(blob: &Blob) -> Result<[u8; 32], WebError> {
    const READ: &str = "read the file";
    // Exact: a size is below 2^53.
    let size = blob.size() as u64;
    let mut hash = Hash::new(size);
    loop {
        if let Some(whole) = hash.whole() {
            return Ok(whole);
        }
        let from = hash.at();
        let slice = blob.slice_with_f64_and_f64(from as f64, (from + SLICE).min(size) as f64);
        let read = slice.map_err(refused(READ))?.array_buffer();
        let bytes = Uint8Array::new(&settled(read, READ).await?);
        if u64::from(bytes.length()) != SLICE.min(size - from) {
            let name = "NotReadableError".to_owned();
            return Err(WebError::Refused { what: READ, name });
        }
        hash.add(end(begin(&bytes)?).await?);
    }
}
