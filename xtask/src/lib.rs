//! The developer's commands of rtchat (`cargo xtask --help`), and as a library the [`testbed`]: brokers, sites and
//! browsers that tests and benchmarks run against.
//!
//! | module | responsibility |
//! | --- | --- |
//! | [`setup`] | installs what a command needs; a package of its own, which every command begins with |
//! | [`project`] | the folders of the project, and facts from the manifests and the lock file |
//! | [`process`] | runs other programs and ends them |
//! | [`build`] | builds `dist/`, which any static host can serve |
//! | [`glue`] | puts a guard around the program that both contain |
//! | [`names`] | names its files by their content |
//! | [`styles`] | puts the style sheets of the page into one |
//! | [`size`] | what people load of it, and how much that may be |
//! | [`module`] | builds the part of it that is the module for other people's pages |
//! | [`symbols`] | the names of the functions in a browser's stack |
//! | [`widget`] | builds the part of it that is the script tag for other people's pages |
//! | [`early`] | takes from `index.html` what the widget's panel shows before the program is there |
//! | [`package`] | makes the npm package of the module and the script tag |
//! | [`serve`] | serves the page and an MQTT broker on one port |
//! | [`check`] | runs tests, lints and the formatter's check |
//! | [`bench`](mod@bench) | measurements |
//! | [`screenshots`] | pictures of the page |
//! | [`testbed`] | brokers, sites and browsers that tests start and stop |
#![allow(clippy::disallowed_methods)] // Only the core must not read clocks.

pub mod assist;
pub mod bench;
pub mod binary;
pub mod build;
pub mod check;
pub mod early;
pub mod glue;
pub mod module;
pub mod names;
pub mod optimise;
pub mod package;
pub mod screenshots;
pub mod serve;
pub mod shorten;
pub mod size;
pub mod split;
pub mod styles;
pub mod symbols;
pub mod testbed;
pub mod widget;

pub use xtask_setup as setup;
pub use xtask_setup::{process, project};
