//! Safety numbers, which two people compare to make sure that nobody is between them.
//!
//! Each key has thirty digits of its own, and the safety number of two people consists of both, the smaller one first.
//! So an attacker who wants a key with the digits of somebody else's has to try 10^30 keys, at 5,200 hashes each. If
//! the number were one hash over both keys, a colliding pair would be found far sooner.

use base32ct::{Base32UpperUnpadded, Encoding};
use sha2::{Digest, Sha256};

use super::PublicKey;

const TAG: &[u8] = b"rtchat/1 safety";

/// The number of times that each key is hashed.
const ROUNDS: usize = 5_200;

/// The beginning of a safety code. It is in upper case, which QR codes encode in fewer dots.
const CODE: &str = "RTCHAT/1:";

/// Computes the number that two people compare, aloud or side by side: twelve groups of five digits, the same at both
/// ends.
///
/// This takes some milliseconds, so it should be done only when somebody wants to see the number.
pub fn safety_number(ours: &PublicKey, theirs: &PublicKey) -> String {
    let mut digits = [digits(ours), digits(theirs)];
    digits.sort_unstable();
    digits.as_flattened().join(" ")
}

/// Returns the text of the QR code for a safety number: both full keys, the same at both ends. A device that scans it
/// compares it with its own.
pub fn safety_code(ours: &PublicKey, theirs: &PublicKey) -> String {
    let mut keys = [ours, theirs];
    keys.sort_unstable();
    let keys: Vec<u8> = keys.iter().flat_map(|key| key.0).collect();
    format!("{CODE}{}", Base32UpperUnpadded::encode_string(&keys))
}

/// Computes the thirty digits of one key, in groups of five.
fn digits(key: &PublicKey) -> [String; 6] {
    let mut digest = hash(&[TAG, &key.0]);
    for _ in 1..ROUNDS {
        digest = hash(&[TAG, &digest, &key.0]);
    }
    let mut groups = digest.chunks_exact(5).map(|bytes| {
        let number = bytes
            .iter()
            .fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        format!("{:05}", number % 100_000)
    });
    core::array::from_fn(|_| groups.next().unwrap_or_default())
}

/// Returns the SHA-256 of the parts, each preceded by its length in four bytes, big-endian.
fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        hash.update(length.to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PublicKey = PublicKey([2; 33]);
    const B: PublicKey = PublicKey([3; 33]);

    #[test]
    fn the_safety_number_is_the_same_at_both_ends() {
        let number = safety_number(&A, &B);
        assert_eq!(number, safety_number(&B, &A));
        let groups: Vec<&str> = number.split(' ').collect();
        assert_eq!(groups.len(), 12);
        for group in &groups {
            assert_eq!(group.len(), 5);
            assert!(group.chars().all(|c| c.is_ascii_digit()));
        }
        assert!(groups[..6] <= groups[6..]);
    }

    #[test]
    fn each_key_has_thirty_digits_of_its_own() {
        let (a, b) = (digits(&A), digits(&B));
        assert_ne!(a, b);
        let number = safety_number(&A, &B);
        assert!(number.contains(&a.join(" ")) && number.contains(&b.join(" ")));
        assert!(safety_number(&A, &PublicKey([4; 33])).contains(&a.join(" ")));
    }

    #[test]
    fn the_safety_code_carries_both_full_keys_for_a_compact_qr_code() {
        let code = safety_code(&A, &B);
        assert_eq!(code, safety_code(&B, &A));
        let keys = Base32UpperUnpadded::decode_vec(code.strip_prefix(CODE).unwrap()).unwrap();
        assert_eq!(keys, [A.0, B.0].concat());
        assert!(
            code.chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "/:".contains(c)),
            "the alphanumeric mode of QR codes"
        );
    }
}
