//! The options of `new MQTTRTCClient(options)`, by which a program on the page configures a client.
//!
//! Options are written by programmers, who see exceptions. So a single mistake refuses all options, also one that costs
//! `rtchat.json` an entry only.

use core::fmt;

use litemap::LiteMap;

use super::{
    AddressError, PageAddress, Reader, RoomSecret, Settings, SettingsError, SettingsWarning,
};
use crate::json::{self, Json, Object};

/// The length limit of `userInfo` as JSON, in bytes.
pub const MAX_INFO: usize = 2_000;

/// Why options are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The option \"{option}\" should be {wanted}.")]
pub struct OptionError {
    /// The option, with the path to the invalid part.
    pub option: String,
    /// A description of the valid values.
    pub wanted: String,
}

impl OptionError {
    /// Makes the error about an option from a description of its valid values.
    pub fn new(option: impl Into<String>, wanted: impl Into<String>) -> OptionError {
        OptionError {
            option: option.into(),
            wanted: wanted.into(),
        }
    }
}

/// The options of a program. Options that were not given are `None`.
#[derive(Clone, Default, PartialEq)]
pub struct Options {
    /// The person's name, as it was given.
    pub name: Option<String>,
    /// Information about this person that other peers receive: a JSON object.
    pub info: Option<String>,
    /// The page that the room belongs to, and the contents of its address.
    pub page: Option<PageAddress>,
    /// The room on that page.
    pub room: Option<String>,
    /// The secret of a private room.
    pub secret: Option<RoomSecret>,
    /// The room's password.
    pub password: Option<String>,
    /// Whether every connection goes through a TURN server.
    pub relay_only: bool,
    /// Whether nothing is stored in the browser.
    pub in_memory: bool,
    /// The address of `rtchat.json`.
    pub config: Option<String>,
    /// Entries that override those of `rtchat.json`.
    instead: Object,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // This leaves out the password, and those of brokers.
        f.debug_struct("Options")
            .field("name", &self.name)
            .field("page", &self.page)
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Reads options from a JSON object.
    ///
    /// # Errors
    /// [`OptionError`] for the first invalid option.
    pub fn parse(json: &str) -> Result<Options, OptionError> {
        let no_object = || OptionError::new("options", "an object");
        let given = json::fields(json).ok_or_else(no_object)?;
        let given: LiteMap<_, _> = given.into_iter().collect();
        let mut options = Options::default();
        for (key, json) in given {
            let value = Json::parse(json).map_err(|_| no_object())?;
            options.take(key, json, value)?;
        }
        // Entries are checked now, and not only when the file has been read.
        options.complete(Settings::default())?;
        Ok(options)
    }

    /// Returns the site owner's settings, overridden by the program's options.
    ///
    /// # Errors
    /// [`OptionError`], but never for options that [`Options::parse`] has read.
    pub fn complete(&self, mut settings: Settings) -> Result<Settings, OptionError> {
        let mut reader = Reader::default();
        let result = reader.overlay(&mut settings, self.instead.clone());
        // A warning is about a single entry, and so says more.
        match reader.warnings.into_iter().next() {
            Some(SettingsWarning::Malformed { key, wanted }) => {
                return Err(OptionError::new(key, wanted));
            }
            Some(SettingsWarning::UnknownKey { key }) => {
                return Err(OptionError::new(key, "left out"));
            }
            None => {}
        }
        match result {
            Ok(()) => Ok(settings),
            Err(SettingsError::Malformed { key, wanted }) => Err(OptionError::new(key, wanted)),
            Err(SettingsError::NothingUsable { key }) => {
                Err(OptionError::new(key, "a list with at least one entry"))
            }
            Err(other) => Err(OptionError::new("options", other.to_string())),
        }
    }

    fn take(&mut self, key: String, json: &str, value: Json) -> Result<(), OptionError> {
        let text = |wanted: &str| match &value {
            Json::Text(text) => Ok(text.clone()),
            _ => Err(OptionError::new(&*key, wanted)),
        };
        let flag = || {
            value
                .as_flag()
                .ok_or(OptionError::new(&*key, "true or false"))
        };
        match key.as_str() {
            "name" => self.name = Some(text(NAME)?),
            "userInfo" => {
                let info = json::compact(json);
                if value.as_object().is_none() || info.len() > MAX_INFO {
                    let wanted = format!("an object of at most {MAX_INFO} bytes as JSON");
                    return Err(OptionError::new(key, wanted));
                }
                self.info = Some(info);
            }
            "page" => {
                let address = PageAddress::parse(&text(PAGE)?);
                self.page = Some(address.map_err(|error| page_error(&key, error))?);
            }
            "room" => {
                let name = super::room_name::check_room(&text(ROOM)?);
                self.room = name.map_err(|_| OptionError::new(key, ROOM))?;
            }
            "secret" => {
                let secret = RoomSecret::parse(text(SECRET)?.trim());
                self.secret = Some(secret.map_err(|_| OptionError::new(key, SECRET))?);
            }
            "password" => {
                let password = text(PASSWORD)?;
                if password.is_empty() {
                    return Err(OptionError::new(key, PASSWORD));
                }
                self.password = Some(password);
            }
            "relayOnly" => self.relay_only = flag()?,
            "storage" => {
                self.in_memory = match &*text(STORAGE)? {
                    "local" => false,
                    "memory" => true,
                    _ => return Err(OptionError::new(key, STORAGE)),
                }
            }
            "config" => self.config = Some(text("an address")?),
            "brokers" | "iceServers" | "accept" | "topicPrefix" | "features" | "calls" => {
                self.instead.insert(key, value);
            }
            _ => return Err(OptionError::new(key, "left out: there is no such option")),
        }
        Ok(())
    }
}

/// The valid values of `name`. [`Options::parse`] keeps the text as it is; [`Name`](crate::identity::Name) checks it.
pub const NAME: &str = "a text of 1 to 40 characters on one line";
const PAGE: &str = "the address of a page, such as https://example.org/blog";
const ROOM: &str = "a text of at most 64 characters on one line";
const SECRET: &str =
    "the 51 or 72 characters that stand behind #k= in a private room's link, all of them";
const PASSWORD: &str = "a text that is not empty";
const STORAGE: &str = "\"local\" or \"memory\"";

fn page_error(key: &str, error: AddressError) -> OptionError {
    match error {
        AddressError::NotAPage => OptionError::new(key, PAGE),
        other => OptionError::new(key, format!("{PAGE}. {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Accept;

    fn refused(json: &str) -> String {
        Options::parse(json).expect_err(json).to_string()
    }

    #[test]
    fn without_options_the_owners_settings_apply() {
        let options = Options::parse("{}").unwrap();
        assert_eq!(options, Options::default());
        let owners = Settings::parse(r#"{ "room": "garden", "accept": "ask" }"#)
            .0
            .unwrap();
        assert_eq!(options.complete(owners.clone()), Ok(owners));
    }

    #[test]
    fn options_win_over_the_owners_settings() {
        let options = Options::parse(
            r##"{
                "name": "ann", "userInfo": { "plays": "chess" }, "page": "https://a.org/x?room=y", "room": " b ",
                "secret": "AQAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH9GJTCI", "password": "p", "relayOnly": true,
                "storage": "memory", "config": "https://a.org/rtchat.json", "accept": "known",
                "brokers": ["ws://127.0.0.1:9"], "iceServers": [], "features": ["dm"]
            }"##,
        )
        .unwrap();
        assert_eq!(options.page.as_ref().unwrap().page, "a.org/x");
        assert_eq!(options.room.as_deref(), Some("b"));
        assert_eq!(options.info.as_deref(), Some(r#"{"plays":"chess"}"#));
        assert!(options.relay_only && options.in_memory);
        let owners = Settings::parse(r#"{ "room": "garden", "accept": "ask" }"#)
            .0
            .unwrap();
        let settings = options.complete(owners).unwrap();
        assert_eq!(settings.accept, Accept::Known);
        assert_eq!(settings.brokers[0].url, "ws://127.0.0.1:9");
        assert!(settings.ice_servers.is_empty());
        assert!(settings.features.direct && !settings.features.files);
    }

    #[test]
    fn invalid_options_are_named_with_the_valid_values() {
        for (json, says) in [
            ("[]", "\"options\" should be an object"),
            (r#"{ "nmae": "ann" }"#, "\"nmae\" should be left out"),
            (r#"{ "name": 7 }"#, "\"name\" should be a text"),
            (r#"{ "userInfo": "x" }"#, "\"userInfo\" should be an object"),
            (r#"{ "page": "blog" }"#, "https://example.org/blog"),
            (
                r#"{ "room": "a\nb" }"#,
                "\"room\" should be a text of at most 64",
            ),
            (
                r#"{ "secret": "abc" }"#,
                "\"secret\" should be the 51 or 72 characters",
            ),
            (r#"{ "password": "" }"#, "\"password\" should be a text"),
            (r#"{ "brokers": "ws://x" }"#, "\"brokers\" should be a list"),
            (r#"{ "brokers": [] }"#, "at least one entry"),
            (
                r#"{ "brokers": ["ws://x", "http://x"] }"#,
                "\"brokers[1]\" should be",
            ),
            (
                r#"{ "iceServers": [{ "urls": "turn:x" }] }"#,
                "\"iceServers[0]\" should be",
            ),
            (r#"{ "relayOnly": 1 }"#, "true or false"),
            (
                r#"{ "accept": "all" }"#,
                "\"everyone\", \"ask\" or \"known\"",
            ),
            (r#"{ "features": ["calls"] }"#, "\"features[0]\" should be"),
            (r#"{ "features": "dm" }"#, "\"features\" should be a list"),
            (r#"{ "storage": true }"#, "\"local\" or \"memory\""),
        ] {
            assert!(refused(json).contains(says), "{json}: {}", refused(json));
        }
        let long = format!(r#"{{ "userInfo": {{ "a": "{}" }} }}"#, "x".repeat(MAX_INFO));
        assert!(refused(&long).contains("2000 bytes"));
    }
}
