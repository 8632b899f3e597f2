//! Envelopes, which travel over brokers: each is sealed with the room's key for the topic it is published on.
//!
//! ```text
//! payload       = 0x01 ‖ nonce (24) ‖ XChaCha20-Poly1305(seal key, nonce, envelope, associated data = derived topic)
//! envelope      = sender (16) ‖ timestamp (8) ‖ body*
//! body          = kind (1) ‖ length (2) ‖ content
//!
//! 1 Connect       = the statement
//! 2 RtcOffer      = the sender's Connect ‖ attempt (4) ‖ serial of the recipient's Connect (4), or 0 to resume ‖ sealed
//! 3 RtcAnswer     = attempt (4) ‖ sealed
//! 4 RtcCandidates = attempt (4) ‖ sealed
//! 5 Leave         = secret (32)
//! 6 Knock         = the sender's Connect ‖ serial of the recipient's Connect (4), or 0 to resume ‖ sealed
//! ```
//!
//! Bodies stand in strictly ascending order of their kinds, so each kind occurs at most once. Kinds that this version
//! does not know are skipped by their length and counted; so a later version can add one, in an envelope of its own or
//! behind the ones that everybody reads.

use core::num::NonZeroU32;

use chacha20::rand_core::CryptoRng;

use super::bytes::{Reader, push_u16};
use super::connect::{Connect, LeaveSecret};
use super::extension::ExtensionError;
use super::room_keys::{DerivedTopic, RoomKeys};
use super::statement::StatementError;
use crate::identity::PeerId;
use crate::identity::framing::{first_16, sha256};
use crate::sort::sorted_by;
use crate::time::Millis;

/// The largest payload that is sent or looked at, in bytes.
pub const MAX_ENVELOPE: usize = 4096;

/// The reason why an envelope was dropped before its sender was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Larger than [`MAX_ENVELOPE`].
    #[error("The envelope is too large.")]
    TooLarge,
    /// Sealed with another key, for another place, or not sealed at all.
    #[error("The envelope does not open with this key.")]
    Closed,
    /// It opens, but its contents are not of this protocol.
    #[error("The envelope's contents cannot be read.")]
    Malformed,
    /// The `Connect` in it has other keys than those that the sender's peer id belongs to.
    #[error("The envelope holds the announcement of somebody other than its sender.")]
    NotOfSender,
    /// It has a format, or a critical extension, that this version does not know.
    #[error("The envelope is of a later version, and not meant for this one.")]
    Unsupported,
}

impl From<StatementError> for EnvelopeError {
    fn from(error: StatementError) -> EnvelopeError {
        match error {
            StatementError::Malformed => EnvelopeError::Malformed,
            StatementError::TooLarge => EnvelopeError::TooLarge,
            StatementError::UnknownFormat(_) | StatementError::UnknownCritical(_) => {
                EnvelopeError::Unsupported
            }
        }
    }
}

impl From<ExtensionError> for EnvelopeError {
    fn from(error: ExtensionError) -> EnvelopeError {
        StatementError::from(error).into()
    }
}

/// The number of an attempt of a pair to connect. The offerer with the smaller peer id uses even numbers, the other one
/// odd numbers, so that crossing offers never share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub u32);

impl Attempt {
    /// Returns the number of the `count`-th offer that `offerer` makes to `answerer`.
    pub fn new(count: u32, offerer: &PeerId, answerer: &PeerId) -> Attempt {
        Attempt(count.wrapping_mul(2) | u32::from(offerer > answerer))
    }

    /// Whether `offerer` may use this number towards `answerer`.
    pub fn is_from(self, offerer: &PeerId, answerer: &PeerId) -> bool {
        self.0 & 1 == u32::from(offerer > answerer)
    }
}

/// The source of the recipient's nonce that an offer or a knock is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NonceSource {
    /// The nonce of the recipient's `Connect` with this serial.
    Connect(NonZeroU32),
    /// The nonce that the recipient's last `Verify` gave for the next time. After an outage the nonces of all
    /// `Connect`s are stale just when everybody comes back.
    Resume,
}

impl NonceSource {
    /// Encodes it as in an offer.
    pub fn to_u32(self) -> u32 {
        match self {
            NonceSource::Connect(serial) => serial.get(),
            NonceSource::Resume => 0,
        }
    }

    /// Reads what [`NonceSource::to_u32`] wrote.
    pub fn from_u32(number: u32) -> NonceSource {
        NonZeroU32::new(number).map_or(NonceSource::Resume, NonceSource::Connect)
    }
}

/// One message on a broker.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// The alleged sender. It is believed only as far as the body's signature, secret or sealing shows.
    pub sender: PeerId,
    /// When it was sent, by the sender's clock: compared only with others of the same sender, and never the same twice.
    pub timestamp: Millis,
    /// Its bodies, each kind at most once.
    pub bodies: Vec<Body>,
    /// How many bodies of unknown kinds were skipped.
    pub skipped: usize,
}

/// The body of an envelope, by kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// "I am here": to everybody in the room.
    Connect(Connect),
    /// An offer, to one peer's inbox.
    RtcOffer(RtcOffer),
    /// The answer to an offer, to the offerer's inbox.
    RtcAnswer(PairSealed),
    /// Candidates that were found late, to one peer's inbox.
    RtcCandidates(PairSealed),
    /// "I am gone": to everybody in the room.
    Leave(LeaveSecret),
    /// "I am really here, and would like to be let in": to one peer's inbox. It shows no address.
    Knock(Knock),
}

/// A knock: an offer without a description.
///
/// Nobody is asked about a peer that has sent only an announcement, since that can be replayed. But a client that has
/// to ask its person first sends no offer either: it would show its addresses. So it knocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Knock {
    /// The sender's latest `Connect`, as it was signed.
    pub connect: Connect,
    /// The source of the nonce that makes it fresh.
    pub nonce: NonceSource,
    /// An empty plaintext, sealed for the recipient: only the sender could seal it, and only now.
    pub sealed: Vec<u8>,
}

/// An offer.
#[derive(Debug, Clone, PartialEq)]
pub struct RtcOffer {
    /// The sender's latest `Connect`, as it was signed.
    pub connect: Connect,
    /// The number of the attempt.
    pub attempt: Attempt,
    /// The source of the nonce that makes it fresh.
    pub nonce: NonceSource,
    /// An [`Introduction`](super::pair::Introduction), sealed for the recipient.
    pub sealed: Vec<u8>,
}

/// Content that belongs to an attempt and is sealed for the recipient: see [`PairContext`](super::pair::PairContext).
#[derive(Debug, Clone, PartialEq)]
pub struct PairSealed {
    /// The attempt it belongs to.
    pub attempt: Attempt,
    /// The content that only the recipient can read.
    pub sealed: Vec<u8>,
}

/// The kind of a [`Body`], as it stands before its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum BodyKind {
    /// [`Body::Connect`]
    Connect = 1,
    /// [`Body::RtcOffer`]
    RtcOffer = 2,
    /// [`Body::RtcAnswer`]
    RtcAnswer = 3,
    /// [`Body::RtcCandidates`]
    RtcCandidates = 4,
    /// [`Body::Leave`]
    Leave = 5,
    /// [`Body::Knock`]
    Knock = 6,
}

impl RtcOffer {
    /// The part of the body that stands before the sealed part.
    pub(super) fn clear(&self) -> Vec<u8> {
        let mut bytes = self.connect.as_bytes().to_vec();
        bytes.extend_from_slice(&self.attempt.0.to_be_bytes());
        bytes.extend_from_slice(&self.nonce.to_u32().to_be_bytes());
        bytes
    }
}

impl Knock {
    /// The part of the body that stands before the sealed part.
    pub(super) fn clear(&self) -> Vec<u8> {
        let mut bytes = self.connect.as_bytes().to_vec();
        bytes.extend_from_slice(&self.nonce.to_u32().to_be_bytes());
        bytes
    }
}

impl Body {
    /// Whether it goes to everybody in the room, and not to one peer's inbox.
    pub fn is_for_everybody(&self) -> bool {
        matches!(self, Body::Connect(_) | Body::Leave(_))
    }

    /// Its kind.
    pub fn kind(&self) -> BodyKind {
        match self {
            Body::Connect(_) => BodyKind::Connect,
            Body::RtcOffer(_) => BodyKind::RtcOffer,
            Body::RtcAnswer(_) => BodyKind::RtcAnswer,
            Body::RtcCandidates(_) => BodyKind::RtcCandidates,
            Body::Leave(_) => BodyKind::Leave,
            Body::Knock(_) => BodyKind::Knock,
        }
    }

    /// The sender's `Connect`, if it holds one.
    pub fn connect(&self) -> Option<&Connect> {
        match self {
            Body::Connect(connect) => Some(connect),
            Body::RtcOffer(offer) => Some(&offer.connect),
            Body::Knock(knock) => Some(&knock.connect),
            _ => None,
        }
    }

    fn content(&self) -> Vec<u8> {
        match self {
            Body::Connect(connect) => connect.as_bytes().to_vec(),
            Body::RtcOffer(offer) => [&offer.clear()[..], &offer.sealed].concat(),
            Body::RtcAnswer(sealed) | Body::RtcCandidates(sealed) => {
                [&sealed.attempt.0.to_be_bytes()[..], &sealed.sealed].concat()
            }
            Body::Leave(secret) => secret.0.to_vec(),
            Body::Knock(knock) => [&knock.clear()[..], &knock.sealed].concat(),
        }
    }

    /// Reads a body; `None` if its kind is unknown.
    fn read(kind: u8, content: &[u8]) -> Result<Option<Body>, EnvelopeError> {
        const CONNECT: u8 = BodyKind::Connect as u8;
        const OFFER: u8 = BodyKind::RtcOffer as u8;
        const ANSWER: u8 = BodyKind::RtcAnswer as u8;
        const CANDIDATES: u8 = BodyKind::RtcCandidates as u8;
        const LEAVE: u8 = BodyKind::Leave as u8;
        const KNOCK: u8 = BodyKind::Knock as u8;
        let mut reader = Reader::new(content);
        Ok(Some(match kind {
            CONNECT => Body::Connect(Connect::parse(content)?),
            OFFER => {
                let connect = Connect::read(&mut reader)?;
                let attempt = reader.u32().ok_or(EnvelopeError::Malformed)?;
                let nonce = reader.u32().ok_or(EnvelopeError::Malformed)?;
                Body::RtcOffer(RtcOffer {
                    connect,
                    attempt: Attempt(attempt),
                    nonce: NonceSource::from_u32(nonce),
                    sealed: reader.rest().to_vec(),
                })
            }
            ANSWER => Body::RtcAnswer(PairSealed::read(&mut reader)?),
            CANDIDATES => Body::RtcCandidates(PairSealed::read(&mut reader)?),
            LEAVE => {
                let secret = content.try_into().map_err(|_| EnvelopeError::Malformed)?;
                Body::Leave(LeaveSecret(secret))
            }
            KNOCK => {
                let connect = Connect::read(&mut reader)?;
                let nonce = reader.u32().ok_or(EnvelopeError::Malformed)?;
                Body::Knock(Knock {
                    connect,
                    nonce: NonceSource::from_u32(nonce),
                    sealed: reader.rest().to_vec(),
                })
            }
            _ => return Ok(None),
        }))
    }
}

impl PairSealed {
    fn read(reader: &mut Reader<'_>) -> Result<PairSealed, EnvelopeError> {
        let attempt = reader.u32().ok_or(EnvelopeError::Malformed)?;
        Ok(PairSealed {
            attempt: Attempt(attempt),
            sealed: reader.rest().to_vec(),
        })
    }
}

impl Envelope {
    /// Creates an envelope with one body.
    pub fn new(sender: PeerId, timestamp: Millis, body: Body) -> Envelope {
        Envelope {
            sender,
            timestamp,
            bodies: vec![body],
            skipped: 0,
        }
    }

    /// Seals the envelope once; the same bytes go to every broker, whatever prefix the topic has there.
    ///
    /// # Errors
    /// [`EnvelopeError::TooLarge`], or [`EnvelopeError::Malformed`] if two bodies are of one kind.
    pub fn seal(
        &self,
        keys: &RoomKeys,
        topic: DerivedTopic,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let plain = self.encode()?;
        let payload = keys.seal_key().seal(rng, &topic.0, &plain);
        if payload.len() > MAX_ENVELOPE {
            return Err(EnvelopeError::TooLarge);
        }
        Ok(payload)
    }

    /// Opens a payload that came on `topic`.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn open(
        keys: &RoomKeys,
        topic: DerivedTopic,
        payload: &[u8],
    ) -> Result<Envelope, EnvelopeError> {
        if payload.len() > MAX_ENVELOPE {
            return Err(EnvelopeError::TooLarge);
        }
        let plain = keys
            .seal_key()
            .open(&topic.0, payload)
            .map_err(|_| EnvelopeError::Closed)?;
        Envelope::decode(&plain)
    }

    fn encode(&self) -> Result<Vec<u8>, EnvelopeError> {
        let bodies = sorted_by(&self.bodies, |one, other| one.kind().cmp(&other.kind()));
        let mut plain = self.sender.0.to_vec();
        plain.extend_from_slice(&self.timestamp.0.to_be_bytes());
        let mut last = None;
        for body in bodies {
            let kind = body.kind();
            if last.replace(kind) == Some(kind) {
                return Err(EnvelopeError::Malformed);
            }
            plain.push(kind as u8);
            push_u16(&mut plain, &body.content()).ok_or(EnvelopeError::TooLarge)?;
        }
        Ok(plain)
    }

    fn decode(plain: &[u8]) -> Result<Envelope, EnvelopeError> {
        let mut reader = Reader::new(plain);
        let sender = reader.array().ok_or(EnvelopeError::Malformed)?;
        let timestamp = reader.u64().ok_or(EnvelopeError::Malformed)?;
        let mut envelope = Envelope {
            sender: PeerId(sender),
            timestamp: Millis(timestamp),
            bodies: Vec::new(),
            skipped: 0,
        };
        let mut last = None;
        while !reader.is_empty() {
            let kind = reader.u8().ok_or(EnvelopeError::Malformed)?;
            let content = reader.slice_u16().ok_or(EnvelopeError::Malformed)?;
            if last.replace(kind) >= Some(kind) {
                return Err(EnvelopeError::Malformed);
            }
            let Some(body) = Body::read(kind, content)? else {
                envelope.skipped += 1;
                continue;
            };
            let connect = body.connect();
            if connect.is_some_and(|connect| connect.peer_id() != envelope.sender) {
                return Err(EnvelopeError::NotOfSender);
            }
            envelope.bodies.push(body);
        }
        Ok(envelope)
    }
}

/// The hash of a payload, by which it is recognised when it comes from a second broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvelopeHash(pub [u8; 16]);

impl EnvelopeHash {
    /// The first 16 bytes of the payload's SHA-256.
    pub fn of(payload: &[u8]) -> EnvelopeHash {
        EnvelopeHash(first_16(&sha256(payload)))
    }
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
