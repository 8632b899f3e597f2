//! The user interface: shows what happens in the room, and sends the person's commands to it.
//!
//! The state is computed in [`state`] by a pure function that runs anywhere. The views are compiled for the browser only.

pub mod avatar;
pub mod backend;
pub mod composing;
pub mod fold;
pub mod lines;
pub mod links;
pub mod markdown;
pub mod pace;
pub mod state;
pub mod texts;
pub mod timeline;
pub mod typed;
pub mod window;

#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
mod components;
#[cfg(target_arch = "wasm32")]
mod context;
#[cfg(all(target_arch = "wasm32", feature = "demo"))]
pub mod demo;
#[cfg(all(target_arch = "wasm32", feature = "demo"))]
mod demo_answers;
#[cfg(all(target_arch = "wasm32", feature = "demo"))]
mod demo_markdown;
#[cfg(target_arch = "wasm32")]
mod early;
#[cfg(target_arch = "wasm32")]
mod event_queue;
#[cfg(target_arch = "wasm32")]
mod hooks;
#[cfg(target_arch = "wasm32")]
mod markup;
#[cfg(test)]
mod palette;
#[cfg(target_arch = "wasm32")]
pub use app::{Shown, mount};
pub use backend::{Backend, Blocked, Entry, EventSink, Opening, Own, UiEvent};
