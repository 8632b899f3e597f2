//! What stands above the conversation: warnings, requests and notices.

use std::rc::Rc;

use super::{Notice, State, is_same};
use crate::identity::{PublicKey, Trust};
use crate::room::{MAX_PEERS, PeerView, Shown};

/// At most this many notices, because more would hide the conversation. A new one replaces the oldest.
pub(super) const MAX_NOTICES: usize = 4;
/// At most this many requests wait for an answer. Further requests are not shown.
pub(super) const MAX_REQUESTS: usize = 128;
/// At most this many warnings. There are fewer people in a full room, so a warning about somebody who has left never
/// replaces one about somebody who is here.
pub(super) const MAX_WARNINGS: usize = MAX_PEERS + 14;
/// At most this many decisions about warnings are remembered. If one is forgotten, its warning appears again.
pub(super) const MAX_DECISIONS: usize = 256;

impl State {
    /// Adds a warning about a known name on another key, or removes those that no longer apply.
    pub(super) fn update_warnings(&mut self, peer: &Rc<PeerView>) {
        let warnings = Rc::make_mut(&mut self.warnings);
        let seen = peer.shown();
        if peer.trust != Trust::NameOnAnotherKey {
            // A warning about another name of this key stays, because messages under that name are still in the log. It
            // goes once the person has verified the key.
            warnings.retain(|other| {
                other.key != peer.key || peer.trust != Trust::Verified && !is_same(&seen, other)
            });
            return;
        }
        if self.decided.iter().any(|decided| is_same(decided, peer))
            || warnings.iter().any(|other| is_same(&seen, other))
        {
            return;
        }
        // The first warning is on the screen. Of the others, only the latest name of each key is kept.
        let mut place = 0;
        warnings.retain(|other| {
            place += 1;
            place == 1 || other.key != peer.key
        });
        if warnings.len() >= MAX_WARNINGS {
            let people = &self.people;
            let gone = |other: &Rc<PeerView>| !people.iter().any(|here| here.key == other.key);
            let expendable = warnings.iter().skip(1).position(gone);
            warnings.remove(1 + expendable.unwrap_or_default());
        }
        warnings.push(peer.clone());
    }

    pub(super) fn decide_warning(&mut self, seen: Shown) {
        Rc::make_mut(&mut self.warnings).retain(|peer| !is_same(&seen, peer));
        let decided = Rc::make_mut(&mut self.decided);
        decided.retain(|other| (other.key, &other.name) != (seen.key, &seen.name));
        if decided.len() >= MAX_DECISIONS {
            decided.remove(0);
        }
        decided.push(seen);
    }

    /// Adds a request to connect. A repeated request keeps its place, unless the peer has changed its name.
    pub(super) fn add_request(&mut self, peer: PeerView) {
        let requests = Rc::make_mut(&mut self.requests);
        let seen = peer.shown();
        let place = requests.iter().position(|other| other.id == peer.id);
        match place.and_then(|at| requests.get_mut(at)) {
            Some(other) if is_same(&seen, other) => *other = Rc::new(peer),
            _ => {
                requests.retain(|other| other.id != peer.id);
                if requests.len() < MAX_REQUESTS {
                    requests.push(Rc::new(peer));
                }
            }
        }
    }

    pub(super) fn add_notice(&mut self, text: String, blocked: Option<PublicKey>) {
        let same = |notice: &Rc<Notice>| notice.text == text && notice.blocked == blocked;
        if self.notices.iter().any(same) {
            return;
        }
        let notices = Rc::make_mut(&mut self.notices);
        if notices.len() >= MAX_NOTICES {
            notices.remove(0);
        }
        notices.push(Rc::new(Notice {
            id: self.next_notice,
            text,
            blocked,
        }));
        self.next_notice = self.next_notice.wrapping_add(1);
    }
}
