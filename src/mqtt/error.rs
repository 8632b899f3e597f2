//! Errors of connections and of client handles.

use mqttbytes::v4::ConnectReturnCode;

use super::transport::TransportError;

/// Why [`EventLoop::poll`](super::EventLoop::poll) lost the connection or failed to connect.
///
/// Each of these errors ends the connection or the attempt, and drops all queued requests. Polling again waits for the
/// pause ([`EventLoop::retry_in`](super::EventLoop::retry_in)) and connects again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConnectionError {
    /// The connection could not be opened, or was lost.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The connection was not opened, or CONNACK was not received, in time.
    #[error("The broker did not answer in time.")]
    ConnectTimeout,
    /// The broker refused the connection (MQTT 3.1.1 section 3.2.2.3).
    #[error("The broker refused the connection: {}.", reason(.0))]
    ConnectionRefused(ConnectReturnCode),
    /// The first packet was not CONNACK (MQTT 3.1.1 section 3.2).
    #[error("The broker's first packet did not acknowledge the connection.")]
    NotConnAck,
    /// PINGRESP was not received in time (MQTT 3.1.1 section 3.12.4).
    #[error("The broker has stopped responding.")]
    PingTimeout,
    /// A request was not acknowledged in time.
    #[error("The broker did not acknowledge a request in time.")]
    AckTimeout,
    /// A subscription that was sent before CONNACK was refused. It may be granted after CONNACK.
    #[error(
        "The broker refused a subscription that was sent together with the connection request."
    )]
    EarlyRequestsRefused,
    /// The broker refused a subscription (MQTT 3.1.1 section 3.9.3). It was reported as a `SubAck` event before.
    #[error("The broker does not allow the subscription.")]
    SubscriptionRefused,
    /// The broker sent a malformed packet.
    #[error("The broker sent a packet that breaks the rules of MQTT.")]
    Malformed(mqttbytes::Error),
    /// The broker sent a packet that it must not send, or not at this time.
    #[error("The broker sent an unexpected packet.")]
    Unexpected,
    /// A packet other than PUBLISH is larger than
    /// [`MqttOptions::set_max_packet_size`](super::MqttOptions::set_max_packet_size) allows.
    #[error("The broker sent a packet of {size} bytes. The limit is {limit}.")]
    TooLarge {
        /// The announced size in bytes, without the fixed header.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The options cannot be expressed in MQTT.
    #[error("The broker's settings cannot be used: {0}.")]
    InvalidOptions(&'static str),
    /// A packet could not be encoded.
    #[error("A packet could not be written as MQTT.")]
    Encoding(mqttbytes::Error),
    /// [`AsyncClient::disconnect`](super::AsyncClient::disconnect) was carried out.
    #[error("The connection was closed by this client.")]
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

/// Why a request was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The queue holds as many requests, or bytes, as it may.
    #[error("Too many requests are waiting for the broker.")]
    Full,
    /// The packet is larger than the limit.
    #[error("The message of {size} bytes is larger than the {limit} that may be sent.")]
    TooLarge {
        /// The size of the packet in bytes, without the fixed header.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The topic is empty, too long, or contains a wildcard or a null character (MQTT 3.1.1 section 4.7).
    #[error("The topic is invalid.")]
    InvalidTopic,
    /// There is no filter, or one is empty, too long, or has a misplaced wildcard (MQTT 3.1.1 section 4.7).
    #[error("The topic filter is invalid.")]
    InvalidFilter,
    /// The list of brokers is empty.
    #[error("The list of brokers is empty.")]
    NoBroker,
    /// The event loop has been dropped.
    #[error("The event loop has ended.")]
    Closed,
}
