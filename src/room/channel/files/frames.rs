//! Limits for frames about files: size, name, type, and the reason why a file does not arrive.

use crate::identity::name::is_hidden;

/// A file has at most this many bytes: integers up to this one are exact in JSON.
const MAX_SIZE: u64 = 1 << 53;
/// A file's name has at most this many characters.
const MAX_NAME: usize = 255;
/// A file's type has at most this many bytes.
const MAX_TYPE: usize = 100;
/// The reason why a file does not arrive has at most this many bytes.
const MAX_WORDS: usize = 1_000;

/// Returns the reason why such a file cannot be offered, if there is one.
pub(super) fn wrong_offer(size: u64, name: &str, mime: &str) -> Option<&'static str> {
    if size > MAX_SIZE {
        Some("The file is too large.")
    } else if !is_plain(name) {
        Some("The name of a file is 1 to 255 characters on one line, and no path.")
    } else if !is_type(mime) {
        Some("The type of a file is a short ASCII word.")
    } else {
        None
    }
}

/// Whether a name can be shown anywhere, and used as a file name anywhere.
fn is_plain(name: &str) -> bool {
    let wrong = |c: char| {
        c.is_control() || is_hidden(c) || matches!(c, '/' | '\\' | '\u{2028}' | '\u{2029}')
    };
    (1..=MAX_NAME).contains(&name.chars().count())
        && !name.contains(wrong)
        && !name.chars().all(|c| c == '.' || c.is_whitespace())
}

fn is_type(mime: &str) -> bool {
    mime.len() <= MAX_TYPE && mime.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Returns the reason that the other side gave, cut to its limit.
pub(super) fn words(text: Option<String>) -> String {
    cut(text.unwrap_or_else(|| "The other side gave no reason.".to_owned()))
}

pub(super) fn cut(mut words: String) -> String {
    words.truncate(words.floor_char_boundary(MAX_WORDS));
    words
}
