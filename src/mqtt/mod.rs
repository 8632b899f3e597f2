//! MQTT 3.1.1 in the shape of the `rumqttc` crate, over a WebSocket.
//!
//! `rumqttc` needs sockets and threads, which a browser has not. Code that is written against its names works on this
//! module too: [`MqttOptions`], [`AsyncClient`], [`EventLoop`], [`Event`], [`Packet`], [`QoS`]; a test compiles the same
//! source twice to hold that. What this module has on top:
//!
//! - **One flight.** What was requested before the connection is open leaves together with CONNECT, without waiting for
//!   CONNACK (MQTT 3.1.1 section 3.1.4). With a broker that does not take it, the next attempt waits.
//! - **Several brokers** in order of preference (`AsyncClient::with_brokers` in the browser,
//!   [`AsyncClient::with_transport`] anywhere), with fail-over, pauses, and the way back: see [`Pool`].
//! - **Bounds** on everything a broker sends and on everything that waits to be sent.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `options` | how to reach one broker |
//! | `packet_reader` | cuts the bytes from a broker into packets, and skips those that others may have spoilt |
//! | `session` | one connection's protocol, without the connection: bytes in, bytes and events out |
//! | `pool` | which broker is tried next, and when |
//! | `requests` | the bounded queue between handles and event loop |
//! | `transport` | what the event loop asks of the outside |
//! | `link` | a session on a transport |
//! | `event_loop` | connects, sends what was requested, tells what happens |
//! | `client` | the handle for making requests |
//! | `web` | the browser's WebSocket as a transport |

mod client;
mod error;
mod event_loop;
mod link;
mod options;
mod packet_reader;
mod pool;
mod requests;
mod session;
mod transport;
#[cfg(target_arch = "wasm32")]
mod web;

pub use client::AsyncClient;
pub use error::{ClientError, ConnectionError};
pub use event_loop::EventLoop;
pub use mqttbytes::QoS;
pub use mqttbytes::v4::{
    ConnAck, ConnectReturnCode, LastWill, Login, Packet, PubAck, PubComp, PubRec, PubRel, Publish,
    SubAck, Subscribe, SubscribeFilter, SubscribeReasonCode, UnsubAck, Unsubscribe,
};
pub use options::MqttOptions;
pub use pool::{Attempt, Pool};
pub use requests::Request;
pub use session::Session;
pub use transport::{Connection, Transport, TransportError};
#[cfg(target_arch = "wasm32")]
pub use web::{WebSocketConnection, WebSocketTransport};

/// A packet that came in, by the name that rumqttc gives it.
pub type Incoming = Packet;

/// What [`EventLoop::poll`] tells.
///
/// The first event of every connection is `Incoming(Packet::ConnAck)`.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The broker sent this packet. What it asks for (acknowledgements) has been done.
    Incoming(Packet),
    /// This was sent to the broker.
    Outgoing(Outgoing),
    /// A more preferred broker is back, and the connection has moved there without a gap. Its ConnAck follows.
    ///
    /// Subscriptions do not move along: subscribe and publish again, now or at the ConnAck. The former broker's messages
    /// keep coming in until the new one has acknowledged a subscription.
    Switched {
        /// The former broker's place in the list of brokers.
        from: usize,
        /// The new broker's place in the list of brokers.
        to: usize,
    },
    /// The broker sent a message that is not delivered, for this reason. The connection goes on.
    Skipped(SkipReason),
}

/// Why a message from the broker was skipped: it was read to its end, and not delivered.
///
/// Anybody who may publish to a topic can cause such messages, so none of them may end the connections of those who are
/// subscribed to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// The packet is larger than [`MqttOptions::set_max_packet_size`] allows. Its bytes were dropped as they arrived.
    TooLarge,
    /// The broker had stored the message (MQTT 3.1.1 section 3.3.1.3): it may be of any age.
    Retained,
    /// The packet has no valid topic or packet identifier (MQTT 3.1.1 section 3.3.2).
    Malformed,
    /// At most 1,000 messages with QoS 2 may wait for their release by the broker (MQTT 3.1.1 section 4.3.3).
    TooManyUnreleased,
}

impl SkipReason {
    /// The reason in a few words, for a list of counts.
    pub fn words(self) -> &'static str {
        match self {
            SkipReason::TooLarge => "a message larger than the broker may deliver",
            SkipReason::Retained => "a message that the broker had stored",
            SkipReason::Malformed => "a message without a valid topic",
            SkipReason::TooManyUnreleased => "too many unfinished deliveries",
        }
    }
}

/// What was sent to the broker. Numbers are packet identifiers (MQTT 3.1.1 section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outgoing {
    /// A message; 0 stands for QoS 0.
    Publish(u16),
    /// A subscription.
    Subscribe(u16),
    /// The end of a subscription.
    Unsubscribe(u16),
    /// The acknowledgement of a message with QoS 1.
    PubAck(u16),
    /// The receipt for a message with QoS 2.
    PubRec(u16),
    /// The release of a message with QoS 2.
    PubRel(u16),
    /// The end of the exchange about a message with QoS 2.
    PubComp(u16),
    /// The question whether the broker is still there.
    PingReq,
    /// The farewell.
    Disconnect,
}
