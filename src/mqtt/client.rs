//! The handle for making requests.

use std::sync::Arc;

use mqttbytes::QoS;
use mqttbytes::v4::{Publish, Subscribe, SubscribeFilter, Unsubscribe};

use super::error::ClientError;
use super::event_loop::EventLoop;
use super::options::MqttOptions;
use super::pool::Pool;
use super::requests::{Request, Requests};
use super::transport::Transport;

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
        let event_loop = EventLoop::new(transport, brokers, pool, requests);
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
    /// [`ConnectionError::Disconnected`](super::ConnectionError::Disconnected), and polling it once more would connect again.
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
