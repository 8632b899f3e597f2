//! MQTT 3.1.1 in the shape of the `rumqttc` crate, over a WebSocket.
//!
//! `rumqttc` needs sockets and threads, which browsers do not offer. Code written against its names also compiles against
//! this module: [`MqttOptions`], [`AsyncClient`], [`EventLoop`], [`Event`], [`Packet`], [`QoS`]. A test ensures this by
//! compiling the same source with both. This module adds:
//!
//! - **Early requests.** Requests made before the connection is open are sent together with CONNECT, without waiting for
//!   CONNACK (MQTT 3.1.1 section 3.1.4). If a broker does not accept that, the next attempt waits for CONNACK.
//! - **Several brokers** in order of preference ([`AsyncClient::with_transport`]), with fail-over, back-off, and a return
//!   to the preferred broker: see [`Pool`].
//! - **Bounds** on everything that a broker sends and on everything that waits to be sent.
//! - **No message ends the connection.** Messages that are too large, malformed or retained are skipped: see
//!   [`SkipReason`].
//!
//! It differs from `rumqttc` in one more respect: a connection ends when the broker refuses a subscription, so that the
//! next broker is tried.
//!
//! | file | contents |
//! | --- | --- |
//! | `options` | the address and settings of one broker |
//! | `packet_reader` | splits the bytes from a broker into packets, and skips those that cannot be delivered |
//! | `session` | the protocol on one connection, without I/O: bytes in, bytes and events out |
//! | `pool` | decides which broker to try next, and when |
//! | `request_queue` | the bounded queue between client handles and event loop |
//! | `transport` | the traits through which the event loop reaches the network and the clock |
//! | `broker_connection` | a session on a transport |
//! | `event_loop` | connects, sends the requests, reports events |
//! | `client` | the handle for making requests |
//! | `ahead` | a connection that is opened before anybody joins |
//! | `web_socket` | a connection over the browser's WebSocket |
//! | `web` | a client and a transport over such connections |

#[cfg(target_arch = "wasm32")]
mod ahead;
mod broker_connection;
mod client;
mod error;
mod event_loop;
mod options;
mod packet_reader;
mod pool;
mod request_queue;
mod session;
mod transport;
#[cfg(target_arch = "wasm32")]
mod web;
#[cfg(target_arch = "wasm32")]
mod web_socket;

#[cfg(target_arch = "wasm32")]
pub use ahead::Ahead;
pub use client::AsyncClient;
pub use error::{ClientError, ConnectionError};
pub use event_loop::EventLoop;
pub use mqttbytes::QoS;
pub use mqttbytes::v4::{
    ConnAck, ConnectReturnCode, LastWill, Login, Packet, PubAck, PubComp, PubRec, PubRel, Publish,
    SubAck, Subscribe, SubscribeFilter, SubscribeReasonCode, UnsubAck, Unsubscribe,
};
pub use options::MqttOptions;
pub use pool::{ConnectAttempt, Pool};
pub use request_queue::Request;
pub use session::Session;
pub use transport::{Connection, Transport, TransportError};
#[cfg(target_arch = "wasm32")]
pub use web::WebSocketTransport;
#[cfg(target_arch = "wasm32")]
pub use web_socket::WebSocketConnection;

/// A received packet, under the name that rumqttc gives it.
pub type Incoming = Packet;

/// Events that [`EventLoop::poll`] reports.
///
/// The first event of every connection is `Incoming(Packet::ConnAck)`.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The broker sent this packet. Any acknowledgement that it requires is sent by the event loop.
    Incoming(Packet),
    /// This packet was sent to the broker.
    Outgoing(Outgoing),
    /// A more preferred broker is reachable again, or a broker that did not answer accepted another connection. It is used
    /// from now on. Its ConnAck follows.
    ///
    /// Subscriptions are not carried over: subscribe and publish again, now or at the ConnAck. Messages from the previous
    /// broker are still delivered until the new one has granted a subscription.
    Switched {
        /// The index of the previous broker in the list of brokers.
        from: usize,
        /// The index of the new broker in the list of brokers, which may be the same.
        to: usize,
    },
    /// The broker sent a message that is not delivered, for this reason. The connection stays open.
    Skipped(SkipReason),
}

/// Why a message from the broker was skipped instead of being delivered.
///
/// Anybody who may publish to a topic can cause such messages, so they must not end the connections of its subscribers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// The packet is larger than [`MqttOptions::set_max_packet_size`] allows. Its bytes are dropped as they arrive, and it
    /// is not acknowledged.
    TooLarge,
    /// The broker had retained the message, so it may be of any age (MQTT 3.1.1 section 3.3.1.3).
    Retained,
    /// The packet has no valid topic or packet identifier (MQTT 3.1.1 section 3.3.2).
    Malformed,
    /// At most 1,000 messages with QoS 2 may wait for PUBREL (MQTT 3.1.1 section 4.3.3).
    TooManyUnreleased,
    /// The message has QoS 2 and was received before (MQTT 3.1.1 section 4.3.3).
    Repeated,
    /// A PINGRESP that answers no PINGREQ.
    Unsolicited,
}

impl SkipReason {
    /// The reason in a few words, for a list of counters.
    pub fn words(self) -> &'static str {
        match self {
            SkipReason::TooLarge => "a broker message above the size limit",
            SkipReason::Retained => "a retained broker message",
            SkipReason::Malformed => "a malformed broker message",
            SkipReason::TooManyUnreleased => "too many unreleased broker messages",
            SkipReason::Repeated => "a repeated broker message",
            SkipReason::Unsolicited => "an unsolicited broker answer",
        }
    }
}

/// A packet that was sent to the broker. The numbers are packet identifiers (MQTT 3.1.1 section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outgoing {
    /// PUBLISH; the packet identifier is 0 for QoS 0.
    Publish(u16),
    /// SUBSCRIBE.
    Subscribe(u16),
    /// UNSUBSCRIBE.
    Unsubscribe(u16),
    /// PUBACK, which acknowledges a message with QoS 1.
    PubAck(u16),
    /// PUBREC, which acknowledges a message with QoS 2.
    PubRec(u16),
    /// PUBREL, which releases a message with QoS 2.
    PubRel(u16),
    /// PUBCOMP, which completes the delivery of a message with QoS 2.
    PubComp(u16),
    /// PINGREQ, which asks whether the broker is still responding.
    PingReq,
    /// DISCONNECT, the last packet on a connection.
    Disconnect,
}
