//! Properties that hold for every text, and agreement with CommonMark where both mean the same.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{Block, Content, Span, Style, parse};

/// A character, with everything that is said about it.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    character: char,
    style: Style,
    is_code: bool,
    /// Where it leads.
    target: Option<String>,
    /// The quotes and lists around it, from the outside, and blocks of code.
    around: String,
}

/// What is seen of a message, character by character, without blanks: they are trimmed in different ways.
#[derive(Debug, Default)]
struct View(Vec<Seen>);

impl View {
    fn add(&mut self, text: &str, seen: &Seen) {
        let characters = text.chars().filter(|c| !c.is_whitespace());
        let characters = characters.map(|character| Seen {
            character,
            ..seen.clone()
        });
        self.0.extend(characters);
    }

    fn spans(&mut self, spans: &[Span<'_>], around: &Seen) {
        for span in spans {
            let mut seen = Seen {
                style: span.style,
                ..around.clone()
            };
            match &span.content {
                Content::Text(text) => self.add(text, &seen),
                Content::Code(text) => {
                    seen.is_code = true;
                    self.add(text, &seen);
                }
                Content::Address(address) => {
                    seen.target = Some((*address).to_owned());
                    self.add(address, &seen);
                }
                Content::Link { target, label, .. } => {
                    seen.target = Some((*target).to_owned());
                    self.spans(label, &seen);
                }
            }
        }
    }

    fn blocks(&mut self, blocks: &[Block<'_>], around: &Seen) {
        for block in blocks {
            let mut seen = around.clone();
            match block {
                Block::Text(spans) => self.spans(spans, &seen),
                Block::Emoji(emoji) => self.add(emoji, &seen),
                Block::Code { text, .. } => {
                    seen.around += "c";
                    self.add(&text.concat(), &seen);
                }
                Block::Quote(inner) => {
                    seen.around += "q";
                    self.blocks(inner, &seen);
                }
                Block::List(items) => {
                    for item in items {
                        let lists = "l".repeat(item.depth + 1);
                        let seen = Seen {
                            around: around.around.clone() + &lists,
                            ..around.clone()
                        };
                        self.spans(&item.spans, &seen);
                    }
                }
            }
        }
    }
}

fn nothing() -> Seen {
    Seen {
        character: ' ',
        style: Style::default(),
        is_code: false,
        target: None,
        around: String::new(),
    }
}

fn ours(text: &str) -> Vec<Seen> {
    let mut view = View::default();
    view.blocks(&parse(text), &nothing());
    view.0
}

/// What CommonMark makes of a text.
fn theirs(text: &str) -> Vec<Seen> {
    let mut view = View::default();
    let mut around = vec![nothing()];
    for event in Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH) {
        let mut seen = around.last().cloned().unwrap();
        match event {
            Event::Start(tag) => {
                match tag {
                    Tag::Emphasis => seen.style.emphasis = true,
                    Tag::Strong => seen.style.strong = true,
                    Tag::Strikethrough => seen.style.struck = true,
                    Tag::Link { dest_url, .. } => seen.target = Some(dest_url.into_string()),
                    Tag::BlockQuote(_) => seen.around += "q",
                    Tag::List(_) => seen.around += "l",
                    Tag::CodeBlock(_) => seen.around += "c",
                    _ => {}
                }
                around.push(seen);
            }
            Event::End(TagEnd::HtmlBlock) | Event::Html(_) | Event::InlineHtml(_) => {
                panic!("{text:?} contains HTML")
            }
            Event::End(_) => drop(around.pop()),
            Event::Text(text) => view.add(&text, &seen),
            Event::Code(text) => {
                seen.is_code = true;
                view.add(&text, &seen);
            }
            _ => {}
        }
    }
    view.0
}

fn texts(parts: &[&'static str]) -> impl Strategy<Value = String> + use<> {
    let part = prop::sample::select(parts.to_vec());
    prop::collection::vec(part, 0..16).prop_map(|parts| parts.concat())
}

/// Whether chats mean something else by these signs than CommonMark: see `emphasis.rs`.
fn has_signs_of_chats(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let runs = characters.chunk_by(|one, other| one == other);
    let (mut before, mut at) = (' ', 0);
    for run in runs {
        at += run.len();
        let after = characters.get(at).copied().unwrap_or(' ');
        let is_sign = |c: char| c.is_ascii_punctuation();
        if "*_~".contains(run[0]) {
            let in_word = before.is_alphanumeric() && after.is_alphanumeric();
            let between_signs = is_sign(before) && is_sign(after);
            let is_long = match run[0] {
                '_' => run.len() != 1,
                '~' => run.len() != 2,
                _ => run.len() > 3,
            };
            let in_brackets = "([{".contains(before) || ")]}".contains(after);
            // That parser lets tildes be where GitHub's specification does not.
            let is_tilde = run[0] == '~' && (is_sign(before) || is_sign(after));
            if in_word || is_tilde || between_signs || is_long || in_brackets {
                return true;
            }
        }
        before = run[run.len() - 1];
    }
    false
}

/// Whether something is emphasised that is only signs, which is a face in a chat.
fn emphasises_signs(text: &str) -> bool {
    let mut words = Vec::new();
    for event in Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH) {
        let is_word = match event {
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough) => {
                words.push(false);
                false
            }
            Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough) => {
                if words.pop() == Some(false) {
                    return true;
                }
                true
            }
            Event::Text(text) => text.contains(char::is_alphanumeric),
            Event::Code(_) => true,
            _ => false,
        };
        if let Some(word) = words.last_mut() {
            *word |= is_word;
        }
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4_000,
        max_global_rejects: 100_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn emphasis_is_that_of_commonmark(
        text in texts(&[
            "a", "b c", "ä", " ", " ", "*", "*", "**", "***", "_", "_", "~~", ",", "(", ")", "\n", "\\*", "\\_", "`d`", "``e`f``",
            "[g](https://h.example)", "[", "]",
        ])
    ) {
        // A text and nothing else: no lists, code or lines below a heading.
        let text = format!("x {}", text.replace("\n", "\nx "));
        prop_assume!(!has_signs_of_chats(&text) && !emphasises_signs(&text));
        // An empty or relative target is no link in a chat.
        prop_assume!(!text.replace("g](https", "").contains("]("));
        // Code within a line ends in that line; so no backticks may join and look for others further down.
        prop_assume!(!text.contains("`d``") && !text.contains("f```"));
        prop_assert_eq!(ours(&text), theirs(&text));
    }

    #[test]
    fn quotes_lists_and_code_are_those_of_commonmark(
        lines in prop::collection::vec(
            prop::sample::select(vec![
                "a", "*b* c", "", "> d", "> **e**", "> > f", "> ```\n> g *h*\n> ```", "- i", "- j `k`", "  - l", "    - m", "1. n",
                "```\no\n\n  *p*\n```", "```rust\n- q\n```", "[r](https://s.example/t)",
            ]),
            0..12,
        )
    ) {
        // In chats, what stands on the line after a quote or an item is no part of it.
        let is_inner = |line: &str| line.starts_with("- ") || line.starts_with(' ') || line.starts_with('>');
        let mut text = String::new();
        let mut before = "";
        let mut columns: Vec<usize> = Vec::new();
        for line in &lines {
            let column = line.len() - line.trim_start().len();
            let is_item = line.trim_start().starts_with("- ") || line.starts_with("1.");
            // An item can be nested only in one that is less indented, and nothing indented may follow without it.
            if column > 0 && !(is_item && columns.last().is_some_and(|last| column <= last + 2)) {
                continue;
            }
            if line.starts_with("- ") || column > 0 { columns.push(column) } else { columns.clear() }
            let depth = |line: &str| line.matches('>').count();
            let is_apart = before.is_empty() || is_item && before.trim_start().starts_with("- ")
                || is_inner(before) && depth(line) == depth(before) && depth(line) == 1 && !line.contains('`');
            if !is_apart { text += "\n" }
            text += line;
            text += "\n";
            before = line;
        }
        prop_assert_eq!(ours(&text), theirs(&text), "{}", text);
    }

    #[test]
    fn nothing_is_lost_but_markers(
        text in texts(&[
            "a", "ä", "漢", "👍", " ", "\n", "\t", "*", "**", "_", "~~", "`", "```", "[", "](", ")", "https://a.example", "\\", "> ", "- ",
            "1. ", "¯", "!", "(", "<b>", "&amp;", "#", "\u{202e}", "\u{200d}", "\u{301}", "1️⃣",
        ])
    ) {
        let shown: String = ours(&text).into_iter().map(|seen| seen.character).collect();
        // What is shown are the characters of the message in their order, without some signs and targets of links.
        let mut rest = text.chars();
        for character in shown.chars() {
            prop_assert!(rest.any(|other| other == character), "{:?} shows {:?}", text, shown);
        }
        let letters = |text: &str| text.chars().filter(|c| "äa漢👍b;&#¯".contains(*c)).count();
        if !text.contains("](") && !text.contains("```") {
            prop_assert_eq!(letters(&shown), letters(&text));
        }
    }
}
