//! One link, and one attempt to connect.

use core::time::Duration;

use crate::identity::PeerId;
use crate::room::budget::Budget;
use crate::room::io::PeerState;
use crate::room::members::Offer;
use crate::rtc::ConnectionId;
use crate::rtc::negotiation::Negotiation;
use crate::time::Millis;
use crate::wire::Attempt as AttemptNumber;
use crate::wire::Frame;

/// Candidates that a peer may tell of one connection: at most this many at once …
const CANDIDATES_BURST: u32 = 64;
/// … and this many a second from then on.
const CANDIDATES_PER_SECOND: u32 = 1;

/// The way to a peer.
#[derive(Debug)]
pub(super) struct Link {
    pub state: State,
    /// The connection that is being made, whatever the state: a better one may replace one that stands.
    pub attempt: Option<Attempt>,
    /// An offer that waits for a decision or for a free place among the attempts, and when it came.
    pub held: Option<(Offer, Millis)>,
    pub tries: Tries,
}

/// What came of trying to connect since the last success.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// Attempts that failed, in this round.
    pub failed: u32,
    /// The peer answered in at least one of them.
    pub answered: bool,
    /// Rounds that failed.
    pub rounds: u32,
}

/// How far we are with a peer.
#[derive(Debug)]
pub(super) enum State {
    /// It has never been verified in this session.
    New,
    /// Frames go over this connection, and come.
    Verified { open: Open, heard: Millis },
    /// The connection stands, but the peer is silent. It is being looked for.
    Silent { open: Open, heard: Millis },
    /// The connection broke. The peer is being looked for. `closed` says when it closed the connection itself.
    Broken {
        heard: Millis,
        closed: Option<Millis>,
    },
    /// We gave up for now. `heard` is of a peer that had been verified.
    Failed { heard: Option<Millis> },
}

/// A verified connection.
#[derive(Debug)]
pub(super) struct Open {
    pub connection: ConnectionId,
    pub number: AttemptNumber,
    pub their_fingerprint: [u8; 32],
    pub negotiation: Negotiation,
    pub candidates: Budget,
    /// How often the peer may renegotiate.
    pub signals: Budget,
}

/// One try to connect: one peer connection, with what has to be proven on it.
#[derive(Debug)]
pub(super) struct Attempt {
    pub connection: ConnectionId,
    pub number: AttemptNumber,
    /// We made the offer.
    pub offerer: bool,
    /// When the try began.
    pub since: Millis,
    /// What they have to sign.
    pub challenge: [u8; 16],
    pub stage: Stage,
    pub candidates: Budget,
}

/// How far a try to connect is.
#[derive(Debug)]
pub(super) enum Stage {
    /// The browser is making our description. `theirs` is known where we answer.
    Describing { theirs: Option<Side> },
    /// Our offer is out; there is no answer yet.
    Offered { fingerprint: [u8; 32] },
    /// Both descriptions are known at both ends; the path is being found. Our proof may have been made ahead.
    Connecting {
        binding: Binding,
        proof: Option<Frame>,
    },
    /// The channel is open; their proof has not come.
    Verifying { binding: Binding },
}

/// What the other side told of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    /// What we have to sign.
    pub challenge: [u8; 16],
    pub fingerprint: [u8; 32],
}

/// What a proof is bound to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Binding {
    pub theirs: Side,
    pub fingerprint: [u8; 32],
}

impl Default for Link {
    fn default() -> Link {
        Link {
            state: State::New,
            attempt: None,
            held: None,
            tries: Tries::default(),
        }
    }
}

impl State {
    /// The connection that frames go over.
    pub fn open(&self) -> Option<&Open> {
        match self {
            State::Verified { open, .. } | State::Silent { open, .. } => Some(open),
            _ => None,
        }
    }

    pub fn open_mut(&mut self) -> Option<&mut Open> {
        match self {
            State::Verified { open, .. } | State::Silent { open, .. } => Some(open),
            _ => None,
        }
    }

    /// When a peer that was verified was last heard.
    pub fn heard(&self) -> Option<Millis> {
        match self {
            State::Verified { heard, .. }
            | State::Silent { heard, .. }
            | State::Broken { heard, .. } => Some(*heard),
            State::Failed { heard } => *heard,
            State::New => None,
        }
    }
}

impl Link {
    /// How far we are, for people to see.
    pub fn shown_state(&self) -> PeerState {
        match (&self.state, &self.attempt) {
            (State::Failed { .. }, _) => PeerState::Failed,
            (State::Verified { .. }, _) => PeerState::Verified,
            (State::Silent { .. } | State::Broken { .. }, _) => PeerState::Reconnecting,
            (State::New, Some(attempt)) if attempt.is_open() => PeerState::Verifying,
            (State::New, _) => PeerState::Connecting,
        }
    }

    /// The connection with this number, open or being made.
    pub fn connection_of(&self, number: AttemptNumber) -> Option<ConnectionId> {
        let attempt = self.attempt.as_ref();
        let attempt = attempt.filter(|attempt| attempt.number == number);
        let open = self.state.open().filter(|open| open.number == number);
        attempt
            .map(|attempt| attempt.connection)
            .or_else(|| open.map(|open| open.connection))
    }

    /// The connections that lead to this peer.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> + use<> {
        let open = self.state.open().map(|open| open.connection);
        let attempt = self.attempt.as_ref().map(|attempt| attempt.connection);
        open.into_iter().chain(attempt)
    }

    /// Whether the peer takes part in making a new connection.
    pub fn is_coming_back(&self) -> bool {
        self.attempt
            .as_ref()
            .is_some_and(|attempt| !attempt.offerer || attempt.theirs().is_some())
    }
}

impl Attempt {
    pub fn new(
        connection: ConnectionId,
        number: AttemptNumber,
        theirs: Option<Side>,
        challenge: [u8; 16],
        now: Millis,
    ) -> Attempt {
        Attempt {
            connection,
            number,
            offerer: theirs.is_none(),
            since: now,
            challenge,
            stage: Stage::Describing { theirs },
            candidates: Budget::new(CANDIDATES_BURST, CANDIDATES_PER_SECOND, now),
        }
    }

    /// Whether the channel is open.
    pub fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Verifying { .. })
    }

    /// What the other side told of itself, once it has.
    pub fn theirs(&self) -> Option<Side> {
        match &self.stage {
            Stage::Describing { theirs } => *theirs,
            Stage::Offered { .. } => None,
            Stage::Connecting { binding, .. } | Stage::Verifying { binding } => {
                Some(binding.theirs)
            }
        }
    }

    /// Whether our offer has had no answer for this long.
    pub fn is_unanswered(&self, patience: Duration, now: Millis) -> bool {
        matches!(self.stage, Stage::Offered { .. }) && now.since(self.since) >= patience
    }

    /// The connection is proven: what it is from now on.
    pub fn open(self, binding: Binding, ours: &PeerId, theirs: &PeerId, now: Millis) -> Open {
        /// Renegotiations that a peer may ask for: at most this many at once, then one a second.
        const SIGNALS_BURST: u32 = 8;
        Open {
            connection: self.connection,
            number: self.number,
            their_fingerprint: binding.theirs.fingerprint,
            negotiation: Negotiation::new(ours > theirs),
            candidates: self.candidates,
            signals: Budget::new(SIGNALS_BURST, 1, now),
        }
    }
}
