//! What a browser keeps of what was said: records in the order of their conversations, and small values beside them.
//!
//! This module knows nothing of what records mean. It keeps their bytes by room, conversation and position, so that the
//! newest ones of a conversation are found without reading the others, and decides which of them have to go when a room
//! has too many.
//!
//! | file | what it holds |
//! | --- | --- |
//! | [`file`] | the files beside messages, as a database keeps them |
//! | [`record`] | records, their keys, and both in the form in which a database keeps them |
//! | [`retention`] | which records have to go |
//! | `web` | the way to the store itself, on IndexedDB: `embed/store/` |

pub mod file;
pub mod record;
pub mod retention;
#[cfg(target_arch = "wasm32")]
pub mod web;

pub use file::StoredFile;
pub use record::{ConversationId, Head, Key, Position, Record};
pub use retention::{Limits, surplus};

/// How long a browser keeps what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is kept.
    Off,
    /// It is kept for as long as the tab is open, also while the page is reloaded.
    Session,
    /// It is kept until somebody deletes it.
    Kept,
}

impl Mode {
    /// Reads the word that stands for a mode in settings.
    pub fn parse(word: &str) -> Option<Mode> {
        let mut modes = [Mode::Off, Mode::Session, Mode::Kept].into_iter();
        modes.find(|mode| mode.as_str() == word)
    }

    /// The word that stands for this mode in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Session => "session",
            Mode::Kept => "kept",
        }
    }
}
