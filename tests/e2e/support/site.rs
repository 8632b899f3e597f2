//! Sites that are not just the page at the root of a host.

use serde_json::{Value, json};

/// The room of a link that names none.
pub const DEFAULT_ROOM: &str = rtchat::settings::DEFAULT_ROOM;

/// Settings with this broker, and no STUN server: nothing here needs the world.
pub fn settings(broker: &str) -> Value {
    json!({ "brokers": [broker], "iceServers": [] })
}
