//! Sealing: XChaCha20-Poly1305 (RFC 8439, with the extended nonce of draft-irtf-cfrg-xchacha), and the keys for it.

use core::fmt;

use chacha20::rand_core::CryptoRng;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use hkdf::Hkdf;
use sha2::Sha256;

use super::framing::length_prefixed;
use super::keys::{KeyError, PeerId, PublicKey, SessionKey};

const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;

/// The number of bytes that sealing adds: version, nonce and tag.
pub const OVERHEAD: usize = 1 + NONCE + TAG;

/// Why a sealed message cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The message is shorter than any sealed message, or of another version.
    #[error("The sealed message is not of a version that this page knows.")]
    Malformed,
    /// The message was sealed with another key or another context, or changed on the way.
    #[error("The sealed message does not open with this key.")]
    Closed,
}

/// A key of 32 bytes that seals and opens.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey([u8; 32]);

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

impl SealKey {
    /// Makes a key of these bytes.
    pub fn new(bytes: [u8; 32]) -> SealKey {
        SealKey(bytes)
    }

    /// Derives the key that two peers of a room share with nobody else: HKDF(ECDH(own session key, their session key),
    /// salt = the room's seal key, info = LP("rtchat/1 pair") ‖ LP of both ids, smaller first).
    ///
    /// # Errors
    /// [`KeyError::NotAPoint`] if `theirs` is not a public key.
    pub fn for_pair(
        room: &SealKey,
        ours: (&SessionKey, &PeerId),
        theirs: (&PublicKey, &PeerId),
    ) -> Result<SealKey, KeyError> {
        let shared = ours.0.agree(theirs.0)?;
        let (first, second) = if ours.1 <= theirs.1 {
            (ours.1, theirs.1)
        } else {
            (theirs.1, ours.1)
        };
        let mut key = [0; 32];
        expand(
            &Hkdf::new(Some(&room.0), &shared),
            &[&length_prefixed(&[b"rtchat/1 pair", &first.0, &second.0])],
            &mut key,
        );
        Ok(SealKey(key))
    }

    /// Returns `0x01 ‖ nonce ‖ ciphertext and tag`. `context` is authenticated, and must be the same on opening.
    pub fn seal(&self, rng: &mut impl CryptoRng, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut sealed = vec![0; 1 + NONCE];
        sealed[0] = VERSION;
        rng.fill_bytes(&mut sealed[1..]);
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&sealed[1..]);
        let payload = Payload {
            msg: plain,
            aad: context,
        };
        // Encryption fails only for more bytes than a browser can hold (RFC 8439, section 2.8: 2^38 - 64);
        // nobody can open an empty ciphertext.
        let ciphertext = self
            .cipher()
            .encrypt(&nonce.into(), payload)
            .unwrap_or_default();
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// Opens a message that [`SealKey::seal`] made with the same key and `context`.
    ///
    /// # Errors
    /// [`SealError::Malformed`] if the bytes cannot be a sealed message, [`SealError::Closed`] if they do not open.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        if sealed.len() < OVERHEAD || sealed[0] != VERSION {
            return Err(SealError::Malformed);
        }
        let (head, ciphertext) = sealed.split_at(1 + NONCE);
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&head[1..]);
        let payload = Payload {
            msg: ciphertext,
            aad: context,
        };
        self.cipher()
            .decrypt(&nonce.into(), payload)
            .map_err(|_| SealError::Closed)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

/// HKDF-Expand (RFC 5869) over the concatenation of `info`.
pub(crate) fn expand(hkdf: &Hkdf<Sha256>, info: &[&[u8]], output: &mut [u8]) {
    // It fails only for an output of more than 255 hashes, and ours has at most one.
    let _ = hkdf.expand_multi_info(info, output);
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::{ChaCha20Rng, rand_core::SeedableRng};

    fn rng(seed: u8) -> ChaCha20Rng {
        ChaCha20Rng::from_seed([seed; 32])
    }

    #[test]
    fn only_the_right_key_and_context_open_a_message() {
        let key = SealKey::new([1; 32]);
        let sealed = key.seal(&mut rng(1), b"topic", b"hello");
        assert_eq!(sealed.len(), OVERHEAD + 5);
        assert_eq!(key.open(b"topic", &sealed).unwrap(), b"hello");
        assert_eq!(key.open(b"elsewhere", &sealed), Err(SealError::Closed));
        assert_eq!(
            SealKey::new([2; 32]).open(b"topic", &sealed),
            Err(SealError::Closed)
        );
        for at in 1..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(
                key.open(b"topic", &changed),
                Err(SealError::Closed),
                "byte {at}"
            );
        }
        for length in 0..sealed.len() {
            assert!(
                key.open(b"topic", &sealed[..length]).is_err(),
                "length {length}"
            );
        }
    }

    #[test]
    fn a_pair_shares_a_key_that_the_room_does_not_have() {
        let room = SealKey::new([9; 32]);
        let (a, b, c) = (
            SessionKey::generate(&mut rng(1)),
            SessionKey::generate(&mut rng(2)),
            SessionKey::generate(&mut rng(3)),
        );
        let (ia, ib) = (PeerId([1; 16]), PeerId([2; 16]));
        let ours = SealKey::for_pair(&room, (&a, &ia), (&b.public(), &ib)).unwrap();
        assert_eq!(
            ours,
            SealKey::for_pair(&room, (&b, &ib), (&a.public(), &ia)).unwrap()
        );
        assert_ne!(
            ours,
            SealKey::for_pair(&room, (&c, &ia), (&b.public(), &ib)).unwrap()
        );
        assert_ne!(
            ours,
            SealKey::for_pair(&SealKey::new([8; 32]), (&a, &ia), (&b.public(), &ib)).unwrap()
        );
    }
}
