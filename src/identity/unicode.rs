//! The parts of Unicode that names need: normal forms, letter case, and the set of invisible characters.
//!
//! The tables of normal forms and letter case are large, and every browser has them. So WebAssembly uses those of the
//! browser; other builds use those of the standard library and of a crate. All follow the same standard, whose results
//! never change for existing characters, so these functions depend on nothing but their input.

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

    #[cfg(feature = "ui")]
    pub fn is_alphanumeric(c: char) -> bool {
        c.is_alphanumeric()
    }
}

#[cfg(target_arch = "wasm32")]
mod tables {
    use js_sys::JsString;

    // `normalize` throws only for unknown forms, and these are known.
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

    #[cfg(feature = "ui")]
    pub fn is_alphanumeric(c: char) -> bool {
        use js_sys::RegExp;

        thread_local! {
            static ALPHANUMERIC: RegExp = RegExp::new(r"\p{Alphabetic}|\p{N}", "u");
        }
        ALPHANUMERIC.with(|alphanumeric| alphanumeric.test(c.encode_utf8(&mut [0; 4])))
    }
}

/// Returns the composed form (NFC): a single spelling for text that can be encoded in several ways.
pub fn nfc(text: &str) -> String {
    unless_ascii(text, tables::nfc)
}

/// Returns the decomposed form (NFD): letters first, then their marks.
pub(super) fn nfd(text: &str) -> String {
    unless_ascii(text, tables::nfd)
}

/// Returns the compatibility decomposition (NFKD), which also replaces variants of a character such as full width.
pub(super) fn nfkd(text: &str) -> String {
    unless_ascii(text, tables::nfkd)
}

/// Returns the text in lower case.
pub fn lower(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        tables::lower(text)
    }
}

/// Returns the text in lower case and without the marks over its letters, for comparing what people type.
#[cfg(feature = "ui")]
pub(crate) fn fold(text: &str) -> String {
    let letters = nfd(text);
    lower(&letters.replace(is_nonspacing_mark, ""))
}

/// Returns the text in upper case.
pub(super) fn upper(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_uppercase()
    } else {
        tables::upper(text)
    }
}

/// Whether `c` is a letter or a digit of any script.
#[cfg(feature = "ui")]
pub(crate) fn is_alphanumeric(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric()
    } else {
        tables::is_alphanumeric(c)
    }
}

/// Applies `form` unless the text is ASCII, as most names are. ASCII text is the same in all forms.
fn unless_ascii(text: &str, form: fn(&str) -> String) -> String {
    if text.is_ascii() {
        text.to_owned()
    } else {
        form(text)
    }
}

/// Whether `c` is invisible, changes the direction of the text around it, or has a meaning only in the fonts of one
/// vendor: format characters, fillers, blanks, and private use. Joiners are not included: see [`is_joiner`].
pub(crate) fn is_hidden(c: char) -> bool {
    contains(HIDDEN, c)
}

/// Whether `c` is drawn over, under or around the character before it (general categories Mn and Me).
pub(crate) fn is_nonspacing_mark(c: char) -> bool {
    contains(NONSPACING, c)
}

/// Whether `c` is invisible itself but changes how its neighbours look in the scripts and emoji that need it: the
/// zero-width joiner and non-joiner, and the variation selectors.
pub(crate) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Whether `c` is a format character that programs often leave at the ends of copied text.
pub(crate) fn is_edge_format(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
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
