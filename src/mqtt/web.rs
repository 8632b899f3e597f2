//! A client and a transport over the browser's WebSocket.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use gloo_timers::future::TimeoutFuture;
use js_sys::{Date, Math};

use super::ahead::Ahead;
use super::client::AsyncClient;
use super::event_loop::EventLoop;
use super::options::MqttOptions;
use super::pool::Pool;
use super::transport::{Transport, TransportError};
use super::web_socket::WebSocketConnection;
use crate::browser::{now, sleep};
use crate::time::Millis;

impl AsyncClient {
    /// A client of one broker, like `rumqttc::AsyncClient::new`. The queue holds at most `cap` requests, and at most 1 MiB.
    pub fn new(options: MqttOptions, cap: usize) -> (AsyncClient, EventLoop<WebSocketTransport>) {
        let pool = Pool::of(vec![options.early_requests()], random_seed());
        AsyncClient::with_pool(WebSocketTransport::default(), vec![options], pool, cap)
    }
}

/// Jitter needs no secure randomness, only a different seed in each tab.
fn random_seed() -> u64 {
    Math::random().to_bits() ^ Date::now().to_bits()
}

/// Connects over the browser's WebSocket, and uses the connection that was opened ahead, if there is one.
#[derive(Debug, Clone, Default)]
pub struct WebSocketTransport {
    ahead: Ahead,
}

impl WebSocketTransport {
    /// A transport that uses this connection for its first attempt.
    pub fn with_ahead(ahead: Ahead) -> WebSocketTransport {
        WebSocketTransport { ahead }
    }
}

impl Transport for WebSocketTransport {
    type Connection = WebSocketConnection;
    type Connecting = Connecting;
    type Sleep = TimeoutFuture;

    fn connect(&self, url: &str) -> Connecting {
        let ahead = self.ahead.take(url);
        Connecting(Some(
            ahead.map_or_else(|| WebSocketConnection::open(url), Ok),
        ))
    }

    fn sleep(&self, duration: Duration) -> TimeoutFuture {
        // A caller that wants to sleep for longer than the maximum sleeps again.
        sleep(u32::try_from(duration.as_millis()).unwrap_or(u32::MAX))
    }

    fn now(&self) -> Millis {
        now()
    }
}

/// A WebSocket that is being opened.
#[derive(Debug)]
pub struct Connecting(Option<Result<WebSocketConnection, TransportError>>);

impl Future for Connecting {
    type Output = Result<WebSocketConnection, TransportError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(Ok(connection)) = &self.0 {
            ready!(connection.poll_open(cx))?;
        }
        Poll::Ready(self.0.take().unwrap_or(Err(TransportError::Unreachable)))
    }
}
