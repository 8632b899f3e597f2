//! Frames about the reliable stream.

use super::Frame;
use super::json::{Fields, Writer};

/// An acknowledgement: how many chunks of the receiver's stream have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The number of chunks, in this session.
    pub count: u64,
    /// The streams, in the first acknowledgement on each connection.
    pub streams: Option<StreamIds>,
}

/// The ids of the two streams of chunks. A side that has forgotten the other one begins a new stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamIds {
    /// The stream that the sender of this frame sends: a random number.
    pub own: u32,
    /// The stream that it receives and counts, if it knows of any.
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
