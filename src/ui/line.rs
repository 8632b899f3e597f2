//! What a line of the log is: a message, something about a call, or people who joined, left or changed their names.

use std::rc::Rc;

use crate::identity::{PublicKey, Trust};
use crate::room::{CallNote, Message, Order, Unsaid};
use crate::ui::mentions::Mention;

/// At most this many people are named in one line for each kind of change. Further people are only counted.
pub const MAX_NAMED: usize = 50;

/// The delivery state of a message that the person sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Nobody was here to receive it.
    ToNobody,
    /// It waits for this many people, to none of whom there is a connection.
    Waiting(u32),
    /// It was sent, and nobody has confirmed it yet.
    Sent,
    /// The first number of people have received it, out of the second number it was sent to.
    Delivered(u32, u32),
    /// It was not said, and nobody has it.
    Failed(Unsaid),
}

impl Delivery {
    /// Makes the state from the numbers of [`ChatEvent::Delivery`](crate::room::ChatEvent::Delivery).
    pub fn of(sent: u32, delivered: u32, of: u32) -> Delivery {
        match (sent, delivered, of) {
            (_, _, 0) => Delivery::ToNobody,
            (0, 0, of) => Delivery::Waiting(of),
            (_, 0, _) => Delivery::Sent,
            (_, delivered, of) => Delivery::Delivered(delivered, of),
        }
    }
}

/// A message in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The message.
    pub message: Rc<Message>,
    /// The local day of the message, counted from a fixed day.
    pub day: i32,
    /// Whether it is the first message of its day.
    pub new_day: bool,
    /// Whether it begins a group and shows the avatar, name and time.
    pub leads: bool,
    /// The delivery state; `None` if another person sent it.
    pub delivery: Option<Delivery>,
    /// The trust in the sender's key at the time.
    pub trust: Trust,
    /// Whom it mentions, of those who were here when it came.
    pub mentions: Vec<Mention>,
}

impl Said {
    /// Whether the person said it, so that others have it or will.
    pub fn is_said_here(&self) -> bool {
        !matches!(self.delivery, None | Some(Delivery::Failed(_)))
    }

    /// Whether it mentions the person at this browser.
    pub fn calls(&self) -> bool {
        self.mentions.iter().any(|(_, own)| *own)
    }
}

/// The people in one part of a [`Moves`] line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crowd {
    /// The names of the first [`MAX_NAMED`] people.
    pub named: Vec<String>,
    /// The number of further people.
    pub others: u32,
}

impl Crowd {
    /// The number of people.
    pub fn count(&self) -> usize {
        self.named.len().saturating_add(self.others as usize)
    }

    fn contains(&self, user: &str) -> bool {
        self.named.iter().any(|named| named == user)
    }

    /// Removes a name. Returns whether it was listed.
    fn remove(&mut self, user: &str) -> bool {
        let before = self.named.len();
        self.named.retain(|named| named != user);
        self.named.len() < before
    }

    fn add(&mut self, user: String) {
        if self.contains(&user) {
        } else if self.named.len() < MAX_NAMED {
            self.named.push(user);
        } else {
            self.others = self.others.saturating_add(1);
        }
    }
}

/// The people who joined, left or changed their names since the last message, folded into one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// People who joined and are still here.
    pub joined: Crowd,
    /// People who left.
    pub left: Crowd,
    /// Old and new names of people who changed their names.
    pub renamed: Vec<(String, String)>,
    /// The number of further people who changed their names.
    pub more_renamed: u32,
    /// People of whom something could not be read, under the names that they have now, and how much of it.
    pub unreadable: Vec<(PublicKey, String, u32)>,
}

/// A person who joined, left or changed their name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// The person joined.
    Joined(String),
    /// The person left.
    Left(String),
    /// The person changed their name: the old name and the new one.
    Renamed(String, String),
    /// So many more messages of this person could not be read.
    Unreadable(PublicKey, String, u32),
}

impl Moves {
    /// Folds another change into the line.
    pub fn add(&mut self, change: Move) {
        match change {
            // A person who left and came back is still here, so there is nothing to report.
            Move::Joined(user) if self.left.remove(&user) => {}
            Move::Joined(user) => self.joined.add(user),
            Move::Left(user) => {
                self.joined.remove(&user);
                self.left.add(user);
            }
            Move::Renamed(before, now) => self.rename(before, now),
            Move::Unreadable(key, user, count) => {
                let mut known = self.unreadable.iter_mut();
                if let Some(known) = known.find(|known| known.0 == key) {
                    *known = (key, user, known.2.saturating_add(count));
                } else if self.unreadable.len() < MAX_NAMED {
                    self.unreadable.push((key, user, count));
                }
            }
        }
    }

    /// Whether it says that something of this person could not be read.
    pub fn names_unreadable(&self, key: &PublicKey) -> bool {
        self.unreadable.iter().any(|(its, ..)| its == key)
    }

    fn rename(&mut self, before: String, now: String) {
        let joined = &mut self.joined.named;
        if let Some(joined) = joined.iter_mut().find(|joined| **joined == before) {
            *joined = now;
        } else if let Some(at) = self.renamed.iter().position(|(_, name)| *name == before) {
            if self.renamed[at].0 == now {
                self.renamed.remove(at);
            } else {
                self.renamed[at].1 = now;
            }
        } else if self.renamed.len() < MAX_NAMED {
            self.renamed.push((before, now));
        } else {
            self.more_renamed = self.more_renamed.saturating_add(1);
        }
    }
}

/// Something about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The note that says what happened.
    pub note: CallNote,
    /// Its local day, counted from a fixed day.
    pub day: i32,
    /// Whether it is the first of its day.
    pub new_day: bool,
}

/// The content of a line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A message.
    Said(Said),
    /// People who joined, left or changed their names.
    Moves(Moves),
    /// Something about a call.
    Called(Called),
}

impl Content {
    /// The size of its text and names in bytes.
    pub fn bytes(&self) -> usize {
        let names = |names: &[String]| names.iter().map(String::len).sum::<usize>();
        match self {
            Content::Said(Said { message, .. }) => {
                let with = message.with.as_ref().map_or(0, String::len);
                message.text.len() + message.sender.len() + message.id.0.len() + with
            }
            Content::Called(called) => called.note.user.as_ref().map_or(0, String::len),
            Content::Moves(moves) => {
                let renamed = moves.renamed.iter();
                let renamed: usize = renamed.map(|(before, now)| before.len() + now.len()).sum();
                let unreadable = moves.unreadable.iter().map(|(_, user, _)| user.len());
                names(&moves.joined.named)
                    + names(&moves.left.named)
                    + renamed
                    + unreadable.sum::<usize>()
            }
        }
    }
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, which is unique in this log.
    pub seq: u32,
    /// Where it stands among the others: that of its message, or of the line above it.
    pub place: Order,
    /// Its content.
    pub content: Content,
}
