//! Who offers and who answers on a connection that is open: the W3C's "perfect negotiation" (WebRTC 1.0, section 10.7).
//!
//! Both sides may want to negotiate at any time, also at the same time. One of them is polite: when offers cross,
//! it takes its own back and answers. The other one, impolite, goes on as if nothing had come. Descriptions must
//! arrive in the order in which they were sent, as they do on channel 0, and orders must be carried out in the
//! order in which they were given.

use super::{Description, LinkCommand, SdpType};

/// The state of negotiation on one open connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Negotiation {
    polite: bool,
    offer: Own,
    /// How many own offers were taken back before they were described.
    withdrawn: u32,
    /// What to offer as soon as nothing is open any more; with it whether to restart.
    wanted: Option<bool>,
}

/// The own offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Own {
    /// There is none that waits for its answer.
    None,
    /// It was ordered.
    Ordered { restart: bool },
    /// It was sent.
    Sent { restart: bool },
}

impl Negotiation {
    /// Of the two sides exactly one must be polite.
    pub fn new(polite: bool) -> Negotiation {
        Negotiation {
            polite,
            offer: Own::None,
            withdrawn: 0,
            wanted: None,
        }
    }

    /// This side wants to negotiate, with `restart` to find a new path. The order to give, unless that has to wait for
    /// the end of what is going on; then [`resume`](Negotiation::resume) gives it.
    pub fn want(&mut self, restart: bool) -> Option<LinkCommand> {
        match self.offer {
            // Its candidates are told as they are found, so that it serves whatever path there is.
            Own::Ordered { restart: true } | Own::Sent { restart: true } if restart => None,
            Own::Ordered { .. } | Own::Sent { .. } => {
                self.wanted = Some(restart || self.wanted == Some(true));
                None
            }
            Own::None => {
                self.offer = Own::Ordered { restart };
                Some(LinkCommand::Offer { restart })
            }
        }
    }

    /// The connection told a description. It is given back if it is to be sent.
    pub fn described(&mut self, description: Description) -> Option<Description> {
        if description.kind() == SdpType::Answer {
            return Some(description);
        }
        if self.withdrawn > 0 {
            self.withdrawn -= 1;
            return None;
        }
        let Own::Ordered { restart } = self.offer else {
            return None;
        };
        self.offer = Own::Sent { restart };
        Some(description)
    }

    /// The other side's description came. The order to give, if any: an offer that crossed the own one may be ignored,
    /// and an answer to an offer that was taken back is. [`resume`](Negotiation::resume) may have another one.
    pub fn received(&mut self, description: Description) -> Option<LinkCommand> {
        match (description.kind(), self.offer) {
            (SdpType::Answer, Own::Sent { .. }) => {
                self.offer = Own::None;
                Some(LinkCommand::Accept(description))
            }
            (SdpType::Answer, _) => None,
            (SdpType::Offer, Own::None) => Some(LinkCommand::Answer(description)),
            (SdpType::Offer, Own::Ordered { restart } | Own::Sent { restart }) => {
                if !self.polite {
                    return None;
                }
                if let Own::Ordered { .. } = self.offer {
                    self.withdrawn += 1;
                }
                self.offer = Own::None;
                self.wanted = Some(restart || self.wanted == Some(true));
                Some(LinkCommand::Answer(description))
            }
        }
    }

    /// What was wanted and had to wait, or was taken back. To be called after the order of
    /// [`received`](Negotiation::received) was given.
    pub fn resume(&mut self) -> Option<LinkCommand> {
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

    /// A description that is nothing but a number and, for offers, whether it restarts.
    fn description(kind: SdpType, number: u32, restart: bool) -> Description {
        Description::from_sdp(kind, &format!("v=0\ns={number} {restart}")).unwrap()
    }

    fn read(description: &Description) -> (u32, bool) {
        let text = description.to_sdp();
        let (number, restart) = text
            .strip_prefix("v=0\ns=")
            .unwrap()
            .split_once(' ')
            .unwrap();
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

    /// One browser: the negotiation, and a peer connection that carries out orders one after the other.
    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    struct Side {
        negotiation: Negotiation,
        jobs: VecDeque<Job>,
        /// The own offer that the peer connection waits for an answer to.
        local_offer: Option<u32>,
        /// What is still going to be wanted.
        wishes: VecDeque<bool>,
        /// What was wanted since the last own offer was made, and what the open one covers.
        unmet: Vec<bool>,
        covered: Vec<bool>,
        made: u32,
    }

    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    struct World {
        sides: [Side; 2],
        /// To each side.
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

        fn give(&mut self, at: usize, order: Option<LinkCommand>) {
            let job = match order {
                None => return,
                Some(LinkCommand::Offer { restart }) => Job::Offer(restart),
                Some(LinkCommand::Answer(offer)) => Job::Answer(read(&offer).0),
                Some(LinkCommand::Accept(answer)) => Job::Accept(read(&answer).0),
                Some(order) => panic!("{order:?}"),
            };
            self.sides[at].jobs.push_back(job);
        }

        fn wish(&mut self, at: usize) -> bool {
            let Some(restart) = self.sides[at].wishes.pop_front() else {
                return false;
            };
            let side = &mut self.sides[at];
            let order = side.negotiation.want(restart);
            let restarting = matches!(side.negotiation.offer, Own::Sent { restart: true });
            // A restart that is on its way serves.
            if restart && restarting && order.is_none() {
                side.covered.push(restart);
            } else {
                side.unmet.push(restart);
            }
            self.give(at, order);
            true
        }

        fn deliver(&mut self, at: usize) -> bool {
            let Some(message) = self.channels[at].pop_front() else {
                return false;
            };
            let description = match message {
                Message::Offer(number, restart) => description(SdpType::Offer, number, restart),
                Message::Answer(number) => description(SdpType::Answer, number, false),
            };
            let order = self.sides[at].negotiation.received(description);
            self.give(at, order);
            let order = self.sides[at].negotiation.resume();
            self.give(at, order);
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
                    // It covers what was wanted before it was made; a restart is only met by a restart.
                    let (met, unmet) = side.unmet.iter().partition(|wanted| restart || !**wanted);
                    (side.covered, side.unmet) = (met, unmet);
                    description(SdpType::Offer, number, restart)
                }
                Job::Answer(number) => {
                    if side.local_offer.take().is_some() {
                        let covered = std::mem::take(&mut side.covered);
                        side.unmet.extend(covered);
                    }
                    description(SdpType::Answer, number, false)
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
                let (number, restart) = read(&sent);
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

    /// Every order in which things can happen leads to an end, and there everybody has got what was wanted.
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
    fn whatever_crosses_both_sides_get_what_they_want() {
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
    fn what_is_stale_is_ignored() {
        let answer = || description(SdpType::Answer, 1, false);
        let offer = || description(SdpType::Offer, 1, false);
        let mut side = Negotiation::new(true);
        assert_eq!(side.received(answer()), None);
        assert_eq!(side.described(offer()), None);
        assert_eq!(
            side.want(false),
            Some(LinkCommand::Offer { restart: false })
        );
        assert_eq!(side.received(answer()), None);
        assert_eq!(side.described(offer()), Some(offer()));
        assert_eq!(side.received(answer()), Some(LinkCommand::Accept(answer())));
        assert_eq!(side.received(answer()), None);
        assert_eq!(side.resume(), None);
    }

    #[test]
    fn a_restart_that_is_on_its_way_is_not_asked_for_again() {
        let mut side = Negotiation::new(false);
        assert_eq!(side.want(true), Some(LinkCommand::Offer { restart: true }));
        assert_eq!(side.want(true), None);
        assert!(
            side.described(description(SdpType::Offer, 1, true))
                .is_some()
        );
        assert_eq!(side.want(true), None);
        assert!(
            side.received(description(SdpType::Answer, 1, false))
                .is_some()
        );
        assert_eq!(side.resume(), None);
        assert_eq!(side.want(true), Some(LinkCommand::Offer { restart: true }));
    }
}
