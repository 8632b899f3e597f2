//! `cargo xtask bench links`: how long the page takes to find the addresses and the Markdown in messages that make it hard.

#![allow(clippy::disallowed_methods)] // It measures time.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use rtchat::room::MAX_TEXT;
use rtchat::ui::links::{Segment, segments};
use rtchat::ui::markdown::parse;

/// The fastest of this many runs counts: what else the machine does only makes them slower.
const RUNS: usize = 20;

fn main() {
    let shapes = [
        (
            "what people write",
            "see https://example.org/a_(b), or ask me. ",
            "",
        ),
        ("one word", "a", ""),
        ("dots", ".", ""),
        ("www.", "www.", ""),
        ("brackets", "()[", ""),
        ("http://(", "http://(", ""),
        ("http://-", "http://-", ""),
        ("http://- and )", "http://-", ")"),
        ("http://-[ and )]", "http://-[", ")]"),
        ("short addresses", "http://a ", ""),
        ("one long address, and )", "http://a", ")"),
    ];
    println!("{:>8}  {:>8}  {MAX_TEXT} characters of", "ms", "segments");
    let found = |text: &str| segments(text).iter().filter(|part| is_there(part)).count();
    // The benchmark reads these lines.
    println!("slowest addresses: {:.3} ms", slowest(&shapes, found));

    let marked = [
        (
            "what people write",
            "- **yes**, see [this](https://example.org/a_(b)) or `that`\n> *a* ",
            "",
        ),
        ("words", "a word ", ""),
        ("*", "*", ""),
        ("*a", "*a ", ""),
        ("*a, and b*", "*a ", "b* "),
        ("*a **b ***c", "*a **b ***c ", "a*** b** c* "),
        ("_ and letters", "_é", ""),
        ("~~", "~~a ", "a~~ "),
        ("`", "`a``b```c", ""),
        ("[", "[", "]"),
        ("[a](", "[a](", ")"),
        ("[a](https://", "[a](https://b", ")"),
        ("[a](https://b)", "[a](https://b)", ""),
        ("> ", "> ", ""),
        ("> > > > a", "> > > > *a*\n", ""),
        ("lists", "- a\n  - *b*\n    1. c\n", ""),
        ("fences", "```\n", "```a\n"),
        ("\\\\", "\\", "*"),
        ("https://a*", "*https://a* ", ""),
        ("blanks", " ", "\n"),
        ("emoji", "👍 ", ""),
    ];
    println!("\n{:>8}  {:>8}  {MAX_TEXT} characters of", "ms", "blocks");
    let slowest = slowest(&marked, |text| parse(text).len());
    println!("slowest Markdown: {slowest:.3} ms");
}

/// The time for the slowest of these texts, in milliseconds.
fn slowest(shapes: &[(&str, &str, &str)], count: impl Fn(&str) -> usize) -> f64 {
    let mut slowest = Duration::ZERO;
    for (name, head, tail) in shapes {
        let text = message(head, tail);
        let (took, count) = measure(|| count(&text));
        slowest = slowest.max(took);
        println!("{:>8.3}  {count:>8}  {name}", took.as_secs_f64() * 1_000.0);
    }
    slowest.as_secs_f64() * 1_000.0
}

/// As long as a message may be: `head` again and again, and `tail` in the second half if there is one.
fn message(head: &str, tail: &str) -> String {
    let half = if tail.is_empty() {
        MAX_TEXT
    } else {
        MAX_TEXT / 2
    };
    let heads = head.chars().cycle().take(half);
    heads.chain(tail.chars().cycle()).take(MAX_TEXT).collect()
}

fn measure(count: impl Fn() -> usize) -> (Duration, usize) {
    let run = |_| {
        let start = Instant::now();
        let count = count();
        (start.elapsed(), count)
    };
    (0..RUNS).map(run).min().unwrap_or_default()
}

fn is_there(segment: &Segment<'_>) -> bool {
    matches!(segment, Segment::Text(text) | Segment::Link(text) if !text.is_empty())
}
