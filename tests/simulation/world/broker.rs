//! The broker, and the network to it, which loses, delays, duplicates and reorders messages.

use std::ops::RangeInclusive;
use std::time::Duration;

use chacha20::rand_core::Rng;
use rtchat::room::{BrokerEvent, BrokerId, BrokerState, Input};

use super::{Task, World};

/// The faults of the network to and from the broker.
#[derive(Clone)]
pub struct Faults {
    pub loss: f64,
    pub duplicates: f64,
    /// Delay in milliseconds each way, chosen at random for each message. A wide range reorders messages.
    pub delay: RangeInclusive<u64>,
}

impl Faults {
    pub fn none() -> Faults {
        Faults {
            loss: 0.0,
            duplicates: 0.0,
            delay: 5..=5,
        }
    }
}

/// A hostile broker that may change, drop or add messages.
pub type Interceptor = Box<dyn FnMut(&str, &[u8]) -> Vec<(String, Vec<u8>)>>;

impl World {
    /// Connects a tab to the brokers, if they are up.
    pub fn connect_broker(&mut self, at: usize) {
        if !self.broker_up {
            let retry_at = self.now + Duration::from_secs(2);
            return self.report_state(at, BrokerState::Unreachable { retry_at });
        }
        let delay = *self.faults.delay.start();
        self.nodes[at].online = true;
        self.schedule(delay, Task::Subscribe(at));
        self.report_state(at, BrokerState::Opening);
        for broker in self.all_brokers() {
            let ready = BrokerEvent::State(BrokerState::Ready);
            self.schedule(2 * delay + 1, Task::Feed(at, Input::Broker(broker, ready)));
        }
    }

    fn all_brokers(&self) -> impl Iterator<Item = BrokerId> + use<> {
        (0..self.brokers).map(BrokerId)
    }

    fn report_state(&mut self, at: usize, state: BrokerState) {
        for broker in self.all_brokers() {
            self.feed(at, Input::Broker(broker, BrokerEvent::State(state)));
        }
    }

    /// The brokers go away; everybody notices.
    pub fn stop_broker(&mut self) {
        self.broker_up = false;
        self.queue
            .retain(|_, task| !matches!(task, Task::AtBroker { .. } | Task::Subscribe(_)));
        for at in 0..self.nodes.len() {
            self.nodes[at].subscribed = false;
            self.nodes[at].online = false;
            let retry_at = self.now + Duration::from_secs(2);
            self.report_state(at, BrokerState::Unreachable { retry_at });
        }
    }

    pub fn start_broker(&mut self) {
        self.broker_up = true;
        (0..self.nodes.len()).for_each(|at| self.connect_broker(at));
    }

    /// Publishes as a client that is none of the simulated tabs.
    pub fn publish_raw(&mut self, topic: &str, payload: Vec<u8>) {
        self.publish_raw_at(BrokerId(0), topic, payload);
    }

    /// Publishes at another broker than the first.
    pub fn publish_raw_at(&mut self, broker: BrokerId, topic: &str, payload: Vec<u8>) {
        self.schedule(
            1,
            Task::AtBroker {
                from: usize::MAX,
                broker,
                topic: topic.to_owned(),
                payload,
            },
        );
    }

    pub(super) fn fan_out(
        &mut self,
        from: usize,
        broker: BrokerId,
        topic: String,
        payload: Vec<u8>,
    ) {
        if !self.broker_up {
            return;
        }
        let messages = match (&mut self.interceptor, from) {
            (Some(interceptor), from) if from != usize::MAX => interceptor(&topic, &payload),
            _ => vec![(topic, payload)],
        };
        for (topic, payload) in messages {
            for at in 0..self.nodes.len() {
                let node = &self.nodes[at];
                if node.subscribed && node.room.subscriptions().contains(&topic) {
                    let message = Input::Broker(
                        broker,
                        BrokerEvent::Message {
                            topic: topic.clone(),
                            payload: payload.clone(),
                        },
                    );
                    self.over_the_network(Task::Feed(at, message));
                }
            }
        }
    }

    pub(super) fn over_the_network(&mut self, task: Task) {
        let copies = if self.chance(self.faults.duplicates) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            if !self.chance(self.faults.loss) {
                let (start, end) = (*self.faults.delay.start(), *self.faults.delay.end());
                let delay = start + self.rng.next_u64() % (end - start + 1);
                self.schedule(delay, task.clone());
            }
        }
    }

    fn chance(&mut self, probability: f64) -> bool {
        f64::from(self.rng.next_u32()) / f64::from(u32::MAX) < probability
    }
}
