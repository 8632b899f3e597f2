//! What the event loop asks of the outside: connections, time, and pauses.

use core::future::Future;
use core::task::{Context, Poll};
use core::time::Duration;

use bytes::Bytes;

use crate::time::Millis;

/// Opens connections and tells the time: the browser's WebSocket in the page, TCP in the tests.
pub trait Transport {
    /// An open connection.
    type Connection: Connection;
    /// A connection that is being opened; dropping it gives up.
    type Connecting: Future<Output = Result<Self::Connection, TransportError>> + Unpin;
    /// A pause; dropping it cancels its timer.
    type Sleep: Future<Output = ()> + Unpin;

    /// Starts to open a connection to `url`. Everything that is wrong with it comes out of the future.
    fn connect(&self, url: &str) -> Self::Connecting;

    /// A pause of at least `duration`.
    fn sleep(&self, duration: Duration) -> Self::Sleep;

    /// The present moment. It must not run backwards.
    fn now(&self) -> Millis;
}

/// An open connection that carries bytes. Dropping it closes it, after what was sent has left.
///
/// All methods of one connection are called by one task: a single waker is enough.
pub trait Connection {
    /// Ready when more may be sent: when not too much that was sent is still waiting to leave.
    ///
    /// # Errors
    /// The connection is lost.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>>;

    /// Sends `bytes` without waiting: on a WebSocket as one binary message.
    ///
    /// # Errors
    /// The connection is lost.
    fn send(&mut self, bytes: Bytes) -> Result<(), TransportError>;

    /// The next bytes that came in, cut anywhere (MQTT 3.1.1 section 6: a receiver must not assume that packets are
    /// aligned to WebSocket messages).
    ///
    /// # Errors
    /// The connection is lost, and everything that came in before has been taken.
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>>;
}

/// Why a connection could not be opened, or was lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The address is not one that can be connected to.
    #[error("The broker's address is not a valid WebSocket address.")]
    InvalidUrl,
    /// The page came over https, the address is not encrypted.
    #[error("A page that was loaded over https may connect to brokers over wss only.")]
    Insecure,
    /// The connection did not open. Browsers do not tell pages why.
    #[error("The broker could not be reached.")]
    Unreachable,
    /// The connection was open and is closed.
    #[error("The connection to the broker was closed (code {code}).")]
    Closed {
        /// The WebSocket's close code (RFC 6455 section 7.4.1); 1006 where there was none.
        code: u16,
    },
    /// The other side sent text, where MQTT wants binary messages (MQTT 3.1.1 section 6).
    #[error("The broker sent text where MQTT wants binary messages.")]
    NotBinary,
    /// More came in than was received.
    #[error("The broker sent more than this page can take at once.")]
    Flooded,
}
