//! What the person decides about people. A decision carries the key and the name that the person saw, and is refused
//! if either is another one by now: a peer that renames itself between a warning and the click must not gain by it.

use super::{Decision, Members};
use crate::identity::{Name, PeerId, TrustBook, TrustChange, TrustDecision};
use crate::room::cx::{Cx, Effect};
use crate::room::io::{Event, GoneReason, PeopleCommand, Shown};
use crate::room::links::Links;
use crate::room::policy::{Action, Permission};
use crate::wire::connect::FULL;
use crate::wire::frame::LinkFrame;

const CHANGED: &str = "Nothing was decided: the person has taken another name since. Look again.";

impl Members {
    /// The person wants something of somebody.
    pub fn on_command(&mut self, command: PeopleCommand, links: &Links, cx: &mut Cx) {
        match command {
            PeopleCommand::Decide { who, accept } => self.decided(&who, accept, links, cx),
            PeopleCommand::AcceptKey(who) => self.judge(&who, TrustDecision::NameAccepted, cx),
            PeopleCommand::MarkVerified(who) => self.judge(&who, TrustDecision::Compared, cx),
            PeopleCommand::Block(who) => self.judge(&who, TrustDecision::Blocked, cx),
            PeopleCommand::TrustBookChanged(book) => self.replace_trust_book(book, cx),
            PeopleCommand::AskAboutAll(all) => self.policy.ask_about_all(all),
            PeopleCommand::Disconnect(peer) => {
                cx.send(peer, LinkFrame::Leave);
                cx.effect(Effect::Remove(peer, GoneReason::Disconnected));
            }
            // `Room` routes this to the links.
            PeopleCommand::Retry(_) => {}
        }
    }

    fn decided(&mut self, who: &Shown, accept: bool, links: &Links, cx: &mut Cx) {
        let Some(member) = self.members.get_mut(&who.id) else {
            return;
        };
        if member.decision != Decision::Asked {
            return;
        }
        if accept && (member.connect.identity != who.key || member.name != who.name) {
            cx.event(Event::Refused(CHANGED.to_owned()));
            // What the person answered is no longer shown.
            return self.ask(who.id, links, cx);
        }
        member.decision = if accept {
            Decision::Accepted
        } else {
            Decision::Declined
        };
        cx.changed = true;
        cx.effect(if accept {
            Effect::Accepted(who.id)
        } else {
            Effect::Declined(who.id)
        });
        // Somebody who came while the person was being asked about as many as possible has waited for this.
        let waiting = self.members.values().filter(|member| {
            member.decision == Decision::Undecided
                && member.present
                && member.connect.capabilities & FULL == 0
        });
        let waiting: Vec<PeerId> = waiting.map(|member| member.id).collect();
        // By chance: who comes first by peer id chooses that id.
        if let Some(next) = waiting.get(cx.random_index(waiting.len())) {
            self.decide_later(*next, links, cx);
        }
    }

    /// What the person decided about a key.
    fn judge(&mut self, who: &Shown, what: TrustDecision, cx: &mut Cx) {
        let blocked = what == TrustDecision::Blocked;
        let same = match self.members.get(&who.id) {
            Some(member) => {
                member.connect.identity == who.key && (member.name == who.name || blocked)
            }
            // Neither going nor coming back in another session protects from being blocked.
            None if blocked => true,
            None => return,
        };
        if !same {
            return cx.event(Event::Refused(CHANGED.to_owned()));
        }
        let change = TrustChange {
            key: who.key,
            name: who.name.clone(),
            at: cx.now,
            what,
        };
        self.remember(change, cx);
        let same_key = self.members.values();
        let same_key = same_key.filter(|member| member.connect.identity == who.key);
        let same_key: Vec<PeerId> = same_key.map(|member| member.id).collect();
        same_key.into_iter().for_each(|peer| self.judged(peer, cx));
        cx.changed = true;
    }

    /// What the person decided in another tab.
    fn replace_trust_book(&mut self, book: TrustBook, cx: &mut Cx) {
        let before = core::mem::replace(&mut self.trust, book);
        let here = self.members.values();
        let here = here.filter(|member| !before.is_blocked(&member.connect.identity));
        let here: Vec<PeerId> = here.map(|member| member.id).collect();
        here.into_iter().for_each(|peer| self.judged(peer, cx));
        cx.changed = true;
    }

    /// Acts on what the trust book says of somebody who is here.
    fn judged(&mut self, peer: PeerId, cx: &mut Cx) {
        let Some(member) = self.members.get_mut(&peer) else {
            return;
        };
        let key = &member.connect.identity;
        if self
            .policy
            .may(&self.trust, key, &member.name, Action::Stay)
            == Permission::Refused
        {
            cx.send(peer, LinkFrame::Leave);
            cx.effect(Effect::Remove(peer, GoneReason::Blocked));
            return;
        }
        member.judge(&self.trust, &cx.own);
    }
}

/// Whether the person has accepted this peer under this name before.
pub(super) fn take_accepted(
    accepted: &mut Vec<(PeerId, Name)>,
    peer: &PeerId,
    name: &Name,
) -> bool {
    let at = accepted.iter().position(|(other, _)| other == peer);
    at.is_some_and(|at| accepted.remove(at).1 == *name)
}
