//! A message as a text of HTML, for what is exported: the elements of `components/body.rs`, without what needs a program.

use super::{Block, Content, Span};

/// Returns the HTML of a message. Whatever it says, its elements and attributes are those of this file.
pub fn html(blocks: &[Block<'_>]) -> String {
    let mut to = String::new();
    write_blocks(blocks, &mut to);
    to
}

fn write_blocks(blocks: &[Block<'_>], to: &mut String) {
    for block in blocks {
        match block {
            Block::Text(spans) => within("p", &mut *to, |to| write_spans(spans, to)),
            Block::Emoji(emoji) => {
                to.push_str("<p class=\"emoji\">");
                escape(emoji, to);
                to.push_str("</p>");
            }
            Block::Code { text, .. } => {
                to.push_str("<pre dir=\"ltr\">");
                text.iter().for_each(|piece| escape(piece, to));
                to.push_str("</pre>");
            }
            Block::Quote(inner) => within("blockquote", to, |to| write_blocks(inner, to)),
            Block::List(items) => {
                for item in items {
                    // A depth is a digit.
                    to.push_str("<p class=\"item\" data-depth=\"");
                    to.push_str(&item.depth.to_string());
                    to.push_str("\"><span>");
                    escape(item.marker, to);
                    to.push_str("</span> ");
                    write_spans(&item.spans, to);
                    to.push_str("</p>");
                }
            }
        }
    }
}

fn write_spans(spans: &[Span<'_>], to: &mut String) {
    for span in spans {
        let style = span.style;
        let tags = [
            (style.strong, "strong"),
            (style.emphasis, "em"),
            (style.struck, "s"),
        ];
        let tags = tags.into_iter().filter_map(|(is, tag)| is.then_some(tag));
        let tags: Vec<&str> = tags.collect();
        for tag in &tags {
            open(tag, to);
        }
        match &span.content {
            Content::Text(text) => escape(text, to),
            Content::Code(code) => within("code", to, |to| escape(code, to)),
            Content::Address(address) => link(address, to, |to| escape(address, to)),
            Content::Link {
                target,
                host,
                label,
            } => link(target, to, |to| {
                // Nothing in the label turns around what follows it.
                within("bdi", to, |to| write_spans(label, to));
                if let Some(host) = host {
                    to.push_str("<small> (");
                    escape(host, to);
                    to.push_str(")</small>");
                }
            }),
        }
        for tag in tags.iter().rev() {
            close(tag, to);
        }
    }
}

fn link(target: &str, to: &mut String, inner: impl FnOnce(&mut String)) {
    to.push_str("<a rel=\"noopener noreferrer nofollow\" href=\"");
    escape(target, to);
    to.push_str("\">");
    inner(to);
    close("a", to);
}

fn within(tag: &str, to: &mut String, inner: impl FnOnce(&mut String)) {
    open(tag, to);
    inner(to);
    close(tag, to);
}

fn open(tag: &str, to: &mut String) {
    to.push('<');
    to.push_str(tag);
    to.push('>');
}

fn close(tag: &str, to: &mut String) {
    to.push_str("</");
    to.push_str(tag);
    to.push('>');
}

/// Writes a text so that no letter of it is markup, in an element or in an attribute with quotes.
fn escape(text: &str, to: &mut String) {
    for letter in text.chars() {
        match letter {
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '&' => to.push_str("&amp;"),
            '"' => to.push_str("&quot;"),
            letter => to.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::parse;
    use super::*;

    fn of(text: &str) -> String {
        html(&parse(text))
    }

    #[test]
    fn every_kind_of_block_and_span_has_its_element() {
        for (text, expected) in [
            ("plain & <b>", "<p>plain &amp; &lt;b&gt;</p>"),
            (
                "**a** *b* ~~c~~ `d<`",
                "<p><strong>a</strong> <em>b</em> <s>c</s> <code>d&lt;</code></p>",
            ),
            ("👍", "<p class=\"emoji\">👍</p>"),
            ("> quoted", "<blockquote><p>quoted</p></blockquote>"),
            (
                "- one\n- two",
                "<p class=\"item\" data-depth=\"0\"><span>•</span> one</p>\
                 <p class=\"item\" data-depth=\"0\"><span>•</span> two</p>",
            ),
            (
                "```\n<script>\n```",
                "<pre dir=\"ltr\">&lt;script&gt;</pre>",
            ),
            (
                "https://example.org/?a=1&b=2",
                "<p><a rel=\"noopener noreferrer nofollow\" href=\"https://example.org/?a=1&amp;b=2\">\
                 https://example.org/?a=1&amp;b=2</a></p>",
            ),
            (
                "[text](https://example.org/x)",
                "<p><a rel=\"noopener noreferrer nofollow\" href=\"https://example.org/x\"><bdi>text</bdi>\
                 <small> (example.org)</small></a></p>",
            ),
        ] {
            assert_eq!(of(text), expected);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_becomes_an_element(text in "[<>\"'&*_`~\\[\\]()a-z:/. \n>-]{0,60}") {
            let html = of(&text);
            let known = [
                "p>", "p class=\"emoji\">", "p class=\"item\"", "pre dir=\"ltr\">", "blockquote>", "strong>", "em>", "s>",
                "code>", "bdi>", "small>", "span>", "a>", "a rel=\"noopener noreferrer nofollow\" href=\"http",
            ];
            for part in html.split('<').skip(1) {
                let tag = part.strip_prefix('/').unwrap_or(part);
                prop_assert!(known.iter().any(|known| tag.starts_with(known)), "{html}");
                prop_assert_eq!(part.matches('>').count(), 1, "{}", html);
            }
        }
    }
}
