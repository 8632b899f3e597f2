//! Settings: those of the site's owner, of the page's address, and of a program's options.
//!
//! `rtchat.json` beside the page is written by hand, by people who may never look at the console. One bad server among
//! good ones is skipped, and a sentence on the console says so. But a mistake that leaves open where people meet or who
//! is let in stops the chat ([`SettingsError`]): the defaults are public servers and everybody.

pub mod address;
mod channel;
mod features;
mod normal;
pub mod options;
mod room_name;
pub mod room_secret;
#[cfg(target_arch = "wasm32")]
pub mod web;

use crate::history::Mode;
use crate::json::{Json, Object};

use channel::{CHANNEL, channel, distinct};

pub use address::{AddressError, PageAddress, room_link};
pub use channel::{Channel, MAX_CHANNELS};
pub use features::{CallKinds, Features};
pub use options::{OptionError, Options};
pub use room_secret::RoomSecret;

/// The brokers that are used if the site's owner names none.
pub const DEFAULT_BROKERS: [&str; 3] = [
    "wss://broker.emqx.io:8084/mqtt",
    "wss://broker.hivemq.com:8884/mqtt",
    "wss://test.mosquitto.org:8081/mqtt",
];

/// The STUN servers that tell a browser its public address if the site's owner names none.
pub const DEFAULT_STUN: [&str; 2] = [
    "stun:stun.l.google.com:19302",
    "stun:stun.cloudflare.com:3478",
];

/// The room that is used if neither the link nor the site's owner names one.
pub const DEFAULT_ROOM: &str = "lobby";

/// An MQTT broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Its address, which begins with `ws://` or `wss://` and has no fragment.
    pub url: String,
    /// The user name of MQTT's `CONNECT`.
    pub username: Option<String>,
    /// The password of MQTT's `CONNECT`.
    pub password: Option<String>,
}

/// A STUN or TURN server, as in `RTCConfiguration.iceServers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceServer {
    /// At least one `stun:`, `stuns:`, `turn:` or `turns:` address.
    pub urls: Vec<String>,
    /// The user name for TURN.
    pub username: Option<String>,
    /// The password for TURN.
    pub credential: Option<String>,
}

/// The policy for admitting people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Accept {
    /// Everybody in the room is admitted.
    #[default]
    Everyone,
    /// People who were met before are admitted; the person is asked about all others.
    Ask,
    /// Only people who were met before are admitted.
    Known,
}

impl Accept {
    /// The name of this value in `rtchat.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Accept::Everyone => "everyone",
            Accept::Ask => "ask",
            Accept::Known => "known",
        }
    }
}

/// The settings of the site's owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The brokers, in order of preference; never empty.
    pub brokers: Vec<Broker>,
    /// STUN and TURN servers; empty if the owner wants none.
    pub ice_servers: Vec<IceServer>,
    /// The room for links that name none.
    pub room: Option<String>,
    /// A prefix for the names of all topics, if a broker's rules require one.
    pub topic_prefix: String,
    /// The policy for admitting people.
    pub accept: Accept,
    /// The room's channels, the main one first; none if the owner names none.
    pub channels: Vec<Channel>,
    /// How long browsers keep what is said, unless people choose something else.
    pub history: Option<Mode>,
    /// What the chat has.
    pub features: Features,
    /// Which calls there are.
    pub calls: CallKinds,
}

/// The length limit of a topic prefix, in bytes.
const MAX_TOPIC_PREFIX: usize = 128;
const TOPIC_PREFIX: &str =
    "the beginning of MQTT topics, at most 128 bytes, without \"#\", \"+\" and control characters";

/// Whether `prefix` is valid before the name of a topic (MQTT 3.1.1, section 4.7): it has no wildcards, and does not
/// begin with `$` like the topics of the broker itself.
fn is_topic_prefix(prefix: &str) -> bool {
    prefix.len() <= MAX_TOPIC_PREFIX
        && !prefix.starts_with('$')
        && !prefix.contains(|c: char| c.is_control() || matches!(c, '#' | '+'))
}

impl Default for Settings {
    fn default() -> Settings {
        let broker = |url: &&str| Broker {
            url: (*url).to_owned(),
            username: None,
            password: None,
        };
        let urls = DEFAULT_STUN.iter().map(|url| (*url).to_owned()).collect();
        Settings {
            brokers: DEFAULT_BROKERS.iter().map(broker).collect(),
            ice_servers: vec![IceServer {
                urls,
                username: None,
                credential: None,
            }],
            room: None,
            topic_prefix: String::new(),
            accept: Accept::Everyone,
            channels: Vec::new(),
            history: None,
            features: Features::default(),
            calls: CallKinds::default(),
        }
    }
}

/// A part of `rtchat.json` that is ignored. The sentence is printed on the browser's console.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsWarning {
    /// A key is not known.
    #[error("rtchat.json: \"{key}\" is not a setting and is ignored.")]
    UnknownKey {
        /// The key, with its path.
        key: String,
    },
    /// An entry of a list is not valid.
    #[error("rtchat.json: {key} should be {wanted}; it is ignored.")]
    Malformed {
        /// The entry, with its path.
        key: String,
        /// A description of the valid values.
        wanted: &'static str,
    },
}

/// Why the settings cannot be used. The sentence is shown instead of a chat.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The file could not be fetched, although it may be there.
    #[error(
        "The settings of this chat (rtchat.json) could not be loaded: {detail}. Please try again, or tell whoever runs \
         this site."
    )]
    NotLoaded {
        /// The reason.
        detail: String,
    },
    /// The file is not UTF-8.
    #[error(
        "The settings of this chat (rtchat.json) are not text in UTF-8. Whoever runs this site can correct that."
    )]
    NotUtf8,
    /// The file is not valid JSON.
    #[error(
        "The settings of this chat (rtchat.json) are not valid JSON: {detail}. Whoever runs this site can correct that. \
         (If there is no such file, the server should answer 404.)"
    )]
    NotJson {
        /// The parser's message, with line and column.
        detail: String,
    },
    /// The file contains something other than an object.
    #[error(
        "The settings of this chat (rtchat.json) should be an object, {{ \"brokers\": [\u{2026}], \u{2026} }}. Whoever runs \
         this site can correct that."
    )]
    NotAnObject,
    /// A value is not valid for its key.
    #[error(
        "This chat is not set up correctly: the setting \"{key}\" should be {wanted}. Whoever runs this site can correct \
         that."
    )]
    Malformed {
        /// The key.
        key: &'static str,
        /// A description of the valid values.
        wanted: &'static str,
    },
    /// A list has no usable entry.
    #[error(
        "This chat is not set up correctly: the setting \"{key}\" has no usable entry. Whoever runs this site can correct \
         that; the browser\u{2019}s console says more."
    )]
    NothingUsable {
        /// The key.
        key: &'static str,
    },
    /// A key is almost that of a setting.
    #[error(
        "This chat is not set up correctly: \"{key}\" should be written \"{wanted}\". Whoever runs this site can correct \
         that."
    )]
    Misspelt {
        /// The key as it is written.
        key: String,
        /// The key as it should be written.
        wanted: &'static str,
    },
}

/// The keys of this program's settings.
const KEYS: [&str; 9] = [
    "brokers",
    "iceServers",
    "room",
    "topicPrefix",
    "accept",
    "channels",
    "history",
    "features",
    "calls",
];

/// The key that is meant, if only case, hyphens or a plural are wrong. To ignore `Brokers` would mean the public ones.
fn meant(key: &str) -> Option<&'static str> {
    let plain = |key: &str| {
        let letters: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
        letters
            .to_ascii_lowercase()
            .trim_end_matches('s')
            .to_owned()
    };
    KEYS.into_iter().find(|known| plain(known) == plain(key))
}

impl Settings {
    /// Reads `rtchat.json`. The warnings name everything that is ignored, also where the settings cannot be used.
    ///
    /// # Errors
    /// [`SettingsError`], with a sentence for people and for whoever runs the site.
    pub fn parse(text: &str) -> (Result<Settings, SettingsError>, Vec<SettingsWarning>) {
        let mut reader = Reader::default();
        let settings = reader.settings(text);
        (settings, reader.warnings)
    }

    /// The room for a link that names none.
    pub fn default_room(&self) -> &str {
        self.room.as_deref().unwrap_or(DEFAULT_ROOM)
    }

    /// The channels that the room has, as far as the site names them.
    pub fn channels(&self) -> &[Channel] {
        let one = self.channels.get(..1).filter(|_| !self.features.channels);
        one.unwrap_or(&self.channels)
    }
}

#[derive(Default)]
struct Reader {
    warnings: Vec<SettingsWarning>,
}

const ROOM: &str = "a text of at most 64 characters on one line, none of them invisible";
const ACCEPT: &str = "\"everyone\", \"ask\" or \"known\"";
const CALLS: &str = "\"off\", \"audio\" or \"video\"";
const HISTORY: &str = "\"off\", \"session\" or \"kept\"";
const BROKER: &str =
    "an address that begins with ws:// or wss://, or an object with url, username and password";
const ICE_SERVER: &str = "an object with urls (stun:\u{2026} or turn:\u{2026}), and for turn: with username and credential";

impl Reader {
    fn settings(&mut self, text: &str) -> Result<Settings, SettingsError> {
        let object = match Json::parse(text.trim_start_matches('\u{feff}')) {
            Ok(Json::Object(object)) => object,
            Ok(_) => return Err(SettingsError::NotAnObject),
            Err(error) => {
                let detail = error.to_string();
                return Err(SettingsError::NotJson { detail });
            }
        };
        let mut settings = Settings::default();
        self.overlay(&mut settings, object)?;
        Ok(settings)
    }

    /// Overwrites the settings that the object contains.
    fn overlay(&mut self, settings: &mut Settings, object: Object) -> Result<(), SettingsError> {
        for (key, value) in object {
            match key.as_str() {
                "brokers" => {
                    settings.brokers = self.list("brokers", &value, BROKER, broker)?;
                    if settings.brokers.is_empty() {
                        return Err(SettingsError::NothingUsable { key: "brokers" });
                    }
                }
                // An empty list is deliberate: no STUN, this network only.
                "iceServers" => {
                    settings.ice_servers =
                        self.list("iceServers", &value, ICE_SERVER, ice_server)?;
                }
                "room" => match value.as_text().map(room_name::check_room) {
                    Some(Ok(room)) => settings.room = room,
                    _ => return Err(malformed("room", ROOM)),
                },
                "topicPrefix" => match value.as_text().filter(|prefix| is_topic_prefix(prefix)) {
                    Some(prefix) => settings.topic_prefix = prefix.to_owned(),
                    None => return Err(malformed("topicPrefix", TOPIC_PREFIX)),
                },
                "accept" => match value.as_text() {
                    Some("everyone") => settings.accept = Accept::Everyone,
                    Some("ask") => settings.accept = Accept::Ask,
                    Some("known") => settings.accept = Accept::Known,
                    _ => return Err(malformed("accept", ACCEPT)),
                },
                "channels" => {
                    let channels = self.list("channels", &value, CHANNEL, channel)?;
                    settings.channels = distinct(self, channels);
                }
                "history" => match value.as_text().and_then(Mode::parse) {
                    Some(mode) => settings.history = Some(mode),
                    None => return Err(malformed("history", HISTORY)),
                },
                "calls" => match value.as_text().and_then(CallKinds::parse) {
                    Some(kinds) => settings.calls = kinds,
                    None => return Err(malformed("calls", CALLS)),
                },
                "features" => settings.features = features::features(self, &value)?,
                // These are for chats in other pages, and are read by `embed/widget/options.ts`.
                "lang" | "name" | "open" | "page" | "position" | "theme" => {}
                _ => match meant(&key) {
                    Some(wanted) => return Err(SettingsError::Misspelt { key, wanted }),
                    None => self.warnings.push(SettingsWarning::UnknownKey { key }),
                },
            }
        }
        Ok(())
    }

    fn ignored(&mut self, key: String, wanted: &'static str) {
        self.warnings
            .push(SettingsWarning::Malformed { key, wanted });
    }

    /// Returns the entries that `read` can use, and warns about the others.
    ///
    /// # Errors
    /// The value is not a list, or has entries of which none can be used.
    fn list<T>(
        &mut self,
        key: &'static str,
        value: &Json,
        wanted: &'static str,
        read: fn(&mut Reader, &str, &Json) -> Option<T>,
    ) -> Result<Vec<T>, SettingsError> {
        let list = value.as_list().ok_or(malformed(key, "a list"))?;
        let mut entries = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let path = format!("{key}[{index}]");
            match read(self, &path, value) {
                Some(entry) => entries.push(entry),
                None => self.ignored(path, wanted),
            }
        }
        if entries.is_empty() && !list.is_empty() {
            return Err(SettingsError::NothingUsable { key });
        }
        Ok(entries)
    }

    fn only(&mut self, path: &str, object: &Object, keys: &[&str]) {
        for key in object.keys().filter(|key| !keys.contains(&key.as_str())) {
            self.warnings.push(SettingsWarning::UnknownKey {
                key: format!("{path}.{key}"),
            });
        }
    }
}

fn malformed(key: &'static str, wanted: &'static str) -> SettingsError {
    SettingsError::Malformed { key, wanted }
}

/// An optional text. The entry cannot be used if there is something else.
fn text(object: &Object, key: &str) -> Option<Option<String>> {
    match object.get(key) {
        None => Some(None),
        Some(value) => Some(Some(value.as_text()?.to_owned())),
    }
}

fn broker(reader: &mut Reader, path: &str, value: &Json) -> Option<Broker> {
    match value {
        Json::Text(url) => Some(Broker {
            url: socket_url(url)?,
            username: None,
            password: None,
        }),
        Json::Object(object) => {
            let url = socket_url(object.get("url")?.as_text()?)?;
            reader.only(path, object, &["url", "username", "password"]);
            let username = text(object, "username")?;
            let password = text(object, "password")?;
            Some(Broker {
                url,
                username,
                password,
            })
        }
        _ => None,
    }
}

fn ice_server(reader: &mut Reader, path: &str, value: &Json) -> Option<IceServer> {
    let object = value.as_object()?;
    let urls = match object.get("urls")? {
        Json::Text(url) => vec![url.clone()],
        list => list.as_texts()?,
    };
    if urls.is_empty() || !urls.iter().all(|url| is_ice_url(url)) {
        return None;
    }
    // `credentialType` was once part of the standard, and now has only one possible value.
    reader.only(
        path,
        object,
        &["urls", "username", "credential", "credentialType"],
    );
    let username = text(object, "username")?;
    let credential = text(object, "credential")?;
    // A TURN server without them makes the constructor of RTCPeerConnection throw, so that no server could be used.
    if urls.iter().any(|url| is_scheme(url, &["turn:", "turns:"]))
        && (username.is_none() || credential.is_none())
    {
        return None;
    }
    Some(IceServer {
        urls,
        username,
        credential,
    })
}

/// Returns the trimmed address if the constructor of WebSocket accepts it.
fn socket_url(text: &str) -> Option<String> {
    let text = text.trim();
    let (_, rest) = text
        .split_once("://")
        .filter(|_| is_scheme(text, &["ws:", "wss:"]))?;
    let host = rest.split(['/', '?']).next()?;
    (!host.is_empty() && !text.contains(|c: char| c == '#' || c.is_whitespace()))
        .then(|| text.to_owned())
}

fn is_ice_url(text: &str) -> bool {
    is_scheme(text, &["stun:", "stuns:", "turn:", "turns:"])
        && !text.contains(char::is_whitespace)
        && text
            .split_once(':')
            .is_some_and(|(_, host)| !host.is_empty() && !host.starts_with('/'))
}

fn is_scheme(text: &str, schemes: &[&str]) -> bool {
    schemes.iter().any(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}
