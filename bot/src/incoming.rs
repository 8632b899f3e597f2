//! Input from outside, which comes to the bot by one channel.

use std::net::SocketAddr;
use std::time::Duration;

use rtchat::room::BrokerEvent;

use crate::Warning;

/// An input from outside.
#[derive(Debug)]
pub enum Incoming {
    /// The broker accepted the connection. Now the bot subscribes and announces itself.
    BrokerConnected,
    /// The broker delivered a message, or confirmed the subscription.
    Broker(BrokerEvent),
    /// The connection to the broker is lost.
    BrokerLost {
        /// The reason.
        error: rumqttc::ConnectionError,
        /// The pause before the next attempt.
        retry_in: Duration,
    },
    /// A warning for the bot.
    Warning(Warning),
    /// A datagram arrived on one of our UDP sockets.
    Datagram(Datagram),
}

/// A datagram that arrived.
#[derive(Debug)]
pub struct Datagram {
    /// The address that it came from.
    pub source: SocketAddr,
    /// The address of ours that it was sent to.
    pub destination: SocketAddr,
    /// Its content.
    pub bytes: Vec<u8>,
}
