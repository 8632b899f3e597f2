//! The event loop: connects, sends requests, and reports events.

use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use mqttbytes::v4::Packet;

use super::Event;
use super::broker_connection::BrokerConnection;
use super::error::ConnectionError;
use super::options::MqttOptions;
use super::pool::Pool;
use super::request_queue::RequestQueue;
use super::transport::Transport;
use crate::time::Millis;

/// Time for which messages from the previous broker are delivered after a switch, if the new one grants no
/// subscription.
const SWITCH_OVERLAP: Duration = Duration::from_secs(10);

/// A broker that is tested and does not answer within this time is connected to anew.
const ANSWER_PATIENCE: Duration = Duration::from_millis(250);

/// Connects, sends requests, and reports events, while [`poll`](EventLoop::poll) is being called.
pub struct EventLoop<T: Transport> {
    transport: T,
    brokers: Vec<MqttOptions>,
    pool: Pool,
    requests: Arc<RequestQueue>,
    /// The connection, or the attempt to connect.
    current: Option<BrokerConnection<T>>,
    /// The attempt to connect to a more preferred broker, while `current` is connected.
    probe: Option<BrokerConnection<T>>,
    /// The test of `current`, until the broker answers.
    test: Option<ConnectionTest<T>>,
    /// The connection before the last switch, and until when its messages are delivered.
    previous: Option<(BrokerConnection<T>, Millis)>,
    /// Events that are reported before any others.
    events: VecDeque<Event>,
    /// The pause until the next deadline.
    timer: Option<(Millis, T::Sleep)>,
}

/// A test of a connection: a ping has been sent.
struct ConnectionTest<T: Transport> {
    /// When the next attempt to replace the connection begins.
    replace_at: Millis,
    /// The attempt.
    replacement: Option<BrokerConnection<T>>,
}

impl<T: Transport> EventLoop<T> {
    pub(super) fn new(
        transport: T,
        brokers: Vec<MqttOptions>,
        pool: Pool,
        requests: Arc<RequestQueue>,
    ) -> EventLoop<T> {
        EventLoop {
            transport,
            brokers,
            pool,
            requests,
            current: None,
            probe: None,
            test: None,
            previous: None,
            events: VecDeque::new(),
            timer: None,
        }
    }

    /// The next event. Connects when there is no connection, after the pause that is due.
    ///
    /// The future may be dropped at any time without losing events.
    ///
    /// # Errors
    /// The connection is lost, or an attempt to connect failed. **All requests that were made before are dropped**, since it
    /// is not known which of them the broker received, and they may be outdated when the next connection is open. Subscribe
    /// again, publish what is still current, and poll again. The next poll waits for [`retry_in`](EventLoop::retry_in) and
    /// then connects to the next broker.
    pub async fn poll(&mut self) -> Result<Event, ConnectionError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The time that the next poll waits before it connects, or `None` while there is a connection or an attempt.
    pub fn retry_in(&self) -> Option<Duration> {
        self.retry_at().map(|at| at.since(self.transport.now()))
    }

    /// When the next attempt is due by the transport's clock, or `None` while there is a connection or an attempt.
    pub fn retry_at(&self) -> Option<Millis> {
        self.current.is_none().then(|| self.pool.attempt().at)
    }

    /// Whether no broker can be used at present, because at least one of them refuses the subscription.
    pub fn is_refused(&self) -> bool {
        self.pool.is_refused()
    }

    /// The index and the options of the broker that is connected, is being tried, or is tried next.
    pub fn broker(&self) -> (usize, Option<&MqttOptions>) {
        let broker = self.pool.broker();
        (broker, self.brokers.get(broker))
    }

    /// Whether a broker has accepted the connection.
    pub fn is_connected(&self) -> bool {
        self.current
            .as_ref()
            .is_some_and(BrokerConnection::is_connected)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, ConnectionError>> {
        // The waker is registered before the queue is read, so that no request is missed.
        self.requests.register(cx);
        loop {
            let now = self.transport.now();
            if self.requests.take_retry_now() {
                self.pool.retry_now(now);
                self.begin_test(now);
            }
            if self.requests.take_test() {
                self.begin_test(now);
            }
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Ok(event));
            }
            if let Poll::Ready(event) = self.poll_current(cx, now) {
                return Poll::Ready(event);
            }
            if self.poll_probe(cx, now) || self.poll_replacement(cx, now) {
                continue;
            }
            if let Some(event) = self.poll_previous(cx, now) {
                return Poll::Ready(Ok(event));
            }
            if self.poll_timer(cx, now).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn poll_current(
        &mut self,
        cx: &mut Context<'_>,
        now: Millis,
    ) -> Poll<Result<Event, ConnectionError>> {
        if !self.is_connected() && self.requests.has_disconnect() {
            return Poll::Ready(Err(self.end_connection(now, ConnectionError::Disconnected)));
        }
        if self.current.is_none() {
            let attempt = self.pool.attempt();
            let Some(options) = self.brokers.get(attempt.broker) else {
                return Poll::Pending;
            };
            if attempt.at > now {
                return Poll::Pending;
            }
            self.current = Some(BrokerConnection::open(
                &self.transport,
                options,
                attempt,
                now,
            ));
        }
        let Some(current) = &mut self.current else {
            return Poll::Pending;
        };
        match current.poll(cx, now, Some(&self.requests)) {
            Poll::Ready(Ok(event)) => {
                match event {
                    Event::Incoming(Packet::ConnAck(_)) => self.pool.connected(now),
                    Event::Incoming(Packet::PingResp) => self.test = None,
                    _ => {}
                }
                Poll::Ready(Ok(event))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.end_connection(now, error))),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Drops all connections and requests, and records the outcome in the pool.
    fn end_connection(&mut self, now: Millis, error: ConnectionError) -> ConnectionError {
        match &error {
            ConnectionError::Disconnected => self.pool.closed(now),
            error => {
                let suspects_early_requests = self
                    .current
                    .as_ref()
                    .is_some_and(|current| current.suspects_early_requests(error));
                if *error == ConnectionError::SubscriptionRefused {
                    self.pool.refused(now);
                }
                self.pool.failed(now, suspects_early_requests);
            }
        }
        self.current = None;
        self.probe = None;
        self.test = None;
        if let Some((previous, _)) = self.previous.take() {
            previous.close(now);
        }
        self.requests.clear();
        error
    }

    /// Probes more preferred brokers. Returns whether one of them has accepted the connection, which is then `current`.
    fn poll_probe(&mut self, cx: &mut Context<'_>, now: Millis) -> bool {
        loop {
            if self.probe.is_none() {
                let Some(attempt) = self.pool.probe() else {
                    return false;
                };
                let Some(options) = self.brokers.get(attempt.broker) else {
                    return false;
                };
                if attempt.at > now {
                    return false;
                }
                self.probe = Some(BrokerConnection::open(
                    &self.transport,
                    options,
                    attempt,
                    now,
                ));
            }
            let Some(probe) = &mut self.probe else {
                return false;
            };
            match probe.poll(cx, now, None) {
                Poll::Pending => return false,
                Poll::Ready(Ok(connack)) => {
                    let from = self.pool.broker();
                    self.pool.probe_connected(now);
                    let to = self.pool.broker();
                    let new = self.probe.take();
                    self.switch(new, Event::Switched { from, to }, connack, now);
                    return true;
                }
                Poll::Ready(Err(_)) => {
                    self.probe = None;
                    self.pool.probe_failed(now);
                }
            }
        }
    }

    /// Uses another connection from now on.
    fn switch(
        &mut self,
        new: Option<BrokerConnection<T>>,
        switched: Event,
        connack: Event,
        now: Millis,
    ) {
        let previous = core::mem::replace(&mut self.current, new);
        self.previous = previous.map(|previous| (previous, now + SWITCH_OVERLAP));
        self.test = None;
        self.events.extend([switched, connack]);
    }

    /// Begins to test the connection, if there is one.
    fn begin_test(&mut self, now: Millis) {
        if let Some(current) = self.current.as_mut().filter(|its| its.is_connected()) {
            current.ping(now);
            self.test.get_or_insert(ConnectionTest {
                replace_at: now + ANSWER_PATIENCE,
                replacement: None,
            });
        }
    }

    /// Tries to replace a connection that does not answer. Returns whether it was replaced.
    fn poll_replacement(&mut self, cx: &mut Context<'_>, now: Millis) -> bool {
        let Some(test) = &mut self.test else {
            return false;
        };
        if test.replacement.is_none() && test.replace_at <= now {
            let attempt = self.pool.replacement(now);
            let options = self.brokers.get(attempt.broker);
            test.replacement = options
                .map(|options| BrokerConnection::open(&self.transport, options, attempt, now));
        }
        let Some(replacement) = &mut test.replacement else {
            return false;
        };
        match replacement.poll(cx, now, None) {
            Poll::Pending => false,
            Poll::Ready(Ok(connack)) => {
                let broker = self.pool.broker();
                let switched = Event::Switched {
                    from: broker,
                    to: broker,
                };
                let new = test.replacement.take();
                self.switch(new, switched, connack, now);
                true
            }
            Poll::Ready(Err(_)) => {
                test.replacement = None;
                test.replace_at = now + ANSWER_PATIENCE;
                false
            }
        }
    }

    /// Receives from the previous broker until the new one has granted a subscription.
    fn poll_previous(&mut self, cx: &mut Context<'_>, now: Millis) -> Option<Event> {
        let (mut previous, until) = self.previous.take()?;
        let replaced = self
            .current
            .as_ref()
            .is_some_and(BrokerConnection::is_subscribed);
        loop {
            // All messages that have already arrived are reported before the connection is closed.
            match previous.poll(cx, now, None) {
                Poll::Ready(Ok(
                    event @ (Event::Incoming(Packet::Publish(_)) | Event::Skipped(_)),
                )) => {
                    self.previous = Some((previous, until));
                    return Some(event);
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return None,
                Poll::Pending if replaced || now >= until => {
                    previous.close(now);
                    return None;
                }
                Poll::Pending => {
                    self.previous = Some((previous, until));
                    return None;
                }
            }
        }
    }

    /// Ready when a deadline is due. A timer that was set for an earlier deadline is kept, since most deadlines only move to
    /// later times.
    fn poll_timer(&mut self, cx: &mut Context<'_>, now: Millis) -> Poll<()> {
        let Some(deadline) = self.deadline() else {
            return Poll::Pending;
        };
        if deadline <= now {
            return Poll::Ready(());
        }
        if self.timer.as_ref().is_none_or(|(at, _)| *at > deadline) {
            self.timer = Some((deadline, self.transport.sleep(deadline.since(now))));
        }
        let Some((_, sleep)) = &mut self.timer else {
            return Poll::Pending;
        };
        let elapsed = Pin::new(sleep).poll(cx);
        if elapsed.is_ready() {
            self.timer = None;
        }
        elapsed
    }

    fn deadline(&self) -> Option<Millis> {
        let current = match &self.current {
            Some(current) => current.deadline(),
            None => Some(self.pool.attempt().at),
        };
        let probe = match &self.probe {
            Some(probe) => probe.deadline(),
            None => self.pool.probe().map(|attempt| attempt.at),
        };
        let test = self.test.as_ref().map(|test| {
            let replacement = test.replacement.as_ref();
            let deadline = replacement.and_then(BrokerConnection::deadline);
            deadline.unwrap_or(test.replace_at)
        });
        let previous = self
            .previous
            .as_ref()
            .map(|(previous, until)| previous.deadline().unwrap_or(*until).min(*until));
        [current, probe, test, previous].into_iter().flatten().min()
    }
}

impl<T: Transport> Drop for EventLoop<T> {
    fn drop(&mut self) {
        self.requests.close();
    }
}

impl<T: Transport> fmt::Debug for EventLoop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop")
            .field("broker", &self.pool.broker())
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
