//! `Connect`: "I am here", written and signed by the peer itself.
//!
//! ```text
//! fixed fields = version (1) ‖ capabilities (4) ‖ identity (33) ‖ session (33) ‖ serial (4) ‖ nonce (16)
//!              ‖ leave (16) ‖ signed at (8) ‖ tab (2) ‖ length of the name (1) ‖ name
//! ```
//!
//! As a [statement](super::statement) with a name of five letters that is 190 bytes, and at most 512.

use core::fmt;
use core::num::NonZeroU32;

use chacha20::rand_core::CryptoRng;

use super::bytes::Reader;
use super::extension::Extensions;
use super::room_keys::RoomId;
use super::statement::{Fields, Statement, StatementError, StatementId, Unsigned};
use crate::identity::framing::short_hash;
use crate::identity::{IdentityKey, KeyError, Name, PeerId, PublicKey};
use crate::time::Millis;

/// The version of the protocol that is written down in `docs/PROTOCOL.md`.
pub const VERSION: u8 = 1;

/// A bit of [`ConnectFields::capabilities`]: the sender is connected to as many peers as it can be.
pub const FULL: u32 = 1;

/// The largest `Connect`, in bytes.
pub const MAX_CONNECT: usize = 512;

/// The id of a `Connect`.
pub type ConnectId = StatementId;

/// A `Connect` that still has to be signed.
pub type UnsignedConnect = Unsigned<ConnectFields>;

/// A random number that makes something sealed for its owner *fresh*: nobody could have sealed it earlier.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nonce(pub [u8; 16]);

impl Nonce {
    /// Generates a new one.
    pub fn generate(rng: &mut impl CryptoRng) -> Nonce {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Nonce(bytes)
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(…)")
    }
}

/// The fields of a `Connect`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectFields {
    /// The newest protocol version that the sender speaks, never 0.
    pub version: u8,
    /// The sender's capabilities, a bit each; unknown bits are ignored. A `Connect` on a broker may be old, so its
    /// capabilities only help to choose how to dial. The `Connect` that comes with the proof counts.
    pub capabilities: u32,
    /// The profile's signing key.
    pub identity: PublicKey,
    /// The session's key for key agreement.
    pub session: PublicKey,
    /// Counts this session's `Connect`s, from 1. An offer names the recipient's `Connect` by it.
    pub serial: NonZeroU32,
    /// The nonce that an offer naming this `Connect` has to be bound to.
    pub nonce: Nonce,
    /// The commitment to the session's [`LeaveSecret`].
    pub leave: [u8; 16],
    /// When this was signed, by the sender's clock.
    pub signed_at: Millis,
    /// The tab number, from 1.
    pub tab: u16,
    /// The name.
    pub name: Name,
}

impl ConnectFields {
    /// The peer id that belongs to the keys.
    pub fn peer_id(&self) -> PeerId {
        PeerId::of(&self.identity, &self.session)
    }
}

impl Fields for ConnectFields {
    const TAG: &'static str = "rtchat/1 connect";
    const MAX: usize = MAX_CONNECT;

    fn read(reader: &mut Reader<'_>) -> Option<ConnectFields> {
        let version = reader.u8().filter(|version| *version != 0)?;
        let capabilities = reader.u32()?;
        let identity = PublicKey(reader.array()?);
        let session = PublicKey(reader.array()?);
        // An offer to serial 0 resumes, so no `Connect` has it.
        let serial = NonZeroU32::new(reader.u32()?)?;
        let nonce = Nonce(reader.array()?);
        let leave = reader.array()?;
        let signed_at = Millis(reader.u64()?);
        let tab = reader.u16().filter(|tab| *tab != 0)?;
        let length = reader.u8()?;
        let text = str::from_utf8(reader.slice(length.into())?).ok()?;
        let name = Name::parse_exact(text)?;
        Some(ConnectFields {
            version,
            capabilities,
            identity,
            session,
            serial,
            nonce,
            leave,
            signed_at,
            tab,
            name,
        })
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.push(self.version);
        to.extend_from_slice(&self.capabilities.to_be_bytes());
        to.extend_from_slice(&self.identity.0);
        to.extend_from_slice(&self.session.0);
        to.extend_from_slice(&self.serial.get().to_be_bytes());
        to.extend_from_slice(&self.nonce.0);
        to.extend_from_slice(&self.leave);
        to.extend_from_slice(&self.signed_at.0.to_be_bytes());
        to.extend_from_slice(&self.tab.to_be_bytes());
        // A name has at most 40 characters of 4 bytes.
        let name = self.name.as_str().as_bytes();
        to.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        to.extend_from_slice(name);
    }
}

/// A `Connect` as it was received. Reading one checks no signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Connect(Statement<ConnectFields>);

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connect").field(self.0.fields()).finish()
    }
}

impl core::ops::Deref for Connect {
    type Target = ConnectFields;

    fn deref(&self) -> &ConnectFields {
        self.0.fields()
    }
}

impl From<Statement<ConnectFields>> for Connect {
    fn from(statement: Statement<ConnectFields>) -> Connect {
        Connect(statement)
    }
}

impl Connect {
    /// Encodes a `Connect` and signs it with a key in memory. `extensions` are the session's: see
    /// [`grease`](super::extension::grease).
    ///
    /// # Errors
    /// [`StatementError::TooLarge`] if name and extensions do not fit into [`MAX_CONNECT`].
    pub fn sign(
        fields: ConnectFields,
        extensions: Extensions,
        room: &RoomId,
        key: &IdentityKey,
    ) -> Result<Connect, StatementError> {
        Ok(Connect(Unsigned::new(fields, extensions)?.sign(room, key)))
    }

    /// Reads a `Connect` that is all of `bytes`.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn parse(bytes: &[u8]) -> Result<Connect, StatementError> {
        Statement::parse(bytes).map(Connect)
    }

    /// Reads a `Connect` from the front of `reader`.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Connect, StatementError> {
        Statement::read(reader).map(Connect)
    }

    /// Checks that its identity signed it for this room.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify(&self, room: &RoomId) -> Result<(), KeyError> {
        self.0.verify(room, &self.identity)
    }

    /// Its id in this room.
    pub fn id(&self, room: &RoomId) -> ConnectId {
        self.0.id(room)
    }

    /// The number of its extensions that this version does not know.
    pub fn unknown_extensions(&self) -> usize {
        self.0.unknown_extensions()
    }

    /// The bytes as they were received or signed.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The secret that a session reveals when it leaves the room. Every `Connect` holds its commitment, so a page that is
/// being closed needs no signature, and the others need not check one.
#[derive(Clone, PartialEq, Eq)]
pub struct LeaveSecret(pub [u8; 32]);

impl fmt::Debug for LeaveSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeaveSecret(…)")
    }
}

impl LeaveSecret {
    /// Generates a new one, for one session.
    pub fn generate(rng: &mut impl CryptoRng) -> LeaveSecret {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        LeaveSecret(bytes)
    }

    /// The commitment to it. It is bound to room and peer, so that nobody can commit to somebody else's secret and
    /// leave when they do.
    pub fn commitment(&self, room: &RoomId, peer: &PeerId) -> [u8; 16] {
        short_hash(&[b"rtchat/1 leave", &room.0, &peer.0, &self.0])
    }

    /// Whether this is the secret that `connect` committed to.
    pub fn opens(&self, room: &RoomId, connect: &Connect) -> bool {
        self.commitment(room, &connect.peer_id()) == connect.leave
    }
}

#[cfg(test)]
#[path = "connect_tests.rs"]
mod tests;
