//! The connection to the broker, with `rumqttc`.

use std::time::Duration;

use rtchat::room::{BrokerEvent, BrokerState};
use rtchat::wire::envelope::MAX_ENVELOPE;
use rumqttc::{
    AsyncClient, Event, EventLoop, MqttOptions, Outgoing, Packet, Publish, QoS, SubscribeFilter,
    SubscribeReasonCode,
};
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;

use crate::incoming::Incoming;
use crate::{Error, Warning};

/// At most this many packets wait to be sent.
const MAX_QUEUED: usize = 256;

/// The size of the largest packet of MQTT 3.1.1 (section 2.2.3). `rumqttc` ends the connection when a packet is larger
/// than its limit, and anybody can publish on the room's topics. So no packet may be; see [`event_for`].
const MAX_PACKET: usize = 268_435_455;

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
    options.set_max_packet_size(MAX_PACKET, MAX_PACKET);
    Ok(options)
}

impl Broker {
    /// Starts to connect. Messages and states of the broker go to `incoming`.
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
            Ok(Event::Incoming(Packet::Publish(message))) => match event_for(message) {
                Some(event) => Incoming::Broker(event),
                None => continue,
            },
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

/// The message for the room, unless it is retained or larger than an envelope may be. Members of the room publish
/// neither, and a retained message would come again with every subscription.
fn event_for(message: Publish) -> Option<BrokerEvent> {
    (!message.retain && message.payload.len() <= MAX_ENVELOPE).then(|| BrokerEvent::Message {
        topic: message.topic,
        payload: message.payload.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use tokio::sync::mpsc;

    use super::*;

    const CONNACK: [u8; 4] = [0x20, 2, 0, 0];

    /// A PUBLISH with QoS 0 on the topic `t`.
    fn publish(retain: bool, length: usize) -> Vec<u8> {
        let mut packet = vec![0x30 | u8::from(retain)];
        let mut remaining = 3 + length;
        while remaining > 0x7f {
            packet.push((remaining & 0x7f) as u8 | 0x80);
            remaining >>= 7;
        }
        packet.extend([remaining as u8, 0, 1, b't']);
        packet.resize(packet.len() + length, 7);
        packet
    }

    #[tokio::test]
    async fn oversized_and_retained_messages_are_ignored_and_do_not_end_the_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 1000]).unwrap() > 0);
            stream.write_all(&CONNACK).unwrap();
            for (retain, length) in [(false, 5_000_000), (false, 20_000), (true, 10), (false, 10)] {
                stream.write_all(&publish(retain, length)).unwrap();
            }
            // The connection stays open until the client closes it.
            let _ = stream.read_to_end(&mut Vec::new());
        });

        let (sender, mut incoming) = mpsc::channel(10);
        let options = options(&format!("mqtt://127.0.0.1:{port}")).unwrap();
        let broker = Broker::connect(options, ["a".into(), "b".into()], sender);
        let connected = incoming.recv().await.unwrap();
        assert!(
            matches!(connected, Incoming::BrokerConnected),
            "{connected:?}"
        );
        let message = incoming.recv().await.unwrap();
        let Incoming::Broker(BrokerEvent::Message { topic, payload }) = message else {
            panic!("{message:?}");
        };
        assert_eq!((topic.as_str(), payload), ("t", vec![7; 10]));
        broker.event_loop.abort();
    }
}
