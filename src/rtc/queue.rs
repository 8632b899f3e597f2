//! A bounded queue of the commands that wait for a connection.
//!
//! While a browser creates a description, all other commands wait, and the other side decides how often that happens.
//! So messages, negotiation steps and candidates have limits, and exceeding one is reported.

use std::collections::VecDeque;

use super::candidate::MAX_LATE_CANDIDATES;
use super::{LinkCommand, Renegotiation};

/// The limit of bytes of messages that wait.
pub const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;

/// The cost of a message in addition to its bytes, so that empty messages are limited, too.
const MESSAGE_COST: usize = 64;

/// The limit of negotiation steps that wait. Even if the offers of both sides cross, there are at most three.
pub const MAX_WAITING_STEPS: usize = 8;

/// A limit that was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// [`MAX_WAITING_BYTES`]
    #[error("Too much is waiting to be sent.")]
    Messages,
    /// [`MAX_WAITING_STEPS`]
    #[error("The connection is negotiated faster than this browser can follow.")]
    Negotiation,
    /// [`MAX_LATE_CANDIDATES`]
    #[error("The other side names more addresses than this browser tries.")]
    Candidates,
}

/// The commands that wait for one connection.
#[derive(Debug, Default)]
pub struct CommandQueue {
    waiting: VecDeque<LinkCommand>,
    bytes: usize,
    steps: usize,
    /// The number of candidates since the last remote description that may bring a new path.
    late: usize,
}

impl CommandQueue {
    /// Appends a command.
    ///
    /// # Errors
    /// The [`Limit`] that was exceeded. The command, or the excess candidates, are dropped. Excess candidates are
    /// reported once for each remote description.
    pub fn push(&mut self, mut command: LinkCommand) -> Result<(), Limit> {
        let mut exceeded = None;
        match &mut command {
            LinkCommand::AddCandidates(candidates) => {
                let left = MAX_LATE_CANDIDATES.saturating_sub(self.late);
                let reported = self.late > MAX_LATE_CANDIDATES;
                if candidates.len() > left {
                    candidates.truncate(left);
                    self.late = MAX_LATE_CANDIDATES + 1;
                    exceeded = (!reported).then_some(Limit::Candidates);
                } else {
                    self.late += candidates.len();
                }
                if candidates.is_empty() {
                    return exceeded.map_or(Ok(()), Err);
                }
            }
            LinkCommand::Send(_) | LinkCommand::SendBytes(_) => {
                let bytes = self.bytes + cost(&command);
                if bytes > MAX_WAITING_BYTES {
                    return Err(Limit::Messages);
                }
                self.bytes = bytes;
            }
            command if is_step(command) => {
                if self.steps == MAX_WAITING_STEPS {
                    return Err(Limit::Negotiation);
                }
                self.steps += 1;
                if let LinkCommand::Renegotiate(
                    Renegotiation::Answer(_) | Renegotiation::Accept(_),
                ) = command
                {
                    self.late = 0;
                }
            }
            _ => {}
        }
        self.waiting.push_back(command);
        exceeded.map_or(Ok(()), Err)
    }

    /// Removes and returns the command to carry out next.
    pub fn pop(&mut self) -> Option<LinkCommand> {
        let command = self.waiting.pop_front()?;
        self.bytes -= cost(&command);
        self.steps -= usize::from(is_step(&command));
        Some(command)
    }

    /// Drops all commands that wait.
    pub fn clear(&mut self) {
        *self = CommandQueue::default();
    }
}

fn cost(command: &LinkCommand) -> usize {
    match command {
        LinkCommand::Send(text) => text.len() + MESSAGE_COST,
        LinkCommand::SendBytes(bytes) => bytes.len() + MESSAGE_COST,
        _ => 0,
    }
}

fn is_step(command: &LinkCommand) -> bool {
    matches!(
        command,
        LinkCommand::Offer
            | LinkCommand::Answer(_)
            | LinkCommand::Accept(_)
            | LinkCommand::Renegotiate(_)
    )
}

#[cfg(test)]
mod tests {
    use super::super::Candidate;
    use super::*;

    fn candidates(numbers: core::ops::Range<usize>) -> LinkCommand {
        let candidate = |number| {
            let line = format!("candidate:1 1 udp 1 192.0.2.{number} 2000 typ host");
            Candidate::parse(&line).unwrap()
        };
        LinkCommand::AddCandidates(numbers.map(candidate).collect())
    }

    fn restart() -> LinkCommand {
        LinkCommand::Renegotiate(Renegotiation::Offer { restart: true })
    }

    #[test]
    fn commands_keep_their_order() {
        let mut queue = CommandQueue::default();
        let commands = [
            LinkCommand::Offer,
            LinkCommand::Send("a".into()),
            candidates(0..3),
            LinkCommand::SendBytes(vec![1]),
            restart(),
        ];
        for command in commands.clone() {
            assert_eq!(queue.push(command), Ok(()));
        }
        assert!(std::iter::from_fn(|| queue.pop()).eq(commands));
    }

    #[test]
    fn surplus_candidates_are_ignored_and_reported_once() {
        let mut queue = CommandQueue::default();
        assert_eq!(queue.push(candidates(0..20)), Ok(()));
        assert_eq!(queue.push(candidates(20..40)), Err(Limit::Candidates));
        for _ in 0..1000 {
            assert_eq!(queue.push(candidates(0..16)), Ok(()));
        }
        assert_eq!(queue.pop(), Some(candidates(0..20)));
        assert_eq!(queue.pop(), Some(candidates(20..32)));
        assert_eq!(queue.pop(), None);
        // An offer of ours brings no candidates of the other side.
        assert_eq!(queue.push(restart()), Ok(()));
        assert_eq!(queue.push(candidates(0..1)), Ok(()));
        assert_eq!((queue.pop(), queue.pop()), (Some(restart()), None));
    }

    #[test]
    fn exactly_as_many_candidates_as_allowed_exceed_nothing() {
        let mut queue = CommandQueue::default();
        assert_eq!(queue.push(candidates(0..MAX_LATE_CANDIDATES)), Ok(()));
        assert_eq!(queue.push(candidates(0..1)), Err(Limit::Candidates));
        assert_eq!(queue.push(candidates(0..1)), Ok(()));
    }

    #[test]
    fn a_remote_description_renews_the_budget_of_candidates() {
        let mut queue = CommandQueue::default();
        let description = crate::rtc::session::tests::checked("1", true);
        assert_eq!(queue.push(candidates(0..33)), Err(Limit::Candidates));
        let answer = LinkCommand::Renegotiate(Renegotiation::Answer(description));
        assert_eq!(queue.push(answer), Ok(()));
        assert_eq!(queue.push(candidates(0..32)), Ok(()));
        assert_eq!(queue.push(candidates(0..1)), Err(Limit::Candidates));
    }

    #[test]
    fn waiting_negotiation_steps_are_limited() {
        let mut queue = CommandQueue::default();
        for _ in 0..MAX_WAITING_STEPS {
            assert_eq!(queue.push(restart()), Ok(()));
        }
        assert_eq!(queue.push(restart()), Err(Limit::Negotiation));
        assert_eq!(queue.push(LinkCommand::Send("x".into())), Ok(()));
        assert_eq!(queue.pop(), Some(restart()));
        assert_eq!(queue.push(restart()), Ok(()));
        assert_eq!(queue.push(restart()), Err(Limit::Negotiation));
    }

    #[test]
    fn waiting_messages_are_limited_even_if_they_are_empty() {
        let mut queue = CommandQueue::default();
        let most = MAX_WAITING_BYTES / MESSAGE_COST;
        for _ in 0..most {
            assert_eq!(queue.push(LinkCommand::Send(String::new())), Ok(()));
        }
        let large = LinkCommand::SendBytes(vec![0]);
        assert_eq!(queue.push(large.clone()), Err(Limit::Messages));
        assert_eq!(queue.pop(), Some(LinkCommand::Send(String::new())));
        assert_eq!(queue.push(large), Err(Limit::Messages));
        queue.clear();
        let large = LinkCommand::SendBytes(vec![0; MAX_WAITING_BYTES - MESSAGE_COST]);
        assert_eq!(queue.push(large), Ok(()));
        assert!(queue.pop().is_some());
        assert_eq!(queue.push(LinkCommand::Send("x".into())), Ok(()));
    }
}
