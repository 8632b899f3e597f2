//! What goes into a [`Room`](super::Room) and what comes out.

use core::time::Duration;

use crate::identity::{PeerId, PublicKey, Trust, TrustBook, TrustChange};
#[cfg(feature = "files")]
use crate::rtc::file_channel::{FileId, TransferCommand, TransferEvent};
use crate::rtc::{ConnectionId, LinkCommand, LinkEvent};
use crate::time::Millis;
pub use crate::wire::{Purpose, Value};

/// Something happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The way to the broker changed.
    Broker(BrokerState),
    /// The broker brought a message on one of [`Room::subscriptions`](super::Room::subscriptions).
    Message {
        /// The topic it was published on.
        topic: String,
        /// The sealed envelope, as it came.
        payload: Vec<u8>,
    },
    /// A peer connection has something to tell.
    Connection(ConnectionId, LinkEvent),
    /// The person at this browser wants something.
    User(Command),
    /// What became of a file's bytes.
    #[cfg(feature = "files")]
    File(FileId, TransferEvent),
    /// A message came on channel 1 that belongs to no file.
    #[cfg(feature = "files")]
    StrayBytes,
    /// [`Room::next_wake`](super::Room::next_wake) has come.
    Wake,
    /// The network came back or the tab became visible: worth asking at once who is still there.
    Resumed,
}

/// How the way to the broker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerState {
    /// A connection is being opened; what is published now leaves in the first flight.
    Opening,
    /// The broker took the connection and the subscriptions.
    Ready,
    /// The connection failed or was lost; the next try is due at `retry_at`.
    Unreachable {
        /// When the next try begins.
        retry_at: Millis,
    },
}

/// What a person can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Say something to everybody who is here. At most [`MAX_TEXT`](super::MAX_TEXT) characters.
    Say(String),
    /// Go by another name from now on. It must have been checked with [`Name`](crate::identity::Name).
    Rename(crate::identity::Name),
    /// The answer to [`Event::Request`].
    Decide {
        /// Who asked.
        peer: PeerId,
        /// Whether to connect.
        accept: bool,
    },
    /// Try to reach a failed peer again.
    Retry(PeerId),
    /// The answer to [`Trust::NameOnAnotherKey`]: the name is right on this key, as on a friend's new device.
    AcceptKey(PeerId),
    /// The safety number was compared and is the same.
    MarkVerified(PeerId),
    /// Have nothing to do with this key, now and later.
    Block(PeerId),
    /// Another tab of this browser wrote into the trust book: whom the person blocked or verified there is blocked or
    /// verified here.
    TrustBookChanged(TrustBook),
    /// Whether to ask about everybody who comes from now on ([`Event::Request`]), whatever the policy is.
    AskAboutAll(bool),
    /// Leave the room: says so to everybody and closes every connection.
    Leave,
    /// Say something to one person only.
    SayTo {
        /// To whom.
        peer: PeerId,
        /// What. At most [`MAX_TEXT`](super::MAX_TEXT) characters.
        text: String,
    },
    /// Tell everybody that the person is writing.
    Typing,
    /// Have nothing to do with this peer any more, until it comes back in a new session.
    Disconnect(PeerId),
    /// Ask a peer for a sign of life, at once. Comes back as [`Event::Pong`], or [`Event::SendFailed`] if the connection
    /// breaks before that.
    Ping {
        /// Whom.
        peer: PeerId,
        /// Names the ping. Tokens are the caller's choice; of those that are open at one time no two are the same.
        token: u32,
    },
    /// Send a value to a verified peer. Comes back as [`Event::Sent`] or [`Event::SendFailed`].
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
    /// Ask a verified peer's application a question. Comes back as [`Event::Answered`], always and once, unless it is
    /// withdrawn.
    Ask {
        /// Whom.
        peer: PeerId,
        /// Names the question here. The peer does not see it.
        token: u32,
        /// Which of the application's handlers should answer.
        topic: Option<String>,
        /// The question, in JSON. At most [`MAX_QUESTION`](super::MAX_QUESTION) bytes.
        content: String,
        /// For how long to wait for the answer.
        timeout: Duration,
    },
    /// The question is of no interest any more: no answer will be told.
    Withdraw {
        /// Which.
        token: u32,
    },
    /// The answer to [`Event::Question`].
    Answer {
        /// Who asked.
        peer: PeerId,
        /// Which question.
        question: String,
        /// The answer in JSON, at most [`MAX_QUESTION`](super::MAX_QUESTION) bytes; or why there is none.
        result: Result<String, String>,
    },
    /// Something about a file.
    #[cfg(feature = "files")]
    File(super::FileCommand),
}

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Publish on the broker, QoS 0, not retained.
    Publish {
        /// The topic.
        topic: String,
        /// A sealed envelope.
        payload: Vec<u8>,
    },
    /// An order to a peer connection. The first order with a new id opens it.
    Connection(ConnectionId, LinkCommand),
    /// An order about a file's bytes.
    #[cfg(feature = "files")]
    File(FileId, TransferCommand),
    /// Write this into the stored trust book.
    Remember(TrustChange),
    /// Tell the person.
    Event(Event),
}

/// Something a person (or a program that stands for one) should see.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The one line of status changed.
    Status(Status),
    /// A peer appeared or something about it changed.
    Peer(PeerView),
    /// A peer is no longer here.
    Gone {
        /// Who, as shown until now.
        peer: PeerView,
        /// Why.
        reason: GoneReason,
    },
    /// Somebody wants to connect and the policy is to ask. Answered with [`Command::Decide`].
    Request(PeerView),
    /// The question of [`Event::Request`] needs no answer any more.
    RequestWithdrawn(PeerId),
    /// A message was said, here or elsewhere.
    Message(Message),
    /// How far an own message came.
    Delivery {
        /// Which.
        id: MessageId,
        /// How many people have it.
        delivered: u32,
        /// How many it was meant for.
        of: u32,
    },
    /// A peer did not prove who it claims to be; nothing it sent was delivered.
    ValidationFailure {
        /// Who it claimed to be.
        peer: PeerView,
        /// A sentence.
        reason: String,
    },
    /// Something the person wanted was not done; a sentence that says why.
    Refused(String),
    /// Somebody is writing. Told again every few seconds while it lasts.
    Typing {
        /// Who.
        peer: PeerId,
    },
    /// A sign of life that was asked for.
    Pong {
        /// The token of [`Command::Ping`].
        token: u32,
        /// Whose.
        peer: PeerId,
        /// How long it took.
        after: Duration,
    },
    /// The whole value was given to the channel, after everything before it.
    Sent {
        /// The token of [`Command::Send`].
        token: u32,
    },
    /// The value was not given to the channel, or not as a whole; or a ping has no answer.
    SendFailed {
        /// The token of [`Command::Send`] or [`Command::Ping`].
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
    /// A peer's application asks a question. Answered with [`Command::Answer`].
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
        /// The token of [`Command::Ask`].
        token: u32,
        /// Who was asked.
        peer: PeerId,
        /// The answer, in JSON.
        result: Result<String, AskError>,
    },
    /// Something about a file.
    #[cfg(feature = "files")]
    File(super::FileEvent),
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
    /// Larger than [`MAX_VALUE`](super::MAX_VALUE).
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

/// The one line of status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// On the way to the meeting point.
    Joining,
    /// At the meeting point, nobody else is here yet.
    Looking,
    /// Directly connected to this many verified people; `reconnecting` of them are silent at the moment.
    Connected {
        /// Verified peers.
        people: u32,
        /// Those among them that are silent.
        reconnecting: u32,
    },
    /// No broker answers. Who is connected stays connected.
    Unreachable {
        /// Verified peers.
        people: u32,
        /// When the next try begins.
        retry_at: Millis,
    },
    /// The room has as many people as one browser can be connected to.
    Full {
        /// Verified peers.
        people: u32,
    },
    /// The room was left.
    Left,
}

/// How far the connection to a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerState {
    /// Descriptions are being exchanged or the path is being found.
    Connecting,
    /// The channel is open; each side proves who it is.
    Verifying,
    /// The peer proved on this very connection that it holds the key it claims.
    Verified,
    /// Was verified, is silent now, and is being looked for.
    Reconnecting,
    /// Gave up; [`Command::Retry`] tries again.
    Failed,
}

impl PeerState {
    /// The state in one word, as tests and style sheets know it.
    pub fn as_str(self) -> &'static str {
        match self {
            PeerState::Connecting => "connecting",
            PeerState::Verifying => "verifying",
            PeerState::Verified => "verified",
            PeerState::Reconnecting => "reconnecting",
            PeerState::Failed => "failed",
        }
    }
}

/// A peer as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerView {
    /// Which tab of which profile.
    pub id: PeerId,
    /// The name with the tab number, made unique in the room: `alice`, `alice(2)`, `alice (k7qd)`.
    pub user: String,
    /// What its application tells about its user: a JSON object.
    pub info: Option<String>,
    /// The identity key.
    pub key: PublicKey,
    /// How far the connection is.
    pub state: PeerState,
    /// What is known of the key.
    pub trust: Trust,
}

/// Why a peer is no longer here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoneReason {
    /// It said so.
    Left,
    /// It was silent for too long.
    Silent,
    /// It was never reached.
    Unreachable,
    /// The person blocked it.
    Blocked,
    /// [`Command::Disconnect`] was given.
    Disconnected,
}

impl GoneReason {
    /// The reason in one word, as programs know it.
    pub fn as_str(self) -> &'static str {
        match self {
            GoneReason::Left => "left",
            GoneReason::Silent => "silent",
            GoneReason::Unreachable => "unreachable",
            GoneReason::Blocked => "blocked",
            GoneReason::Disconnected => "disconnected",
        }
    }
}

/// Names a message: random, chosen by its sender.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub String);

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Who said it; `None` for oneself.
    pub peer: Option<PeerId>,
    /// The sender's name as it was shown at the time.
    pub sender: String,
    /// The sender's identity key.
    pub key: PublicKey,
    /// Plain text, never markup.
    pub text: String,
    /// When it was said, by the sender's clock, but never later than it arrived.
    pub at: Millis,
    /// Whether it was said to one person only.
    pub private: bool,
    /// Of an own message that was said to one person only: their name as it was shown at the time.
    pub to: Option<String>,
}

/// What was counted since joining, for the diagnostics panel. No contents, no addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    /// Envelopes published.
    pub published: u64,
    /// Payload bytes published.
    pub published_bytes: u64,
    /// Envelopes received that were for us and sound.
    pub received: u64,
    /// What was dropped, by reason, in words.
    pub dropped: Vec<(&'static str, u64)>,
    /// Signatures checked.
    pub signatures_checked: u64,
    /// Peer connections opened since joining.
    pub connections_opened: u64,
}
