//! What applications send to each other: values.

/// One value that an application sends to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// One JSON value, as its text.
    Json(String),
    /// Bytes.
    Bytes {
        /// What the application makes of them: a short ASCII word of its own choice, at most [`MAX_KIND`] bytes.
        kind: String,
        /// They.
        bytes: Vec<u8>,
    },
}

/// What a value is for. It makes no difference on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Data of the application.
    Data,
    /// A direct message.
    Dm,
}

/// A value has at most this many bytes.
pub const MAX_VALUE: usize = 16 * 1024 * 1024;

/// The word that says what the bytes are has at most this many.
pub const MAX_KIND: usize = 100;

/// A question, and an answer, has at most this many bytes.
pub const MAX_QUESTION: usize = 256 * 1024;
