//! Keep-alive: a silent peer is pinged, shown as reconnecting, restarted, and given up at last.

use core::time::Duration;

use super::Links;
use super::link::State;
use crate::identity::PeerId;
use crate::room::cx::Cx;
use crate::room::effect::{Effect, PeerEvent};
use crate::room::io::GoneReason;
use crate::room::members::Members;
use crate::room::timer::LinkTimer;
use crate::wire::frame::LinkFrame;

/// After this much silence a peer is asked whether it is there.
const PING_AFTER: Duration = Duration::from_millis(3500);
/// After this much it is shown as reconnecting, and ICE is restarted over the channel.
const RECONNECTING_AFTER: Duration = Duration::from_secs(5);
/// After this much a new connection is tried over the broker, by the smaller peer id first …
const REDIAL_AFTER: Duration = Duration::from_secs(8);
/// … and by the other one if nothing came.
const OTHER_REDIALS_AFTER: Duration = Duration::from_secs(11);
/// After this much it is gone. Until then it is looked for, and what is said to it waits: a page that stands still, or a
/// change of network, takes longer than half a minute.
const GONE_AFTER: Duration = Duration::from_secs(120);
/// A peer that closed the verified connection and shows no sign of making a new one is gone. Browsers do not always
/// let a page that is being closed say that it leaves.
const CLOSED_GRACE: Duration = Duration::from_millis(1500);
/// The pause between two checks of a silent peer.
const CHECK_INTERVAL: Duration = Duration::from_secs(3);

impl Links {
    /// Begins to watch a peer that has just been heard.
    pub(super) fn watch(&mut self, peer: PeerId, cx: &mut Cx) {
        cx.timers
            .set(LinkTimer::Silence(peer).into(), cx.now + PING_AFTER);
    }

    /// Notes that something came from this peer on its verified channel.
    pub(super) fn heard(&mut self, peer: PeerId, cx: &mut Cx) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        if let State::Verified { heard, .. } = &mut link.state {
            *heard = cx.now;
        } else if let State::Silent { open, .. } = core::mem::replace(&mut link.state, State::New) {
            link.state = State::Verified {
                open,
                heard: cx.now,
            };
            cx.changed = true;
            cx.peer(peer, PeerEvent::Returned);
            self.watch(peer, cx);
        }
    }

    pub(super) fn check_silence(&mut self, peer: PeerId, members: &Members, cx: &mut Cx) {
        let smaller = cx.own.id < peer;
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        let Some(heard) = link.state.heard() else {
            return;
        };
        let closed = match &link.state {
            State::Broken { closed, .. } if !link.is_coming_back() => *closed,
            _ => None,
        };
        if closed.is_some_and(|closed| cx.now.since(closed) >= CLOSED_GRACE) {
            return cx.effect(Effect::RemoveClosed(peer));
        }
        let silence = cx.now.since(heard);
        let next = if silence >= GONE_AFTER {
            return cx.effect(Effect::Remove(peer, GoneReason::Silent));
        } else if silence < PING_AFTER {
            heard + PING_AFTER
        } else if silence < RECONNECTING_AFTER {
            cx.send(peer, LinkFrame::Ping { id: None });
            cx.now + (RECONNECTING_AFTER - silence)
        } else {
            self.lose(peer, smaller, cx);
            let patience = if smaller {
                REDIAL_AFTER
            } else {
                OTHER_REDIALS_AFTER
            };
            if silence >= patience {
                self.dial(peer, members, cx);
            } else {
                cx.send(peer, LinkFrame::Ping { id: None });
            }
            cx.now + CHECK_INTERVAL
        };
        let end = heard + GONE_AFTER;
        let end = closed.map_or(end, |closed| end.min(closed + CLOSED_GRACE));
        let soonest = cx.now + Duration::from_millis(1);
        cx.timers
            .set(LinkTimer::Silence(peer).into(), next.min(end).max(soonest));
    }

    /// Marks a verified peer as silent.
    fn lose(&mut self, peer: PeerId, smaller: bool, cx: &mut Cx) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        match core::mem::replace(&mut link.state, State::New) {
            State::Verified { open, heard } => link.state = State::Silent { open, heard },
            other => return link.state = other,
        }
        cx.changed = true;
        cx.peer(peer, PeerEvent::Lost);
        if smaller {
            self.renegotiate(peer, true, cx);
        }
    }

    /// Asks everybody whether they are still there, and begins to count their silence only now.
    pub fn probe_all(&mut self, cx: &mut Cx) {
        let met = self.links.iter();
        let met = met.filter(|(_, link)| link.state.heard().is_some());
        let met: Vec<PeerId> = met.map(|(peer, _)| *peer).collect();
        met.into_iter().for_each(|peer| self.probe(peer, cx));
    }

    /// This computer slept: nobody was silent for that long. Those who are being looked for are looked for at once.
    pub fn woke(&mut self, cx: &mut Cx) {
        let earliest = cx.now - OTHER_REDIALS_AFTER;
        for link in self.links.iter_mut().map(|(_, link)| link) {
            if let State::Silent { heard, .. } | State::Broken { heard, .. } = &mut link.state {
                *heard = earliest.max(*heard);
            }
        }
        if self.links.values().any(|link| link.state.heard().is_some()) {
            // Peers that have given us up offer to us once they hear of us.
            cx.effect(Effect::Announce);
        }
        self.probe_all(cx);
    }

    /// Asks this peer whether it is still there.
    pub fn probe(&mut self, peer: PeerId, cx: &mut Cx) {
        let link = self.links.get_mut(&peer);
        if let Some(State::Verified { heard, .. }) = link.map(|link| &mut link.state) {
            *heard = cx.now - PING_AFTER;
        }
        cx.timers.set(LinkTimer::Silence(peer).into(), cx.now);
    }

    /// Handles the loss of the verified connection: all that is left is to find the peer again over the broker.
    pub(super) fn broken(&mut self, peer: PeerId, cx: &mut Cx) {
        let smaller = cx.own.id < peer;
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        let (open, heard) = match core::mem::replace(&mut link.state, State::New) {
            State::Verified { open, heard } | State::Silent { open, heard } => (open, heard),
            other => return link.state = other,
        };
        // The silence is dated back, so that the new connection is tried at once, by the smaller peer id first.
        let silence = if smaller {
            REDIAL_AFTER
        } else {
            OTHER_REDIALS_AFTER - CHECK_INTERVAL
        };
        let mut heard = heard.min(cx.now - silence);
        if cx.now.since(heard) >= GONE_AFTER {
            heard = cx.now - (GONE_AFTER - CHECK_INTERVAL);
        }
        link.state = State::Broken {
            heard,
            closed: None,
        };
        self.close(open.connection, cx);
        let pause = if smaller {
            Duration::ZERO
        } else {
            CHECK_INTERVAL
        };
        cx.timers
            .set(LinkTimer::Silence(peer).into(), cx.now + pause);
        cx.changed = true;
        cx.peer(peer, PeerEvent::Lost);
    }

    /// Handles a verified connection that the peer itself closed. The end of an attempt does not count as that.
    pub(super) fn closed(&mut self, peer: PeerId, cx: &mut Cx) {
        self.broken(peer, cx);
        let link = self.links.get_mut(&peer);
        if let Some(State::Broken { closed, .. }) = link.map(|link| &mut link.state) {
            *closed = Some(cx.now);
            cx.timers
                .set_earlier(LinkTimer::Silence(peer).into(), cx.now + CLOSED_GRACE);
        }
    }
}
