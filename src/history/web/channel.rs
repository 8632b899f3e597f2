//! What the tabs that use a database tell each other.

use std::cell::RefCell;

use js_sys::Uint8Array;
use wasm_bindgen::JsCast;
use web_sys::{BroadcastChannel, MessageEvent};

use super::super::change::Change;
use crate::browser::Listener;

/// The channel to the other tabs. Where the browser has none, nobody is told anything.
pub(super) struct Channel {
    channel: Option<BroadcastChannel>,
    listener: RefCell<Option<Listener>>,
}

impl Channel {
    /// Joins the channel of the database with this name.
    pub fn join(name: &str) -> Channel {
        Channel {
            channel: BroadcastChannel::new(name).ok(),
            listener: RefCell::default(),
        }
    }

    /// Tells the other tabs of a change.
    pub fn tell(&self, change: &Change) {
        if let Some(channel) = &self.channel {
            let message = Uint8Array::from(&change.to_bytes()[..]);
            // It fails only if the channel is closed, or if the browser has no memory left for the message.
            let _ = channel.post_message(&message);
        }
    }

    /// Calls back when another tab tells of a change.
    pub fn on_change(&self, callback: Box<dyn Fn(Change)>) {
        let listener = self.channel.as_ref().map(|channel| {
            Listener::new(
                channel,
                "message",
                Box::new(move |event| {
                    let data = event.dyn_ref::<MessageEvent>().map(MessageEvent::data);
                    let bytes = data.and_then(|data| data.dyn_into::<Uint8Array>().ok());
                    if let Some(change) = bytes.and_then(|it| Change::from_bytes(&it.to_vec())) {
                        callback(change);
                    }
                }),
            )
        });
        self.listener.replace(listener);
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            channel.close();
        }
    }
}
