//! The page as people meet it: the built files in real browsers, which find each other through real brokers.
//!
//! `cargo xtask test e2e` builds the page and runs this. By hand: `RTCHAT_DIST=dist cargo test --test e2e`, with a part of a
//! test's name to run less. A test that fails leaves screenshots, and prints what every tab shows.
#![cfg(not(target_arch = "wasm32"))]

mod accessibility;
mod bot;
mod broken;
mod broker;
mod comings;
mod demos;
mod hostile;
mod module;
mod package;
mod policy;
mod profile;
mod rooms;
mod support;
mod talk;
mod widget;
mod words;
