//! The MQTT client with real brokers, compared to rumqttc. The same test source is compiled with both.

mod broker;
mod tcp;

use broker::{Broker, BrokerKind, with_timeout};
use rtchat::mqtt::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, MqttOptions, Packet, QoS, SkipReason,
};
use tcp::Tcp;

mod with_rumqttc {
    use rumqttc as mqtt;

    fn options(id: &str, port: u16) -> mqtt::MqttOptions {
        mqtt::MqttOptions::new(id, "127.0.0.1", port)
    }

    fn client(options: mqtt::MqttOptions) -> (mqtt::AsyncClient, mqtt::EventLoop) {
        mqtt::AsyncClient::new(options, 10)
    }

    include!("shared_source.rs");
}

mod with_rtchat {
    use rtchat::mqtt;

    fn options(id: &str, port: u16) -> mqtt::MqttOptions {
        mqtt::MqttOptions::new(id, format!("tcp://127.0.0.1:{port}"))
    }

    // In the browser, this is `AsyncClient::new(options, 10)` as well.
    fn client(options: mqtt::MqttOptions) -> (mqtt::AsyncClient, mqtt::EventLoop<super::Tcp>) {
        mqtt::AsyncClient::with_transport(super::Tcp::new(), vec![options], 10, 1).unwrap()
    }

    include!("shared_source.rs");
}

/// Clients of both libraries receive each other's messages.
#[tokio::test]
async fn rumqttc_and_rtchat_exchange_messages() {
    for kind in [BrokerKind::Rumqttd, BrokerKind::Mosquitto] {
        let broker = Broker::start(kind).await;
        let mut theirs = with_rumqttc::Member::join("theirs", broker.port, "topic/#");
        let mut ours = with_rtchat::Member::join("ours", broker.port, "topic/#");
        theirs.subscribed().await;
        ours.subscribed().await;
        for qos in [0, 1, 2] {
            theirs.publish("topic/one", qos, "from rumqttc").await;
            assert_eq!(
                ours.message().await,
                ("topic/one".to_owned(), "from rumqttc".to_owned())
            );
            assert_eq!(theirs.message().await.1, "from rumqttc");
            ours.publish("topic/one", qos, "from rtchat").await;
            assert_eq!(
                theirs.message().await,
                ("topic/one".to_owned(), "from rtchat".to_owned())
            );
            assert_eq!(ours.message().await.1, "from rtchat");
        }
    }
}

/// CONNECT, SUBSCRIBE and PUBLISH are sent together, and brokers accept them.
#[tokio::test]
async fn brokers_accept_early_requests() {
    for kind in [BrokerKind::Rumqttd, BrokerKind::Mosquitto] {
        let broker = Broker::start(kind).await;
        let tcp = Tcp::new();
        let options = MqttOptions::new("early", format!("tcp://127.0.0.1:{}", broker.port));
        let (client, mut event_loop) =
            AsyncClient::with_transport(tcp.clone(), vec![options], 10, 1).unwrap();
        client.subscribe("here", QoS::AtMostOnce).await.unwrap();
        client
            .publish("here", QoS::AtMostOnce, false, "hello")
            .await
            .unwrap();
        let mut seen = Vec::new();
        with_timeout(async {
            while seen.len() < 3 {
                match event_loop.poll().await.unwrap() {
                    Event::Incoming(Packet::ConnAck(_)) => seen.push("connack"),
                    Event::Incoming(Packet::SubAck(_)) => seen.push("suback"),
                    Event::Incoming(Packet::Publish(publish)) => {
                        assert_eq!(
                            (publish.topic.as_str(), &publish.payload[..]),
                            ("here", &b"hello"[..])
                        );
                        seen.push("publish");
                    }
                    Event::Outgoing(_) => {}
                    event => panic!("{event:?}"),
                }
            }
        })
        .await;
        assert_eq!(seen, ["connack", "suback", "publish"], "{kind:?}");
        assert_eq!(
            tcp.sent.lock().unwrap().len(),
            1,
            "all packets are sent together"
        );
    }
}

#[tokio::test]
async fn refused_connection_is_reported_with_its_reason() {
    let broker = Broker::requiring_password().await;
    let options = MqttOptions::new("stranger", format!("tcp://127.0.0.1:{}", broker.port));
    let (client, mut event_loop) =
        AsyncClient::with_transport(Tcp::new(), vec![options], 10, 1).unwrap();
    client.subscribe("here", QoS::AtMostOnce).await.unwrap();
    let error = with_timeout(event_loop.poll()).await.unwrap_err();
    assert_eq!(
        error,
        ConnectionError::ConnectionRefused(ConnectReturnCode::NotAuthorized)
    );
    assert_eq!(
        error.to_string(),
        "The broker refused the connection: this client is not authorized."
    );
}

/// A retained message above the size limit is delivered to each new subscriber. It must not end their connections.
#[tokio::test]
async fn retained_and_oversized_messages_of_a_real_broker_are_skipped() {
    let broker = Broker::start(BrokerKind::Mosquitto).await;
    let url = format!("tcp://127.0.0.1:{}", broker.port);
    let connect = |id: &str| {
        let mut options = MqttOptions::new(id, url.clone());
        options.set_max_packet_size(64 * 1024, 200_000);
        AsyncClient::with_transport(Tcp::new(), vec![options], 10, 1).unwrap()
    };
    let (publisher, mut event_loop) = connect("publisher");
    publisher
        .publish("here", QoS::AtLeastOnce, true, vec![7; 100_000])
        .await
        .unwrap();
    with_timeout(async {
        while !matches!(
            event_loop.poll().await.unwrap(),
            Event::Incoming(Packet::PubAck(_))
        ) {}
    })
    .await;
    tokio::spawn(async move { while event_loop.poll().await.is_ok() {} });

    let (subscriber, mut event_loop) = connect("subscriber");
    subscriber.subscribe("here", QoS::AtMostOnce).await.unwrap();
    let mut skipped = Vec::new();
    with_timeout(async {
        loop {
            match event_loop.poll().await.unwrap() {
                Event::Skipped(reason) => {
                    skipped.push(reason);
                    publisher
                        .publish("here", QoS::AtMostOnce, false, "sound")
                        .await
                        .unwrap();
                }
                Event::Incoming(Packet::Publish(publish)) => {
                    assert_eq!(&publish.payload[..], b"sound");
                    return;
                }
                _ => {}
            }
        }
    })
    .await;
    assert_eq!(skipped, [SkipReason::TooLarge]);
}
