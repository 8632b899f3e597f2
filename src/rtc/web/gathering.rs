//! When a local description leaves, and what is told after it.

use futures_channel::oneshot;

use super::super::candidate::Candidate;
use super::super::description::MAX_CANDIDATES;

/// How long to wait for the first candidate, in milliseconds.
pub(super) const FIRST: i32 = 50;

/// How long no new candidate must have come, in milliseconds.
const QUIET: i32 = 3;

/// The same when all host candidates are there, and only those that a server told can be on their way: those of a
/// spare connection come along within a fraction of this, others take far longer.
const QUIET_WITH_HOSTS: i32 = 1;

/// For how long late candidates are collected, in milliseconds.
pub(super) const BATCH: i32 = 20;

/// No machine has more; a page that finds more does not need them.
const MOST: usize = 64;

/// The candidates of one local description.
#[derive(Default)]
pub(super) struct Gathering {
    found: Vec<Candidate>,
    told: Vec<Candidate>,
    stage: Stage,
    /// Which pause is the current one; a pause that ends with another number was overtaken.
    turn: u32,
}

#[derive(Default)]
enum Stage {
    /// The description is not set yet.
    #[default]
    Preparing,
    /// The description waits for its candidates; whoever waits for it is told here.
    Waiting(oneshot::Sender<()>),
    /// The description has left.
    Described,
    /// The description has left, and late candidates are collected.
    Collecting,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    /// Call [`Gathering::ripen`] with this turn after so many milliseconds.
    Ripen(u32, i32),
    /// Call [`Gathering::late`] with this turn after [`BATCH`].
    Collect(u32),
}

impl Gathering {
    /// Begins anew, before a local description is set.
    pub fn restart(&mut self) {
        *self = Gathering {
            turn: self.turn.wrapping_add(1),
            ..Gathering::default()
        };
    }

    /// The description is set: from now on it is waited for its candidates. `hosts` is how many host candidates are
    /// expected, 0 if that is not known.
    pub fn wait(&mut self, hosts: usize, has_servers: bool) -> (oneshot::Receiver<()>, Next) {
        let (ripe, receiver) = oneshot::channel();
        self.stage = Stage::Waiting(ripe);
        let next = if self.found.is_empty() {
            self.after(FIRST)
        } else {
            self.quiet(hosts, has_servers)
        };
        (receiver, next)
    }

    /// The browser found a candidate.
    pub fn found(&mut self, candidate: Candidate, hosts: usize, has_servers: bool) -> Next {
        if self.found.len() >= MOST || self.found.contains(&candidate) {
            return Next::Nothing;
        }
        self.found.push(candidate);
        match self.stage {
            Stage::Waiting(_) => self.quiet(hosts, has_servers),
            Stage::Described => {
                self.stage = Stage::Collecting;
                self.turn = self.turn.wrapping_add(1);
                Next::Collect(self.turn)
            }
            Stage::Preparing | Stage::Collecting => Next::Nothing,
        }
    }

    fn quiet(&mut self, hosts: usize, has_servers: bool) -> Next {
        let all = hosts > 0 && self.hosts() >= hosts;
        match (all, has_servers) {
            (true, false) => self.complete(),
            (true, true) => self.after(QUIET_WITH_HOSTS),
            (false, _) => self.after(QUIET),
        }
    }

    fn after(&mut self, millis: i32) -> Next {
        self.turn = self.turn.wrapping_add(1);
        Next::Ripen(self.turn, millis)
    }

    /// There will be no more candidates.
    pub fn complete(&mut self) -> Next {
        self.ripen(self.turn);
        Next::Nothing
    }

    /// A pause ended: if it was the current one, the description leaves.
    pub fn ripen(&mut self, turn: u32) {
        if turn != self.turn {
            return;
        }
        if let Stage::Waiting(ripe) = core::mem::take(&mut self.stage) {
            // Whoever waited may have been closed.
            let _ = ripe.send(());
        }
        self.stage = Stage::Described;
    }

    /// How many host candidates were found.
    pub fn hosts(&self) -> usize {
        self.found
            .iter()
            .filter(|candidate| candidate.is_host())
            .count()
    }

    /// The description left with these; `Collect` if others were found meanwhile.
    pub fn described(&mut self, told: Vec<Candidate>) -> Next {
        self.told = told;
        self.stage = Stage::Described;
        if self
            .found
            .iter()
            .all(|candidate| self.told.contains(candidate))
        {
            return Next::Nothing;
        }
        self.stage = Stage::Collecting;
        self.turn = self.turn.wrapping_add(1);
        Next::Collect(self.turn)
    }

    /// The late candidates to tell, in portions that the other side takes.
    pub fn late(&mut self, turn: u32) -> Vec<Vec<Candidate>> {
        if turn != self.turn || !matches!(self.stage, Stage::Collecting) {
            return Vec::new();
        }
        self.stage = Stage::Described;
        let late: Vec<_> = self
            .found
            .iter()
            .copied()
            .filter(|candidate| !self.told.contains(candidate))
            .collect();
        self.told.extend_from_slice(&late);
        late.chunks(MAX_CANDIDATES).map(<[_]>::to_vec).collect()
    }
}
