//! What is shown to whoever opens it: a camera that was left on, a microphone, a screen.

use super::{Calls, Share, WatchState};
use crate::identity::{PeerId, PublicKey};
use crate::wire::frame::Watching;

/// The most keys that are kept from watching. What is shown ends if there are more, rather than that one of them returns.
const MAX_REFUSED: usize = 256;

/// Somebody's wish to watch what we show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guest {
    Admitted,
    Asking,
    Refused,
    /// It watched, and does not any more.
    Ended,
}

impl Guest {
    pub fn told(self) -> Watching {
        match self {
            Guest::Admitted => Watching::Admitted,
            Guest::Asking => Watching::Asked,
            Guest::Refused => Watching::Refused,
            Guest::Ended => Watching::Ended,
        }
    }
}

/// What we show.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    pub share: Share,
    /// Who may not watch, and who was let in after a question, as long as we show something.
    refused: Vec<PublicKey>,
    admitted: Vec<PublicKey>,
}

impl Calls {
    /// Shows this to whoever opens it.
    pub(super) fn share(&mut self, share: Share) {
        if share.sends.is_nothing() {
            self.sharing = Sharing::default();
            for other in self.others.iter_mut().map(|(_, other)| other) {
                other.guest = other.guest.map(|_| Guest::Ended);
            }
            return;
        }
        self.sharing.share = share;
    }

    /// Asks a peer to see what it shows, or stops looking.
    pub(super) fn watch(&mut self, peer: &PeerId, on: bool) {
        let Some(other) = self.others.get_mut(peer) else {
            return;
        };
        other.watch = match on && !other.share.sends.is_nothing() {
            true if other.watch == WatchState::Watching => WatchState::Watching,
            true => WatchState::Asking,
            false => WatchState::Offered,
        };
    }

    /// Lets a peer watch, or sends it away: for as long as we show something.
    pub(super) fn admit(&mut self, peer: &PeerId, on: bool) {
        let Some(other) = self.others.get_mut(peer) else {
            return;
        };
        let key = other.key;
        let list = match on {
            true => &mut self.sharing.admitted,
            false => &mut self.sharing.refused,
        };
        if !list.contains(&key) {
            list.push(key);
        }
        let opposite = match on {
            true => &mut self.sharing.refused,
            false => &mut self.sharing.admitted,
        };
        opposite.retain(|it| *it != key);
        if self.sharing.refused.len() > MAX_REFUSED {
            self.sharing = Sharing::default();
        }
    }

    /// A peer says what it shows.
    pub(super) fn shows(&mut self, peer: &PeerId, share: Share) {
        if let Some(other) = self.others.get_mut(peer) {
            if share.sends.is_nothing() {
                other.watch = WatchState::Offered;
            }
            other.share = share;
        }
    }

    /// A peer would like to watch what we show, or does not any more.
    pub(super) fn wants_to_watch(&mut self, peer: &PeerId, on: bool) {
        if let Some(other) = self.others.get_mut(peer) {
            other.guest = on.then_some(Guest::Asking);
        }
    }

    /// A peer says whether we may watch.
    pub(super) fn may_watch(&mut self, peer: &PeerId, is: Watching) {
        let Some(other) = self.others.get_mut(peer) else {
            return;
        };
        // It cannot show us what we do not want to see.
        if other.watch == WatchState::Offered {
            return;
        }
        other.watch = match is {
            Watching::Admitted => WatchState::Watching,
            Watching::Asked => WatchState::Asking,
            Watching::Refused => WatchState::Refused,
            Watching::Ended => WatchState::Ended,
        };
    }

    /// Decides about everybody who would like to watch.
    pub(super) fn review_guests(&mut self) {
        let Sharing {
            share,
            refused,
            admitted,
        } = &self.sharing;
        for other in self.others.iter_mut().map(|(_, other)| other) {
            let Some(guest) = &mut other.guest else {
                continue;
            };
            let is_refused = refused.contains(&other.key);
            let lacks_camera = share.in_return && !other.share.sends.camera;
            let is_asked = share.asks && !admitted.contains(&other.key);
            *guest = match *guest {
                _ if share.sends.is_nothing() => Guest::Ended,
                Guest::Admitted if is_refused || lacks_camera => Guest::Ended,
                Guest::Ended => Guest::Ended,
                _ if is_refused || lacks_camera => Guest::Refused,
                // Whoever watches already goes on.
                Guest::Admitted => Guest::Admitted,
                _ if is_asked => Guest::Asking,
                _ => Guest::Admitted,
            };
        }
    }
}
