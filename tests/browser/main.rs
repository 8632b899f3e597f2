//! Tests of the browser adapters in a real browser. `cargo xtask test` runs them in Chromium and in Firefox.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::wasm_bindgen_test_configure;

mod file_channel;
mod history;
#[cfg(feature = "ui")]
mod letters;
mod rtc;
mod sides;
mod signatures;
mod storage;

wasm_bindgen_test_configure!(run_in_browser);
