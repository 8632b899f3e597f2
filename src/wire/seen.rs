//! The payloads that have come already: the same bytes go to every broker, and only the first to arrive counts.
//!
//! They are recognised by their hash. Sender and timestamp would not suffice: everybody in the room can read them in a
//! payload from one broker, and could be first on another with a different payload that has the same two.

use core::time::Duration;
use std::collections::VecDeque;

use super::envelope::EnvelopeHash;
use crate::time::Millis;

/// At most this many payloads are remembered for each carrier.
pub const MAX_SEEN: usize = 256;

/// Payloads are remembered for this long, which is more than one broker lags behind another.
pub const SEEN_FOR: Duration = Duration::from_secs(120);

/// The payloads that came lately. `C` identifies the carrier: a broker, or a peer that passed them on.
///
/// Each carrier has its own share, so one that floods us makes us forget nothing that others brought.
#[derive(Debug, Clone)]
pub struct SeenEnvelopes<C> {
    carriers: Vec<(C, VecDeque<(EnvelopeHash, Millis)>)>,
}

impl<C> Default for SeenEnvelopes<C> {
    fn default() -> SeenEnvelopes<C> {
        SeenEnvelopes {
            carriers: Vec::new(),
        }
    }
}

impl<C: PartialEq> SeenEnvelopes<C> {
    /// Whether this payload has come before, over any carrier. It costs one hash and no cryptography, so it is the
    /// first thing to ask.
    pub fn contains(&self, hash: &EnvelopeHash) -> bool {
        self.carriers
            .iter()
            .any(|(_, seen)| seen.iter().any(|(other, _)| other == hash))
    }

    /// Remembers a payload. Only payloads that open belong here: anybody can send others.
    pub fn insert(&mut self, hash: EnvelopeHash, carrier: C, now: Millis) {
        self.expire(now);
        let mut carriers = self.carriers.iter_mut();
        let Some((_, seen)) = carriers.find(|(other, _)| *other == carrier) else {
            self.carriers.push((carrier, VecDeque::from([(hash, now)])));
            return;
        };
        if seen.len() >= MAX_SEEN {
            seen.pop_front();
        }
        seen.push_back((hash, now));
    }

    /// Forgets a carrier that is not in use any more.
    pub fn remove_carrier(&mut self, carrier: &C) {
        self.carriers.retain(|(other, _)| other != carrier);
    }

    fn expire(&mut self, now: Millis) {
        for (_, seen) in &mut self.carriers {
            while seen
                .front()
                .is_some_and(|(_, at)| now.since(*at) > SEEN_FOR)
            {
                seen.pop_front();
            }
        }
        self.carriers.retain(|(_, seen)| !seen.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u32) -> EnvelopeHash {
        EnvelopeHash::of(&number.to_be_bytes())
    }

    #[test]
    fn a_payload_is_recognised_on_every_carrier() {
        let mut seen = SeenEnvelopes::default();
        assert!(!seen.contains(&hash(1)));
        seen.insert(hash(1), "broker a", Millis(0));
        assert!(seen.contains(&hash(1)));
        assert!(!seen.contains(&hash(2)));
    }

    #[test]
    fn a_flood_on_one_carrier_flushes_only_its_own_share() {
        let mut seen = SeenEnvelopes::default();
        seen.insert(hash(0), "quiet", Millis(0));
        for number in 1..=2 * MAX_SEEN as u32 {
            seen.insert(hash(number), "flooded", Millis(0));
        }
        assert!(seen.contains(&hash(0)));
        assert!(!seen.contains(&hash(MAX_SEEN as u32)));
        assert!(seen.contains(&hash(MAX_SEEN as u32 + 1)));
        let kept: usize = seen.carriers.iter().map(|(_, seen)| seen.len()).sum();
        assert_eq!(kept, MAX_SEEN + 1);
    }

    #[test]
    fn old_payloads_are_forgotten_with_their_carrier() {
        let mut seen = SeenEnvelopes::default();
        seen.insert(hash(1), 1, Millis(0));
        let later = Millis(0) + SEEN_FOR + Duration::from_millis(1);
        seen.insert(hash(2), 2, later);
        assert!(!seen.contains(&hash(1)));
        assert_eq!(seen.carriers.len(), 1);
        seen.remove_carrier(&2);
        assert!(!seen.contains(&hash(2)));
    }
}
