// Written against the names that rumqttc and rtchat::mqtt have in common, and compiled with each of them: the including
// module says which one `mqtt` is, and how to make its `options` and a `client`.

use std::time::Duration;

use super::{Broker, Kind, within};
use mqtt::{AsyncClient, Event, Outgoing, Packet, QoS, SubscribeFilter};
use tokio::sync::mpsc::{self, UnboundedReceiver};

#[derive(Debug, PartialEq)]
enum Seen {
    Subscribed,
    Message(String, String),
    Acknowledged,
    Left,
    Lost,
}

/// Somebody who listens to some topics, also after the connection was lost.
pub struct Member {
    client: AsyncClient,
    seen: UnboundedReceiver<Seen>,
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
        let (tell, seen) = mpsc::unbounded_channel();
        let filters: Vec<String> = filters.split(' ').map(str::to_owned).collect();
        let speaker = client.clone();
        tokio::spawn(async move {
            loop {
                let told = match event_loop.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        let filters = filters
                            .iter()
                            .map(|filter| SubscribeFilter::new(filter.clone(), QoS::ExactlyOnce));
                        client.subscribe_many(filters).await.unwrap();
                        Ok(())
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => tell.send(Seen::Subscribed),
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        let payload = String::from_utf8(publish.payload.to_vec()).unwrap();
                        tell.send(Seen::Message(publish.topic, payload))
                    }
                    Ok(Event::Incoming(Packet::PubAck(_))) => tell.send(Seen::Acknowledged),
                    Ok(Event::Outgoing(Outgoing::Disconnect)) => tell.send(Seen::Left),
                    Ok(_) => Ok(()),
                    Err(_) => {
                        let told = tell.send(Seen::Lost);
                        // As rumqttc wants it; rtchat has pauses of its own.
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        told
                    }
                };
                if told.is_err() {
                    return;
                }
            }
        });
        Member {
            client: speaker,
            seen,
        }
    }

    /// Goes through what was seen up to the first that `wanted` takes.
    async fn until<T>(&mut self, mut wanted: impl FnMut(Seen) -> Option<T>) -> T {
        within(async {
            loop {
                if let Some(found) = wanted(self.seen.recv().await.unwrap()) {
                    return found;
                }
            }
        })
        .await
    }

    async fn see(&mut self, wanted: Seen) {
        self.until(|seen| (seen == wanted).then_some(())).await;
    }

    pub async fn subscribed(&mut self) {
        self.see(Seen::Subscribed).await;
    }

    pub async fn message(&mut self) -> (String, String) {
        self.until(|seen| match seen {
            Seen::Message(topic, payload) => Some((topic, payload)),
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

async fn several_subscribers_hear_each_other(kind: Kind) {
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
    members[0].see(Seen::Acknowledged).await;
    members[1].publish("room", 0, "last").await;
    // Each one's messages come in the order in which they were published; alice's own "to all" was skipped above or not.
    let mut heard = Vec::new();
    for member in &mut members[1..] {
        let mut payloads = Vec::new();
        while payloads.len() < 3 {
            payloads.push(member.message().await);
        }
        payloads.sort();
        heard.push(payloads);
    }
    let pair = |topic: &str, payload: &str| (topic.to_owned(), payload.to_owned());
    let all = vec![
        pair("inbox/bob", "to bob"),
        pair("room", "last"),
        pair("room", "to all"),
    ];
    assert_eq!(heard, [all.clone(), all]);
}

async fn unsubscribing_and_leaving(kind: Kind) {
    let broker = Broker::start(kind).await;
    let mut alice = Member::join("alice", broker.port, "one two");
    let mut bob = Member::join("bob", broker.port, "three");
    alice.subscribed().await;
    bob.subscribed().await;
    alice.client.unsubscribe("one").await.unwrap();
    // QoS 1, so that its acknowledgement says that the broker has worked through the unsubscription as well.
    alice.publish("elsewhere", 1, "").await;
    alice.see(Seen::Acknowledged).await;
    bob.publish("one", 1, "unheard").await;
    bob.publish("two", 1, "heard").await;
    assert_eq!(alice.message().await.1, "heard");
    alice.client.disconnect().await.unwrap();
    alice.see(Seen::Left).await;
    alice.see(Seen::Lost).await;
}

async fn the_broker_restarts(kind: Kind) {
    let mut broker = Broker::start(kind).await;
    let mut alice = Member::join("alice", broker.port, "room");
    let mut bob = Member::join("bob", broker.port, "room");
    for round in ["first", "second"] {
        alice.subscribed().await;
        bob.subscribed().await;
        alice.publish("room", 1, round).await;
        assert_eq!(bob.message().await.1, round);
        broker.stop().await;
        alice.see(Seen::Lost).await;
        bob.see(Seen::Lost).await;
        broker.restart().await;
    }
}

#[tokio::test]
async fn several_subscribers_on_rumqttd() {
    several_subscribers_hear_each_other(Kind::Rumqttd).await;
}

#[tokio::test]
async fn several_subscribers_on_mosquitto() {
    several_subscribers_hear_each_other(Kind::Mosquitto).await;
}

#[tokio::test]
async fn leaving_on_rumqttd() {
    unsubscribing_and_leaving(Kind::Rumqttd).await;
}

#[tokio::test]
async fn leaving_on_mosquitto() {
    unsubscribing_and_leaving(Kind::Mosquitto).await;
}

#[tokio::test]
async fn a_lost_line_to_rumqttd() {
    the_broker_restarts(Kind::Rumqttd).await;
}

#[tokio::test]
async fn restart_of_mosquitto() {
    the_broker_restarts(Kind::Mosquitto).await;
}
