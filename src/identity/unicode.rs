//! What names need of Unicode: normal forms, letter case, and which characters cannot be seen.
//!
//! The tables of normal forms and letter case are large, and every browser has them. In WebAssembly the browser's
//! own are used therefore; elsewhere the standard library's and a crate's. Both follow the same standard, whose
//! results never change for a character that exists, so this is as much a function of its input as any other.

mod ranges;

use ranges::{HIDDEN, NONSPACING};

#[cfg(not(target_arch = "wasm32"))]
mod tables {
    use unicode_normalization::UnicodeNormalization;

    pub fn nfc(text: &str) -> String {
        text.nfc().collect()
    }

    pub fn nfd(text: &str) -> String {
        text.nfd().collect()
    }

    pub fn nfkd(text: &str) -> String {
        text.nfkd().collect()
    }

    pub fn lower(text: &str) -> String {
        text.to_lowercase()
    }

    pub fn upper(text: &str) -> String {
        text.to_uppercase()
    }
}

#[cfg(target_arch = "wasm32")]
mod tables {
    use js_sys::JsString;

    // `normalize` throws for unknown forms only, and these are known.
    pub fn nfc(text: &str) -> String {
        JsString::from(text).normalize("NFC").into()
    }

    pub fn nfd(text: &str) -> String {
        JsString::from(text).normalize("NFD").into()
    }

    pub fn nfkd(text: &str) -> String {
        JsString::from(text).normalize("NFKD").into()
    }

    pub fn lower(text: &str) -> String {
        JsString::from(text).to_lower_case().into()
    }

    pub fn upper(text: &str) -> String {
        JsString::from(text).to_upper_case().into()
    }
}

/// Unicode's composed form (NFC): one spelling for what can be spelled in several ways.
pub fn nfc(text: &str) -> String {
    unless_ascii(text, tables::nfc)
}

/// Unicode's decomposed form (NFD): letters first, then their marks.
pub(super) fn nfd(text: &str) -> String {
    unless_ascii(text, tables::nfd)
}

/// The decomposed form that also does away with variants of a character (NFKD), such as full width.
pub(super) fn nfkd(text: &str) -> String {
    unless_ascii(text, tables::nfkd)
}

/// The text in lower case.
pub(super) fn lower(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        tables::lower(text)
    }
}

/// The text in upper case.
pub(super) fn upper(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_uppercase()
    } else {
        tables::upper(text)
    }
}

/// ASCII has one form, and most names are ASCII.
fn unless_ascii(text: &str, form: fn(&str) -> String) -> String {
    if text.is_ascii() {
        text.to_owned()
    } else {
        form(text)
    }
}

/// Whether `c` shows nothing, sets the direction of the text around it, or means nothing outside of one vendor's
/// fonts: format characters, fillers, blanks, private use. Joiners are another matter: see [`is_joiner`].
pub(crate) fn is_hidden(c: char) -> bool {
    contains(HIDDEN, c)
}

/// Whether `c` is drawn over, under or around the character before it (general categories Mn and Me).
pub(super) fn is_nonspacing_mark(c: char) -> bool {
    contains(NONSPACING, c)
}

/// Whether `c` shows nothing itself but changes how its neighbours look, in the scripts and emoji that need it:
/// the zero-width joiner and non-joiner, and the variation selectors.
pub(crate) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Whether `c` is a format character that programs leave at the ends of what they copy.
pub(crate) fn is_edge_format(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

fn contains(ranges: &[(char, char)], c: char) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= c);
    after
        .checked_sub(1)
        .and_then(|at| ranges.get(at))
        .is_some_and(|(_, last)| c <= *last)
}
