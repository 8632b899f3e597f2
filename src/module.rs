//! The WebAssembly module that `mqtt-rtc.js` loads: it exports the class of `rtchat::api`, and runs nothing by itself.

#[cfg(target_arch = "wasm32")]
use rtchat as _;

fn main() {}
