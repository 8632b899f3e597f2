//! The channels of a room, as the site's owner names them.

use super::{Reader, SettingsWarning};
use crate::json::Json;

/// A room has at most this many channels.
pub const MAX_CHANNELS: usize = 32;
/// A channel's name has at most this many characters, …
const MAX_NAME: usize = 40;
/// … its topic and each line of its welcome this many, …
const MAX_LINE: usize = 300;
/// … its icon this many bytes, and its welcome this many lines.
const MAX_ICON: usize = 32;
const MAX_WELCOME: usize = 10;

pub(super) const CHANNEL: &str = "a name of 1 to 40 letters, digits, \"-\" and \"_\", or an object with name, icon, \
                                  topic and welcome, each of them different";

/// A channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channel {
    /// Its name, without the `#` before it.
    pub name: String,
    /// An emoji that stands in the place of the `#`.
    pub icon: Option<String>,
    /// One line about what it is for.
    pub topic: Option<String>,
    /// Lines that stand above its first message.
    pub welcome: Vec<String>,
}

/// Reads a channel. `None` if it cannot be used.
pub(super) fn channel(reader: &mut Reader, path: &str, value: &Json) -> Option<Channel> {
    let channel = match value {
        Json::Text(name) => Channel {
            name: name.clone(),
            ..Channel::default()
        },
        Json::Object(object) => {
            reader.only(path, object, &["name", "icon", "topic", "welcome"]);
            let line = |key, limit: usize| match object.get(key) {
                None => Some(None),
                Some(value) => {
                    let text = value.as_text().map(str::trim);
                    Some(Some(text.filter(|text| is_line(text, limit))?.to_owned()))
                }
            };
            Channel {
                name: object.get("name")?.as_text()?.to_owned(),
                icon: line("icon", MAX_ICON)?,
                topic: line("topic", MAX_LINE)?,
                welcome: match object.get("welcome") {
                    None => Vec::new(),
                    Some(Json::Text(text)) => vec![text.clone()],
                    Some(list) => list.as_texts()?,
                },
            }
        }
        _ => return None,
    };
    let lines = &channel.welcome;
    let is_sound = is_name(&channel.name)
        && lines.len() <= MAX_WELCOME
        && lines.iter().all(|line| is_line(line, MAX_LINE));
    is_sound.then_some(channel)
}

/// Leaves out channels that have the name of an earlier one, and those that are too many.
pub(super) fn distinct(reader: &mut Reader, channels: Vec<Channel>) -> Vec<Channel> {
    let mut distinct: Vec<Channel> = Vec::new();
    for channel in channels {
        let is_known = distinct.iter().any(|other| other.name == channel.name);
        if is_known || distinct.len() >= MAX_CHANNELS {
            let key = format!("channels: {}", channel.name);
            let wanted = CHANNEL;
            reader
                .warnings
                .push(SettingsWarning::Malformed { key, wanted });
        } else {
            distinct.push(channel);
        }
    }
    distinct
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.chars().count())
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

fn is_line(text: &str, limit: usize) -> bool {
    !text.is_empty() && text.chars().count() <= limit && !text.chars().any(char::is_control)
}
