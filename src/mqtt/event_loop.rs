//! The event loop: connects, sends what was requested, tells what happens.

use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use mqttbytes::v4::Packet;

use super::Event;
use super::error::ConnectionError;
use super::link::Link;
use super::options::MqttOptions;
use super::pool::Pool;
use super::requests::Requests;
use super::transport::Transport;
use crate::time::Millis;

/// How long the former broker is listened to after a switch, if the new one acknowledges no subscription.
const OVERLAP: Duration = Duration::from_secs(10);

/// Connects, sends what was requested, and tells what happens, as long as [`poll`](EventLoop::poll) is called.
pub struct EventLoop<T: Transport> {
    transport: T,
    brokers: Vec<MqttOptions>,
    pool: Pool,
    requests: Arc<Requests>,
    /// The connection, or the attempt at one.
    main: Option<Link<T>>,
    /// The attempt at a more preferred broker, while `main` is connected.
    probe: Option<Link<T>>,
    /// The broker before the last switch, and until when it is listened to.
    former: Option<(Link<T>, Millis)>,
    /// Told before anything else.
    events: VecDeque<Event>,
    /// The pause until the next deadline.
    timer: Option<(Millis, T::Sleep)>,
}

impl<T: Transport> EventLoop<T> {
    pub(super) fn new(
        transport: T,
        brokers: Vec<MqttOptions>,
        pool: Pool,
        requests: Arc<Requests>,
    ) -> EventLoop<T> {
        EventLoop {
            transport,
            brokers,
            pool,
            requests,
            main: None,
            probe: None,
            former: None,
            events: VecDeque::new(),
            timer: None,
        }
    }

    /// The next event. Connects when there is no connection, after the pause that is due.
    ///
    /// The future may be dropped at any time without losing anything.
    ///
    /// # Errors
    /// The connection is lost, or an attempt failed. **All that was requested before is dropped**, since it is not known
    /// what of it arrived, and it may be out of date when the next connection opens: subscribe again, publish what is still
    /// true, and poll again. The next poll waits for [`retry_in`](EventLoop::retry_in) and tries the next broker.
    pub async fn poll(&mut self) -> Result<Event, ConnectionError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// How long the next poll will wait before it tries to connect; `None` while there is a connection or an attempt.
    pub fn retry_in(&self) -> Option<Duration> {
        self.retry_at().map(|at| at.since(self.transport.now()))
    }

    /// When the next attempt is due, by the transport's clock; `None` while there is a connection or an attempt.
    pub fn retry_at(&self) -> Option<Millis> {
        self.main.is_none().then(|| self.pool.attempt().at)
    }

    /// The broker that is connected, is being tried, or is tried next: its place in the list, and its options.
    pub fn broker(&self) -> (usize, Option<&MqttOptions>) {
        let broker = self.pool.broker();
        (broker, self.brokers.get(broker))
    }

    /// Whether a broker has accepted the connection.
    pub fn is_connected(&self) -> bool {
        self.main.as_ref().is_some_and(Link::is_connected)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, ConnectionError>> {
        // Registered before anything is looked at, so that no request falls in between.
        self.requests.register(cx);
        loop {
            let now = self.transport.now();
            if self.requests.take_retry_now() {
                self.pool.retry_now(now);
                if let Some(main) = &mut self.main {
                    main.ping(now);
                }
            }
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Ok(event));
            }
            if let Poll::Ready(event) = self.poll_main(cx, now) {
                return Poll::Ready(event);
            }
            if self.poll_probe(cx, now) {
                continue;
            }
            if let Some(event) = self.poll_former(cx, now) {
                return Poll::Ready(Ok(event));
            }
            if self.poll_timer(cx, now).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn poll_main(
        &mut self,
        cx: &mut Context<'_>,
        now: Millis,
    ) -> Poll<Result<Event, ConnectionError>> {
        if !self.is_connected() && self.requests.has_disconnect() {
            return Poll::Ready(Err(self.lose(now, ConnectionError::Disconnected)));
        }
        if self.main.is_none() {
            let attempt = self.pool.attempt();
            let Some(options) = self.brokers.get(attempt.broker) else {
                return Poll::Pending;
            };
            if attempt.at > now {
                return Poll::Pending;
            }
            self.main = Some(Link::open(&self.transport, options, attempt, now));
        }
        let Some(main) = &mut self.main else {
            return Poll::Pending;
        };
        match main.poll(cx, now, Some(&self.requests)) {
            Poll::Ready(Ok(event)) => {
                if let Event::Incoming(Packet::ConnAck(_)) = event {
                    self.pool.connected(now);
                }
                Poll::Ready(Ok(event))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.lose(now, error))),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Gives up the connection, and all that belongs to it.
    fn lose(&mut self, now: Millis, error: ConnectionError) -> ConnectionError {
        match &error {
            ConnectionError::Disconnected => self.pool.closed(now),
            error => {
                let suspects_flight = self
                    .main
                    .as_ref()
                    .is_some_and(|main| main.suspects_flight(error));
                self.pool.failed(now, suspects_flight);
            }
        }
        self.main = None;
        self.probe = None;
        if let Some((former, _)) = self.former.take() {
            former.close(now);
        }
        self.requests.clear();
        error
    }

    /// Looks for a more preferred broker. Says whether it has been found and is `main` now.
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
                self.probe = Some(Link::open(&self.transport, options, attempt, now));
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
                    let former = core::mem::replace(&mut self.main, self.probe.take());
                    self.former = former.map(|former| (former, now + OVERLAP));
                    self.events.extend([Event::Switched { from, to }, connack]);
                    return true;
                }
                Poll::Ready(Err(_)) => {
                    self.probe = None;
                    self.pool.probe_failed(now);
                }
            }
        }
    }

    /// Listens to the former broker until the new one has acknowledged a subscription.
    fn poll_former(&mut self, cx: &mut Context<'_>, now: Millis) -> Option<Event> {
        let (mut former, until) = self.former.take()?;
        let replaced = self.main.as_ref().is_some_and(Link::is_subscribed);
        loop {
            // What has come in already is told before it goes.
            match former.poll(cx, now, None) {
                Poll::Ready(Ok(
                    event @ (Event::Incoming(Packet::Publish(_)) | Event::Skipped(_)),
                )) => {
                    self.former = Some((former, until));
                    return Some(event);
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return None,
                Poll::Pending if replaced || now >= until => {
                    former.close(now);
                    return None;
                }
                Poll::Pending => {
                    self.former = Some((former, until));
                    return None;
                }
            }
        }
    }

    /// Ready when a deadline has come. A timer that was set for an earlier one is left to run out, since most deadlines only
    /// ever move back.
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
        let main = match &self.main {
            Some(main) => main.deadline(),
            None => Some(self.pool.attempt().at),
        };
        let probe = match &self.probe {
            Some(probe) => probe.deadline(),
            None => self.pool.probe().map(|attempt| attempt.at),
        };
        let former = self
            .former
            .as_ref()
            .map(|(former, until)| former.deadline().unwrap_or(*until).min(*until));
        [main, probe, former].into_iter().flatten().min()
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
