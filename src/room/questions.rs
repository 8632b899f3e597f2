//! Questions of ours that wait for their answers, and answers to those of others.

use core::time::Duration;

use super::{AskError, Deadline, Dropped, Event, MAX_QUESTION, Room};
use crate::identity::PeerId;
use crate::time::Millis;
use crate::wire::chunks::is_json;
use crate::wire::{Frame, OutboundMessage};
use chacha20::rand_core::Rng;

/// A topic has at most this many bytes.
const MAX_TOPIC: usize = 1_000;
/// Why there is no answer is said in at most this many bytes.
const MAX_ERROR: usize = 1_000;
/// An id has at most this many bytes.
const MAX_ID: usize = 40;

/// Names a question: a number that grows, so that new ones go to the end of the list, and 32 random bits.
type Id = u64;

/// Questions without an answer.
#[derive(Debug, Default)]
pub(super) struct Questions {
    /// In the order of their ids. `None` where an answer has come: taking each out at once would move all others.
    asked: Vec<(Id, Option<Asked>)>,
    answered: usize,
    next: u32,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    token: u32,
    peer: PeerId,
    until: Millis,
}

impl Questions {
    fn ask(&mut self, random: u32, asked: Asked) -> String {
        let id = Id::from(self.next) << 32 | Id::from(random);
        // After four thousand million questions the order is lost, and no answer is taken for another.
        self.next = self.next.wrapping_add(1);
        self.asked.push((id, Some(asked)));
        id.to_string()
    }

    /// Takes the question that this peer was asked.
    fn answer(&mut self, peer: &PeerId, id: &str) -> Option<u32> {
        let id: Id = id.parse().ok()?;
        let at = self.asked.binary_search_by(|(other, _)| other.cmp(&id));
        let (_, asked) = self.asked.get_mut(at.ok()?)?;
        let token = asked.take_if(|asked| asked.peer == *peer)?.token;
        self.answered += 1;
        if self.answered * 2 > self.asked.len() {
            self.asked.retain(|(_, asked)| asked.is_some());
            self.answered = 0;
        }
        Some(token)
    }

    /// Takes all questions that `which` names.
    fn take(&mut self, which: impl Fn(&Asked) -> bool) -> Vec<(u32, PeerId)> {
        let mut taken = Vec::new();
        self.asked.retain(|(_, asked)| match asked {
            Some(asked) if which(asked) => {
                taken.push((asked.token, asked.peer));
                false
            }
            asked => asked.is_some(),
        });
        self.answered = 0;
        taken
    }

    fn next_timeout(&self) -> Option<Millis> {
        let asked = self.asked.iter().filter_map(|(_, asked)| asked.as_ref());
        asked.map(|asked| asked.until).min()
    }
}

impl Room {
    pub(super) fn ask_question(
        &mut self,
        peer: PeerId,
        token: u32,
        topic: Option<String>,
        content: String,
        timeout: Duration,
    ) {
        let wrong = if content.len() > MAX_QUESTION {
            Some("A question has at most 256 KiB.")
        } else if topic.as_ref().is_some_and(|topic| topic.len() > MAX_TOPIC) {
            Some("The topic of a question has at most 1,000 bytes.")
        } else if !is_json(&content) {
            Some("A question is one JSON value.")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            return self.answered(token, peer, Err(AskError::Failed(wrong.to_owned())));
        }
        if !self.can_be_sent_to(&peer) {
            return self.answered(token, peer, Err(AskError::Gone));
        }
        let until = self.now + timeout;
        let random = self.rng.next_u32();
        let id = self.questions.ask(random, Asked { token, peer, until });
        self.deadlines.set_earlier(Deadline::Answers, until);
        let frame = Frame::Question { id, topic, content };
        self.push(peer, OutboundMessage::frame(&frame), None);
    }

    pub(super) fn withdraw(&mut self, token: u32) {
        self.questions.take(|asked| asked.token == token);
    }

    /// Our application's answer.
    pub(super) fn answer(
        &mut self,
        peer: PeerId,
        question: String,
        result: Result<String, String>,
    ) {
        if !self.can_be_sent_to(&peer) || question.len() > MAX_ID {
            return;
        }
        let result = match result {
            Ok(answer) if answer.len() > MAX_QUESTION => {
                Err("The answer has more than 256 KiB.".to_owned())
            }
            Ok(answer) if !is_json(&answer) => Err("The answer is not JSON.".to_owned()),
            Err(mut error) => {
                error.truncate(error.floor_char_boundary(MAX_ERROR));
                Err(error)
            }
            answer => answer,
        };
        let frame = Frame::Answer {
            id: question,
            result,
        };
        self.push(peer, OutboundMessage::frame(&frame), None);
    }

    pub(super) fn on_question(
        &mut self,
        peer: PeerId,
        question: String,
        topic: Option<String>,
        content: String,
    ) {
        let topic_fits = topic.as_ref().is_none_or(|topic| topic.len() <= MAX_TOPIC);
        let fits =
            topic_fits && (1..=MAX_ID).contains(&question.len()) && content.len() <= MAX_QUESTION;
        if !fits {
            return self.dropped(Dropped::BadFrame);
        }
        self.event(Event::Question {
            peer,
            question,
            topic,
            content,
        });
    }

    pub(super) fn on_answer_frame(
        &mut self,
        peer: PeerId,
        id: &str,
        result: Result<String, String>,
    ) {
        match self.questions.answer(&peer, id) {
            Some(token) => self.answered(token, peer, result.map_err(AskError::Failed)),
            None => self.dropped(Dropped::UnaskedAnswer),
        }
    }

    /// The next question's time may be over.
    pub(super) fn questions_due(&mut self) {
        let now = self.now;
        for (token, peer) in self.questions.take(|asked| asked.until <= now) {
            self.answered(token, peer, Err(AskError::Timeout));
        }
        if let Some(next) = self.questions.next_timeout() {
            self.deadlines.set(Deadline::Answers, next);
        }
    }

    /// Nobody is there any more to answer.
    pub(super) fn no_answer_from(&mut self, peer: PeerId) {
        for (token, peer) in self.questions.take(|asked| asked.peer == peer) {
            self.answered(token, peer, Err(AskError::Gone));
        }
    }

    fn answered(&mut self, token: u32, peer: PeerId, result: Result<String, AskError>) {
        self.event(Event::Answered {
            token,
            peer,
            result,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: PeerId = PeerId([1; 16]);
    const BEN: PeerId = PeerId([2; 16]);

    fn asked(token: u32, peer: PeerId) -> Asked {
        let until = Millis(u64::from(token));
        Asked { token, peer, until }
    }

    #[test]
    fn only_who_was_asked_answers_and_only_once() {
        let mut questions = Questions::default();
        let ids: Vec<String> = (0..100)
            .map(|token| questions.ask(9, asked(token, ANN)))
            .collect();
        for (token, id) in ids.iter().enumerate().rev() {
            assert_eq!(questions.answer(&BEN, id), None);
            assert_eq!(questions.answer(&ANN, id), Some(token as u32));
            assert_eq!(questions.answer(&ANN, id), None);
        }
        assert!(questions.asked.is_empty());
        for id in ["", "a", "-1", "9", &"9".repeat(1_000)] {
            assert_eq!(questions.answer(&ANN, id), None);
        }
    }

    #[test]
    fn what_is_kept_is_not_much_more_than_what_is_open() {
        let mut questions = Questions::default();
        let first = questions.ask(9, asked(0, ANN));
        for token in 1..10_000 {
            let id = questions.ask(9, asked(token, ANN));
            assert_eq!(questions.answer(&ANN, &id), Some(token));
            assert!(questions.asked.len() < 5);
        }
        assert_eq!(questions.answer(&ANN, &first), Some(0));
    }
}
