//! Short pauses.

use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::MessageChannel;

use crate::browser::sleep;

/// The longest pause for which a hidden tab exchanges messages with itself, in milliseconds.
const BUSY: u32 = 20;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(super) fn now() -> f64;
}

/// Waits for about this many milliseconds.
///
/// Browsers run the timers of a background tab only once a second. Two tabs of one browser cannot both be in front, and
/// nobody should wait a second for a description because of that. So in a hidden tab, short pauses are spent exchanging
/// messages with the tab itself, which browsers do not delay.
pub(crate) async fn pause(millis: u32) {
    if millis > BUSY || !is_hidden() {
        return sleep(millis).await;
    }
    let until = now() + f64::from(millis);
    let Ok(channel) = MessageChannel::new() else {
        return;
    };
    let (here, there) = (channel.port1(), channel.port2());
    while now() < until {
        let mut sent = false;
        let turn = Promise::new(&mut |resolve, _| {
            here.set_onmessage(Some(&resolve));
            sent = there.post_message(&JsValue::NULL).is_ok();
        });
        if !sent || JsFuture::from(turn).await.is_err() {
            break;
        }
    }
    here.close();
}

fn is_hidden() -> bool {
    let document = Reflect::get(&js_sys::global(), &"document".into());
    let hidden = document.and_then(|document| Reflect::get(&document, &"hidden".into()));
    hidden.is_ok_and(|hidden| hidden.is_truthy())
}
