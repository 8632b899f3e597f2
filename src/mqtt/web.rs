//! The browser's WebSocket as a transport.

use core::cell::RefCell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;
use gloo_timers::future::TimeoutFuture;
use js_sys::{ArrayBuffer, Date, Math, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, DomException, Event, MessageEvent, WebSocket};

use super::client::AsyncClient;
use super::error::ClientError;
use super::event_loop::EventLoop;
use super::options::MqttOptions;
use super::pool::Pool;
use super::transport::{Connection, Transport, TransportError};
use crate::browser::sleep;
use crate::time::Millis;

/// The name of MQTT among WebSocket subprotocols (MQTT 3.1.1 section 6).
const SUBPROTOCOL: &str = "mqtt";

/// How many bytes may wait in the browser to be sent, before no more are given to it.
const MAX_BUFFERED: u32 = 256 * 1024;

/// How often to look whether they have left, in milliseconds: a WebSocket has no event for that.
const DRAIN_PAUSE: u32 = 50;

/// At most this many bytes wait to be received, apart from one message. A WebSocket cannot be told to pause.
const MAX_INBOX: usize = 1024 * 1024;

/// The largest part of a message that is copied from the browser at once, in bytes.
const MAX_CHUNK: u32 = 64 * 1024;

/// What the close event says when the connection went down without a word (RFC 6455 section 7.4.1).
const ABNORMAL_CLOSURE: u16 = 1006;

// Bound by hand because it is found in pages and in workers alike, and web-sys has it only as a method of either.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

impl AsyncClient {
    /// A client of one broker, with up to `cap` waiting requests (and 1 MiB), as `rumqttc::AsyncClient::new`.
    pub fn new(options: MqttOptions, cap: usize) -> (AsyncClient, EventLoop<WebSocketTransport>) {
        let pool = Pool::of(vec![options.one_flight()], random_seed());
        AsyncClient::with_pool(WebSocketTransport::new(), vec![options], pool, cap)
    }

    /// A client of several brokers, the most preferred first; see [`Pool`] for when which of them is used. `seed` decides the
    /// jitter of pauses.
    ///
    /// # Errors
    /// [`ClientError::NoBroker`] if there are none.
    pub fn with_brokers(
        brokers: Vec<MqttOptions>,
        cap: usize,
        seed: u64,
    ) -> Result<(AsyncClient, EventLoop<WebSocketTransport>), ClientError> {
        AsyncClient::with_transport(WebSocketTransport::new(), brokers, cap, seed)
    }
}

/// Jitter needs no good randomness, only another one in each tab.
fn random_seed() -> u64 {
    Math::random().to_bits() ^ Date::now().to_bits()
}

/// Connects over the browser's WebSocket.
#[derive(Debug, Clone)]
pub struct WebSocketTransport {
    /// The time when `performance.now()` was 0, in milliseconds since the epoch.
    origin: f64,
}

impl WebSocketTransport {
    /// A transport whose clock begins at the browser's time of day and does not run backwards when that is set.
    pub fn new() -> WebSocketTransport {
        WebSocketTransport {
            origin: Date::now() - performance_now(),
        }
    }
}

impl Default for WebSocketTransport {
    fn default() -> WebSocketTransport {
        WebSocketTransport::new()
    }
}

impl Transport for WebSocketTransport {
    type Connection = WebSocketConnection;
    type Connecting = Connecting;
    type Sleep = TimeoutFuture;

    fn connect(&self, url: &str) -> Connecting {
        Connecting(Some(WebSocketConnection::open(url)))
    }

    fn sleep(&self, duration: Duration) -> TimeoutFuture {
        // Whoever wants to sleep for longer than can be counted sleeps again.
        sleep(u32::try_from(duration.as_millis()).unwrap_or(u32::MAX))
    }

    fn now(&self) -> Millis {
        // Saturates, so that a browser with a strange clock gives a strange time and nothing worse.
        Millis((self.origin + performance_now()) as u64)
    }
}

/// A WebSocket that is being opened.
#[derive(Debug)]
pub struct Connecting(Option<Result<WebSocketConnection, TransportError>>);

impl Future for Connecting {
    type Output = Result<WebSocketConnection, TransportError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(Ok(connection)) = &self.0 {
            let mut inbox = connection.inbox.borrow_mut();
            if let Some(error) = &inbox.closed {
                return Poll::Ready(Err(error.clone()));
            }
            if !inbox.opened {
                inbox.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
        }
        Poll::Ready(self.0.take().unwrap_or(Err(TransportError::Unreachable)))
    }
}

/// An open WebSocket. Dropping it removes its handlers and closes it; what was sent still leaves.
#[derive(Debug)]
pub struct WebSocketConnection {
    socket: WebSocket,
    inbox: Rc<RefCell<Inbox>>,
    /// Runs while the browser has too much to send.
    draining: Option<TimeoutFuture>,
    /// Kept for as long as the socket may call them.
    _handlers: Handlers,
}

#[derive(Debug)]
struct Handlers {
    _open: Closure<dyn FnMut(Event)>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

/// What the handlers have seen.
#[derive(Debug, Default)]
struct Inbox {
    opened: bool,
    /// What is left of each message. It stays in the browser's memory, which holds it in any case, until it is received.
    messages: VecDeque<Uint8Array>,
    bytes: usize,
    closed: Option<TransportError>,
    waker: Option<Waker>,
}

impl Inbox {
    fn take_in(&mut self, data: &JsValue) {
        if self.closed.is_some() {
            return;
        }
        let Some(buffer) = data.dyn_ref::<ArrayBuffer>() else {
            self.closed = Some(TransportError::NotBinary);
            return;
        };
        let message = Uint8Array::new(buffer);
        let length = usize::try_from(message.length()).unwrap_or(usize::MAX);
        // A single message may be of any size: anybody can publish a large one, and the session skips it chunk by chunk.
        if !self.messages.is_empty() && length > MAX_INBOX.saturating_sub(self.bytes) {
            self.closed = Some(TransportError::Flooded);
            return;
        }
        self.bytes = self.bytes.saturating_add(length);
        self.messages.push_back(message);
    }

    /// The next bytes that came in.
    fn take_chunk(&mut self) -> Option<Bytes> {
        let message = self.messages.front_mut()?;
        let chunk = message.subarray(0, MAX_CHUNK);
        if message.length() > MAX_CHUNK {
            *message = message.subarray(MAX_CHUNK, message.length());
        } else {
            self.messages.pop_front();
        }
        let chunk = Bytes::from(chunk.to_vec());
        self.bytes = self.bytes.saturating_sub(chunk.len());
        Some(chunk)
    }
}

/// Changes the inbox, then wakes whoever waits for that: not while it is borrowed.
fn change(inbox: &RefCell<Inbox>, change: impl FnOnce(&mut Inbox)) {
    let waker = {
        let mut inbox = inbox.borrow_mut();
        change(&mut inbox);
        inbox.waker.take()
    };
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl WebSocketConnection {
    fn open(url: &str) -> Result<WebSocketConnection, TransportError> {
        let socket = WebSocket::new_with_str(url, SUBPROTOCOL).map_err(|error| {
            match error
                .dyn_ref::<DomException>()
                .map(DomException::name)
                .as_deref()
            {
                Some("SecurityError") => TransportError::Insecure,
                _ => TransportError::InvalidUrl,
            }
        })?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let inbox = Rc::new(RefCell::new(Inbox::default()));

        let on_open = Rc::clone(&inbox);
        let open = Closure::new(move |_: Event| change(&on_open, |inbox| inbox.opened = true));
        let on_message = Rc::clone(&inbox);
        let message = Closure::new(move |event: MessageEvent| {
            change(&on_message, |inbox| inbox.take_in(&event.data()))
        });
        // An `error` event says nothing, and a `close` event always follows it.
        let on_close = Rc::clone(&inbox);
        let close = Closure::new(move |event: CloseEvent| {
            change(&on_close, |inbox| {
                let error = if inbox.opened {
                    TransportError::Closed { code: event.code() }
                } else {
                    TransportError::Unreachable
                };
                inbox.closed.get_or_insert(error);
            });
        });
        socket.set_onopen(Some(open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(close.as_ref().unchecked_ref()));
        let handlers = Handlers {
            _open: open,
            _message: message,
            _close: close,
        };
        Ok(WebSocketConnection {
            socket,
            inbox,
            draining: None,
            _handlers: handlers,
        })
    }
}

impl Connection for WebSocketConnection {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        loop {
            if self.socket.buffered_amount() < MAX_BUFFERED {
                self.draining = None;
                return Poll::Ready(Ok(()));
            }
            let mut inbox = self.inbox.borrow_mut();
            // What the browser holds when the socket closes never leaves.
            if let Some(error) = &inbox.closed {
                return Poll::Ready(Err(error.clone()));
            }
            inbox.waker = Some(cx.waker().clone());
            let draining = self.draining.get_or_insert_with(|| sleep(DRAIN_PAUSE));
            if Pin::new(draining).poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.draining = None;
        }
    }

    fn send(&mut self, bytes: Bytes) -> Result<(), TransportError> {
        self.socket
            .send_with_u8_array(&bytes)
            .map_err(|_| TransportError::Closed {
                code: ABNORMAL_CLOSURE,
            })
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        let mut inbox = self.inbox.borrow_mut();
        if let Some(chunk) = inbox.take_chunk() {
            return Poll::Ready(Ok(chunk));
        }
        if let Some(error) = &inbox.closed {
            return Poll::Ready(Err(error.clone()));
        }
        inbox.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for WebSocketConnection {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        // Fails only for close codes that are not allowed, and none is given.
        let _ = self.socket.close();
    }
}
