//! Peers that are no longer here, and up to which timestamp their envelopes are old.
//!
//! Peers that had proven who they are have a list of their own, which strangers cannot flush: a recorded offer of
//! somebody who left does not bring them back while it could still open.

use std::collections::VecDeque;

use super::announcements::NONCE_LIFE;
use crate::identity::PeerId;
use crate::time::Millis;

/// The most peers that had proven who they are. Each cost a connection; but somebody who comes and goes ever so often
/// makes us forget the first of them while a nonce holds, so the nonces of that time are given up with it.
const MAX_PROVEN: usize = 512;
/// The most others.
const MAX_STRANGERS: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Departed {
    proven: VecDeque<Departure>,
    strangers: VecDeque<Departure>,
    /// When the last of those strangers went who are no longer remembered.
    forgotten: Millis,
}

#[derive(Debug)]
struct Departure {
    peer: PeerId,
    until: Millis,
    at: Millis,
}

impl Departed {
    /// Remembers a peer that went. Where another one that had proven who it is has to make room, gives back when that one
    /// went: what it said before could open as long as a nonce of before holds.
    pub fn insert(
        &mut self,
        peer: PeerId,
        until: Millis,
        proven: bool,
        now: Millis,
    ) -> Option<Millis> {
        // Anybody can name a peer again that is gone, with an announcement that is older than what it said last. That
        // neither makes its envelopes new, nor puts it among the strangers.
        let (mut until, mut proven) = (until, proven);
        for (list, is_proven) in [(&mut self.proven, true), (&mut self.strangers, false)] {
            list.retain(|departure| {
                let is_same = departure.peer == peer;
                if is_same {
                    until = until.max(departure.until);
                    proven |= is_proven;
                }
                !is_same && now.since(departure.at) < NONCE_LIFE
            });
        }
        let (list, most) = if proven {
            (&mut self.proven, MAX_PROVEN)
        } else {
            (&mut self.strangers, MAX_STRANGERS)
        };
        let forgotten = if list.len() >= most {
            list.pop_front()
        } else {
            None
        };
        list.push_back(Departure {
            peer,
            until,
            at: now,
        });
        let at = forgotten.map(|departure| departure.at)?;
        if proven {
            return Some(at);
        }
        self.forgotten = self.forgotten.max(at);
        None
    }

    /// Whether strangers may have gone since this time that are no longer remembered.
    pub fn has_forgotten(&self, since: Millis) -> bool {
        since <= self.forgotten
    }

    pub fn is_old(&self, peer: &PeerId, timestamp: Millis) -> bool {
        self.until(peer).is_some_and(|until| timestamp <= until)
    }

    /// Whether nothing more is taken from this peer, whatever it says.
    pub fn has_left(&self, peer: &PeerId) -> bool {
        self.until(peer) == Some(Millis(u64::MAX))
    }

    fn until(&self, peer: &PeerId) -> Option<Millis> {
        let mut all = self.proven.iter().chain(&self.strangers);
        let found = all.find(|departure| departure.peer == *peer);
        found.map(|departure| departure.until)
    }
}
