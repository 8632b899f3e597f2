//! Checks signatures with the browser's WebCrypto: it does many at once, beside the page's own work.

use core::cell::RefCell;

use js_sys::{Array, Promise, Uint8Array};
use litemap::LiteMap;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::browser::object;
use crate::identity::{PublicKey, SignatureCheck};

/// At most this many imported keys are kept.
const MAX_KEYS: usize = 256;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = importKey, catch)]
    fn import_key(
        format: &str,
        key: &Uint8Array,
        algorithm: &JsValue,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], catch)]
    fn verify(
        algorithm: &JsValue,
        key: &JsValue,
        signature: &[u8],
        data: &[u8],
    ) -> Result<Promise, JsValue>;
}

thread_local! {
    static KEYS: RefCell<LiteMap<PublicKey, JsValue>> = RefCell::default();
}

/// Returns which of the signatures are good. Pages without a secure context have no WebCrypto, so they are checked here.
pub async fn check(checks: &[SignatureCheck]) -> Vec<bool> {
    match check_all(checks).await {
        Ok(are_good) => are_good,
        Err(_) => checks.iter().map(|check| check.verify().is_ok()).collect(),
    }
}

async fn check_all(checks: &[SignatureCheck]) -> Result<Vec<bool>, JsValue> {
    let algorithm = object(&[("name", "ECDSA".into()), ("hash", "SHA-256".into())]);
    // All are asked for before the first answer.
    let mut answers = Vec::new();
    for SignatureCheck {
        key,
        message,
        signature,
    } in checks
    {
        let answer = match imported(key).await? {
            Some(key) => Some(verify(&algorithm, &key, &signature.0, message)?),
            None => None,
        };
        answers.push(answer);
    }
    let mut are_good = Vec::new();
    for answer in answers {
        are_good.push(match answer {
            Some(answer) => JsFuture::from(answer).await?.as_bool() == Some(true),
            None => false,
        });
    }
    Ok(are_good)
}

/// Returns the browser's key, or `None` if this is no key.
async fn imported(key: &PublicKey) -> Result<Option<JsValue>, JsValue> {
    if let Some(imported) = KEYS.with_borrow(|keys| keys.get(key).cloned()) {
        return Ok(Some(imported));
    }
    let Ok(point) = key.uncompressed() else {
        return Ok(None);
    };
    let algorithm = object(&[("name", "ECDSA".into()), ("namedCurve", "P-256".into())]);
    let usages = Array::of1(&"verify".into());
    let point = Uint8Array::from(&point[..]);
    let imported = import_key("raw", &point, &algorithm, false, &usages)?;
    let imported = JsFuture::from(imported).await?;
    KEYS.with_borrow_mut(|keys| {
        if keys.len() >= MAX_KEYS {
            keys.clear();
        }
        keys.insert(*key, imported.clone());
    });
    Ok(Some(imported))
}
