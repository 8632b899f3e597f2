//! The source that a room is derived from, and the keys that result.
//!
//! ```text
//! stretched = Argon2id(password, salt), or nothing
//! prk       = HKDF-Extract(salt = "rtchat/1", ikm = LP(secret) ‖ LP(root16) ‖ LP(stretched))
//! room id   = HKDF-Expand(prk, LP("room id") ‖ LP(page) ‖ LP(name), 32)
//! prk(e)    = HKDF-Extract(salt = prk, ikm = LP("epoch") ‖ LP(e, 4 bytes) ‖ LP(epoch secret))
//! key(e)    = HKDF-Expand(prk(e), LP(label) ‖ LP(page) ‖ LP(name), n)
//! ```
//!
//! The room id never changes, and signatures cover it. Topics and sealing keys belong to an epoch, so that they can
//! change without voiding signatures. Epoch 0 is the *lobby*, with an empty epoch secret: everybody who has the link
//! finds it. Version 1 has no other epoch.

use core::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use base32ct::{Base32Unpadded, Encoding};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::identity::framing::{length_prefixed, short_hash};
use crate::identity::unicode::nfc;
use crate::identity::{KeyError, PeerId, PublicKey, SealKey, SessionKey};

const SALT: &[u8] = b"rtchat/1";

/// Memory for stretching a password, in KiB (64 MiB) …
const ARGON2_MEMORY: u32 = 64 * 1024;
/// … and the number of passes over it.
const ARGON2_PASSES: u32 = 3;

/// Identifies a room on one page, for as long as its link is in use. It is as secret as the link.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RoomId(pub [u8; 32]);

impl fmt::Debug for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoomId(…)")
    }
}

/// The reason why a room has no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoomKeysError {
    /// The device does not have the 64 MiB that stretching the password takes.
    #[error("The room's password could not be prepared on this device.")]
    Password,
}

/// The source of a room: everything in which two rooms can differ, except the password.
#[derive(Clone, Copy)]
pub struct RoomSource<'a> {
    /// Host and path of the page, as [`PageAddress`](crate::settings::PageAddress) gives it.
    pub page: &'a str,
    /// The room's name in Unicode's NFC, at most [`MAX_ROOM`](crate::settings::address::MAX_ROOM) characters.
    pub name: &'a str,
    /// The secret in the link of a private room.
    pub secret: Option<&'a [u8; 32]>,
    /// The hash of the root key that the link names: see [`root_hash`].
    pub root: Option<&'a [u8; 16]>,
}

impl fmt::Debug for RoomSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoomSource(…)")
    }
}

impl RoomSource<'_> {
    fn secret(&self) -> &[u8] {
        self.secret.map_or(&[], |secret| secret)
    }

    fn root(&self) -> &[u8] {
        self.root.map_or(&[], |root| root)
    }

    /// Stretches the room's password with Argon2id (RFC 9106, 64 MiB, 3 passes, 1 lane). It takes a good part of a
    /// second: in a browser, it belongs into a worker.
    ///
    /// The numbers are fixed: if each device chose its own, they would find different rooms. The salt covers everything
    /// else that makes the room, so nobody can prepare a table of passwords without having the link.
    ///
    /// # Errors
    /// [`RoomKeysError::Password`] if it needs more memory than there is.
    pub fn stretch(&self, password: &str) -> Result<StretchedPassword, RoomKeysError> {
        let salt = self.password_salt();
        let params = Params::new(ARGON2_MEMORY, ARGON2_PASSES, 1, Some(32))
            .map_err(|_| RoomKeysError::Password)?;
        let mut stretched = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(nfc(password).as_bytes(), &salt, &mut stretched)
            .map_err(|_| RoomKeysError::Password)?;
        Ok(StretchedPassword(stretched))
    }

    /// The salt for Argon2id.
    fn password_salt(&self) -> [u8; 16] {
        short_hash(&[
            b"rtchat/1 password",
            self.page.as_bytes(),
            self.name.as_bytes(),
            self.secret(),
            self.root(),
        ])
    }

    /// Derives the room, from which the keys of every epoch follow.
    pub fn derive(&self, password: Option<&StretchedPassword>) -> RoomMaster {
        let stretched: &[u8] = password.map_or(&[], |password| &password.0);
        let material = length_prefixed(&[self.secret(), self.root(), stretched]);
        let (prk, _) = Hkdf::<Sha256>::extract(Some(SALT), &material);
        RoomMaster {
            prk: prk.into(),
            place: length_prefixed(&[self.page.as_bytes(), self.name.as_bytes()]),
        }
    }
}

/// A password after [`RoomSource::stretch`].
#[derive(Clone, PartialEq, Eq)]
pub struct StretchedPassword(pub [u8; 32]);

impl fmt::Debug for StretchedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StretchedPassword(…)")
    }
}

/// The salted hash of a room's root key, as a link names it: it says whose word counts in the room without showing the
/// key, and differs from room to room even if one root key is used for two.
pub fn root_hash(secret: &[u8; 32], root_key: &PublicKey) -> [u8; 16] {
    short_hash(&[b"rtchat/1 root", secret, &root_key.0])
}

/// The key material from which everything in a room is derived.
#[derive(Clone)]
pub struct RoomMaster {
    prk: [u8; 32],
    /// `LP(page) ‖ LP(name)`
    place: Vec<u8>,
}

impl fmt::Debug for RoomMaster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoomMaster(…)")
    }
}

impl RoomMaster {
    /// The room's id.
    pub fn id(&self) -> RoomId {
        RoomId(expand(&self.prk, "room id", &self.place))
    }

    /// The keys for everybody who has the link: epoch 0.
    pub fn lobby(&self) -> RoomKeys {
        self.epoch(0, &[])
    }

    /// The keys of one epoch.
    pub fn epoch(&self, epoch: u32, secret: &[u8]) -> RoomKeys {
        // The epoch's secret goes in as keying material. RFC 5869 (section 3.2) wants `info` to be independent of it.
        let material = length_prefixed(&[b"epoch", &epoch.to_be_bytes(), secret]);
        let (prk, _) = Hkdf::<Sha256>::extract(Some(&self.prk), &material);
        let prk = prk.into();
        RoomKeys {
            id: self.id(),
            epoch,
            topic: DerivedTopic(expand(&prk, "topic", &self.place)),
            seal: SealKey::new(expand(&prk, "seal", &self.place)),
            inbox: expand(&prk, "inbox", &self.place),
        }
    }
}

/// A topic as it was derived, without the prefix that a site puts before it. Sealed envelopes are bound to this topic
/// and not to its full name, so one envelope can go to brokers that want different prefixes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DerivedTopic(pub [u8; 16]);

impl DerivedTopic {
    /// The name on a broker: the site's prefix, and 26 characters of base32.
    ///
    /// Rooms and inboxes have names of one shape and nothing in common, so that no wildcard listens to all rooms, and
    /// names alone do not tell which inboxes belong to which room.
    pub fn name(&self, prefix: &str) -> String {
        format!("{prefix}{}", Base32Unpadded::encode_string(&self.0))
    }
}

impl fmt::Debug for DerivedTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivedTopic(…)")
    }
}

/// The keys of one room in one epoch. Their holders can read who is there, but nothing of what people say to each
/// other.
#[derive(Clone)]
pub struct RoomKeys {
    id: RoomId,
    epoch: u32,
    topic: DerivedTopic,
    seal: SealKey,
    inbox: [u8; 32],
}

impl fmt::Debug for RoomKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoomKeys(…)")
    }
}

impl RoomKeys {
    /// The room's id, the same in all epochs.
    pub fn id(&self) -> &RoomId {
        &self.id
    }

    /// The epoch that these keys belong to.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The topic that everybody in the room subscribes to.
    pub fn topic(&self) -> DerivedTopic {
        self.topic
    }

    /// The topic that only `peer` subscribes to.
    pub fn inbox(&self, peer: &PeerId) -> DerivedTopic {
        let mut topic = [0; 16];
        // HMAC takes keys of every length.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.inbox) {
            mac.update(&peer.0);
            topic.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        }
        DerivedTopic(topic)
    }

    /// The key that seals every envelope of the room.
    pub fn seal_key(&self) -> &SealKey {
        &self.seal
    }

    /// The key that two peers share with nobody else in the room.
    ///
    /// # Errors
    /// [`KeyError::NotAPoint`] if `theirs` is no public key.
    pub fn pair_key(
        &self,
        ours: (&SessionKey, &PeerId),
        theirs: (&PublicKey, &PeerId),
    ) -> Result<SealKey, KeyError> {
        SealKey::for_pair(&self.seal, ours, theirs)
    }
}

/// HKDF-Expand for one label in one place.
fn expand<const N: usize>(prk: &[u8; 32], label: &str, place: &[u8]) -> [u8; N] {
    let mut output = [0; N];
    // The errors are a `prk` shorter, and an output longer, than HKDF allows.
    if let Ok(hkdf) = Hkdf::<Sha256>::from_prk(prk) {
        let label = length_prefixed(&[label.as_bytes()]);
        let _ = hkdf.expand_multi_info(&[&label, place], &mut output);
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::PeerId;

    const SOURCE: RoomSource<'_> = RoomSource {
        page: "a.org/x",
        name: "lobby",
        secret: None,
        root: None,
    };

    fn all_keys(keys: &RoomKeys) -> [Vec<u8>; 3] {
        let seal = keys.seal.seal(&mut rng(), b"", b"");
        [keys.topic.0.to_vec(), seal, keys.inbox.to_vec()]
    }

    fn rng() -> chacha20::ChaCha20Rng {
        use chacha20::rand_core::SeedableRng;
        chacha20::ChaCha20Rng::from_seed([0; 32])
    }

    #[test]
    fn every_difference_between_rooms_changes_every_key() {
        let (secret, root) = ([7; 32], [8; 16]);
        let (one, two) = (StretchedPassword([1; 32]), StretchedPassword([2; 32]));
        let private = RoomSource {
            secret: Some(&secret),
            ..SOURCE
        };
        let rooms = [
            SOURCE.derive(None),
            RoomSource {
                page: "a.org/y",
                ..SOURCE
            }
            .derive(None),
            RoomSource {
                name: "other",
                ..SOURCE
            }
            .derive(None),
            // The boundary between page and name counts.
            RoomSource {
                page: "a.org/xl",
                name: "obby",
                ..SOURCE
            }
            .derive(None),
            private.derive(None),
            RoomSource {
                secret: Some(&[6; 32]),
                ..SOURCE
            }
            .derive(None),
            RoomSource {
                root: Some(&root),
                ..private
            }
            .derive(None),
            private.derive(Some(&one)),
            SOURCE.derive(Some(&one)),
            SOURCE.derive(Some(&two)),
            // A password does not pass for a secret.
            RoomSource {
                secret: Some(&one.0),
                ..SOURCE
            }
            .derive(None),
        ];
        for (at, room) in rooms.iter().enumerate() {
            for other in &rooms[..at] {
                assert_ne!(room.id(), other.id(), "{at}");
                let (keys, others) = (all_keys(&room.lobby()), all_keys(&other.lobby()));
                for (key, other) in keys.iter().zip(&others) {
                    assert_ne!(key, other, "{at}");
                }
            }
        }
    }

    #[test]
    fn an_epoch_changes_every_key_and_keeps_the_rooms_id() {
        let room = SOURCE.derive(None);
        let keys = [
            room.lobby(),
            room.epoch(1, &[]),
            room.epoch(1, &[1; 32]),
            room.epoch(2, &[1; 32]),
        ];
        for (at, these) in keys.iter().enumerate() {
            assert_eq!(these.id(), &room.id());
            for other in &keys[..at] {
                for (key, other) in all_keys(these).iter().zip(&all_keys(other)) {
                    assert_ne!(key, other, "{at}");
                }
            }
        }
    }

    #[test]
    fn topics_have_one_shape_and_no_common_prefix() {
        let keys = SOURCE.derive(None).lobby();
        let (room, a, b) = (
            keys.topic(),
            keys.inbox(&PeerId([1; 16])),
            keys.inbox(&PeerId([2; 16])),
        );
        let names = [room.name(""), a.name(""), b.name("")];
        for (at, name) in names.iter().enumerate() {
            assert_eq!(name.len(), 26);
            assert!(names[..at].iter().all(|other| other[..4] != name[..4]));
        }
        assert_eq!(room.name("site/chat/"), format!("site/chat/{}", names[0]));
    }

    #[test]
    fn a_password_is_salted_with_all_that_makes_the_room() {
        let (secret, other, root) = ([7; 32], [6; 32], [8; 16]);
        let sources = [
            SOURCE,
            RoomSource {
                page: "a.org/xl",
                name: "obby",
                ..SOURCE
            },
            RoomSource {
                secret: Some(&secret),
                ..SOURCE
            },
            RoomSource {
                secret: Some(&other),
                ..SOURCE
            },
            RoomSource {
                secret: Some(&secret),
                root: Some(&root),
                ..SOURCE
            },
        ];
        let salts = sources.map(|source| source.password_salt());
        for (at, salt) in salts.iter().enumerate() {
            assert!(!salts[..at].contains(salt), "{at}");
        }
        let stretched = SOURCE.stretch("password").unwrap();
        assert_ne!(stretched, SOURCE.stretch("passwort").unwrap());
        assert_eq!(stretched, SOURCE.stretch("password").unwrap());
    }

    #[test]
    fn a_root_has_another_hash_in_every_room() {
        let key = PublicKey([2; 33]);
        assert_ne!(root_hash(&[1; 32], &key), root_hash(&[2; 32], &key));
        assert_ne!(
            root_hash(&[1; 32], &key),
            root_hash(&[1; 32], &PublicKey([3; 33]))
        );
    }

    #[test]
    fn secrets_do_not_show() {
        let room = SOURCE.derive(None);
        let keys = room.lobby();
        let shown = format!(
            "{SOURCE:?} {room:?} {:?} {keys:?} {:?}",
            room.id(),
            keys.topic()
        );
        assert!(!shown.contains(char::is_numeric), "{shown}");
    }
}
