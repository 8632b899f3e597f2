//! Looking for a text in what was said.

use super::message;
use super::thread::Threads;
use crate::identity::unicode::lower;
use crate::room::cx::Cx;
use crate::room::io::{Conversation, Message};
use crate::room::members::Members;
use crate::sort::sorted_by;
use crate::wire::entry::{Content, EntryId};

/// The most messages that a search finds.
pub const MAX_FOUND: usize = 100;

/// Returns the messages that hold a text, the newest of each conversation first.
pub(super) fn search(
    threads: &Threads,
    conversation: Option<&Conversation>,
    text: &str,
    members: &Members,
    cx: &Cx,
) -> Vec<Message> {
    let wanted = lower(text.trim());
    let mut found: Vec<Message> = Vec::new();
    if wanted.is_empty() {
        return found;
    }
    let is_meant = |its: &Conversation| conversation.is_none_or(|one| one == its);
    for thread in threads.iter().filter(|its| is_meant(&its.conversation)) {
        let mut seen: Vec<EntryId> = Vec::new();
        let mut messages = Vec::new();
        for held in thread.log.iter().rev() {
            if found.len() + messages.len() >= MAX_FOUND {
                break;
            }
            // An entry with a name that cannot be read is no message, which is seen below.
            let id = match held.entry.content() {
                Some(Content::Say { text, .. }) if lower(&text).contains(&wanted) => {
                    held.entry.id()
                }
                Some(Content::Edit { target, text }) if lower(&text).contains(&wanted) => target,
                _ => continue,
            };
            if seen.contains(&id) {
                continue;
            }
            seen.push(id);
            // It may have been edited or taken back since.
            let looks = message::message(&thread.conversation, &thread.log, &id, members, cx);
            messages.extend(looks.filter(|message| lower(&message.text).contains(&wanted)));
        }
        let newest_first = |one: &Message, other: &Message| other.order.cmp(&one.order);
        found.extend(sorted_by(messages, newest_first));
    }
    found
}
