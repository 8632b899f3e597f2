//! The developer's commands of rtchat (`cargo xtask --help`), and as a library the [`testbed`]: brokers, sites and
//! browsers that tests and benchmarks run against.
//!
//! | module | what for |
//! | --- | --- |
//! | [`project`] | where things lie, and what the lock file says |
//! | [`process`] | running other programs, and ending them |
//! | [`setup`] | installing what a command needs |
//! | [`build`] | `dist/`, the page as any static host serves it |
//! | [`module`] | what of it is the module for other people's pages |
//! | [`widget`] | what of it is for chats in other people's pages |
//! | [`package`] | the npm package of the module |
//! | [`serve`] | the page and an MQTT broker on one port |
//! | [`check`] | every test, formatting and lints |
//! | [`bench`](mod@bench) | measurements |
//! | [`testbed`] | what tests start and stop |
#![allow(clippy::disallowed_methods)] // Real clocks are right here; the core alone must not have one.

pub mod bench;
pub mod build;
pub mod check;
pub mod module;
pub mod package;
pub mod process;
pub mod project;
pub mod serve;
pub mod setup;
pub mod testbed;
pub mod widget;
