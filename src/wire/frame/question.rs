//! Frames for questions of applications, and the answers. They are chunks of the stream.

use super::Frame;
use super::json::{Fields, Writer};
use crate::wire::value::is_too_deep;

/// A question of an application, or the answer to one.
#[derive(Debug, Clone, PartialEq)]
pub enum QuestionFrame {
    /// A question from one application to another.
    Question {
        /// The question's id, chosen by the asker.
        id: String,
        /// The topic: selects the handler that should answer.
        topic: Option<String>,
        /// The question, in JSON.
        content: String,
    },
    /// The answer to a question.
    Answer {
        /// The question's id.
        id: String,
        /// The answer, in JSON, or the reason why there is none.
        result: Result<String, String>,
    },
}

impl QuestionFrame {
    pub(super) const KINDS: [&str; 2] = ["question", "answer"];

    pub(super) fn read(kind: &str, fields: &Fields) -> Option<QuestionFrame> {
        let json = || {
            fields
                .json("v")
                .filter(|json| !is_too_deep(json))
                .map(str::to_owned)
        };
        let id = fields.text("id")?;
        Some(match kind {
            "question" => QuestionFrame::Question {
                id,
                topic: fields.text("topic"),
                content: json()?,
            },
            _ => QuestionFrame::Answer {
                id,
                result: match fields.text("error") {
                    Some(error) => Err(error),
                    None => Ok(json()?),
                },
            },
        })
    }

    pub(super) fn write(&self) -> String {
        let [question, answer] = QuestionFrame::KINDS;
        let object = match self {
            QuestionFrame::Question { id, topic, content } => Writer::new(question)
                .text("id", id)
                .text_if("topic", topic.as_ref())
                .json("v", content),
            QuestionFrame::Answer { id, result } => match result {
                Ok(value) => Writer::new(answer).text("id", id).json("v", value),
                Err(error) => Writer::new(answer).text("id", id).text("error", error),
            },
        };
        object.end()
    }
}

impl From<QuestionFrame> for Frame {
    fn from(frame: QuestionFrame) -> Frame {
        Frame::Question(frame)
    }
}
