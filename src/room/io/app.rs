//! Messages between applications: values, questions and their answers, pings.

use core::time::Duration;

use super::{Purpose, Value};
use crate::identity::PeerId;

/// Commands of an application. The caller chooses the tokens, which must be unique among those that are open at the
/// same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppCommand {
    /// Send a value to a verified peer. Ends as [`AppEvent::Sent`] or [`AppEvent::SendFailed`].
    Send {
        /// The receiver.
        peer: PeerId,
        /// Identifies this command.
        token: u32,
        /// The purpose of the value.
        purpose: Purpose,
        /// The value.
        value: Value,
    },
    /// Ask a verified peer's application a question. Ends as [`AppEvent::Answered`], always and exactly once, unless it
    /// is withdrawn.
    Ask {
        /// The peer to ask.
        peer: PeerId,
        /// Identifies the question here. The peer does not see it.
        token: u32,
        /// The topic: selects the handler of the peer's application that should answer.
        topic: Option<String>,
        /// The question, in JSON. At most [`MAX_QUESTION`](crate::room::MAX_QUESTION) bytes.
        content: String,
        /// How long to wait for the answer.
        timeout: Duration,
    },
    /// Withdraw a question: no answer will be reported.
    Withdraw {
        /// The token of [`AppCommand::Ask`].
        token: u32,
    },
    /// The answer to [`AppEvent::Question`].
    Answer {
        /// The peer that asked.
        peer: PeerId,
        /// The id of the question.
        question: String,
        /// The answer in JSON, at most [`MAX_QUESTION`](crate::room::MAX_QUESTION) bytes; or the reason why there is
        /// none.
        result: Result<String, String>,
    },
    /// Ask a peer for a sign of life, at once. Ends as [`AppEvent::Pong`], or as [`AppEvent::SendFailed`] if the
    /// connection breaks before that.
    Ping {
        /// The peer to ping.
        peer: PeerId,
        /// Identifies the ping.
        token: u32,
    },
}

/// Events for an application.
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
        /// The reason.
        reason: SendError,
    },
    /// A peer's application sent a value.
    Value {
        /// The peer.
        peer: PeerId,
        /// The purpose of the value.
        purpose: Purpose,
        /// The value. JSON has been checked for being JSON.
        value: Value,
    },
    /// A peer's application asks a question. Answered with [`AppCommand::Answer`].
    Question {
        /// The peer that asks.
        peer: PeerId,
        /// The id of the question, for the answer. Chosen by the asker.
        question: String,
        /// The topic: selects the handler that should answer.
        topic: Option<String>,
        /// The question, in JSON.
        content: String,
    },
    /// The outcome of one of our questions.
    Answered {
        /// The token of [`AppCommand::Ask`].
        token: u32,
        /// The peer that was asked.
        peer: PeerId,
        /// The answer in JSON, or the reason why there is none.
        result: Result<String, AskError>,
    },
    /// The answer to a ping.
    Pong {
        /// The token of [`AppCommand::Ping`].
        token: u32,
        /// The peer that answered.
        peer: PeerId,
        /// The time between the ping and its answer.
        after: Duration,
    },
}

/// The reason why something was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The peer is not here, or has left.
    #[error("The person is not here any more.")]
    Gone,
    /// The connection broke. Only pings are lost with it.
    #[error("The connection broke before an answer came.")]
    Lost,
    /// The value is larger than [`MAX_VALUE`](crate::room::MAX_VALUE).
    #[error("A value has at most 16 MiB.")]
    TooLarge,
    /// The text is not JSON or nested too deep, or the kind of bytes is not a short ASCII word.
    #[error(
        "The value is not JSON, is nested more than 1,000 deep, or the kind of its bytes is not a short ASCII word."
    )]
    Malformed,
}

/// The reason why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// No answer came in time.
    #[error("No answer came in time.")]
    Timeout,
    /// The peer is not here, or has left.
    #[error("The person is not here any more.")]
    Gone,
    /// The peer's application could not answer, and gives the reason; or the question could not be sent.
    #[error("{0}")]
    Failed(String),
}
