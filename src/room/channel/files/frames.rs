//! The reason why a file does not arrive, as the other side is told it.

/// The reason why a file does not arrive has at most this many bytes.
const MAX_WORDS: usize = 1_000;

/// Returns the reason that the other side gave, cut to its limit.
pub(super) fn words(text: Option<String>) -> String {
    cut(text.unwrap_or_else(|| "The other side gave no reason.".to_owned()))
}

pub(super) fn cut(mut words: String) -> String {
    words.truncate(words.floor_char_boundary(MAX_WORDS));
    words
}
