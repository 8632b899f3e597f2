//! The handle for making requests.

use std::sync::Arc;

use mqttbytes::QoS;
use mqttbytes::v4::{Publish, Subscribe, SubscribeFilter, Unsubscribe};

use super::error::ClientError;
use super::event_loop::EventLoop;
use super::options::MqttOptions;
use super::pool::Pool;
use super::request_queue::{Request, RequestQueue};
use super::transport::Transport;

/// A handle for making requests to the broker. Clones share one request queue.
///
/// Requests are carried out only while the [`EventLoop`] is polled. The `async` methods wait while the queue is full. A
/// task that also polls the event loop must use the `try_` methods, since it would wait for itself.
#[derive(Clone, Debug)]
pub struct AsyncClient {
    requests: Arc<RequestQueue>,
}

impl AsyncClient {
    /// A client of `brokers`, the most preferred first, over any [`Transport`].
    ///
    /// The queue holds at most `cap` requests, and at most 1 MiB. `seed` determines the jitter of the pauses. In the
    /// browser, `new` creates a client of one broker over a WebSocket.
    ///
    /// # Errors
    /// [`ClientError::NoBroker`] if `brokers` is empty.
    pub fn with_transport<T: Transport>(
        transport: T,
        brokers: Vec<MqttOptions>,
        cap: usize,
        seed: u64,
    ) -> Result<(AsyncClient, EventLoop<T>), ClientError> {
        let early_requests = brokers.iter().map(MqttOptions::early_requests).collect();
        let pool = Pool::new(early_requests, seed).ok_or(ClientError::NoBroker)?;
        Ok(AsyncClient::with_pool(transport, brokers, pool, cap))
    }

    /// A client of `brokers`, for which `pool` was created.
    pub(super) fn with_pool<T: Transport>(
        transport: T,
        brokers: Vec<MqttOptions>,
        pool: Pool,
        cap: usize,
    ) -> (AsyncClient, EventLoop<T>) {
        // Any of the brokers may be sent a request, so it must be within the limits of all of them.
        let max_size = brokers
            .iter()
            .map(MqttOptions::max_outgoing_packet_size)
            .min()
            .unwrap_or_default();
        let requests = Arc::new(RequestQueue::new(cap, max_size));
        let client = AsyncClient {
            requests: Arc::clone(&requests),
        };
        let event_loop = EventLoop::new(transport, brokers, pool, requests);
        (client, event_loop)
    }

    /// Publishes `payload` to `topic`, as soon as there is room in the queue.
    ///
    /// # Errors
    /// The topic is invalid, the packet is too large, or the event loop has been dropped.
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

    /// Subscribes to the topics that match `filter`, as soon as there is room in the queue. The broker's answer is reported
    /// as a `SubAck` event.
    ///
    /// # Errors
    /// The filter is invalid, or the event loop has been dropped.
    pub async fn subscribe(&self, filter: impl Into<String>, qos: QoS) -> Result<(), ClientError> {
        self.requests
            .push(Request::Subscribe(Subscribe::new(filter, qos)))
            .await
    }

    /// Subscribes to the topics that match `filter`, if there is room in the queue.
    ///
    /// # Errors
    /// Those of [`subscribe`](AsyncClient::subscribe), and [`ClientError::Full`].
    pub fn try_subscribe(&self, filter: impl Into<String>, qos: QoS) -> Result<(), ClientError> {
        self.requests
            .try_push(Request::Subscribe(Subscribe::new(filter, qos)))
    }

    /// Subscribes to all of `filters` with one packet, as soon as there is room in the queue.
    ///
    /// # Errors
    /// Those of [`subscribe`](AsyncClient::subscribe). It is an error to pass no filters.
    pub async fn subscribe_many(
        &self,
        filters: impl IntoIterator<Item = SubscribeFilter>,
    ) -> Result<(), ClientError> {
        self.requests
            .push(Request::Subscribe(Subscribe::new_many(filters)))
            .await
    }

    /// Subscribes to all of `filters` with one packet, if there is room in the queue.
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

    /// Unsubscribes from `filter`, as soon as there is room in the queue.
    ///
    /// # Errors
    /// Those of [`subscribe`](AsyncClient::subscribe).
    pub async fn unsubscribe(&self, filter: impl Into<String>) -> Result<(), ClientError> {
        self.requests
            .push(Request::Unsubscribe(Unsubscribe::new(filter)))
            .await
    }

    /// Unsubscribes from `filter`, if there is room in the queue.
    ///
    /// # Errors
    /// Those of [`unsubscribe`](AsyncClient::unsubscribe), and [`ClientError::Full`].
    pub fn try_unsubscribe(&self, filter: impl Into<String>) -> Result<(), ClientError> {
        self.requests
            .try_push(Request::Unsubscribe(Unsubscribe::new(filter)))
    }

    /// Sends DISCONNECT after the requests that were made before, and closes the connection. [`EventLoop::poll`] then
    /// returns [`ConnectionError::Disconnected`](super::ConnectionError::Disconnected). Polling again connects again.
    ///
    /// # Errors
    /// The event loop has been dropped.
    pub async fn disconnect(&self) -> Result<(), ClientError> {
        self.requests.push(Request::Disconnect).await
    }

    /// Does the same as [`disconnect`](AsyncClient::disconnect), if there is room in the queue.
    ///
    /// # Errors
    /// [`ClientError::Full`], or the event loop has been dropped.
    pub fn try_disconnect(&self) -> Result<(), ClientError> {
        self.requests.try_push(Request::Disconnect)
    }

    /// Ends the pause before the next attempt, and tests a connection as [`test`](AsyncClient::test) does. Call it when the
    /// page becomes visible again or the browser is online again.
    pub fn retry_now(&self) {
        self.requests.retry_now();
    }

    /// Pings a connected broker. If it does not answer within a quarter of a second, another connection to it is opened
    /// beside the present one, and takes its place unless the answer comes first
    /// ([`Event::Switched`](super::Event::Switched)).
    pub fn test(&self) {
        self.requests.test();
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
