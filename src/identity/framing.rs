//! `LP(x)`: a length before each part, so that different lists of parts never have the same bytes.
//!
//! Everything that is hashed, derived from or signed is a list of such parts. Without the lengths, `"room" ‖ "s/1"`
//! and `"rooms" ‖ "/1"` would be the same.

use sha2::{Digest, Sha256};

/// Returns `LP(part)` of all parts, one after the other: the part's length as 4 bytes, big-endian, and the part.
pub fn length_prefixed(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
    for part in parts {
        // No part comes near 4 GiB; a longer one could not be in a browser's memory.
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// Returns the SHA-256 of these bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The first 16 bytes of SHA-256 of [`length_prefixed`] parts.
pub fn short_hash(parts: &[&[u8]]) -> [u8; 16] {
    first_16(&sha256(&length_prefixed(parts)))
}

/// The first 16 bytes of a hash.
pub fn first_16(hash: &[u8; 32]) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&hash[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_length_precedes_each_part() {
        assert_eq!(
            length_prefixed(&[b"ab", b"", b"c"]),
            b"\0\0\0\x02ab\0\0\0\0\0\0\0\x01c"
        );
    }

    proptest! {
        #[test]
        fn different_parts_never_have_the_same_bytes(
            a in proptest::collection::vec(proptest::collection::vec(0u8..3, 0..6), 0..5),
            b in proptest::collection::vec(proptest::collection::vec(0u8..3, 0..6), 0..5),
        ) {
            let bytes = |parts: &[Vec<u8>]| {
                length_prefixed(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
            };
            prop_assert_eq!(bytes(&a) == bytes(&b), a == b);
        }
    }
}
