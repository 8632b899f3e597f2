//! The stream of chunks to one peer and back: in order, each exactly once, over as many connections as it takes.
//!
//! Both sides count chunks. The receiver says how many have come; the sender keeps what has not been acknowledged,
//! at most [`WINDOW`], and sends it again on the next connection. What does not fit into the window waits.

use std::collections::VecDeque;

use crate::wire::frame::MAX_FRAME;
use crate::wire::{Ack, Arrived, Chunk, ChunkReassembler, FrameError, OutboundMessage, StreamIds};

/// At most this many bytes are under way without having been acknowledged.
pub(super) const WINDOW: usize = 1024 * 1024;
/// With this many chunks under way, small ones wait until there are [`FLUSH_THRESHOLD`] of them, and go as one: the
/// browser takes longer for each message than for its bytes. Nobody waits for long, since chunks are soon acknowledged.
const BUSY: usize = 4 * ACK_CHUNKS as usize;
/// What a waiting reply takes besides its bytes.
const PER_REPLY: usize = 64;
/// Flush threshold, in messages.
const FLUSH_THRESHOLD: usize = 64;
/// The receiver acknowledges after this many chunks …
const ACK_CHUNKS: u64 = 64;
/// … or after this many bytes.
const ACK_BYTES: usize = 64 * 1024;

/// What a peer said about our stream cannot be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// What the beginning of a connection told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// Everything goes on where it was.
    GoesOn,
    /// The peer has forgotten us in between. These sendings were not finished.
    Anew(Vec<u32>),
}

/// Both directions.
#[derive(Debug)]
pub(super) struct Stream {
    /// Names what we send, so that a peer that has forgotten us does not count on.
    own: u32,
    theirs: Option<u32>,
    /// The peer said on this connection where to go on.
    ready: bool,
    sending: Sending,
    receiving: Receiving,
}

#[derive(Debug, Default)]
struct Sending {
    waiting: VecDeque<Waiting>,
    /// What the replies among that take.
    replies: usize,
    /// What is not acknowledged.
    sent: VecDeque<Chunk>,
    /// How much of that was given to this connection.
    given: usize,
    in_flight: usize,
    acknowledged: u64,
}

/// Something that has not been sent, or not as a whole.
#[derive(Debug)]
struct Waiting {
    outbound: OutboundMessage,
    /// Told when all of it has been sent.
    token: Option<u32>,
    /// What it takes, if the peer asked for it.
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
    /// `own` is random.
    pub fn new(own: u32) -> Stream {
        Stream {
            own,
            theirs: None,
            ready: false,
            sending: Sending::default(),
            receiving: Receiving::default(),
        }
    }

    /// Puts something at the end. The token is told when it has been sent.
    pub fn push(&mut self, outbound: OutboundMessage, token: Option<u32>) {
        self.sending.waiting.push_back(Waiting {
            outbound,
            token,
            reply: 0,
        });
    }

    /// Puts a reply at the end: something that the peer makes us keep. Says how many bytes of replies wait now.
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

    /// The next chunk for the connection, if it may be sent now, and the tokens of what ended with it.
    pub fn next(&mut self) -> Option<(Chunk, Vec<u32>)> {
        let sending = &mut self.sending;
        if !self.ready {
            return None;
        }
        if let Some(again) = sending.sent.get(sending.given) {
            sending.given += 1;
            return Some((again.clone(), Vec::new()));
        }
        if sending.in_flight + MAX_FRAME > WINDOW {
            return None;
        }
        let (chunk, tokens) = sending.next()?;
        sending.in_flight += chunk.size();
        sending.sent.push_back(chunk.clone());
        sending.given += 1;
        Some((chunk, tokens))
    }

    /// What to say first on a new connection. Nothing is sent before the peer has said the same.
    pub fn begin(&mut self) -> Ack {
        self.ready = false;
        self.sending.given = 0;
        self.receiving.acknowledge();
        Ack {
            count: self.receiving.count,
            streams: Some(StreamIds {
                own: self.own,
                yours: self.theirs,
            }),
        }
    }

    /// The peer says how much has come, and first of all of which stream.
    pub fn on_ack(&mut self, count: u64, streams: Option<StreamIds>) -> Result<Begun, Broken> {
        let Some(streams) = streams else {
            let said = self.ready.then_some(count).ok_or(Broken)?;
            self.sending.acknowledge(said)?;
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
        self.sending.acknowledge(if ours { count } else { 0 })?;
        self.ready = true;
        Ok(unfinished.map_or(Begun::GoesOn, Begun::Anew))
    }

    /// Whether the peer has all that there is for it.
    pub fn is_idle(&self) -> bool {
        self.sending.waiting.is_empty() && self.sending.sent.is_empty()
    }

    /// How many of our chunks have arrived.
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

    /// Whether what has come should be told at once.
    pub fn should_acknowledge(&self) -> bool {
        let receiving = &self.receiving;
        receiving.count - receiving.acknowledged >= ACK_CHUNKS
            || receiving.unacknowledged_bytes >= ACK_BYTES
    }

    /// What to tell of what has come, if it is news.
    pub fn acknowledge(&mut self) -> Option<Ack> {
        let receiving = &mut self.receiving;
        let count = receiving.count;
        receiving.acknowledge().then_some(Ack {
            count,
            streams: None,
        })
    }

    /// The tokens of what has not been sent as a whole.
    pub fn unfinished(&self) -> Vec<u32> {
        self.sending
            .waiting
            .iter()
            .filter_map(|waiting| waiting.token)
            .collect()
    }
}

impl Sending {
    /// The next chunk of what waits, and the tokens of what ends with it.
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

    fn acknowledge(&mut self, count: u64) -> Result<(), Broken> {
        let news = count.checked_sub(self.acknowledged).ok_or(Broken)?;
        let news = usize::try_from(news).map_err(|_| Broken)?;
        if news > self.sent.len() {
            return Err(Broken);
        }
        for _ in 0..news {
            let size = self.sent.pop_front().map_or(0, |chunk| chunk.size());
            self.in_flight -= size;
        }
        self.given = self.given.saturating_sub(news);
        self.acknowledged = count;
        Ok(())
    }
}

impl Receiving {
    /// Whether there was anything to tell.
    fn acknowledge(&mut self) -> bool {
        self.unacknowledged_bytes = 0;
        core::mem::replace(&mut self.acknowledged, self.count) != self.count
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
