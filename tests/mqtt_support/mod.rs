//! Shared support for the MQTT tests: a network in memory, and helpers for encoding and decoding packets.
#![allow(dead_code)] // each test file uses a part of it

pub mod client;
pub mod protocol;
pub mod sim;

use std::future::Future;
use std::pin::Pin;

use rtchat::mqtt::TransportError;
use rtchat::time::Millis;
use tokio::time::Instant;

pub type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A clock that tokio can pause and advance.
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

/// The error that a connection reports after it was closed.
const CLOSED: TransportError = TransportError::Closed { code: 1006 };
