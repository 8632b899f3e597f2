//! Real brokers, over TCP.

use std::time::Duration;

use xtask::testbed::{Broker as TestbedBroker, DelayProxy};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerKind {
    Rumqttd,
    Mosquitto,
}

/// A broker that can be stopped and restarted.
pub struct Broker {
    broker: TestbedBroker,
    /// The proxy in front of rumqttd, which itself cannot be stopped.
    proxy: Option<DelayProxy>,
    pub port: u16,
}

impl Broker {
    pub async fn start(kind: BrokerKind) -> Broker {
        match kind {
            BrokerKind::Rumqttd => {
                let broker = TestbedBroker::rumqttd().await.unwrap();
                let address = ([127, 0, 0, 1], broker.tcp_port()).into();
                let proxy = DelayProxy::start(address, Duration::ZERO).await.unwrap();
                Broker {
                    broker,
                    port: proxy.address().port(),
                    proxy: Some(proxy),
                }
            }
            BrokerKind::Mosquitto => {
                Broker::without_proxy(TestbedBroker::mosquitto().await.unwrap())
            }
        }
    }

    /// A mosquitto that refuses clients without a password.
    pub async fn requiring_password() -> Broker {
        Broker::without_proxy(TestbedBroker::closed_mosquitto().await.unwrap())
    }

    fn without_proxy(broker: TestbedBroker) -> Broker {
        Broker {
            port: broker.tcp_port(),
            broker,
            proxy: None,
        }
    }

    /// Closes all connections. For mosquitto, this ends its process.
    pub async fn stop(&mut self) {
        match &self.proxy {
            Some(proxy) => proxy.cut().await.unwrap(),
            None => self.broker.kill().await.unwrap(),
        }
    }

    pub async fn restart(&mut self) {
        match &self.proxy {
            Some(proxy) => proxy.mend().await.unwrap(),
            None => self.broker.restart().await.unwrap(),
        }
    }
}

/// Waits for `future` for at most 30 s.
pub async fn with_timeout<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future)
        .await
        .expect("the future should be ready within 30 s")
}
