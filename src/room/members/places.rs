//! Places in the roster. No unproven peer holds one for ever, and a known key always finds one.

use core::time::Duration;

use super::{Decision, Member, Members};
use crate::identity::{PeerId, PublicKey};
use crate::room::Timer;
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::effect::Effect;
use crate::room::io::{Carrier, GoneReason, PeopleEvent};
use crate::room::links::Links;

/// The most peers in the roster, connected or not.
const MAX_ROSTER: usize = 128;
/// While more unproven peers than this have known keys, these make room as well: everybody who was met once is known,
/// and a crowd of those must not keep strangers out.
const MAX_KNOWN_UNPROVEN: usize = MAX_ROSTER / 2;
/// The most unproven peers that one member may have introduced.
const MAX_INTRODUCED: usize = 32;
/// A peer that has proven nothing is forgotten when nothing has come from it for this long. Peers that are here
/// announce themselves more often.
const STRANGER_LIFE: Duration = Duration::from_secs(600);
/// The interval of these checks, and how long the person is asked about somebody while others wait.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

impl Members {
    /// Removes an unproven peer if the roster is full. It is chosen at random, so that a flood of strangers cannot keep
    /// everybody else out.
    pub(super) fn make_room(
        &mut self,
        carrier: Carrier,
        newcomer: &PublicKey,
        links: &Links,
        cx: &mut Cx,
    ) -> Result<(), Dropped> {
        if matches!(carrier, Carrier::Peer(_)) {
            let introduced = |member: &&Member| member.carrier == carrier && !member.proven;
            if self.members.values().filter(introduced).count() >= MAX_INTRODUCED {
                return Err(Dropped::TooManyIntroductions);
            }
        }
        if self.members.len() < MAX_ROSTER {
            return Ok(());
        }
        let is_known = |key: &PublicKey| self.trust.get(key).is_some();
        let unproven = || self.members.values().filter(|member| !member.proven);
        let known = unproven().filter(|member| is_known(&member.connect.identity));
        let crowded = known.count() > MAX_KNOWN_UNPROVEN;
        let idle = unproven().filter(|member| {
            let busy = links.is_dialing(&member.id) || member.decision == Decision::Asked;
            !busy && (crowded || !is_known(&member.connect.identity))
        });
        let mut choice: Vec<PeerId> = idle.map(|member| member.id).collect();
        if choice.is_empty() && is_known(newcomer) {
            choice = unproven().map(|member| member.id).collect();
        }
        if choice.is_empty() {
            return Err(Dropped::RoomFull);
        }
        let chosen = choice[cx.random_index(choice.len())];
        self.evict(chosen, cx);
        Ok(())
    }

    fn evict(&mut self, peer: PeerId, cx: &mut Cx) {
        if let Some(gone) = self.remove(&peer, GoneReason::Unreachable, cx) {
            cx.peer(peer, gone);
        }
    }

    pub(super) fn sweep_soon(&mut self, cx: &mut Cx) {
        cx.timers
            .set_earlier(Timer::Members, cx.now + SWEEP_INTERVAL);
    }

    /// Forgets strangers who have been silent for long, and asks about the next ones who wait.
    pub fn sweep(&mut self, links: &Links, cx: &mut Cx) {
        let silent = self.members.values().filter(|member| {
            let heard = cx.now.since(member.heard) < STRANGER_LIFE;
            !member.proven && !heard && !links.is_dialing(&member.id)
        });
        let silent: Vec<PeerId> = silent.map(|member| member.id).collect();
        for peer in silent {
            cx.effect(Effect::Remove(peer, GoneReason::Unreachable));
        }
        self.rotate_requests(links, cx);
        if self.members.values().any(|member| !member.proven) {
            self.sweep_soon(cx);
        }
    }

    /// Withdraws the requests that have been open for long while other peers wait to be asked about.
    fn rotate_requests(&mut self, links: &Links, cx: &mut Cx) {
        let waiting = self
            .members
            .values()
            .filter(|member| member.decision == Decision::Undecided && member.present);
        let mut waiting: Vec<PeerId> = waiting.map(|member| member.id).collect();
        let asked = |member: &&mut Member| {
            let since = member.asked.filter(|_| member.decision == Decision::Asked);
            since.is_some_and(|since| cx.now.since(since) >= SWEEP_INTERVAL)
        };
        let over: Vec<PeerId> = self
            .members
            .iter_mut()
            .map(|(_, member)| member)
            .filter(asked)
            .take(waiting.len())
            .map(|member| {
                member.decision = Decision::Undecided;
                member.id
            })
            .collect();
        for peer in over {
            cx.people(PeopleEvent::RequestWithdrawn(peer));
        }
        while !waiting.is_empty() {
            let next = waiting.swap_remove(cx.random_index(waiting.len()));
            self.decide_later(next, links, cx);
        }
    }
}
