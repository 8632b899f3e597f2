//! Links to peers: dialing, proof, keep-alive, renegotiation.
//!
//! A link begins with an attempt: one peer connection, an offer and its answer. Once the peer has proven who it is, the
//! connection becomes the one that frames go over. Later attempts replace it.

mod answers;
mod dialing;
mod keep_alive;
mod link;
mod lost;
mod proof;
mod renegotiation;

use std::collections::VecDeque;

use litemap::LiteMap;

use super::counters::Dropped;
use super::cx::Cx;
use super::effect::PeerEvent;
use super::io::PeerState;
use super::members::{Members, Received};
use crate::budget::Budget;
use crate::identity::PeerId;
use crate::room::timer::LinkTimer;
use crate::rtc::{ConnectionId, Limit, LinkCommand, LinkEvent, Path, SessionLimits};
use crate::time::Millis;
use crate::wire::Attempt as AttemptNumber;
use crate::wire::frame::LinkFrame;
use crate::wire::{Frame, Nonce};

use link::{Link, Stage};

/// At most this many connections are being made at once …
pub const MAX_ATTEMPTS: usize = 8;
/// … and this many more to known keys, so that strangers cannot take all places.
const KNOWN_ATTEMPTS: usize = 4;

/// A message that came over a verified link.
#[derive(Debug)]
pub(super) enum ChannelMessage {
    /// A text frame, or a part of one.
    Text(PeerId, String),
    /// A binary message.
    Bytes(PeerId, Vec<u8>),
}

/// Connections to strangers are made at this rate: at most this many at once …
const STRANGERS_BURST: u32 = 128;
/// … and then this many a second. Chromium has at most 500, and counts closed ones until it collects its garbage.
const STRANGERS_PER_SECOND: u32 = 8;

#[derive(Debug)]
pub(super) struct Links {
    links: LiteMap<PeerId, Link>,
    /// The peer of each connection.
    connections: LiteMap<ConnectionId, PeerId>,
    /// Peers that wait for a free place among the attempts.
    waiting: VecDeque<PeerId>,
    /// The budget for connections to strangers. Identities cost nothing, so it is one for all of them.
    strangers: Budget,
    next_connection: u32,
    next_attempt: u32,
    /// When something last came from anybody.
    heard: Millis,
    /// When the connection to the broker was last tested because a peer did not answer.
    broker_tested: Millis,
    /// When the newest connection to a broker began to open.
    broker_opened: Millis,
}

impl Links {
    pub fn new(now: Millis) -> Links {
        Links {
            links: LiteMap::new(),
            connections: LiteMap::new(),
            waiting: VecDeque::new(),
            strangers: Budget::new(STRANGERS_BURST, STRANGERS_PER_SECOND, now),
            next_connection: 0,
            next_attempt: 0,
            heard: now,
            broker_tested: Millis(0),
            broker_opened: now,
        }
    }
}

/// Queries for other machines.
impl Links {
    /// The state of the connection to a peer, as shown to people.
    pub fn state(&self, peer: &PeerId) -> PeerState {
        self.links
            .get(peer)
            .map_or(PeerState::Connecting, Link::shown_state)
    }

    /// The connection that frames to this peer go over.
    pub fn connection(&self, peer: &PeerId) -> Option<ConnectionId> {
        Some(self.links.get(peer)?.state.open()?.connection)
    }

    /// The peer at the other end of a connection.
    pub fn peer_of(&self, connection: ConnectionId) -> Option<PeerId> {
        self.connections.get(&connection).copied()
    }

    /// Whether frames can be sent to this peer now.
    pub fn is_connected(&self, peer: &PeerId) -> bool {
        self.connection(peer).is_some()
    }

    /// The peers that frames can be sent to now.
    pub fn connected(&self) -> impl Iterator<Item = PeerId> {
        let open = self.links.iter();
        let open = open.filter(|(_, link)| link.state.open().is_some());
        open.map(|(peer, _)| *peer)
    }

    /// Whether any peer that was connected is being looked for now.
    pub fn is_anybody_missed(&self) -> bool {
        self.links.values().any(Link::is_missed)
    }

    /// Whether a connection to this peer is being made.
    pub fn is_dialing(&self, peer: &PeerId) -> bool {
        let link = self.links.get(peer);
        link.is_some_and(|link| link.attempt.is_some())
    }

    /// Whether our description for the connection that is being made is not there yet.
    fn is_describing(&self, peer: &PeerId) -> bool {
        let attempt = self.links.get(peer).and_then(|link| link.attempt.as_ref());
        attempt.is_some_and(|attempt| matches!(attempt.stage, Stage::Describing { .. }))
    }

    /// How many connections are being made.
    fn attempts(&self) -> usize {
        let links = self.links.values();
        links.filter(|link| link.attempt.is_some()).count()
    }

    /// Whether a connection to this peer can be made now.
    fn has_place(&mut self, peer: &PeerId, members: &Members, now: Millis) -> bool {
        let attempts = self.attempts();
        let kept_free = attempts < MAX_ATTEMPTS + KNOWN_ATTEMPTS;
        (attempts < MAX_ATTEMPTS && self.strangers.has_token(now))
            || (kept_free && members.is_known(peer))
    }

    /// The challenge of our offer to this peer, if it waits for the answer with this number.
    pub fn open_offer(&self, peer: &PeerId, number: AttemptNumber) -> Option<Nonce> {
        let attempt = self.links.get(peer)?.attempt.as_ref()?;
        match &attempt.stage {
            Stage::Offered { ours } if attempt.number == number => Some(ours.challenge),
            _ => None,
        }
    }

    /// The challenge in the offer with this number, whose connection to this peer is open or being made.
    pub fn challenge_of(&self, peer: &PeerId, number: AttemptNumber) -> Option<Nonce> {
        self.links.get(peer)?.challenge_of(number)
    }
}

impl Links {
    /// Handles an event of a connection. Returns a message that came over a verified one. `expects_offer` says that the peer has
    /// as much reason to negotiate as we have.
    pub fn on_event(
        &mut self,
        connection: ConnectionId,
        event: LinkEvent,
        expects_offer: bool,
        cx: &mut Cx,
    ) -> Option<ChannelMessage> {
        let peer = *self.connections.get(&connection)?;
        let verified = self.connection(&peer) == Some(connection);
        match event {
            LinkEvent::Text(text) if verified => {
                self.heard(peer, cx);
                return Some(ChannelMessage::Text(peer, text));
            }
            LinkEvent::Bytes(bytes) if verified => {
                self.heard(peer, cx);
                return Some(ChannelMessage::Bytes(peer, bytes));
            }
            LinkEvent::Text(text) => {
                self.opened(peer, connection, cx);
                self.check_proof(peer, connection, &text, cx);
            }
            LinkEvent::Bytes(_) => {
                cx.dropped(Dropped::BadFrame);
                self.opened(peer, connection, cx);
                // Bytes are no proof.
                self.check_proof(peer, connection, "", cx);
            }
            LinkEvent::Renegotiating(description) => {
                self.on_renegotiating(peer, connection, description, cx)
            }
            LinkEvent::Described(description) => self.on_described(peer, &description, cx),
            LinkEvent::Candidates(candidates) if verified => {
                cx.send(peer, LinkFrame::Candidates { candidates });
            }
            LinkEvent::Candidates(candidates) => self.tell_candidates(peer, candidates, cx),
            LinkEvent::Opened => self.opened(peer, connection, cx),
            LinkEvent::NegotiationNeeded if verified => {
                self.negotiation_needed(peer, expects_offer, cx);
            }
            LinkEvent::Path(Path::Disconnected) if verified => self.probe(peer, cx),
            LinkEvent::Closed if verified => self.closed(peer, cx),
            LinkEvent::Exceeded(Limit::Candidates) => {}
            LinkEvent::Path(Path::Lost) | LinkEvent::Failed(_) | LinkEvent::Exceeded(_)
                if verified =>
            {
                self.broken(peer, cx);
            }
            // A browser that may use no network at all gives up before our description is made. The peer gets it even
            // so, and then both know what the matter is.
            LinkEvent::Path(Path::Lost) if self.is_describing(&peer) => {}
            LinkEvent::Path(Path::Lost)
            | LinkEvent::Closed
            | LinkEvent::Failed(_)
            | LinkEvent::Exceeded(_) => {
                self.attempt_failed(peer, cx);
            }
            LinkEvent::NegotiationNeeded | LinkEvent::Path(_) => {}
        }
        None
    }

    /// Acts on a body that passed the checks.
    pub fn on_received(
        &mut self,
        received: Received,
        will_be_heard: bool,
        members: &Members,
        cx: &mut Cx,
    ) {
        match received {
            Received::Announced(peer) => {
                self.revive(peer);
                self.announced(peer, members, cx);
                self.meet(peer, will_be_heard, members, cx);
            }
            Received::Offer(peer, offer) => {
                self.revive(peer);
                self.hold_offer(peer, offer, cx);
                self.take_held_offer(peer, members, cx);
            }
            Received::Knocked(peer) => {
                self.revive(peer);
                self.meet(peer, false, members, cx);
            }
            Received::Stale(peer) => {
                self.revive(peer);
                // Not at once: it may have heard a newer announcement of ours by now, and offer for that one.
                self.meet(peer, true, members, cx);
            }
            Received::Answer(peer, introduction, description) => {
                self.on_answer(peer, &introduction, description, cx);
            }
            Received::Candidates(peer, number, stamp, candidates) => {
                self.add_candidates(peer, number, Some(stamp), candidates, cx);
            }
            Received::Full | Received::Early(_) | Received::Leave(_) => {}
        }
    }

    /// Handles a frame about the connection itself. What the peer may negotiate has these limits.
    pub fn on_frame(
        &mut self,
        peer: PeerId,
        frame: LinkFrame,
        limits: &SessionLimits,
        cx: &mut Cx,
    ) {
        match frame {
            LinkFrame::Signal { description } => self.on_signal(peer, *description, limits, cx),
            LinkFrame::Turn => self.on_turn(peer, cx),
            LinkFrame::Candidates { candidates } => self.on_late_candidates(peer, candidates, cx),
            LinkFrame::Verify { .. } => cx.dropped(Dropped::BadFrame),
            // `Room` routes pings to the channel, and a farewell to the members.
            LinkFrame::Ping { .. } | LinkFrame::Pong { .. } | LinkFrame::Leave => {}
        }
    }

    /// Handles a timer of this machine.
    pub fn on_timer(&mut self, timer: LinkTimer, members: &Members, cx: &mut Cx) {
        match timer {
            LinkTimer::Dial(peer) => self.dial(peer, members, cx),
            LinkTimer::Attempt(peer) => self.attempt_failed(peer, cx),
            LinkTimer::Path(peer) => self.path_is_late(peer, cx),
            LinkTimer::Retry(peer) => self.begin_round(peer, members, cx),
            LinkTimer::Prove(peer) => self.prepare_proof(peer, cx),
            LinkTimer::Silence(peer) => self.check_silence(peer, members, cx),
            LinkTimer::Queue => self.make_place(cx),
            LinkTimer::Offer(peer) => self.renegotiate(peer, cx),
            LinkTimer::LateOffer(peer) => self.take_late_offer(peer, cx),
            LinkTimer::Quiet => self.break_quiet(cx),
        }
        self.dial_waiting(members, cx);
    }

    /// Handles an event of a peer.
    pub fn on_peer(&mut self, peer: PeerId, event: &PeerEvent, members: &Members, cx: &mut Cx) {
        match event {
            PeerEvent::Gone { .. } => self.remove(&peer, cx),
            PeerEvent::Lost | PeerEvent::Returned | PeerEvent::Verified | PeerEvent::Forgotten => {}
        }
        self.dial_waiting(members, cx);
    }

    fn remove(&mut self, peer: &PeerId, cx: &mut Cx) {
        let timers = [
            LinkTimer::Dial(*peer),
            LinkTimer::Attempt(*peer),
            LinkTimer::Path(*peer),
            LinkTimer::Retry(*peer),
            LinkTimer::Prove(*peer),
            LinkTimer::Offer(*peer),
            LinkTimer::LateOffer(*peer),
            LinkTimer::Silence(*peer),
        ];
        for timer in timers {
            cx.timers.clear(&timer.into());
        }
        self.waiting.retain(|waiting| waiting != peer);
        let link = self.links.remove(peer);
        let connections = link.iter().flat_map(Link::connections);
        connections.for_each(|connection| self.close(connection, cx));
    }

    fn close(&mut self, connection: ConnectionId, cx: &mut Cx) {
        self.connections.remove(&connection);
        cx.link(connection, LinkCommand::Close);
    }

    /// Sends a frame to a peer, if it is verified.
    pub fn send(&mut self, peer: &PeerId, frame: &Frame, cx: &mut Cx) {
        if let Some(connection) = self.connection(peer) {
            cx.send_on(connection, frame);
            if frame.is_answered() {
                self.expect_answer(*peer, cx);
            }
        }
    }

    /// Sends a frame to every verified peer. It is encoded once.
    pub fn send_to_all(&mut self, frame: &Frame, cx: &mut Cx) {
        let texts = frame.encode();
        let connected: Vec<PeerId> = self.connected().collect();
        for peer in connected {
            let Some(connection) = self.connection(&peer) else {
                continue;
            };
            for text in &texts {
                cx.link(connection, LinkCommand::Send(text.clone()));
            }
            if frame.is_answered() {
                self.expect_answer(peer, cx);
            }
        }
    }
}
