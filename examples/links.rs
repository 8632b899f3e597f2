//! `cargo xtask bench links`: how long the page takes to find the addresses in messages that make it hard.

#![allow(clippy::disallowed_methods)] // It measures time.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use rtchat::room::MAX_TEXT;
use rtchat::ui::links::{Segment, segments};

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
    let mut slowest = Duration::ZERO;
    for (name, head, tail) in shapes {
        let text = message(head, tail);
        let (took, count) = measure(&text);
        slowest = slowest.max(took);
        println!("{:>8.3}  {count:>8}  {name}", took.as_secs_f64() * 1_000.0);
    }
    // The benchmark reads this line.
    println!("slowest: {:.3} ms", slowest.as_secs_f64() * 1_000.0);
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

fn measure(text: &str) -> (Duration, usize) {
    let run = |_| {
        let start = Instant::now();
        let count = segments(text)
            .iter()
            .filter(|segment| is_there(segment))
            .count();
        (start.elapsed(), count)
    };
    (0..RUNS).map(run).min().unwrap_or_default()
}

fn is_there(segment: &Segment<'_>) -> bool {
    matches!(segment, Segment::Text(text) | Segment::Link(text) if !text.is_empty())
}
