//! The way to the broker, with `rumqttc`: tells the driver what comes, and sends what the room publishes.

use std::time::Duration;

use anyhow::{Context, Result};
use rtchat::room::{BrokerEvent, BrokerId, BrokerState, Input};
use rumqttc::{
    AsyncClient, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS, SubscribeFilter,
    SubscribeReasonCode,
};
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;

use crate::driver::Happening;

/// How many packets may wait to be sent.
const WAITING: usize = 256;

/// As docs/PROTOCOL.md has it, section 3.
const KEEP_ALIVE: Duration = Duration::from_secs(50);

/// The longest pause between two tries to reach the broker.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A connection to one broker that is made again whenever it is lost.
pub struct Broker {
    client: AsyncClient,
    subscriptions: [String; 2],
    pump: JoinHandle<()>,
}

impl Broker {
    /// Connects to `mqtt://[user:password@]host[:port]`. What comes from there is told to `happened`.
    pub fn connect(
        url: &str,
        subscriptions: [String; 2],
        happened: Sender<Happening>,
    ) -> Result<Broker> {
        // Random: who connects under another's client id throws it off the broker.
        let id = getrandom::u64().context("this system gives us no random numbers")?;
        let separator = if url.contains('?') { '&' } else { '?' };
        let mut options =
            MqttOptions::parse_url(format!("{url}{separator}client_id=rtchat-{id:016x}"))
                .with_context(|| {
                    format!("{url} is no broker's address, such as mqtt://127.0.0.1:1883")
                })?;
        options.set_keep_alive(KEEP_ALIVE);
        let (client, events) = AsyncClient::new(options, WAITING);
        Ok(Broker {
            client,
            subscriptions,
            pump: tokio::spawn(pump(events, happened)),
        })
    }

    /// Subscribes to the room's topics, once a connection is open.
    pub fn subscribe(&self) {
        let filters = self
            .subscriptions
            .iter()
            .map(|topic| SubscribeFilter::new(topic.clone(), QoS::AtMostOnce));
        // A full queue means that the broker takes nothing; then this connection is as good as lost.
        let _ = self.client.try_subscribe_many(filters);
    }

    /// Sends an envelope. What a full queue does not take is announced or tried again by the room.
    pub fn publish(&self, topic: String, payload: Vec<u8>) {
        let _ = self
            .client
            .try_publish(topic, QoS::AtMostOnce, false, payload);
    }

    /// Closes the connection after what was sent before.
    pub fn disconnect(&self) {
        let _ = self.client.try_disconnect();
    }

    /// Waits until it has been closed.
    pub async fn closed(&mut self) {
        // An error would mean that it ended in another way.
        let _ = (&mut self.pump).await;
    }
}

async fn pump(mut events: EventLoop, happened: Sender<Happening>) {
    let mut pause = Duration::from_secs(1);
    loop {
        let happening = match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                pause = Duration::from_secs(1);
                Happening::BrokerOpen
            }
            Ok(Event::Incoming(Packet::SubAck(ack))) => {
                if ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                    eprintln!("The broker does not let us listen.");
                    continue;
                }
                Happening::Broker(Input::Broker(
                    BrokerId(0),
                    BrokerEvent::State(BrokerState::Ready),
                ))
            }
            Ok(Event::Incoming(Packet::Publish(message))) => Happening::Broker(Input::Broker(
                BrokerId(0),
                BrokerEvent::Message {
                    topic: message.topic,
                    payload: message.payload.to_vec(),
                },
            )),
            Ok(Event::Outgoing(Outgoing::Disconnect)) => return,
            Ok(_) => continue,
            Err(error) => {
                eprintln!("The broker is lost: {error}");
                if happened.send(Happening::BrokerLost(pause)).await.is_err() {
                    return;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        };
        if happened.send(happening).await.is_err() {
            return;
        }
    }
}
