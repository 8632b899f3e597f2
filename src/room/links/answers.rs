//! Whether a peer answers on its verified connection.
//!
//! A browser is told nothing when its router gets another public address, and reports a broken path only after five
//! seconds. But a path that works answers within its round-trip time. So each question to a peer has a time within
//! which something has to come from it, and when nothing does, the connection is doubted.

use core::time::Duration;

use crate::time::Millis;

/// The least time for an answer: enough to send a lost packet again, which SCTP does after 400 ms.
const LEAST_PATIENCE: Duration = Duration::from_millis(750);
/// The longest time for an answer, on the slowest line.
const LONGEST_PATIENCE: Duration = Duration::from_millis(3500);
/// An answer may take this many times as long as answers did before.
const SLACK: u32 = 3;
/// If we notice only this long after the time is over, our own page stood still …
const STALLED: Duration = Duration::from_millis(250);
/// … and what has come meanwhile gets this long to be handled.
const STALL_GRACE: Duration = Duration::from_millis(150);

/// The question to a peer that has no answer yet, and how long its answers take.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// When the peer was asked, if nothing has come from it since.
    asked: Option<Millis>,
    /// How long the latest answers took.
    usual: Duration,
    /// Whether it got more time, because we looked too late.
    excused: bool,
    /// Whether the connection is doubted: an answer should have come, and nothing has.
    pub doubted: bool,
}

impl Answers {
    /// Notes that the peer was asked for something.
    pub fn ask(&mut self, now: Millis) {
        self.asked.get_or_insert(now);
    }

    /// Forgets the question, since a new one begins.
    pub fn forget_question(&mut self) {
        (self.asked, self.excused) = (None, false);
    }

    /// When the peer was asked, if nothing has come from it since.
    pub fn asked(&self) -> Option<Millis> {
        self.asked
    }

    /// Notes that something came from the peer. Returns whether that ends a doubt.
    pub fn heard(&mut self, now: Millis) -> bool {
        if let Some(asked) = self.asked.take() {
            self.usual = (self.usual + now.since(asked)) / 2;
        }
        self.excused = false;
        core::mem::take(&mut self.doubted)
    }

    /// When an answer has to be there, if one is awaited.
    pub fn due(&self) -> Option<Millis> {
        let patience = (self.usual * SLACK).clamp(LEAST_PATIENCE, LONGEST_PATIENCE);
        self.asked.map(|asked| asked + patience)
    }

    /// Whether an answer is overdue. If we look too late, our own page stood still, and it may be in the browser's queue:
    /// then it gets some more time, once.
    pub fn is_overdue(&mut self, now: Millis) -> bool {
        let Some(due) = self.due().filter(|due| *due <= now) else {
            return false;
        };
        if now.since(due) >= STALLED && !core::mem::replace(&mut self.excused, true) {
            self.asked = self.asked.map(|asked| asked + now.since(due) + STALL_GRACE);
            return false;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Millis {
        Millis(1_000_000 + millis)
    }

    #[test]
    fn slow_lines_get_more_time_and_quick_ones_the_least() {
        let mut answers = Answers::default();
        assert_eq!(answers.due(), None);
        answers.ask(at(0));
        answers.ask(at(700));
        assert_eq!(answers.due(), Some(at(750)), "the first question counts");
        assert!(!answers.is_overdue(at(749)) && answers.is_overdue(at(750)));
        assert!(!answers.heard(at(1000)), "nobody had a doubt");
        answers.ask(at(2000));
        assert_eq!(answers.due(), Some(at(3500)), "500 ms are usual now");
        answers.doubted = true;
        assert!(answers.heard(at(20_000)) && !answers.doubted);
        answers.ask(at(20_000));
        assert_eq!(answers.due(), Some(at(23_500)));
    }

    #[test]
    fn a_page_that_stood_still_gets_a_moment_to_read_what_came() {
        let mut answers = Answers::default();
        answers.ask(at(0));
        assert!(!answers.is_overdue(at(3000)), "it has just gone on");
        assert!(!answers.is_overdue(at(3149)) && answers.is_overdue(at(3150)));
        assert!(answers.is_overdue(at(9000)), "but only once");
    }
}
