//! The page's address, which names the page, the room, and the secret of a private room.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::normal;
use super::room_name::check_room;
use super::{RoomSecret, Settings};

pub use super::room_name::MAX_ROOM;

/// The characters that are percent-encoded in a link.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Why an address does not lead to a room. The sentence is shown instead of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The address has no host, like `about:blank` and `data:` addresses.
    #[error(
        "This page has no address of its own, so nobody could find the room. Please open it from a web address."
    )]
    NotAPage,
    /// The secret after `#k=` is damaged.
    #[error(
        "The secret at the end of this link (after #k=) is damaged, so it opens no room. \
         Please copy the whole link again, or ask for it once more."
    )]
    BadSecret,
    /// The secret after `#k=` is intact, but of another version.
    #[error(
        "This link was made by a newer version of this chat and opens no room here. \
         Please reload the page; if that does not help, ask its owner to bring it up to date."
    )]
    NewerLink,
    /// The link says that there is a password, and none was given.
    #[error("The room that this link leads to has a password, and this page does not ask for one.")]
    PasswordMissing,
    /// `?room=` holds more than [`MAX_ROOM`] characters.
    #[error(
        "A room's name has at most {MAX_ROOM} characters; the one in this link has {length}. Please check the link."
    )]
    RoomTooLong {
        /// Its number of characters.
        length: usize,
    },
    /// `?room=` is wrongly encoded, or contains line breaks or control characters.
    #[error("The room's name in this link is damaged. Please copy the whole link again.")]
    BadRoom,
    /// `?room=` contains a character that is invisible or changes the direction of the text around it.
    #[error(
        "The room's name in this link holds an invisible character (U+{code:04X}), so it would not be the room that \
         it looks like. Please type the name without it, or ask for the link once more."
    )]
    InvisibleInRoom {
        /// Its code point.
        code: u32,
    },
}

/// The contents of the page's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAddress {
    /// Host (with a non-default port) and path, in normal form: `alice.github.io/blog`.
    pub page: String,
    /// The room that the link names, in normal form: trimmed and composed (NFC).
    pub room: Option<String>,
    /// The secret of a private room.
    pub secret: Option<RoomSecret>,
}

impl PageAddress {
    /// Reads `location.href`, or any other spelling of the page's address. All spellings that RFC 3986 calls equal lead
    /// to the same room.
    ///
    /// # Errors
    /// [`AddressError`], with a sentence that tells the person what to do. A damaged link never opens another room.
    pub fn parse(href: &str) -> Result<PageAddress, AddressError> {
        let (address, fragment) = href.split_once('#').unwrap_or((href, ""));
        let (address, query) = address.split_once('?').unwrap_or((address, ""));
        let page = normal::page(address).ok_or(AddressError::NotAPage)?;
        Ok(PageAddress {
            page,
            room: room(query)?,
            secret: secret(fragment)?,
        })
    }

    /// The room to join: that of the link, or else that of the site owner, or else `lobby`.
    pub fn room_or<'a>(&'a self, settings: &'a Settings) -> &'a str {
        self.room
            .as_deref()
            .unwrap_or_else(|| settings.default_room())
    }
}

/// Returns the link to a room on this page. `None` for `room` means the room that the page opens by default. The rest
/// of the page's query is kept, because the site may need it to show the page at all.
pub fn room_link(page_href: &str, room: Option<&str>, secret: Option<&RoomSecret>) -> String {
    let address = page_href.split('#').next().unwrap_or_default();
    let (address, query) = address.split_once('?').unwrap_or((address, ""));
    let mut link = address.to_owned();
    let mut separator = '?';
    for pair in query
        .split('&')
        .filter(|pair| !pair.is_empty() && !is_key(pair, "room"))
    {
        link.push(separator);
        link.push_str(pair);
        separator = '&';
    }
    if let Some(room) = room.map(str::trim).filter(|room| !room.is_empty()) {
        link.push(separator);
        link.push_str("room=");
        link.extend(utf8_percent_encode(room, ENCODED));
    }
    if let Some(secret) = secret {
        link.push_str("#k=");
        link.push_str(&secret.to_text());
    }
    link
}

fn room(query: &str) -> Result<Option<String>, AddressError> {
    let Some(pair) = query.split('&').find(|pair| is_key(pair, "room")) else {
        return Ok(None);
    };
    let text = value(pair).replace('+', " ");
    let text = percent_decode_str(&text)
        .decode_utf8()
        .map_err(|_| AddressError::BadRoom)?;
    check_room(&text)
}

fn secret(fragment: &str) -> Result<Option<RoomSecret>, AddressError> {
    let mut found = fragment.split('&').filter(|pair| is_key(pair, "k"));
    let Some(pair) = found.next() else {
        return Ok(None);
    };
    if found.next().is_some() {
        return Err(AddressError::BadSecret);
    }
    let text = percent_decode_str(value(pair))
        .decode_utf8()
        .map_err(|_| AddressError::BadSecret)?;
    RoomSecret::parse(text.trim()).map(Some)
}

fn is_key(pair: &str, key: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    // `%6B=` is another spelling of `k=`, and must not open the open room in place of the private one.
    let name = percent_decode_str(name).decode_utf8();
    name.is_ok_and(|name| name.eq_ignore_ascii_case(key))
}

fn value(pair: &str) -> &str {
    pair.split_once('=').map_or("", |(_, value)| value)
}
