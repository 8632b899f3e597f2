//! How to reach one broker, and what to tell it.

use core::fmt;
use core::time::Duration;

use mqttbytes::v4::{Connect, LastWill, Login};

/// The largest packet that MQTT can express, without its fixed header (MQTT 3.1.1 section 2.2.3).
const MAX_REMAINING_LENGTH: usize = 268_435_455;

/// The longest text or field that MQTT can express, in bytes (MQTT 3.1.1 section 1.5.3).
const MAX_FIELD: usize = 65_535;

/// One broker: its address, and the settings of a connection to it.
///
/// The setters are those of `rumqttc::MqttOptions`; in place of host and port stands the URL of a WebSocket.
///
/// ```
/// use core::time::Duration;
/// use rtchat::mqtt::MqttOptions;
///
/// let mut options = MqttOptions::new("rtchat-4f1c", "wss://broker.example:8084/mqtt");
/// options.set_keep_alive(Duration::from_secs(30)).set_max_packet_size(8 * 1024, 8 * 1024);
/// ```
#[derive(Clone, PartialEq)]
pub struct MqttOptions {
    client_id: String,
    url: String,
    keep_alive: Duration,
    clean_session: bool,
    credentials: Option<Login>,
    last_will: Option<LastWill>,
    max_incoming_packet_size: usize,
    max_outgoing_packet_size: usize,
    inflight: u16,
    one_flight: bool,
}

impl MqttOptions {
    /// The broker at `url` (`wss://…` or `ws://…` in the browser), to which this client is `client_id`.
    ///
    /// A broker knows a client by its id alone, and throws out the older of two with the same one (MQTT 3.1.1
    /// section 3.1.4), so every tab needs its own. An empty id lets the broker choose.
    pub fn new(client_id: impl Into<String>, url: impl Into<String>) -> MqttOptions {
        MqttOptions {
            client_id: client_id.into(),
            url: url.into(),
            // Below the 60 s after which common reverse proxies cut a silent WebSocket.
            keep_alive: Duration::from_secs(50),
            clean_session: true,
            credentials: None,
            last_will: None,
            max_incoming_packet_size: 64 * 1024,
            max_outgoing_packet_size: 64 * 1024,
            inflight: 100,
            one_flight: true,
        }
    }

    /// The broker's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Who this client is to the broker.
    pub fn client_id(&self) -> String {
        self.client_id.clone()
    }

    /// Sends a PINGREQ when nothing else was sent for this long; zero never does (some brokers refuse that).
    ///
    /// Rounded up to whole seconds, at most 32,767 of them. The broker is told twice this time in CONNECT (MQTT 3.1.1
    /// section 3.1.2.10), since browsers let the timers of a hidden page run once a minute only.
    pub fn set_keep_alive(&mut self, keep_alive: Duration) -> &mut Self {
        let seconds = keep_alive
            .as_secs()
            .saturating_add(u64::from(keep_alive.subsec_nanos() > 0));
        self.keep_alive = Duration::from_secs(seconds.min(u64::from(u16::MAX / 2)));
        self
    }

    /// After how much silence a PINGREQ is sent.
    pub fn keep_alive(&self) -> Duration {
        self.keep_alive
    }

    /// Whether the broker forgets this client's subscriptions when it goes (MQTT 3.1.1 section 3.1.2.4); `true` at first.
    ///
    /// With `false` the broker keeps them and what came in meanwhile. This side keeps nothing over a lost connection
    /// either way.
    pub fn set_clean_session(&mut self, clean_session: bool) -> &mut Self {
        self.clean_session = clean_session;
        self
    }

    /// Whether the broker forgets this client's subscriptions when it goes.
    pub fn clean_session(&self) -> bool {
        self.clean_session
    }

    /// The user name and password for this broker. A password without a user name is refused when connecting
    /// (MQTT 3.1.1 section 3.1.2.9).
    pub fn set_credentials(
        &mut self,
        username: impl Into<String>,
        password: impl Into<String>,
    ) -> &mut Self {
        self.credentials = Some(Login {
            username: username.into(),
            password: password.into(),
        });
        self
    }

    /// The user name and password for this broker.
    pub fn credentials(&self) -> Option<Login> {
        self.credentials.clone()
    }

    /// What the broker publishes when this client goes without a word (MQTT 3.1.1 section 3.1.2.5).
    pub fn set_last_will(&mut self, will: LastWill) -> &mut Self {
        self.last_will = Some(will);
        self
    }

    /// What the broker publishes when this client goes without a word.
    pub fn last_will(&self) -> Option<LastWill> {
        self.last_will.clone()
    }

    /// The largest packet taken and the largest sent, in bytes without the fixed header; 64 KiB each at first.
    ///
    /// A larger incoming message is skipped ([`SkipReason::TooLarge`](super::SkipReason::TooLarge)), a larger outgoing one is
    /// refused by the client's handle.
    pub fn set_max_packet_size(&mut self, incoming: usize, outgoing: usize) -> &mut Self {
        self.max_incoming_packet_size = incoming.min(MAX_REMAINING_LENGTH);
        self.max_outgoing_packet_size = outgoing.min(MAX_REMAINING_LENGTH);
        self
    }

    /// The largest packet taken, in bytes without the fixed header.
    pub fn max_packet_size(&self) -> usize {
        self.max_incoming_packet_size
    }

    /// The largest packet sent, in bytes without the fixed header.
    pub(super) fn max_outgoing_packet_size(&self) -> usize {
        self.max_outgoing_packet_size
    }

    /// How many requests may wait for the broker's acknowledgement at once; 100 at first, at least 1.
    pub fn set_inflight(&mut self, inflight: u16) -> &mut Self {
        self.inflight = inflight.max(1);
        self
    }

    /// How many requests may wait for the broker's acknowledgement at once.
    pub fn inflight(&self) -> u16 {
        self.inflight
    }

    /// Whether requests leave together with CONNECT, without waiting for CONNACK; `true` at first.
    ///
    /// MQTT 3.1.1 section 3.1.4 allows it, and it saves a round trip. With a broker that turns out not to take it, the
    /// event loop goes back to waiting by itself; `false` is for one that is known not to.
    pub fn set_one_flight(&mut self, one_flight: bool) -> &mut Self {
        self.one_flight = one_flight;
        self
    }

    /// Whether requests leave together with CONNECT.
    pub fn one_flight(&self) -> bool {
        self.one_flight
    }

    /// The CONNECT packet, or what about these options cannot be said in MQTT.
    pub(super) fn connect(&self) -> Result<Connect, &'static str> {
        let fits = |bytes: usize| bytes <= MAX_FIELD;
        if !fits(self.client_id.len()) {
            return Err("the client id is longer than 65,535 bytes");
        }
        if self.client_id.is_empty() && !self.clean_session {
            return Err("a session that is to be kept needs a client id");
        }
        if let Some(login) = &self.credentials {
            if !fits(login.username.len()) || !fits(login.password.len()) {
                return Err("the user name or password is longer than 65,535 bytes");
            }
            if login.username.is_empty() && !login.password.is_empty() {
                return Err("a password needs a user name");
            }
        }
        if let Some(will) = &self.last_will
            && !(fits(will.topic.len()) && fits(will.message.len()))
        {
            return Err("the last will is longer than 65,535 bytes");
        }
        Ok(Connect {
            protocol: mqttbytes::Protocol::V4,
            keep_alive: u16::try_from(self.keep_alive.as_secs() * 2).unwrap_or(u16::MAX),
            client_id: self.client_id.clone(),
            clean_session: self.clean_session,
            last_will: self.last_will.clone(),
            login: self.credentials.clone(),
        })
    }
}

/// Says everything but the secrets, so that options can be logged.
impl fmt::Debug for MqttOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttOptions")
            .field("client_id", &self.client_id)
            .field("url", &self.url)
            .field("keep_alive", &self.keep_alive)
            .field("clean_session", &self.clean_session)
            .field("credentials", &self.credentials.is_some())
            .field("last_will", &self.last_will.is_some())
            .field("max_incoming_packet_size", &self.max_incoming_packet_size)
            .field("max_outgoing_packet_size", &self.max_outgoing_packet_size)
            .field("inflight", &self.inflight)
            .field("one_flight", &self.one_flight)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_secrets() {
        let mut options = MqttOptions::new("me", "ws://broker");
        options.set_credentials("alice", "hunter2");
        let shown = format!("{options:?}");
        assert!(
            !shown.contains("hunter2") && !shown.contains("alice"),
            "{shown}"
        );
    }

    #[test]
    fn keep_alive_is_in_whole_seconds_and_announced_twofold() {
        let mut options = MqttOptions::new("me", "ws://broker");
        options.set_keep_alive(Duration::from_millis(1_200));
        assert_eq!(options.keep_alive(), Duration::from_secs(2));
        assert_eq!(options.connect().unwrap().keep_alive, 4);
        options.set_keep_alive(Duration::MAX);
        assert_eq!(options.connect().unwrap().keep_alive, 65_534);
    }

    #[test]
    fn what_mqtt_cannot_say_is_refused() {
        assert!(
            MqttOptions::new("x".repeat(70_000), "ws://broker")
                .connect()
                .is_err()
        );
        assert!(
            MqttOptions::new("", "ws://broker")
                .set_clean_session(false)
                .connect()
                .is_err()
        );
        assert!(
            MqttOptions::new("me", "ws://broker")
                .set_credentials("", "password")
                .connect()
                .is_err()
        );
        let will = LastWill::new("t", "x".repeat(70_000), mqttbytes::QoS::AtMostOnce, false);
        assert!(
            MqttOptions::new("me", "ws://broker")
                .set_last_will(will)
                .connect()
                .is_err()
        );
    }
}
