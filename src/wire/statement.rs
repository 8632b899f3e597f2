//! Signed statements, kept as the bytes that were signed.
//!
//! ```text
//! statement = length of S (2 bytes) ‖ S ‖ signature (64 bytes)
//! S         = format (1 byte) ‖ fixed fields ‖ extension*
//! message   = LP(tag) ‖ LP(room id) ‖ LP(S)          this is what is signed
//! id        = SHA-256(message)
//! ```
//!
//! The bytes as they were received are checked, kept and passed on; nothing is ever encoded again. So a later version
//! can add fields that this one does not know, and this one still checks the signature over them.
//!
//! An id does not cover the signature: a key can sign the same message in many ways (WebCrypto's are random), and they
//! are all the same statement.

use core::fmt;

use super::bytes::{Reader, push_u16};
use super::extension::{ExtensionError, Extensions};
use super::room_keys::RoomId;
use crate::identity::framing::{length_prefixed, sha256};
use crate::identity::{IdentityKey, KeyError, PublicKey, Signature, SignatureCheck};

/// The only format of `S` so far: fixed fields, then extensions.
const FORMAT: u8 = 1;

/// The length before and the signature behind `S`.
const AROUND: usize = 2 + 64;

/// The reason why bytes are no statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Cut short, followed by something else, or with an impossible field.
    #[error("The statement cannot be read.")]
    Malformed,
    /// Larger than statements of its kind may be.
    #[error("The statement is too large.")]
    TooLarge,
    /// Written in a format that this version does not know.
    #[error("The statement is of format {0}, which this version does not know.")]
    UnknownFormat(u8),
    /// A critical extension that this version does not know.
    #[error("The statement needs extension {0}, which this version does not know.")]
    UnknownCritical(u16),
}

impl From<ExtensionError> for StatementError {
    fn from(error: ExtensionError) -> StatementError {
        match error {
            ExtensionError::Malformed => StatementError::Malformed,
            ExtensionError::UnknownCritical(kind) => StatementError::UnknownCritical(kind),
        }
    }
}

/// The fixed fields of one kind of statement.
pub trait Fields: Sized {
    /// Distinguishes this kind of statement from all others in the signed message.
    const TAG: &'static str;
    /// The largest statement of this kind, in bytes, with its length and signature.
    const MAX: usize;
    /// The types of extensions that this version knows here.
    const KNOWN: &'static [u16] = &[];

    /// Reads the fields; `None` if they cannot be read, or one of them is impossible.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;

    /// Appends the fields.
    fn write(&self, to: &mut Vec<u8>);
}

/// The SHA-256 of the signed message: identifies a statement, whatever its signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementId(pub [u8; 32]);

impl fmt::Debug for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "StatementId({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// A statement that still has to be signed: by a key in memory, or by one that only the browser can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned<F> {
    fields: F,
    extensions: Extensions,
    body: Vec<u8>,
}

impl<F: Fields> Unsigned<F> {
    /// Encodes the statement.
    ///
    /// # Errors
    /// [`StatementError::TooLarge`].
    pub fn new(fields: F, extensions: Extensions) -> Result<Unsigned<F>, StatementError> {
        let mut body = vec![FORMAT];
        fields.write(&mut body);
        extensions.write(&mut body);
        if body.len() + AROUND > F::MAX {
            return Err(StatementError::TooLarge);
        }
        Ok(Unsigned {
            fields,
            extensions,
            body,
        })
    }

    /// Returns the message that has to be signed.
    pub fn message(&self, room: &RoomId) -> Vec<u8> {
        message::<F>(room, &self.body)
    }

    /// Returns the statement with its signature.
    ///
    /// # Errors
    /// [`KeyError::BadSignature`] if `r` or `s` is out of range. Whether the signature is valid is not checked here.
    pub fn signed(self, signature: Signature) -> Result<Statement<F>, KeyError> {
        let signature = signature.to_low_s()?;
        Ok(self.with(signature))
    }

    /// Returns the statement with 64 zeros in the place of its signature.
    pub fn without_signature(self) -> Statement<F> {
        self.with(Signature([0; 64]))
    }

    /// Signs it with a key in memory.
    pub fn sign(self, room: &RoomId, key: &IdentityKey) -> Statement<F> {
        let signature = key.sign_message(&self.message(room));
        self.with(signature)
    }

    fn with(self, signature: Signature) -> Statement<F> {
        let mut bytes = Vec::with_capacity(self.body.len() + AROUND);
        // At most `F::MAX`, which is far below 65,535.
        let _ = push_u16(&mut bytes, &self.body);
        bytes.extend_from_slice(&signature.0);
        Statement {
            fields: self.fields,
            extensions: self.extensions,
            bytes,
        }
    }
}

/// A statement as it was received. Reading it checks no signature: see [`Statement::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct Statement<F> {
    fields: F,
    extensions: Extensions,
    /// All of it, with length and signature.
    bytes: Vec<u8>,
}

impl<F: fmt::Debug> fmt::Debug for Statement<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Statement").field(&self.fields).finish()
    }
}

impl<F: Fields> Statement<F> {
    /// Reads a statement that is all of `bytes`.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn parse(bytes: &[u8]) -> Result<Statement<F>, StatementError> {
        let mut reader = Reader::new(bytes);
        let statement = Self::read(&mut reader)?;
        if reader.is_empty() {
            Ok(statement)
        } else {
            Err(StatementError::Malformed)
        }
    }

    /// Reads a statement from the front of `reader`.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Statement<F>, StatementError> {
        let whole = reader.rest();
        let length = usize::from(reader.u16().ok_or(StatementError::Malformed)?) + AROUND;
        if length > F::MAX {
            return Err(StatementError::TooLarge);
        }
        reader.slice(length - 2).ok_or(StatementError::Malformed)?;
        let bytes = whole[..length].to_vec();
        let mut body = Reader::new(body(&bytes));
        match body.u8() {
            Some(FORMAT) => {}
            Some(other) => return Err(StatementError::UnknownFormat(other)),
            None => return Err(StatementError::Malformed),
        }
        let fields = F::read(&mut body).ok_or(StatementError::Malformed)?;
        let extensions = Extensions::read(&mut body, F::KNOWN)?;
        Ok(Statement {
            fields,
            extensions,
            bytes,
        })
    }

    /// The fixed fields.
    pub fn fields(&self) -> &F {
        &self.fields
    }

    /// The extensions, known and unknown.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The number of extensions that this version does not know.
    pub fn unknown_extensions(&self) -> usize {
        self.extensions.unknown(F::KNOWN)
    }

    /// The statement as it was received or signed, to be sent and kept.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether 64 zeros stand in the place of its signature.
    pub fn is_unsigned(&self) -> bool {
        self.bytes.ends_with(&[0; 64])
    }

    /// The statement's id in this room.
    pub fn id(&self, room: &RoomId) -> StatementId {
        StatementId(sha256(&message::<F>(room, body(&self.bytes))))
    }

    /// Returns the check that tells whether the owner of `key` signed it for this room.
    ///
    /// # Errors
    /// [`KeyError::BadSignature`] if `r` or `s` is out of range, or `s` is not low.
    pub fn check(&self, room: &RoomId, key: &PublicKey) -> Result<SignatureCheck, KeyError> {
        let signature = self.bytes.last_chunk().map(|bytes| Signature(*bytes));
        let signature = signature.ok_or(KeyError::BadSignature)?;
        if signature.to_low_s()? != signature {
            return Err(KeyError::BadSignature);
        }
        Ok(SignatureCheck {
            key: *key,
            message: message::<F>(room, body(&self.bytes)),
            signature,
        })
    }

    /// Checks that the owner of `key` signed it for this room.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify(&self, room: &RoomId, key: &PublicKey) -> Result<(), KeyError> {
        self.check(room, key)?.verify()
    }
}

/// `S` in a whole statement.
fn body(bytes: &[u8]) -> &[u8] {
    bytes
        .get(2..bytes.len().saturating_sub(64))
        .unwrap_or_default()
}

fn message<F: Fields>(room: &RoomId, body: &[u8]) -> Vec<u8> {
    length_prefixed(&[F::TAG.as_bytes(), &room.0, body])
}

#[cfg(test)]
#[path = "statement_tests.rs"]
mod tests;
