//! Finds the web addresses in a text, in linear time.

use crate::identity::unicode::is_alphanumeric;

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Plain text.
    Text(&'a str),
    /// An `http:` or `https:` address, exactly as it was written.
    Link(&'a str),
}

/// At most this many addresses of one message become links, so that nobody can fill the page with them.
pub const MAX_LINKS: usize = 50;

/// Splits `text` into plain text and addresses, of which those after the first [`MAX_LINKS`] stay text. The concatenated
/// segments equal `text`.
pub fn segments(text: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    let mut run = Run::default();
    let mut plain = 0;
    let mut from = 0;
    let mut links = 0;
    while links < MAX_LINKS
        && let Some(found) = find_scheme(&text[from..])
    {
        let start = from + found;
        spend(found + 4);
        let link = if is_bounded(&text[..start]) {
            link_end(text, start, &mut run)
        } else {
            None
        };
        let Some(end) = link else {
            from = start + 4;
            continue;
        };
        if plain < start {
            segments.push(Segment::Text(&text[plain..start]));
        }
        segments.push(Segment::Link(&text[start..end]));
        links += 1;
        from = end;
        plain = end;
    }
    if plain < text.len() {
        segments.push(Segment::Text(&text[plain..]));
    }
    segments
}

/// Returns the position of the first `http`, in any case: phones write the first letter of a message in upper case.
fn find_scheme(text: &str) -> Option<usize> {
    let mut starts = text.as_bytes().windows(4);
    starts.position(|start| start.eq_ignore_ascii_case(b"http"))
}

/// Whether an address may begin behind `before`, and not in the middle of a word. Many scripts of Asia put no space
/// between words, so there is none before an address either.
fn is_bounded(before: &str) -> bool {
    !before.ends_with(|last: char| is_alphanumeric(last) && !is_unspaced(last))
}

pub(super) fn is_unspaced(letter: char) -> bool {
    matches!(
        letter,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{30ff}'
            | '\u{3400}'..='\u{9fff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}'
    )
}

/// The scheme at the beginning of the text, with its `//`.
pub(super) fn scheme(text: &str) -> Option<&str> {
    let schemes = ["https://".len(), "http://".len()];
    let mut starts = schemes.iter().filter_map(|length| text.get(..*length));
    starts.find(|start| {
        ["https://", "http://"]
            .iter()
            .any(|scheme| start.eq_ignore_ascii_case(scheme))
    })
}

/// Returns the end of the address that begins at `start`; `None` if there is no address.
fn link_end(text: &str, start: usize, run: &mut Run) -> Option<usize> {
    let scheme = scheme(&text[start..])?;
    if start >= run.end {
        *run = Run::at(text, start);
    }
    let end = run.link_end(text, start);
    let host = text.get(start + scheme.len()..end)?;
    host.starts_with(|first: char| is_alphanumeric(first) || first == '[')
        .then_some(end)
}

/// A part of the text without any character that ends an address. Many addresses may begin in it, and all of them would
/// extend to its end. What is known about that end is kept, so that no character is examined again for each address.
#[derive(Debug, Default)]
struct Run {
    /// The end of the run.
    end: usize,
    /// The end of the run without trailing punctuation and closing brackets.
    trimmed: usize,
    /// The positions just behind those `)`, the last one first.
    round: Vec<usize>,
    /// The positions just behind those `]`, the last one first.
    square: Vec<usize>,
    /// The position of the last address that was asked for.
    at: usize,
    /// From there to the end of the run: the number of `(` that have no `)`, which is negative if there are too few.
    open_round: isize,
    /// The number of `[` that have no `]`.
    open_square: isize,
}

impl Run {
    /// Finds the run that begins at `start`.
    fn at(text: &str, start: usize) -> Run {
        let mut run = Run {
            end: text.len(),
            at: start,
            ..Run::default()
        };
        for (at, character) in text[start..].char_indices() {
            spend(1);
            if ends_link(character) {
                run.end = start + at;
                break;
            }
            run.count(character, 1);
        }
        let whole = &text[start..run.end];
        let mut end = run.end;
        for last in whole.chars().rev() {
            spend(1);
            match last {
                ')' => run.round.push(end),
                ']' => run.square.push(end),
                _ if closes_sentence(last) => {}
                _ => break,
            }
            end -= last.len_utf8();
        }
        run.trimmed = end;
        run
    }

    fn count(&mut self, character: char, by: isize) {
        match character {
            '(' => self.open_round += by,
            ')' => self.open_round -= by,
            '[' => self.open_square += by,
            ']' => self.open_square -= by,
            _ => {}
        }
    }

    /// Returns the end of the address that begins at `start`, which lies behind those asked for before. Punctuation that
    /// closes the sentence around an address is not part of it, and neither is a closing bracket that the address does
    /// not open.
    fn link_end(&mut self, text: &str, start: usize) -> usize {
        for character in text[self.at..start].chars() {
            spend(1);
            self.count(character, -1);
        }
        self.at = start;
        // The last brackets are those that are too many. The next one is the address's own, with all before it.
        let own = |ends: &[usize], open: isize| ends.get(open.min(0).unsigned_abs()).copied();
        let ends = [
            own(&self.round, self.open_round),
            own(&self.square, self.open_square),
        ];
        ends.into_iter().flatten().fold(self.trimmed, usize::max)
    }
}

/// Whether this is punctuation that may stand in an address, but not at its end.
fn closes_sentence(character: char) -> bool {
    matches!(
        character,
        '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '…' | '‘' | '’' | '‚'
        // Full stops, commas and question marks of scripts that put a space behind them: Armenian, Hebrew, Arabic,
        // Devanagari and its neighbours, Tibetan, Myanmar, Ethiopic, Khmer.
            | '\u{589}' | '\u{55d}' | '\u{55e}' | '\u{5c3}' | '\u{60c}' | '\u{61b}' | '\u{61f}' | '\u{6d4}'
            | '\u{964}' | '\u{965}' | '\u{f0d}' | '\u{f0e}' | '\u{104a}' | '\u{104b}' | '\u{1361}'
            ..='\u{1368}' | '\u{17d4}' | '\u{17d5}'
    )
}

/// Invisible characters and those that change the text direction end an address as well, so that it is what it looks
/// like. So does the punctuation of East Asia, in full or half width, because no space follows it.
pub(super) fn ends_link(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(
            character,
            '<' | '>' | '"' | '`' | '«' | '»' | '‹' | '›' | '“' | '”' | '„' | '‟'
        )
        || matches!(character, '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}')
        || matches!(
            character,
            '\u{ff01}' | '\u{ff02}' | '\u{ff07}'..='\u{ff09}' | '\u{ff0c}' | '\u{ff0e}'
        )
        || matches!(
            character,
            '\u{ff1a}'
                | '\u{ff1b}'
                | '\u{ff1c}'
                | '\u{ff1e}'
                | '\u{ff1f}'
                | '\u{ff3b}'
                | '\u{ff3d}'
        )
        || matches!(character, '\u{ff5b}' | '\u{ff5d}' | '\u{ff5f}'..='\u{ff64}')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Counts the characters that are examined. Only tests use the count.
#[cfg(not(test))]
fn spend(_steps: usize) {}

#[cfg(test)]
use tests::spend;

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::Segment::*;
    use super::{MAX_LINKS, Segment, closes_sentence, ends_link, is_bounded, segments};

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn spend(steps: usize) {
        STEPS.set(STEPS.get() + steps);
    }

    #[test]
    fn addresses_are_found_and_nothing_else() {
        assert_eq!(segments("no link"), [Text("no link")]);
        assert_eq!(segments(""), []);
        assert_eq!(
            segments("see https://a.example/x?y=1#z, or (http://b.example)."),
            [
                Text("see "),
                Link("https://a.example/x?y=1#z"),
                Text(", or ("),
                Link("http://b.example"),
                Text(").")
            ]
        );
        assert_eq!(
            segments("https://en.example/Rust_(tool)"),
            [Link("https://en.example/Rust_(tool)")]
        );
        let written = [
            ("(see https://example.org/a)", "https://example.org/a"),
            (
                "(see https://example.org/a_(b))",
                "https://example.org/a_(b)",
            ),
            (
                "see [https://example.org/a_(b)], or",
                "https://example.org/a_(b)",
            ),
            (
                "((https://example.org/(a)/(b).).)",
                "https://example.org/(a)/(b)",
            ),
            ("https://[::1]/(a]).", "https://[::1]/(a])"),
            (
                "https://en.wikipedia.org/wiki/A_(b)",
                "https://en.wikipedia.org/wiki/A_(b)",
            ),
        ];
        for (text, link) in written {
            let found = segments(text);
            assert!(found.contains(&Link(link)), "{text}: {found:?}");
        }
        assert_eq!(
            segments("javascript:alert(1) xhttp://a http:// httpx://a"),
            [Text("javascript:alert(1) xhttp://a http:// httpx://a")]
        );
        assert_eq!(
            segments("https://a.example/\u{202e}gpj"),
            [Link("https://a.example/"), Text("\u{202e}gpj")]
        );
        assert_eq!(
            segments("<http://a.example>"),
            [Text("<"), Link("http://a.example"), Text(">")]
        );
        assert_eq!(
            segments("https://例え.example/ü"),
            [Link("https://例え.example/ü")]
        );
    }

    #[test]
    fn the_case_of_a_scheme_does_not_matter() {
        for link in [
            "Https://example.org",
            "HTTP://a.example/X",
            "hTTps://[::1]/",
        ] {
            assert_eq!(segments(link), [Link(link)]);
        }
        assert_eq!(
            segments("xHttp://a ÄHTTP://a"),
            [Text("xHttp://a ÄHTTP://a")]
        );
    }

    #[test]
    fn punctuation_of_every_script_ends_an_address() {
        for end in [
            "。", "、", "！", "？", "，", "．", "：", "；", "）", "」", "』", "】", "》", "〉",
            "］", "｝", "｡", "､", "｣", "”", "’ ", "؟ ", "، ", "۔ ", "। ", "։ ", "። ", "។ ",
        ] {
            let text = format!("https://a.jp/x{end}次");
            assert_eq!(segments(&text)[0], Link("https://a.jp/x"), "{end}");
        }
        assert_eq!(
            segments("（Https://a.jp/x）"),
            [Text("（"), Link("Https://a.jp/x"), Text("）")]
        );
        assert_eq!(
            segments("見てhttps://a.jp/東京・大阪。"),
            [Text("見て"), Link("https://a.jp/東京・大阪"), Text("。")]
        );
    }

    /// A straightforward reference implementation, which examines every address to its end and takes quadratic time.
    fn slow_link_length(text: &str) -> usize {
        let lower = text.to_ascii_lowercase();
        let Some(scheme) = ["https://", "http://"]
            .iter()
            .find(|scheme| lower.starts_with(**scheme))
        else {
            return 0;
        };
        let ends = |character: char| {
            spend(1);
            ends_link(character)
        };
        let count = |end: usize, bracket: char| {
            spend(end);
            text[..end].matches(bracket).count()
        };
        let mut end = text.find(ends).unwrap_or(text.len());
        while let Some(last) = text[..end].chars().next_back() {
            let closes = match last {
                ')' => count(end, ')') > count(end, '('),
                ']' => count(end, ']') > count(end, '['),
                _ => closes_sentence(last),
            };
            if !closes {
                break;
            }
            end -= last.len_utf8();
        }
        let host = text.get(scheme.len()..end).unwrap_or_default();
        if host.starts_with(|first: char| first.is_alphanumeric() || first == '[') {
            end
        } else {
            0
        }
    }

    fn slow_segments(text: &str) -> Vec<Segment<'_>> {
        let (mut segments, mut plain, mut from) = (Vec::new(), 0, 0);
        let lower = text.to_ascii_lowercase();
        while let Some(found) = lower[from..].find("http") {
            let start = from + found;
            let bounded = is_bounded(&text[..start]);
            let length = slow_link_length(&text[start..]);
            if !bounded || length == 0 {
                from = start + 4;
                continue;
            }
            if plain < start {
                segments.push(Text(&text[plain..start]));
            }
            from = start + length;
            segments.push(Link(&text[start..from]));
            plain = from;
        }
        if plain < text.len() {
            segments.push(Text(&text[plain..]));
        }
        segments
    }

    #[test]
    fn addresses_after_the_first_fifty_stay_text() {
        let text = "http://a ".repeat(1_111);
        let found = segments(&text);
        let links = found.iter().filter(|part| matches!(part, Link(_)));
        assert_eq!(links.count(), MAX_LINKS);
        assert_eq!(found.last(), Some(&Text(&text[MAX_LINKS * 9 - 1..])));
    }

    /// Texts made of the parts that decide where addresses begin and end.
    fn tricky() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "http://", "https://", "Http://", "HTTPS://", "http", "-", "a", "ä", "次", "/", "(",
            ")", "[", "]", ".", "…", "*", "_", ":", " ", "\u{200b}", "»", "。", "۔",
        ]);
        prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn segments_equal_those_of_the_reference_implementation(text in tricky()) {
            prop_assert_eq!(segments(&text), slow_segments(&text));
        }
    }

    /// Worst-case texts of about `length` characters.
    fn worst_cases(length: usize) -> Vec<String> {
        let fill = |part: &str, length: usize| part.repeat(length / part.chars().count());
        let mut texts: Vec<String> = [
            "http://-",
            "http://(",
            "http://[",
            "http://)",
            "http",
            "http://",
            "https://a ",
            "http://a.)",
            "www.",
            ".",
            ")",
            "(",
            "()",
            "[)(]",
            "…",
            "http://-()",
            "http://[)(]",
            "http://a»",
            "http://a。",
            "ä",
        ]
        .into_iter()
        .map(|part| fill(part, length))
        .collect();
        for head in [
            "http://-",
            "http://(",
            "http://a",
            "http://a ",
            "(",
            "http://[(",
        ] {
            for tail in [")", "]", ".", ")]", "()", "…"] {
                texts.push(fill(head, length * 577 / 1_000) + &fill(tail, length * 423 / 1_000));
            }
        }
        texts
    }

    fn steps(find: fn(&str) -> Vec<Segment<'_>>, text: &str) -> usize {
        STEPS.set(0);
        let whole: String = find(text)
            .iter()
            .map(|segment| match segment {
                Text(text) | Link(text) => *text,
            })
            .collect();
        assert_eq!(whole, text);
        STEPS.get()
    }

    #[test]
    fn four_times_the_text_takes_four_times_the_steps() {
        for (short, long) in worst_cases(2_500).iter().zip(worst_cases(10_000)) {
            let (few, many) = (steps(segments, short), steps(segments, &long));
            let shape: String = short.chars().take(24).collect();
            assert!(
                // A small allowance for lengths that are not divisible by four.
                many <= few * 4 + few / 16 + 40,
                "{shape:?}: {few} steps, and {many} for four times as much"
            );
            // One pass to find the address, one to its end, and at most four back over the punctuation behind it.
            assert!(
                many <= long.len() * 6 + 40,
                "{shape:?}: {many} steps for {} bytes",
                long.len()
            );
        }
    }

    #[test]
    fn counting_steps_exposes_quadratic_time() {
        let reported = |scale: usize| "http://-".repeat(scale) + &")".repeat(scale * 6);
        let [few, many] = [20, 80].map(|scale| steps(slow_segments, &reported(scale)));
        assert!(
            many > few * 50,
            "{few} steps, and {many} for four times as much"
        );
        let [few, many] = [20, 80].map(|scale| steps(segments, &reported(scale)));
        assert!(
            many < few * 5,
            "{few} steps, and {many} for four times as much"
        );
    }
}
