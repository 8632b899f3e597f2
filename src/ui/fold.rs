//! Folds long messages, so that nobody can fill the page with one, or make drawing it slow.

use super::markdown::{Block, Content, Item, Span};

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
pub fn fold<'a>(blocks: &[Block<'a>]) -> Option<Vec<Block<'a>>> {
    let mut whole = Room::new(MAX_CHARACTERS, MAX_LINES);
    whole.blocks(blocks);
    whole.is_full.then(|| {
        let mut room = Room::new(SHOWN_CHARACTERS, SHOWN_LINES);
        room.blocks(blocks)
    })
}

/// What may still be shown.
struct Room {
    characters: usize,
    lines: usize,
    is_empty: bool,
    is_full: bool,
}

impl Room {
    fn new(characters: usize, lines: usize) -> Room {
        Room {
            characters,
            lines,
            is_empty: true,
            is_full: false,
        }
    }

    fn blocks<'a>(&mut self, blocks: &[Block<'a>]) -> Vec<Block<'a>> {
        let mut shown = Vec::new();
        for block in blocks {
            if !self.begins_line() {
                break;
            }
            shown.push(match block {
                Block::Text(spans) => Block::Text(self.spans(spans)),
                Block::Emoji(emoji) => Block::Emoji(self.text(emoji)),
                Block::Code { language, text } => Block::Code {
                    language,
                    text: text.iter().map(|text| self.text(text)).collect(),
                },
                Block::Quote(inner) => Block::Quote(self.blocks(inner)),
                Block::List(items) => Block::List(self.items(items)),
            });
        }
        shown
    }

    fn items<'a>(&mut self, items: &[Item<'a>]) -> Vec<Item<'a>> {
        let mut shown = Vec::new();
        for (at, item) in items.iter().enumerate() {
            if at > 0 && !self.begins_line() {
                break;
            }
            let spans = self.spans(&item.spans);
            shown.push(Item {
                spans,
                ..item.clone()
            });
        }
        shown
    }

    fn spans<'a>(&mut self, spans: &[Span<'a>]) -> Vec<Span<'a>> {
        let mut shown = Vec::new();
        for Span { content, style } in spans {
            if self.is_full {
                break;
            }
            let content = match content {
                Content::Text(text) => Content::Text(self.text(text)),
                Content::Code(code) => Content::Code(self.text(code)),
                Content::Address(address) => {
                    let is_first = self.is_empty;
                    match self.text(address) {
                        whole if whole == *address => Content::Address(whole),
                        part if is_first => Content::Text(part),
                        _ => break,
                    }
                }
                Content::Link {
                    target,
                    host,
                    label,
                } => Content::Link {
                    target,
                    host: *host,
                    label: self.spans(label),
                },
            };
            let style = *style;
            shown.push(Span { content, style });
        }
        shown
    }

    /// Takes a line, and returns whether there is one left. The first line needs no break.
    fn begins_line(&mut self) -> bool {
        if !self.is_empty {
            self.lines = self.lines.saturating_sub(1);
        }
        self.is_full |= self.lines == 0;
        !self.is_full
    }

    /// As much of the text as may be shown.
    fn text<'a>(&mut self, text: &'a str) -> &'a str {
        for (at, character) in text.char_indices() {
            if character == '\n' {
                self.lines = self.lines.saturating_sub(1);
            }
            if self.characters == 0 || self.lines == 0 {
                self.is_full = true;
            }
            if self.is_full {
                return &text[..at];
            }
            self.characters -= 1;
            self.is_empty = false;
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::markdown::parse;

    fn spans(spans: &[Span<'_>]) -> String {
        let text = |span: &Span<'_>| match &span.content {
            Content::Text(text) | Content::Code(text) | Content::Address(text) => {
                (*text).to_owned()
            }
            Content::Link { label, .. } => self::spans(label),
        };
        spans.iter().map(text).collect()
    }

    /// What is shown of it, as text.
    fn text(blocks: &[Block<'_>]) -> String {
        let block = |block: &Block<'_>| match block {
            Block::Text(text) => spans(text),
            Block::Emoji(emoji) => (*emoji).to_owned(),
            Block::Code { text, .. } => text.concat(),
            Block::Quote(inner) => self::text(inner),
            Block::List(items) => {
                let items = items.iter().map(|item| spans(&item.spans));
                items.collect::<Vec<_>>().join("\n")
            }
        };
        blocks.iter().map(block).collect::<Vec<_>>().join("\n")
    }

    fn shown(message: &str) -> Option<String> {
        fold(&parse(message)).map(|shown| text(&shown))
    }

    #[test]
    fn messages_of_the_usual_length_are_shown_whole() {
        assert_eq!(shown(""), None);
        assert_eq!(shown(&"a".repeat(MAX_CHARACTERS)), None);
        assert_eq!(shown(&"a\n".repeat(MAX_LINES - 1)), None);
        assert_eq!(shown(&"- a\n".repeat(MAX_LINES - 1)), None);
        // What is not shown does not count.
        let link = format!("[a](https://a.example/{})", "b".repeat(MAX_CHARACTERS));
        assert_eq!(shown(&link), None);
    }

    #[test]
    fn long_messages_are_folded_to_their_beginning() {
        let long = "ä".repeat(MAX_CHARACTERS + 1);
        assert_eq!(shown(&long), Some("ä".repeat(SHOWN_CHARACTERS)));
        for (line, shown_line) in [
            ("a\n", "a\n"),
            ("- a\n", "a\n"),
            ("> a\n", "a\n"),
            ("1. *a*\n", "a\n"),
        ] {
            let many = line.repeat(MAX_LINES + 1);
            let expected = shown_line.repeat(SHOWN_LINES);
            assert_eq!(shown(&many).as_deref(), Some(expected.trim_end()), "{line}");
        }
        let code = format!("```\n{}```", "a\n".repeat(MAX_LINES + 1));
        assert_eq!(
            shown(&code),
            Some("a\n".repeat(SHOWN_LINES).trim_end().into())
        );
        let bold = format!("**{}**", "a".repeat(MAX_CHARACTERS + 1));
        let folded = fold(&parse(&bold)).unwrap();
        assert!(matches!(&folded[..], [Block::Text(spans)] if spans[0].style.strong));
        let blocks = "a\n```\nb\n```\n".repeat(MAX_LINES);
        assert_eq!(shown(&blocks).unwrap().lines().count(), SHOWN_LINES);
    }

    #[test]
    fn an_address_is_not_cut() {
        let before = "a".repeat(SHOWN_CHARACTERS - 10);
        let text = format!("{before} http://example.org/{}", "b".repeat(2_000));
        assert_eq!(shown(&text), Some(format!("{before} ")));
        // An address that is too long by itself is shown as text.
        let text = format!("http://example.org/{}", "b".repeat(5_000));
        let folded = fold(&parse(&text)).unwrap();
        let [Block::Text(spans)] = &folded[..] else {
            panic!("{folded:?}")
        };
        assert!(
            matches!(spans[..], [Span { content: Content::Text(start), .. }] if start.len() == SHOWN_CHARACTERS)
        );
    }

    proptest! {
        #[test]
        fn a_folded_message_is_a_beginning_of_the_message(
            message in "(\\PC|\n|\n- |\n> |`|\\*a\\*|\n```\n|http://a |b{100}){0,2000}",
        ) {
            let blocks = parse(&message);
            if let Some(shown) = fold(&blocks) {
                let (shown, whole) = (text(&shown), text(&blocks));
                prop_assert!(whole.starts_with(shown.trim_end()) && shown.len() < whole.len());
                let characters = shown.chars().filter(|c| *c != '\n').count();
                prop_assert!(characters <= SHOWN_CHARACTERS);
                prop_assert!(shown.matches('\n').count() < SHOWN_LINES);
            }
        }
    }
}
