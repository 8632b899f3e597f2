//! One link, and one attempt to connect.

use core::time::Duration;
use std::collections::VecDeque;

use super::answers::Answers;
use crate::budget::Budget;
use crate::identity::PeerId;
use crate::room::io::PeerState;
use crate::room::members::Offer;
use crate::rtc::negotiation::Negotiation;
use crate::rtc::{CheckedDescription, ConnectionId};
use crate::time::Millis;
use crate::wire::connect::VERSION;
use crate::wire::transcript::{Role, Transcript, TranscriptHash, UnsignedVerify};
use crate::wire::{
    Attempt as AttemptNumber, Connect, ConnectId, Frame, Introduction, Nonce, RoomId,
};

/// Candidates that a peer may send for one connection: at most this many at once …
const CANDIDATES_BURST: u32 = 64;
/// … and this many a second from then on.
const CANDIDATES_PER_SECOND: u32 = 1;

/// The link to a peer.
#[derive(Debug)]
pub(super) struct Link {
    pub state: State,
    /// The connection that is being made, whatever the state: it may replace one that is open.
    pub attempt: Option<Attempt>,
    /// An offer that waits for a decision or for a free place among the attempts, and when it came.
    pub held: Option<(Box<Offer>, Millis)>,
    pub tries: Tries,
    /// How many offers may be made to it.
    pub offers: Budget,
}

/// The tries to connect since the last success.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// Attempts that failed, in this round.
    pub failed: u32,
    /// Whether the peer answered in at least one of them.
    pub answered: bool,
    /// Offers of ours in a row, since it answered, that it did not answer: it may be gone.
    pub unanswered: u32,
    /// Rounds that failed.
    pub rounds: u32,
    /// Whether the peer answers, but no path to it has been found for long.
    pub lacks_path: bool,
}

/// The state of the link to a peer.
#[derive(Debug)]
pub(super) enum State {
    /// It has never been verified in this session.
    New,
    /// Frames go over this connection in both directions.
    Verified { open: Open, heard: Millis },
    /// The connection is open, but the peer is silent. It is being looked for.
    Silent { open: Open, heard: Millis },
    /// The connection broke. The peer is being looked for. `closed` is when the peer itself closed the connection.
    Broken {
        heard: Millis,
        closed: Option<Millis>,
    },
    /// We gave up for now. `heard` is set for a peer that had been verified.
    Failed { heard: Option<Millis> },
}

/// A verified connection.
#[derive(Debug)]
pub(super) struct Open {
    pub connection: ConnectionId,
    pub number: AttemptNumber,
    /// The challenge in the offer that made it.
    pub challenge: Nonce,
    pub their_fingerprint: [u8; 32],
    pub answers: Answers,
    pub negotiation: Negotiation,
    pub candidates: ReceivedCandidates,
    /// The budget for the peer's renegotiations, and the last offer that was beyond it.
    pub signals: Budget,
    pub late_offer: Option<CheckedDescription>,
    /// Until then, it is the peer's turn to offer.
    pub their_turn: Option<Millis>,
}

/// One try to connect: one peer connection, with the facts that have to be proven on it.
#[derive(Debug)]
pub(super) struct Attempt {
    pub connection: ConnectionId,
    pub number: AttemptNumber,
    /// Our end of it.
    pub role: Role,
    /// When the try began.
    pub since: Millis,
    /// The two announcements that the offer names: ours, and theirs. The offerer knows them once the offer has been
    /// sent.
    pub named: Option<Named>,
    /// Whether our offer resumes, once it has left.
    pub resumes: Option<bool>,
    pub stage: Stage,
    pub candidates: ReceivedCandidates,
    /// Our proof while it is being signed, and our current announcement where the offer names another one.
    pub verify: Option<(UnsignedVerify, Option<Connect>)>,
    /// Our proof, once it is signed.
    pub proof: Option<Frame>,
    /// Their first frame, if it came while our proof was being signed.
    pub early: Option<String>,
    /// The nonce that our proof gives them for the next time, and the announcement of ours that it shows.
    pub given: Option<(Nonce, ConnectId)>,
}

/// The two announcements that an offer names.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub ours: ConnectId,
    pub theirs: ConnectId,
    /// Theirs, with a signature that has been checked.
    pub connect: Connect,
}

/// The candidates that a peer has sent for one connection.
#[derive(Debug)]
pub(super) struct ReceivedCandidates {
    pub budget: Budget,
    /// The timestamps of those that came over a broker. Every member of the room can send the same sealed part again, in an
    /// envelope that looks like another one.
    stamps: VecDeque<Millis>,
}

impl ReceivedCandidates {
    fn new(now: Millis) -> ReceivedCandidates {
        ReceivedCandidates {
            budget: Budget::new(CANDIDATES_BURST, CANDIDATES_PER_SECOND, now),
            stamps: VecDeque::new(),
        }
    }

    /// Returns whether nothing with this timestamp has come. Authors never use a timestamp twice for what they seal.
    pub fn is_new(&mut self, stamp: Millis) -> bool {
        if self.stamps.contains(&stamp) {
            return false;
        }
        if self.stamps.len() >= CANDIDATES_BURST as usize {
            self.stamps.pop_front();
        }
        self.stamps.push_back(stamp);
        true
    }
}

/// The stage of a try to connect.
#[derive(Debug)]
pub(super) enum Stage {
    /// The browser is making our description. `theirs` is known where we answer.
    Describing {
        challenge: Nonce,
        theirs: Option<Side>,
    },
    /// Our offer is out; there is no answer yet.
    Offered { ours: Side },
    /// Both descriptions are known at both ends; the path is being found.
    Connecting { binding: Binding },
    /// The channel is open; their proof has not come.
    Verifying { binding: Binding },
}

/// One side of an attempt, as described in its offer or answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub challenge: Nonce,
    /// The hash of the introduction.
    pub hash: [u8; 32],
    pub fingerprint: [u8; 32],
}

/// The two sides that a proof is bound to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Binding {
    pub ours: Side,
    pub theirs: Side,
}

impl Side {
    pub fn of(introduction: &Introduction, fingerprint: [u8; 32]) -> Side {
        Side {
            challenge: *introduction.challenge(),
            hash: introduction.hash(),
            fingerprint,
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
    /// Creates the link to a peer that was never dialed, with a budget for the offers to it.
    pub fn new(offers: Budget) -> Link {
        Link {
            state: State::New,
            attempt: None,
            held: None,
            tries: Tries::default(),
            offers,
        }
    }

    /// The state of the connection, as shown to people.
    pub fn shown_state(&self) -> PeerState {
        match (&self.state, &self.attempt) {
            (State::New, Some(attempt)) if attempt.is_open() => PeerState::Verifying,
            (State::New | State::Failed { heard: None }, _) if self.tries.lacks_path => {
                PeerState::NoPath
            }
            (State::Failed { .. }, _) => PeerState::Failed,
            (State::Verified { .. }, _) => PeerState::Verified,
            (State::Silent { .. } | State::Broken { .. }, _) => PeerState::Reconnecting,
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

    /// The challenge in the offer with this number, whose connection is open or being made.
    pub fn challenge_of(&self, number: AttemptNumber) -> Option<Nonce> {
        let attempt = self.attempt.as_ref();
        let attempt = attempt.filter(|attempt| attempt.number == number);
        let open = self.state.open().filter(|open| open.number == number);
        attempt
            .and_then(Attempt::offer_challenge)
            .or_else(|| open.map(|open| open.challenge))
    }

    /// The connections that lead to this peer.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> + use<> {
        let open = self.state.open().map(|open| open.connection);
        let attempt = self.attempt.as_ref().map(|attempt| attempt.connection);
        open.into_iter().chain(attempt)
    }

    /// Whether the peer was connected, and is being looked for: it is silent, or does not answer.
    pub fn is_missed(&self) -> bool {
        match &self.state {
            State::Verified { open, .. } => open.answers.doubted,
            State::Silent { .. } | State::Broken { .. } => true,
            State::New | State::Failed { .. } => false,
        }
    }

    /// Whether the peer takes part in making a new connection.
    pub fn is_coming_back(&self) -> bool {
        self.attempt
            .as_ref()
            .is_some_and(|attempt| !attempt.is_ours() || attempt.theirs().is_some())
    }
}

impl Attempt {
    /// Creates an attempt of ours, or one that answers the offer of `theirs`.
    pub fn new(
        connection: ConnectionId,
        number: AttemptNumber,
        theirs: Option<(Side, Named)>,
        challenge: Nonce,
        now: Millis,
    ) -> Attempt {
        let (theirs, named) = theirs.unzip();
        Attempt {
            connection,
            number,
            role: if theirs.is_some() {
                Role::Answerer
            } else {
                Role::Offerer
            },
            since: now,
            named,
            resumes: None,
            stage: Stage::Describing { challenge, theirs },
            candidates: ReceivedCandidates::new(now),
            verify: None,
            proof: None,
            early: None,
            given: None,
        }
    }

    /// Whether we made the offer.
    pub fn is_ours(&self) -> bool {
        self.role == Role::Offerer
    }

    /// Whether the channel is open.
    pub fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Verifying { .. })
    }

    /// The binding of a proof, once both descriptions are known.
    pub fn binding(&self) -> Option<&Binding> {
        match &self.stage {
            Stage::Connecting { binding } | Stage::Verifying { binding } => Some(binding),
            Stage::Describing { .. } | Stage::Offered { .. } => None,
        }
    }

    /// The other side, once its offer or answer has come.
    pub fn theirs(&self) -> Option<Side> {
        match &self.stage {
            Stage::Describing { theirs, .. } => *theirs,
            _ => self.binding().map(|binding| binding.theirs),
        }
    }

    /// The challenge in the offer.
    pub fn offer_challenge(&self) -> Option<Nonce> {
        let ours = match &self.stage {
            Stage::Describing { challenge, .. } => Some(*challenge),
            Stage::Offered { ours } => Some(ours.challenge),
            _ => self.binding().map(|binding| binding.ours.challenge),
        };
        match self.role {
            Role::Offerer => ours,
            Role::Answerer => self.theirs().map(|theirs| theirs.challenge),
        }
    }

    /// Whether our offer has had no answer for this long.
    pub fn is_unanswered(&self, patience: Duration, now: Millis) -> bool {
        matches!(self.stage, Stage::Offered { .. }) && now.since(self.since) >= patience
    }

    /// Whether no path has been found for this long.
    pub fn is_pathless(&self, patience: Duration, now: Millis) -> bool {
        let looks = matches!(
            self.stage,
            Stage::Describing { .. } | Stage::Connecting { .. }
        );
        looks && now.since(self.since) >= patience
    }

    /// The hash of the transcript as seen from here: the same at both ends, unless somebody stands between them.
    pub fn transcript(&self, room: &RoomId) -> Option<TranscriptHash> {
        let (binding, named) = (self.binding()?, self.named.as_ref()?);
        let (ours, theirs) = (&binding.ours, &binding.theirs);
        let [(offer, offerer), (answer, answerer)] = if self.is_ours() {
            [(ours, named.ours), (theirs, named.theirs)]
        } else {
            [(theirs, named.theirs), (ours, named.ours)]
        };
        let transcript = Transcript {
            room: *room,
            version: VERSION.min(named.connect.version),
            attempt: self.number,
            offerer,
            answerer,
            offer: offer.hash,
            answer: answer.hash,
            offerer_fingerprint: offer.fingerprint,
            answerer_fingerprint: answer.fingerprint,
        };
        Some(transcript.hash())
    }

    /// Turns a proven attempt into an open connection.
    pub fn open(self, binding: Binding, ours: &PeerId, theirs: &PeerId, now: Millis) -> Open {
        /// Renegotiations that a peer may ask for: at most this many at once, then one a second.
        const SIGNALS_BURST: u32 = 8;
        let challenge = if self.is_ours() {
            binding.ours.challenge
        } else {
            binding.theirs.challenge
        };
        Open {
            connection: self.connection,
            number: self.number,
            challenge,
            their_fingerprint: binding.theirs.fingerprint,
            answers: Answers::default(),
            negotiation: Negotiation::new(ours > theirs),
            candidates: self.candidates,
            signals: Budget::new(SIGNALS_BURST, 1, now),
            late_offer: None,
            their_turn: None,
        }
    }
}
