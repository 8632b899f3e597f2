//! The secret of a private room, as it is encoded in a link after `#k=`.
//!
//! ```text
//! #k=   base64url(0x01 ‖ flags (1) ‖ secret (32) ‖ [root (16)] ‖ check (4))      51 or 72 characters
//! flags bit 0: the hash of a root key follows the secret; bit 1: the room has a password as well; the others are 0
//! check the first 4 bytes of SHA-256 of everything before
//! ```
//!
//! Links are cut, wrapped and retyped on their way. The check makes a damaged link an error. Without it, the link would
//! open another room, in which nobody is.

use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use chacha20::rand_core::CryptoRng;
use sha2::{Digest, Sha256};

use super::AddressError;

const VERSION: u8 = 1;
const ROOT: u8 = 1;
const PASSWORD: u8 = 1 << 1;
const CHECK: usize = 4;

/// The secret of a private room, and the other facts in its link. The chat never sends it anywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct RoomSecret {
    /// 32 random bytes.
    pub bytes: [u8; 32],
    /// The hash of the key whose owner may appoint the room's owners, if the room has one.
    pub root: Option<[u8; 16]>,
    /// Whether the room has a password as well, which is not in the link.
    pub password: bool,
}

impl RoomSecret {
    /// Makes the secret with these bytes, for a room without root and password.
    pub fn new(bytes: [u8; 32]) -> RoomSecret {
        RoomSecret {
            bytes,
            root: None,
            password: false,
        }
    }

    /// Generates a new secret, for a room without root and password.
    pub fn generate(rng: &mut impl CryptoRng) -> RoomSecret {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        RoomSecret::new(bytes)
    }

    /// Reads base64url, with or without padding.
    ///
    /// # Errors
    /// [`AddressError::BadSecret`] if the secret is damaged, [`AddressError::NewerLink`] if it is intact but of another
    /// version.
    pub fn parse(text: &str) -> Result<RoomSecret, AddressError> {
        let text = text.strip_suffix('=').unwrap_or(text);
        let bytes = Base64UrlUnpadded::decode_vec(text).map_err(|_| AddressError::BadSecret)?;
        // The check comes first, because the version of a damaged secret means nothing.
        let (content, check) = bytes
            .split_last_chunk::<CHECK>()
            .ok_or(AddressError::BadSecret)?;
        if checksum(content) != *check {
            return Err(AddressError::BadSecret);
        }
        let (&[version, flags], rest) = content
            .split_first_chunk::<2>()
            .ok_or(AddressError::BadSecret)?;
        if version != VERSION || flags & !(ROOT | PASSWORD) != 0 {
            return Err(AddressError::NewerLink);
        }
        let (secret, rest) = rest
            .split_first_chunk::<32>()
            .ok_or(AddressError::BadSecret)?;
        let root = match (flags & ROOT != 0, rest) {
            (false, []) => None,
            (true, rest) => Some(rest.try_into().map_err(|_| AddressError::BadSecret)?),
            (false, _) => return Err(AddressError::BadSecret),
        };
        Ok(RoomSecret {
            bytes: *secret,
            root,
            password: flags & PASSWORD != 0,
        })
    }

    /// Returns base64url without padding: 51 characters, or 72 with a root. It is for a link and nowhere else.
    pub fn to_text(&self) -> String {
        let flag = |bit: u8, set: bool| if set { bit } else { 0 };
        let flags = flag(ROOT, self.root.is_some()) | flag(PASSWORD, self.password);
        let mut bytes = vec![VERSION, flags];
        bytes.extend_from_slice(&self.bytes);
        bytes.extend_from_slice(self.root.as_ref().map_or(&[], |root| root));
        let check = checksum(&bytes);
        bytes.extend_from_slice(&check);
        Base64UrlUnpadded::encode_string(&bytes)
    }

    /// Checks that a password is given if the link requires one. Without it, the person would wait in a room where
    /// nobody is. (A password that the link does not mention is fine: a program may have agreed on it with its users in
    /// another way.)
    ///
    /// # Errors
    /// [`AddressError::PasswordMissing`] if the password is missing.
    pub fn check_password(&self, is_given: bool) -> Result<(), AddressError> {
        if self.password && !is_given {
            return Err(AddressError::PasswordMissing);
        }
        Ok(())
    }
}

impl fmt::Debug for RoomSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoomSecret(…)")
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECK] {
    let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(bytes).into();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(content: &[u8]) -> String {
        Base64UrlUnpadded::encode_string(&[content, &checksum(content)].concat())
    }

    #[test]
    fn links_have_51_or_72_characters() {
        let mut secret = RoomSecret::new([7; 32]);
        assert_eq!(secret.to_text().len(), 51);
        secret.password = true;
        assert_eq!(secret.to_text().len(), 51);
        secret.root = Some([8; 16]);
        assert_eq!(secret.to_text().len(), 72);
    }

    #[test]
    fn an_intact_link_of_another_version_is_recognised() {
        let secret = [7; 32];
        let content = |version: u8, flags: u8| [&[version, flags][..], &secret].concat();
        assert_eq!(
            RoomSecret::parse(&text(&content(1, 0))),
            Ok(RoomSecret::new(secret))
        );
        for newer in [
            content(2, 0),
            content(0, 0),
            content(1, 4),
            content(1, 0x80),
        ] {
            assert_eq!(
                RoomSecret::parse(&text(&newer)),
                Err(AddressError::NewerLink)
            );
        }
    }

    #[test]
    fn a_link_of_the_wrong_length_is_damaged_even_if_its_check_is_right() {
        for content in [
            vec![],
            vec![1],
            vec![1, 0],
            vec![1; 33],
            [&[1, 0][..], &[7; 33]].concat(),
            [&[1, 1][..], &[7; 32]].concat(),
            [&[1, 1][..], &[7; 47]].concat(),
            [&[1, 1][..], &[7; 49]].concat(),
        ] {
            let parsed = RoomSecret::parse(&text(&content));
            assert_eq!(parsed, Err(AddressError::BadSecret), "{content:?}");
        }
    }

    #[test]
    fn a_password_that_the_link_announces_is_required() {
        let mut secret = RoomSecret::new([7; 32]);
        assert_eq!(secret.check_password(false), Ok(()));
        assert_eq!(secret.check_password(true), Ok(()));
        secret.password = true;
        assert_eq!(secret.check_password(true), Ok(()));
        assert_eq!(
            secret.check_password(false),
            Err(AddressError::PasswordMissing)
        );
    }

    proptest! {
        #[test]
        fn secrets_can_be_read_back_from_their_text(
            bytes: [u8; 32],
            root: Option<[u8; 16]>,
            password: bool,
        ) {
            let secret = RoomSecret { bytes, root, password };
            prop_assert_eq!(RoomSecret::parse(&secret.to_text()), Ok(secret));
        }

        #[test]
        fn one_wrong_character_is_an_error(bytes: [u8; 32], at in 0usize..51, with in "[A-Za-z0-9_-]") {
            let text = RoomSecret::new(bytes).to_text();
            let mut damaged = text.clone();
            damaged.replace_range(at..=at, &with);
            prop_assume!(damaged != text);
            prop_assert_eq!(RoomSecret::parse(&damaged), Err(AddressError::BadSecret));
        }
    }
}
