//! Silence: a peer that says nothing is asked, shown as reconnecting, restarted, and given up at last.

use core::time::Duration;

use super::peer::Stage;
use super::{Deadline, GoneReason, Room};
use crate::identity::PeerId;
use crate::rtc::candidate::MAX_CANDIDATES;
use crate::rtc::{Candidate, ConnectionId, Description, LinkCommand};
use crate::wire::Frame;

/// Silent for so long, a peer is asked whether it is there.
const ASK: Duration = Duration::from_millis(3500);
/// It is shown as reconnecting, and ICE is restarted over the channel.
const RECONNECTING: Duration = Duration::from_secs(5);
/// A new connection is tried over the broker, by the smaller peer id first …
const RENEW: Duration = Duration::from_secs(8);
/// … and by the other one if nothing came.
const RENEW_OTHER: Duration = Duration::from_secs(11);
/// It is gone.
const GONE: Duration = Duration::from_secs(30);
/// Who closed the verified connection and shows no sign of making a new one is gone. Browsers do not always let a page
/// that is being closed say that it leaves.
const CLOSED: Duration = Duration::from_millis(1500);
/// Between two looks at somebody who is silent.
const LOOK: Duration = Duration::from_secs(3);

impl Room {
    /// Begins to watch a peer that has just been heard.
    pub(super) fn watch(&mut self, id: PeerId) {
        self.deadlines.set(Deadline::Silence(id), self.now + ASK);
    }

    /// Something came from this peer on its verified channel.
    pub(super) fn heard(&mut self, id: PeerId) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        peer.heard = now;
        if peer.silent {
            peer.silent = false;
            self.dirty = true;
            self.watch(id);
            #[cfg(feature = "files")]
            self.files_can_move(id);
        }
    }

    pub(super) fn check_silence(&mut self, id: PeerId) {
        let ours = self.id;
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let closed = peer.closed.filter(|_| !peer.is_coming_back());
        if closed.is_some_and(|closed| now.since(closed) >= CLOSED) {
            return self.remove(id, GoneReason::Left);
        }
        let silence = now.since(peer.heard);
        let connected = peer.current.is_some();
        let next = if silence >= GONE {
            return self.remove(id, GoneReason::Silent);
        } else if silence < ASK {
            peer.heard + ASK
        } else if silence < RECONNECTING {
            self.send(id, &Frame::Ping { id: None });
            now + (RECONNECTING - silence)
        } else {
            if !peer.silent {
                peer.silent = true;
                self.dirty = true;
                if self.is_back_as_another(id) {
                    return self.remove(id, GoneReason::Left);
                }
                if connected && ours < id {
                    self.renegotiate(id, true);
                }
            }
            let patience = if ours < id { RENEW } else { RENEW_OTHER };
            if silence >= patience {
                self.want_attempt(id);
            } else if connected {
                self.send(id, &Frame::Ping { id: None });
            }
            now + LOOK
        };
        let end = self.peers.get(&id).map_or(next, |peer| peer.heard + GONE);
        let end = closed.map_or(end, |closed| end.min(closed + CLOSED));
        self.deadlines.set(
            Deadline::Silence(id),
            next.min(end).max(now + Duration::from_millis(1)),
        );
    }

    /// Whether the same tab, loaded again, is here as another peer.
    fn is_back_as_another(&self, id: PeerId) -> bool {
        let Some(peer) = self.peers.get(&id) else {
            return false;
        };
        self.peers
            .values()
            .any(|other| other.is_same_tab(peer) && other.current.is_some())
    }

    /// The browser doubts the path: ask at once.
    pub(super) fn path_doubtful(&mut self, id: PeerId, connection: ConnectionId) {
        if self
            .peers
            .get(&id)
            .is_some_and(|peer| peer.is_current(connection))
        {
            self.ask(id);
        }
    }

    /// Asks everybody whether they are still there, and begins to count their silence only now.
    pub(super) fn ask_everybody(&mut self) {
        let met = self.ids(|peer| peer.was_verified);
        met.into_iter().for_each(|id| self.ask(id));
    }

    pub(super) fn ask(&mut self, id: PeerId) {
        let asked = self.now - ASK;
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if !peer.silent {
            peer.heard = asked;
        }
        self.deadlines.set(Deadline::Silence(id), self.now);
    }

    /// The verified connection broke: what is left is to find the peer again over the broker.
    pub(super) fn current_lost(&mut self, id: PeerId) {
        let (now, ours) = (self.now, self.id);
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Some(link) = peer.current.take() else {
            return;
        };
        peer.silent = true;
        let began = if ours < id { RENEW } else { RENEW_OTHER - LOOK };
        peer.heard = peer.heard.min(now - began);
        if now.since(peer.heard) >= GONE {
            peer.heard = now - (GONE - LOOK);
        }
        self.order(link.connection, LinkCommand::Close);
        self.lose_pings(id);
        self.deadlines.set(
            Deadline::Silence(id),
            now + if ours < id { Duration::ZERO } else { LOOK },
        );
        self.dirty = true;
    }

    /// The peer itself closed the verified connection. What becomes of an attempt says nothing of that kind.
    pub(super) fn current_closed(&mut self, id: PeerId) {
        self.current_lost(id);
        let now = self.now;
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.closed = Some(now);
            self.deadlines
                .set_earlier(Deadline::Silence(id), now + CLOSED);
        }
    }

    /// Makes a new offer on the open channel.
    pub(super) fn renegotiate(&mut self, id: PeerId, restart: bool) {
        let Some(link) = self
            .peers
            .get_mut(&id)
            .and_then(|peer| peer.current.as_mut())
        else {
            return;
        };
        let connection = link.connection;
        if let Some(order) = link.negotiation.want(restart) {
            self.order(connection, order);
        }
    }

    /// A local description on a verified connection goes over its channel.
    pub(super) fn signal(
        &mut self,
        id: PeerId,
        connection: ConnectionId,
        description: Description,
    ) {
        let Some(link) = self.link(id, connection) else {
            return;
        };
        if let Some(description) = link.negotiation.described(description) {
            self.send(
                id,
                &Frame::Signal {
                    description: Box::new(description),
                },
            );
        }
    }

    /// Their offer or answer came over the channel. It stays on this very connection: other fingerprints than
    /// those that were proven are refused.
    pub(super) fn on_signal(
        &mut self,
        id: PeerId,
        connection: ConnectionId,
        description: Description,
    ) {
        let Some(link) = self.link(id, connection) else {
            return;
        };
        if link.stage != Stage::Verified || description.fingerprint() != link.their_fingerprint {
            self.dropped(super::Dropped::BadFrame);
            return;
        }
        let orders = [
            link.negotiation.received(description),
            link.negotiation.resume(),
        ];
        orders
            .into_iter()
            .flatten()
            .for_each(|order| self.order(connection, order));
    }

    /// Their late candidates came over the channel.
    pub(super) fn on_channel_candidates(
        &mut self,
        connection: ConnectionId,
        mut candidates: Vec<Candidate>,
    ) {
        candidates.truncate(MAX_CANDIDATES);
        self.order(connection, LinkCommand::AddCandidates(candidates));
    }
}
