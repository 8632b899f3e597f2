//! What a site leaves out of the chat.

use super::{Reader, SettingsError, SettingsWarning, malformed};
use crate::json::Json;

pub(super) const FEATURES: &str = "\"files\", \"channels\", \"dm\" or \"history\"";
const LIST: &str = "a list of what the chat has: \"files\", \"channels\", \"dm\", \"history\"";

/// What the chat has. What is off is neither shown nor done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    /// Files beside messages.
    pub files: bool,
    /// More channels than the first one.
    pub channels: bool,
    /// Conversations with one person.
    pub direct: bool,
    /// Keeping what was said in the browser.
    pub history: bool,
}

/// Which calls there are, and what can be shown to whoever opens it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CallKinds {
    /// None.
    Off,
    /// Those with sound alone.
    Audio,
    /// Those with cameras and screens, too.
    #[default]
    Video,
}

impl CallKinds {
    /// Reads the word that stands for it in settings.
    pub fn parse(word: &str) -> Option<CallKinds> {
        match word {
            "off" => Some(CallKinds::Off),
            "audio" => Some(CallKinds::Audio),
            "video" => Some(CallKinds::Video),
            _ => None,
        }
    }

    /// The word that stands for it in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            CallKinds::Off => "off",
            CallKinds::Audio => "audio",
            CallKinds::Video => "video",
        }
    }
}

impl Features {
    /// Messages in one channel, and nothing else.
    pub const NONE: Features = Features {
        files: false,
        channels: false,
        direct: false,
        history: false,
    };

    fn named(&mut self, word: &str) -> Option<&mut bool> {
        match word {
            "files" => Some(&mut self.files),
            "channels" => Some(&mut self.channels),
            "dm" => Some(&mut self.direct),
            "history" => Some(&mut self.history),
            _ => None,
        }
    }
}

impl Default for Features {
    fn default() -> Features {
        Features {
            files: true,
            channels: true,
            direct: true,
            history: true,
        }
    }
}

/// Reads the list. What it does not name is off; words that are not known turn nothing on.
pub(super) fn features(reader: &mut Reader, value: &Json) -> Result<Features, SettingsError> {
    let words = value.as_list().ok_or(malformed("features", LIST))?;
    let mut features = Features::NONE;
    for (index, word) in words.iter().enumerate() {
        match word.as_text().and_then(|word| features.named(word)) {
            Some(feature) => *feature = true,
            None => reader.warnings.push(SettingsWarning::Malformed {
                key: format!("features[{index}]"),
                wanted: FEATURES,
            }),
        }
    }
    Ok(features)
}
