//! Content that is sealed once more inside an envelope, for the recipient alone.
//!
//! ```text
//! sealed       = 0x01 ‖ nonce (24) ‖ XChaCha20-Poly1305(pair key, nonce, plaintext, associated data = context)
//! context      = room's derived topic (16) ‖ sender (16) ‖ recipient (16) ‖ timestamp (8) ‖ kind (1) ‖ fresh (16)
//!              ‖ everything of the body that stands before `sealed`
//!
//! introduction = challenge (16) ‖ length (2) ‖ compact description ‖ extension*      in offers and answers
//! candidates   = (length (2) ‖ compact candidate)*                                   at most 16
//! ```
//!
//! *Fresh* is the recipient's nonce that an offer or a knock names, and for answers and candidates the offer's
//! challenge. It is in the context instead of the plaintext, as both sides know it: it costs nothing on the way, and
//! content that was sealed for another nonce does not even open.
//!
//! Everything around it is in the context too. So nothing that is sealed for a pair opens in another place, and nobody
//! can exchange the `Connect` in an offer for an older one.

use chacha20::rand_core::CryptoRng;

use super::bytes::{Reader, push_u16};
use super::connect::{Connect, Nonce};
use super::envelope::{
    Attempt, BodyKind, EnvelopeError, Knock, MAX_ENVELOPE, NonceSource, PairSealed, RtcOffer,
};
use super::extension::Extensions;
use super::room_keys::DerivedTopic;
use crate::identity::framing::sha256;
use crate::identity::{PeerId, SealKey};
use crate::rtc::candidate::MAX_CANDIDATES;
use crate::time::Millis;

/// The introduction of one end to the other, in an offer or an answer. It keeps the bytes that were sealed, for the
/// transcript.
#[derive(Clone, PartialEq, Eq)]
pub struct Introduction {
    challenge: Nonce,
    description: Vec<u8>,
    extensions: Extensions,
    bytes: Vec<u8>,
}

impl core::fmt::Debug for Introduction {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Introduction(…)")
    }
}

impl Introduction {
    /// Creates an introduction from a fresh challenge and the compact form of a session description.
    ///
    /// # Errors
    /// [`EnvelopeError::TooLarge`].
    pub fn new(
        challenge: Nonce,
        description: Vec<u8>,
        extensions: Extensions,
    ) -> Result<Introduction, EnvelopeError> {
        let mut bytes = challenge.0.to_vec();
        push_u16(&mut bytes, &description).ok_or(EnvelopeError::TooLarge)?;
        extensions.write(&mut bytes);
        if bytes.len() > MAX_ENVELOPE {
            return Err(EnvelopeError::TooLarge);
        }
        Ok(Introduction {
            challenge,
            description,
            extensions,
            bytes,
        })
    }

    fn parse(bytes: Vec<u8>) -> Result<Introduction, EnvelopeError> {
        let mut reader = Reader::new(&bytes);
        let challenge = reader.array().map(Nonce).ok_or(EnvelopeError::Malformed)?;
        let description = reader.slice_u16().ok_or(EnvelopeError::Malformed)?.to_vec();
        let extensions = Extensions::read(&mut reader, &[])?;
        Ok(Introduction {
            challenge,
            description,
            extensions,
            bytes,
        })
    }

    /// Sixteen random bytes, new for every attempt.
    pub fn challenge(&self) -> &Nonce {
        &self.challenge
    }

    /// The offer's or answer's compact description.
    pub fn description(&self) -> &[u8] {
        &self.description
    }

    /// The number of its extensions that this version does not know.
    pub fn unknown_extensions(&self) -> usize {
        self.extensions.unknown(&[])
    }

    /// The hash that the transcript covers.
    pub fn hash(&self) -> [u8; 32] {
        sha256(&self.bytes)
    }
}

/// The key of a pair, and the place of the content that is sealed with it. It is the same at both ends.
#[derive(Debug, Clone, Copy)]
pub struct PairContext<'a> {
    /// See [`RoomKeys::pair_key`](super::room_keys::RoomKeys::pair_key).
    pub key: &'a SealKey,
    /// The room's topic, not the inbox.
    pub topic: DerivedTopic,
    /// The envelope's sender.
    pub sender: &'a PeerId,
    /// The peer whose inbox it goes to.
    pub recipient: &'a PeerId,
    /// The envelope's timestamp.
    pub timestamp: Millis,
}

impl PairContext<'_> {
    /// Seals an offer. `nonce` is the recipient's nonce that the offer is bound to, with its source.
    pub fn seal_offer(
        &self,
        rng: &mut impl CryptoRng,
        connect: Connect,
        attempt: Attempt,
        nonce: (NonceSource, &Nonce),
        introduction: &Introduction,
    ) -> RtcOffer {
        let mut offer = RtcOffer {
            connect,
            attempt,
            nonce: nonce.0,
            sealed: Vec::new(),
        };
        let context = self.bytes(BodyKind::RtcOffer, nonce.1, &offer.clear());
        offer.sealed = self.key.seal(rng, &context, &introduction.bytes);
        offer
    }

    /// Opens an offer that is bound to our `nonce`, which [`RtcOffer::nonce`] names.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn open_offer(
        &self,
        offer: &RtcOffer,
        nonce: &Nonce,
    ) -> Result<Introduction, EnvelopeError> {
        let context = self.bytes(BodyKind::RtcOffer, nonce, &offer.clear());
        Introduction::parse(self.open(&context, &offer.sealed)?)
    }

    /// Seals a knock. `nonce` is the recipient's nonce that the knock is bound to, with its source.
    pub fn seal_knock(
        &self,
        rng: &mut impl CryptoRng,
        connect: Connect,
        nonce: (NonceSource, &Nonce),
    ) -> Knock {
        let mut knock = Knock {
            connect,
            nonce: nonce.0,
            sealed: Vec::new(),
        };
        let context = self.bytes(BodyKind::Knock, nonce.1, &knock.clear());
        knock.sealed = self.key.seal(rng, &context, &[]);
        knock
    }

    /// Checks a knock that is bound to our `nonce`. Content that a later version seals in it is ignored.
    ///
    /// # Errors
    /// [`EnvelopeError::Closed`].
    pub fn open_knock(&self, knock: &Knock, nonce: &Nonce) -> Result<(), EnvelopeError> {
        let context = self.bytes(BodyKind::Knock, nonce, &knock.clear());
        self.open(&context, &knock.sealed).map(|_| ())
    }

    /// Seals the answer to the offer whose challenge this is.
    pub fn seal_answer(
        &self,
        rng: &mut impl CryptoRng,
        attempt: Attempt,
        offer_challenge: &Nonce,
        introduction: &Introduction,
    ) -> PairSealed {
        self.seal_attempt(
            rng,
            BodyKind::RtcAnswer,
            attempt,
            offer_challenge,
            &introduction.bytes,
        )
    }

    /// Opens the answer to the offer whose challenge this is.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn open_answer(
        &self,
        answer: &PairSealed,
        offer_challenge: &Nonce,
    ) -> Result<Introduction, EnvelopeError> {
        Introduction::parse(self.open_attempt(BodyKind::RtcAnswer, answer, offer_challenge)?)
    }

    /// Seals candidates in their compact form, the first [`MAX_CANDIDATES`] of them, for the attempt whose offer has
    /// this challenge.
    pub fn seal_candidates<'a>(
        &self,
        rng: &mut impl CryptoRng,
        attempt: Attempt,
        offer_challenge: &Nonce,
        candidates: impl IntoIterator<Item = &'a [u8]>,
    ) -> PairSealed {
        let mut plain = Vec::new();
        for candidate in candidates.into_iter().take(MAX_CANDIDATES) {
            // A text of more than 65,535 bytes is no candidate.
            let _ = push_u16(&mut plain, candidate);
        }
        self.seal_attempt(
            rng,
            BodyKind::RtcCandidates,
            attempt,
            offer_challenge,
            &plain,
        )
    }

    /// Opens candidates, at most [`MAX_CANDIDATES`].
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn open_candidates(
        &self,
        sealed: &PairSealed,
        offer_challenge: &Nonce,
    ) -> Result<Vec<Vec<u8>>, EnvelopeError> {
        let plain = self.open_attempt(BodyKind::RtcCandidates, sealed, offer_challenge)?;
        let mut reader = Reader::new(&plain);
        let mut candidates = Vec::new();
        while !reader.is_empty() {
            let candidate = reader.slice_u16().ok_or(EnvelopeError::Malformed)?;
            if candidates.len() == MAX_CANDIDATES {
                return Err(EnvelopeError::Malformed);
            }
            candidates.push(candidate.to_vec());
        }
        Ok(candidates)
    }

    fn seal_attempt(
        &self,
        rng: &mut impl CryptoRng,
        kind: BodyKind,
        attempt: Attempt,
        fresh: &Nonce,
        plain: &[u8],
    ) -> PairSealed {
        let context = self.bytes(kind, fresh, &attempt.0.to_be_bytes());
        PairSealed {
            attempt,
            sealed: self.key.seal(rng, &context, plain),
        }
    }

    fn open_attempt(
        &self,
        kind: BodyKind,
        sealed: &PairSealed,
        fresh: &Nonce,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let context = self.bytes(kind, fresh, &sealed.attempt.0.to_be_bytes());
        self.open(&context, &sealed.sealed)
    }

    fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
        self.key
            .open(context, sealed)
            .map_err(|_| EnvelopeError::Closed)
    }

    fn bytes(&self, kind: BodyKind, fresh: &Nonce, clear: &[u8]) -> Vec<u8> {
        let mut bytes = self.topic.0.to_vec();
        bytes.extend_from_slice(&self.sender.0);
        bytes.extend_from_slice(&self.recipient.0);
        bytes.extend_from_slice(&self.timestamp.0.to_be_bytes());
        bytes.push(kind as u8);
        bytes.extend_from_slice(&fresh.0);
        bytes.extend_from_slice(clear);
        bytes
    }
}

#[cfg(test)]
#[path = "pair_tests.rs"]
mod tests;
