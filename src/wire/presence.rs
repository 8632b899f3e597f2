//! Digests of announcements, by which members name the peers they are connected to without listing peer ids.

use core::num::NonZeroU32;

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::identity::PeerId;
use crate::identity::framing::{length_prefixed, sha256};

/// Identifies one announcement of one peer: the first 8 bytes of
/// SHA-256(LP("rtchat/1 presence") ‖ LP(peer id) ‖ LP(serial)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PresenceDigest(pub [u8; 8]);

impl PresenceDigest {
    /// Computes the digest of the peer's announcement with this serial.
    pub fn of(peer: &PeerId, serial: NonZeroU32) -> PresenceDigest {
        let serial = serial.get().to_be_bytes();
        let hash = sha256(&length_prefixed(&[b"rtchat/1 presence", &peer.0, &serial]));
        let mut digest = [0; 8];
        digest.copy_from_slice(&hash[..8]);
        PresenceDigest(digest)
    }

    /// Encodes it as in frames: base64url, 11 characters.
    pub fn to_text(self) -> String {
        Base64UrlUnpadded::encode_string(&self.0)
    }

    /// Reads what [`PresenceDigest::to_text`] wrote.
    pub fn parse(text: &str) -> Option<PresenceDigest> {
        let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
        bytes.try_into().ok().map(PresenceDigest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_names_one_announcement_of_one_peer() {
        let two = NonZeroU32::MIN.saturating_add(1);
        let digests = [
            PresenceDigest::of(&PeerId([1; 16]), NonZeroU32::MIN),
            PresenceDigest::of(&PeerId([1; 16]), two),
            PresenceDigest::of(&PeerId([2; 16]), NonZeroU32::MIN),
        ];
        for (at, digest) in digests.iter().enumerate() {
            assert!(!digests[..at].contains(digest));
            assert_eq!(PresenceDigest::parse(&digest.to_text()), Some(*digest));
        }
        for garbage in ["", "AAAA", "not base64!", "AAAAAAAAAAAAAAAA"] {
            assert_eq!(PresenceDigest::parse(garbage), None, "{garbage}");
        }
    }
}
