//! Names: what people call themselves, checked so that a name can be shown anywhere and fakes nothing.

use core::fmt;

use serde::{Deserialize, Serialize};

/// How many characters (Unicode scalar values) a name may have.
pub const MAX_NAME: usize = 40;

/// How many marks may stand on one letter. Vietnamese and Hebrew need three; a tower of twenty covers the
/// lines above and below it.
const MAX_MARKS: usize = 4;

/// Why a text is no name; the sentence stands beside the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or only spaces and marks.
    #[error("Please enter a name: at least one letter or sign that can be seen.")]
    Empty,
    /// More than [`MAX_NAME`] characters.
    #[error("A name has at most {MAX_NAME} characters; this one has {length}.")]
    TooLong {
        /// How many it has.
        length: usize,
    },
    /// A line break, tab or another control character.
    #[error("A name is one line: line breaks, tabs and control characters cannot be part of it.")]
    Control,
    /// A character that cannot be seen or that turns the direction of the text around it.
    #[error(
        "This name holds an invisible character (U+{code:04X}). Please type the name without it."
    )]
    Invisible {
        /// Its code point.
        code: u32,
    },
    /// More accents and other marks on one letter than any language has.
    #[error("This name has too many accents on one letter.")]
    Marks,
    /// Ends in brackets, as the page's own additions to a name do.
    #[error("A name cannot end in brackets: the page writes there which tab or which key it is.")]
    Brackets,
}

/// A name as a person chose it: one line of 1 to [`MAX_NAME`] visible characters, without spaces at either
/// end or two in a row.
///
/// It never ends in a bracketed word. The page tells tabs and keys apart by writing `alice(2)` or
/// `alice (k7qd)`; if people could write that themselves, a stranger called `alice(2)` would pass for alice's
/// second tab. All closing brackets that follow an opening one are refused, not only numbers, because the
/// rule must be simple to say and because signs of a key look like words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// Takes a name from a field, from storage or from the network.
    ///
    /// # Errors
    /// [`NameError`], with a sentence for the person who typed it.
    pub fn parse(text: &str) -> Result<Name, NameError> {
        let text = text.trim();
        // What came from the network may be long; counting stops mattering far beyond the limit.
        let length = text.chars().count();
        if length > MAX_NAME {
            return Err(NameError::TooLong { length });
        }
        check_characters(text)?;
        if ends_in_brackets(text) {
            return Err(NameError::Brackets);
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        Ok(Name(words.join(" ")))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Name, NameError> {
        Name::parse(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

/// The name with its tab number, as others see it: `alice`, in the second tab `alice(2)`.
pub fn display(name: &Name, tab: u32) -> String {
    if tab <= 1 {
        name.0.clone()
    } else {
        format!("{name}({tab})")
    }
}

/// What two names have in common that people read as the same: lower case, one space between words, without
/// the joiners and variation selectors that change nothing in most scripts.
pub fn fold(name: &str) -> String {
    let visible: String = name
        .chars()
        .filter(|c| !is_joiner(*c))
        .flat_map(char::to_lowercase)
        .collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn check_characters(text: &str) -> Result<(), NameError> {
    let mut seen = false;
    let mut marks = 0;
    let mut before = ' ';
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            return Err(NameError::Control);
        }
        // Emoji and some scripts need joiners; between Latin letters they only make two names look the same.
        if is_hidden(c) || (is_joiner(c) && before.is_ascii() && !is_keycap(before, c)) {
            return Err(NameError::Invisible { code: c.into() });
        }
        if is_mark(c) {
            marks += 1;
            if marks > MAX_MARKS {
                return Err(NameError::Marks);
            }
        } else if !is_joiner(c) {
            marks = 0;
            seen |= !c.is_whitespace();
        }
        before = c;
    }
    if seen { Ok(()) } else { Err(NameError::Empty) }
}

/// `1️⃣` and its like are a digit, a variation selector and a mark.
fn is_keycap(before: char, c: char) -> bool {
    c == '\u{fe0f}' && (before.is_ascii_digit() || matches!(before, '#' | '*'))
}

/// Allowed inside a name, ignored when names are compared.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Format characters, fillers and blanks that show nothing, and those that set the direction of text.
pub(crate) fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffc}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d159}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    ) || u32::from(c) & 0xfffe == 0xfffe
}

/// The blocks of combining marks that are used to pile things up.
fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\u{300}'..='\u{36f}'
            | '\u{483}'..='\u{489}'
            | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{fe20}'..='\u{fe2f}'
    )
}

/// Round brackets in all the shapes that can be taken for `(2)`; a smile `:)` has none that opens.
fn ends_in_brackets(text: &str) -> bool {
    let text = text.trim_end_matches(|c: char| c.is_whitespace() || is_joiner(c) || is_mark(c));
    let Some(last) = text.chars().next_back() else {
        return false;
    };
    match last {
        ')' | '\u{207e}' | '\u{208e}' | '\u{2769}' | '\u{276b}' | '\u{27ef}' | '\u{2986}'
        | '\u{fd3e}' | '\u{fe5a}' | '\u{ff09}' | '\u{ff60}' => text.contains([
            '(', '\u{207d}', '\u{208d}', '\u{2768}', '\u{276a}', '\u{27ee}', '\u{2985}',
            '\u{fd3f}', '\u{fe59}', '\u{ff08}', '\u{ff5f}',
        ]),
        '\u{2474}'..='\u{2487}'
        | '\u{249c}'..='\u{24b5}'
        | '\u{3200}'..='\u{3243}'
        | '\u{1f110}'..='\u{1f129}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(text: &str) -> NameError {
        Name::parse(text).expect_err(text)
    }

    #[test]
    fn people_may_be_called_what_they_are_called() {
        for name in [
            "alice",
            "Zoë Müller-O’Brien",
            "Nguyễn Thị Ánh",
            "Nguye\u{302}\u{303}n",
            "李小龍",
            "محمد",
            "نیک\u{200c}خواه",
            "אַבְרָהָם",
            "👩\u{200d}🔬 Ada",
            "❤\u{fe0f}",
            "Ann 1\u{fe0f}\u{20e3}",
            "Ben :)",
            "C3PO",
            "Bob (work) phone",
            "x",
        ] {
            assert_eq!(Name::parse(name).map(String::from).as_deref(), Ok(name));
        }
        assert_eq!(
            Name::parse("\t ann \u{3000} lee \n").unwrap().as_str(),
            "ann lee"
        );
    }

    #[test]
    fn a_name_has_one_to_forty_characters() {
        assert!(Name::parse(&"ä".repeat(40)).is_ok());
        let error = refused(&"ä".repeat(52));
        assert_eq!(
            error.to_string(),
            "A name has at most 40 characters; this one has 52."
        );
        for empty in ["", "   ", "\n", "\u{a0}", "\u{301}", "\u{301} \u{20dd}"] {
            assert_eq!(refused(empty), NameError::Empty, "{empty:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_refused() {
        for c in [
            '\u{202e}',
            '\u{2066}',
            '\u{200b}',
            '\u{200f}',
            '\u{2800}',
            '\u{3164}',
            '\u{ad}',
            '\u{e0041}',
            '\u{feff}',
        ] {
            assert_eq!(
                refused(&format!("a{c}b")),
                NameError::Invisible { code: c.into() }
            );
        }
        assert_eq!(
            refused("\u{2800}").to_string(),
            "This name holds an invisible character (U+2800). Please type the name without it."
        );
        assert_eq!(
            refused("al\u{200d}ice"),
            NameError::Invisible { code: 0x200d }
        );
        for c in ['\n', '\t', '\0', '\u{7f}', '\u{85}', '\u{2028}'] {
            assert_eq!(refused(&format!("a{c}b")), NameError::Control, "{c:?}");
        }
        assert_eq!(
            refused(&format!("a{}", "\u{35c}".repeat(9))),
            NameError::Marks
        );
    }

    #[test]
    fn nobody_can_pass_for_a_tab_or_a_key_of_somebody_else() {
        for name in [
            "alice(2)",
            "alice (2)",
            "alice(2) ",
            "alice（2）",
            "alice ⑵",
            "alice⁽²⁾",
            "alice (k7qd)",
            "alice(2)\u{301}",
        ] {
            assert_eq!(refused(name), NameError::Brackets, "{name}");
        }
        let alice = Name::parse("alice").unwrap();
        assert_eq!(
            (display(&alice, 1), display(&alice, 2)),
            ("alice".to_owned(), "alice(2)".to_owned())
        );
    }

    #[test]
    fn stored_names_are_checked_too() {
        let name: Name = serde_json::from_str("\" ann \"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"ann\"");
        assert!(serde_json::from_str::<Name>("\"ann(3)\"").is_err());
    }

    proptest! {
        #[test]
        fn a_name_stays_what_it_is(text in any::<String>()) {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(&Name::parse(name.as_str()).unwrap(), &name);
                prop_assert!(!fold(name.as_str()).is_empty());
                prop_assert!((1..=MAX_NAME).contains(&name.as_str().chars().count()));
                prop_assert!(Name::parse(&display(&name, 2)).is_err());
            }
        }

        #[test]
        fn names_that_read_the_same_fold_the_same(text in "[a-zA-Zäöü]{1,10}( [a-z]{1,5})?") {
            prop_assert_eq!(fold(&text), fold(&format!("  {}", text.to_uppercase().replace(' ', "  "))));
        }
    }
}
