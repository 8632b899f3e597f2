//! Other people: who is here, and the decisions about them.

use crate::identity::{Name, PeerId, PublicKey, Trust, TrustBook};

/// A peer as the person saw it when they decided something: a decision in its favour is refused if its name has changed
/// since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The peer id: one tab of one profile.
    pub id: PeerId,
    /// The identity key.
    pub key: PublicKey,
    /// The name that was shown with it.
    pub name: Name,
}

/// Commands of the person about people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeopleCommand {
    /// The answer to [`PeopleEvent::Request`].
    Decide {
        /// The peer that asked.
        who: Shown,
        /// Whether to connect.
        accept: bool,
    },
    /// Try to reach a failed peer again.
    Retry(PeerId),
    /// The answer to [`Trust::NameOnAnotherKey`]: this is the same person, as on a friend's new device. From now on the
    /// name belongs to this key, and still to the key that it was known with: both are known.
    AcceptKey(Shown),
    /// The safety number was compared and matches.
    MarkVerified(Shown),
    /// Block this key, now and later. A change of name does not protect it.
    Block(Shown),
    /// Let this key in again. Whoever is still here comes back.
    Unblock(PublicKey),
    /// Disconnect from this peer, until it comes back in a new session.
    Disconnect(PeerId),
    /// Listen again to a peer that is muted because it sent too much.
    Listen(PeerId),
    /// Another tab of this browser changed the trust book: people who were blocked or verified there are blocked or
    /// verified here.
    TrustBookChanged(TrustBook),
    /// Whether to ask about everybody who comes from now on ([`PeopleEvent::Request`]), whatever the policy is.
    AskAboutAll(bool),
}

/// Events about people.
#[derive(Debug, Clone, PartialEq)]
pub enum PeopleEvent {
    /// A peer appeared or something about it changed.
    Changed(PeerView),
    /// A peer is no longer here.
    Gone {
        /// The peer as it was shown until now.
        peer: PeerView,
        /// The reason.
        reason: GoneReason,
    },
    /// Somebody wants to connect and the policy is to ask. Answered with [`PeopleCommand::Decide`].
    Request(PeerView),
    /// The question of [`PeopleEvent::Request`] needs no answer any more.
    RequestWithdrawn(PeerId),
    /// So much of a peer could not be read since this was last reported: at most once a second for each.
    Unreadable {
        /// The peer.
        peer: PeerId,
        /// How many messages.
        count: u32,
    },
    /// A peer did not prove who it claims to be; nothing it sent was delivered.
    ValidationFailure {
        /// The peer that it claimed to be.
        peer: PeerView,
        /// The reason, as a sentence.
        reason: String,
    },
}

/// The state of the connection to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerState {
    /// Descriptions are being exchanged or the path is being found.
    Connecting,
    /// The channel is open; each side proves who it is.
    Verifying,
    /// The peer proved on this very connection that it holds the key it claims.
    Verified,
    /// The peer was verified, is silent now, and is being looked for.
    Reconnecting,
    /// The peer answers, but no path to it has been found for ten seconds: its network or ours allows no direct
    /// connection. It is tried further; [`PeopleCommand::Retry`] tries at once.
    NoPath,
    /// The peer did not prove who it is, or not in time; [`PeopleCommand::Retry`] tries again.
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
            PeerState::NoPath => "no-path",
            PeerState::Failed => "failed",
        }
    }
}

/// Whether a person is at their page. Of several tabs, the first of these counts that any of them has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// They see the page, and have used it within the last minutes.
    Active,
    /// The page is hidden, or nobody has used it for some minutes.
    Away,
}

impl Activity {
    /// It in one word, as programs and style sheets know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Activity::Active => "active",
            Activity::Away => "away",
        }
    }
}

/// A peer as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerView {
    /// The peer id: one tab of one profile.
    pub id: PeerId,
    /// The name with the tab number, made unique in the room: `alice`, `alice(2)`, `alice (k7qd)`.
    pub user: String,
    /// The name alone, as the peer chose it.
    pub name: Name,
    /// Information that its application gives about its user: a JSON object.
    pub info: Option<String>,
    /// The identity key.
    pub key: PublicKey,
    /// The state of the connection.
    pub state: PeerState,
    /// The trust in the key under this name.
    pub trust: Trust,
    /// Whether the person is at their page, in any tab. `None` as long as none of their tabs has said so; programs need
    /// not say it.
    pub activity: Option<Activity>,
    /// Whether nothing of it is looked at, because it sent too much ([`PeopleCommand::Listen`] ends that).
    pub muted: bool,
}

impl PeerView {
    /// Returns the peer in the form that decisions about it carry.
    pub fn shown(&self) -> Shown {
        Shown {
            id: self.id,
            key: self.key,
            name: self.name.clone(),
        }
    }
}

/// The reason why a peer is no longer here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoneReason {
    /// It left.
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
