//! The connection to the broker, with `rumqttc`.

use std::time::Duration;

use rtchat::room::{BrokerEvent, BrokerState};
use rumqttc::{
    AsyncClient, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS, SubscribeFilter,
    SubscribeReasonCode,
};
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;

use crate::driver::Incoming;
use crate::{Error, Warning};

/// At most this many packets wait to be sent.
const MAX_QUEUED: usize = 256;

/// The keep-alive interval of docs/PROTOCOL.md, section 3.
const KEEP_ALIVE: Duration = Duration::from_secs(50);

/// The pause before the first attempt to reach the broker again. It doubles with every further attempt.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause between two attempts to reach the broker.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A connection to one broker, which is made again whenever it is lost.
pub struct Broker {
    client: AsyncClient,
    subscriptions: [String; 2],
    event_loop: JoinHandle<()>,
}

/// The options for a connection to `mqtt://[user:password@]host[:port]`.
///
/// # Errors
/// [`Error::BrokerAddress`] for any other address.
pub fn options(url: &str) -> Result<MqttOptions, Error> {
    // The client id is random, because a broker disconnects a client when another one comes with the same id.
    let id = getrandom::u64().map_err(Error::Random)?;
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}client_id=rtchat-{id:016x}");
    let mut options = MqttOptions::parse_url(url).map_err(Error::BrokerAddress)?;
    options.set_keep_alive(KEEP_ALIVE);
    Ok(options)
}

impl Broker {
    /// Starts to connect. What the broker sends goes to `incoming`.
    pub fn connect(
        options: MqttOptions,
        subscriptions: [String; 2],
        incoming: Sender<Incoming>,
    ) -> Broker {
        let (client, events) = AsyncClient::new(options, MAX_QUEUED);
        Broker {
            client,
            subscriptions,
            event_loop: tokio::spawn(poll(events, incoming)),
        }
    }

    /// Subscribes to the room's topics, once a connection is open.
    pub fn subscribe(&self) {
        let filters = self
            .subscriptions
            .iter()
            .map(|topic| SubscribeFilter::new(topic.clone(), QoS::AtMostOnce));
        // A full queue means that the broker accepts nothing, and the connection will soon count as lost.
        let _ = self.client.try_subscribe_many(filters);
    }

    /// Publishes an envelope. If the queue is full it is dropped; the room announces itself or tries again later.
    pub fn publish(&self, topic: String, payload: Vec<u8>) {
        let _ = self
            .client
            .try_publish(topic, QoS::AtMostOnce, false, payload);
    }

    /// Closes the connection after everything that is queued has been sent.
    pub fn disconnect(&self) {
        let _ = self.client.try_disconnect();
    }

    /// Waits until the connection has been closed.
    pub async fn closed(&mut self) {
        // An error would mean that the task ended in another way.
        let _ = (&mut self.event_loop).await;
    }
}

async fn poll(mut events: EventLoop, incoming: Sender<Incoming>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let next = match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                pause = FIRST_PAUSE;
                Incoming::BrokerConnected
            }
            Ok(Event::Incoming(Packet::SubAck(ack))) => {
                if ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                    Incoming::Warning(Warning::SubscriptionRefused)
                } else {
                    Incoming::Broker(BrokerEvent::State(BrokerState::Ready))
                }
            }
            Ok(Event::Incoming(Packet::Publish(message))) => {
                Incoming::Broker(BrokerEvent::Message {
                    topic: message.topic,
                    payload: message.payload.to_vec(),
                })
            }
            Ok(Event::Outgoing(Outgoing::Disconnect)) => return,
            Ok(_) => continue,
            Err(error) => {
                let lost = Incoming::BrokerLost {
                    error,
                    retry_in: pause,
                };
                if incoming.send(lost).await.is_err() {
                    return;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        };
        if incoming.send(next).await.is_err() {
            return;
        }
    }
}
