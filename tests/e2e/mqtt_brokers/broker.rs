//! Real brokers, over plain TCP.

use std::time::Duration;

use xtask::testbed::{Broker as Bed, DelayProxy};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rumqttd,
    Mosquitto,
}

/// A broker that can be lost and found.
pub struct Broker {
    bed: Bed,
    /// The line to rumqttd, which itself cannot be ended.
    line: Option<DelayProxy>,
    pub port: u16,
}

impl Broker {
    pub async fn start(kind: Kind) -> Broker {
        match kind {
            Kind::Rumqttd => {
                let bed = Bed::rumqttd().await.unwrap();
                let broker = ([127, 0, 0, 1], bed.tcp_port()).into();
                let line = DelayProxy::start(broker, Duration::ZERO).await.unwrap();
                Broker {
                    bed,
                    port: line.address().port(),
                    line: Some(line),
                }
            }
            Kind::Mosquitto => Broker::program(Bed::mosquitto().await.unwrap()),
        }
    }

    /// A mosquitto that takes nobody without a password.
    pub async fn closed() -> Broker {
        Broker::program(Bed::closed_mosquitto().await.unwrap())
    }

    fn program(bed: Bed) -> Broker {
        Broker {
            port: bed.tcp_port(),
            bed,
            line: None,
        }
    }

    /// Cuts all connections; mosquitto's process ends.
    pub async fn stop(&mut self) {
        match &self.line {
            Some(line) => line.cut().await.unwrap(),
            None => self.bed.kill().await.unwrap(),
        }
    }

    pub async fn restart(&mut self) {
        match &self.line {
            Some(line) => line.mend().await.unwrap(),
            None => self.bed.restart().await.unwrap(),
        }
    }
}

/// Waits for `future`, but not for ever.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future)
        .await
        .expect("it should have happened by now")
}
