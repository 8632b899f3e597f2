//! The built page in real browsers, which find each other through real brokers.
//!
//! `cargo xtask test e2e` builds the page and the bot, and runs these tests. `cargo test --package rtchat-e2e --test
//! e2e PART_OF_A_NAME` runs some of them with the existing `dist/`. A test that fails leaves screenshots, and prints
//! what every tab shows.

mod accessibility;
mod activity;
mod approach;
mod bot;
mod bot_calls;
mod broken;
mod broker;
mod calls;
mod calls_controls;
mod calls_many;
mod calls_script;
mod calls_trouble;
mod chat;
mod composing;
mod conversations;
mod demos;
mod export;
mod features;
mod files;
mod first_paint;
mod hostile;
mod hostile_broker;
mod hostile_channels;
mod hostile_member;
mod hostile_names;
mod keeping;
mod leaving_and_returning;
mod long_log;
mod markdown;
mod module;
mod network;
mod network_calls;
mod no_path;
mod other_stacks;
mod package;
mod people;
mod policy;
mod profile;
mod rooms;
mod settings;
mod support;
mod talks;
mod translation;
mod unloaded;
mod untrusted_text;
mod views;
mod webkit;
mod widget;
