//! Inline markup: what stands within the lines of a text.

use std::ops::Range;

use super::block::Line;
use super::emphasis::{Delimiter, Flags, match_delimiters};
use super::{Content, Span, Style, spend};
use crate::ui::links::{self, MAX_LINKS, Segment, segments};

/// Runs of more backticks than this are text.
const MAX_BACKTICKS: usize = 8;

/// A part of a text that has been looked at.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub range: Range<usize>,
    pub kind: Kind,
    pub place: Place,
}

/// What stands before a token.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// The number of tokens that are more than signs and spaces.
    pub words: usize,
    /// The number of tokens with spaces.
    pub gaps: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Text,
    Code,
    Address,
    Delimiter(Delimiter),
    Link {
        target: Range<usize>,
        host: Option<Range<usize>>,
        /// The number of the token behind the label.
        end: usize,
    },
}

/// Reads the texts of a message, one after the other.
pub(super) struct Inline<'a> {
    text: &'a str,
    /// How many more markers are looked at.
    marks: usize,
    /// How many more links there may be.
    links: usize,
    /// The tokens of the current paragraph.
    tokens: Vec<Token>,
    place: Place,
}

/// A bracket that may open the label of a link.
struct Bracket {
    /// Its token.
    token: usize,
    /// Whether it opens the description of a picture, which stays text: no page loads what others choose.
    picture: bool,
}

impl<'a> Inline<'a> {
    pub fn new(text: &'a str, marks: usize) -> Inline<'a> {
        Inline {
            text,
            marks,
            links: MAX_LINKS,
            tokens: Vec::new(),
            place: Place::default(),
        }
    }

    /// How many more markers are looked at.
    pub fn marks(&self) -> usize {
        self.marks
    }

    /// Whether more markers are looked at.
    pub fn has_marks(&self) -> bool {
        self.marks > 0
    }

    /// Counts markers.
    pub fn mark(&mut self, count: usize) {
        self.marks = self.marks.saturating_sub(count);
    }

    /// Reads lines, without the line break behind the last one. A blank line ends all emphasis.
    pub fn read(&mut self, lines: &[Line]) -> Vec<Span<'a>> {
        let mut spans = Spans::new(self.text);
        for (at, line) in lines.iter().enumerate() {
            let text = &self.text[line.start..line.end];
            let content = text.trim_end();
            if content.is_empty() {
                self.emit(&mut spans);
            }
            let end = match at + 1 == lines.len() {
                true => line.start + content.len(),
                false => line.end,
            };
            self.line(line.start, end);
        }
        self.emit(&mut spans);
        spans.done()
    }

    fn push(&mut self, range: Range<usize>, kind: Kind) {
        if range.is_empty() {
            return;
        }
        spend(range.len());
        let place = self.place;
        if matches!(kind, Kind::Text | Kind::Code | Kind::Address) {
            let text = &self.text[range.clone()];
            let in_word = |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
            self.place.words += usize::from(text.bytes().any(in_word));
            self.place.gaps += usize::from(text.contains(char::is_whitespace));
        }
        self.tokens.push(Token { range, kind, place });
    }

    /// Turns a line into tokens.
    fn line(&mut self, start: usize, end: usize) {
        let mut addresses = self.addresses(start, end).into_iter().peekable();
        let first = end - self.text[start..end].trim_start().len();
        let bytes = self.text.as_bytes();
        let mut brackets: Vec<Bracket> = Vec::new();
        // The lengths of runs of backticks for which there are no more of the same length.
        let mut lonely = [false; MAX_BACKTICKS + 1];
        let (mut at, mut plain) = (start, start);
        while at < end {
            spend(1);
            // Code and links may have taken some of them.
            while addresses.next_if(|address| address.start < at).is_some() {}
            if let Some(address) = addresses.next_if(|address| address.start == at) {
                if self.links > 0 {
                    self.links -= 1;
                    self.push(plain..at, Kind::Text);
                    (at, plain) = (address.end, address.end);
                    self.push(address, Kind::Address);
                } else {
                    at = address.end;
                }
                continue;
            }
            let byte = bytes[at];
            if !is_marker(byte) || !self.has_marks() {
                at += 1;
                continue;
            }
            self.mark(1);
            match byte {
                b'\\' => {
                    let next = bytes.get(at + 1).copied().filter(|_| at + 1 < end);
                    let escapes = next.is_some_and(|next| {
                        is_marker(next) && next != b'\\' || at == first && b">-#".contains(&next)
                    });
                    // ¯\_(ツ)_/¯ needs its arm.
                    if escapes && !self.text[start..at].ends_with('¯') {
                        self.push(plain..at, Kind::Text);
                        plain = at + 1;
                        at += 1;
                    }
                    at += 1;
                }
                b'`' => {
                    let length = run(bytes, at, end);
                    let open = at + length;
                    at = open;
                    if let Some(close) = self.code_end(open, end, length, &mut lonely) {
                        self.push(plain..open - length, Kind::Text);
                        self.push(trimmed_code(self.text, open..close), Kind::Code);
                        at = close + length;
                        plain = at;
                    }
                }
                b'[' => {
                    self.push(plain..at, Kind::Text);
                    let picture = self.text[start..at].ends_with('!');
                    let token = self.tokens.len();
                    brackets.push(Bracket { token, picture });
                    self.push(at..at + 1, Kind::Text);
                    at += 1;
                    plain = at;
                }
                b']' => {
                    let bracket = brackets.pop();
                    let label = bracket.filter(|bracket| !bracket.picture);
                    let link = label.and_then(|label| {
                        let start = self.tokens.get(label.token)?.range.end;
                        let (target, host) = target(self.text, start..at, end)?;
                        Some((label.token, target, host))
                    });
                    let Some((token, target, host)) = link.filter(|_| self.links > 0) else {
                        at += 1;
                        continue;
                    };
                    self.links -= 1;
                    self.push(plain..at, Kind::Text);
                    match_delimiters(&mut self.tokens[token + 1..]);
                    at = target.end + 1;
                    plain = at;
                    let end = self.tokens.len();
                    self.tokens[token].kind = Kind::Link { target, host, end };
                    // There are no links within links.
                    brackets.clear();
                }
                _ => {
                    let length = run(bytes, at, end);
                    let before = self.text[start..at].chars().next_back();
                    let after = self.text[at + length..end].chars().next();
                    self.push(plain..at, Kind::Text);
                    let delimiter = Delimiter::new(byte, length, before, after);
                    self.push(at..at + length, Kind::Delimiter(delimiter));
                    at += length;
                    plain = at;
                }
            }
        }
        self.push(plain..end, Kind::Text);
    }

    /// The addresses in a line that nobody marked as such.
    fn addresses(&self, start: usize, end: usize) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = start;
        // An address may be the label of a link, and does not go on behind that.
        for part in self.text[start..end].split_inclusive("](") {
            let within = part.strip_suffix("](").unwrap_or(part);
            let mut from = at;
            for segment in segments(within) {
                let (Segment::Text(text) | Segment::Link(text)) = segment;
                let to = from + text.len();
                if matches!(segment, Segment::Link(_)) {
                    found.push(from..to);
                }
                from = to;
            }
            at += part.len();
        }
        found
    }

    /// Where the code ends that begins behind so many backticks.
    fn code_end(
        &self,
        open: usize,
        end: usize,
        length: usize,
        lonely: &mut [bool; MAX_BACKTICKS + 1],
    ) -> Option<usize> {
        let lonely = lonely.get_mut(length).filter(|lonely| !**lonely)?;
        let bytes = self.text.as_bytes();
        let mut at = open;
        while at < end {
            spend(1);
            if bytes[at] != b'`' {
                at += 1;
                continue;
            }
            let other = run(bytes, at, end);
            if other == length {
                return Some(at);
            }
            at += other;
        }
        *lonely = true;
        None
    }

    /// Adds the tokens of a paragraph to its spans.
    fn emit(&mut self, spans: &mut Spans<'a>) {
        match_delimiters(&mut self.tokens);
        spans.write(&self.tokens, &mut Flags::default(), false);
        self.tokens.clear();
    }
}

/// Collects spans. Pieces of text that follow each other become one.
struct Spans<'a> {
    text: &'a str,
    spans: Vec<Span<'a>>,
    /// The text that is not among the spans yet.
    last: (Range<usize>, Style),
}

impl<'a> Spans<'a> {
    fn new(text: &'a str) -> Spans<'a> {
        Spans {
            text,
            spans: Vec::new(),
            last: (0..0, Style::default()),
        }
    }

    fn write(&mut self, tokens: &[Token], flags: &mut Flags, is_label: bool) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            let (range, text) = (token.range.clone(), self.text);
            match &token.kind {
                Kind::Delimiter(delimiter) => {
                    flags.close(delimiter);
                    self.add(delimiter.shown(range.start), flags.style());
                    flags.open(delimiter);
                }
                Kind::Code => self.push(Content::Code(&text[range]), flags.style()),
                Kind::Address if !is_label => {
                    self.push(Content::Address(&text[range]), flags.style());
                }
                Kind::Link { target, host, end } => {
                    let mut label = Spans::new(text);
                    let style = flags.style();
                    label.write(tokens.get(at..*end).unwrap_or_default(), flags, true);
                    at = *end;
                    let link = Content::Link {
                        target: &text[target.clone()],
                        host: host.clone().map(|host| &text[host]),
                        label: label.done(),
                    };
                    self.push(link, style);
                }
                Kind::Text | Kind::Address => self.add(range, flags.style()),
            }
        }
    }

    fn add(&mut self, range: Range<usize>, style: Style) {
        let (last, last_style) = &mut self.last;
        if last.end == range.start && *last_style == style {
            last.end = range.end;
        } else if !range.is_empty() {
            self.flush();
            self.last = (range, style);
        }
    }

    fn push(&mut self, content: Content<'a>, style: Style) {
        self.flush();
        self.spans.push(Span { content, style });
    }

    fn flush(&mut self) {
        let (range, style) = std::mem::take(&mut self.last);
        if !range.is_empty() {
            let content = Content::Text(&self.text[range]);
            self.spans.push(Span { content, style });
        }
    }

    fn done(mut self) -> Vec<Span<'a>> {
        self.flush();
        self.spans
    }
}

fn is_marker(byte: u8) -> bool {
    matches!(byte, b'*' | b'_' | b'~' | b'`' | b'[' | b']' | b'\\')
}

/// How many times the byte at this place follows itself.
fn run(bytes: &[u8], at: usize, end: usize) -> usize {
    let bytes = bytes.get(at..end).unwrap_or_default();
    let length = bytes.iter().take_while(|byte| Some(*byte) == bytes.first());
    let length = length.count();
    spend(length);
    length
}

/// Code without the spaces that keep its own backticks apart from those around it.
fn trimmed_code(text: &str, range: Range<usize>) -> Range<usize> {
    let code = &text[range.clone()];
    spend(code.len());
    let is_padded = code.starts_with(' ') && code.ends_with(' ') && !code.trim().is_empty();
    if is_padded {
        range.start + 1..range.end - 1
    } else {
        range
    }
}

/// The target of a link whose label ends with the `]` behind this range, and its host, unless the label says the same.
///
/// Browsers read addresses in ways that surprise people: a name before an `@`, a backslash, letters of other alphabets or
/// percent signs in a host. No label may hide those.
fn target(
    text: &str,
    label: Range<usize>,
    end: usize,
) -> Option<(Range<usize>, Option<Range<usize>>)> {
    let rest = text.get(label.end..end)?.strip_prefix("](")?;
    let start = label.end + 2;
    let scheme = links::scheme(rest)?;
    let target = &rest[..target_length(rest)?];
    let place = &target[scheme.len()..];
    let authority = place.split(['/', '?', '#']).next()?;
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let in_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_plain = host.starts_with(|first: char| first.is_ascii_alphanumeric())
        && host.bytes().all(in_host)
        && port.bytes().all(|byte| byte.is_ascii_digit());
    let label = text[label].trim();
    if !is_plain || label.is_empty() {
        return None;
    }
    let says_so = [target, place, host].contains(&label);
    let host_start = start + scheme.len();
    let host = (!says_so).then_some(host_start..host_start + host.len());
    Some((start..start + target.len(), host))
}

/// The length of the target that ends with the first `)` that it does not open itself.
fn target_length(rest: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, character) in rest.char_indices() {
        spend(1);
        match character {
            '(' => open += 1,
            ')' if open == 0 => return Some(at),
            ')' => open -= 1,
            // Behind the label of the next link, that one is looked at.
            ']' if rest[at..].starts_with("](") => return None,
            '\\' => return None,
            _ if links::ends_link(character) => return None,
            _ => {}
        }
    }
    None
}
