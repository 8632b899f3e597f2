//! The traits through which the event loop reaches the network and the clock.

use core::future::Future;
use core::task::{Context, Poll};
use core::time::Duration;

use bytes::Bytes;

use crate::time::Millis;

/// Opens connections, and provides the time: over the browser's WebSocket in a page, over TCP in tests.
pub trait Transport {
    /// An open connection.
    type Connection: Connection;
    /// A connection that is being opened. Dropping it cancels the attempt.
    type Connecting: Future<Output = Result<Self::Connection, TransportError>> + Unpin;
    /// A pause. Dropping it cancels its timer.
    type Sleep: Future<Output = ()> + Unpin;

    /// Starts to open a connection to `url`. The future returns all errors, including those of an invalid URL.
    fn connect(&self, url: &str) -> Self::Connecting;

    /// Starts a pause of at least `duration`.
    fn sleep(&self, duration: Duration) -> Self::Sleep;

    /// The current time. It must not run backwards.
    fn now(&self) -> Millis;
}

/// An open connection that carries bytes. Dropping it closes it, after all bytes were sent.
///
/// All methods of a connection are called by one task, so a single waker is enough.
pub trait Connection {
    /// Ready when [`send`](Connection::send) may be called, because not too many bytes are still waiting to be sent.
    ///
    /// # Errors
    /// The connection is lost.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>>;

    /// Sends `bytes` without waiting. A WebSocket sends them as one binary message.
    ///
    /// # Errors
    /// The connection is lost.
    fn send(&mut self, bytes: Bytes) -> Result<(), TransportError>;

    /// The next received bytes, in chunks of any size (MQTT 3.1.1 section 6: packets need not be aligned to WebSocket
    /// messages).
    ///
    /// # Errors
    /// The connection is lost, and all bytes that were received before have been returned.
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>>;
}

/// Why a connection could not be opened, or was lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The URL is invalid.
    #[error("The broker's address is not a valid WebSocket address.")]
    InvalidUrl,
    /// The page was loaded over https, and the URL is not encrypted.
    #[error("A page that was loaded over https may only connect to brokers over wss.")]
    Insecure,
    /// The connection could not be opened. Browsers do not reveal the reason.
    #[error("The broker could not be reached.")]
    Unreachable,
    /// The open connection was closed.
    #[error("The connection to the broker was closed (code {code}).")]
    Closed {
        /// The close code of the WebSocket (RFC 6455 section 7.4.1), or 1006 if there was none.
        code: u16,
    },
    /// The broker sent a text message. MQTT requires binary messages (MQTT 3.1.1 section 6).
    #[error("The broker sent a text message where MQTT requires binary messages.")]
    NotBinary,
    /// More bytes are waiting to be received than the limit allows.
    #[error("The broker sent more than this page can process at once.")]
    Flooded,
}
