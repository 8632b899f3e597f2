//! What is noted about calls in their conversations. It is kept, so that a missed call can still be seen after a reload.

use crate::room::cx::Cx;
use crate::room::io::{
    CallEvent, CallId, CallLine, CallNote, Conversation, Event, Order, Output, StoreCommand,
    StoreEvent,
};
use crate::time::Millis;
use crate::wire::bytes::{Reader, push_u16};

/// The name of the value that is kept.
pub const CALLS: &str = "calls";
/// The most notes of one conversation, so that nobody who rings all day pushes out those about others …
const MAX_IN_ONE: usize = 25;
/// … and of all.
const MAX_NOTES: usize = 100;
/// The most bytes of a name, or of a conversation.
const MAX_TEXT: usize = 1_024;

/// The newest notes, the oldest of them first.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<CallNote>);

impl Notes {
    /// Notes something that has just happened, and keeps it.
    pub fn add(
        &mut self,
        call: CallId,
        conversation: Conversation,
        user: Option<String>,
        what: CallLine,
        cx: &mut Cx,
    ) {
        let note = CallNote {
            call,
            conversation,
            user,
            what,
            at: cx.now,
            order: Order::at(cx.now),
            is_new: true,
            is_seen: what != CallLine::Missed,
        };
        tell(note.clone(), cx);
        self.0.push(CallNote {
            is_new: false,
            ..note
        });
        self.shorten();
        self.keep(cx);
    }

    /// The person has seen the notes of a conversation.
    pub fn seen(&mut self, conversation: &Conversation, cx: &mut Cx) {
        let mut any = false;
        for note in &mut self.0 {
            if note.conversation == *conversation {
                any |= !note.is_seen;
                note.is_seen = true;
            }
        }
        if any {
            self.keep(cx);
        }
    }

    /// A conversation is deleted.
    pub fn delete(&mut self, conversation: &Conversation, cx: &mut Cx) {
        let before = self.0.len();
        self.0.retain(|note| note.conversation != *conversation);
        if self.0.len() < before {
            self.keep(cx);
        }
    }

    /// Everything is deleted, and what is kept, too.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Handles an event of the store.
    pub fn on_store(&mut self, event: &StoreEvent, cx: &mut Cx) {
        match event {
            StoreEvent::State(CALLS, bytes) => self.merge(read(bytes, cx.now), cx),
            StoreEvent::Replaced if !self.0.is_empty() => self.keep(cx),
            StoreEvent::RoomDeleted => self.clear(),
            StoreEvent::ConversationDeleted(id) => {
                let own = cx.own.key;
                self.0.retain(|note| note.conversation.id(&own) != *id);
            }
            _ => {}
        }
    }

    /// Adds what was kept before, or by another tab. The value that is kept loses nothing of what we know.
    fn merge(&mut self, theirs: Vec<CallNote>, cx: &mut Cx) {
        for note in &theirs {
            let same = |own: &&mut CallNote| own.call == note.call && own.what == note.what;
            match self.0.iter_mut().find(same) {
                Some(own) if own.is_seen || !note.is_seen => continue,
                Some(own) => own.is_seen = true,
                None => {
                    let earlier = self.0.iter().take_while(|own| own.at <= note.at);
                    self.0.insert(earlier.count(), note.clone());
                }
            }
            tell(note.clone(), cx);
        }
        self.shorten();
        let is_known = |own: &CallNote| {
            let mut theirs = theirs.iter();
            theirs.any(|its| (its.call, its.what, its.is_seen) == (own.call, own.what, own.is_seen))
        };
        if !self.0.iter().all(is_known) {
            self.keep(cx);
        }
    }

    /// Forgets the oldest of those that are too many.
    fn shorten(&mut self) {
        let mut index = self.0.len();
        while index > 0 {
            index -= 1;
            let conversation = &self.0[index].conversation;
            let after = &self.0[index + 1..];
            let newer = after.iter().filter(|its| its.conversation == *conversation);
            if newer.count() >= MAX_IN_ONE || after.len() >= MAX_NOTES {
                self.0.remove(index);
            }
        }
    }

    fn keep(&self, cx: &mut Cx) {
        let state = write(&self.0);
        cx.output(Output::Store(StoreCommand::PutState(CALLS, state)));
    }
}

fn tell(note: CallNote, cx: &mut Cx) {
    cx.event(Event::Call(CallEvent::Noted(Box::new(note))));
}

fn write(notes: &[CallNote]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for note in notes {
        bytes.extend_from_slice(&note.call.0);
        bytes.extend_from_slice(&note.at.0.to_be_bytes());
        let (what, seconds) = match note.what {
            CallLine::Missed => (0, 0),
            CallLine::NotAnswered => (1, 0),
            CallLine::Declined => (2, 0),
            CallLine::Unable => (3, 0),
            CallLine::Ended(seconds) => (4, seconds),
        };
        bytes.extend_from_slice(&[what, u8::from(note.is_seen)]);
        bytes.extend_from_slice(&seconds.to_be_bytes());
        let user = note.user.as_deref().unwrap_or_default();
        for text in [&note.conversation.to_string(), user] {
            // Neither is ever that long.
            let _ = push_u16(&mut bytes, text.as_bytes());
        }
    }
    bytes
}

/// Reads what [`write`] wrote, as far as it can be read.
fn read(bytes: &[u8], now: Millis) -> Vec<CallNote> {
    let mut reader = Reader::new(bytes);
    let mut next = || {
        let call = CallId(reader.array()?);
        let at = Millis(reader.u64()?).min(now);
        let [what, is_seen] = reader.array()?;
        let seconds = reader.u64()?;
        let what = match what {
            0 => CallLine::Missed,
            1 => CallLine::NotAnswered,
            2 => CallLine::Declined,
            3 => CallLine::Unable,
            4 => CallLine::Ended(seconds),
            _ => return None,
        };
        let mut text = || {
            let text = reader.slice_u16().filter(|text| text.len() <= MAX_TEXT)?;
            core::str::from_utf8(text).ok()
        };
        let conversation = Conversation::parse(text()?)?;
        let user = text()?;
        Some(CallNote {
            call,
            conversation,
            user: (!user.is_empty()).then(|| user.to_owned()),
            what,
            at,
            order: Order::at(at),
            is_new: false,
            is_seen: is_seen != 0,
        })
    };
    core::iter::from_fn(&mut next).take(MAX_NOTES).collect()
}
