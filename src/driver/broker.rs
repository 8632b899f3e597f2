//! The connection to the broker: what it delivers, and when the next attempt begins.

use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;

use super::Driver;
use crate::browser::now;
use crate::mqtt::{
    Event, EventLoop, MqttOptions, Packet, QoS, SubscribeFilter, SubscribeReasonCode,
    WebSocketTransport,
};
use crate::room::{BrokerEvent, BrokerId, BrokerState, Input};
use crate::rtc::web::time::pause;
use crate::settings::Broker;
use crate::time::Millis;

/// The room sees the pool as one broker, because the pool uses one at a time.
const BROKER: BrokerId = BrokerId(0);

/// After this many events the page gets a turn: one message of a broker can hold a million packets.
const EVENTS_PER_TURN: usize = 5_000;

/// Feeds the broker's events to the driver until the driver is dropped.
pub(super) async fn pump(driver: Weak<Driver>, mut events: EventLoop<WebSocketTransport>) {
    for number in 1usize.. {
        if number.is_multiple_of(EVENTS_PER_TURN) {
            // The broker's time-outs are judged only once everything received has been processed.
            pause(1).await;
        }
        let event = events.poll().await;
        let Some(driver) = driver.upgrade() else {
            return;
        };
        driver.broker.set(events.broker().0);
        match event {
            Ok(Event::Incoming(Packet::Publish(message))) => {
                let message = BrokerEvent::Message {
                    topic: message.topic,
                    payload: message.payload.to_vec(),
                };
                driver.feed(Input::Broker(BROKER, message));
            }
            Ok(Event::Incoming(Packet::SubAck(ack))) => {
                // If the broker refuses the subscription, the event loop ends the connection and tries again.
                if !ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                    driver.feed(state(BrokerState::Ready));
                }
            }
            Ok(Event::Switched { .. }) => {
                driver.doubt_addresses();
                driver.queue_first_flight();
            }
            Ok(Event::Skipped(reason)) => {
                *driver.skipped.borrow_mut().entry(reason).or_default() += 1;
            }
            Ok(_) => {}
            Err(_) => {
                driver.doubt_addresses();
                let retry_at = events.retry_at().unwrap_or_else(now);
                driver.broker_lost(retry_at, events.is_refused());
            }
        }
    }
}

impl Driver {
    /// Queues the subscription, and lets the room queue its announcement: all of it leaves in one flight as soon as the
    /// next connection opens.
    pub(super) fn queue_first_flight(self: &Rc<Self>) {
        self.retry.take();
        let filters = self
            .subscriptions
            .iter()
            .map(|topic| SubscribeFilter::new(topic.clone(), QoS::AtMostOnce));
        let _ = self.client.try_subscribe_many(filters);
        self.feed(state(BrokerState::Opening));
    }

    /// A connection to a broker that was lost may tell of a change of network.
    fn doubt_addresses(&self) {
        if let Some(connections) = self.connections.get() {
            connections.drop_spare();
        }
    }

    /// Waits until the event loop tries again.
    fn broker_lost(self: &Rc<Self>, retry_at: Millis, refused: bool) {
        if refused {
            self.feed(state(BrokerState::Refused { retry_at }));
        }
        let pause = u32::try_from(retry_at.since(now()).as_millis()).unwrap_or(u32::MAX);
        if pause == 0 {
            return self.queue_first_flight();
        }
        let driver = Rc::downgrade(self);
        let timeout = Timeout::new(pause, move || {
            if let Some(driver) = driver.upgrade() {
                driver.queue_first_flight();
            }
        });
        self.retry.replace(Some(timeout));
        if !refused {
            self.feed(state(BrokerState::Unreachable { retry_at }));
        }
    }
}

fn state(state: BrokerState) -> Input {
    Input::Broker(BROKER, BrokerEvent::State(state))
}

pub(super) fn options(broker: &Broker, client_id: &str) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, broker.url.clone());
    if let (Some(username), Some(password)) = (&broker.username, &broker.password) {
        options.set_credentials(username, password);
    }
    options
}
