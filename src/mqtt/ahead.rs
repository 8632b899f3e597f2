//! A connection to a broker that is opened before anybody joins. Nothing is said over it until then.

use core::cell::RefCell;
use core::time::Duration;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use web_sys::WebSocket;

use super::web_socket::WebSocketConnection;
use crate::browser::now;
use crate::time::Millis;

/// The time for which a connection waits to be used, in milliseconds. Many brokers close it after a similar time, because
/// it sends no CONNECT.
const MAX_WAIT: u32 = 20_000;

/// The least time between two connections that are opened ahead, in case a broker refuses them.
const MIN_PAUSE: Duration = Duration::from_secs(5);

/// At most one connection that waits to be used. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Ahead(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    waiting: Option<Waiting>,
    opened_at: Option<Millis>,
}

#[derive(Debug)]
struct Waiting {
    url: String,
    connection: WebSocketConnection,
    _expiry: Timeout,
}

impl Ahead {
    /// Opens a connection to `url`, unless one is waiting, or was opened a moment ago. Errors are left to the attempt that
    /// would have used the connection.
    pub fn open(&self, url: &str) {
        let recently = {
            let state = self.0.borrow();
            let waits = state.waiting.as_ref();
            if waits.is_some_and(|waiting| waiting.url == url && waiting.connection.is_alive()) {
                return;
            }
            state.opened_at
        };
        if recently.is_some_and(|at| now().since(at) < MIN_PAUSE) {
            return;
        }
        if let Ok(connection) = WebSocketConnection::open(url) {
            self.keep(url, connection);
        }
    }

    /// Keeps a connection to `url` that was opened by somebody else, who has neither sent nor received anything over it.
    pub fn adopt(&self, url: &str, socket: WebSocket) {
        self.keep(url, WebSocketConnection::from(socket));
    }

    fn keep(&self, url: &str, connection: WebSocketConnection) {
        let state = Rc::downgrade(&self.0);
        let expiry = Timeout::new(MAX_WAIT, move || {
            if let Some(state) = state.upgrade() {
                state.borrow_mut().waiting = None;
            }
        });
        let mut state = self.0.borrow_mut();
        state.opened_at = Some(now());
        state.waiting = Some(Waiting {
            url: url.to_owned(),
            connection,
            _expiry: expiry,
        });
    }

    /// Takes the connection if it leads to `url` and is not lost. A connection to another broker is closed.
    pub(super) fn take(&self, url: &str) -> Option<WebSocketConnection> {
        let waiting = self.0.borrow_mut().waiting.take()?;
        (waiting.url == url && waiting.connection.is_alive()).then_some(waiting.connection)
    }
}
