// Uses only names that rumqttc and rtchat::mqtt have in common, and is compiled with both. The including module defines
// which of them `mqtt` is, and how to create its `options` and a `client`.

use std::time::Duration;

use super::{Broker, BrokerKind, with_timeout};
use mqtt::{AsyncClient, Event, Outgoing, Packet, QoS, SubscribeFilter};
use tokio::sync::mpsc::{self, UnboundedReceiver};

#[derive(Debug, PartialEq)]
enum Observation {
    Subscribed,
    Message(String, String),
    Acknowledged,
    Left,
    Lost,
}

/// A client that subscribes to some topics, and subscribes again after the connection was lost.
pub struct Member {
    client: AsyncClient,
    observations: UnboundedReceiver<Observation>,
}

impl Member {
    pub fn join(id: &str, port: u16, filters: &str) -> Member {
        let mut options = options(id, port);
        options
            .set_keep_alive(Duration::from_secs(5))
            .set_clean_session(true)
            .set_inflight(20);
        options
            .set_credentials("anybody", "anything")
            .set_max_packet_size(10_000, 10_000);
        let (client, mut event_loop) = client(options);
        let (sender, observations) = mpsc::unbounded_channel();
        let filters: Vec<String> = filters.split(' ').map(str::to_owned).collect();
        let publisher = client.clone();
        tokio::spawn(async move {
            loop {
                let result = match event_loop.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        let filters = filters
                            .iter()
                            .map(|filter| SubscribeFilter::new(filter.clone(), QoS::ExactlyOnce));
                        client.subscribe_many(filters).await.unwrap();
                        Ok(())
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => sender.send(Observation::Subscribed),
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        let payload = String::from_utf8(publish.payload.to_vec()).unwrap();
                        sender.send(Observation::Message(publish.topic, payload))
                    }
                    Ok(Event::Incoming(Packet::PubAck(_))) => sender.send(Observation::Acknowledged),
                    Ok(Event::Outgoing(Outgoing::Disconnect)) => sender.send(Observation::Left),
                    Ok(_) => Ok(()),
                    Err(_) => {
                        let result = sender.send(Observation::Lost);
                        // rumqttc has no pauses of its own, rtchat has.
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        result
                    }
                };
                if result.is_err() {
                    return;
                }
            }
        });
        Member {
            client: publisher,
            observations,
        }
    }

    /// Skips observations until `wanted` returns a value.
    async fn until<T>(&mut self, mut wanted: impl FnMut(Observation) -> Option<T>) -> T {
        with_timeout(async {
            loop {
                if let Some(found) = wanted(self.observations.recv().await.unwrap()) {
                    return found;
                }
            }
        })
        .await
    }

    async fn expect(&mut self, wanted: Observation) {
        self.until(|observation| (observation == wanted).then_some(())).await;
    }

    pub async fn subscribed(&mut self) {
        self.expect(Observation::Subscribed).await;
    }

    pub async fn message(&mut self) -> (String, String) {
        self.until(|observation| match observation {
            Observation::Message(topic, payload) => Some((topic, payload)),
            _ => None,
        })
        .await
    }

    pub async fn publish(&self, topic: &str, qos: u8, payload: &str) {
        let qos = match qos {
            0 => QoS::AtMostOnce,
            1 => QoS::AtLeastOnce,
            _ => QoS::ExactlyOnce,
        };
        self.client
            .publish(topic, qos, false, payload)
            .await
            .unwrap();
    }
}

async fn subscribers_receive_each_others_messages(kind: BrokerKind) {
    let broker = Broker::start(kind).await;
    let mut members = vec![
        Member::join("alice", broker.port, "room inbox/alice"),
        Member::join("bob", broker.port, "room inbox/bob"),
        Member::join("carol", broker.port, "room inbox/+"),
    ];
    for member in &mut members {
        member.subscribed().await;
    }
    members[0].publish("room", 0, "to all").await;
    members[0].publish("inbox/bob", 1, "to bob").await;
    members[0].expect(Observation::Acknowledged).await;
    members[1].publish("room", 0, "last").await;
    // Bob and Carol receive three messages each.
    let mut received = Vec::new();
    for member in &mut members[1..] {
        let mut payloads = Vec::new();
        while payloads.len() < 3 {
            payloads.push(member.message().await);
        }
        payloads.sort();
        received.push(payloads);
    }
    let pair = |topic: &str, payload: &str| (topic.to_owned(), payload.to_owned());
    let all = vec![
        pair("inbox/bob", "to bob"),
        pair("room", "last"),
        pair("room", "to all"),
    ];
    assert_eq!(received, [all.clone(), all]);
}

async fn unsubscribe_and_disconnect(kind: BrokerKind) {
    let broker = Broker::start(kind).await;
    let mut alice = Member::join("alice", broker.port, "one two");
    let mut bob = Member::join("bob", broker.port, "three");
    alice.subscribed().await;
    bob.subscribed().await;
    alice.client.unsubscribe("one").await.unwrap();
    // The acknowledgement of a message with QoS 1 shows that the broker has also processed UNSUBSCRIBE.
    alice.publish("elsewhere", 1, "").await;
    alice.expect(Observation::Acknowledged).await;
    bob.publish("one", 1, "unheard").await;
    bob.publish("two", 1, "received").await;
    assert_eq!(alice.message().await.1, "received");
    alice.client.disconnect().await.unwrap();
    alice.expect(Observation::Left).await;
    alice.expect(Observation::Lost).await;
}

async fn clients_reconnect_after_the_broker_restarts(kind: BrokerKind) {
    let mut broker = Broker::start(kind).await;
    let mut alice = Member::join("alice", broker.port, "room");
    let mut bob = Member::join("bob", broker.port, "room");
    for round in ["first", "second"] {
        alice.subscribed().await;
        bob.subscribed().await;
        alice.publish("room", 1, round).await;
        assert_eq!(bob.message().await.1, round);
        broker.stop().await;
        alice.expect(Observation::Lost).await;
        bob.expect(Observation::Lost).await;
        broker.restart().await;
    }
}

#[tokio::test]
async fn subscribers_receive_messages_on_rumqttd() {
    subscribers_receive_each_others_messages(BrokerKind::Rumqttd).await;
}

#[tokio::test]
async fn subscribers_receive_messages_on_mosquitto() {
    subscribers_receive_each_others_messages(BrokerKind::Mosquitto).await;
}

#[tokio::test]
async fn unsubscribe_and_disconnect_on_rumqttd() {
    unsubscribe_and_disconnect(BrokerKind::Rumqttd).await;
}

#[tokio::test]
async fn unsubscribe_and_disconnect_on_mosquitto() {
    unsubscribe_and_disconnect(BrokerKind::Mosquitto).await;
}

#[tokio::test]
async fn reconnect_to_rumqttd() {
    clients_reconnect_after_the_broker_restarts(BrokerKind::Rumqttd).await;
}

#[tokio::test]
async fn reconnect_to_mosquitto() {
    clients_reconnect_after_the_broker_restarts(BrokerKind::Mosquitto).await;
}
