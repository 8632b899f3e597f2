//! The address and settings of one broker.

use core::fmt;
use core::time::Duration;

use mqttbytes::v4::{Connect, LastWill, Login};

/// The size limit of a packet in bytes, without its fixed header (MQTT 3.1.1 section 2.2.3).
const MAX_REMAINING_LENGTH: usize = 268_435_455;

/// The length limit of a string or binary field in bytes (MQTT 3.1.1 section 1.5.3).
const MAX_FIELD: usize = 65_535;

/// The address of one broker, and the settings of a connection to it.
///
/// The setters are those of `rumqttc::MqttOptions`. A URL takes the place of host and port.
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
    early_requests: bool,
}

impl MqttOptions {
    /// The broker at `url` (`wss://…` or `ws://…` in the browser), to which this client has the id `client_id`.
    ///
    /// A broker identifies clients by this id alone. When two clients have the same id, it disconnects the older one
    /// (MQTT 3.1.1 section 3.1.4), so every tab needs an id of its own. If the id is empty, the broker chooses one.
    pub fn new(client_id: impl Into<String>, url: impl Into<String>) -> MqttOptions {
        MqttOptions {
            client_id: client_id.into(),
            url: url.into(),
            // Common reverse proxies close a WebSocket that was idle for 60 s.
            keep_alive: Duration::from_secs(50),
            clean_session: true,
            credentials: None,
            last_will: None,
            max_incoming_packet_size: 64 * 1024,
            max_outgoing_packet_size: 64 * 1024,
            inflight: 100,
            early_requests: true,
        }
    }

    /// The URL of the broker.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The id by which the broker identifies this client.
    pub fn client_id(&self) -> String {
        self.client_id.clone()
    }

    /// Sets the time without sending anything after which a PINGREQ is sent. Zero disables it, which some brokers
    /// refuse.
    ///
    /// The time is rounded up to whole seconds, and is at most 32,767 seconds. CONNECT announces twice this time (MQTT
    /// 3.1.1 section 3.1.2.10), since browsers may delay the timers of a hidden page by a minute.
    pub fn set_keep_alive(&mut self, keep_alive: Duration) -> &mut Self {
        let seconds = keep_alive
            .as_secs()
            .saturating_add(u64::from(keep_alive.subsec_nanos() > 0));
        self.keep_alive = Duration::from_secs(seconds.min(u64::from(u16::MAX / 2)));
        self
    }

    /// The time without sending anything after which a PINGREQ is sent.
    pub fn keep_alive(&self) -> Duration {
        self.keep_alive
    }

    /// Sets whether the broker discards this client's subscriptions when the connection ends (MQTT 3.1.1
    /// section 3.1.2.4). The default is `true`.
    ///
    /// With `false`, the broker keeps them, together with messages that arrive in the meantime. This client keeps no state
    /// across connections in either case.
    pub fn set_clean_session(&mut self, clean_session: bool) -> &mut Self {
        self.clean_session = clean_session;
        self
    }

    /// Whether the broker discards this client's subscriptions when the connection ends.
    pub fn clean_session(&self) -> bool {
        self.clean_session
    }

    /// Sets the user name and password for this broker. A password without a user name is an error when connecting
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

    /// Sets the message that the broker publishes if this client disconnects without DISCONNECT (MQTT 3.1.1
    /// section 3.1.2.5).
    pub fn set_last_will(&mut self, will: LastWill) -> &mut Self {
        self.last_will = Some(will);
        self
    }

    /// The message that the broker publishes if this client disconnects without DISCONNECT.
    pub fn last_will(&self) -> Option<LastWill> {
        self.last_will.clone()
    }

    /// Sets the size limits of incoming and outgoing packets in bytes, without the fixed header. The default is 64 KiB each.
    ///
    /// A larger incoming message is skipped ([`SkipReason::TooLarge`](super::SkipReason::TooLarge)). A larger outgoing one
    /// is refused by the client's handle.
    pub fn set_max_packet_size(&mut self, incoming: usize, outgoing: usize) -> &mut Self {
        self.max_incoming_packet_size = incoming.min(MAX_REMAINING_LENGTH);
        self.max_outgoing_packet_size = outgoing.min(MAX_REMAINING_LENGTH);
        self
    }

    /// The size limit of incoming packets in bytes, without the fixed header.
    pub fn max_packet_size(&self) -> usize {
        self.max_incoming_packet_size
    }

    /// The size limit of outgoing packets in bytes, without the fixed header.
    pub(super) fn max_outgoing_packet_size(&self) -> usize {
        self.max_outgoing_packet_size
    }

    /// Sets how many requests may be unacknowledged at a time: at least 1, by default 100.
    pub fn set_inflight(&mut self, inflight: u16) -> &mut Self {
        self.inflight = inflight.max(1);
        self
    }

    /// How many requests may be unacknowledged at a time.
    pub fn inflight(&self) -> u16 {
        self.inflight
    }

    /// Sets whether requests are sent together with CONNECT, without waiting for CONNACK. The default is `true`.
    ///
    /// MQTT 3.1.1 section 3.1.4 allows it, and it saves a round trip. The event loop stops doing so for a broker that turns
    /// out not to accept it, so `false` is only needed for a broker that is known not to.
    pub fn set_early_requests(&mut self, early_requests: bool) -> &mut Self {
        self.early_requests = early_requests;
        self
    }

    /// Whether requests are sent together with CONNECT.
    pub fn early_requests(&self) -> bool {
        self.early_requests
    }

    /// The CONNECT packet, or a description of the option that MQTT cannot express.
    pub(super) fn connect(&self) -> Result<Connect, &'static str> {
        let fits = |bytes: usize| bytes <= MAX_FIELD;
        if !fits(self.client_id.len()) {
            return Err("the client id is longer than 65,535 bytes");
        }
        if self.client_id.is_empty() && !self.clean_session {
            return Err("a persistent session needs a client id");
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

/// Shows everything except for the secrets, so that options can be logged.
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
            .field("early_requests", &self.early_requests)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_credentials() {
        let mut options = MqttOptions::new("me", "ws://broker");
        options.set_credentials("alice", "hunter2");
        let shown = format!("{options:?}");
        assert!(
            !shown.contains("hunter2") && !shown.contains("alice"),
            "{shown}"
        );
    }

    #[test]
    fn keep_alive_is_in_whole_seconds_and_doubled_in_connect() {
        let mut options = MqttOptions::new("me", "ws://broker");
        options.set_keep_alive(Duration::from_millis(1_200));
        assert_eq!(options.keep_alive(), Duration::from_secs(2));
        assert_eq!(options.connect().unwrap().keep_alive, 4);
        options.set_keep_alive(Duration::MAX);
        assert_eq!(options.connect().unwrap().keep_alive, 65_534);
    }

    #[test]
    fn options_that_mqtt_cannot_express_are_refused() {
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
