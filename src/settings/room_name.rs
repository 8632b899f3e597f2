//! The names of rooms. A room's keys are derived from its name, so names that look the same must be the same.

use crate::identity::unicode::{is_edge_format, is_hidden, is_joiner, nfc};

use super::AddressError;

/// The length limit of a room's name, in characters (Unicode scalar values).
pub const MAX_ROOM: usize = 64;

/// Checks a room's name and returns it in normal form: composed (NFC), without the characters that copying leaves at
/// its ends, and with a single plain space for any number of spaces. `None` if nothing is left.
///
/// Invisible characters are refused. With them, two rooms could have names that look the same, and people would wait
/// for each other in both. Variation selectors are dropped, since phones add them to every emoji by themselves.
///
/// # Errors
/// [`AddressError`], with a sentence for the person who opened the link.
pub(super) fn check_room(text: &str) -> Result<Option<String>, AddressError> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || is_edge_format(c));
    let text = nfc(text).replace(is_emoji_selector, "");
    let length = text.chars().count();
    if length > MAX_ROOM {
        return Err(AddressError::RoomTooLong { length });
    }
    // Programs that percent-encode a whole link produce a name that contains `#k=`. The secret would then be a part of
    // the name of an open room.
    if text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
        || text.contains("#k=")
    {
        return Err(AddressError::BadRoom);
    }
    if let Some(c) = text.chars().find(|c| is_hidden(*c) || is_joiner(*c)) {
        return Err(AddressError::InvisibleInRoom { code: c.into() });
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    Ok((!words.is_empty()).then(|| words.join(" ")))
}

fn is_emoji_selector(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}')
}
