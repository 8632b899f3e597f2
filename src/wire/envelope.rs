//! What travels over the broker: `0x01 ‖ nonce ‖ sealed envelope`, encoded with `postcard`.

use serde::{Deserialize, Serialize};

use super::{EnvelopeError, RoomKeys};
use crate::identity::keys::KeyError;
use crate::identity::{IdentityKey, Name, PeerId, PublicKey, SealKey, Signature};
use crate::rtc::candidate::MAX_CANDIDATES;
use crate::rtc::{Candidate, Description};
use crate::time::Millis;
use chacha20::rand_core::CryptoRng;

/// The largest sealed envelope that is sent or looked at, in bytes.
pub const MAX_ENVELOPE: usize = 4096;

/// The version of the protocol that [`Connect::version`] names.
pub const VERSION: u8 = 1;

/// A bit of [`Connect::capabilities`]: the sender is connected to as many peers as it can be.
pub const FULL: u32 = 1;

const CONNECT_TAG: &str = "rtchat/1 connect";
const LEAVE_TAG: &str = "rtchat/1 leave";

/// One message on the broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Who says it sent it. Believed only as far as the body's signature or sealing shows.
    pub sender: PeerId,
    /// When, by the sender's clock: compared only with others of the same sender, and never the same twice.
    pub timestamp: Millis,
    /// What it is about.
    pub body: Body,
}

/// The five kinds of message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// "I am here": to everybody in the room.
    Connect(Connect),
    /// An offer, to one peer's inbox.
    RtcOffer {
        /// Who offers.
        connect: Box<Connect>,
        /// Which try this is.
        attempt: Attempt,
        /// An [`Introduction`], sealed for the recipient.
        sealed: Vec<u8>,
    },
    /// The answer to an offer, to the offerer's inbox.
    RtcAnswer {
        /// The offer's attempt.
        attempt: Attempt,
        /// An [`Introduction`], sealed for the recipient.
        sealed: Vec<u8>,
    },
    /// Candidates that were found late.
    RtcCandidates {
        /// The attempt they belong to.
        attempt: Attempt,
        /// A list of [`Candidate`], sealed for the recipient.
        sealed: Vec<u8>,
    },
    /// "I am gone": to everybody in the room.
    Leave {
        /// Over "rtchat/1 leave" ‖ topic ‖ peer id ‖ timestamp.
        signature: Signature,
    },
}

/// The kind of a [`Body`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Subtopic {
    /// [`Body::Connect`]
    Connect,
    /// [`Body::RtcOffer`]
    RtcOffer,
    /// [`Body::RtcAnswer`]
    RtcAnswer,
    /// [`Body::RtcCandidates`]
    RtcCandidates,
    /// [`Body::Leave`]
    Leave,
}

impl Body {
    /// Its kind.
    pub fn subtopic(&self) -> Subtopic {
        match self {
            Body::Connect(_) => Subtopic::Connect,
            Body::RtcOffer { .. } => Subtopic::RtcOffer,
            Body::RtcAnswer { .. } => Subtopic::RtcAnswer,
            Body::RtcCandidates { .. } => Subtopic::RtcCandidates,
            Body::Leave { .. } => Subtopic::Leave,
        }
    }
}

/// Numbers the tries of a pair to connect. The offerer with the smaller peer id uses even numbers, the other
/// one odd numbers, so that crossing offers never share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attempt(pub u32);

impl Attempt {
    /// The `count`-th offer that `offerer` makes to `answerer`.
    pub fn new(count: u32, offerer: &PeerId, answerer: &PeerId) -> Attempt {
        Attempt(count.wrapping_mul(2) | u32::from(offerer > answerer))
    }

    /// Whether `offerer` may use this number towards `answerer`.
    pub fn is_from(self, offerer: &PeerId, answerer: &PeerId) -> bool {
        self.0 & 1 == u32::from(offerer > answerer)
    }
}

/// Who is here, in the words and with the signature of that peer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connect {
    /// The newest protocol version that the sender speaks.
    pub version: u8,
    /// What the sender can do, a bit each; unknown bits are ignored.
    pub capabilities: u32,
    /// The profile's signing key.
    pub identity: PublicKey,
    /// The tab's key-agreement key.
    pub session: PublicKey,
    /// The name.
    pub name: Name,
    /// The tab number, from 1.
    pub tab: u16,
    /// How long the sender had been in the room when it signed this, in milliseconds.
    pub age: u64,
    /// When this was signed, by the sender's clock.
    pub signed_at: Millis,
    /// ECDSA over "rtchat/1 connect" ‖ topic ‖ everything above.
    pub signature: Signature,
}

impl Connect {
    /// Signs `self` for `topic`; whatever signature it had is replaced.
    pub fn signed(mut self, identity: &IdentityKey, topic: &str) -> Connect {
        self.signature = identity.sign(CONNECT_TAG, &[topic.as_bytes(), &self.statement()]);
        self
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify(&self, topic: &str) -> Result<(), KeyError> {
        self.identity.verify(
            CONNECT_TAG,
            &[topic.as_bytes(), &self.statement()],
            &self.signature,
        )
    }

    /// The peer id that belongs to its keys.
    pub fn peer_id(&self) -> PeerId {
        PeerId::of(&self.identity, &self.session)
    }

    fn statement(&self) -> Vec<u8> {
        let unsigned = Connect {
            signature: Signature([0; 64]),
            ..self.clone()
        };
        encode(&unsigned)
    }
}

/// A session description and the challenge that its receiver has to sign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Introduction {
    /// The offer or answer.
    pub description: Description,
    /// Sixteen random bytes that [`Frame::Verify`](super::Frame::Verify) of the receiver must cover.
    pub challenge: [u8; 16],
}

/// Signs "I am gone".
pub fn sign_leave(
    identity: &IdentityKey,
    topic: &str,
    peer: &PeerId,
    timestamp: Millis,
) -> Signature {
    identity.sign(
        LEAVE_TAG,
        &[topic.as_bytes(), &peer.0, &timestamp.0.to_be_bytes()],
    )
}

/// Checks the signature of [`Body::Leave`].
///
/// # Errors
/// As [`PublicKey::verify`].
pub fn verify_leave(
    identity: &PublicKey,
    topic: &str,
    peer: &PeerId,
    timestamp: Millis,
    signature: &Signature,
) -> Result<(), KeyError> {
    identity.verify(
        LEAVE_TAG,
        &[topic.as_bytes(), &peer.0, &timestamp.0.to_be_bytes()],
        signature,
    )
}

/// Everything around a pair-sealed part that its seal vouches for: moved to another place, it does not open.
#[derive(Debug, Clone, Copy)]
pub struct PairContext<'a> {
    /// The room's topic.
    pub topic: &'a str,
    /// The kind of message.
    pub subtopic: Subtopic,
    /// The envelope's sender.
    pub sender: &'a PeerId,
    /// Whose inbox it goes to.
    pub recipient: &'a PeerId,
    /// The attempt.
    pub attempt: Attempt,
    /// The envelope's timestamp.
    pub timestamp: Millis,
}

impl PairContext<'_> {
    /// Seals an [`Introduction`] or a list of candidates for the recipient alone.
    pub fn seal<T: Serialize>(
        &self,
        key: &SealKey,
        rng: &mut impl CryptoRng,
        plain: &T,
    ) -> Vec<u8> {
        key.seal(rng, &self.bytes(), &encode(plain))
    }

    /// Opens an [`Introduction`].
    ///
    /// # Errors
    /// [`EnvelopeError::Closed`] or [`EnvelopeError::Malformed`].
    pub fn open_introduction(
        &self,
        key: &SealKey,
        sealed: &[u8],
    ) -> Result<Introduction, EnvelopeError> {
        let plain = key
            .open(&self.bytes(), sealed)
            .map_err(|_| EnvelopeError::Closed)?;
        decode(&plain)
    }

    /// Opens a list of candidates, at most [`MAX_CANDIDATES`].
    ///
    /// # Errors
    /// [`EnvelopeError::Closed`] or [`EnvelopeError::Malformed`].
    pub fn open_candidates(
        &self,
        key: &SealKey,
        sealed: &[u8],
    ) -> Result<Vec<Candidate>, EnvelopeError> {
        let plain = key
            .open(&self.bytes(), sealed)
            .map_err(|_| EnvelopeError::Closed)?;
        let candidates: Vec<Candidate> = decode(&plain)?;
        if candidates.len() > MAX_CANDIDATES {
            Err(EnvelopeError::Malformed)
        } else {
            Ok(candidates)
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.topic.as_bytes().to_vec();
        bytes.push(self.subtopic as u8);
        bytes.extend_from_slice(&self.sender.0);
        bytes.extend_from_slice(&self.recipient.0);
        bytes.extend_from_slice(&self.attempt.0.to_be_bytes());
        bytes.extend_from_slice(&self.timestamp.0.to_be_bytes());
        bytes
    }
}

impl Envelope {
    /// Seals the envelope for `topic` with the room's key.
    pub fn seal(&self, keys: &RoomKeys, topic: &str, rng: &mut impl CryptoRng) -> Vec<u8> {
        keys.seal_key().seal(rng, topic.as_bytes(), &encode(self))
    }

    /// Opens what came on `topic`.
    ///
    /// # Errors
    /// [`EnvelopeError`] for anything that is too large, does not open or cannot be read to its last byte.
    pub fn open(keys: &RoomKeys, topic: &str, sealed: &[u8]) -> Result<Envelope, EnvelopeError> {
        if sealed.len() > MAX_ENVELOPE {
            return Err(EnvelopeError::TooLarge);
        }
        let plain = keys
            .seal_key()
            .open(topic.as_bytes(), sealed)
            .map_err(|_| EnvelopeError::Closed)?;
        decode(&plain)
    }
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Encoding into memory fails only for types that `postcard` cannot express; ours round-trip in the tests.
    postcard::to_allocvec(value).unwrap_or_default()
}

fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, EnvelopeError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        _ => Err(EnvelopeError::Malformed),
    }
}
