//! The stream of chunks to one peer and back: in order, each exactly once, over as many connections as it takes.
//!
//! Both sides count chunks. The receiver says how many have come; the sender keeps chunks that have not been
//! acknowledged, as many as the [`Window`] allows, and sends them again on the next connection. The rest waits.

use std::collections::VecDeque;

use super::window::Window;
use crate::time::Millis;
use crate::wire::{Ack, Arrived, Chunk, ChunkReassembler, FrameError, OutboundMessage, StreamIds};

/// With this many chunks under way, small messages wait until there are [`FLUSH_THRESHOLD`] of them, and go as one
/// chunk: the browser takes longer for each message than for its bytes. No message waits for long, since chunks are
/// soon acknowledged.
const BUSY: usize = 4 * ACK_CHUNKS as usize;
/// The bytes that a waiting reply costs besides its content.
const PER_REPLY: usize = 64;
/// Flush threshold, in messages.
const FLUSH_THRESHOLD: usize = 64;
/// The receiver acknowledges after this many chunks …
const ACK_CHUNKS: u64 = 64;
/// … or after this many bytes.
const ACK_BYTES: usize = 64 * 1024;

/// An acknowledgement of our stream that cannot be true.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// The state of a stream after an acknowledgement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// The stream goes on where it was.
    GoesOn,
    /// The peer has forgotten us in the meantime. These tokens are of messages that were not sent as a whole.
    Anew(Vec<u32>),
}

/// Both directions of the stream.
#[derive(Debug)]
pub(super) struct Stream {
    /// The id of our outgoing stream, so that nobody continues the count of a stream that was forgotten.
    own: u32,
    theirs: Option<u32>,
    /// Whether the peer has said on this connection where to go on.
    ready: bool,
    sending: Sending,
    receiving: Receiving,
}

#[derive(Debug, Default)]
struct Sending {
    waiting: VecDeque<Waiting>,
    /// The bytes that the waiting replies cost.
    replies: usize,
    /// Chunks that have been sent and not been acknowledged.
    sent: VecDeque<Sent>,
    /// How many of those were given to this connection.
    given: usize,
    /// Their bytes.
    in_flight: usize,
    window: Window,
    acknowledged: u64,
}

/// A chunk that was sent and has not been acknowledged.
#[derive(Debug)]
struct Sent {
    chunk: Chunk,
    /// When it was given to the connection.
    at: Millis,
    /// The bytes that were under way then, with its own.
    under_way: usize,
}

/// A message that has not been sent, or not as a whole.
#[derive(Debug)]
struct Waiting {
    outbound: OutboundMessage,
    /// The token to report when all of it has been sent.
    token: Option<u32>,
    /// The bytes that it costs if it is a reply, and 0 otherwise.
    reply: usize,
}

#[derive(Debug, Default)]
struct Receiving {
    count: u64,
    acknowledged: u64,
    unacknowledged_bytes: usize,
    chunks: ChunkReassembler,
}

impl Stream {
    /// Creates a stream with a random id.
    pub fn new(own: u32) -> Stream {
        Stream {
            own,
            theirs: None,
            ready: false,
            sending: Sending::default(),
            receiving: Receiving::default(),
        }
    }

    /// Appends a message. [`Stream::next`] returns the token together with the last chunk.
    pub fn push(&mut self, outbound: OutboundMessage, token: Option<u32>) {
        self.sending.waiting.push_back(Waiting {
            outbound,
            token,
            reply: 0,
        });
    }

    /// Appends a reply: something that the peer makes us keep. Returns how many bytes of replies wait now.
    pub fn push_reply(&mut self, outbound: OutboundMessage) -> usize {
        let reply = outbound.size() + PER_REPLY;
        self.sending.replies += reply;
        self.sending.waiting.push_back(Waiting {
            outbound,
            token: None,
            reply,
        });
        self.sending.replies
    }

    /// Returns the next chunk for the connection, if one may be sent now, and the tokens of the messages that end with
    /// it.
    pub fn next(&mut self, now: Millis) -> Option<(Chunk, Vec<u32>)> {
        let sending = &mut self.sending;
        if !self.ready || !sending.window.has_room(sending.in_flight) {
            return None;
        }
        if let Some(again) = sending.sent.get_mut(sending.given) {
            sending.given += 1;
            sending.in_flight += again.chunk.size();
            again.at = now;
            again.under_way = sending.in_flight;
            return Some((again.chunk.clone(), Vec::new()));
        }
        let (chunk, tokens) = sending.next()?;
        sending.in_flight += chunk.size();
        sending.sent.push_back(Sent {
            chunk: chunk.clone(),
            at: now,
            under_way: sending.in_flight,
        });
        sending.given += 1;
        Some((chunk, tokens))
    }

    /// Returns what to say first on a new connection. No chunk is sent before the peer has said the same.
    pub fn begin(&mut self) -> Ack {
        self.ready = false;
        self.sending.connected_anew();
        self.receiving.acknowledge();
        Ack {
            count: self.receiving.count,
            streams: Some(StreamIds {
                own: self.own,
                yours: self.theirs,
            }),
        }
    }

    /// Handles an acknowledgement: how many chunks have come, and first of all of which stream.
    pub fn on_ack(
        &mut self,
        count: u64,
        streams: Option<StreamIds>,
        now: Millis,
    ) -> Result<Begun, Broken> {
        let Some(streams) = streams else {
            let said = self.ready.then_some(count).ok_or(Broken)?;
            self.sending.acknowledge(said, now)?;
            return Ok(Begun::GoesOn);
        };
        if self.ready {
            return Err(Broken);
        }
        let known = self.theirs.replace(streams.own);
        let forgotten = known.is_some_and(|known| known != streams.own);
        let unfinished = forgotten.then(|| {
            let unfinished = self.unfinished();
            self.sending = Sending::default();
            self.receiving = Receiving::default();
            unfinished
        });
        let ours = !forgotten && streams.yours == Some(self.own);
        self.sending
            .acknowledge(if ours { count } else { 0 }, now)?;
        self.ready = true;
        Ok(unfinished.map_or(Begun::GoesOn, Begun::Anew))
    }

    /// Returns whether the peer has acknowledged everything, and nothing waits for it.
    pub fn is_idle(&self) -> bool {
        self.sending.waiting.is_empty() && self.sending.sent.is_empty()
    }

    /// The number of our chunks that have been acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.sending.acknowledged
    }

    /// Whether a chunk may come now.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// Counts a chunk that came.
    pub fn count(&mut self, size: usize) {
        self.receiving.count += 1;
        self.receiving.unacknowledged_bytes += size;
    }

    /// Reads a binary chunk, which has been counted.
    pub fn read(&mut self, message: &[u8]) -> Result<Option<Arrived>, FrameError> {
        self.receiving.chunks.read(message)
    }

    /// Drops what has come of a message that is not there as a whole.
    pub fn drop_open(&mut self) {
        self.receiving.chunks = ChunkReassembler::default();
    }

    /// Whether the chunks that have come should be acknowledged at once.
    pub fn should_acknowledge(&self) -> bool {
        let receiving = &self.receiving;
        receiving.count - receiving.acknowledged >= ACK_CHUNKS
            || receiving.unacknowledged_bytes >= ACK_BYTES
    }

    /// Returns an acknowledgement of what has come, if it is news.
    pub fn acknowledge(&mut self) -> Option<Ack> {
        let receiving = &mut self.receiving;
        let count = receiving.count;
        receiving.acknowledge().then_some(Ack {
            count,
            streams: None,
        })
    }

    /// The tokens of the messages that have not been sent as a whole.
    pub fn unfinished(&self) -> Vec<u32> {
        self.sending
            .waiting
            .iter()
            .filter_map(|waiting| waiting.token)
            .collect()
    }
}

impl Sending {
    /// Returns the next chunk of the waiting messages, and the tokens of those that end with it.
    fn next(&mut self) -> Option<(Chunk, Vec<u32>)> {
        let waiting = self.waiting.len();
        let is_small = self.waiting.front()?.outbound.is_small();
        if is_small && waiting < FLUSH_THRESHOLD && self.sent.len() >= BUSY {
            return None;
        }
        let (mut message, mut tokens) = (Vec::new(), Vec::new());
        if is_small && waiting > 1 {
            while let Some(next) = self.waiting.front()
                && next.outbound.join(&mut message)
            {
                tokens.extend(next.token);
                self.replies -= next.reply;
                self.waiting.pop_front();
            }
            return Some((Chunk::Bytes(message), tokens));
        }
        let next = self.waiting.front_mut()?;
        let (chunk, last) = next.outbound.next_chunk();
        if last {
            tokens.extend(next.token);
            self.replies -= next.reply;
            self.waiting.pop_front();
        }
        Some((chunk, tokens))
    }

    /// Nothing was given to the new connection yet, and nobody knows how fast it is.
    fn connected_anew(&mut self) {
        self.given = 0;
        self.in_flight = 0;
        self.window = Window::default();
    }

    fn acknowledge(&mut self, count: u64, now: Millis) -> Result<(), Broken> {
        let news = count.checked_sub(self.acknowledged).ok_or(Broken)?;
        let news = usize::try_from(news).map_err(|_| Broken)?;
        if news > self.sent.len() {
            return Err(Broken);
        }
        let mut newest = None;
        for sent in self.sent.drain(..news) {
            // A chunk that arrived over the previous connection was never given to this one.
            if self.given > 0 {
                self.given -= 1;
                self.in_flight -= sent.chunk.size();
                newest = Some(sent);
            }
        }
        if let Some(sent) = newest {
            let is_full = !self.waiting.is_empty();
            self.window
                .measure(sent.under_way, now.since(sent.at), is_full);
        }
        self.acknowledged = count;
        Ok(())
    }
}

impl Receiving {
    /// Marks everything that has come as acknowledged. Returns whether anything was not before.
    fn acknowledge(&mut self) -> bool {
        self.unacknowledged_bytes = 0;
        core::mem::replace(&mut self.acknowledged, self.count) != self.count
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
