//! Calls, and what others show to whoever opens it.

use std::rc::Rc;

use super::State;
use crate::identity::PeerId;
use crate::room::{CallEvent, CallLine, CallNote, Conversation, TheirShare};

impl State {
    pub(super) fn on_call(&mut self, event: CallEvent, day: i32) {
        match event {
            CallEvent::Changed(view) => self.calls = Rc::new(*view),
            CallEvent::Noted(note) => {
                let conversation = note.conversation.clone();
                self.within(&conversation, |state| state.add_call(*note, day));
            }
        }
    }

    /// Adds a line about a call. A missed one waits to be read, here or in another tab.
    fn add_call(&mut self, note: CallNote, day: i32) {
        let is_new = note.is_new;
        let is_unseen = note.what == CallLine::Missed && !note.is_seen;
        let is_watched = self.is_watched();
        let talk = &mut self.talk;
        if let Some(user) = note.user.as_ref().filter(|_| talk.is_direct())
            && (is_new || talk.name.is_empty())
        {
            talk.name.clone_from(user);
        }
        let Some(seq) = Rc::make_mut(&mut talk.log).called(note, day) else {
            if !is_unseen && talk.missed > 0 {
                talk.missed -= 1;
                talk.unread = talk.unread.saturating_sub(1);
            }
            return;
        };
        if is_unseen {
            talk.last_missed = Some(seq);
            if !is_watched {
                if talk.unread == 0 {
                    talk.unread_from = Some(seq);
                }
                talk.unread = talk.unread.saturating_add(1);
                talk.missed = talk.missed.saturating_add(1);
            }
        }
    }

    /// The last missed call of what is open, if the person sees it.
    pub fn missed_call_seen(&self) -> Option<(Conversation, u32)> {
        let last = self.talk.last_missed.filter(|_| self.is_watched())?;
        Some((self.talk.conversation.clone(), last))
    }

    /// What somebody shows to whoever opens it.
    pub fn share_of(&self, peer: &PeerId) -> Option<&TheirShare> {
        self.calls.shares.iter().find(|share| share.peer == *peer)
    }
}
