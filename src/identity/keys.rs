//! P-256 keys (FIPS 186-5, SEC 1): signing identities, key agreement, and the peer ids made of both.

use core::fmt;

use base32ct::{Base32Unpadded, Encoding};
use chacha20::rand_core::CryptoRng;
use ecdsa::signature::{Signer, Verifier};
use p256::elliptic_curve::Generate;
use p256::elliptic_curve::sec1::ToSec1Point;
use sha2::{Digest, Sha256};

/// Errors of keys and signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The bytes are not a private key of P-256: the number is zero or too large, or the length is not 32.
    #[error("The stored key is not a private key of the curve P-256.")]
    NotAPrivateKey,
    /// The 33 bytes are not a compressed point of P-256.
    #[error("The public key is not a point of the curve P-256.")]
    NotAPoint,
    /// The signature does not belong to this key and this statement.
    #[error("The signature does not match the key and the signed statement.")]
    BadSignature,
}

/// A public key: a point of P-256, SEC1 compressed, 33 bytes. It may come from the network, and is checked to be a
/// point only when it is used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 33]);

/// An ECDSA signature over SHA-256: `r` and `s`, 64 bytes (RFC 7518, section 3.4). It is refused if `s` is more than
/// half the curve's order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

/// A signature that has to be checked, with what it should vouch for: by [`SignatureCheck::verify`], or by the browser,
/// which does it faster and beside the page's own work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureCheck {
    /// The key that should have made it.
    pub key: PublicKey,
    /// The message, which begins with a tag of its kind.
    pub message: Vec<u8>,
    /// The signature. Its `s` is low.
    pub signature: Signature,
}

impl SignatureCheck {
    /// Checks it here, which takes a millisecond or two.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify(&self) -> Result<(), KeyError> {
        self.key.verify_message(&self.message, &self.signature)
    }
}

/// Identifies one tab of one browser profile: the first 16 bytes of SHA-256("rtchat/1 peer" ‖ identity key ‖ session
/// key).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub [u8; 16]);

impl PeerId {
    /// Returns the id of these two keys. No other keys have the same id.
    pub fn of(identity: &PublicKey, session: &PublicKey) -> PeerId {
        let digest = Sha256::new()
            .chain_update(b"rtchat/1 peer")
            .chain_update(identity.0)
            .chain_update(session.0)
            .finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        PeerId(id)
    }

    /// Reads the text that [`PeerId`]'s `Display` writes.
    pub fn parse(text: &str) -> Option<PeerId> {
        let bytes = Base32Unpadded::decode_vec(text).ok()?;
        Some(PeerId(bytes.try_into().ok()?))
    }
}

impl fmt::Display for PeerId {
    /// Base32, lower case, 26 characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Base32Unpadded::encode_string(&self.0))
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_string();
        write!(f, "PeerId({})", &text[..8])
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

impl Signature {
    /// Returns the same signature with a low `s`. Both `s` and its negative verify, so anybody who sees a signature can
    /// make a second one from it. Only the one with the lower `s` is accepted. WebCrypto may return either.
    ///
    /// # Errors
    /// [`KeyError::BadSignature`] if `r` or `s` is out of range.
    pub fn to_low_s(self) -> Result<Signature, KeyError> {
        let signature =
            p256::ecdsa::Signature::from_slice(&self.0).map_err(|_| KeyError::BadSignature)?;
        Ok(Signature(signature.normalize_s().to_bytes().into()))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(…)")
    }
}

impl PublicKey {
    /// Returns the point as WebCrypto takes it: SEC1 uncompressed, 65 bytes.
    ///
    /// # Errors
    /// [`KeyError::NotAPoint`] if it is none.
    pub fn uncompressed(&self) -> Result<[u8; 65], KeyError> {
        let key =
            p256::ecdsa::VerifyingKey::from_sec1_bytes(&self.0).map_err(|_| KeyError::NotAPoint)?;
        let point = key.to_sec1_point(false);
        point.as_bytes().try_into().map_err(|_| KeyError::NotAPoint)
    }

    /// Checks that `signature` was made by this key's owner over `tag` and `parts`.
    ///
    /// # Errors
    /// [`KeyError::NotAPoint`] if this is not a valid key, [`KeyError::BadSignature`] if the signature does not match.
    pub fn verify(
        &self,
        tag: &str,
        parts: &[&[u8]],
        signature: &Signature,
    ) -> Result<(), KeyError> {
        self.verify_message(&statement(tag, parts), signature)
    }

    /// Checks that `signature` was made by this key's owner over `message`, and that its `s` is the lower one of the
    /// two equivalent values.
    ///
    /// # Errors
    /// Those of [`PublicKey::verify`].
    pub fn verify_message(&self, message: &[u8], signature: &Signature) -> Result<(), KeyError> {
        let key =
            p256::ecdsa::VerifyingKey::from_sec1_bytes(&self.0).map_err(|_| KeyError::NotAPoint)?;
        let signature =
            p256::ecdsa::Signature::from_slice(&signature.0).map_err(|_| KeyError::BadSignature)?;
        if signature.normalize_s() != signature {
            return Err(KeyError::BadSignature);
        }
        key.verify(message, &signature)
            .map_err(|_| KeyError::BadSignature)
    }

    /// Returns sixteen base32 characters (80 bits of the key's SHA-256) in groups of four. They are few enough to show,
    /// and enough that nobody finds another key with the same ones.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::new()
            .chain_update(b"rtchat/1 fingerprint")
            .chain_update(self.0)
            .finalize();
        let text = Base32Unpadded::encode_string(&digest[..10]);
        let groups: Vec<&str> = text
            .as_bytes()
            .chunks(4)
            .filter_map(|group| str::from_utf8(group).ok())
            .collect();
        groups.join(" ")
    }
}

/// The signing key of one browser profile.
#[derive(Clone)]
pub struct IdentityKey {
    secret: p256::ecdsa::SigningKey,
    public: PublicKey,
}

impl IdentityKey {
    /// Generates a new identity.
    pub fn generate(rng: &mut impl CryptoRng) -> IdentityKey {
        Self::from_secret(p256::ecdsa::SigningKey::generate_from_rng(rng))
    }

    /// Returns the identity whose private scalar is these 32 bytes, big-endian.
    ///
    /// # Errors
    /// [`KeyError::NotAPrivateKey`] if they are not a private key.
    pub fn from_bytes(bytes: &[u8]) -> Result<IdentityKey, KeyError> {
        p256::ecdsa::SigningKey::from_slice(bytes)
            .map(Self::from_secret)
            .map_err(|_| KeyError::NotAPrivateKey)
    }

    fn from_secret(secret: p256::ecdsa::SigningKey) -> IdentityKey {
        let public = compressed(&secret.verifying_key().to_sec1_point(true));
        IdentityKey { secret, public }
    }

    /// The private scalar, 32 bytes, big-endian. It is for the browser's own storage and nowhere else.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.secret.to_bytes().into()
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs `tag` and `parts` (ECDSA with SHA-256 and the deterministic nonce of RFC 6979). Every kind of
    /// statement has a tag of its own, so that no signature can stand for another.
    pub fn sign(&self, tag: &str, parts: &[&[u8]]) -> Signature {
        self.sign_message(&statement(tag, parts))
    }

    /// Signs `message`, which must begin with a tag of its kind. The signature's `s` is low.
    pub fn sign_message(&self, message: &[u8]) -> Signature {
        let signature: p256::ecdsa::Signature = self.secret.sign(message);
        Signature(signature.normalize_s().to_bytes().into())
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityKey({})", self.public.fingerprint())
    }
}

/// The key agreement key of one tab.
#[derive(Clone)]
pub struct SessionKey {
    secret: p256::SecretKey,
    public: PublicKey,
}

impl SessionKey {
    /// Generates a new session.
    pub fn generate(rng: &mut impl CryptoRng) -> SessionKey {
        Self::from_secret(p256::SecretKey::generate_from_rng(rng))
    }

    /// Returns the session whose private scalar is these 32 bytes, big-endian. Only test vectors need this, because a
    /// session's key is never stored.
    ///
    /// # Errors
    /// [`KeyError::NotAPrivateKey`] if they are not a private key.
    pub fn from_bytes(bytes: &[u8]) -> Result<SessionKey, KeyError> {
        p256::SecretKey::from_slice(bytes)
            .map(Self::from_secret)
            .map_err(|_| KeyError::NotAPrivateKey)
    }

    fn from_secret(secret: p256::SecretKey) -> SessionKey {
        let public = compressed(&secret.public_key().to_sec1_point(true));
        SessionKey { secret, public }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Computes the ECDH shared secret, 32 bytes (SEC 1, section 3.3.1). Both sides get the same one, and nobody else
    /// can compute it.
    ///
    /// # Errors
    /// [`KeyError::NotAPoint`] if `theirs` is not a public key.
    pub fn agree(&self, theirs: &PublicKey) -> Result<[u8; 32], KeyError> {
        let theirs =
            p256::PublicKey::from_sec1_bytes(&theirs.0).map_err(|_| KeyError::NotAPoint)?;
        Ok((*self.secret.diffie_hellman(&theirs).raw_secret_bytes()).into())
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

fn statement(tag: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(tag.as_bytes());
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

fn compressed(point: &p256::Sec1Point) -> PublicKey {
    let mut bytes = [0; 33];
    bytes.copy_from_slice(point.as_bytes());
    PublicKey(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::{ChaCha20Rng, rand_core::SeedableRng};

    fn rng(seed: u8) -> ChaCha20Rng {
        ChaCha20Rng::from_seed([seed; 32])
    }

    #[test]
    fn a_signature_vouches_for_its_tag_its_parts_and_its_key_only() {
        let key = IdentityKey::generate(&mut rng(1));
        let signature = key.sign("tag a", &[b"one", b"two"]);
        assert_eq!(
            key.public().verify("tag a", &[b"one", b"two"], &signature),
            Ok(())
        );
        assert_eq!(
            key.public().verify("tag b", &[b"one", b"two"], &signature),
            Err(KeyError::BadSignature)
        );
        assert_eq!(
            key.public().verify("tag a", &[b"one", b"too"], &signature),
            Err(KeyError::BadSignature)
        );
        let other = IdentityKey::generate(&mut rng(2));
        assert_eq!(
            other
                .public()
                .verify("tag a", &[b"one", b"two"], &signature),
            Err(KeyError::BadSignature)
        );
        let nonsense = Signature([0; 64]);
        assert_eq!(
            key.public().verify("tag a", &[], &nonsense),
            Err(KeyError::BadSignature)
        );
        assert_eq!(
            PublicKey([7; 33]).verify("tag a", &[], &signature),
            Err(KeyError::NotAPoint)
        );
    }

    #[test]
    fn signatures_with_a_high_s_are_refused() {
        let key = IdentityKey::generate(&mut rng(1));
        // Without normalisation half of all signatures would have a high `s`.
        for n in 0..32 {
            let signature = key.sign_message(&[n]);
            assert_eq!(signature.to_low_s(), Ok(signature), "message {n}");
            let parsed = p256::ecdsa::Signature::from_slice(&signature.0).unwrap();
            let (r, s) = parsed.split_scalars();
            let high = p256::ecdsa::Signature::from_scalars(r, -s).unwrap();
            let high = Signature(high.to_bytes().into());
            assert_ne!(high, signature);
            assert_eq!(
                key.public().verify_message(&[n], &high),
                Err(KeyError::BadSignature)
            );
            assert_eq!(high.to_low_s(), Ok(signature));
            assert_eq!(key.public().verify_message(&[n], &signature), Ok(()));
        }
        assert_eq!(
            Signature([0xff; 64]).to_low_s(),
            Err(KeyError::BadSignature)
        );
    }

    #[test]
    fn both_ends_agree_and_refuse_invalid_keys() {
        let (ours, theirs) = (
            SessionKey::generate(&mut rng(1)),
            SessionKey::generate(&mut rng(2)),
        );
        assert_eq!(
            ours.agree(&theirs.public()).unwrap(),
            theirs.agree(&ours.public()).unwrap()
        );
        assert_eq!(ours.agree(&PublicKey([0; 33])), Err(KeyError::NotAPoint));
    }

    #[test]
    fn an_identity_survives_its_storage() {
        let key = IdentityKey::generate(&mut rng(3));
        assert_eq!(
            IdentityKey::from_bytes(&key.to_bytes()).unwrap().public(),
            key.public()
        );
        assert_eq!(
            IdentityKey::from_bytes(&[0; 32]).unwrap_err(),
            KeyError::NotAPrivateKey
        );
        assert_eq!(
            IdentityKey::from_bytes(b"short").unwrap_err(),
            KeyError::NotAPrivateKey
        );
    }

    #[test]
    fn a_peer_id_belongs_to_both_keys() {
        let (a, b) = (PublicKey([2; 33]), PublicKey([3; 33]));
        assert_ne!(PeerId::of(&a, &b), PeerId::of(&b, &a));
        let id = PeerId::of(&a, &b);
        assert_eq!(PeerId::parse(&id.to_string()), Some(id));
        assert_eq!(PeerId::parse("nonsense"), None);
    }

    #[test]
    fn a_fingerprint_is_four_groups_of_four() {
        assert_eq!(PublicKey([2; 33]).fingerprint().len(), 19);
    }

    #[test]
    fn debug_output_hides_secrets() {
        assert!(!format!("{:?}", SessionKey::generate(&mut rng(4))).contains(char::is_numeric));
    }
}
