//! One peer as the room knows it, and one try to connect to it.

use std::collections::VecDeque;

use litemap::LiteMap;

use super::budget::Budget;
use super::io::{MessageId, PeerState, PeerView};
use super::stream::Stream;
use crate::identity::{Name, PeerId, SealKey, Trust};
use crate::rtc::ConnectionId;
use crate::rtc::negotiation::Negotiation;
use crate::time::Millis;
use crate::wire::{Attempt, Connect, Envelope, Frame, PartReassembler, Subtopic};

/// Whether the person (or the policy) wants this peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nobody has been asked yet.
    Undecided,
    /// The person has been asked and has not answered.
    Asked,
    /// Yes.
    Accepted,
    /// No: nothing is ever sent to it.
    Declined,
}

/// How far a try to connect is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The browser is making our description.
    Describing,
    /// Our offer is out, no answer yet.
    Offered,
    /// Both descriptions are known at both ends; the path is being found.
    Pathing,
    /// The channel is open, their proof has not come.
    Verifying,
    /// They proved who they are.
    Verified,
}

/// One try to connect: one peer connection with what has to be proven on it.
#[derive(Debug)]
pub(super) struct Link {
    pub connection: ConnectionId,
    pub attempt: Attempt,
    pub offerer: bool,
    pub stage: Stage,
    /// What they have to sign.
    pub challenge: [u8; 16],
    /// What we have to sign.
    pub their_challenge: Option<[u8; 16]>,
    pub fingerprint: Option<[u8; 32]>,
    pub their_fingerprint: Option<[u8; 32]>,
    pub open: bool,
    /// Our proof, made ahead while the browser looks for a path.
    pub proof: Option<Frame>,
    pub joiner: PartReassembler,
    pub negotiation: Negotiation,
    /// When the try began.
    pub since: Millis,
}

/// A peer of the room.
#[derive(Debug)]
pub(super) struct Peer {
    pub id: PeerId,
    pub connect: Connect,
    pub name: Name,
    pub user: String,
    /// What its application tells about its user, with the latest proof.
    pub info: Option<String>,
    pub trust: Trust,
    pub decision: Decision,
    /// The key shared with this peer alone.
    pub pair: SealKey,
    /// The newest envelope of each kind.
    pub newest: LiteMap<Subtopic, Millis>,
    /// The verified connection that frames go over.
    pub current: Option<Link>,
    /// The connection that is being made.
    pub trying: Option<Link>,
    /// An offer that waits for a decision or for a free place among the attempts.
    pub held: Option<(Envelope, Millis)>,
    /// It has shown that it is really there: something sealed for us alone, in this session.
    pub present: bool,
    /// It has been verified before, so what is tried now is to get it back.
    pub was_verified: bool,
    pub failed: bool,
    /// Tries since the last success.
    pub tries: u32,
    /// Whether it answered in any of these tries, and how many rounds of them have failed.
    pub answered: bool,
    pub rounds: u32,
    pub heard: Millis,
    /// Shown as reconnecting.
    pub silent: bool,
    /// When it closed the verified connection, if no other one has been verified since.
    pub closed: Option<Millis>,
    /// What has been said to it and has no receipt yet.
    pub outbox: VecDeque<(MessageId, Frame)>,
    /// How much it may say at once.
    pub speech: Budget,
    /// Ids of what it said, so that nothing is shown twice.
    pub said: VecDeque<String>,
    /// What applications send.
    pub stream: Stream,
    /// Pings without an answer: the token, and when.
    pub pings: Vec<(u32, Millis)>,
}

impl Peer {
    /// How far we are with this peer, for people to see.
    pub fn state(&self) -> PeerState {
        if self.failed {
            return PeerState::Failed;
        }
        if self.current.is_some() && !self.silent {
            return PeerState::Verified;
        }
        if self.was_verified {
            return PeerState::Reconnecting;
        }
        match &self.trying {
            Some(link) if link.open => PeerState::Verifying,
            _ => PeerState::Connecting,
        }
    }

    /// Whether it takes part in making a new connection.
    pub fn is_coming_back(&self) -> bool {
        self.trying.as_ref().is_some_and(|link| {
            !link.offerer || matches!(link.stage, Stage::Pathing | Stage::Verifying)
        })
    }

    /// Whether the two are one tab that was loaded again: another peer under the same key and tab number.
    pub fn is_same_tab(&self, other: &Peer) -> bool {
        self.id != other.id
            && self.connect.identity == other.connect.identity
            && self.connect.tab == other.connect.tab
    }

    /// What people see.
    pub fn view(&self) -> PeerView {
        PeerView {
            id: self.id,
            user: self.user.clone(),
            info: self.info.clone(),
            key: self.connect.identity,
            state: self.state(),
            trust: self.trust,
        }
    }

    /// Whether people see it: not before it has shown that it is really there.
    pub fn is_shown(&self) -> bool {
        self.decision == Decision::Accepted && self.present
    }

    /// Whether it is newer than everything of its kind, in which case that is remembered.
    pub fn take_newer(&mut self, subtopic: Subtopic, timestamp: Millis) -> bool {
        let newest = self.newest.entry(subtopic).or_default();
        let newer = timestamp > *newest;
        if newer {
            *newest = timestamp;
        }
        newer
    }

    /// The link that uses this connection.
    pub fn link_mut(&mut self, connection: ConnectionId) -> Option<&mut Link> {
        [&mut self.trying, &mut self.current]
            .into_iter()
            .flatten()
            .find(|link| link.connection == connection)
    }

    /// Whether `connection` is the verified one.
    pub fn is_current(&self, connection: ConnectionId) -> bool {
        self.current
            .as_ref()
            .is_some_and(|link| link.connection == connection)
    }

    /// Remembers an id that it chose; false if it had been used before.
    pub fn take_id(&mut self, id: &str) -> bool {
        if self.said.iter().any(|known| known == id) {
            return false;
        }
        if self.said.len() >= MAX_REMEMBERED_IDS {
            self.said.pop_front();
        }
        self.said.push_back(id.to_owned());
        true
    }
}

/// So many ids of a peer's messages are remembered.
const MAX_REMEMBERED_IDS: usize = 512;
