//! What can go wrong, in full sentences.

use mqttbytes::v4::ConnectReturnCode;

use super::transport::TransportError;

/// Why [`EventLoop::poll`](super::EventLoop::poll) has no event, and no connection any more.
///
/// Every one of them ends the connection or the attempt, and drops what was requested before. Polling again waits for the
/// pause ([`EventLoop::retry_in`](super::EventLoop::retry_in)) and connects again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConnectionError {
    /// The connection could not be opened, or was lost.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The connection did not open, or CONNACK did not come, in time.
    #[error("The broker did not answer in time.")]
    ConnectTimeout,
    /// The broker refused the connection (MQTT 3.1.1 section 3.2.2.3).
    #[error("The broker refused the connection: {}.", reason(.0))]
    ConnectionRefused(ConnectReturnCode),
    /// The first packet was not CONNACK (MQTT 3.1.1 section 3.2).
    #[error("The broker's first packet was not the acknowledgement of the connection.")]
    NotConnAck,
    /// No PINGRESP came in time (MQTT 3.1.1 section 3.12.4).
    #[error("The broker has fallen silent.")]
    PingTimeout,
    /// A request that needs an acknowledgement got none in time.
    #[error("The broker did not acknowledge a request in time.")]
    AckTimeout,
    /// A subscription that was sent before CONNACK was refused; it is worth another try after CONNACK.
    #[error("The broker refused what was sent together with the connection request.")]
    FlightRefused,
    /// The broker refused a subscription (MQTT 3.1.1 section 3.9.3). The SUBACK has been told before.
    #[error("The broker does not allow the subscription.")]
    SubscriptionRefused,
    /// A packet could not be read.
    #[error("The broker sent a packet that cannot be read ({0:?}).")]
    Malformed(mqttbytes::Error),
    /// A packet came that a broker must not send, or not now.
    #[error("The broker sent a packet that does not belong here.")]
    Unexpected,
    /// A packet other than PUBLISH is larger than
    /// [`MqttOptions::set_max_packet_size`](super::MqttOptions::set_max_packet_size) allows.
    #[error("The broker sent a packet of {size} bytes, where {limit} are allowed.")]
    TooLarge {
        /// Its announced size, in bytes without the fixed header.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The options cannot be said in MQTT.
    #[error("The broker's settings cannot be used: {0}.")]
    InvalidOptions(&'static str),
    /// A packet could not be written.
    #[error("A packet could not be written ({0:?}).")]
    Unwritable(mqttbytes::Error),
    /// [`AsyncClient::disconnect`](super::AsyncClient::disconnect) has been carried out.
    #[error("The connection was closed by this side.")]
    Disconnected,
}

fn reason(code: &ConnectReturnCode) -> &'static str {
    match code {
        ConnectReturnCode::Success => "it gave no reason",
        ConnectReturnCode::RefusedProtocolVersion => "it does not speak MQTT 3.1.1",
        ConnectReturnCode::BadClientId => "it does not accept the client id",
        ConnectReturnCode::ServiceUnavailable => "it is not available now",
        ConnectReturnCode::BadUserNamePassword => "the user name or password is wrong",
        ConnectReturnCode::NotAuthorized => "this client is not authorized",
    }
}

/// Why a request was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// As many requests, or bytes, are waiting as may wait.
    #[error("Too many requests are waiting for the broker.")]
    Full,
    /// The packet is larger than may be sent.
    #[error("The message of {size} bytes is larger than the {limit} that may be sent.")]
    TooLarge {
        /// The packet's size, in bytes without the fixed header.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The topic is empty, too long, or has a wildcard or a zero in it (MQTT 3.1.1 section 4.7).
    #[error("The topic cannot be published to.")]
    InvalidTopic,
    /// There is no filter, or one is empty, too long, or has a wildcard in a wrong place (MQTT 3.1.1 section 4.7).
    #[error("The topic filter cannot be subscribed to.")]
    InvalidFilter,
    /// There is nothing to connect to.
    #[error("The list of brokers is empty.")]
    NoBroker,
    /// The event loop is gone.
    #[error("The event loop has ended.")]
    Closed,
}
