//! What a message looks like: the part of Markdown that people use in chats, in linear time.
//!
//! [`parse`] finds emphasis, code, quotes, lists and links, and leaves everything else as it was typed: lines break
//! where they were broken, numbers of lists are those that were typed, and there are no headings, pictures, tables or
//! HTML. Where CommonMark would take for markup what people mean as signs (faces, paths, products), it is shown as it
//! was typed.

mod block;
#[cfg(test)]
mod cost;
mod emoji;
mod emphasis;
mod html;
mod inline;
mod plain;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use block::parse;
pub use html::html;
pub use plain::plain;

/// Quotes and lists are nested at most this deep. What is nested deeper is shown as it was typed, or at this depth.
pub const MAX_DEPTH: usize = 4;

/// At most this many markers of one message are looked at, so that nobody can fill the page with elements. The text behind
/// them is shown as it was typed.
pub const MAX_MARKS: usize = 2_000;

/// A part of a message with lines of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block<'a> {
    /// Lines of text.
    Text(Vec<Span<'a>>),
    /// A few emoji and nothing else, which is the whole message.
    Emoji(&'a str),
    /// Lines of code, in pieces that follow each other.
    Code {
        /// The word behind the opening fence; empty if there is none.
        language: &'a str,
        /// The code, without blank lines around it.
        text: Vec<&'a str>,
    },
    /// What somebody else said.
    Quote(Vec<Block<'a>>),
    /// Items in a row.
    List(Vec<Item<'a>>),
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    /// How many items it lies in; less than [`MAX_DEPTH`].
    pub depth: usize,
    /// What stands before it: a number as it was typed, or [`BULLET`].
    pub marker: &'a str,
    /// What it says.
    pub spans: Vec<Span<'a>>,
}

/// What stands before the items of a list without numbers.
pub const BULLET: &str = "•";

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span<'a> {
    /// What it is.
    pub content: Content<'a>,
    /// How it is emphasised.
    pub style: Style,
}

/// What a part of a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'a> {
    /// Text, which may contain line breaks.
    Text(&'a str),
    /// Code within a line.
    Code(&'a str),
    /// An address that leads to itself.
    Address(&'a str),
    /// A text that leads somewhere.
    Link {
        /// The `http:` or `https:` address.
        target: &'a str,
        /// Where it leads, unless the text says exactly that. It is always shown: a text can look like another address.
        host: Option<&'a str>,
        /// Text and code.
        label: Vec<Span<'a>>,
    },
}

/// How a part of a line is emphasised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// `*text*` or `_text_`.
    pub emphasis: bool,
    /// `**text**`.
    pub strong: bool,
    /// `~~text~~`.
    pub struck: bool,
}

/// Counts the steps. Only tests use the count.
#[cfg(not(test))]
fn spend(_steps: usize) {}

#[cfg(test)]
use tests::spend;
