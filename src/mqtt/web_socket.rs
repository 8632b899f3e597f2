//! A connection over the browser's WebSocket.

use core::cell::RefCell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;
use gloo_timers::future::TimeoutFuture;
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, DomException, Event, MessageEvent, WebSocket};

use super::transport::{Connection, TransportError};
use crate::browser::sleep;

/// The name of MQTT among WebSocket subprotocols (MQTT 3.1.1 section 6).
const SUBPROTOCOL: &str = "mqtt";

/// No more is sent while this many bytes wait in the browser to be sent.
const MAX_BUFFERED: u32 = 256 * 1024;

/// Interval in milliseconds at which the amount is checked, since a WebSocket has no event for it.
const DRAIN_CHECK_INTERVAL: u32 = 50;

/// At most this many bytes wait to be processed, except for a single larger message. A WebSocket cannot be paused.
const MAX_INBOX: usize = 1024 * 1024;

/// The largest part of a message that is copied from the browser at once, in bytes.
const MAX_CHUNK: u32 = 64 * 1024;

/// The close code of a connection that was lost without a close frame (RFC 6455 section 7.4.1).
const ABNORMAL_CLOSURE: u16 = 1006;

/// An open WebSocket. Dropping it removes its handlers and closes it. The browser still sends the bytes that wait.
#[derive(Debug)]
pub struct WebSocketConnection {
    socket: WebSocket,
    inbox: Rc<RefCell<Inbox>>,
    /// Runs until the amount of bytes that wait to be sent is checked again.
    drain_check: Option<TimeoutFuture>,
    /// Kept alive for as long as the socket may call them.
    _handlers: Handlers,
}

#[derive(Debug)]
struct Handlers {
    _open: Closure<dyn FnMut(Event)>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

/// The state that the handlers update.
#[derive(Debug, Default)]
struct Inbox {
    opened: bool,
    /// The rest of each received message. It stays in the memory of the browser, which holds it in any case.
    messages: VecDeque<Uint8Array>,
    bytes: usize,
    closed: Option<TransportError>,
    waker: Option<Waker>,
}

impl Inbox {
    fn add_message(&mut self, data: &JsValue) {
        if self.closed.is_some() {
            return;
        }
        let Some(buffer) = data.dyn_ref::<ArrayBuffer>() else {
            self.closed = Some(TransportError::NotBinary);
            return;
        };
        let message = Uint8Array::new(buffer);
        let length = usize::try_from(message.length()).unwrap_or(usize::MAX);
        // A single message may have any size, because anybody can publish a large one. The session skips it chunk by chunk.
        if !self.messages.is_empty() && length > MAX_INBOX.saturating_sub(self.bytes) {
            self.closed = Some(TransportError::Flooded);
            return;
        }
        // An empty message holds no bytes, and would be kept all the same.
        if length > 0 {
            self.bytes = self.bytes.saturating_add(length);
            self.messages.push_back(message);
        }
    }

    /// Removes and returns the next bytes.
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

/// Updates the inbox, then wakes the task that waits for it. The inbox must not be borrowed during the wake-up.
fn update_and_wake(inbox: &RefCell<Inbox>, update: impl FnOnce(&mut Inbox)) {
    let waker = {
        let mut inbox = inbox.borrow_mut();
        update(&mut inbox);
        inbox.waker.take()
    };
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl WebSocketConnection {
    pub(super) fn open(url: &str) -> Result<WebSocketConnection, TransportError> {
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
        Ok(WebSocketConnection::from(socket))
    }

    /// Ready when the connection is open.
    ///
    /// # Errors
    /// It could not be opened, or is lost already.
    pub(super) fn poll_open(&self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        let mut inbox = self.inbox.borrow_mut();
        if let Some(error) = &inbox.closed {
            return Poll::Ready(Err(error.clone()));
        }
        if inbox.opened {
            return Poll::Ready(Ok(()));
        }
        inbox.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Whether the connection is being opened, or is open.
    pub(super) fn is_alive(&self) -> bool {
        self.inbox.borrow().closed.is_none()
    }
}

/// Takes over a WebSocket that nothing was sent or received over.
impl From<WebSocket> for WebSocketConnection {
    fn from(socket: WebSocket) -> WebSocketConnection {
        socket.set_binary_type(BinaryType::Arraybuffer);
        let inbox = Rc::new(RefCell::new(Inbox {
            opened: socket.ready_state() == WebSocket::OPEN,
            // The browser reports no event that came before this.
            closed: (socket.ready_state() > WebSocket::OPEN).then_some(TransportError::Unreachable),
            ..Inbox::default()
        }));

        let on_open = Rc::clone(&inbox);
        let open =
            Closure::new(move |_: Event| update_and_wake(&on_open, |inbox| inbox.opened = true));
        let on_message = Rc::clone(&inbox);
        let message = Closure::new(move |event: MessageEvent| {
            update_and_wake(&on_message, |inbox| inbox.add_message(&event.data()))
        });
        // An `error` event has no details, and is always followed by a `close` event.
        let on_close = Rc::clone(&inbox);
        let close = Closure::new(move |event: CloseEvent| {
            update_and_wake(&on_close, |inbox| {
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
        WebSocketConnection {
            socket,
            inbox,
            drain_check: None,
            _handlers: handlers,
        }
    }
}

impl Connection for WebSocketConnection {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        loop {
            if self.socket.buffered_amount() < MAX_BUFFERED {
                self.drain_check = None;
                return Poll::Ready(Ok(()));
            }
            let mut inbox = self.inbox.borrow_mut();
            // Bytes that wait when the socket closes are never sent.
            if let Some(error) = &inbox.closed {
                return Poll::Ready(Err(error.clone()));
            }
            inbox.waker = Some(cx.waker().clone());
            let drain_check = self
                .drain_check
                .get_or_insert_with(|| sleep(DRAIN_CHECK_INTERVAL));
            if Pin::new(drain_check).poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.drain_check = None;
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
        // `close` fails only for invalid close codes, and none is passed.
        let _ = self.socket.close();
    }
}
