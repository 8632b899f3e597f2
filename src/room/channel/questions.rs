//! Our questions that wait for their answers, and our answers to questions of others.

use litemap::LiteMap;

use super::Channels;
use crate::identity::PeerId;
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::effect::{Effect, PeerEvent};
use crate::room::io::{AppCommand, AppEvent, AskError};
use crate::room::timer::ChannelTimer;
use crate::time::Millis;
use crate::wire::chunks::is_json;
use crate::wire::frame::QuestionFrame;
use crate::wire::value::MAX_QUESTION;
use crate::wire::{Frame, OutboundMessage};
use chacha20::rand_core::Rng;

/// A topic has at most this many bytes.
const MAX_TOPIC: usize = 1_000;
/// The error text of an answer has at most this many bytes.
const MAX_ERROR: usize = 1_000;
/// An id has at most this many bytes.
const MAX_ID: usize = 40;

/// The most questions of one peer that wait for our application's answers.
const MAX_OPEN: usize = 4096;
/// The error that the peer gets for every further question.
const TOO_MANY: &str = "Too many questions wait for their answers.";

/// The id of a question: a growing number, so that new questions go to the end of the list, and 32 random bits.
type Id = u64;

/// Questions without an answer.
#[derive(Debug, Default)]
pub(in crate::room) struct Questions {
    /// Our questions, in the order of their ids. `None` where an answer has come: removing each one at once would move
    /// all others.
    asked: Vec<(Id, Option<Asked>)>,
    answered: usize,
    next: u32,
    /// Questions of others that wait for our application's answers.
    open: LiteMap<PeerId, LiteMap<String, ()>>,
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
        // After four billion questions the order is lost, but no answer is matched to another question.
        self.next = self.next.wrapping_add(1);
        self.asked.push((id, Some(asked)));
        id.to_string()
    }

    /// Removes the question with this id that this peer was asked, and returns its token.
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

    /// Removes all questions that `which` selects, and returns their tokens and peers.
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

impl Questions {
    /// Handles a command of the application.
    pub fn on_command(&mut self, command: AppCommand, channels: &Channels, cx: &mut Cx) {
        match command {
            AppCommand::Ask {
                peer,
                token,
                topic,
                content,
                timeout,
            } => {
                let until = cx.now + timeout;
                let asked = Asked { token, peer, until };
                self.ask_peer(asked, topic, content, channels, cx);
            }
            AppCommand::Withdraw { token } => {
                self.take(|asked| asked.token == token);
            }
            AppCommand::Answer {
                peer,
                question,
                result,
            } => {
                let open = self.open.get_mut(&peer);
                // Only an open question can be answered, and only once.
                if open.is_some_and(|open| open.remove(&question).is_some()) {
                    answer(peer, question, result, channels, cx);
                }
            }
            // `Room` routes these to the channels.
            AppCommand::Send { .. } | AppCommand::Ping { .. } => {}
        }
    }

    fn ask_peer(
        &mut self,
        asked: Asked,
        topic: Option<String>,
        content: String,
        channels: &Channels,
        cx: &mut Cx,
    ) {
        let Asked { token, peer, until } = asked;
        let wrong = if content.len() > MAX_QUESTION {
            Some("A question has at most 256 KiB.")
        } else if topic.as_ref().is_some_and(|topic| topic.len() > MAX_TOPIC) {
            Some("The topic of a question has at most 1,000 bytes.")
        } else if !is_json(&content) {
            Some("A question is one JSON value, nested at most 1,000 deep.")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            return answered(token, peer, Err(AskError::Failed(wrong.to_owned())), cx);
        }
        if !channels.contains(&peer) {
            return answered(token, peer, Err(AskError::Gone), cx);
        }
        let id = self.ask(cx.rng.next_u32(), asked);
        cx.timers.set_earlier(ChannelTimer::Answers.into(), until);
        let frame = Frame::Question(QuestionFrame::Question { id, topic, content });
        cx.effect(Effect::Stream(peer, OutboundMessage::frame(&frame)));
    }

    /// Handles a question or an answer of a peer.
    pub fn on_frame(&mut self, peer: PeerId, frame: QuestionFrame, cx: &mut Cx) {
        match frame {
            QuestionFrame::Question { id, topic, content } => {
                self.on_question(peer, id, topic, content, cx);
            }
            QuestionFrame::Answer { id, result } => match self.answer(&peer, &id) {
                Some(token) => answered(token, peer, result.map_err(AskError::Failed), cx),
                None => cx.dropped(Dropped::UnaskedAnswer),
            },
        }
    }

    fn on_question(
        &mut self,
        peer: PeerId,
        question: String,
        topic: Option<String>,
        content: String,
        cx: &mut Cx,
    ) {
        let topic_fits = topic.as_ref().is_none_or(|topic| topic.len() <= MAX_TOPIC);
        let fits =
            topic_fits && (1..=MAX_ID).contains(&question.len()) && content.len() <= MAX_QUESTION;
        if !fits {
            return cx.dropped(Dropped::BadFrame);
        }
        let open = self.open.entry(peer).or_default();
        if open.len() >= MAX_OPEN || open.contains_key(&question) {
            cx.dropped(Dropped::TooManyQuestions);
            return reply(peer, question, Err(TOO_MANY.to_owned()), cx);
        }
        open.insert(question.clone(), ());
        cx.app(AppEvent::Question {
            peer,
            question,
            topic,
            content,
        });
    }

    /// Ends the questions whose time is over, and sets the timer for the next one.
    pub fn on_timer(&mut self, cx: &mut Cx) {
        let now = cx.now;
        for (token, peer) in self.take(|asked| asked.until <= now) {
            answered(token, peer, Err(AskError::Timeout), cx);
        }
        if let Some(next) = self.next_timeout() {
            cx.timers.set(ChannelTimer::Answers.into(), next);
        }
    }

    /// Handles an event of a peer: one that is gone answers no more questions.
    pub fn on_peer(&mut self, peer: PeerId, event: &PeerEvent, cx: &mut Cx) {
        if matches!(event, PeerEvent::Gone { .. } | PeerEvent::Forgotten) {
            self.open.remove(&peer);
            for (token, peer) in self.take(|asked| asked.peer == peer) {
                answered(token, peer, Err(AskError::Gone), cx);
            }
        }
    }
}

/// Sends our application's answer.
fn answer(
    peer: PeerId,
    question: String,
    result: Result<String, String>,
    channels: &Channels,
    cx: &mut Cx,
) {
    if !channels.contains(&peer) || question.len() > MAX_ID {
        return;
    }
    let result = match result {
        Ok(answer) if answer.len() > MAX_QUESTION => {
            Err("The answer has more than 256 KiB.".to_owned())
        }
        Ok(answer) if !is_json(&answer) => {
            Err("The answer is not JSON, or nested too deep.".to_owned())
        }
        Err(mut error) => {
            error.truncate(error.floor_char_boundary(MAX_ERROR));
            Err(error)
        }
        answer => answer,
    };
    reply(peer, question, result, cx);
}

fn reply(peer: PeerId, id: String, result: Result<String, String>, cx: &mut Cx) {
    let frame = Frame::Question(QuestionFrame::Answer { id, result });
    cx.effect(Effect::Reply(peer, OutboundMessage::frame(&frame)));
}

pub(in crate::room) fn answered(
    token: u32,
    peer: PeerId,
    result: Result<String, AskError>,
    cx: &mut Cx,
) {
    cx.app(AppEvent::Answered {
        token,
        peer,
        result,
    });
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
    fn only_the_peer_that_was_asked_answers_and_only_once() {
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
    fn answered_questions_do_not_pile_up() {
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
