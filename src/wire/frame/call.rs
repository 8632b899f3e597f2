//! Frames for questions of applications, and the answers. They are chunks of the stream.

use super::Frame;
use super::json::{Fields, Writer};
use crate::wire::chunks::is_too_deep;

/// A question of an application, or the answer to one.
#[derive(Debug, Clone, PartialEq)]
pub enum CallFrame {
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

impl CallFrame {
    pub(super) const KINDS: [&str; 2] = ["question", "answer"];

    pub(super) fn read(kind: &str, fields: &Fields) -> Option<CallFrame> {
        let json = || {
            fields
                .json("v")
                .filter(|json| !is_too_deep(json))
                .map(str::to_owned)
        };
        let id = fields.text("id")?;
        Some(match kind {
            "question" => CallFrame::Question {
                id,
                topic: fields.text("topic"),
                content: json()?,
            },
            _ => CallFrame::Answer {
                id,
                result: match fields.text("error") {
                    Some(error) => Err(error),
                    None => Ok(json()?),
                },
            },
        })
    }

    pub(super) fn write(&self) -> String {
        let [question, answer] = CallFrame::KINDS;
        let object = match self {
            CallFrame::Question { id, topic, content } => Writer::new(question)
                .text("id", id)
                .text_if("topic", topic.as_ref())
                .json("v", content),
            CallFrame::Answer { id, result } => match result {
                Ok(value) => Writer::new(answer).text("id", id).json("v", value),
                Err(error) => Writer::new(answer).text("id", id).text("error", error),
            },
        };
        object.end()
    }
}

impl From<CallFrame> for Frame {
    fn from(frame: CallFrame) -> Frame {
        Frame::Call(frame)
    }
}
