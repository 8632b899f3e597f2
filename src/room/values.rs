//! What applications send: values and pings, and the stream that carries values, questions and answers.

use core::time::Duration;

use super::peer::Peer;
use super::stream::{Begun, Stream};
use super::{Deadline, Dropped, Event, GoneReason, Output, Purpose, Room, SendError, Value};
use crate::identity::PeerId;
use crate::rtc::{ConnectionId, LinkCommand};
use crate::time::Millis;
use crate::wire::{Arrived, Chunk, Frame, FrameError, OutboundMessage, StreamIds};
use chacha20::rand_core::Rng;

/// What has come is acknowledged after this at the latest.
const TELL: Duration = Duration::from_millis(50);
/// That the person is writing is said so often.
const TYPING: Duration = Duration::from_secs(3);
/// So many pings to one peer wait for their answers.
const MAX_PINGS: usize = 64;
/// A ping's id has at most this many bytes.
const MAX_PING_ID: usize = 40;

impl Room {
    pub(super) fn new_stream(&mut self) -> Stream {
        Stream::new(self.rng.next_u32())
    }

    /// Whether values are taken for this peer: it is connected, or was and is being looked for.
    pub(super) fn can_be_sent_to(&self, id: &PeerId) -> bool {
        self.peers.get(id).is_some_and(|peer| peer.was_verified)
    }

    pub(super) fn send_value(&mut self, id: PeerId, token: u32, purpose: Purpose, value: Value) {
        if !self.can_be_sent_to(&id) {
            return self.not_taken(token, SendError::Gone);
        }
        match OutboundMessage::value(purpose, value) {
            Ok(outbound) => self.push(id, outbound, Some(token)),
            Err(FrameError::TooLarge) => self.not_taken(token, SendError::TooLarge),
            Err(_) => self.not_taken(token, SendError::Malformed),
        }
    }

    fn not_taken(&mut self, token: u32, reason: SendError) {
        self.event(Event::SendFailed { token, reason });
    }

    /// Puts something at the end of the stream to this peer.
    pub(super) fn push(&mut self, id: PeerId, outbound: OutboundMessage, token: Option<u32>) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.stream.push(outbound, token);
        }
        self.pump(id);
    }

    /// Gives the connection what may be sent now.
    fn pump(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Some(link) = &peer.current else { return };
        while let Some((chunk, taken)) = peer.stream.next() {
            let order = match chunk {
                Chunk::Text(text) => LinkCommand::Send(text),
                Chunk::Bytes(bytes) => LinkCommand::SendBytes(bytes),
            };
            self.outputs
                .push_back(Output::Connection(link.connection, order));
            let taken = taken.into_iter().map(|token| Event::Sent { token });
            self.outputs.extend(taken.map(Output::Event));
        }
    }

    /// Says on a connection that has just been verified what has come of the peer's stream.
    pub(super) fn begin_stream(&mut self, id: PeerId) {
        self.lose_pings(id);
        let frame = self.peers.get_mut(&id).map(|peer| peer.stream.begin());
        frame.into_iter().for_each(|frame| self.send(id, &frame));
        #[cfg(feature = "files")]
        self.go_on_with_files(id);
    }

    /// Whoever offers a file to a page that takes none is told so.
    #[cfg(not(feature = "files"))]
    fn on_file_step(&mut self, peer: PeerId, step: crate::wire::FileStep) {
        if step.step == "offer" {
            let frame = Frame::File(crate::wire::FileStep {
                number: step.number,
                step: "refuse".to_owned(),
                text: Some("This page takes no files.".to_owned()),
                ..Default::default()
            });
            self.push(peer, OutboundMessage::frame(&frame), None);
        }
    }

    pub(super) fn on_ack(&mut self, id: PeerId, count: u64, streams: Option<StreamIds>) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        match peer.stream.on_ack(count, streams) {
            Ok(Begun::GoesOn) => {}
            Ok(Begun::Anew(unfinished)) => self.was_forgotten(id, unfinished),
            Err(_) => self.dropped(Dropped::BadFrame),
        }
        self.pump(id);
    }

    /// The peer gave us up and forgot us, without our noticing: for it we were gone, so for us it was.
    fn was_forgotten(&mut self, id: PeerId, unfinished: Vec<u32>) {
        for token in unfinished {
            self.not_taken(token, SendError::Gone);
        }
        self.no_answer_from(id);
        #[cfg(feature = "files")]
        self.no_files_of(id);
        if let Some(peer) = self.shown.remove(&id) {
            let reason = GoneReason::Silent;
            self.event(Event::Gone { peer, reason });
        }
        self.dirty = true;
    }

    /// A binary message came.
    pub(super) fn on_bytes(&mut self, id: PeerId, connection: ConnectionId, message: &[u8]) {
        let current = |peer: &Peer| peer.is_current(connection);
        if !self.peers.get(&id).is_some_and(current) {
            self.dropped(Dropped::BadFrame);
            self.opened(id, connection);
            // It is no proof.
            return self.check_proof(id, connection, "");
        }
        self.heard(id);
        if !self.count_chunk(id, message.len()) {
            return self.dropped(Dropped::BadFrame);
        }
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        match peer.stream.read(message) {
            Ok(Some(arrived)) => self.arrived(id, arrived),
            Ok(None) => {}
            Err(FrameError::TooLarge) => self.dropped(Dropped::TooLarge),
            Err(_) => self.dropped(Dropped::BadFrame),
        }
    }

    /// Counts a chunk of the stream, and says so now or soon. False if none may come yet.
    pub(super) fn count_chunk(&mut self, id: PeerId, size: usize) -> bool {
        let Some(peer) = self.peers.get_mut(&id) else {
            return false;
        };
        if !peer.stream.is_ready() {
            return false;
        }
        peer.stream.count(size);
        if peer.stream.has_much_to_tell() {
            self.tell_count(id);
        } else {
            let by = self.now + TELL;
            self.deadlines.set_earlier(Deadline::Tell(id), by);
        }
        true
    }

    pub(super) fn tell_count(&mut self, id: PeerId) {
        let frame = self.peers.get_mut(&id).and_then(|peer| peer.stream.tell());
        frame.into_iter().for_each(|frame| self.send(id, &frame));
    }

    /// A whole chunk of the stream, or all chunks of something.
    pub(super) fn arrived(&mut self, peer: PeerId, arrived: Arrived) {
        match arrived {
            Arrived::Several(all) => all.into_iter().for_each(|one| self.arrived(peer, one)),
            Arrived::Value(purpose, value) => self.event(Event::Value {
                peer,
                purpose,
                value,
            }),
            Arrived::Frame(Frame::Question { id, topic, content }) => {
                self.on_question(peer, id, topic, content)
            }
            Arrived::Frame(Frame::Answer { id, result }) => self.on_answer_frame(peer, &id, result),
            Arrived::Frame(Frame::File(step)) => self.on_file_step(peer, step),
            Arrived::Frame(_) => {}
        }
    }

    /// What a peer that is gone will never get, and what it will never answer.
    pub(super) fn not_sent(&mut self, peer: &Peer) {
        let pings = peer.pings.iter().map(|(token, _)| *token);
        for token in peer.stream.unfinished().into_iter().chain(pings) {
            self.not_taken(token, SendError::Gone);
        }
        self.no_answer_from(peer.id);
        #[cfg(feature = "files")]
        self.no_files_of(peer.id);
        #[cfg(feature = "files")]
        self.deadlines.clear(&Deadline::Files(peer.id));
        self.deadlines.clear(&Deadline::Tell(peer.id));
    }

    pub(super) fn ping(&mut self, id: PeerId, token: u32) {
        let now = self.now;
        let connected = |peer: &&mut Peer| peer.current.is_some();
        let Some(peer) = self.peers.get_mut(&id).filter(connected) else {
            return self.not_taken(token, SendError::Gone);
        };
        if peer.pings.len() >= MAX_PINGS {
            return self.not_taken(token, SendError::Lost);
        }
        peer.pings.push((token, now));
        let id_on_the_wire = Some(token.to_string());
        self.send(id, &Frame::Ping { id: id_on_the_wire });
    }

    pub(super) fn on_ping(&mut self, peer: PeerId, id: Option<String>) {
        if id.as_ref().is_some_and(|id| id.len() > MAX_PING_ID) {
            return self.dropped(Dropped::BadFrame);
        }
        self.send(peer, &Frame::Pong { id });
    }

    pub(super) fn on_pong(&mut self, id: PeerId, ping: Option<String>) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let token = ping.and_then(|ping| ping.parse().ok());
        let fits = |(open, _): &(u32, Millis)| Some(*open) == token;
        if let Some(at) = peer.pings.iter().position(fits) {
            let (token, asked) = peer.pings.remove(at);
            self.event(Event::Pong {
                token,
                peer: id,
                after: now.since(asked),
            });
        }
    }

    /// Pings and their answers are lost with the connection.
    pub(super) fn lose_pings(&mut self, id: PeerId) {
        let peer = self.peers.get_mut(&id);
        let lost = peer.map(|peer| core::mem::take(&mut peer.pings));
        for (token, _) in lost.unwrap_or_default() {
            self.not_taken(token, SendError::Lost);
        }
    }

    pub(super) fn typing(&mut self) {
        let now = self.now;
        if self.typed.is_some_and(|at| now.since(at) < TYPING) {
            return;
        }
        self.typed = Some(now);
        self.send_to_all(&Frame::Typing);
    }

    pub(super) fn disconnect(&mut self, id: PeerId) {
        self.send(id, &Frame::Leave);
        self.remove(id, GoneReason::Disconnected);
    }

    /// What was asked for after the room was left still gets its answer.
    pub(super) fn refuse(&mut self, command: super::Command) {
        use super::{AskError, Command};
        match command {
            Command::Send { token, .. } | Command::Ping { token, .. } => {
                self.not_taken(token, SendError::Gone);
            }
            Command::Ask { token, peer, .. } => self.event(Event::Answered {
                token,
                peer,
                result: Err(AskError::Gone),
            }),
            #[cfg(feature = "files")]
            Command::File(command) => self.refuse_file(command),
            _ => {}
        }
    }
}
