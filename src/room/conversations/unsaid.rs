//! Own messages that were not said: people see them as failed, and can try again or give them up.

use chacha20::rand_core::Rng;

use super::Conversations;
use super::own::{Recipients, id_of};
use super::saying::{Said, show_own};
use crate::room::cx::Cx;
use crate::room::effect::Effect;
use crate::room::io::{ChatEvent, Conversation, Deletion, Event, MessageId, Unsaid};
use crate::room::links::Links;
use crate::room::members::Members;
use crate::wire::entry::{ConversationId, Draft, EntryId, entry_name, parse_entry_name};
use crate::wire::frame::short;
use crate::wire::statement::StatementId;

/// The most messages that can be tried again.
const MAX_FAILED: usize = 100;

/// A message that was not said.
#[derive(Debug)]
pub(super) enum Failed {
    /// It lacks its signature: the same entry is said later, so that nobody ever has it twice.
    Unsigned(Draft, Recipients),
    /// It never became an entry.
    Unwritten(Conversation, Said),
}

impl Conversations {
    /// Handles that an entry of ours was not signed.
    pub fn on_not_signed(&mut self, request: u32, cx: &mut Cx) {
        if let Some(draft) = self.own.take_unsigned(request) {
            self.fail_unsigned(draft, cx);
        }
    }

    pub(super) fn fail_unsigned(&mut self, draft: Draft, cx: &mut Cx) {
        let id = id_of(&draft.message(&cx.own.room));
        if let Some(meant) = self.own.uncount(&short(&id)) {
            return self.fail(id, Failed::Unsigned(draft, meant), Unsaid::NotSigned, cx);
        }
        // An edit, a reaction or a taking back: the message is as it was.
        let reason = Unsaid::NotSigned;
        cx.event(Event::Refused(format!("Nothing was changed. {reason}")));
    }

    /// Shows a message that cannot become an entry.
    pub(super) fn fail_unwritten(
        &mut self,
        thread: &ConversationId,
        said: Said,
        reason: Unsaid,
        members: &Members,
        cx: &mut Cx,
    ) {
        let Some(thread) = self.threads.get(thread) else {
            return;
        };
        let conversation = thread.conversation.clone();
        let clock = thread.log.clock().max(self.own.clock(&thread.id));
        let clock = clock.next(cx.now);
        let mut id = [0; 32];
        cx.rng.fill_bytes(&mut id);
        let id = StatementId(id);
        show_own(&conversation, id, clock, &said, members, cx);
        self.fail(id, Failed::Unwritten(conversation, said), reason, cx);
    }

    fn fail(&mut self, id: EntryId, failed: Failed, reason: Unsaid, cx: &mut Cx) {
        if self.failed.len() >= MAX_FAILED {
            self.failed.remove(0);
        }
        self.failed.push((id, failed));
        let id = MessageId(entry_name(&id));
        cx.chat(ChatEvent::Failed { id, reason });
    }

    fn take_failed(&mut self, id: &MessageId) -> Option<(EntryId, Failed)> {
        let id = parse_entry_name(&id.0)?;
        let at = self.failed.iter().position(|(failed, _)| *failed == id)?;
        Some(self.failed.remove(at))
    }

    /// Tries again to say a message.
    pub(super) fn retry(&mut self, id: &MessageId, members: &Members, links: &Links, cx: &mut Cx) {
        match self.take_failed(id) {
            Some((_, Failed::Unsigned(draft, meant))) => self.own.say_again(draft, meant, cx),
            Some((id, Failed::Unwritten(conversation, said))) => {
                self.say(Some(&conversation), said, members, links, cx);
                forget(id, cx);
            }
            None => cx.event(Event::Refused(
                "The message is not here any more: it was said, or the room was left. Copy its text to send it."
                    .to_owned(),
            )),
        }
    }

    /// Gives a message up that was not said. Returns whether it was one.
    pub(super) fn give_up(&mut self, id: &MessageId, cx: &mut Cx) -> bool {
        let given_up = self.take_failed(id);
        if let Some((id, _)) = &given_up {
            forget(*id, cx);
        }
        given_up.is_some()
    }
}

fn forget(id: EntryId, cx: &mut Cx) {
    cx.effect(Effect::Detached(short(&id)));
    let deletion = Deletion::Message(MessageId(entry_name(&id)));
    cx.chat(ChatEvent::Deleted(deletion));
}
