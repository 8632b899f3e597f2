//! The client against real brokers, and against rumqttc: the same source is compiled once with each.

mod broker;
mod tcp;

use broker::{Broker, Kind, within};
use rtchat::mqtt::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, MqttOptions, Packet, QoS,
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

    include!("scenes.rs");
}

mod with_rtchat {
    use rtchat::mqtt;

    fn options(id: &str, port: u16) -> mqtt::MqttOptions {
        mqtt::MqttOptions::new(id, format!("tcp://127.0.0.1:{port}"))
    }

    // In the browser this, too, is `AsyncClient::new(options, 10)`.
    fn client(options: mqtt::MqttOptions) -> (mqtt::AsyncClient, mqtt::EventLoop<super::Tcp>) {
        mqtt::AsyncClient::with_transport(super::Tcp::new(), vec![options], 10, 1).unwrap()
    }

    include!("scenes.rs");
}

/// A member of either kind hears one of the other.
#[tokio::test]
async fn rumqttc_and_rtchat_meet() {
    for kind in [Kind::Rumqttd, Kind::Mosquitto] {
        let broker = Broker::start(kind).await;
        let mut theirs = with_rumqttc::Member::join("theirs", broker.port, "meeting/#");
        let mut ours = with_rtchat::Member::join("ours", broker.port, "meeting/#");
        theirs.subscribed().await;
        ours.subscribed().await;
        for qos in [0, 1, 2] {
            theirs.publish("meeting/hall", qos, "from rumqttc").await;
            assert_eq!(
                ours.message().await,
                ("meeting/hall".to_owned(), "from rumqttc".to_owned())
            );
            assert_eq!(theirs.message().await.1, "from rumqttc");
            ours.publish("meeting/hall", qos, "from rtchat").await;
            assert_eq!(
                theirs.message().await,
                ("meeting/hall".to_owned(), "from rtchat".to_owned())
            );
            assert_eq!(ours.message().await.1, "from rtchat");
        }
    }
}

/// CONNECT, SUBSCRIBE and PUBLISH leave in one piece, and brokers take them.
#[tokio::test]
async fn brokers_take_one_flight() {
    for kind in [Kind::Rumqttd, Kind::Mosquitto] {
        let broker = Broker::start(kind).await;
        let tcp = Tcp::new();
        let options = MqttOptions::new("flight", format!("tcp://127.0.0.1:{}", broker.port));
        let (client, mut event_loop) =
            AsyncClient::with_transport(tcp.clone(), vec![options], 10, 1).unwrap();
        client.subscribe("here", QoS::AtMostOnce).await.unwrap();
        client
            .publish("here", QoS::AtMostOnce, false, "hello")
            .await
            .unwrap();
        let mut seen = Vec::new();
        within(async {
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
        assert_eq!(tcp.sent.lock().unwrap().len(), 1, "all in one piece");
    }
}

#[tokio::test]
async fn a_refusal_is_told_as_such() {
    let broker = Broker::closed().await;
    let options = MqttOptions::new("stranger", format!("tcp://127.0.0.1:{}", broker.port));
    let (client, mut event_loop) =
        AsyncClient::with_transport(Tcp::new(), vec![options], 10, 1).unwrap();
    client.subscribe("here", QoS::AtMostOnce).await.unwrap();
    let error = within(event_loop.poll()).await.unwrap_err();
    assert_eq!(
        error,
        ConnectionError::ConnectionRefused(ConnectReturnCode::NotAuthorized)
    );
    assert_eq!(
        error.to_string(),
        "The broker refused the connection: this client is not authorized."
    );
}
