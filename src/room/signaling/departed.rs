//! Peers that are no longer here, and up to which timestamp their envelopes are old.

use std::collections::VecDeque;

use crate::identity::PeerId;
use crate::time::Millis;
use crate::wire::Envelope;

/// The most that are remembered; the oldest are forgotten first.
const MAX_DEPARTED: usize = 256;
/// Of a peer that left nothing more is taken.
pub(super) const FOR_EVER: Millis = Millis(u64::MAX);

#[derive(Debug, Default)]
pub(super) struct Departed(VecDeque<(PeerId, Millis)>);

impl Departed {
    pub fn insert(&mut self, peer: PeerId, until: Millis) {
        self.0.retain(|(departed, _)| *departed != peer);
        if self.0.len() >= MAX_DEPARTED {
            self.0.pop_front();
        }
        self.0.push_back((peer, until));
    }

    pub fn is_old(&self, envelope: &Envelope) -> bool {
        self.until(&envelope.sender)
            .is_some_and(|until| envelope.timestamp <= until)
    }

    pub fn has_left(&self, peer: &PeerId) -> bool {
        self.until(peer) == Some(FOR_EVER)
    }

    fn until(&self, peer: &PeerId) -> Option<Millis> {
        let found = self.0.iter().find(|(departed, _)| departed == peer);
        found.map(|(_, until)| *until)
    }
}
