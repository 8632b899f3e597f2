//! What the worst texts cost: steps, and elements.

use super::block::read;
use super::tests::{STEPS, shown};
use super::{Block, Content, MAX_MARKS, Span, parse};
use crate::ui::links::MAX_LINKS;

fn count(text: &str) -> usize {
    fn in_spans(spans: &[Span<'_>]) -> usize {
        let count = |span: &Span<'_>| match &span.content {
            Content::Link { label, .. } => 1 + in_spans(label),
            _ => 1,
        };
        spans.iter().map(count).sum()
    }
    fn in_blocks(blocks: &[Block<'_>]) -> usize {
        let count = |block: &Block<'_>| match block {
            Block::Text(spans) => 1 + in_spans(spans),
            Block::Emoji(_) => 1,
            Block::Code { .. } => 1,
            Block::Quote(inner) => 1 + in_blocks(inner),
            Block::List(items) => items.iter().map(|item| 2 + in_spans(&item.spans)).sum(),
        };
        blocks.iter().map(count).sum()
    }
    in_blocks(&parse(text))
}

/// Worst-case texts of about `length` bytes.
fn worst_cases(length: usize) -> Vec<String> {
    let parts = [
        "*",
        "_",
        "~",
        "~~",
        "`",
        "[",
        "]",
        ">",
        "- ",
        "-",
        "#",
        "\\",
        "\\*",
        "(",
        ")",
        "!",
        "!",
        "|",
        "<",
        "1. ",
        "*a",
        "a*",
        "*a*",
        "**a",
        "a**",
        "*a **b ",
        "a**b ",
        "_a",
        "_a_ ",
        "~~a~~",
        "*a_",
        "*a _b ~~c ",
        "*_",
        "*é",
        "***a** ",
        "a***",
        "`a",
        "`a`",
        "``a` ",
        "` ``  ``` ",
        "[a](",
        "[a](b",
        "[a](https://",
        "[a](https://b",
        "[a](https://b)",
        "[a](https://b(",
        "[a](https://b[",
        "[a](http://-",
        "[[a](https://b)](https://c)",
        "![a](https://b",
        "[a",
        "a]",
        "](",
        "][",
        "[](",
        "[*a](https://b)*",
        "> a\n",
        "> > a\n",
        "> > > > > a\n",
        ">\n",
        "> \n> a\n\n",
        "- a\n",
        "- a\n\n",
        "- a\n  - b\n",
        "  - a\n",
        "1. a\n   2) b\n",
        "- *a\n",
        "* *a*\n",
        "- a\n\n\n",
        "- - a\n",
        "```\n",
        "```a\n",
        "```\na\n```\n",
        "```\n```\n",
        "````\n```\n",
        "> ```\n",
        "```\na```\n",
        "\n",
        " \n",
        "a\n",
        "\n\na",
        "    a\n",
        "\t",
        "https://a ",
        "https://a*",
        "*https://a* ",
        "http://-",
        "http://(",
        "http",
        "[http://a](",
        "¯\\_",
        "👍",
        "👍 ",
        "1️⃣",
        "\u{200d}",
        "ä",
        "次*次",
        "*a\n\n",
        "**a\nb",
        "*a**b***c _d__e ",
        "\\\\",
        " \\",
    ];
    let fill = |part: &str, length: usize| part.repeat(length / part.len());
    let mut texts: Vec<String> = parts.iter().map(|part| fill(part, length)).collect();
    for head in [
        "*a ",
        "**a ",
        "[a](https://b",
        "[",
        "`",
        "*",
        "_a ",
        "  ",
        "- a\n",
        "(",
        "[a](https://(",
    ] {
        for tail in [
            "a* ",
            "a** ",
            ")",
            "](",
            "](https://b)",
            "`",
            "]",
            "*",
            "\\",
            "- a\n",
            "\n",
        ] {
            texts.push(fill(head, length / 2) + &fill(tail, length / 2));
        }
    }
    // Each line nests deeper than the one before it.
    let deeper = |part: &str, line: &str| {
        let mut text = String::new();
        for depth in (0..40).cycle() {
            if text.len() >= length {
                break;
            }
            text += &(part.repeat(depth) + line);
        }
        text
    };
    texts.extend([
        deeper("  ", "- a\n"),
        deeper("> ", "a\n"),
        deeper("`", " a "),
        deeper("`", "\n"),
        deeper("*", "a "),
    ]);
    texts
}

#[test]
fn twice_the_text_takes_twice_the_steps_at_most() {
    let steps = |text: &str, marks: usize| {
        STEPS.set(0);
        read(text, marks);
        STEPS.get()
    };
    for length in [2_500, 5_000, 10_000, 20_000] {
        for (short, long) in worst_cases(length).iter().zip(worst_cases(length * 2)) {
            // It does not depend on the limit for markers.
            let [few, many] = [short, &long].map(|text| steps(text, usize::MAX));
            let shape: String = short.chars().take(24).collect();
            assert!(
                // A small allowance for lengths that are no multiples of the part's.
                many <= few * 2 + few / 16 + 200,
                "{shape:?}: {few} steps for {length} bytes, and {many} for twice as much"
            );
            for many in [many, steps(&long, MAX_MARKS)] {
                let bytes = long.len();
                assert!(
                    many <= bytes * 40,
                    "{shape:?}: {many} steps for {bytes} bytes"
                );
            }
        }
    }
}

#[test]
fn nobody_can_fill_the_page_with_elements() {
    for text in worst_cases(40_000) {
        let count = count(&text);
        let shape: String = text.chars().take(24).collect();
        assert!(count <= MAX_MARKS * 4, "{shape:?}: {count} parts");
    }
    let links = |text: &str| shown(text).matches("<a").count();
    assert_eq!(links(&"[a](https://b) ".repeat(200)), MAX_LINKS);
    assert_eq!(links(&"[a](https://b) https://c ".repeat(200)), MAX_LINKS);
    assert_eq!(links(&"- https://a\n".repeat(200)), MAX_LINKS);
}
