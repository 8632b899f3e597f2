//! Where a room meets: the page, the room's name and its secret give a topic, a seal and inboxes.

use argon2::{Algorithm, Argon2, Params, Version};
use base32ct::{Base32Unpadded, Encoding};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::identity::seal::expand;
use crate::identity::{PeerId, SealKey};

/// Why there is no such room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoomKeysError {
    /// The password could not be stretched.
    #[error("The room's password could not be prepared on this device.")]
    Password,
}

/// The keys of one room on one page. Who has them can read what is said at the meeting point about who is
/// there, and nothing of what people say to each other.
#[derive(Clone)]
pub struct RoomKeys {
    topic: String,
    seal: SealKey,
    inbox: [u8; 32],
}

impl core::fmt::Debug for RoomKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RoomKeys(…)")
    }
}

impl RoomKeys {
    /// The keys of `room` on `page`.
    ///
    /// * `page`: host and path, as [`PageAddress`](crate::settings::PageAddress) gives it.
    /// * `room`: the room's name in Unicode's NFC, at most [`MAX_ROOM`](crate::settings::address::MAX_ROOM) characters.
    /// * `secret`: from the address's fragment, for a private room.
    /// * `password`: stretched with Argon2id (RFC 9106): 19 MiB, 2 passes, 1 lane.
    ///
    /// # Errors
    /// [`RoomKeysError::Password`] if stretching needs more memory than there is.
    pub fn derive(
        page: &str,
        room: &str,
        secret: Option<&[u8; 32]>,
        password: Option<&str>,
    ) -> Result<RoomKeys, RoomKeysError> {
        let mut material = secret.map(|secret| secret.to_vec()).unwrap_or_default();
        if let Some(password) = password {
            material.extend_from_slice(&stretch(page, room, password)?);
        }
        let hkdf = Hkdf::<Sha256>::new(Some(b"rtchat/1"), &material);
        let derive = |label: &str, output: &mut [u8]| {
            expand(
                &hkdf,
                &[
                    label.as_bytes(),
                    &[0],
                    page.as_bytes(),
                    &[0],
                    room.as_bytes(),
                ],
                output,
            );
        };
        let (mut topic, mut seal, mut inbox) = ([0; 16], [0; 32], [0; 32]);
        derive("topic", &mut topic);
        derive("seal", &mut seal);
        derive("inbox", &mut inbox);
        Ok(RoomKeys {
            topic: format!("rtchat/1/{}", base32(&topic)),
            seal: SealKey::new(seal),
            inbox,
        })
    }

    /// The topic that everybody in the room listens to.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The topic that only `peer` listens to.
    pub fn inbox(&self, peer: &PeerId) -> String {
        // HMAC takes keys of every length; the fallback is never reached.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.inbox) else {
            return self.topic.clone();
        };
        mac.update(&peer.0);
        let tag = mac.finalize().into_bytes();
        format!("{}/{}", self.topic, base32(&tag[..10]))
    }

    /// The key that seals every envelope of the room.
    pub fn seal_key(&self) -> &SealKey {
        &self.seal
    }
}

fn stretch(page: &str, room: &str, password: &str) -> Result<[u8; 32], RoomKeysError> {
    let salt = Sha256::new()
        .chain_update(page)
        .chain_update([0])
        .chain_update(room)
        .finalize();
    let params = Params::new(19 * 1024, 2, 1, Some(32)).map_err(|_| RoomKeysError::Password)?;
    let mut stretched = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), &salt[..16], &mut stretched)
        .map_err(|_| RoomKeysError::Password)?;
    Ok(stretched)
}

fn base32(bytes: &[u8]) -> String {
    Base32Unpadded::encode_string(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(page: &str, room: &str, secret: Option<&[u8; 32]>, password: Option<&str>) -> String {
        RoomKeys::derive(page, room, secret, password)
            .unwrap()
            .topic()
            .to_owned()
    }

    #[test]
    fn everything_that_makes_a_room_makes_another_place() {
        let secret = [7; 32];
        let topics = [
            topic("a.org/x", "lobby", None, None),
            topic("a.org/y", "lobby", None, None),
            topic("a.org/x", "other", None, None),
            topic("a.org/xlobby", "", None, None),
            topic("a.org/x", "lobby", Some(&secret), None),
            topic("a.org/x", "lobby", None, Some("password")),
            topic("a.org/x", "lobby", None, Some("passwort")),
            topic("a.org/x", "lobby", Some(&secret), Some("password")),
        ];
        for (at, topic) in topics.iter().enumerate() {
            assert!(!topics[..at].contains(topic), "{at}");
            assert_eq!(topic.len(), "rtchat/1/".len() + 26);
        }
        assert_eq!(topics[0], topic("a.org/x", "lobby", None, None));
    }

    #[test]
    fn an_inbox_lies_under_the_room() {
        let keys = RoomKeys::derive("a.org/x", "lobby", None, None).unwrap();
        let inbox = keys.inbox(&PeerId([1; 16]));
        assert!(inbox.starts_with(&format!("{}/", keys.topic())));
        assert_ne!(inbox, keys.inbox(&PeerId([2; 16])));
    }
}
