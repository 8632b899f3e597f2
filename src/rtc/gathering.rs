//! Decides when a local description is sent, and which candidates follow it. The adapter has the clock.
//!
//! Browsers find candidates one after the other and finally report that they are done. Chromium does so 100 ms after
//! the last candidate that another browser can use. So a description is sent as soon as no candidate has been found for
//! a short time, and later candidates are sent several at a time.

use super::candidate::{Candidate, MAX_CANDIDATES, MAX_LATE_CANDIDATES};

/// The time to wait for the first candidate, in milliseconds. A busy machine takes more than 50 for its very first one,
/// and a description without candidates is of little use.
const FIRST: u32 = 250;

/// The time to wait for another candidate, in milliseconds.
const QUIET: u32 = 3;

/// The time to wait for another candidate once all host candidates are found, in milliseconds. Server candidates that a
/// spare connection has gathered arrive within a fraction of this time; others take far longer.
const QUIET_WITH_HOSTS: u32 = 1;

/// The time for which late candidates are collected, in milliseconds.
const BATCH: u32 = 20;

/// The limit of candidates that are sent for one description. The other side accepts no more.
const MAX_FOUND: usize = MAX_CANDIDATES + MAX_LATE_CANDIDATES;

/// The expected result of a gathering.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expected {
    /// The number of host candidates that the last gathering found; 0 if there was none.
    pub hosts: usize,
    /// Whether servers are asked for more.
    pub servers: bool,
}

/// The candidates of one local description.
#[derive(Debug, Default)]
pub struct Gathering {
    found: Vec<Candidate>,
    sent: Vec<Candidate>,
    stage: Stage,
    /// The number of the current pause. A pause that ends with another number has been overtaken.
    turn: u32,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Stage {
    /// The description is not set yet.
    #[default]
    Preparing,
    /// The description waits for its candidates.
    Waiting,
    /// The description may be sent.
    Described,
    /// The description has been sent, and late candidates are collected.
    Collecting,
}

/// The next step of the adapter.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Do nothing.
    Nothing,
    /// Read the description from the browser, then call [`Gathering::described`].
    Describe,
    /// Call [`Gathering::elapsed`] with this turn after this many milliseconds.
    Pause(u32, u32),
    /// Report these candidates, in batches that the other side accepts.
    Report(Vec<Vec<Candidate>>),
}

impl Gathering {
    /// Starts over, before a local description is set.
    pub fn restart(&mut self) {
        *self = Gathering {
            turn: self.turn.wrapping_add(1),
            ..Gathering::default()
        };
    }

    /// Notes that the description was set. If `anew` is false, it has the credentials of the previous one, and nothing
    /// is gathered for it.
    pub fn set(&mut self, anew: bool, expected: Expected) -> Next {
        self.stage = Stage::Waiting;
        match (anew, self.found.is_empty()) {
            (false, _) => self.describe(),
            (true, true) => self.pause(FIRST),
            (true, false) => self.quiet(expected),
        }
    }

    /// Handles a candidate that the browser found.
    pub fn found(&mut self, candidate: Candidate, expected: Expected) -> Next {
        if self.found.len() >= MAX_FOUND || self.found.contains(&candidate) {
            return Next::Nothing;
        }
        self.found.push(candidate);
        match self.stage {
            Stage::Waiting => self.quiet(expected),
            Stage::Described => self.collect(),
            Stage::Preparing | Stage::Collecting => Next::Nothing,
        }
    }

    /// Notes that the browser will find no more candidates. If it has found none at all, this report belongs to the
    /// previous gathering.
    pub fn complete(&mut self) -> Next {
        if self.stage == Stage::Waiting && !self.found.is_empty() {
            self.describe()
        } else {
            Next::Nothing
        }
    }

    /// Handles the end of a pause.
    pub fn elapsed(&mut self, turn: u32) -> Next {
        if turn != self.turn {
            return Next::Nothing;
        }
        match self.stage {
            Stage::Waiting => self.describe(),
            Stage::Collecting => {
                let late = self.unsent();
                self.stage = Stage::Described;
                self.sent.extend_from_slice(&late);
                Next::Report(late.chunks(MAX_CANDIDATES).map(<[_]>::to_vec).collect())
            }
            Stage::Preparing | Stage::Described => Next::Nothing,
        }
    }

    /// Notes that the description is sent with these candidates.
    pub fn described(&mut self, sent: Vec<Candidate>) -> Next {
        self.sent = sent;
        self.stage = Stage::Described;
        if self.unsent().is_empty() {
            Next::Nothing
        } else {
            self.collect()
        }
    }

    /// The number of host candidates that were found.
    pub fn hosts(&self) -> usize {
        self.found
            .iter()
            .filter(|candidate| candidate.is_host())
            .count()
    }

    fn unsent(&self) -> Vec<Candidate> {
        self.found
            .iter()
            .copied()
            .filter(|candidate| !self.sent.contains(candidate))
            .collect()
    }

    fn quiet(&mut self, expected: Expected) -> Next {
        let all = expected.hosts > 0 && self.hosts() >= expected.hosts;
        match (all, expected.servers) {
            (true, false) => self.describe(),
            (true, true) => self.pause(QUIET_WITH_HOSTS),
            (false, _) => self.pause(QUIET),
        }
    }

    fn describe(&mut self) -> Next {
        self.stage = Stage::Described;
        Next::Describe
    }

    fn collect(&mut self) -> Next {
        self.stage = Stage::Collecting;
        self.pause(BATCH)
    }

    fn pause(&mut self, millis: u32) -> Next {
        self.turn = self.turn.wrapping_add(1);
        Next::Pause(self.turn, millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING_KNOWN: Expected = Expected {
        hosts: 0,
        servers: false,
    };

    fn host(number: u8) -> Candidate {
        Candidate::parse(&format!(
            "candidate:1 1 udp 1 192.0.2.{number} 2000 typ host"
        ))
        .unwrap()
    }

    fn reflexive() -> Candidate {
        Candidate::parse("candidate:1 1 udp 1 203.0.113.7 2000 typ srflx raddr 0.0.0.0 rport 9")
            .unwrap()
    }

    fn pause(next: Next, expected: u32) -> u32 {
        let Next::Pause(turn, millis) = next else {
            panic!("{next:?}")
        };
        assert_eq!(millis, expected);
        turn
    }

    #[test]
    fn a_description_is_sent_when_no_candidate_has_come_for_a_while() {
        let mut gathering = Gathering::default();
        gathering.restart();
        let first = pause(gathering.set(true, NOTHING_KNOWN), FIRST);
        let second = pause(gathering.found(host(1), NOTHING_KNOWN), QUIET);
        assert_eq!(gathering.found(host(1), NOTHING_KNOWN), Next::Nothing);
        let third = pause(gathering.found(host(2), NOTHING_KNOWN), QUIET);
        assert_eq!(gathering.elapsed(first), Next::Nothing);
        assert_eq!(gathering.elapsed(second), Next::Nothing);
        assert_eq!(gathering.elapsed(third), Next::Describe);
        assert_eq!(gathering.hosts(), 2);
        assert_eq!(gathering.described(vec![host(1), host(2)]), Next::Nothing);
        assert_eq!(gathering.complete(), Next::Nothing);
    }

    #[test]
    fn a_description_is_sent_once_as_many_hosts_are_found_as_the_last_time() {
        let expected = Expected {
            hosts: 2,
            servers: false,
        };
        let mut gathering = Gathering::default();
        gathering.restart();
        pause(gathering.set(true, expected), FIRST);
        pause(gathering.found(host(1), expected), QUIET);
        assert_eq!(gathering.found(host(2), expected), Next::Describe);

        let expected = Expected {
            hosts: 1,
            servers: true,
        };
        gathering.restart();
        assert_eq!(gathering.found(host(1), expected), Next::Nothing);
        pause(gathering.set(true, expected), QUIET_WITH_HOSTS);
        let turn = pause(gathering.found(reflexive(), expected), QUIET_WITH_HOSTS);
        assert_eq!(gathering.elapsed(turn), Next::Describe);
    }

    #[test]
    fn a_description_is_sent_when_there_is_nothing_to_wait_for() {
        let mut gathering = Gathering::default();
        assert_eq!(gathering.set(false, NOTHING_KNOWN), Next::Describe);
        gathering.restart();
        let turn = pause(gathering.set(true, NOTHING_KNOWN), FIRST);
        // This report belongs to the previous gathering.
        assert_eq!(gathering.complete(), Next::Nothing);
        assert_eq!(gathering.elapsed(turn), Next::Describe);
        gathering.restart();
        pause(gathering.set(true, NOTHING_KNOWN), FIRST);
        pause(gathering.found(host(1), NOTHING_KNOWN), QUIET);
        assert_eq!(gathering.complete(), Next::Describe);
    }

    #[test]
    fn late_candidates_are_reported_together_and_once() {
        let mut gathering = Gathering::default();
        gathering.set(false, NOTHING_KNOWN);
        assert_eq!(gathering.described(Vec::new()), Next::Nothing);
        let turn = pause(gathering.found(host(1), NOTHING_KNOWN), BATCH);
        for number in 2..=20 {
            assert_eq!(gathering.found(host(number), NOTHING_KNOWN), Next::Nothing);
        }
        let Next::Report(late) = gathering.elapsed(turn) else {
            panic!()
        };
        assert_eq!(late.iter().map(Vec::len).collect::<Vec<_>>(), [16, 4]);
        assert_eq!(gathering.elapsed(turn), Next::Nothing);
        let turn = pause(gathering.found(reflexive(), NOTHING_KNOWN), BATCH);
        assert_eq!(
            gathering.elapsed(turn),
            Next::Report(vec![vec![reflexive()]])
        );
    }

    #[test]
    fn candidates_found_while_the_description_was_read_are_reported_later() {
        let mut gathering = Gathering::default();
        gathering.restart();
        gathering.set(true, NOTHING_KNOWN);
        gathering.found(host(1), NOTHING_KNOWN);
        gathering.complete();
        let turn = pause(gathering.described(Vec::new()), BATCH);
        // Another description is begun first.
        gathering.restart();
        assert_eq!(gathering.elapsed(turn), Next::Nothing);
    }

    #[test]
    fn the_number_of_candidates_is_bounded() {
        let mut gathering = Gathering::default();
        for number in 0..=255 {
            gathering.found(host(number), NOTHING_KNOWN);
        }
        assert_eq!(gathering.hosts(), MAX_FOUND);
    }
}
