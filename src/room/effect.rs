//! Requests that machines make of each other, and events of peers that they share.
//!
//! [`Room`](super::Room) routes each [`Effect`] to the machine that handles it; every machine is told of each
//! [`PeerEvent`]. This file names no machine, so that every machine may use it.

use super::counters::Dropped;
use super::io::{Deletion, GoneReason};
#[cfg(feature = "attachments")]
use super::{FileCommand, FileEvent};
use crate::identity::{PeerId, PublicKey, Trust};
use crate::rtc::Candidate;
use crate::time::Millis;
#[cfg(feature = "attachments")]
use crate::wire::FileHash;
use crate::wire::attachment::Attachment;
use crate::wire::frame::{EntryFrame, Frame, QuestionFrame, ShortId};
use crate::wire::transcript::ProofError;
use crate::wire::{Attempt, Connect, ConnectId, FileFrame, Introduction, Nonce, OutboundMessage};

/// An event of a peer. Every machine is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PeerEvent {
    /// It proved who it is, on a connection that has just become the one that frames go over.
    Verified,
    /// It has been silent for too long, or its connection broke; it is being looked for. Sent again when the connection
    /// of a silent peer breaks.
    Lost,
    /// It is heard again.
    Returned,
    /// It forgot us without our noticing, and has begun anew: what it had promised is void.
    Forgotten,
    /// It is no longer a member of this room.
    Gone {
        /// Envelopes of this peer are old up to this timestamp.
        until: Millis,
        /// Whether it had proven who it is.
        proven: bool,
    },
}

/// A request of one machine to another.
#[derive(Debug)]
pub(super) enum Effect {
    /// Something happened to a peer.
    Peer(PeerId, PeerEvent),
    /// Send a frame to a verified peer.
    Send(PeerId, Frame),
    /// Send a frame to every verified peer.
    SendAll(Frame),
    /// Put a message of ours at the end of the reliable stream to a peer.
    Stream(PeerId, OutboundMessage),
    /// The same with a reply: the bytes that a peer makes us keep are bounded.
    Reply(PeerId, OutboundMessage),
    /// A peer sent entries or asked for them, over its reliable stream.
    Entry(PeerId, EntryFrame),
    /// Something of a peer was dropped that breaks the limits.
    Dropped(PeerId, Dropped),
    /// A question or an answer came over a peer's reliable stream.
    Question(PeerId, QuestionFrame),
    /// A peer said something about a file, over its reliable stream.
    File(PeerId, FileFrame),
    /// Something is shown that has a file beside it.
    Attached(Box<Attached>),
    /// What may have had a file beside it was taken back, or is no longer here.
    Detached(ShortId),
    /// The person has deleted a message, a conversation or the whole room in this browser.
    Deleted(Deletion),
    /// Send, take or end the transfer of an attachment. It is offered with the hash by which it was asked for.
    #[cfg(feature = "attachments")]
    Transfer(FileCommand, Option<FileHash>),
    /// Something happened to the transfer of an attachment. It is offered with the hash by which it was asked for.
    #[cfg(feature = "attachments")]
    Transferred(Option<FileHash>, FileEvent),
    /// Seal something for a peer, and publish it.
    Signal(PeerId, Outgoing),
    /// A member passed on the announcement of another one.
    Introduce(PeerId, Box<Connect>),
    /// Announce ourselves soon: somebody misses us, or should hear that we are full.
    Announce,
    /// An offer of ours to this peer has left.
    OfferSent(PeerId, Sent),
    /// What came from this peer too early can be used now: its candidates before its offer, or its farewell before its
    /// announcement. Brokers keep the order within a topic, but not between two.
    ReleaseEarly(PeerId),
    /// Make a connection to this peer: the person has just accepted it.
    Accepted(PeerId),
    /// The person has just turned this peer away: what it had offered is void.
    Declined(PeerId),
    /// Ask this peer for a sign of life at once.
    Probe(PeerId),
    /// Something has left for this peer that it acknowledges at once.
    ExpectAnswer(PeerId),
    /// Chunks of the stream have left for this peer, which acknowledges them only after a while.
    ChunksSent(PeerId),
    /// A peer has proven who it is.
    Proven(PeerId, Box<Proven>),
    /// A peer did not prove who it claims to be.
    NotProven(PeerId, ProofError),
    /// Take a peer out of the room.
    Remove(PeerId, GoneReason),
    /// Take a peer out of the room that closed its connection without a word, and did not come back.
    RemoveClosed(PeerId),
}

/// Something that was said, with a file beside it.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "attachments"),
    expect(dead_code, reason = "only the machine of attachments reads it")
)]
pub(super) struct Attached {
    /// What was said.
    pub id: ShortId,
    /// Who said it.
    pub author: PublicKey,
    /// What is known of its author.
    pub trust: Trust,
    /// The other person of a direct conversation; `None` if everybody in the room reads it.
    pub with: Option<PublicKey>,
    /// Whether it was just said here, so that the bytes of the file are here.
    pub is_sent_here: bool,
    /// The file.
    pub file: Attachment,
}

/// A message to be sealed for one peer.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// An offer.
    Offer {
        attempt: Attempt,
        introduction: Introduction,
    },
    /// The answer to the offer with this challenge.
    Answer {
        attempt: Attempt,
        challenge: Nonce,
        introduction: Introduction,
    },
    /// Candidates that were found late, for the attempt whose offer has this challenge.
    Candidates {
        attempt: Attempt,
        challenge: Nonce,
        candidates: Vec<Candidate>,
    },
    /// A knock: we are here, and would like to be let in.
    Knock,
}

/// An offer that has been sent, and the two announcements that it names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub attempt: Attempt,
    pub ours: ConnectId,
    pub theirs: ConnectId,
    /// The offer resumes: it names no announcement of theirs, but their last proof.
    pub resumes: bool,
}

/// The contents of a peer's proof, and what ours showed in return.
#[derive(Debug)]
pub(super) struct Proven {
    /// Their newest announcement.
    pub connect: Connect,
    /// Its id.
    pub id: ConnectId,
    /// The nonce with which we may offer to them again, once those of their announcements have expired.
    pub resume: Nonce,
    /// The nonce with which they may offer to us again, and the announcement of ours that our proof showed with it.
    pub ours: (Nonce, ConnectId),
    /// Information that their application gives about its user.
    pub info: Option<String>,
}
