//! Other people: who is here, and what is decided about them.

use crate::identity::{Name, PeerId, PublicKey, Trust, TrustBook};

/// Whom a person saw when they decided something: a decision is refused if the name has become another one since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Which tab of which profile.
    pub id: PeerId,
    /// The identity key.
    pub key: PublicKey,
    /// The name that was shown with it.
    pub name: Name,
}

/// What a person can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeopleCommand {
    /// The answer to [`PeopleEvent::Request`].
    Decide {
        /// Who asked.
        who: Shown,
        /// Whether to connect.
        accept: bool,
    },
    /// Try to reach a failed peer again.
    Retry(PeerId),
    /// The answer to [`Trust::NameOnAnotherKey`]: the name is right on this key, as on a friend's new device.
    AcceptKey(Shown),
    /// The safety number was compared and is the same.
    MarkVerified(Shown),
    /// Have nothing to do with this key, now and later. A change of name does not protect from it.
    Block(Shown),
    /// Have nothing to do with this peer any more, until it comes back in a new session.
    Disconnect(PeerId),
    /// Another tab of this browser wrote into the trust book: whom the person blocked or verified there is blocked or
    /// verified here.
    TrustBookChanged(TrustBook),
    /// Whether to ask about everybody who comes from now on ([`PeopleEvent::Request`]), whatever the policy is.
    AskAboutAll(bool),
}

/// What is told.
#[derive(Debug, Clone, PartialEq)]
pub enum PeopleEvent {
    /// A peer appeared or something about it changed.
    Changed(PeerView),
    /// A peer is no longer here.
    Gone {
        /// Who, as shown until now.
        peer: PeerView,
        /// Why.
        reason: GoneReason,
    },
    /// Somebody wants to connect and the policy is to ask. Answered with [`PeopleCommand::Decide`].
    Request(PeerView),
    /// The question of [`PeopleEvent::Request`] needs no answer any more.
    RequestWithdrawn(PeerId),
    /// A peer did not prove who it claims to be; nothing it sent was delivered.
    ValidationFailure {
        /// Who it claimed to be.
        peer: PeerView,
        /// A sentence.
        reason: String,
    },
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
    /// Gave up; [`PeopleCommand::Retry`] tries again.
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
    /// The name alone, as its bearer chose it.
    pub name: Name,
    /// What its application tells about its user: a JSON object.
    pub info: Option<String>,
    /// The identity key.
    pub key: PublicKey,
    /// How far the connection is.
    pub state: PeerState,
    /// What is known of the key.
    pub trust: Trust,
}

impl PeerView {
    /// What a decision about this peer carries.
    pub fn shown(&self) -> Shown {
        Shown {
            id: self.id,
            key: self.key,
            name: self.name.clone(),
        }
    }
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
    /// [`PeopleCommand::Disconnect`] was given.
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
