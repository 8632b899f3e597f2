//! Saying something: a message of ours, from the person's command until it is on its way.

use super::{Conversations, ONLY_HERE, attached, refusal};
use crate::room::channel::yield_files;
use crate::room::cx::Cx;
use crate::room::io::{
    ChatEvent, Conversation, Event, Message, MessageId, Order, PeerState, Unsaid,
};
use crate::room::links::Links;
use crate::room::members::{Members, own_user};
use crate::wire::attachment::Attachment;
use crate::wire::entry::{Clock, Content, EntryId, entry_name, parse_entry_name};
use crate::wire::frame::short;

/// What is said in a message.
#[derive(Debug, Clone)]
pub(super) struct Said {
    text: String,
    file: Option<Box<Attachment>>,
    reply_to: Option<EntryId>,
}

impl Said {
    pub fn new(text: String, file: Option<Box<Attachment>>, reply_to: Option<MessageId>) -> Said {
        Said {
            text,
            file,
            reply_to: reply_to.and_then(|id| parse_entry_name(&id.0)),
        }
    }

    fn content(self) -> Content {
        let Said {
            text,
            file,
            reply_to,
        } = self;
        match file {
            None => Content::Say { reply_to, text },
            Some(file) => Content::File {
                reply_to,
                file,
                text,
            },
        }
    }
}

impl Conversations {
    /// Says something. What cannot be said is shown as failed, unless nothing could be shown.
    pub(super) fn say(
        &mut self,
        conversation: Option<&Conversation>,
        said: Said,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        let refusal = match &said.file {
            Some(_) if !cx.features.files => Some("Files cannot be sent here.".to_owned()),
            Some(file) => file_refusal(file, &said.text),
            None => refusal(&said.text),
        };
        if let Some(refusal) = refusal {
            return cx.event(Event::Refused(refusal));
        }
        let Some(thread) = self.threads.find(conversation, cx) else {
            return cx.event(Event::Refused(
                "The message was not sent: this room has no such conversation.".to_owned(),
            ));
        };
        let answered = said.reply_to.and_then(|id| thread.log.get(&short(&id)));
        if answered.is_some_and(|held| held.origin.is_unproven) {
            return cx.event(Event::Refused(ONLY_HERE.to_owned()));
        }
        let (thread, other) = (thread.id, thread.other().copied());
        if other.is_some_and(|other| members.is_blocked(&other)) {
            return self.fail_unwritten(&thread, said, Unsaid::Blocked, members, cx);
        }
        yield_files(cx);
        let Some(written) = self.write(&thread, said.clone().content(), cx) else {
            return self.fail_unwritten(&thread, said, Unsaid::TooLong, members, cx);
        };
        let id = written.id();
        // It is shown at once, before it is signed.
        if let Some(its) = self.threads.get(&thread) {
            let clock = self.own.clock(&thread);
            show_own(&its.conversation, id, clock, &said, members, cx);
        }
        let all = members.shown().filter_map(|peer| {
            let connect = members.connect(&peer)?;
            let is_reachable = links.state(&peer) != PeerState::Failed;
            let proven = members.is_proven(&peer);
            is_reachable.then_some((peer, connect.identity, proven))
        });
        match other {
            // The message is for whoever proves to hold this key, now or later.
            Some(other) => self
                .own
                .count(id, [(cx.own.id, other, true)].into_iter(), cx),
            None => self.own.count(id, all, cx),
        }
        self.spread_if_said(written, members, links, cx);
    }
}

/// Shows what we say here.
pub(super) fn show_own(
    conversation: &Conversation,
    id: EntryId,
    clock: Clock,
    said: &Said,
    members: &Members,
    cx: &mut Cx,
) {
    let sender = own_user(&cx.own.name, cx.own.tab);
    let name = MessageId(entry_name(&id));
    let (conversation, text) = (conversation.clone(), said.text.clone());
    let message = Box::new(Message {
        order: Order(clock.0, id.0),
        with: match &conversation {
            Conversation::Channel(_) => None,
            Conversation::Direct(other) => members.name_of(other),
        },
        reply_to: said.reply_to.map(|id| MessageId(entry_name(&id))),
        file: said.file.clone(),
        ..Message::new(name, conversation, sender, cx.own.key, text, cx.now)
    });
    attached(&message, short(&id), true, members, cx);
    cx.chat(ChatEvent::Message(message));
}

/// Returns the reason why a file cannot be sent with this text, if there is one.
fn file_refusal(file: &Attachment, text: &str) -> Option<String> {
    let refused = refusal(text).filter(|_| !text.is_empty());
    refused.or_else(|| file.wrong().map(str::to_owned))
}
