//! A session on a transport: one connection to one broker, from the attempt to open it until it is lost.

use core::pin::Pin;
use core::task::{Context, Poll};

use mqttbytes::v4::{Packet, SubscribeReasonCode};

use super::Event;
use super::error::ConnectionError;
use super::options::MqttOptions;
use super::pool::ConnectAttempt;
use super::request_queue::{Request, RequestQueue};
use super::session::Session;
use super::transport::{Connection, Transport};
use crate::time::Millis;

/// An attempt to connect to a broker, and the connection that results.
pub(super) struct BrokerConnection<T: Transport> {
    options: MqttOptions,
    early_requests: bool,
    connect_by: Millis,
    /// Whether the broker has refused a subscription.
    subscription_refused: bool,
    state: State<T>,
}

enum State<T: Transport> {
    Opening(T::Connecting),
    Open(T::Connection, Box<Session>),
}

impl<T: Transport> BrokerConnection<T> {
    pub(super) fn open(
        transport: &T,
        options: &MqttOptions,
        attempt: ConnectAttempt,
        now: Millis,
    ) -> BrokerConnection<T> {
        BrokerConnection {
            options: options.clone(),
            early_requests: attempt.early_requests,
            connect_by: now + attempt.timeout,
            subscription_refused: false,
            state: State::Opening(transport.connect(options.url())),
        }
    }

    fn session(&self) -> Option<&Session> {
        match &self.state {
            State::Opening(_) => None,
            State::Open(_, session) => Some(session),
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.session().is_some_and(Session::is_connected)
    }

    pub(super) fn is_subscribed(&self) -> bool {
        self.session().is_some_and(Session::is_subscribed)
    }

    pub(super) fn suspects_early_requests(&self, error: &ConnectionError) -> bool {
        self.session()
            .is_some_and(|session| session.suspects_early_requests(error))
    }

    /// When to poll again, unless something happens before.
    pub(super) fn deadline(&self) -> Option<Millis> {
        match &self.state {
            State::Opening(_) => Some(self.connect_by),
            State::Open(_, session) => session.deadline(),
        }
    }

    /// Asks the broker whether it is still responding.
    pub(super) fn ping(&mut self, now: Millis) {
        if let State::Open(_, session) = &mut self.state {
            // Encoding a packet of two constant bytes does not fail.
            let _ = session.ping(now);
        }
    }

    /// Sends DISCONNECT if that is possible without waiting, and closes the connection.
    pub(super) fn close(self, now: Millis) {
        if let State::Open(mut connection, mut session) = self.state
            && session.is_connected()
            && session.request(now, Request::Disconnect).is_ok()
            && let Some(bytes) = session.take_output(now)
        {
            let _ = connection.send(bytes);
        }
    }

    /// The next event. Takes requests from the queue as soon as the session accepts them.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        now: Millis,
        requests: Option<&RequestQueue>,
    ) -> Poll<Result<Event, ConnectionError>> {
        // The SUBACK was reported by the previous call.
        if self.subscription_refused {
            return Poll::Ready(Err(ConnectionError::SubscriptionRefused));
        }
        if let State::Opening(connecting) = &mut self.state {
            let connection = match Pin::new(connecting).poll(cx) {
                Poll::Ready(connection) => connection?,
                Poll::Pending if now >= self.connect_by => {
                    return Poll::Ready(Err(ConnectionError::ConnectTimeout));
                }
                Poll::Pending => return Poll::Pending,
            };
            let session = Session::new(&self.options, self.early_requests, self.connect_by)?;
            self.state = State::Open(connection, Box::new(session));
        }
        let State::Open(connection, session) = &mut self.state else {
            return Poll::Pending;
        };
        loop {
            // A connection that cannot send still receives, or the messages that others publish would pile up in the
            // transport. It stops receiving as soon as that leads to answers, which would pile up in the session. If this
            // state lasts, the session's deadlines end the connection.
            let can_send = connection.poll_ready(cx)?.is_ready();
            if !can_send && session.has_output() {
                session.wake(now)?;
                return Poll::Pending;
            }
            while can_send
                && session.accepts_requests()
                && let Some(request) = requests.and_then(RequestQueue::pop)
            {
                session.request(now, request)?;
            }
            let event = session.next_event(now);
            // The complete output is sent as one message, such as CONNECT together with early requests.
            if can_send && let Some(bytes) = session.take_output(now) {
                connection.send(bytes)?;
            }
            if let Some(event) = event? {
                self.subscription_refused = refuses_subscription(&event);
                return Poll::Ready(Ok(event));
            }
            if session.is_disconnected() {
                return Poll::Ready(Err(ConnectionError::Disconnected));
            }
            match connection.poll_recv(cx)? {
                Poll::Ready(bytes) => session.receive(&bytes),
                Poll::Pending => {
                    // Timers run only after all received bytes were processed. Otherwise a page that was suspended would
                    // take the broker for unresponsive.
                    session.wake(now)?;
                    if !can_send {
                        return Poll::Pending;
                    }
                    match session.take_output(now) {
                        Some(bytes) => connection.send(bytes)?,
                        None => return Poll::Pending,
                    }
                }
            }
        }
    }
}

fn refuses_subscription(event: &Event) -> bool {
    matches!(event, Event::Incoming(Packet::SubAck(suback)) if suback.return_codes.contains(&SubscribeReasonCode::Failure))
}
