//! Mentions: `@` and the name of somebody who is here. The text stays what was typed; only views look for them.

use std::ops::Range;

use crate::identity::unicode::{fold, is_alphanumeric};

/// At most this many signs of one message are looked at.
const MAX_SIGNS: usize = 100;
/// A name has at most this many characters, with the suffix that the page adds and letters that are several characters.
const MAX_NAME: usize = 120;

/// A name that is mentioned in a message, as it was typed, and whether it is that of the person at this browser.
pub type Mention = (String, bool);

/// Whom of these people a text mentions: their names, and whether one is the person at this browser. Of several names that
/// fit, the longest counts.
pub fn mentions(text: &str, people: &[(&str, bool)]) -> Vec<Mention> {
    let mut folded: Vec<(String, bool)> = Vec::new();
    for (name, own) in people {
        folded.push((fold(name), *own));
    }
    let mut found: Vec<Mention> = Vec::new();
    for (place, own) in scan(text, &|name| position(&folded, &fold(name))) {
        let mention = (text[place.start + 1..place.end].to_owned(), own);
        if !found.contains(&mention) {
            found.push(mention);
        }
    }
    found
}

/// Where these mentions are in a text, with their signs, and whether they are of the person at this browser.
pub fn places(text: &str, mentions: &[Mention]) -> Vec<(Range<usize>, bool)> {
    if mentions.is_empty() {
        return Vec::new();
    }
    scan(text, &|name| position(mentions, name))
}

/// Whether this name is among these, and belongs to the person at this browser.
fn position(names: &[(String, bool)], name: &str) -> Option<bool> {
    // Of two people with one name, one may be the person at this browser.
    let named = names.iter().filter(|(other, _)| other == name);
    named.map(|(_, own)| *own).max()
}

/// Finds names behind signs that belong to no address. A name ends where no letter goes on after it.
fn scan(text: &str, named: &dyn Fn(&str) -> Option<bool>) -> Vec<(Range<usize>, bool)> {
    let (mut found, mut before, mut signs, mut end) = (Vec::new(), ' ', 0, 0);
    for (at, c) in text.char_indices() {
        let is_free = !is_alphanumeric(before) && !"@/._-".contains(before);
        before = c;
        if c != '@' || !is_free || at < end || signs == MAX_SIGNS {
            continue;
        }
        signs += 1;
        let mut longest = None;
        let mut name = text[at + 1..].chars();
        for _ in 0..MAX_NAME {
            if name.next().is_none() {
                break;
            }
            let rest = name.as_str();
            let next = text.len() - rest.len();
            if !rest.starts_with(is_alphanumeric)
                && let Some(own) = named(&text[at + 1..next])
            {
                longest = Some((at..next, own));
                end = next;
            }
        }
        found.extend(longest);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: [(&str, bool); 6] = [
        ("ann", false),
        ("Ann Marie", false),
        ("José", false),
        ("ben", true),
        ("אבי", false),
        ("ben (3f2a)", false),
    ];

    fn found(text: &str) -> Vec<Mention> {
        mentions(text, &PEOPLE)
    }

    fn names(text: &str) -> Vec<String> {
        found(text).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn the_longest_name_that_fits_is_mentioned() {
        assert_eq!(names("hi @ann"), ["ann"]);
        assert_eq!(names("hi @ann marie, and @Ann"), ["ann marie", "Ann"]);
        assert_eq!(names("@ann mariette"), ["ann"]);
        assert_eq!(names("@ben (3f2a) or @ben?"), ["ben (3f2a)", "ben"]);
        assert_eq!(found("@Ben!"), [("Ben".to_owned(), true)]);
    }

    #[test]
    fn case_and_marks_make_no_difference() {
        for text in ["@jose", "@JOSÉ", "@Jose\u{301}", "(@José)"] {
            assert_eq!(names(text).len(), 1, "{text}");
        }
        assert_eq!(names("@אבי שלום"), ["אבי"]);
    }

    #[test]
    fn addresses_and_longer_words_mention_nobody() {
        for text in [
            "",
            "@",
            "ann",
            "x@ann",
            "a.@ben",
            "@annie",
            "@@ann",
            "https://a.example/@ann",
            "@ ann",
            "é@ann",
        ] {
            assert_eq!(names(text), [] as [&str; 0], "{text}");
        }
    }

    #[test]
    fn places_are_those_of_the_names_with_their_signs() {
        let text = "é @José, x@José @josé @José";
        let known = mentions(text, &[("jose", true)]);
        let parts: Vec<&str> = places(text, &known)
            .into_iter()
            .map(|(place, own)| {
                assert!(own);
                &text[place]
            })
            .collect();
        assert_eq!(parts, ["@José", "@josé", "@José"]);
        assert!(places(text, &[]).is_empty());
    }

    #[test]
    fn hostile_texts_are_bounded() {
        let names: Vec<String> = (0..256).map(|at| format!("p{at}")).collect();
        let text: String = names.iter().map(|name| format!("@{name} ")).collect();
        let people: Vec<_> = names.iter().map(|name| (name.as_str(), false)).collect();
        assert_eq!(mentions(&text, &people).len(), MAX_SIGNS);
        for text in ["@".repeat(10_000), "@a ".repeat(3_000), "@é".repeat(3_000)] {
            assert!(mentions(&text, &people).is_empty());
        }
    }
}
