//! What is being written: here, by others, and for whom.

use std::rc::Rc;

use super::{State, is_here};
use crate::identity::PeerId;
use crate::room::{Conversation, Message};
use crate::ui::composing::{Composing, Purpose};
use crate::ui::line::{Content, Line};
use crate::ui::mentions::{Mention, mentions};
use crate::ui::texts;
use crate::ui::typed::chosen;

/// Somebody of whose writing nothing was heard for this many seconds has stopped. It is told every three seconds.
pub(in crate::ui) const TYPING: u8 = 6;

impl State {
    /// Somebody writes.
    pub(super) fn types(&mut self, peer: PeerId, conversation: Conversation) {
        self.stops_typing(&peer);
        if self.peer(&peer).is_some_and(|peer| !self.is_own_tab(peer)) {
            self.typing.push((peer, conversation, 0));
        }
    }

    /// A second has passed while somebody writes.
    pub(super) fn look(&mut self) {
        self.typing.retain_mut(|(_, _, age)| {
            *age += 1;
            *age < TYPING
        });
    }

    /// Something was refused: what was sent last, if it is not in the log yet, belongs into the composer again.
    pub(super) fn on_refused(&mut self, reason: String) {
        self.add_notice(reason, None);
        if let Some(draft) = self.sending.take() {
            self.composing = draft.composing.clone().map(|about| {
                let begun = Some(draft.text.clone());
                Rc::new(Composing { begun, ..about })
            });
            self.returned = Some(draft);
        }
    }

    /// Somebody stopped writing.
    pub(super) fn stops_typing(&mut self, peer: &PeerId) {
        self.typing.retain(|(id, _, _)| id != peer);
    }

    /// The line about who is writing in the conversation that is open; empty if nobody is.
    pub fn writing(&self) -> String {
        let here = self.typing.iter();
        let here = here.filter(|(_, conversation, _)| *conversation == self.talk.conversation);
        let names = here.filter_map(|(id, _, _)| self.peer(id));
        let names: Vec<&str> = names.map(|peer| peer.user.as_str()).collect();
        texts::writing(&names)
    }

    /// What was sent last was not refused if it is in the log.
    pub(super) fn arrived_whole(&mut self, message: &Message) {
        if message.own && !message.caught_up {
            self.sending = None;
        }
    }

    /// Begins to edit the last message that the person said and that can be changed.
    pub(super) fn edit_last(&mut self) {
        let own = |line: &Rc<Line>| match &line.content {
            Content::Said(said) if said.is_said_here() => Some(said.message.clone()),
            _ => None,
        };
        let lines = self.talk.log.lines();
        let mut own = (0..lines.len()).rev().filter_map(|at| own(lines.get(at)?));
        let last = own.find(|message| !message.retracted && !message.imported);
        if let Some(message) = last {
            self.composing = Some(Rc::new(Composing::new(Purpose::Edit, &message)));
        }
    }

    /// Whom a text mentions, of those who are here. Nobody has to write the number of a tab.
    pub(super) fn mentions(&self, text: &str) -> Vec<Mention> {
        if !text.contains('@') {
            return Vec::new();
        }
        let mut names = Vec::new();
        let mut add = |user, own| names.extend([(user, own), (chosen(user), own)]);
        for peer in self.people.iter() {
            add(peer.user.as_str(), false);
        }
        if let Some(own) = &self.own {
            add(&own.user, true);
        }
        mentions(text, &names)
    }

    /// The names of the others who are here, one a line, for whoever writes an `@`.
    pub fn names(&self) -> String {
        let mut names = String::new();
        for peer in self.people.iter() {
            if is_here(peer.state) && !self.is_own_tab(peer) {
                names += &peer.user;
                names += "\n";
            }
        }
        names
    }
}
