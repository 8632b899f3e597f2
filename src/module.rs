//! What `mqtt-rtc.js` loads: the library's class for JavaScript (`rtchat::api`), and nothing that runs by itself.

#[cfg(target_arch = "wasm32")]
use rtchat as _;

fn main() {}
