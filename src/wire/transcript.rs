//! The proof: a hash of everything that two ends did to connect, and the statement that each signs about it.
//!
//! ```text
//! T      = SHA-256(LP("rtchat/1 transcript") ‖ LP(room id) ‖ version (1) ‖ attempt (4)
//!                  ‖ id of the offerer's Connect (32) ‖ id of the answerer's Connect (32)
//!                  ‖ SHA-256(offer's introduction) ‖ SHA-256(answer's introduction)
//!                  ‖ offerer's fingerprint (32) ‖ answerer's fingerprint (32))
//! Verify = a statement with the tag "rtchat/1 verify" and the fixed fields
//!          role (1) ‖ T (32) ‖ id of the signer's current Connect (32) ‖ resume (16)
//! proof  = Verify ‖ the current Connect, if it is not the one that T covers
//! ```
//!
//! The fingerprints are those that were set in the browser: anybody in the middle has others. The rest of the
//! transcript covers everything that a broker or a member could have exchanged on the way. Everything is fixed when the
//! answer is there, and stays so for the attempt, whatever is renewed, found late or negotiated afterwards.
//!
//! The hash is sent although both ends have it. So a wrong signature ("does not hold this key") can be told from a
//! right one about something else ("altered or relayed on the way").

use super::bytes::Reader;
use super::connect::{Connect, ConnectId, Nonce};
use super::envelope::Attempt;
use super::room_keys::RoomId;
use super::statement::{Fields, Statement, StatementError, StatementId, Unsigned};
use crate::identity::framing::{length_prefixed, sha256};

/// The largest `Verify`, in bytes.
pub const MAX_VERIFY: usize = 512;

/// One end of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// The end that made the offer.
    Offerer = 0,
    /// The end that answered it.
    Answerer = 1,
}

/// The facts about an attempt that both ends know, if nobody stands between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// The room.
    pub room: RoomId,
    /// The version that is spoken: the smaller one of the two `Connect`s'.
    pub version: u8,
    /// The attempt.
    pub attempt: Attempt,
    /// The `Connect` in the offer.
    pub offerer: ConnectId,
    /// The `Connect` that the offer named; when it resumed, the one that was current in the answerer's last `Verify`.
    pub answerer: ConnectId,
    /// [`Introduction::hash`](super::pair::Introduction::hash) of the offer.
    pub offer: [u8; 32],
    /// [`Introduction::hash`](super::pair::Introduction::hash) of the answer.
    pub answer: [u8; 32],
    /// The SHA-256 fingerprint of the offerer's certificate.
    pub offerer_fingerprint: [u8; 32],
    /// The SHA-256 fingerprint of the answerer's certificate.
    pub answerer_fingerprint: [u8; 32],
}

/// The hash of a [`Transcript`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TranscriptHash(pub [u8; 32]);

impl Transcript {
    /// Computes the hash that both ends sign.
    pub fn hash(&self) -> TranscriptHash {
        let mut bytes = length_prefixed(&[b"rtchat/1 transcript", &self.room.0]);
        bytes.push(self.version);
        bytes.extend_from_slice(&self.attempt.0.to_be_bytes());
        for part in [
            &self.offerer.0,
            &self.answerer.0,
            &self.offer,
            &self.answer,
            &self.offerer_fingerprint,
            &self.answerer_fingerprint,
        ] {
            bytes.extend_from_slice(part);
        }
        TranscriptHash(sha256(&bytes))
    }
}

/// The fields of a `Verify`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyFields {
    /// The signer's end. Without it, one end's proof could be shown to it as the other's.
    pub role: Role,
    /// The transcript as the signer saw it.
    pub transcript: TranscriptHash,
    /// The signer's newest `Connect`: its capabilities and its name count, whatever a broker delivered.
    pub current: ConnectId,
    /// The nonce for an offer that resumes this session.
    pub resume: Nonce,
}

impl Fields for VerifyFields {
    const TAG: &'static str = "rtchat/1 verify";
    const MAX: usize = MAX_VERIFY;

    fn read(reader: &mut Reader<'_>) -> Option<VerifyFields> {
        const OFFERER: u8 = Role::Offerer as u8;
        const ANSWERER: u8 = Role::Answerer as u8;
        let role = match reader.u8()? {
            OFFERER => Role::Offerer,
            ANSWERER => Role::Answerer,
            _ => return None,
        };
        Some(VerifyFields {
            role,
            transcript: TranscriptHash(reader.array()?),
            current: StatementId(reader.array()?),
            resume: Nonce(reader.array()?),
        })
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.push(self.role as u8);
        to.extend_from_slice(&self.transcript.0);
        to.extend_from_slice(&self.current.0);
        to.extend_from_slice(&self.resume.0);
    }
}

/// A `Verify` that still has to be signed.
pub type UnsignedVerify = Unsigned<VerifyFields>;

/// The proof that one end shows to the other on the connection that is to be proven.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    verify: Statement<VerifyFields>,
    /// The signer's current `Connect`, where it is not the one in the transcript.
    renewed: Option<Connect>,
}

/// The reason why a proof is not valid. Each is another sentence to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It cannot be read.
    #[error("Their proof cannot be read.")]
    Malformed,
    /// Written for a later version than this one.
    #[error("Their proof is of a later version than this page knows.")]
    Unsupported,
    /// The signature is not of the key that they announced.
    #[error("They did not prove that they hold the key that they announced.")]
    WrongKey,
    /// The other side holds the key, but saw another connection than we did.
    #[error(
        "They hold the key that they announced, but the connection was altered or relayed on the way."
    )]
    Altered,
    /// They hold the key, and saw the same; but the `Connect` they call their newest one is missing, not theirs, or
    /// older than the one they used.
    #[error("They proved who they are, but their newest announcement does not fit.")]
    WrongConnect,
}

impl From<StatementError> for ProofError {
    fn from(error: StatementError) -> ProofError {
        match error {
            StatementError::Malformed | StatementError::TooLarge => ProofError::Malformed,
            StatementError::UnknownFormat(_) | StatementError::UnknownCritical(_) => {
                ProofError::Unsupported
            }
        }
    }
}

/// The facts that a proof is checked against.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The room.
    pub room: &'a RoomId,
    /// The transcript as we saw it.
    pub transcript: &'a TranscriptHash,
    /// The end that is to prove itself.
    pub role: Role,
    /// The `Connect` of that end that the transcript covers. Its signature has been checked.
    pub used: &'a Connect,
}

/// The contents of a valid proof.
#[derive(Debug, Clone, PartialEq)]
pub struct Proven {
    /// Their newest `Connect`, with a valid signature.
    pub connect: Connect,
    /// The nonce for an offer that resumes their session.
    pub resume: Nonce,
}

impl Proof {
    /// Puts a signed `Verify` and, where it is not the one in the transcript, the current `Connect` together.
    pub fn new(verify: Statement<VerifyFields>, renewed: Option<Connect>) -> Proof {
        Proof { verify, renewed }
    }

    /// Encodes the proof.
    pub fn to_bytes(&self) -> Vec<u8> {
        let renewed = self.renewed.as_ref().map_or(&[][..], Connect::as_bytes);
        [self.verify.as_bytes(), renewed].concat()
    }

    /// Reads a proof that is all of `bytes`.
    ///
    /// # Errors
    /// [`ProofError::Malformed`] or [`ProofError::Unsupported`].
    pub fn parse(bytes: &[u8]) -> Result<Proof, ProofError> {
        let mut reader = Reader::new(bytes);
        let verify = Statement::read(&mut reader)?;
        let renewed = if reader.is_empty() {
            None
        } else {
            Some(Connect::parse(reader.rest())?)
        };
        Ok(Proof { verify, renewed })
    }

    /// Checks the proof: the signature first, so that nothing that a stranger wrote accuses anybody.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn check(&self, expected: &Expected<'_>) -> Result<Proven, ProofError> {
        let Expected { room, used, .. } = expected;
        self.verify
            .verify(room, &used.identity)
            .map_err(|_| ProofError::WrongKey)?;
        let says = self.verify.fields();
        if says.role != expected.role || says.transcript != *expected.transcript {
            return Err(ProofError::Altered);
        }
        let connect = match &self.renewed {
            None => *used,
            Some(renewed) => {
                let is_theirs = renewed.peer_id() == used.peer_id()
                    && renewed.serial > used.serial
                    && renewed.verify(room).is_ok();
                if !is_theirs {
                    return Err(ProofError::WrongConnect);
                }
                renewed
            }
        };
        if connect.id(room) != says.current {
            return Err(ProofError::WrongConnect);
        }
        Ok(Proven {
            connect: connect.clone(),
            resume: says.resume,
        })
    }
}

#[cfg(test)]
#[path = "transcript_tests.rs"]
mod tests;
