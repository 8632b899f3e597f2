//! Folds long messages, so that nobody can fill the page with one, or make drawing it slow.

use super::links::Segment;

/// A message of more lines than this is folded …
const MAX_LINES: usize = 40;
/// … to its first lines, so that folding is worth a click.
const SHOWN_LINES: usize = 25;
/// A message of more characters than this is folded …
const MAX_CHARACTERS: usize = 2_000;
/// … to its first characters.
const SHOWN_CHARACTERS: usize = 1_200;

/// Returns the beginning of a long message, or `None` if the whole message is short enough to be shown.
///
/// An address is never cut: the beginning of one leads somewhere else.
pub fn fold<'a>(segments: &[Segment<'a>]) -> Option<Vec<Segment<'a>>> {
    let text = |segment: &Segment<'a>| match *segment {
        Segment::Text(text) | Segment::Link(text) => text,
    };
    let characters: usize = segments.iter().map(|part| text(part).chars().count()).sum();
    let lines: usize = segments
        .iter()
        .map(|part| text(part).matches('\n').count())
        .sum();
    if characters <= MAX_CHARACTERS && lines < MAX_LINES {
        return None;
    }
    let (mut characters, mut lines) = (SHOWN_CHARACTERS, SHOWN_LINES);
    let mut shown = Vec::new();
    for segment in segments {
        let whole = text(segment);
        let end = end(whole, &mut characters, &mut lines);
        match segment {
            _ if end == whole.len() => shown.push(*segment),
            Segment::Link(_) if !shown.is_empty() => break,
            _ => {
                shown.push(Segment::Text(&whole[..end]));
                break;
            }
        }
    }
    Some(shown)
}

/// Returns where `text` ends if it may have this many characters and lines, and takes those from the numbers.
fn end(text: &str, characters: &mut usize, lines: &mut usize) -> usize {
    for (at, character) in text.char_indices() {
        if character == '\n' {
            *lines -= 1;
        }
        if *characters == 0 || *lines == 0 {
            return at;
        }
        *characters -= 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::links::segments;

    fn shown(text: &str) -> Option<String> {
        let text_of = |segment: Segment<'_>| match segment {
            Segment::Text(text) | Segment::Link(text) => text.to_owned(),
        };
        fold(&segments(text)).map(|shown| shown.into_iter().map(text_of).collect())
    }

    #[test]
    fn messages_of_the_usual_length_are_shown_whole() {
        assert_eq!(shown(""), None);
        assert_eq!(shown(&"a".repeat(MAX_CHARACTERS)), None);
        assert_eq!(shown(&"a\n".repeat(MAX_LINES - 1)), None);
    }

    #[test]
    fn long_messages_are_folded_to_their_beginning() {
        let long = "ä".repeat(MAX_CHARACTERS + 1);
        assert_eq!(shown(&long), Some("ä".repeat(SHOWN_CHARACTERS)));
        let many = "a\n".repeat(MAX_LINES);
        let expected = "a\n".repeat(SHOWN_LINES);
        assert_eq!(shown(&many).as_deref(), Some(expected.trim_end()));
    }

    #[test]
    fn an_address_is_not_cut() {
        let before = "a".repeat(SHOWN_CHARACTERS - 10);
        let text = format!("{before} http://example.org/{}", "b".repeat(2_000));
        assert_eq!(shown(&text), Some(format!("{before} ")));
        // An address that is too long by itself is shown as text.
        let text = format!("http://example.org/{}", "b".repeat(5_000));
        let folded = fold(&segments(&text)).unwrap();
        assert!(matches!(folded[..], [Segment::Text(start)] if start.len() == SHOWN_CHARACTERS));
    }

    proptest! {
        #[test]
        fn a_folded_message_is_a_beginning_of_the_message(
            text in "(\\PC|\n|http://a |b{100}){0,2000}",
        ) {
            if let Some(shown) = shown(&text) {
                prop_assert!(text.starts_with(&shown) && shown.len() < text.len());
                prop_assert!(shown.chars().count() <= SHOWN_CHARACTERS);
                prop_assert!(shown.matches('\n').count() < SHOWN_LINES);
            }
        }
    }
}
