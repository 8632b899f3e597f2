//! The names of rooms: part of what a room's keys are derived from, so one that looks the same must be the same.

use crate::identity::unicode::{is_edge_format, is_hidden, is_joiner, nfc};

use super::AddressError;

/// At most this many characters (Unicode scalar values) in a room's name.
pub const MAX_ROOM: usize = 64;

/// Checks a room's name and puts it into the one form that counts: composed (NFC), without what copying leaves at the
/// ends, and with one plain space wherever there are any. `None` if nothing is left.
///
/// Characters that cannot be seen are refused: with them there would be two rooms under one name, and people who wait
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
    // `#k=` inside the name comes from programs that encode the whole link: the secret would be in the name
    // of an open room.
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
