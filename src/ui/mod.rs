//! The user interface: shows what happens in the room, and sends the person's commands to it.
//!
//! The state is computed in [`state`] by a pure function that runs anywhere. The views are compiled for the browser only.

pub mod avatar;
pub mod backend;
pub mod composing;
pub mod drafts;
pub mod export;
pub mod files;
pub mod fold;
pub mod forward;
pub mod line;
pub mod lines;
pub mod links;
pub mod markdown;
pub mod mentions;
pub mod pace;
pub mod preview;
pub mod state;
pub mod texts;
pub mod timeline;
pub mod typed;
pub mod window;

#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
pub mod assist;
#[cfg(target_arch = "wasm32")]
pub mod call_view;
#[cfg(target_arch = "wasm32")]
pub mod calls;
#[cfg(target_arch = "wasm32")]
mod components;
#[cfg(target_arch = "wasm32")]
mod context;
#[cfg(all(target_arch = "wasm32", feature = "demo"))]
pub mod demo;
#[cfg(target_arch = "wasm32")]
mod early;
#[cfg(target_arch = "wasm32")]
mod event_queue;
#[cfg(target_arch = "wasm32")]
mod hooks;
#[cfg(target_arch = "wasm32")]
mod markup;
#[cfg(target_arch = "wasm32")]
pub mod media;
#[cfg(test)]
mod palette;
#[cfg(target_arch = "wasm32")]
pub use app::{Shown, mount};
#[cfg(target_arch = "wasm32")]
pub use backend::Later;
pub use backend::{Backend, Blocked, Counts, Entry, EventSink, Opening, Own, UiEvent};
