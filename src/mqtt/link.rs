//! A session on a transport: one attempt at one broker, from opening the connection to losing it.

use core::pin::Pin;
use core::task::{Context, Poll};

use mqttbytes::v4::{Packet, SubscribeReasonCode};

use super::Event;
use super::error::ConnectionError;
use super::options::MqttOptions;
use super::pool::Attempt;
use super::requests::{Request, Requests};
use super::session::Session;
use super::transport::{Connection, Transport};
use crate::time::Millis;

/// One attempt, and the connection it leads to.
pub(super) struct Link<T: Transport> {
    options: MqttOptions,
    one_flight: bool,
    connect_by: Millis,
    /// The broker has refused a subscription.
    refused: bool,
    state: State<T>,
}

enum State<T: Transport> {
    Opening(T::Connecting),
    Open(T::Connection, Box<Session>),
}

impl<T: Transport> Link<T> {
    pub(super) fn open(
        transport: &T,
        options: &MqttOptions,
        attempt: Attempt,
        now: Millis,
    ) -> Link<T> {
        Link {
            options: options.clone(),
            one_flight: attempt.one_flight,
            connect_by: now + attempt.timeout,
            refused: false,
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

    pub(super) fn suspects_flight(&self, error: &ConnectionError) -> bool {
        self.session()
            .is_some_and(|session| session.suspects_flight(error))
    }

    /// When to poll again, if nothing happens before.
    pub(super) fn deadline(&self) -> Option<Millis> {
        match &self.state {
            State::Opening(_) => Some(self.connect_by),
            State::Open(_, session) => session.deadline(),
        }
    }

    /// Asks the broker for a sign of life.
    pub(super) fn ping(&mut self, now: Millis) {
        if let State::Open(_, session) = &mut self.state {
            // A packet of two constant bytes can be written.
            let _ = session.ping(now);
        }
    }

    /// Says farewell, as well as it can be said without waiting, and closes.
    pub(super) fn close(self, now: Millis) {
        if let State::Open(mut connection, mut session) = self.state
            && session.is_connected()
            && session.request(now, Request::Disconnect).is_ok()
            && let Some(bytes) = session.take_output(now)
        {
            let _ = connection.send(bytes);
        }
    }

    /// The next event. Takes from `requests` as soon as the session lets it.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        now: Millis,
        requests: Option<&Requests>,
    ) -> Poll<Result<Event, ConnectionError>> {
        // After the SUBACK that says so has been told.
        if self.refused {
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
            let session = Session::new(&self.options, self.one_flight, self.connect_by)?;
            self.state = State::Open(connection, Box::new(session));
        }
        let State::Open(connection, session) = &mut self.state else {
            return Poll::Pending;
        };
        loop {
            // A connection that cannot send is still received from, as long as that leads to no answers: they would pile up,
            // and what others publish would pile up in the transport. If it lasts, the session's deadlines end it.
            let can_send = connection.poll_ready(cx)?.is_ready();
            if !can_send && session.has_output() {
                session.wake(now)?;
                return Poll::Pending;
            }
            while can_send
                && session.takes_requests()
                && let Some(request) = requests.and_then(Requests::pop)
            {
                session.request(now, request)?;
            }
            let event = session.next_event(now);
            // All that is to be sent at this moment leaves as one message: CONNECT with the requests behind it, too.
            if can_send && let Some(bytes) = session.take_output(now) {
                connection.send(bytes)?;
            }
            if let Some(event) = event? {
                self.refused = refuses_subscription(&event);
                return Poll::Ready(Ok(event));
            }
            if session.is_disconnected() {
                return Poll::Ready(Err(ConnectionError::Disconnected));
            }
            match connection.poll_recv(cx)? {
                Poll::Ready(bytes) => session.receive(&bytes),
                Poll::Pending => {
                    // Only now, when all that came in has been taken: else a page that was asleep would see silence.
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
