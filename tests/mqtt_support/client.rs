//! Clients on the simulated network, and the events that they report.

use rtchat::mqtt::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Packet, QoS};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::sim::{SimTransport, eventually};

/// The events and errors that an event loop reports.
pub struct Events(UnboundedReceiver<Result<Event, ConnectionError>>);

impl Events {
    pub async fn recv(&mut self) -> Option<Result<Event, ConnectionError>> {
        eventually(self.0.recv()).await
    }

    pub async fn expect_connack(&mut self) {
        assert!(matches!(
            self.recv().await,
            Some(Ok(Event::Incoming(Packet::ConnAck(_))))
        ));
    }

    pub async fn expect_error(&mut self) -> ConnectionError {
        self.recv().await.unwrap().unwrap_err()
    }

    /// The payload of the next message, before which there must be no error.
    pub async fn next_message(&mut self) -> String {
        loop {
            if let Event::Incoming(Packet::Publish(publish)) = self.recv().await.unwrap().unwrap() {
                return String::from_utf8(publish.payload.to_vec()).unwrap();
            }
        }
    }
}

pub fn client(transport: SimTransport, urls: &[&str]) -> (AsyncClient, EventLoop<SimTransport>) {
    let brokers = urls
        .iter()
        .map(|url| MqttOptions::new("me", *url))
        .collect();
    AsyncClient::with_transport(transport, brokers, 10, 1).unwrap()
}

/// Polls for ever.
pub fn run(mut event_loop: EventLoop<SimTransport>) -> Events {
    let (sender, events) = mpsc::unbounded_channel();
    tokio::spawn(async move { while sender.send(event_loop.poll().await).is_ok() {} });
    Events(events)
}

/// Polls for ever, and subscribes before each attempt to connect.
pub fn run_subscribed(client: AsyncClient, mut event_loop: EventLoop<SimTransport>) -> Events {
    let (sender, events) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut subscribe = true;
        loop {
            if subscribe {
                client.try_subscribe("room", QoS::AtMostOnce).unwrap();
            }
            let event = event_loop.poll().await;
            subscribe = event.is_err();
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    Events(events)
}
