//! rtchat: a chat without a server of its own.
//!
//! Browsers that opened the same page meet over any MQTT broker, exchange sealed offers and answers, connect over
//! WebRTC, prove who they are on that very connection, and talk directly from then on. `docs/PROTOCOL.md` describes
//! everything that goes over the wire.
//!
//! # The map
//!
//! The core decides and touches nothing: no browser, no clock, no randomness of its own.
//!
//! | module | what it holds | imports |
//! | --- | --- | --- |
//! | [`time`] | milliseconds, and timers by name | nothing |
//! | `json` | JSON as a tree | nothing |
//! | [`identity`] | keys, peer ids, sealing, names, tab numbers, the trust book | `time` |
//! | [`rtc`] | session descriptions in compact form; the bytes of files; the adapter to `RTCPeerConnection` | `time` |
//! | [`wire`] | the room's keys and topics, envelopes on the broker, frames on the data channel | `identity`, `json`, `rtc`, `time` |
//! | [`mqtt`] | rumqttc's shape over a WebSocket: session, pool of brokers, client | `time` |
//! | [`settings`] | the settings of the site's owner, of the page's address and of a program's options | `identity`, `json` |
//! | [`history`] | what a browser keeps of what was said | `identity`, `wire` |
//! | [`room`] | who is here, who connects to whom, who is verified, what was said | all of the above but `mqtt` |
//!
//! `rehearsal` has a room meet itself, so that the browser has compiled everything when somebody joins.
//!
//! Thin adapters (the `web` modules, and `driver`) do what the core decided; `ui` shows it to people, and `api` (with a
//! build of its own, without `ui`) tells it to programs. Both come in through `join`.
//!
//! # The driver's contract
//!
//! A [`room::Room`] is driven by exactly one caller (`driver` in a browser, the package `bot/` elsewhere):
//!
//! 1. feed what happened with [`room::Room::handle`] and the time it happened;
//! 2. take every [`room::Output`] from [`room::Room::poll`] until it returns `None`, in order, and carry it out;
//! 3. wake it with [`room::Input::Wake`] when [`room::Room::next_wake`] has come.
//!
//! The same inputs give the same outputs, byte for byte: randomness comes from the seed that the room was made with.
#![forbid(unsafe_code)]
#![recursion_limit = "256"]
#![deny(missing_docs)]

mod budget;
#[cfg(any(feature = "ui", feature = "api"))]
pub mod call_script;
pub mod history;
pub mod identity;
mod json;
pub mod mqtt;
#[cfg(feature = "ui")]
pub mod rehearsal;
pub mod room;
pub mod rtc;
pub mod settings;
mod sort;
pub mod time;
pub mod wire;

#[cfg(all(target_arch = "wasm32", feature = "api"))]
pub mod api;
#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(target_arch = "wasm32")]
pub mod driver;
#[cfg(all(target_arch = "wasm32", feature = "ui"))]
pub mod embed;
#[cfg(all(target_arch = "wasm32", feature = "ui"))]
pub mod head_start;
#[cfg(target_arch = "wasm32")]
pub mod join;
#[cfg(all(target_arch = "wasm32", feature = "ui"))]
pub mod page;
#[cfg(feature = "ui")]
pub mod ui;
