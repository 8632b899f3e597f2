//! What is said on verified channels: messages and their receipts, names, presence.

use core::time::Duration;
use litemap::LiteMap;

use base32ct::{Base32Unpadded, Encoding};

use super::peer::Peer;
use super::{
    Deadline, Dropped, Event, GoneReason, MAX_PEERS, MAX_TEXT, Message, MessageId, Output, Room,
};
use crate::identity::{Name, PeerId, Trust, TrustBook, TrustChange, TrustDecision};
use crate::rtc::{ConnectionId, LinkCommand};
use crate::time::Millis;
use crate::wire::{Arrived, Frame};

/// So many messages wait for one peer's receipt; the oldest are given up first.
const MAX_OUTBOX: usize = 200;
/// So many messages' deliveries are counted.
const MAX_DELIVERIES: usize = 500;
/// Presence is told so long after the last change.
const PRESENCE: Duration = Duration::from_secs(2);

/// How many have each own message, by its id, and in the order they were said.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    counts: LiteMap<MessageId, (u32, u32)>,
    order: std::collections::VecDeque<MessageId>,
}

impl Deliveries {
    fn begin(&mut self, id: MessageId, of: u32) {
        if self.order.len() >= MAX_DELIVERIES
            && let Some(oldest) = self.order.pop_front()
        {
            self.counts.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.counts.insert(id, (0, of));
    }

    fn change(&mut self, id: &MessageId, change: impl FnOnce(&mut u32, &mut u32)) -> Option<Event> {
        let (delivered, of) = self.counts.get_mut(id)?;
        change(delivered, of);
        Some(Event::Delivery {
            id: id.clone(),
            delivered: *delivered,
            of: *of,
        })
    }
}

impl Room {
    /// Says something to everybody who is here or on the way, or to one of them.
    pub(super) fn say(&mut self, text: &str, only: Option<PeerId>) {
        let length = text.chars().count();
        if text.trim().is_empty() {
            return self.event(Event::Refused(
                "An empty message says nothing, so it was not sent.".to_owned(),
            ));
        }
        if length > MAX_TEXT {
            let sentence =
                format!("A message has at most {MAX_TEXT} characters; this one has {length}.");
            return self.event(Event::Refused(sentence));
        }
        let is_meant = |peer: &Peer| {
            peer.is_shown() && !peer.failed && only.is_none_or(|only| only == peer.id)
        };
        let to = match only {
            None => None,
            Some(only) => match self.peers.get(&only).filter(|peer| is_meant(peer)) {
                Some(peer) => Some(peer.user.clone()),
                None => {
                    return self.event(Event::Refused(
                        "The message was not sent: the person is not here any more.".to_owned(),
                    ));
                }
            },
        };
        let id = MessageId(Base32Unpadded::encode_string(&self.random::<10>()));
        let frame = Frame::Chat {
            id: id.0.clone(),
            text: text.to_owned(),
            at: self.now,
            private: only.is_some(),
        };
        self.event(Event::Message(Message {
            id: id.clone(),
            peer: None,
            sender: self.user(),
            key: self.key(),
            text: text.to_owned(),
            at: self.now,
            private: only.is_some(),
            to,
        }));
        let mut of = 0;
        let mut now_connected = Vec::new();
        let peers = self.peers.iter_mut().map(|(_, peer)| peer);
        for peer in peers.filter(|peer| is_meant(peer)) {
            if peer.outbox.len() >= MAX_OUTBOX {
                peer.outbox.pop_front();
            }
            peer.outbox.push_back((id.clone(), frame.clone()));
            of += 1;
            if peer.current.is_some() {
                now_connected.push(peer.id);
            }
        }
        self.deliveries.begin(id.clone(), of);
        self.event(Event::Delivery {
            id,
            delivered: 0,
            of,
        });
        for peer in now_connected {
            self.send(peer, &frame);
        }
    }

    /// Sends what has no receipt yet over a connection that has just been verified.
    pub(super) fn send_waiting(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get(&id) else {
            return;
        };
        let frames: Vec<Frame> = peer.outbox.iter().map(|(_, frame)| frame.clone()).collect();
        if self.renamed {
            self.send(
                id,
                &Frame::Profile {
                    name: self.name.to_string(),
                },
            );
        }
        frames.iter().for_each(|frame| self.send(id, frame));
    }

    /// Sends one frame over the verified connection, if there is one.
    pub(super) fn send(&mut self, id: PeerId, frame: &Frame) {
        let Some(link) = self.peers.get(&id).and_then(|peer| peer.current.as_ref()) else {
            return;
        };
        let connection = link.connection;
        for text in frame.encode() {
            self.order(connection, LinkCommand::Send(text));
        }
    }

    pub(super) fn send_to_all(&mut self, frame: &Frame) {
        let connected = self.ids(|peer| peer.current.is_some());
        connected.into_iter().for_each(|id| self.send(id, frame));
    }

    /// What a peer that is gone will never acknowledge.
    pub(super) fn not_delivered(&mut self, peer: &Peer) {
        for (id, _) in &peer.outbox {
            let event = self
                .deliveries
                .change(id, |_, of| *of = of.saturating_sub(1));
            self.outputs.extend(event.map(Output::Event));
        }
    }

    pub(super) fn rename(&mut self, name: Name) {
        if name == self.name {
            return;
        }
        self.name = name;
        self.renamed = true;
        self.dirty = true;
        self.send_to_all(&Frame::Profile {
            name: self.name.to_string(),
        });
    }

    pub(super) fn say_leave(&mut self) {
        self.send_to_all(&Frame::Leave);
    }

    /// A text frame came.
    pub(super) fn on_text(&mut self, id: PeerId, connection: ConnectionId, text: &str) {
        if !self
            .peers
            .get(&id)
            .is_some_and(|peer| peer.is_current(connection))
        {
            self.opened(id, connection);
            return self.check_proof(id, connection, text);
        }
        self.heard(id);
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Some(link) = peer.current.as_mut() else {
            return;
        };
        let read = link.joiner.read(text);
        // What applications send is bounded by what it can make us keep, not by how much a person can read.
        match read {
            Ok(Some(Frame::Ack { count, streams })) => self.on_ack(id, count, streams),
            Ok(Some(frame)) if frame.is_chunk() => {
                if !self.count_chunk(id, text.len()) {
                    return self.dropped(Dropped::BadFrame);
                }
                self.arrived(id, Arrived::Frame(frame));
            }
            _ if !peer.speech.take(now) => self.dropped(Dropped::FloodedFrames),
            Ok(Some(frame)) => self.on_frame(id, connection, frame),
            Ok(None) => {}
            Err(_) => self.dropped(Dropped::BadFrame),
        }
    }

    fn on_frame(&mut self, id: PeerId, connection: ConnectionId, frame: Frame) {
        match frame {
            Frame::Chat {
                id: message,
                text,
                at,
                private,
            } => self.on_chat(id, message, text, at, private),
            Frame::Receipt { id: message } => self.on_receipt(id, MessageId(message)),
            Frame::Profile { name } => self.on_profile(id, &name),
            Frame::Ping { id: ping } => self.on_ping(id, ping),
            Frame::Pong { id: ping } => self.on_pong(id, ping),
            Frame::Typing => self.event(Event::Typing { peer: id }),
            Frame::Signal { description } => self.on_signal(id, connection, *description),
            Frame::Candidates { candidates } => self.on_channel_candidates(connection, candidates),
            Frame::Presence { peers } => self.on_presence(&peers),
            Frame::Leave => self.remove(id, GoneReason::Left),
            Frame::Verify { .. } => self.dropped(Dropped::BadFrame),
            // ChunkReassembler of the stream and what is said of it do not come here.
            Frame::Question { .. }
            | Frame::Answer { .. }
            | Frame::File(_)
            | Frame::Ack { .. }
            | Frame::Part { .. }
            | Frame::Unknown => {}
        }
    }

    fn on_chat(&mut self, id: PeerId, message: String, text: String, at: Millis, private: bool) {
        let sound = (1..=40).contains(&message.len())
            && !text.is_empty()
            && text.chars().count() <= MAX_TEXT;
        if !sound {
            return self.dropped(Dropped::BadFrame);
        }
        let now = self.now;
        self.send(
            id,
            &Frame::Receipt {
                id: message.clone(),
            },
        );
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if !peer.take_id(&message) {
            return;
        }
        let event = Event::Message(Message {
            id: MessageId(message),
            peer: Some(id),
            sender: peer.user.clone(),
            key: peer.connect.identity,
            text,
            at: at.min(now),
            private,
            to: None,
        });
        self.event(event);
    }

    fn on_receipt(&mut self, id: PeerId, message: MessageId) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Some(at) = peer
            .outbox
            .iter()
            .position(|(waiting, _)| *waiting == message)
        else {
            return;
        };
        peer.outbox.remove(at);
        let event = self
            .deliveries
            .change(&message, |delivered, _| *delivered += 1);
        self.outputs.extend(event.map(Output::Event));
    }

    fn on_profile(&mut self, id: PeerId, name: &str) {
        let Ok(name) = Name::parse(name) else {
            return self.dropped(Dropped::BadFrame);
        };
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        peer.trust = self.trust.trust(&peer.connect.identity, &name);
        peer.name = name;
        self.dirty = true;
    }

    pub(super) fn presence_soon(&mut self) {
        self.deadlines.set(Deadline::Presence, self.now + PRESENCE);
    }

    pub(super) fn tell_presence(&mut self) {
        let here = self.peers.values().filter(|peer| peer.current.is_some());
        let peers: Vec<String> = here.map(|peer| peer.id.to_string()).collect();
        if peers.len() > 1 {
            self.send_to_all(&Frame::Presence { peers });
        }
    }

    /// Somebody is connected to a peer that we have never heard of: then it has not heard of us either.
    fn on_presence(&mut self, peers: &[String]) {
        let missing = peers
            .iter()
            .take(MAX_PEERS)
            .filter_map(|text| PeerId::parse(text))
            .any(|id| {
                id != self.id
                    && !self.peers.contains_key(&id)
                    && self.departed_until(&id) != Some(Millis(u64::MAX))
            });
        if missing && !self.is_full() {
            self.announce_soon();
        }
    }

    /// What the person decided about a key.
    pub(super) fn judge(&mut self, id: PeerId, what: TrustDecision) {
        let at = self.now;
        let Some(peer) = self.peers.get(&id) else {
            return;
        };
        let note = TrustChange {
            key: peer.connect.identity,
            name: peer.name.clone(),
            at,
            what,
        };
        self.remember(note.clone());
        for id in self.ids(|peer| peer.connect.identity == note.key) {
            self.judged(id);
        }
        self.dirty = true;
    }

    /// What the person decided in another tab.
    pub(super) fn heed(&mut self, book: TrustBook) {
        let before = core::mem::replace(&mut self.trust, book);
        let here = self.ids(|peer| !before.is_blocked(&peer.connect.identity));
        here.into_iter().for_each(|id| self.judged(id));
        self.dirty = true;
    }

    /// Acts on what the trust book says of somebody who is here.
    fn judged(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if self.trust.is_blocked(&peer.connect.identity) {
            self.send(id, &Frame::Leave);
            return self.remove(id, GoneReason::Blocked);
        }
        let trust = self.trust.trust(&peer.connect.identity, &peer.name);
        // Who is met for the first time stays new for as long as they are here.
        if (peer.trust, trust) != (Trust::New, Trust::Known) {
            peer.trust = trust;
        }
    }

    /// Notes it in our own book, and tells the driver to store it.
    pub(super) fn remember(&mut self, note: TrustChange) {
        self.trust.note(&note);
        self.outputs.push_back(Output::Remember(note));
    }
}
