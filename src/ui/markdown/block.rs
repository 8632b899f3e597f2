//! Blocks: which lines belong together, and to what.

use super::inline::Inline;
use super::{BULLET, Block, Item, MAX_DEPTH, MAX_MARKS, emoji, spend};

/// What stands before a line's content.
const BLANKS: [char; 2] = [' ', '\t'];
/// The longest word behind an opening fence that is taken for a language.
const MAX_LANGUAGE: usize = 20;

/// A line is a range of the message, which ends behind its line break.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub start: usize,
    pub end: usize,
}

/// Finds the blocks of a message.
pub fn parse(text: &str) -> Vec<Block<'_>> {
    read(text, MAX_MARKS)
}

/// Finds the blocks of a message, and looks at so many markers.
pub(super) fn read(text: &str, marks: usize) -> Vec<Block<'_>> {
    if emoji::is_large(text) {
        return vec![Block::Emoji(text)];
    }
    let mut end = 0;
    let lines = text.split_inclusive('\n').map(|line| {
        let start = end;
        end += line.len();
        Line { start, end }
    });
    let lines: Vec<Line> = lines.collect();
    let inline = Inline::new(text, marks);
    Blocks { text, inline }.read(&lines, 0)
}

struct Blocks<'a> {
    text: &'a str,
    inline: Inline<'a>,
}

/// What begins with a line and is more than text.
enum Found<'a> {
    /// Signs without anything between them are text after all.
    Text,
    Code(Block<'a>),
    Quote(Vec<Line>),
    List,
}

/// The opening of a block of code.
struct Fence<'a> {
    /// The number of bytes before it.
    indentation: usize,
    /// The number of backticks.
    length: usize,
    language: &'a str,
    /// What stands behind it, if that is code.
    first: Option<Line>,
}

/// The beginning of a list's item.
struct Start<'a> {
    /// How far it is indented.
    column: usize,
    marker: &'a str,
    /// The rest of the line.
    content: Line,
}

impl<'a> Blocks<'a> {
    fn of(&self, line: Line) -> &'a str {
        spend(line.end - line.start);
        &self.text[line.start..line.end]
    }

    fn is_blank(&self, line: Line) -> bool {
        self.of(line).trim_start().is_empty()
    }

    fn read(&mut self, lines: &[Line], depth: usize) -> Vec<Block<'a>> {
        let (mut blocks, mut plain, mut at) = (Vec::new(), 0, 0);
        while at < lines.len() {
            let Some((found, count)) = self.find(&lines[at..], depth) else {
                at += 1;
                continue;
            };
            if matches!(found, Found::Text) {
                at += count;
                continue;
            }
            blocks.extend(self.plain(&lines[plain..at]));
            self.inline.mark(count);
            let (block, count) = match found {
                Found::Text => break,
                Found::Code(code) => (code, count),
                Found::Quote(inner) => (Block::Quote(self.read(&inner, depth + 1)), count),
                Found::List => {
                    let (items, count) = self.list(&lines[at..]);
                    (Block::List(items), count)
                }
            };
            blocks.push(block);
            at += count;
            plain = at;
        }
        blocks.extend(self.plain(&lines[plain..]));
        blocks
    }

    /// What begins with the first of these lines, if it is not simply text, and how many of them it takes.
    fn find(&self, lines: &[Line], depth: usize) -> Option<(Found<'a>, usize)> {
        let line = *lines.first().filter(|_| self.inline.has_marks())?;
        if let Some(fence) = self.fence(line) {
            return Some(self.code(&fence, lines));
        }
        if depth < MAX_DEPTH && self.quoted(line).is_some() {
            let lines = lines.iter().take(self.inline.marks());
            let inner: Vec<Line> = lines.map_while(|line| self.quoted(*line)).collect();
            let count = inner.len();
            let found = if inner.iter().all(|line| self.is_blank(*line)) {
                Found::Text
            } else {
                Found::Quote(inner)
            };
            return Some((found, count));
        }
        self.item(line).map(|_| (Found::List, 1))
    }

    /// Lines of text, without blank ones around them.
    fn plain(&mut self, lines: &[Line]) -> Option<Block<'a>> {
        let first = lines.iter().position(|line| !self.is_blank(*line))?;
        let last = lines.iter().rposition(|line| !self.is_blank(*line))?;
        Some(Block::Text(self.inline.read(&lines[first..=last])))
    }

    /// What a line quotes: what stands behind `> `. Many signs begin with `>`, so there has to be a space.
    fn quoted(&self, line: Line) -> Option<Line> {
        let rest = self.of(line).trim_start_matches(BLANKS).strip_prefix('>')?;
        let inner = rest.strip_prefix(BLANKS).unwrap_or(rest);
        let is_quoted = inner.len() < rest.len() || rest.trim_start().is_empty();
        is_quoted.then_some(Line {
            start: line.end - inner.len(),
            ..line
        })
    }

    fn fence(&self, line: Line) -> Option<Fence<'a>> {
        let text = self.of(line);
        let fence = text.trim_start_matches(BLANKS);
        let rest = fence.trim_start_matches('`');
        let length = fence.len() - rest.len();
        if length < 3 || rest.contains('`') {
            return None;
        }
        let word = rest.trim();
        let in_word = |c: char| c.is_ascii_alphanumeric() || "+-#._".contains(c);
        let is_language = word.len() <= MAX_LANGUAGE && word.chars().all(in_word);
        let start = line.end - rest.len();
        Some(Fence {
            indentation: text.len() - fence.len(),
            length,
            language: if is_language { word } else { "" },
            first: (!is_language).then_some(Line { start, ..line }),
        })
    }

    /// The block of code that begins with these lines. Without an end it takes all of them, since it was meant as code.
    fn code(&self, fence: &Fence<'a>, lines: &[Line]) -> (Found<'a>, usize) {
        let mut code: Vec<Line> = Vec::new();
        let mut push = |line: Line| match code.last_mut() {
            Some(last) if last.end == line.start => last.end = line.end,
            None if self.is_blank(line) => {}
            _ => code.push(line),
        };
        if let Some(first) = fence.first {
            push(first);
        }
        let mut count = 1;
        for line in &lines[1..] {
            count += 1;
            let text = self.of(*line);
            let blanks = text.len() - text.trim_start_matches(BLANKS).len();
            let start = line.start + blanks.min(fence.indentation);
            let before = text.trim_end().trim_end_matches('`');
            if text.trim_end().len() - before.len() >= fence.length {
                // Many people put the closing fence behind the last word.
                let end = start.max(line.start + before.len());
                push(Line { start, end });
                break;
            }
            push(Line { start, ..*line });
        }
        while let Some(last) = code.last_mut() {
            last.end = last.start + self.of(*last).trim_end().len();
            if last.start < last.end {
                break;
            }
            code.pop();
        }
        if code.is_empty() {
            return (Found::Text, count);
        }
        let block = Block::Code {
            language: fence.language,
            text: code.iter().map(|line| self.of(*line)).collect(),
        };
        (Found::Code(block), count)
    }

    fn item(&self, line: Line) -> Option<Start<'a>> {
        let text = self.of(line);
        let body = text.trim_start_matches(BLANKS);
        let (marker, rest) = match body.strip_prefix(['-', '*']) {
            Some(rest) => (BULLET, rest),
            None => {
                let digits = body.bytes().take(9).take_while(u8::is_ascii_digit).count();
                let rest = body[digits..].strip_prefix(['.', ')'])?;
                (body.get(..digits + 1).filter(|_| digits > 0)?, rest)
            }
        };
        let content = rest.trim_start_matches(BLANKS);
        // Lines of such signs alone are drawn to divide something.
        let is_line = |text: &str| text.chars().all(|c| "-* ".contains(c));
        let has_content = content.len() < rest.len() && !content.trim_start().is_empty();
        let is_item = has_content && !(marker == BULLET && is_line(content.trim_end()));
        is_item.then(|| Start {
            column: column(&text[..text.len() - body.len()]),
            marker,
            content: Line {
                start: line.end - content.len(),
                ..line
            },
        })
    }

    /// The items that begin with these lines, and how many lines they take.
    fn list(&mut self, lines: &[Line]) -> (Vec<Item<'a>>, usize) {
        let mut items: Vec<Item<'a>> = Vec::new();
        // The columns of the items that the next one may lie in, and the lines of the last one.
        let (mut columns, mut content) = (Vec::new(), Vec::new());
        let mut end = 0;
        for (at, line) in lines.iter().enumerate() {
            if let Some(start) = self.item(*line).filter(|_| self.inline.has_marks()) {
                self.finish(&mut items, &mut content);
                self.inline.mark(1);
                while columns.last().is_some_and(|column| start.column < *column) {
                    columns.pop();
                }
                let lies_in = |column: &usize| start.column > column + 1;
                if columns.last().is_none_or(lies_in) && columns.len() < MAX_DEPTH {
                    columns.push(start.column);
                }
                items.push(Item {
                    depth: columns.len().saturating_sub(1),
                    marker: start.marker,
                    spans: Vec::new(),
                });
                content.push(start.content);
            } else if self.is_blank(*line) {
                // The list goes on if the next line that is not blank is an item.
                continue;
            } else {
                let text = self.of(*line);
                let body = text.trim_start_matches(BLANKS);
                let indentation = column(&text[..text.len() - body.len()]);
                let is_indented = columns
                    .last()
                    .is_some_and(|column| indentation > column + 1);
                if end < at || !is_indented || self.fence(*line).is_some() {
                    break;
                }
                content.push(Line {
                    start: line.end - body.len(),
                    ..*line
                });
            }
            end = at + 1;
        }
        self.finish(&mut items, &mut content);
        (items, end)
    }

    /// Gives the last item its lines.
    fn finish(&mut self, items: &mut [Item<'a>], content: &mut Vec<Line>) {
        if let Some(item) = items.last_mut() {
            item.spans = self.inline.read(content);
            content.clear();
        }
    }
}

/// The column behind this indentation.
fn column(indentation: &str) -> usize {
    indentation.bytes().fold(0, |column, byte| match byte {
        b'\t' => column / 4 * 4 + 4,
        _ => column + 1,
    })
}
