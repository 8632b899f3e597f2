//! The names that people choose, checked so that a name can be shown anywhere and imitates nothing.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::Lookalike;
use super::lookalike::{skeleton, skeletons};
pub(crate) use super::unicode::is_hidden;
use super::unicode::{is_edge_format, is_joiner, is_nonspacing_mark, nfc, nfd, nfkd, upper};

/// The length limit of a name, in characters (Unicode scalar values).
pub const MAX_NAME: usize = 40;

/// The limit of marks on one letter, in any script; none may occur twice in a row. UTS #39 recommends this in section
/// 5.4. Vietnamese uses up to two, Hebrew and Myanmar up to four. A stack of twenty would cover the lines around it.
const MAX_MARKS: usize = 4;

/// Composing (NFC) makes a text shorter by at most this factor.
const MAX_COMPOSED: usize = 4;

/// Why a text is not a valid name. The sentence is shown beside the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty, or has only spaces and marks.
    #[error("Please enter a name: at least one letter or sign that can be seen.")]
    Empty,
    /// The text has more than [`MAX_NAME`] characters.
    #[error("A name has at most {MAX_NAME} characters; this one has {length}.")]
    TooLong {
        /// Its number of characters.
        length: usize,
    },
    /// The text contains a line break, a tab or another control character.
    #[error("A name is one line: line breaks, tabs and control characters cannot be part of it.")]
    Control,
    /// The text contains a character that is invisible or changes the direction of the text around it.
    #[error(
        "This name holds an invisible character (U+{code:04X}). Please type the name without it."
    )]
    Invisible {
        /// Its code point.
        code: u32,
    },
    /// A letter has more accents and other marks than in any language.
    #[error("This name has too many accents on one letter.")]
    Marks,
    /// The text ends in brackets, like the suffixes that the page adds to a name.
    #[error(
        "A name cannot end in brackets: the page writes there which tab or which key it is. Only words with a slash \
         between them, such as (she/her), may stand there."
    )]
    Brackets,
}

/// A name that a person chose: one line of 1 to [`MAX_NAME`] visible characters in composed form (NFC), without spaces
/// at either end or two in a row.
///
/// A name never ends in a bracketed word, unless the word has a slash. The page tells tabs and keys apart by writing
/// `alice(2)` or `alice (k7qd)`, which never have one.
/// If people could choose such names, a stranger called `alice(2)` would pass for alice's second tab. A closing bracket
/// at the end is refused whenever an opening one precedes it, not only around numbers, because the rule should be
/// simple to explain and the beginning of a key can look like a word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// Reads a name from a field, from storage or from the network.
    ///
    /// # Errors
    /// [`NameError`], with a sentence for the person who typed it.
    pub fn parse(text: &str) -> Result<Name, NameError> {
        let text = trim(text);
        // A text from the network may be long, and normalising it takes time.
        let length = text.chars().count();
        if length > MAX_NAME * MAX_COMPOSED {
            return Err(NameError::TooLong { length });
        }
        let text = nfc(text);
        let length = text.chars().count();
        if length > MAX_NAME {
            return Err(NameError::TooLong { length });
        }
        check_characters(&text)?;
        check_marks(&text)?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let name = Name(words.join(" "));
        if ends_in_brackets(&name) {
            return Err(NameError::Brackets);
        }
        Ok(name)
    }

    /// Reads a name from somebody else; `None` if it is none, or would be shown in another way than it is written.
    pub fn parse_exact(text: &str) -> Option<Name> {
        let name = Name::parse(text).ok()?;
        (name.as_str() == text).then_some(name)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The appearance of the name, to find other names that could be mistaken for it.
    pub fn lookalike(&self) -> Lookalike {
        Lookalike::of(&self.0)
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

/// Returns the name with the tab number: `alice`, or `alice(2)` in the second tab.
pub fn display(name: &Name, tab: u32) -> String {
    if tab <= 1 {
        name.0.clone()
    } else {
        format!("{name}({tab})")
    }
}

/// Returns one of the text's skeletons. Two texts can look alike although this skeleton differs: see [`Lookalike`].
pub fn fold(text: &str) -> String {
    skeleton(&upper(&nfkd(text)))
}

/// Removes what copying a name may leave around it: spaces, direction marks, and leading accents, which would be drawn
/// on the character before the name.
fn trim(text: &str) -> &str {
    let is_edge = |c: char| c.is_whitespace() || is_edge_format(c);
    text.trim_end_matches(is_edge)
        .trim_start_matches(|c| is_edge(c) || is_joiner(c) || is_nonspacing_mark(c))
}

fn check_characters(text: &str) -> Result<(), NameError> {
    let mut before = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            return Err(NameError::Control);
        }
        let after = rest.clone().next();
        if (is_hidden(c) || is_joiner(c)) && !may_join(before, c, after) {
            return Err(NameError::Invisible { code: c.into() });
        }
        if c == FLAG {
            rest = after_region(rest.as_str()).chars();
        }
        before = Some(c);
    }
    if before.is_some() {
        Ok(())
    } else {
        Err(NameError::Empty)
    }
}

/// The flag that becomes the flag of a region, such as Wales, by the invisible letters behind it.
const FLAG: char = '\u{1f3f4}';

/// Returns the text behind the tag characters that name a region (UTS #51, annex B): two letters for the country, one to
/// four letters and digits for its part, and the end mark. Anything else is left, and refused as invisible.
fn after_region(text: &str) -> &str {
    let is_tag = |c: char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let rest = text.trim_start_matches(is_tag);
    let tags = text.strip_suffix(rest).unwrap_or_default().chars();
    let is_country = tags.clone().take(2).all(|c| c >= '\u{e0061}');
    match rest.strip_prefix('\u{e007f}') {
        Some(rest) if is_country && (3..=6).contains(&tags.count()) => rest,
        _ => text,
    }
}

fn check_marks(text: &str) -> Result<(), NameError> {
    let (mut count, mut before) = (0, None);
    for c in nfd(text).chars() {
        if is_nonspacing_mark(c) {
            count += 1;
            if count > MAX_MARKS || before == Some(c) {
                return Err(NameError::Marks);
            }
        } else if !is_joiner(c) && !is_hidden(c) {
            // A joiner begins no new letter.
            count = 0;
        }
        before = Some(c);
    }
    Ok(())
}

/// Whether a joiner is allowed here, which it is only where it changes how its neighbours look. Between Latin letters
/// it would only create two names that look the same.
fn may_join(before: Option<char>, joiner: char, after: Option<char>) -> bool {
    let Some(before) = before else { return false };
    match joiner {
        // Selects the emoji or the text form of a sign. Keycaps such as `1️⃣` are a digit, a selector and a mark.
        '\u{fe0e}' | '\u{fe0f}' => {
            is_emoji(before) || before.is_ascii_digit() || matches!(before, '#' | '*')
        }
        '\u{200d}' if is_emoji(before) || before == '\u{fe0f}' => after.is_some_and(is_emoji),
        '\u{200c}' | '\u{200d}' => is_joining(before) && after.is_some_and(is_joining),
        // Selects a form of a Mongolian letter.
        '\u{180b}'..='\u{180d}' | '\u{180f}' => is_mongolian(before),
        // Separates the last vowel of a Mongolian word.
        '\u{180e}' => {
            (is_mongolian(before) || matches!(before, '\u{180b}'..='\u{180d}' | '\u{180f}'))
                && after.is_some_and(is_mongolian)
        }
        // Selects a form of an ideograph. In Japan, families insist on theirs.
        '\u{e0100}'..='\u{e01ef}' => is_ideograph(before),
        '\u{fe00}'..='\u{fe02}' if is_ideograph(before) => true,
        // Selects a form of a letter in Myanmar and Phags-pa.
        '\u{fe00}' => {
            matches!(before, '\u{1000}'..='\u{109f}' | '\u{a840}'..='\u{a877}' | '\u{aa60}'..='\u{aa7f}')
        }
        _ => false,
    }
}

/// Whether this is a sign that has an emoji form (roughly), or a skin colour.
fn is_emoji(c: char) -> bool {
    matches!(
        c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{27bf}'
            | '\u{2900}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
            | '\u{1f000}'..='\u{1faff}'
    )
}

/// Whether this is a letter of a script whose letters change their shape beside each other: Arabic and its relatives,
/// the scripts of South and South-East Asia, and Mongolian.
fn is_joining(c: char) -> bool {
    matches!(
        c,
        '\u{600}'..='\u{109f}' | '\u{1780}'..='\u{18af}' | '\u{a840}'..='\u{abff}'
            | '\u{10a00}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}'
    )
}

fn is_mongolian(c: char) -> bool {
    matches!(c, '\u{1820}'..='\u{1878}' | '\u{1880}'..='\u{18aa}')
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether the name ends in brackets of any shape that can be mistaken for `(2)`. The smile `:)` has no opening
/// bracket.
fn ends_in_brackets(name: &Name) -> bool {
    skeletons(name.as_str()).iter().any(|skeleton| {
        let text = skeleton.trim_end_matches(|c: char| c.is_whitespace() || is_nonspacing_mark(c));
        let Some((_, word)) = text
            .strip_suffix(CLOSING)
            .and_then(|text| text.rsplit_once(OPENING))
        else {
            return false;
        };
        // The page writes no slash there, so `(she/her)` is a part of the name.
        !word.contains('/') || word.contains(CLOSING)
    })
}

/// The ASCII bracket, and the brackets that neither NFKD nor the table of confusables replaces by it.
const OPENING: [char; 7] = [
    '(', '\u{2768}', '\u{276a}', '\u{27ee}', '\u{2985}', '\u{fd3f}', '\u{3014}',
];
const CLOSING: [char; 7] = [
    ')', '\u{2769}', '\u{276b}', '\u{27ef}', '\u{2986}', '\u{fd3e}', '\u{3015}',
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(text: &str) -> NameError {
        Name::parse(text).expect_err(text)
    }

    #[test]
    fn names_in_many_scripts_are_accepted() {
        for name in [
            "alice",
            "Zoë Müller-O’Brien",
            "Nguyễn Thị Ánh",
            "สมชาย ปู่ที่น้ำ",
            "သန့်လျှို့",
            "མཁྱེན་བརྩེ",
            "ក្រុមព្រះ",
            "हिन्दी क्षत्रिय",
            "बाँके",
            "മലയാളം",
            "مُحَمَّدٌ",
            "ᾯδή",
            "☺\u{fe0e} Tom",
            "👨\u{200d}👩\u{200d}👧\u{200d}👦",
            "🏳\u{fe0f}\u{200d}🌈",
            "👋🏽",
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
            "Ann (she/her)",
            "Kim (they/them)",
            "🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f} Rhys",
            "Ann 🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "🏴\u{200d}☠\u{fe0f}",
            "ᠮᠣᠩᠭᠣᠯ\u{180e}ᠠ",
            "ᠰᠠᠷ\u{180b}\u{180e}ᠠ",
            "渡\u{9089}\u{e0101}",
            "葛\u{e0100}城",
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
    fn invisible_characters_are_refused() {
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
        for c in ['\u{70f}', '\u{16fe4}', '\u{e000}', '\u{fff9}', '\u{fe00}'] {
            assert_eq!(
                refused(&format!("al{c}ice")),
                NameError::Invisible { code: c.into() }
            );
        }
        for misplaced in [
            "я\u{200c}на",
            "ann\u{fe0f}",
            "🐶\u{200d}ann",
            "ب\u{200d}\u{200d}ب",
            "a\u{180e}b",
            "ᠠ\u{180e}b",
            "ᠠ\u{180b}\u{180b}ᠠ",
            "ann\u{e0100}",
            "a\u{fe00}",
            "🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}",
            "🏴\u{e0067}\u{e0062}\u{e007f}",
            "🏴\u{e0031}\u{e0062}\u{e0062}\u{e007f}",
            "🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e0073}\u{e0073}\u{e007f}",
            "🐶\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
        ] {
            assert!(
                matches!(refused(misplaced), NameError::Invisible { .. }),
                "{misplaced:?}"
            );
        }
    }

    #[test]
    fn no_letter_carries_a_tower_of_marks() {
        for mark in [
            "\u{35c}", "\u{e49}", "\u{64b}", "\u{20dd}", "\u{591}", "\u{f39}",
        ] {
            assert_eq!(refused(&format!("ก{}", mark.repeat(39))), NameError::Marks);
            assert_eq!(refused(&format!("a{}", mark.repeat(2))), NameError::Marks);
        }
        assert_eq!(
            refused("a\u{300}\u{308}\u{304}\u{30c}\u{306}"),
            NameError::Marks
        );
    }

    #[test]
    fn names_are_composed_and_trimmed() {
        for (typed, kept) in [
            ("Zoe\u{308}", "Zo\u{eb}"),
            ("Nguye\u{302}\u{303}n", "Nguyễn"),
            ("\u{200e}\u{202a}alice\u{202c}", "alice"),
            ("\u{feff} alice\u{200b} ", "alice"),
            ("\u{301}\u{200d}alice", "alice"),
            ("\u{200e}Ann (she/her)\u{200e}", "Ann (she/her)"),
            ("\u{2063}\u{180e}alice\u{206d}", "alice"),
        ] {
            assert_eq!(Name::parse(typed).map(String::from).as_deref(), Ok(kept));
        }
        assert!(Name::parse(&"e\u{302}\u{301}".repeat(40)).is_ok());
        assert!(matches!(
            refused(&"e".repeat(100_000)),
            NameError::TooLong { .. }
        ));
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
            "alice❨2❩",
            "alice❪2❫",
            "alice⦅2⦆",
            "alice🄐",
            "alice (k7qd)",
            "alice(2)\u{301}",
            "alice (k7qd (a/b))",
            "alice (a/b) c)",
            "Ann (she/her)(2)",
            "Ann (she)",
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
        fn parsing_a_name_again_does_not_change_it(text in any::<String>()) {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(&Name::parse(name.as_str()).unwrap(), &name);
                prop_assert!(!fold(name.as_str()).is_empty());
                prop_assert!((1..=MAX_NAME).contains(&name.as_str().chars().count()));
                prop_assert!(Name::parse(&display(&name, 2)).is_err());
            }
        }

        #[test]
        fn the_normal_form_of_a_text_does_not_matter(text in "[a-z\\u{300}-\\u{308}\\u{5b0}-\\u{5ea}\\u{e01}-\\u{e4e} ]{1,12}") {
            prop_assert_eq!(Name::parse(&text), Name::parse(&nfd(&text)));
        }

        #[test]
        fn names_that_read_the_same_fold_the_same(text in "[a-zA-Zäöü]{1,10}( [a-z]{1,5})?") {
            prop_assert_eq!(fold(&text), fold(&format!("  {}", text.to_uppercase().replace(' ', "  "))));
        }
    }
}
