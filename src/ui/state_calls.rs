//! Calls, and what others show to whoever opens it.

use std::rc::Rc;

use super::State;
use crate::identity::PeerId;
use crate::room::{CallEvent, CallLine, TheirShare};
use crate::ui::timeline::Called;

impl State {
    pub(super) fn on_call(&mut self, event: CallEvent) {
        match event {
            CallEvent::Changed(view) => self.calls = Rc::new(*view),
            CallEvent::Told {
                conversation,
                user,
                what,
                at,
            } => {
                let called = Called { user, what, at };
                self.within(&conversation, |state| state.add_call(called));
            }
        }
    }

    /// Adds a line about a call. A missed one waits to be read.
    fn add_call(&mut self, called: Called) {
        let is_missed = called.what == CallLine::Missed;
        if let Some(user) = called.user.as_ref().filter(|_| self.talk.is_direct()) {
            self.talk.name.clone_from(user);
        }
        let seq = Rc::make_mut(&mut self.talk.log).called(called);
        if is_missed && !self.is_watched() {
            if self.talk.unread == 0 {
                self.talk.unread_from = Some(seq);
            }
            self.talk.unread = self.talk.unread.saturating_add(1);
        }
    }

    /// What somebody shows to whoever opens it.
    pub fn share_of(&self, peer: &PeerId) -> Option<&TheirShare> {
        self.calls.shares.iter().find(|share| share.peer == *peer)
    }
}
