//! What applications send to each other: values, questions and their answers, pings.

use core::time::Duration;

use super::{Purpose, Value};
use crate::identity::PeerId;

/// What an application can ask for. Tokens are the caller's choice; of those that are open at one time no two are the
/// same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppCommand {
    /// Send a value to a verified peer. Comes back as [`AppEvent::Sent`] or [`AppEvent::SendFailed`].
    Send {
        /// To whom.
        peer: PeerId,
        /// Names the sending.
        token: u32,
        /// What it is for.
        purpose: Purpose,
        /// What.
        value: Value,
    },
    /// Ask a verified peer's application a question. Comes back as [`AppEvent::Answered`], always and once, unless it
    /// is withdrawn.
    Ask {
        /// Whom.
        peer: PeerId,
        /// Names the question here. The peer does not see it.
        token: u32,
        /// Which of the application's handlers should answer.
        topic: Option<String>,
        /// The question, in JSON. At most [`MAX_QUESTION`](crate::room::MAX_QUESTION) bytes.
        content: String,
        /// For how long to wait for the answer.
        timeout: Duration,
    },
    /// The question is of no interest any more: no answer will be told.
    Withdraw {
        /// Which.
        token: u32,
    },
    /// The answer to [`AppEvent::Question`].
    Answer {
        /// Who asked.
        peer: PeerId,
        /// Which question.
        question: String,
        /// The answer in JSON, at most [`MAX_QUESTION`](crate::room::MAX_QUESTION) bytes; or why there is none.
        result: Result<String, String>,
    },
    /// Ask a peer for a sign of life, at once. Comes back as [`AppEvent::Pong`], or [`AppEvent::SendFailed`] if the
    /// connection breaks before that.
    Ping {
        /// Whom.
        peer: PeerId,
        /// Names the ping.
        token: u32,
    },
}

/// What an application is told.
#[derive(Debug, Clone, PartialEq)]
pub enum AppEvent {
    /// The whole value was given to the channel, after everything before it.
    Sent {
        /// The token of [`AppCommand::Send`].
        token: u32,
    },
    /// The value was not given to the channel, or not as a whole; or a ping has no answer.
    SendFailed {
        /// The token of [`AppCommand::Send`] or [`AppCommand::Ping`].
        token: u32,
        /// Why.
        reason: SendError,
    },
    /// A peer's application sent a value.
    Value {
        /// Who.
        peer: PeerId,
        /// What it is for.
        purpose: Purpose,
        /// What. JSON has been checked for being JSON.
        value: Value,
    },
    /// A peer's application asks a question. Answered with [`AppCommand::Answer`].
    Question {
        /// Who.
        peer: PeerId,
        /// Names the question for the answer. Chosen by the asker.
        question: String,
        /// Which handler should answer.
        topic: Option<String>,
        /// The question, in JSON.
        content: String,
    },
    /// What came of a question of ours.
    Answered {
        /// The token of [`AppCommand::Ask`].
        token: u32,
        /// Who was asked.
        peer: PeerId,
        /// The answer, in JSON.
        result: Result<String, AskError>,
    },
    /// The answer to a ping.
    Pong {
        /// The token of [`AppCommand::Ping`].
        token: u32,
        /// Whose.
        peer: PeerId,
        /// How long it took.
        after: Duration,
    },
}

/// Why something was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The peer is not here, or no longer.
    #[error("The person is not here any more.")]
    Gone,
    /// The connection broke. Only pings are lost by that.
    #[error("The connection broke before an answer came.")]
    Lost,
    /// Larger than [`MAX_VALUE`](crate::room::MAX_VALUE).
    #[error("A value has at most 16 MiB.")]
    TooLarge,
    /// The text is not JSON, or the kind of bytes is not a short ASCII word.
    #[error("The value is not JSON, or the kind of its bytes is not a short ASCII word.")]
    Malformed,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// None came in time.
    #[error("No answer came in time.")]
    Timeout,
    /// The peer is not here, or no longer.
    #[error("The person is not here any more.")]
    Gone,
    /// Whoever was asked could not answer, and says why; or the question could not be sent.
    #[error("{0}")]
    Failed(String),
}
