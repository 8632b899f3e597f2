//! What may be said of a file: its size, its name, its type, and why it does not come.

use crate::identity::name::is_hidden;

/// A file has at most this many bytes: the numbers up to here are exact in JSON.
const MAX_SIZE: u64 = 1 << 53;
/// A file's name has at most this many characters, and its type so many bytes.
const MAX_NAME: usize = 255;
const MAX_TYPE: usize = 100;
/// Why a file does not come is said in at most this many bytes.
const MAX_WORDS: usize = 1_000;

/// Why a file like this cannot be offered.
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

/// Whether a name can be shown anywhere, and given to a file anywhere.
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

/// Words of the other side.
pub(super) fn words(text: Option<String>) -> String {
    cut(text.unwrap_or_else(|| "The other side gave no reason.".to_owned()))
}

pub(super) fn cut(mut words: String) -> String {
    words.truncate(words.floor_char_boundary(MAX_WORDS));
    words
}
