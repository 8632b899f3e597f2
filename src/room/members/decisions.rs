//! Decisions of the person about people. A decision carries the key and the name that the person saw. One in favour of
//! the peer is refused if either has changed since: a peer that renames itself between a warning and the click must not
//! gain by it.

use super::{Decision, Members};
use crate::identity::{Name, PeerId, PublicKey, TrustBook, TrustChange, TrustDecision};
use crate::room::cx::Cx;
use crate::room::effect::Effect;
use crate::room::io::{Event, GoneReason, PeopleCommand, Shown};
use crate::room::links::Links;
use crate::room::policy::{Action, Permission};
use crate::wire::connect::FULL;
use crate::wire::frame::LinkFrame;

const CHANGED: &str = "Nothing was decided: the person has changed their name since. Look again.";

impl Members {
    /// Handles a command of the person about people.
    pub fn on_command(&mut self, command: PeopleCommand, links: &Links, cx: &mut Cx) {
        match command {
            PeopleCommand::Decide { who, accept } => self.decided(&who, accept, links, cx),
            PeopleCommand::AcceptKey(who) => self.confirm(&who, TrustDecision::NameAccepted, cx),
            PeopleCommand::MarkVerified(who) => self.confirm(&who, TrustDecision::Compared, cx),
            PeopleCommand::Block(who) => {
                self.judge(&who, TrustDecision::Blocked, cx);
            }
            PeopleCommand::Unblock(key) => self.unblock(key, cx),
            PeopleCommand::TrustBookChanged(book) => self.replace_trust_book(book, cx),
            PeopleCommand::AskAboutAll(all) => self.policy.ask_about_all(all),
            PeopleCommand::Disconnect(peer) => {
                cx.send(peer, LinkFrame::Leave);
                cx.effect(Effect::Remove(peer, GoneReason::Disconnected));
            }
            // `Room` routes this to the links.
            PeopleCommand::Retry(_) => {}
            // And this one to the channels.
            PeopleCommand::Listen(_) => {}
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
            // The question that the person answered is no longer shown.
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
        // A peer that came while the person was being asked about as many as possible has waited for this.
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

    /// Takes over a decision that a name is right on a key: the key is another one of somebody who is known by that name, or
    /// its safety number was compared. The first key with the name keeps it. Otherwise that one would be doubtful from now
    /// on, although nothing was decided about it.
    fn confirm(&mut self, who: &Shown, what: TrustDecision, cx: &mut Cx) {
        let original = self.trust.original(&who.key, &who.name);
        if !self.judge(who, what, cx) {
            return;
        }
        if let Some((key, name)) = original.filter(|(key, name)| !self.trust.is_accepted(key, name))
        {
            self.record(key, name, TrustDecision::NameAccepted, cx);
        }
    }

    /// Lets a key in again. Its peers heard nothing of the block but a connection that closed, so they come back when
    /// they hear from us.
    fn unblock(&mut self, key: PublicKey, cx: &mut Cx) {
        let entry = self.trust.get(&key).filter(|entry| entry.is_blocked());
        let name = entry.and_then(|entry| Name::parse(entry.name()?).ok());
        // This decision is about the key, whatever its name.
        let name = name.unwrap_or_else(|| cx.own.name.clone());
        if self.trust.is_blocked(&key) {
            self.record(key, name, TrustDecision::Unblocked, cx);
            cx.effect(Effect::Announce);
        }
    }

    /// Applies a decision of the person about a key. Returns false if it is refused.
    fn judge(&mut self, who: &Shown, what: TrustDecision, cx: &mut Cx) -> bool {
        let blocked = what == TrustDecision::Blocked;
        let same = match self.members.get(&who.id) {
            Some(member) => {
                member.connect.identity == who.key && (member.name == who.name || blocked)
            }
            // Neither going nor coming back in another session protects from being blocked. And whose the name is can
            // still be said: the decision is about the key and the name that were shown.
            None => blocked || what == TrustDecision::NameAccepted,
        };
        if same {
            self.record(who.key, who.name.clone(), what, cx);
        } else if self.members.contains_key(&who.id) {
            cx.event(Event::Refused(CHANGED.to_owned()));
        }
        same
    }

    /// Writes a decision about a key into the trust book, and applies it to the peers with that key.
    fn record(&mut self, key: PublicKey, name: Name, what: TrustDecision, cx: &mut Cx) {
        let at = cx.now;
        self.remember(
            TrustChange {
                key,
                name,
                at,
                what,
            },
            cx,
        );
        let same_key = self.members.values();
        let same_key = same_key.filter(|member| member.connect.identity == key);
        let same_key: Vec<PeerId> = same_key.map(|member| member.id).collect();
        same_key.into_iter().for_each(|peer| self.judged(peer, cx));
        cx.changed = true;
    }

    /// Takes over what the person decided in another tab.
    fn replace_trust_book(&mut self, book: TrustBook, cx: &mut Cx) {
        let before = core::mem::replace(&mut self.trust, book);
        let mut unblocked = before
            .iter()
            .filter(|(key, entry)| entry.is_blocked() && !self.trust.is_blocked(key));
        if unblocked.next().is_some() {
            cx.effect(Effect::Announce);
        }
        let here = self.members.values();
        let here = here.filter(|member| !before.is_blocked(&member.connect.identity));
        let here: Vec<PeerId> = here.map(|member| member.id).collect();
        here.into_iter().for_each(|peer| self.judged(peer, cx));
        cx.changed = true;
    }

    /// Applies the trust book to a peer that is here.
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
            // Without a farewell, after which that peer would take nothing more from us: the person may unblock it.
            cx.effect(Effect::Remove(peer, GoneReason::Blocked));
            return;
        }
        member.judge(&self.trust, &cx.own);
    }
}

/// Removes this peer from the accepted ones, and returns whether the person had accepted it under this name.
pub(super) fn take_accepted(
    accepted: &mut Vec<(PeerId, Name)>,
    peer: &PeerId,
    name: &Name,
) -> bool {
    let at = accepted.iter().position(|(other, _)| other == peer);
    at.is_some_and(|at| accepted.remove(at).1 == *name)
}
