//! Channels on verified links: a budget for incoming frames, the reliable stream, values and pings.
//!
//! Incoming frames are given back to [`Room`](super::Room), which routes them by domain.

#[cfg(feature = "files")]
pub(super) mod files;
mod flood;
#[cfg(not(feature = "files"))]
mod no_files;
mod pings;
pub(super) mod questions;
mod stream;
mod window;

use core::time::Duration;

use chacha20::rand_core::Rng;
use litemap::LiteMap;

use super::counters::Dropped;
use super::cx::Cx;
use super::effect::{Effect, PeerEvent};
#[cfg(feature = "files")]
use super::io::Output;
use super::io::{AppCommand, AppEvent, GoneReason, SendError};
use super::links::Links;
use crate::budget::Budget;
use crate::identity::PeerId;
use crate::room::timer::ChannelTimer;
use crate::rtc::LinkCommand;
use crate::time::Millis;
use crate::wire::frame::Ack;
use crate::wire::{
    Arrived, Chunk, Frame, FrameError, OutboundMessage, PartReassembler, Purpose, Value,
};

use flood::Flood;
#[cfg(not(feature = "files"))]
pub(super) use no_files::NoFiles;
use pings::Pings;
use stream::{Begun, Stream};

/// Frames that one peer may send: at most this many at once …
const FRAMES_BURST: u32 = 400;
/// … and this many a second from then on.
const FRAMES_PER_SECOND: u32 = 60;
/// Chunks that have come are acknowledged after this time at the latest.
const ACK_DELAY: Duration = Duration::from_millis(50);

/// The most bytes of replies that wait for one peer …
const MAX_REPLIES: usize = 16 * 1024 * 1024;
/// … and for one that has acknowledged nothing for this long.
const MAX_STALLED_REPLIES: usize = 1024 * 1024;
const STALL_TIMEOUT: Duration = Duration::from_secs(10);

/// State shared with one verified peer.
#[derive(Debug)]
struct Channel {
    /// The budget for its frames.
    frames: Budget,
    parts: PartReassembler,
    stream: Stream,
    /// The time since which it has acknowledged nothing, although something was waiting for it.
    acknowledged: Millis,
    pings: Pings,
    flood: Flood,
}

impl Channel {
    /// Something comes to the end of the stream. A peer that has everything is not slow for having said nothing.
    fn begin_to_wait(&mut self, now: Millis) {
        if self.stream.is_idle() {
            self.acknowledged = now;
        }
    }
}

/// The channels to all peers that have been verified in this session, connected or being looked for.
#[derive(Debug, Default)]
pub(super) struct Channels(LiteMap<PeerId, Channel>);

impl Channels {
    /// Whether something can be sent to this peer: it is connected, or was connected and is being looked for.
    pub fn contains(&self, peer: &PeerId) -> bool {
        self.0.contains_key(peer)
    }

    /// Handles a command of the application.
    pub fn on_command(&mut self, command: AppCommand, links: &Links, cx: &mut Cx) {
        match command {
            AppCommand::Send {
                peer,
                token,
                purpose,
                value,
            } => self.send_value(peer, token, purpose, value, links, cx),
            AppCommand::Ping { peer, token } => {
                let channel = self.0.get_mut(&peer).filter(|_| links.is_connected(&peer));
                match channel {
                    Some(channel) => channel.pings.send(peer, token, cx),
                    None => send_failed(token, SendError::Gone, cx),
                }
            }
            // `Room` routes these to the questions.
            AppCommand::Ask { .. } | AppCommand::Withdraw { .. } | AppCommand::Answer { .. } => {}
        }
    }

    fn send_value(
        &mut self,
        peer: PeerId,
        token: u32,
        purpose: Purpose,
        value: Value,
        links: &Links,
        cx: &mut Cx,
    ) {
        if !self.contains(&peer) {
            return send_failed(token, SendError::Gone, cx);
        }
        match OutboundMessage::value(purpose, value) {
            Ok(message) => self.push(peer, message, Some(token), links, cx),
            Err(FrameError::TooLarge) => send_failed(token, SendError::TooLarge, cx),
            Err(_) => send_failed(token, SendError::Malformed, cx),
        }
    }

    /// Appends a message to the stream to this peer.
    pub fn push(
        &mut self,
        peer: PeerId,
        message: OutboundMessage,
        token: Option<u32>,
        links: &Links,
        cx: &mut Cx,
    ) {
        if let Some(channel) = self.0.get_mut(&peer) {
            channel.begin_to_wait(cx.now);
            channel.stream.push(message, token);
        }
        self.pump(peer, links, cx);
    }

    /// Appends a reply to the stream to this peer. Removes a peer that makes us keep too many replies.
    pub fn reply(&mut self, peer: PeerId, message: OutboundMessage, links: &Links, cx: &mut Cx) {
        let Some(channel) = self.0.get_mut(&peer) else {
            return;
        };
        channel.begin_to_wait(cx.now);
        let waiting = channel.stream.push_reply(message);
        let stalled = cx.now.since(channel.acknowledged) >= STALL_TIMEOUT;
        if waiting > MAX_REPLIES || (waiting > MAX_STALLED_REPLIES && stalled) {
            cx.dropped(Dropped::TooManyReplies);
            return cx.effect(Effect::Remove(peer, GoneReason::Silent));
        }
        self.pump(peer, links, cx);
    }

    /// Gives the connection the chunks that may be sent now.
    fn pump(&mut self, peer: PeerId, links: &Links, cx: &mut Cx) {
        let (Some(channel), Some(connection)) = (self.0.get_mut(&peer), links.connection(&peer))
        else {
            return;
        };
        let mut any = false;
        while let Some((chunk, sent)) = channel.stream.next(cx.now) {
            any = true;
            let command = match chunk {
                Chunk::Text(text) => LinkCommand::Send(text),
                Chunk::Bytes(bytes) => LinkCommand::SendBytes(bytes),
            };
            cx.link(connection, command);
            sent.into_iter()
                .for_each(|token| cx.app(AppEvent::Sent { token }));
        }
        if any {
            cx.effect(Effect::ChunksSent(peer));
        }
    }

    /// Handles a text frame. Returns a frame that another machine handles.
    pub fn on_text(
        &mut self,
        peer: PeerId,
        text: &str,
        links: &Links,
        cx: &mut Cx,
    ) -> Option<Frame> {
        let channel = self.0.get_mut(&peer)?;
        let muted = channel.flood.is_muted();
        // Chunks of applications are bounded by how much they can make us keep, not by how much a person can read.
        match channel.parts.read(text) {
            Ok(Some(Frame::Ack(ack))) => self.on_ack(peer, ack, links, cx),
            Ok(Some(frame)) if frame.is_chunk() => {
                if !self.count_chunk(peer, text.len(), cx) {
                    cx.dropped(Dropped::BadFrame);
                } else if muted {
                    cx.dropped(Dropped::FloodedFrames);
                } else {
                    self.arrived(peer, Arrived::Frame(frame), cx);
                }
            }
            _ if !channel.frames.take(cx.now) => cx.dropped(Dropped::FloodedFrames),
            // The connection to a peer that is muted lasts.
            Ok(frame) if muted => {
                return frame.filter(|frame| matches!(frame, Frame::Link(_)));
            }
            Ok(frame) => return frame,
            Err(_) => cx.dropped(Dropped::BadFrame),
        }
        None
    }

    /// Handles a binary message.
    pub fn on_bytes(&mut self, peer: PeerId, message: &[u8], cx: &mut Cx) {
        if !self.count_chunk(peer, message.len(), cx) {
            return cx.dropped(Dropped::BadFrame);
        }
        let Some(channel) = self.0.get_mut(&peer) else {
            return;
        };
        if channel.flood.is_muted() {
            return cx.dropped(Dropped::FloodedFrames);
        }
        match channel.stream.read(message) {
            Ok(Some(arrived)) => self.arrived(peer, arrived, cx),
            Ok(None) => {}
            Err(FrameError::TooLarge) => cx.dropped(Dropped::TooLarge),
            Err(_) => cx.dropped(Dropped::BadFrame),
        }
    }

    /// Whether nothing of a peer is looked at, because it sent too much.
    pub fn is_muted(&self, peer: &PeerId) -> bool {
        let channel = self.0.get(peer);
        channel.is_some_and(|channel| channel.flood.is_muted())
    }

    /// Something of a peer was dropped that breaks the limits.
    pub fn on_dropped(&mut self, peer: PeerId, reason: Dropped, cx: &mut Cx) {
        if let Some(channel) = self.0.get_mut(&peer)
            && channel.flood.dropped(peer, reason, cx)
        {
            // What began before is not continued by what comes once it is listened to again.
            channel.parts = PartReassembler::default();
            channel.stream.drop_open();
        }
    }

    /// Reports how much of a peer could not be read.
    pub fn tell(&mut self, peer: PeerId, cx: &mut Cx) {
        if let Some(channel) = self.0.get_mut(&peer) {
            channel.flood.tell(peer, cx);
        }
    }

    /// Listens again to a peer, and returns whether it was muted.
    pub fn listen(&mut self, peer: &PeerId, cx: &mut Cx) -> bool {
        let channel = self.0.get_mut(peer);
        channel.is_some_and(|channel| channel.flood.listen(cx))
    }

    /// Answers a peer that asks whether we are there.
    pub fn on_ping(&mut self, peer: PeerId, id: Option<String>, cx: &mut Cx) {
        pings::answer(peer, id, cx);
    }

    /// Handles a peer's answer to a ping.
    pub fn on_pong(&mut self, peer: PeerId, id: Option<String>, cx: &mut Cx) {
        if let Some(channel) = self.0.get_mut(&peer) {
            channel.pings.on_pong(peer, id, cx);
        }
    }

    fn on_ack(&mut self, peer: PeerId, ack: Ack, links: &Links, cx: &mut Cx) {
        let Some(channel) = self.0.get_mut(&peer) else {
            return;
        };
        let before = channel.stream.acknowledged();
        let begun = channel.stream.on_ack(ack.count, ack.streams, cx.now);
        // Only progress counts: a peer that repeats an acknowledgement takes nothing.
        if channel.stream.acknowledged() > before {
            channel.acknowledged = cx.now;
        }
        match begun {
            Ok(Begun::GoesOn) => {}
            Ok(Begun::Anew(unfinished)) => {
                for token in unfinished {
                    send_failed(token, SendError::Gone, cx);
                }
                cx.peer(peer, PeerEvent::Forgotten);
            }
            Err(_) => cx.dropped(Dropped::BadFrame),
        }
        self.pump(peer, links, cx);
    }

    /// Counts a chunk of the stream, and acknowledges it now or soon. Returns false if no chunk may come yet.
    fn count_chunk(&mut self, peer: PeerId, size: usize, cx: &mut Cx) -> bool {
        let channel = self.0.get_mut(&peer);
        let Some(channel) = channel.filter(|channel| channel.stream.is_ready()) else {
            return false;
        };
        channel.stream.count(size);
        if channel.stream.should_acknowledge() {
            self.acknowledge(peer, cx);
        } else {
            let by = cx.now + ACK_DELAY;
            cx.timers.set_earlier(ChannelTimer::Ack(peer).into(), by);
        }
        true
    }

    /// Tells this peer how much of its stream has come.
    pub fn acknowledge(&mut self, peer: PeerId, cx: &mut Cx) {
        let channel = self.0.get_mut(&peer);
        if let Some(ack) = channel.and_then(|channel| channel.stream.acknowledge()) {
            cx.send(peer, ack);
        }
    }

    /// Handles a whole message of the stream.
    fn arrived(&mut self, peer: PeerId, arrived: Arrived, cx: &mut Cx) {
        match arrived {
            Arrived::Several(all) => all.into_iter().for_each(|one| self.arrived(peer, one, cx)),
            Arrived::Value(purpose, value) => {
                yield_files(cx);
                cx.app(AppEvent::Value {
                    peer,
                    purpose,
                    value,
                });
            }
            Arrived::Frame(Frame::Question(frame)) => {
                yield_files(cx);
                cx.effect(Effect::Question(peer, frame));
            }
            Arrived::Frame(Frame::Entry(frame)) => {
                // At once, because people wait for it, and a page in the background has slow timers.
                self.acknowledge(peer, cx);
                cx.effect(Effect::Entry(peer, frame));
            }
            Arrived::Frame(Frame::File(frame)) => {
                // Every offer makes us keep or answer something.
                let offer = frame.step == "offer";
                let frames = self.0.get_mut(&peer).map(|channel| &mut channel.frames);
                if offer && !frames.is_some_and(|frames| frames.take(cx.now)) {
                    return cx.dropped(Dropped::FloodedFrames);
                }
                cx.effect(Effect::File(peer, frame));
            }
            Arrived::Frame(_) => {}
        }
    }

    /// Handles an event of a peer.
    pub fn on_peer(&mut self, peer: PeerId, event: &PeerEvent, links: &Links, cx: &mut Cx) {
        match event {
            PeerEvent::Verified => self.begin(peer, cx),
            PeerEvent::Lost if !links.is_connected(&peer) => self.lose_pings(peer, cx),
            PeerEvent::Gone { .. } => {
                cx.timers.clear(&ChannelTimer::Ack(peer).into());
                cx.timers.clear(&ChannelTimer::Unreadable(peer).into());
                let Some(channel) = self.0.remove(&peer) else {
                    return;
                };
                let unfinished = channel.stream.unfinished().into_iter();
                for token in unfinished.chain(channel.pings.tokens()) {
                    send_failed(token, SendError::Gone, cx);
                }
            }
            PeerEvent::Lost | PeerEvent::Returned | PeerEvent::Forgotten => {}
        }
    }

    /// Acknowledges the peer's stream on a connection that has just been verified.
    fn begin(&mut self, peer: PeerId, cx: &mut Cx) {
        self.lose_pings(peer, cx);
        let new = || Channel {
            frames: Budget::new(FRAMES_BURST, FRAMES_PER_SECOND, cx.now),
            parts: PartReassembler::default(),
            stream: Stream::new(cx.rng.next_u32()),
            acknowledged: cx.now,
            pings: Pings::default(),
            flood: Flood::new(cx.now),
        };
        let channel = self.0.entry(peer).or_insert_with(new);
        channel.parts = PartReassembler::default();
        let ack = channel.stream.begin();
        cx.send(peer, ack);
    }

    /// Fails the pings of a peer: they and their answers are lost with the connection.
    fn lose_pings(&mut self, peer: PeerId, cx: &mut Cx) {
        if let Some(channel) = self.0.get_mut(&peer) {
            for token in core::mem::take(&mut channel.pings).tokens() {
                send_failed(token, SendError::Lost, cx);
            }
        }
    }
}

/// Makes the bytes of files give way for a moment, because people or applications talk.
pub(super) fn yield_files(cx: &mut Cx) {
    #[cfg(feature = "files")]
    cx.output(Output::YieldFiles);
    #[cfg(not(feature = "files"))]
    let _ = cx;
}

pub(super) fn send_failed(token: u32, reason: SendError, cx: &mut Cx) {
    cx.app(AppEvent::SendFailed { token, reason });
}
