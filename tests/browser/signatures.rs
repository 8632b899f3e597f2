//! Signatures that the browser checks.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use js_sys::{Object, Reflect};
use rtchat::identity::web::signatures::check;
use rtchat::identity::{IdentityKey, PublicKey, Signature, SignatureCheck};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

/// Good ones of several keys, and one of each kind that is not.
fn checks() -> (Vec<SignatureCheck>, Vec<bool>) {
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    let keys: Vec<IdentityKey> = (0..3).map(|_| IdentityKey::generate(&mut rng)).collect();
    let good = |number: u8| {
        let key = &keys[usize::from(number) % keys.len()];
        let message = vec![number; 40];
        SignatureCheck {
            key: key.public(),
            signature: key.sign_message(&message),
            message,
        }
    };
    let mut checks: Vec<SignatureCheck> = (0..24).map(good).collect();
    checks[3].message[0] ^= 1;
    checks[7].key = keys[0].public();
    checks[11].key = PublicKey([7; 33]);
    checks[15].signature = Signature([0; 64]);
    checks[19].signature = good(20).signature;
    let are_good = (0..24).map(|at| at % 4 != 3 || at == 23).collect();
    (checks, are_good)
}

#[wasm_bindgen_test]
async fn the_browser_tells_good_signatures_from_bad_ones() {
    let (checks, expected) = checks();
    assert_eq!(check(&checks).await, expected);
    let here: Vec<bool> = checks.iter().map(|one| one.verify().is_ok()).collect();
    assert_eq!(here, expected);
}

#[wasm_bindgen_test]
async fn they_are_checked_also_where_the_browser_offers_nothing_for_it() {
    let (checks, expected) = checks();
    let crypto = Reflect::get(&js_sys::global(), &"crypto".into()).unwrap();
    let without = Object::new();
    Reflect::set(&without, &"value".into(), &JsValue::UNDEFINED).unwrap();
    Reflect::set(&without, &"configurable".into(), &JsValue::TRUE).unwrap();
    Object::define_property(&Object::from(crypto.clone()), &"subtle".into(), &without);
    let answers = check(&checks).await;
    Reflect::delete_property(&Object::from(crypto), &"subtle".into()).unwrap();
    assert_eq!(answers, expected);
}
