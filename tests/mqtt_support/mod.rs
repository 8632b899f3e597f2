//! What the tests of MQTT have in common: a network in memory, and one side of a conversation.
#![allow(dead_code)] // each test file takes what it needs

pub mod sim;
pub mod talk;

use std::future::Future;
use std::pin::Pin;

use rtchat::mqtt::TransportError;
use rtchat::time::Millis;
use tokio::time::Instant;

pub type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A clock that tokio can stop and turn forward.
#[derive(Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    pub fn start() -> Clock {
        Clock(Instant::now())
    }

    pub fn now(&self) -> Millis {
        Millis(1_700_000_000_000) + self.0.elapsed()
    }
}

/// What a connection reports after it was closed.
const CLOSED: TransportError = TransportError::Closed { code: 1006 };
