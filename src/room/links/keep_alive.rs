//! Keep-alive: a silent peer is asked, doubted, looked for over the broker, shown as reconnecting, and given up at last.

use core::time::Duration;

use super::Links;
use super::link::State;
use super::lost::offering_delay;
use crate::identity::PeerId;
use crate::room::cx::Cx;
use crate::room::effect::{Effect, PeerEvent};
use crate::room::io::GoneReason;
use crate::room::members::Members;
use crate::room::timer::LinkTimer;
use crate::time::Millis;

/// After this much silence a peer is asked whether it is there.
const PING_AFTER: Duration = Duration::from_millis(3500);
/// After this much it is shown as reconnecting.
const RECONNECTING_AFTER: Duration = Duration::from_secs(5);
/// After this much it is gone. Until then it is looked for, and what is said to it waits: a page that stands still, or a
/// change of network, takes longer than half a minute.
const GONE_AFTER: Duration = Duration::from_secs(120);
/// A broken connection counts as this much silence at least, and so does the silence from before our own sleep at most.
const BROKEN_COUNTS_AS: Duration = Duration::from_secs(8);
/// A peer that closed the verified connection and shows no sign of making a new one is gone. Browsers do not always
/// let a page that is being closed say that it leaves.
const CLOSED_GRACE: Duration = Duration::from_millis(1500);
/// The least time that is left to look for a peer whose connection has just broken.
const LEAST_SEARCH: Duration = Duration::from_secs(3);

impl Links {
    /// Begins to watch a peer that has just been heard.
    pub(super) fn watch(&mut self, peer: PeerId, cx: &mut Cx) {
        self.heard = cx.now;
        cx.timers
            .set(LinkTimer::Silence(peer).into(), cx.now + PING_AFTER);
        if cx.timers.get(&LinkTimer::Quiet.into()).is_none() {
            cx.timers.set(LinkTimer::Quiet.into(), cx.now);
        }
    }

    /// Notes that something came from this peer on its verified channel.
    pub(super) fn heard(&mut self, peer: PeerId, cx: &mut Cx) {
        self.heard = cx.now;
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        if let State::Verified { open, heard } = &mut link.state {
            *heard = cx.now;
            if open.answers.heard(cx.now) {
                self.found(peer, cx);
                self.watch(peer, cx);
            }
        } else if let State::Silent { mut open, .. } =
            core::mem::replace(&mut link.state, State::New)
        {
            open.answers.heard(cx.now);
            link.state = State::Verified {
                open,
                heard: cx.now,
            };
            cx.changed = true;
            cx.peer(peer, PeerEvent::Returned);
            self.found(peer, cx);
            self.watch(peer, cx);
        }
    }

    pub(super) fn check_silence(&mut self, peer: PeerId, members: &Members, cx: &mut Cx) {
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
        if silence >= GONE_AFTER {
            return cx.effect(Effect::Remove(peer, GoneReason::Silent));
        }
        // A page that stood still has not asked yet, or not read the answer.
        if silence >= RECONNECTING_AFTER && link.is_missed() {
            self.lose(peer, cx);
        }
        let next = self.next_step(peer, heard, members, cx);
        let end = heard + GONE_AFTER;
        let end = closed.map_or(end, |closed| end.min(closed + CLOSED_GRACE));
        let soonest = cx.now + Duration::from_millis(1);
        cx.timers
            .set(LinkTimer::Silence(peer).into(), next.min(end).max(soonest));
    }

    /// Asks, doubts or seeks a peer. Returns when to check again.
    fn next_step(&mut self, peer: PeerId, heard: Millis, members: &Members, cx: &mut Cx) -> Millis {
        let link = self.links.get_mut(&peer);
        let reconnecting = heard + RECONNECTING_AFTER;
        let Some(State::Verified { open, .. }) = link.map(|link| &mut link.state) else {
            return self.seek(peer, members, cx);
        };
        let answers = &mut open.answers;
        if answers.doubted {
            return self.seek(peer, members, cx).min(reconnecting);
        }
        if answers.is_overdue(cx.now)
            && let Some(asked) = answers.asked()
        {
            self.doubt(peer, asked, cx);
            return (cx.now + offering_delay(&cx.own.id, &peer)).min(reconnecting);
        }
        match answers.due() {
            Some(due) => due,
            None if cx.now < heard + PING_AFTER => heard + PING_AFTER,
            None => {
                self.ask(peer, cx);
                cx.now + PING_AFTER
            }
        }
    }

    /// Marks a verified peer as silent.
    fn lose(&mut self, peer: PeerId, cx: &mut Cx) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        match core::mem::replace(&mut link.state, State::New) {
            State::Verified { open, heard } => link.state = State::Silent { open, heard },
            other => return link.state = other,
        }
        cx.changed = true;
        cx.peer(peer, PeerEvent::Lost);
    }

    /// Asks everybody whether they are still there, begins to count their silence only now, and looks anew for those who
    /// are missed.
    pub fn probe_all(&mut self, cx: &mut Cx) {
        let met = self.links.iter();
        let met = met.filter(|(_, link)| link.state.heard().is_some());
        let met: Vec<PeerId> = met.map(|(peer, _)| *peer).collect();
        met.into_iter().for_each(|peer| self.probe(peer, cx));
        self.look_anew(cx.now, cx);
    }

    /// This computer slept: nobody was silent for that long. Those who are being looked for are looked for at once.
    pub fn woke(&mut self, cx: &mut Cx) {
        let earliest = cx.now - BROKEN_COUNTS_AS;
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
        if let Some(State::Verified { open, heard }) = link.map(|link| &mut link.state) {
            *heard = cx.now - PING_AFTER;
            open.answers.forget_question();
        }
        cx.timers.set(LinkTimer::Silence(peer).into(), cx.now);
    }

    /// Handles the loss of the verified connection: all that is left is to find the peer again over the broker.
    pub(super) fn broken(&mut self, peer: PeerId, cx: &mut Cx) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        let (open, heard) = match core::mem::replace(&mut link.state, State::New) {
            State::Verified { open, heard } | State::Silent { open, heard } => (open, heard),
            other => return link.state = other,
        };
        let mut heard = heard.min(cx.now - BROKEN_COUNTS_AS);
        if cx.now.since(heard) >= GONE_AFTER {
            heard = cx.now - (GONE_AFTER - LEAST_SEARCH);
        }
        link.state = State::Broken {
            heard,
            closed: None,
        };
        self.close(open.connection, cx);
        let at = cx.now + offering_delay(&cx.own.id, &peer);
        cx.timers.set(LinkTimer::Silence(peer).into(), at);
        cx.changed = true;
        cx.peer(peer, PeerEvent::Lost);
    }

    /// Handles a verified connection that the peer itself closed. The end of an attempt does not count as that.
    pub(super) fn closed(&mut self, peer: PeerId, cx: &mut Cx) {
        self.broken(peer, cx);
        let link = self.links.get_mut(&peer);
        if let Some(State::Broken { closed, .. }) = link.map(|link| &mut link.state) {
            *closed = Some(cx.now);
            // It may be closing its page, so only one of the two makes another offer.
            if cx.own.id > peer {
                cx.timers
                    .set(LinkTimer::Silence(peer).into(), cx.now + CLOSED_GRACE);
            }
        }
    }
}
