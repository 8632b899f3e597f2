//! Decides who offers and who answers on an open connection: the W3C's "perfect negotiation" (WebRTC 1.0, section
//! 10.7).
//!
//! Both sides may want to negotiate at any time, even at the same time. One of them is polite: when offers cross, the
//! polite side withdraws its own offer and answers the other one. The impolite side ignores the other offer.
//! Descriptions must arrive in the order in which they were sent, as they do on channel 0, and steps must be carried
//! out in the order in which they were returned.

use super::{CheckedDescription, SdpType, SessionDescription};

/// A step of renegotiation, for [`LinkCommand::Renegotiate`](super::LinkCommand::Renegotiate).
#[derive(Debug, Clone, PartialEq)]
pub enum Renegotiation {
    /// Create an offer and report it with [`LinkEvent::Renegotiating`](super::LinkEvent::Renegotiating).
    Offer {
        /// Whether to restart ICE, with fresh credentials.
        restart: bool,
    },
    /// Accept the other side's offer and report the answer with
    /// [`LinkEvent::Renegotiating`](super::LinkEvent::Renegotiating). If our own offer is still open, it is rolled back
    /// first.
    Answer(CheckedDescription),
    /// Accept the other side's answer to our offer.
    Accept(CheckedDescription),
}

/// The state of negotiation on one open connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Negotiation {
    polite: bool,
    offer: Own,
    /// The number of our offers that were withdrawn before the connection had created them.
    withdrawn: u32,
    /// The offer to make as soon as no offer of ours is open any more: whether to restart ICE.
    wanted: Option<bool>,
}

/// The state of our offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Own {
    /// No offer of ours waits for an answer.
    None,
    /// The connection is creating the offer.
    Making { restart: bool },
    /// The offer was sent.
    Sent { restart: bool },
}

impl Negotiation {
    /// Creates the state of one side. Exactly one of the two sides must be polite.
    pub fn new(polite: bool) -> Negotiation {
        Negotiation {
            polite,
            offer: Own::None,
            withdrawn: 0,
            wanted: None,
        }
    }

    /// Whether this side withdraws its offer when offers cross.
    pub fn is_polite(&self) -> bool {
        self.polite
    }

    /// Whether an offer of ours is being made, or waits for its answer.
    pub fn is_offering(&self) -> bool {
        self.offer != Own::None
    }

    /// Requests a negotiation, with `restart` to find a new path. Returns the step to take, or `None` if it has to wait
    /// for the end of the current exchange; then [`resume`](Negotiation::resume) returns it.
    pub fn want(&mut self, restart: bool) -> Option<Renegotiation> {
        match self.offer {
            // Candidates are sent as they are found, so the restart that is under way finds any new path.
            Own::Making { restart: true } | Own::Sent { restart: true } if restart => None,
            Own::Making { .. } | Own::Sent { .. } => {
                self.wanted = Some(restart || self.wanted == Some(true));
                None
            }
            Own::None => {
                self.offer = Own::Making { restart };
                Some(Renegotiation::Offer { restart })
            }
        }
    }

    /// Handles a description that our connection has created. Returns it if it is to be sent.
    pub fn described(&mut self, description: SessionDescription) -> Option<SessionDescription> {
        if description.kind() == SdpType::Answer {
            return Some(description);
        }
        if self.withdrawn > 0 {
            self.withdrawn -= 1;
            return None;
        }
        let Own::Making { restart } = self.offer else {
            return None;
        };
        self.offer = Own::Sent { restart };
        Some(description)
    }

    /// Handles a description of the other side. Returns the step to take, if any: an offer that crossed ours may be
    /// ignored, and an answer to a withdrawn offer always is. [`resume`](Negotiation::resume) may return another step.
    pub fn received(&mut self, description: CheckedDescription) -> Option<Renegotiation> {
        match (description.kind(), self.offer) {
            (SdpType::Answer, Own::Sent { .. }) => {
                self.offer = Own::None;
                Some(Renegotiation::Accept(description))
            }
            (SdpType::Answer, _) => None,
            (SdpType::Offer, Own::None) => Some(Renegotiation::Answer(description)),
            (SdpType::Offer, Own::Making { restart } | Own::Sent { restart }) => {
                if !self.polite {
                    return None;
                }
                if let Own::Making { .. } = self.offer {
                    self.withdrawn += 1;
                }
                self.offer = Own::None;
                self.wanted = Some(restart || self.wanted == Some(true));
                Some(Renegotiation::Answer(description))
            }
        }
    }

    /// Returns the step that had to wait or was withdrawn, if any. It must be called after the step that
    /// [`received`](Negotiation::received) returned was queued.
    pub fn resume(&mut self) -> Option<Renegotiation> {
        if self.offer != Own::None {
            return None;
        }
        let restart = self.wanted.take()?;
        self.want(restart)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashSet, VecDeque};

    use super::*;

    use super::super::session::tests::{checked, description};

    fn own(kind: SdpType, number: u32, restart: bool) -> SessionDescription {
        description(&format!("{number} {restart}"), kind == SdpType::Offer)
    }

    fn theirs(kind: SdpType, number: u32, restart: bool) -> CheckedDescription {
        checked(&format!("{number} {restart}"), kind == SdpType::Offer)
    }

    /// Reads the name of a test's description: a number, and whether it restarts.
    fn read(sdp: &str) -> (u32, bool) {
        let name = sdp
            .lines()
            .find_map(|line| line.strip_prefix("s="))
            .unwrap();
        let (number, restart) = name.trim().split_once(' ').unwrap();
        (number.parse().unwrap(), restart == "true")
    }

    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    enum Job {
        Offer(bool),
        Answer(u32),
        Accept(u32),
    }

    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    enum Message {
        Offer(u32, bool),
        Answer(u32),
    }

    /// One browser: the negotiation, and a peer connection that carries out one step after the other.
    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    struct Side {
        negotiation: Negotiation,
        jobs: VecDeque<Job>,
        /// Our offer for which the peer connection waits for an answer.
        local_offer: Option<u32>,
        /// The negotiations that this side is still going to request.
        wishes: VecDeque<bool>,
        /// The requests since our last offer was created. `covered` has the requests that the open offer covers.
        unmet: Vec<bool>,
        covered: Vec<bool>,
        made: u32,
    }

    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    struct World {
        sides: [Side; 2],
        /// The messages that are on their way to each side.
        channels: [VecDeque<Message>; 2],
    }

    impl World {
        fn new(polite: usize, wishes: [&[bool]; 2]) -> World {
            let side = |at: usize| Side {
                negotiation: Negotiation::new(at == polite),
                jobs: VecDeque::new(),
                local_offer: None,
                wishes: wishes[at].iter().copied().collect(),
                unmet: Vec::new(),
                covered: Vec::new(),
                made: 0,
            };
            World {
                sides: [side(0), side(1)],
                channels: Default::default(),
            }
        }

        fn give(&mut self, at: usize, step: Option<Renegotiation>) {
            let job = match step {
                None => return,
                Some(Renegotiation::Offer { restart }) => Job::Offer(restart),
                Some(Renegotiation::Answer(offer)) => Job::Answer(read(offer.sdp()).0),
                Some(Renegotiation::Accept(answer)) => Job::Accept(read(answer.sdp()).0),
            };
            self.sides[at].jobs.push_back(job);
        }

        fn wish(&mut self, at: usize) -> bool {
            let Some(restart) = self.sides[at].wishes.pop_front() else {
                return false;
            };
            let side = &mut self.sides[at];
            let step = side.negotiation.want(restart);
            let restarting = matches!(side.negotiation.offer, Own::Sent { restart: true });
            // A restart that is under way covers it.
            if restart && restarting && step.is_none() {
                side.covered.push(restart);
            } else {
                side.unmet.push(restart);
            }
            self.give(at, step);
            true
        }

        fn deliver(&mut self, at: usize) -> bool {
            let Some(message) = self.channels[at].pop_front() else {
                return false;
            };
            let description = match message {
                Message::Offer(number, restart) => theirs(SdpType::Offer, number, restart),
                Message::Answer(number) => theirs(SdpType::Answer, number, false),
            };
            let step = self.sides[at].negotiation.received(description);
            self.give(at, step);
            let step = self.sides[at].negotiation.resume();
            self.give(at, step);
            true
        }

        fn work(&mut self, at: usize) -> bool {
            let side = &mut self.sides[at];
            let Some(job) = side.jobs.pop_front() else {
                return false;
            };
            let described = match job {
                Job::Offer(restart) => {
                    assert_eq!(side.local_offer, None, "an offer on top of another");
                    side.made += 1;
                    let number = side.made * 2 + at as u32;
                    side.local_offer = Some(number);
                    // It covers the requests before it. A requested restart is covered only by a restart.
                    let (met, unmet) = side.unmet.iter().partition(|wanted| restart || !**wanted);
                    (side.covered, side.unmet) = (met, unmet);
                    own(SdpType::Offer, number, restart)
                }
                Job::Answer(number) => {
                    if side.local_offer.take().is_some() {
                        let covered = std::mem::take(&mut side.covered);
                        side.unmet.extend(covered);
                    }
                    own(SdpType::Answer, number, false)
                }
                Job::Accept(number) => {
                    assert_eq!(
                        side.local_offer.take(),
                        Some(number),
                        "an answer to something else"
                    );
                    side.covered.clear();
                    return true;
                }
            };
            if let Some(sent) = side.negotiation.described(described) {
                let (number, restart) = read(sent.sdp());
                self.channels[1 - at].push_back(match sent.kind() {
                    SdpType::Offer => Message::Offer(number, restart),
                    SdpType::Answer => Message::Answer(number),
                });
            }
            true
        }

        fn check_the_end(&self) {
            for side in &self.sides {
                assert_eq!(side.local_offer, None, "{self:?}");
                assert!(side.unmet.is_empty() && side.covered.is_empty(), "{self:?}");
                assert_eq!(
                    (side.negotiation.offer, side.negotiation.wanted),
                    (Own::None, None),
                    "{self:?}"
                );
                assert_eq!(side.negotiation.withdrawn, 0, "{self:?}");
            }
        }
    }

    /// Explores every possible order of events, and checks that each one ends with all requests of both sides
    /// fulfilled.
    fn explore(world: World) -> usize {
        let (mut seen, mut open) = (HashSet::new(), vec![world]);
        while let Some(world) = open.pop() {
            let steps: [fn(&mut World, usize) -> bool; 3] =
                [World::wish, World::deliver, World::work];
            let mut end = true;
            for at in 0..2 {
                for step in steps {
                    let mut next = world.clone();
                    if step(&mut next, at) {
                        end = false;
                        if seen.insert(next.clone()) {
                            open.push(next);
                        }
                    }
                }
            }
            if end {
                world.check_the_end();
            }
            assert!(seen.len() < 3_000_000, "it does not come to an end");
        }
        seen.len()
    }

    #[test]
    fn all_requests_are_fulfilled_whatever_crosses() {
        let wishes: [&[bool]; 7] = [
            &[],
            &[false],
            &[true],
            &[false, true],
            &[true, false],
            &[true, true],
            &[false, false, true],
        ];
        let mut states = 0;
        for polite in 0..2 {
            for ours in wishes {
                for theirs in wishes {
                    states += explore(World::new(polite, [ours, theirs]));
                }
            }
        }
        assert!(states > 10_000, "only {states} states");
    }

    #[test]
    fn stale_descriptions_are_ignored() {
        let answer = || theirs(SdpType::Answer, 1, false);
        let offer = || own(SdpType::Offer, 1, false);
        let mut side = Negotiation::new(true);
        assert_eq!(side.received(answer()), None);
        assert_eq!(side.described(offer()), None);
        assert_eq!(
            side.want(false),
            Some(Renegotiation::Offer { restart: false })
        );
        assert_eq!(side.received(answer()), None);
        assert_eq!(side.described(offer()), Some(offer()));
        assert_eq!(
            side.received(answer()),
            Some(Renegotiation::Accept(answer()))
        );
        assert_eq!(side.received(answer()), None);
        assert_eq!(side.resume(), None);
    }

    #[test]
    fn a_restart_that_is_under_way_is_not_repeated() {
        let mut side = Negotiation::new(false);
        let restart = Some(Renegotiation::Offer { restart: true });
        assert_eq!(side.want(true), restart);
        assert_eq!(side.want(true), None);
        assert!(side.described(own(SdpType::Offer, 1, true)).is_some());
        assert_eq!(side.want(true), None);
        assert!(side.received(theirs(SdpType::Answer, 1, false)).is_some());
        assert_eq!(side.resume(), None);
        assert_eq!(side.want(true), restart);
    }
}
