//! The avatar of a person: two letters, and a colour and a pattern derived from the key.

use crate::identity::PublicKey;
use crate::identity::unicode::is_alphanumeric;

/// The number of colours. Style sheets know them as `h0` to `h15`.
pub const HUES: u32 = 16;
/// The number of patterns. Style sheets know them as `p0` to `p3`.
pub const PATTERNS: u32 = 4;

/// The colour and pattern of a key, as `data-look` values for the style sheet. A key looks the same everywhere, and
/// another key most likely looks different.
pub fn look(key: &PublicKey) -> String {
    let mixed = mixed(key);
    format!("h{} p{}", mixed % HUES, (mixed / HUES) % PATTERNS)
}

/// The colour of a key in degrees.
pub fn hue(key: &PublicKey) -> u32 {
    mixed(key) % HUES * 360 / HUES
}

fn mixed(key: &PublicKey) -> u32 {
    // FNV-1a spreads well. It need not withstand attacks, because people compare the safety number.
    let hash = key.0.iter().fold(0x811c_9dc5u32, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    hash ^ (hash >> 15)
}

/// Two letters for a name: the initials of its first two words, or the first two letters of its only word. The style sheet
/// capitalises them.
pub fn letters(user: &str) -> String {
    // The suffix of `alice(2)` (another tab) and of `alice (k7qd)` (another person called alice) is not part of the name.
    let name = user
        .rfind('(')
        .map_or(user, |at| if at > 0 { &user[..at] } else { user });
    let mut words = name
        .split(|character: char| !is_alphanumeric(character))
        .filter(|word| !word.is_empty());
    let (first, second) = (words.next(), words.next());
    match (first, second) {
        (Some(first), Some(second)) => first
            .chars()
            .take(1)
            .chain(second.chars().take(1))
            .collect(),
        (Some(only), None) => only.chars().take(2).collect(),
        _ => name.chars().take(1).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_the_name() {
        assert_eq!(letters("alice"), "al");
        assert_eq!(letters("alice(2)"), "al");
        assert_eq!(letters("Ben de Boer (k7qd)"), "Bd");
        assert_eq!(letters("(x)"), "x");
        assert_eq!(letters("李小龍"), "李小");
        assert_eq!(letters("🦀"), "🦀");
        assert_eq!(letters("<img src=x>"), "is");
    }

    #[test]
    fn keys_spread_over_the_looks() {
        let looks: std::collections::BTreeSet<String> = (0..255u8)
            .map(|byte| look(&PublicKey([byte; 33])))
            .collect();
        assert!(looks.len() > 50, "{} of 64 looks are in use", looks.len());
        assert_eq!(look(&PublicKey([3; 33])), look(&PublicKey([3; 33])));
    }
}
