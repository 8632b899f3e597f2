//! Who is here, who comes and who goes.

use std::rc::Rc;

use super::{State, is_here};
use crate::room::{GoneReason, PeerState, PeerView, Status};
use crate::ui::line::Move;

/// At most this many people in the list. The room reports fewer; this limit holds whatever it reports.
pub(super) const MAX_PEOPLE: usize = 256;

impl State {
    /// The number of connected people, including the person at this browser, who counts once in whatever number of tabs.
    pub fn present(&self) -> usize {
        let here = self.people.iter().filter(|peer| is_here(peer.state));
        here.filter(|peer| !self.is_own_tab(peer)).count() + 1
    }

    /// Whether this is a tab of the person at this browser. Its key is proven only once it is connected.
    pub fn is_own_tab(&self, peer: &PeerView) -> bool {
        let own = self.own.as_ref();
        is_here(peer.state) && own.is_some_and(|own| own.key == peer.key)
    }

    pub(super) fn set_status(&mut self, status: Status) {
        self.status = status;
        if status == Status::Left {
            // Nobody is reported as gone then.
            self.people = Rc::default();
            self.requests = Rc::default();
            self.arrived = Rc::default();
            self.blocking = None;
            self.forwarding = None;
            self.composing = None;
            self.show_people(false);
        }
    }

    pub(super) fn peer_changed(&mut self, peer: PeerView) {
        let peer = Rc::new(peer);
        if peer.state == PeerState::Verified {
            let arrived = !self.arrived.contains(&peer.id);
            if arrived {
                Rc::make_mut(&mut self.arrived).push(peer.id);
            }
            let before = self.peer(&peer.id).map(|before| before.user.clone());
            let change = match before {
                _ if arrived => Some(Move::Joined(peer.user.clone())),
                Some(before) if before != peer.user => {
                    Some(Move::Renamed(before, peer.user.clone()))
                }
                _ => None,
            };
            if let Some(change) = change {
                self.moved(change);
            }
            self.update_warnings(&peer);
        }
        let people = Rc::make_mut(&mut self.people);
        people.retain(|other| other.id != peer.id);
        if people.len() >= MAX_PEOPLE {
            let expendable = people.iter().rposition(|other| !is_here(other.state));
            let at = expendable.filter(|_| is_here(peer.state));
            let forgotten = at.map_or(peer.id, |at| people.remove(at).id);
            Rc::make_mut(&mut self.arrived).retain(|id| *id != forgotten);
            if at.is_none() {
                return;
            }
        }
        // The order depends on names only and not on states, because a list that jumps leads to clicks on the wrong
        // person. (Only ASCII is folded to lower case: the tables for all of Unicode would add 10 kB.)
        let rank = |peer: &PeerView| (peer.user.to_ascii_lowercase(), peer.id);
        let own = rank(&peer);
        let at = people.partition_point(|other| rank(other) < own);
        people.insert(at, peer);
    }

    pub(super) fn peer_gone(&mut self, peer: &PeerView, reason: GoneReason) {
        self.stops_typing(&peer.id);
        Rc::make_mut(&mut self.people).retain(|other| other.id != peer.id);
        Rc::make_mut(&mut self.requests).retain(|other| other.id != peer.id);
        if self.person == Some(peer.id) {
            self.show_person(None);
        }
        if reason == GoneReason::Blocked {
            Rc::make_mut(&mut self.warnings).retain(|other| other.key != peer.key);
        }
        let was_here = self.arrived.contains(&peer.id);
        Rc::make_mut(&mut self.arrived).retain(|other| *other != peer.id);
        match reason {
            GoneReason::Left | GoneReason::Silent if was_here => {
                self.moved(Move::Left(peer.user.clone()));
            }
            GoneReason::Left
            | GoneReason::Silent
            | GoneReason::Unreachable
            | GoneReason::Blocked
            | GoneReason::Disconnected => {}
        }
    }

    /// Notes in the main channel that somebody came, went or changed their name.
    pub(super) fn moved(&mut self, change: Move) {
        let main = self.main_channel();
        self.within(&main, |state| {
            Rc::make_mut(&mut state.talk.log).moved(change)
        });
    }
}
