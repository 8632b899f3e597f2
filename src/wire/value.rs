//! Values, which applications send to each other.

/// One value that an application sends to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// One JSON value, as its text.
    Json(String),
    /// Bytes.
    Bytes {
        /// The kind of the bytes: a short ASCII word of the application's own choice, at most [`MAX_KIND`] bytes.
        kind: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// The purpose of a value. It makes no difference on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Data of the application.
    Data,
    /// A direct message.
    Dm,
}

/// A value has at most this many bytes.
pub const MAX_VALUE: usize = 16 * 1024 * 1024;

/// JSON is nested at most this deep. Firefox stands still for seconds to read millions of lists in each other, and programs
/// that walk through them run out of stack.
pub const MAX_DEPTH: u32 = 1_000;

/// The kind of a value's bytes has at most this many bytes.
pub const MAX_KIND: usize = 100;

/// A question has at most this many bytes, and so has an answer.
pub const MAX_QUESTION: usize = 256 * 1024;

/// Whether valid JSON is nested more than [`MAX_DEPTH`] deep.
pub(super) fn is_too_deep(json: &str) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0, false, false);
    json.bytes().any(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth -= 1,
            _ => {}
        }
        depth > MAX_DEPTH
    })
}
