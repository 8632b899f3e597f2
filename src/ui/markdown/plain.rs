//! What a message says, without its marks: for the line of a quote.

use super::{Block, Content, Span, parse};

/// At most this many bytes are looked at. A quote shows two lines.
const MAX_BYTES: usize = 600;

/// The beginning of a message as plain text.
pub fn plain(text: &str) -> String {
    let mut plain = String::new();
    blocks(
        &parse(&text[..text.floor_char_boundary(MAX_BYTES)]),
        &mut plain,
    );
    plain
}

fn blocks(blocks: &[Block<'_>], plain: &mut String) {
    for block in blocks {
        if !plain.is_empty() {
            plain.push('\n');
        }
        match block {
            Block::Text(text) => spans(text, plain),
            Block::Emoji(emoji) => plain.push_str(emoji),
            Block::Code { text, .. } => text.iter().for_each(|line| plain.push_str(line)),
            Block::Quote(inner) => self::blocks(inner, plain),
            Block::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        plain.push('\n');
                    }
                    plain.push_str(item.marker);
                    plain.push(' ');
                    spans(&item.spans, plain);
                }
            }
        }
    }
}

fn spans(spans: &[Span<'_>], plain: &mut String) {
    for span in spans {
        match &span.content {
            Content::Text(text) | Content::Code(text) | Content::Address(text) => {
                plain.push_str(text);
            }
            Content::Link { label, .. } => self::spans(label, plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_left_out_and_words_stay() {
        for (text, expected) in [
            ("", ""),
            ("**bold** and *a `b` ~~c~~*", "bold and a b c"),
            ("> quote\n\nanswer", "quote\nanswer"),
            ("- one\n- **two**", "• one\n• two"),
            ("```rust\nlet a = 1;\n```", "let a = 1;"),
            (
                "see [this](https://a.example/b) https://c.example",
                "see this https://c.example",
            ),
            ("2 * 3 * 4 \\*x\\*", "2 * 3 * 4 *x*"),
            ("🎉", "🎉"),
        ] {
            assert_eq!(plain(text).trim_end(), expected, "{text:?}");
        }
    }

    #[test]
    fn only_the_beginning_is_read() {
        assert!(plain(&"é*".repeat(10_000)).len() <= MAX_BYTES);
    }
}
