//! The handle for making requests, and the event loop that carries them out.

use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use mqttbytes::QoS;
use mqttbytes::v4::{Packet, Publish, Subscribe, SubscribeFilter, Unsubscribe};

use super::Event;
use super::error::{ClientError, ConnectionError};
use super::link::Link;
use super::options::MqttOptions;
use super::pool::Pool;
use super::requests::{Request, Requests};
use super::transport::Transport;
use crate::time::Millis;

/// How long the former broker is listened to after a switch, if the new one acknowledges no subscription.
const OVERLAP: Duration = Duration::from_secs(10);

/// A handle for making requests of the broker. Clones make them of the same one.
///
/// Nothing happens before the [`EventLoop`] is polled. The methods that wait (`async`) wait only while the queue is full;
/// whoever polls the event loop in the same task takes the `try_` ones, or waits for ever.
#[derive(Clone, Debug)]
pub struct AsyncClient {
    requests: Arc<Requests>,
}

impl AsyncClient {
    /// A client of `brokers`, the most preferred first, over any [`Transport`].
    ///
    /// Up to `cap` requests (and 1 MiB) wait in the queue. `seed` decides the jitter of pauses. In the browser, `new` and
    /// `with_brokers` do this over a WebSocket.
    ///
    /// # Errors
    /// [`ClientError::NoBroker`] if there are none.
    pub fn with_transport<T: Transport>(
        transport: T,
        brokers: Vec<MqttOptions>,
        cap: usize,
        seed: u64,
    ) -> Result<(AsyncClient, EventLoop<T>), ClientError> {
        let one_flight = brokers.iter().map(MqttOptions::one_flight).collect();
        let pool = Pool::new(one_flight, seed).ok_or(ClientError::NoBroker)?;
        Ok(AsyncClient::with_pool(transport, brokers, pool, cap))
    }

    /// The same for brokers and a pool that belong together.
    pub(super) fn with_pool<T: Transport>(
        transport: T,
        brokers: Vec<MqttOptions>,
        pool: Pool,
        cap: usize,
    ) -> (AsyncClient, EventLoop<T>) {
        // A request may go to any of the brokers, so it must fit all of them.
        let max_size = brokers
            .iter()
            .map(MqttOptions::max_outgoing_packet_size)
            .min()
            .unwrap_or_default();
        let requests = Arc::new(Requests::new(cap, max_size));
        let client = AsyncClient {
            requests: Arc::clone(&requests),
        };
        let event_loop = EventLoop {
            transport,
            brokers,
            pool,
            requests,
            main: None,
            probe: None,
            former: None,
            events: VecDeque::new(),
            timer: None,
        };
        (client, event_loop)
    }

    /// Publishes `payload` to `topic`, as soon as there is room in the queue.
    ///
    /// # Errors
    /// The topic cannot be published to, the packet is too large, or the event loop is gone.
    pub async fn publish(
        &self,
        topic: impl Into<String>,
        qos: QoS,
        retain: bool,
        payload: impl Into<Vec<u8>>,
    ) -> Result<(), ClientError> {
        self.requests
            .push(publish(topic, qos, retain, payload))
            .await
    }

    /// Publishes `payload` to `topic`, if there is room in the queue.
    ///
    /// # Errors
    /// Those of [`publish`](AsyncClient::publish), and [`ClientError::Full`].
    pub fn try_publish(
        &self,
        topic: impl Into<String>,
        qos: QoS,
        retain: bool,
        payload: impl Into<Vec<u8>>,
    ) -> Result<(), ClientError> {
        self.requests.try_push(publish(topic, qos, retain, payload))
    }

    /// Subscribes to the topics that `filter` stands for, as soon as there is room in the queue. Whether the broker agreed is
    /// told by a `SubAck` event.
    ///
    /// # Errors
    /// The filter cannot be subscribed to, or the event loop is gone.
    pub async fn subscribe(&self, filter: impl Into<String>, qos: QoS) -> Result<(), ClientError> {
        self.requests
            .push(Request::Subscribe(Subscribe::new(filter, qos)))
            .await
    }

    /// Subscribes to the topics that `filter` stands for, if there is room in the queue.
    ///
    /// # Errors
    /// Those of [`subscribe`](AsyncClient::subscribe), and [`ClientError::Full`].
    pub fn try_subscribe(&self, filter: impl Into<String>, qos: QoS) -> Result<(), ClientError> {
        self.requests
            .try_push(Request::Subscribe(Subscribe::new(filter, qos)))
    }

    /// Subscribes to all of `filters` in one packet, as soon as there is room in the queue.
    ///
    /// # Errors
    /// Those of [`subscribe`](AsyncClient::subscribe); also if there are no filters.
    pub async fn subscribe_many(
        &self,
        filters: impl IntoIterator<Item = SubscribeFilter>,
    ) -> Result<(), ClientError> {
        self.requests
            .push(Request::Subscribe(Subscribe::new_many(filters)))
            .await
    }

    /// Subscribes to all of `filters` in one packet, if there is room in the queue.
    ///
    /// # Errors
    /// Those of [`subscribe_many`](AsyncClient::subscribe_many), and [`ClientError::Full`].
    pub fn try_subscribe_many(
        &self,
        filters: impl IntoIterator<Item = SubscribeFilter>,
    ) -> Result<(), ClientError> {
        self.requests
            .try_push(Request::Subscribe(Subscribe::new_many(filters)))
    }

    /// Undoes the subscription to `filter`, as soon as there is room in the queue.
    ///
    /// # Errors
    /// Those of [`subscribe`](AsyncClient::subscribe).
    pub async fn unsubscribe(&self, filter: impl Into<String>) -> Result<(), ClientError> {
        self.requests
            .push(Request::Unsubscribe(Unsubscribe::new(filter)))
            .await
    }

    /// Undoes the subscription to `filter`, if there is room in the queue.
    ///
    /// # Errors
    /// Those of [`unsubscribe`](AsyncClient::unsubscribe), and [`ClientError::Full`].
    pub fn try_unsubscribe(&self, filter: impl Into<String>) -> Result<(), ClientError> {
        self.requests
            .try_push(Request::Unsubscribe(Unsubscribe::new(filter)))
    }

    /// Says farewell and closes the connection, after what was requested before. [`EventLoop::poll`] then returns
    /// [`ConnectionError::Disconnected`], and polling it once more would connect again.
    ///
    /// # Errors
    /// The event loop is gone.
    pub async fn disconnect(&self) -> Result<(), ClientError> {
        self.requests.push(Request::Disconnect).await
    }

    /// The same as [`disconnect`](AsyncClient::disconnect), if there is room in the queue.
    ///
    /// # Errors
    /// [`ClientError::Full`], or the event loop is gone.
    pub fn try_disconnect(&self) -> Result<(), ClientError> {
        self.requests.try_push(Request::Disconnect)
    }

    /// Cuts the pause before the next attempt short, and asks a connected broker for a sign of life: for when the page is
    /// looked at again, or the browser is online again.
    pub fn retry_now(&self) {
        self.requests.retry_now();
    }
}

fn publish(
    topic: impl Into<String>,
    qos: QoS,
    retain: bool,
    payload: impl Into<Vec<u8>>,
) -> Request {
    let mut publish = Publish::new(topic, qos, payload);
    publish.retain = retain;
    Request::Publish(publish)
}

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
                Poll::Ready(Ok(event @ Event::Incoming(Packet::Publish(_)))) => {
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
