//! Entries: what is said in a room, signed by its author, so that it can be kept and passed on.
//!
//! ```text
//! entry = statement ‖ body                            the statement as in `statement.rs`, with the tag "rtchat/1 entry"
//! fixed = author (33) ‖ writer (8) ‖ number (4) ‖ previous (32) ‖ conversation (16) ‖ seen (32) ‖ clock (8)
//!         ‖ kind (2) ‖ length of the body (4) ‖ SHA-256 of the body (32)
//! body  = salt (16) ‖ tab (2) ‖ length of the name (1) ‖ name ‖ content
//! ```
//!
//! What is said to one person is an entry that nobody signed: its signature is 64 zeros. Whoever receives it over the link
//! of its author knows who said it, and cannot prove it to anybody.
//!
//! Whether something is an entry of a room depends on framing, size, room and signature alone. Names and contents that
//! this version cannot read change only what it shows, or two versions would never agree on what they have.

use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use chacha20::rand_core::Rng;

use super::attachment::Attachment;
use super::bytes::{Reader, push_u16};
use super::extension::Extensions;
use super::room_keys::RoomId;
use super::statement::{Fields, Statement, StatementError, StatementId, Unsigned};
use crate::identity::framing::{sha256, short_hash};
use crate::identity::name::display;
use crate::identity::{KeyError, Name, PeerId, PublicKey, Signature, SignatureCheck};
use crate::time::Millis;

/// The longest body, in bytes: the longest text of four-byte characters, and what stands around it.
pub const MAX_BODY: usize = 40_000 + 512;

/// The largest entry, in bytes.
pub const MAX_ENTRY: usize = MAX_BODY + EntryFields::MAX;

/// An emoji of a reaction has at most this many bytes: families and flags of regions are long.
pub const MAX_EMOJI: usize = 64;

/// The id of an entry. It does not cover the signature.
pub type EntryId = StatementId;

/// Identifies a conversation within its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId(pub [u8; 16]);

impl ConversationId {
    /// The channel of this name.
    pub fn channel(name: &str) -> ConversationId {
        ConversationId(short_hash(&[b"rtchat/1 channel", name.as_bytes()]))
    }

    /// The conversation of two people, the same for both.
    pub fn direct(one: &PublicKey, other: &PublicKey) -> ConversationId {
        let (first, second) = if one < other {
            (one, other)
        } else {
            (other, one)
        };
        ConversationId(short_hash(&[b"rtchat/1 direct", &first.0, &second.0]))
    }
}

/// A hybrid logical clock: 48 bits of milliseconds since the Unix epoch, and 16 bits that count what happened within one
/// millisecond, or before a clock that is behind has caught up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clock(pub u64);

impl Clock {
    /// The first moment of this millisecond.
    pub fn at(time: Millis) -> Clock {
        Clock(time.0 << 16)
    }

    /// The millisecond.
    pub fn millis(self) -> Millis {
        Millis(self.0 >> 16)
    }

    /// The next moment after this one, and not before `now`.
    pub fn next(self, now: Millis) -> Clock {
        Clock(self.0.saturating_add(1)).max(Clock::at(now))
    }
}

/// The place of an entry in its conversation, the same for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The author's clock.
    pub clock: Clock,
    /// The entry's id.
    pub id: EntryId,
}

impl Position {
    /// After all entries.
    pub const END: Position = Position {
        clock: Clock(u64::MAX),
        id: StatementId([0xff; 32]),
    };

    /// Writes it as clock (8 bytes) and id (32). Byte by byte, these are in the order of their places.
    pub fn to_bytes(&self) -> [u8; 40] {
        let mut bytes = [0; 40];
        let (clock, id) = bytes.split_at_mut(8);
        clock.copy_from_slice(&self.clock.0.to_be_bytes());
        id.copy_from_slice(&self.id.0);
        bytes
    }

    /// Reads what [`Position::to_bytes`] returned. `None` if it is anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Position> {
        let mut reader = Reader::new(bytes);
        let position = Position {
            clock: Clock(reader.u64()?),
            id: StatementId(reader.array()?),
        };
        reader.is_empty().then_some(position)
    }
}

/// The signed part of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFields {
    /// The author's key.
    pub author: PublicKey,
    /// The author's session: the first 8 bytes of its peer id.
    pub writer: [u8; 8],
    /// Counts what this writer said in this conversation, from 0: a gap shows that something is missing, and two ids with
    /// one number prove that the author said different things to different people.
    pub number: u32,
    /// The id of this writer's entry before, or zeros.
    pub previous: EntryId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The newest entry of the conversation that the author had, or zeros.
    pub seen: EntryId,
    /// The author's clock.
    pub clock: Clock,
    /// What the content is: see [`Content`].
    pub kind: u16,
    /// The length of the body in bytes, at most [`MAX_BODY`].
    pub body_length: u32,
    /// The SHA-256 of the body.
    pub body_hash: [u8; 32],
}

impl Fields for EntryFields {
    const TAG: &'static str = "rtchat/1 entry";
    const MAX: usize = 512;

    fn read(reader: &mut Reader<'_>) -> Option<EntryFields> {
        Some(EntryFields {
            author: PublicKey(reader.array()?),
            writer: reader.array()?,
            number: reader.u32()?,
            previous: StatementId(reader.array()?),
            conversation: ConversationId(reader.array()?),
            seen: StatementId(reader.array()?),
            clock: Clock(reader.u64()?),
            kind: reader.u16()?,
            body_length: reader.u32().filter(|length| *length as usize <= MAX_BODY)?,
            body_hash: reader.array()?,
        })
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.author.0);
        to.extend_from_slice(&self.writer);
        to.extend_from_slice(&self.number.to_be_bytes());
        to.extend_from_slice(&self.previous.0);
        to.extend_from_slice(&self.conversation.0);
        to.extend_from_slice(&self.seen.0);
        to.extend_from_slice(&self.clock.0.to_be_bytes());
        to.extend_from_slice(&self.kind.to_be_bytes());
        to.extend_from_slice(&self.body_length.to_be_bytes());
        to.extend_from_slice(&self.body_hash);
    }
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// 1: a message. `00` or `20 ‖ id` of the message that it answers, then the text.
    Say {
        /// The message that it answers.
        reply_to: Option<EntryId>,
        /// The text.
        text: String,
    },
    /// 2: another text for a message of the same author. Its id, then the text.
    Edit {
        /// The message.
        target: EntryId,
        /// The text.
        text: String,
    },
    /// 3: a message of the same author is taken back. Its id.
    Retract {
        /// The message.
        target: EntryId,
    },
    /// 4: a reaction to a message, or that it is taken back. The id, `01` or `00`, then the emoji.
    React {
        /// The message.
        target: EntryId,
        /// The emoji.
        emoji: String,
        /// Whether it is set.
        on: bool,
    },
    /// 5: a message with a file. As 1, but with the length of the description (2 bytes) and the description of the file
    /// before the text, which may be empty.
    File {
        /// The message that it answers.
        reply_to: Option<EntryId>,
        /// The file.
        file: Box<Attachment>,
        /// The text.
        text: String,
    },
}

impl Content {
    /// The kind that stands in the signed part.
    pub fn kind(&self) -> u16 {
        match self {
            Content::Say { .. } => 1,
            Content::Edit { .. } => 2,
            Content::Retract { .. } => 3,
            Content::React { .. } => 4,
            Content::File { .. } => 5,
        }
    }

    /// The entry that this one refers to.
    pub fn target(&self) -> Option<EntryId> {
        match self {
            Content::Say { .. } | Content::File { .. } => None,
            Content::Edit { target, .. }
            | Content::Retract { target }
            | Content::React { target, .. } => Some(*target),
        }
    }

    /// Reads a content; `None` if it is of a kind that this version does not know, or cannot be read.
    fn read(kind: u16, mut reader: Reader<'_>) -> Option<Content> {
        let target = |reader: &mut Reader<'_>| reader.array().map(StatementId);
        let text = |reader: Reader<'_>| str::from_utf8(reader.rest()).ok().map(str::to_owned);
        Some(match kind {
            1 => Content::Say {
                reply_to: read_reply_to(&mut reader)?,
                text: text(reader)?,
            },
            2 => Content::Edit {
                target: target(&mut reader)?,
                text: text(reader)?,
            },
            3 => Content::Retract {
                target: target(&mut reader)?,
            },
            4 => Content::React {
                target: target(&mut reader)?,
                on: reader.u8()? == 1,
                emoji: text(reader).filter(|emoji| (1..=MAX_EMOJI).contains(&emoji.len()))?,
            },
            5 => Content::File {
                reply_to: read_reply_to(&mut reader)?,
                file: Box::new(Attachment::read(&mut Reader::new(reader.slice_u16()?))?),
                text: text(reader)?,
            },
            _ => return None,
        })
    }

    fn write(&self, to: &mut Vec<u8>) {
        match self {
            Content::Say { reply_to, text } => {
                write_reply_to(reply_to.as_ref(), to);
                to.extend_from_slice(text.as_bytes());
            }
            Content::File {
                reply_to,
                file,
                text,
            } => {
                write_reply_to(reply_to.as_ref(), to);
                let mut bytes = Vec::new();
                file.write(&mut bytes);
                // A description has at most 2,300 bytes.
                let _ = push_u16(to, &bytes);
                to.extend_from_slice(text.as_bytes());
            }
            Content::Edit { target, text } => {
                to.extend_from_slice(&target.0);
                to.extend_from_slice(text.as_bytes());
            }
            Content::Retract { target } => to.extend_from_slice(&target.0),
            Content::React { target, emoji, on } => {
                to.extend_from_slice(&target.0);
                to.push(u8::from(*on));
                to.extend_from_slice(emoji.as_bytes());
            }
        }
    }
}

fn read_reply_to(reader: &mut Reader<'_>) -> Option<Option<EntryId>> {
    match reader.u8()? {
        0 => Some(None),
        32 => Some(Some(StatementId(reader.array()?))),
        _ => None,
    }
}

fn write_reply_to(reply_to: Option<&EntryId>, to: &mut Vec<u8>) {
    to.push(if reply_to.is_some() { 32 } else { 0 });
    if let Some(reply_to) = reply_to {
        to.extend_from_slice(&reply_to.0);
    }
}

/// The body of an entry, as far as this version can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryBody {
    /// The author's name at that time.
    pub name: Name,
    /// The number of the author's tab, from 1.
    pub tab: u16,
    /// What it says.
    pub content: Content,
}

impl EntryBody {
    /// The author's name as it was shown at that time.
    pub fn user(&self) -> String {
        display(&self.name, self.tab.into())
    }

    fn read(kind: u16, bytes: &[u8]) -> Option<EntryBody> {
        let (name, tab, content) = EntryBody::parts(kind, bytes)?;
        let name = Name::parse_exact(name)?;
        Some(EntryBody { name, tab, content })
    }

    /// The name, which is not checked, the number of the tab, and the content.
    fn parts(kind: u16, bytes: &[u8]) -> Option<(&str, u16, Content)> {
        let mut reader = Reader::new(bytes);
        let _salt: [u8; 16] = reader.array()?;
        let tab = reader.u16().filter(|tab| *tab != 0)?;
        let length = reader.u8()?;
        let name = str::from_utf8(reader.slice(length.into())?).ok()?;
        Some((name, tab, Content::read(kind, reader)?))
    }

    fn write(&self, salt: [u8; 16]) -> Vec<u8> {
        let mut bytes = salt.to_vec();
        bytes.extend_from_slice(&self.tab.to_be_bytes());
        // A name has at most 40 characters of 4 bytes.
        let name = self.name.as_str().as_bytes();
        bytes.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(name);
        self.content.write(&mut bytes);
        bytes
    }
}

/// Where an entry of our own stands.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Our key.
    pub author: PublicKey,
    /// Our session.
    pub writer: [u8; 8],
    /// How much we have said in this conversation.
    pub number: u32,
    /// What we said before.
    pub previous: EntryId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The newest entry of the conversation that we have.
    pub seen: EntryId,
    /// Our clock.
    pub clock: Clock,
}

/// An entry that still has to be signed.
#[derive(Debug, Clone)]
pub struct Draft {
    unsigned: Unsigned<EntryFields>,
    body: Vec<u8>,
}

impl Draft {
    /// Makes an entry. The salt keeps its hash from telling what was said, once the body has been taken back.
    ///
    /// # Errors
    /// [`StatementError::TooLarge`] if the content is longer than [`MAX_BODY`].
    pub fn new(
        place: &Place,
        body: &EntryBody,
        rng: &mut impl Rng,
    ) -> Result<Draft, StatementError> {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let bytes = body.write(salt);
        if bytes.len() > MAX_BODY {
            return Err(StatementError::TooLarge);
        }
        let fields = EntryFields {
            author: place.author,
            writer: place.writer,
            number: place.number,
            previous: place.previous,
            conversation: place.conversation,
            seen: place.seen,
            clock: place.clock,
            kind: body.content.kind(),
            body_length: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            body_hash: sha256(&bytes),
        };
        Ok(Draft {
            unsigned: Unsigned::new(fields, Extensions::default())?,
            body: bytes,
        })
    }

    /// The message that has to be signed. Its SHA-256 is the entry's id.
    pub fn message(&self, room: &RoomId) -> Vec<u8> {
        self.unsigned.message(room)
    }

    /// The entry with its signature.
    ///
    /// # Errors
    /// [`KeyError::BadSignature`] if `r` or `s` is out of range.
    pub fn signed(self, room: &RoomId, signature: Signature) -> Result<Entry, KeyError> {
        let statement = self.unsigned.signed(signature)?;
        Ok(Entry::new(statement, Some(self.body), room))
    }

    /// The entry without a signature: what is said to one person can be denied.
    pub fn unsigned(self, room: &RoomId) -> Entry {
        Entry::new(self.unsigned.without_signature(), Some(self.body), room)
    }
}

/// The reason why bytes are no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The signed part cannot be read.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The body is not the one that was signed.
    #[error("The text of the entry is not the one that was signed.")]
    WrongBody,
}

/// An entry as it was received. Reading it checks no signature: see [`Entry::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    id: EntryId,
    statement: Statement<EntryFields>,
    body: Option<Vec<u8>>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entry").field(&self.id).finish()
    }
}

impl core::ops::Deref for Entry {
    type Target = EntryFields;

    fn deref(&self) -> &EntryFields {
        self.statement.fields()
    }
}

impl Entry {
    fn new(statement: Statement<EntryFields>, body: Option<Vec<u8>>, room: &RoomId) -> Entry {
        Entry {
            id: statement.id(room),
            statement,
            body,
        }
    }

    /// Reads an entry of this room that is all of `bytes`. Without a body, it is one that was taken back.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn parse(bytes: &[u8], room: &RoomId) -> Result<Entry, EntryError> {
        let mut reader = Reader::new(bytes);
        let statement = Statement::<EntryFields>::read(&mut reader)?;
        let (body, fields) = (reader.rest(), statement.fields());
        if body.is_empty() {
            return Ok(Entry::new(statement, None, room));
        }
        if body.len() != fields.body_length as usize || sha256(body) != fields.body_hash {
            return Err(EntryError::WrongBody);
        }
        let body = body.to_vec();
        Ok(Entry::new(statement, Some(body), room))
    }

    /// Appends the entry to `to`.
    pub fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self.statement.as_bytes());
        to.extend_from_slice(self.body.as_deref().unwrap_or_default());
    }

    /// Its size in bytes.
    pub fn size(&self) -> usize {
        self.statement.as_bytes().len() + self.body.as_ref().map_or(0, Vec::len)
    }

    /// Its id.
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// Its place in the conversation.
    pub fn position(&self) -> Position {
        Position {
            clock: self.clock,
            id: self.id,
        }
    }

    /// Its body; `None` if it was taken back, or cannot be read by this version.
    pub fn body(&self) -> Option<EntryBody> {
        EntryBody::read(self.kind, self.body.as_deref()?)
    }

    /// Returns what the entry says, without checking its author's name, which takes much longer than reading the content.
    pub fn content(&self) -> Option<Content> {
        let (.., content) = EntryBody::parts(self.kind, self.body.as_deref()?)?;
        Some(content)
    }

    /// Whether it has its body.
    pub fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// Drops the body: the signed part stays.
    pub fn take_back(&mut self) {
        self.body = None;
    }

    /// Whether nobody signed it.
    pub fn is_unsigned(&self) -> bool {
        self.statement.is_unsigned()
    }

    /// Returns the check that tells whether its author signed it for this room.
    ///
    /// # Errors
    /// As [`Statement::check`].
    pub fn check(&self, room: &RoomId) -> Result<SignatureCheck, KeyError> {
        self.statement.check(room, &self.author)
    }

    /// Checks that its author signed it for this room.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify(&self, room: &RoomId) -> Result<(), KeyError> {
        self.statement.verify(room, &self.author)
    }
}

/// The writer of a session.
pub fn writer(peer: &PeerId) -> [u8; 8] {
    let mut writer = [0; 8];
    writer.copy_from_slice(&peer.0[..8]);
    writer
}

/// The text by which people and programs know an entry: base64url without padding.
pub fn entry_name(id: &EntryId) -> String {
    Base64UrlUnpadded::encode_string(&id.0)
}

/// Reads the text of [`entry_name`].
pub fn parse_entry_name(text: &str) -> Option<EntryId> {
    let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
    bytes.try_into().ok().map(StatementId)
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
