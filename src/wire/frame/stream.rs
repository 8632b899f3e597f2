//! Frames about the reliable stream.

use super::Frame;
use super::json::{Fields, Writer};

/// So many chunks of your stream have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// How many, in this session.
    pub count: u64,
    /// In the first one on each connection.
    pub streams: Option<StreamIds>,
}

/// Which streams of chunks the two sides mean. A side that has forgotten the other one begins a new stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamIds {
    /// The one that the sender of this frame sends: a random number.
    pub own: u32,
    /// The one that it receives and counts, if it knows of any.
    pub yours: Option<u32>,
}

impl Ack {
    pub(super) const KIND: &str = "got";

    pub(super) fn read(fields: &Fields) -> Option<Ack> {
        let (own, yours) = (fields.number("stream"), fields.number("yours"));
        Some(Ack {
            count: fields.number("n")?,
            streams: own.map(|own| StreamIds { own, yours }),
        })
    }

    pub(super) fn write(&self) -> String {
        let own = self.streams.map(|streams| u64::from(streams.own));
        let yours = self.streams.and_then(|streams| streams.yours);
        Writer::new(Ack::KIND)
            .number("n", self.count)
            .number_if("stream", own)
            .number_if("yours", yours.map(u64::from))
            .end()
    }
}

impl From<Ack> for Frame {
    fn from(ack: Ack) -> Frame {
        Frame::Ack(ack)
    }
}
