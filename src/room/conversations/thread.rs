//! The conversations of the room: its channels, and those with one person.

use super::attached;
use super::log::Log;
use super::message;
use crate::identity::PublicKey;
use crate::room::cx::Cx;
use crate::room::io::{ChatEvent, Conversation, Deletion};
use crate::room::members::Members;
use crate::wire::entry::{ConversationId, EntryId, Position};
use crate::wire::frame::{ShortId, short};

/// The most people with whom there is a conversation. A new one then takes the place of the one that was silent for
/// longest among those in which we said nothing.
pub(super) const MAX_DIRECT: usize = 256;
/// How many more entries are shown when people ask for older ones.
const MORE: usize = 100;

/// One conversation.
#[derive(Debug)]
pub(super) struct Thread {
    pub conversation: Conversation,
    pub id: ConversationId,
    pub log: Log,
    /// What lies before this place came from the store, and is not shown yet.
    horizon: Option<Position>,
    /// Whether its newest records have come from the store.
    is_restored: bool,
}

impl Thread {
    fn new(conversation: Conversation, own: &PublicKey) -> Thread {
        Thread {
            id: conversation.id(own),
            conversation,
            log: Log::default(),
            horizon: None,
            is_restored: false,
        }
    }

    /// The other person, in a direct conversation.
    pub fn other(&self) -> Option<&PublicKey> {
        match &self.conversation {
            Conversation::Channel(_) => None,
            Conversation::Direct(other) => Some(other),
        }
    }

    /// Shows a message as it looks now, if it is here.
    pub fn show(&mut self, id: &EntryId, members: &Members, cx: &mut Cx) {
        let name = short(id);
        let is_hidden = |position: Position| self.horizon.is_some_and(|from| position < from);
        let held = self.log.get(&name);
        if held.is_none_or(|held| !held.is_shown && is_hidden(held.entry.position())) {
            return;
        }
        let message = message::message(&self.conversation, &self.log, id, members, cx);
        let Some(message) = message.map(Box::new) else {
            return;
        };
        attached(&message, name, false, members, cx);
        cx.chat(if self.log.show(&name) {
            ChatEvent::Changed(message)
        } else {
            ChatEvent::Message(message)
        });
    }

    /// Notes that the newest records have come from the store, the oldest of which has this place.
    pub fn restored(&mut self, oldest: Position) {
        if !core::mem::replace(&mut self.is_restored, true) {
            self.horizon = Some(oldest);
        }
    }

    /// Notes that much has come at once, of which only the newest is shown, and nothing between what was shown before.
    #[cfg(feature = "export")]
    pub fn shorten(&mut self) {
        if self.horizon.is_none() {
            let shown = self.log.oldest_shown();
            let last = self.log.last_but(MORE);
            self.horizon = shown.into_iter().chain(last).min();
        }
    }

    /// Shows more of what is here. Returns false if everything is shown.
    pub fn show_more(&mut self, members: &Members, cx: &mut Cx) -> bool {
        let Some(horizon) = self.horizon else {
            return false;
        };
        let before = self.log.before(horizon, MORE);
        match before.first() {
            Some(first) => self.reveal(*first, members, cx),
            None => self.horizon = None,
        }
        !before.is_empty()
    }

    /// Shows everything from this place on.
    pub fn reveal(&mut self, from: Position, members: &Members, cx: &mut Cx) {
        let Some(horizon) = self.horizon.filter(|horizon| from < *horizon) else {
            return;
        };
        self.horizon = Some(from);
        for position in self.log.between(from, horizon) {
            self.show(&position.id, members, cx);
        }
    }

    /// Forgets everything that was said.
    pub fn clear(&mut self) {
        self.log = Log::default();
        self.horizon = None;
    }
}

/// All conversations.
#[derive(Debug)]
pub(super) struct Threads {
    all: Vec<Thread>,
    channels: usize,
}

impl Threads {
    /// Creates the channels.
    pub fn new(channels: &[String], own: &PublicKey) -> Threads {
        let channel = |name: &String| Thread::new(Conversation::Channel(name.clone()), own);
        Threads {
            all: channels.iter().map(channel).collect(),
            channels: channels.len(),
        }
    }

    /// All of them: the channels, then those with one person.
    pub fn iter(&self) -> core::slice::Iter<'_, Thread> {
        self.all.iter()
    }

    pub fn iter_mut(&mut self) -> core::slice::IterMut<'_, Thread> {
        self.all.iter_mut()
    }

    pub fn get(&self, id: &ConversationId) -> Option<&Thread> {
        self.iter().find(|thread| thread.id == *id)
    }

    pub fn get_mut(&mut self, id: &ConversationId) -> Option<&mut Thread> {
        self.iter_mut().find(|thread| thread.id == *id)
    }

    /// The conversation that has a message.
    pub fn of_message(&self, id: &ShortId) -> Option<&Thread> {
        self.iter().find(|thread| thread.log.contains(id))
    }

    /// The conversation that people know so, `None` for the first channel; the one with a person begins when it is first
    /// asked for. `None` if there is no such channel, or if there are too many conversations, or none with one person here.
    pub fn find(
        &mut self,
        conversation: Option<&Conversation>,
        cx: &mut Cx,
    ) -> Option<&mut Thread> {
        match conversation {
            None => self.all.first_mut(),
            Some(Conversation::Direct(other)) => self.direct(*other, cx),
            Some(conversation) => self
                .iter_mut()
                .find(|thread| thread.conversation == *conversation),
        }
    }

    /// The conversation with a person, unless the site leaves those out.
    pub fn direct(&mut self, other: PublicKey, cx: &mut Cx) -> Option<&mut Thread> {
        if !cx.features.direct {
            return None;
        }
        let thread = Thread::new(Conversation::Direct(other), &cx.own.key);
        let found = self.iter().position(|known| known.id == thread.id);
        let at = match found {
            Some(at) => at,
            None => {
                if self.all.len() - self.channels >= MAX_DIRECT {
                    self.drop_silent(cx)?;
                }
                self.all.push(thread);
                self.all.len() - 1
            }
        };
        self.all.get_mut(at)
    }

    fn drop_silent(&mut self, cx: &mut Cx) -> Option<()> {
        let direct = self.all.iter().enumerate().skip(self.channels);
        let is_ours = |thread: &Thread| {
            let mut entries = thread.log.iter();
            entries.any(|held| held.entry.author == cx.own.key || held.origin.is_unproven)
        };
        let silent = direct.filter(|(_, thread)| !is_ours(thread));
        let (at, _) = silent.min_by_key(|(_, thread)| thread.log.clock())?;
        let thread = self.all.remove(at);
        cx.chat(ChatEvent::Deleted(Deletion::Conversation(
            thread.conversation,
        )));
        Some(())
    }

    /// Ends the conversation with a person.
    pub fn remove(&mut self, id: &ConversationId) {
        let mut directs = self.all.iter().skip(self.channels);
        if let Some(at) = directs.position(|thread| thread.id == *id) {
            self.all.remove(self.channels + at);
        }
    }
}
