//! Messages as people see them: with the last edit, the reactions, and nothing once they were taken back.

use litemap::LiteMap;

use super::is_sound;
use super::log::{Held, Log};
use crate::identity::{PublicKey, Trust};
use crate::room::cx::Cx;
use crate::room::io::{Conversation, Message, MessageId, Order, Reaction};
use crate::room::members::Members;
use crate::wire::entry::{Content, EntryBody, EntryId, entry_name};
use crate::wire::frame::short;

/// The most earlier texts of a message that are shown.
pub const MAX_VERSIONS: usize = 20;
/// The most emoji under one message that are shown …
pub const MAX_REACTIONS: usize = 20;
/// … and the most people to each of them.
const MAX_REACTING: usize = 100;

/// What was said later about a message.
#[derive(Debug, Default)]
struct Later {
    texts: Vec<String>,
    retracted: bool,
    /// The author's name when the message was taken back.
    user: Option<String>,
    reactions: Vec<Reaction>,
}

/// Returns a message as it looks now; `None` if it is not here, is no message, or is not to be shown.
pub(super) fn message(
    conversation: &Conversation,
    log: &Log,
    id: &EntryId,
    members: &Members,
    cx: &Cx,
) -> Option<Message> {
    let name = short(id);
    let held = log.get(&name)?;
    let author = held.entry.author;
    if members.is_blocked(&author) {
        return None;
    }
    let later = later(log, id, &author, members, cx);
    let body = held.entry.body();
    let (said, file, reply_to) = match body.as_ref().map(|body| &body.content) {
        Some(Content::Say { reply_to, text }) if is_sound(text) => (text.clone(), None, *reply_to),
        // Where there are no files, one that was sent before is its name.
        Some(Content::File {
            reply_to,
            file,
            text,
        }) if text.is_empty() && !cx.features.files => (file.name.clone(), None, *reply_to),
        Some(Content::File {
            reply_to,
            file,
            text,
        }) if text.is_empty() || is_sound(text) => (text.clone(), Some(file.clone()), *reply_to),
        // The body of a message that was taken back is gone.
        None if later.retracted && !held.entry.has_body() => (String::new(), None, None),
        _ => return None,
    };
    let mut texts = vec![said];
    texts.extend(later.texts);
    let text = texts.pop().filter(|_| !later.retracted).unwrap_or_default();
    texts.drain(..texts.len().saturating_sub(MAX_VERSIONS));
    let imported = held.origin.is_unproven;
    let peer = members.of_writer(&author, &held.entry.writer);
    let peer = peer.filter(|_| !imported);
    let own = author == cx.own.key;
    let now = peer.and_then(|peer| members.user(&peer)).map(str::to_owned);
    Some(Message {
        id: MessageId(entry_name(id)),
        conversation: conversation.clone(),
        order: Order(held.shown.clock.0, id.0),
        peer,
        own,
        sender: now
            .or_else(|| body.as_ref().map(EntryBody::user))
            .or(later.user)
            .unwrap_or_default(),
        key: author,
        trust: body
            .as_ref()
            .map_or(Trust::New, |body| members.trust_of(&author, &body.name, cx)),
        text,
        file: file.filter(|_| cx.features.files && !later.retracted),
        at: held.shown.clock.millis().min(held.arrived),
        with: match conversation {
            Conversation::Channel(_) => None,
            Conversation::Direct(other) => members.name_of(other),
        },
        reply_to: reply_to.map(|id| MessageId(entry_name(&id))),
        earlier: if later.retracted { Vec::new() } else { texts },
        retracted: later.retracted,
        reactions: later.reactions,
        caught_up: held.caught_up,
        forked: held.is_forked,
        imported,
    })
}

/// Whether the author took a message back.
pub(super) fn is_retracted(log: &Log, id: &EntryId) -> bool {
    let Some(author) = log.get(&short(id)).map(|held| held.entry.author) else {
        return false;
    };
    let about = log.references(&short(id));
    about.iter().any(|(held, body)| {
        held.entry.author == author
            && may_change(log, held, id)
            && matches!(&body.content, Content::Retract { target } if target == id)
    })
}

/// Whether an entry counts for a message: what nobody can prove changes nothing of what was said here.
fn may_change(log: &Log, by: &Held, id: &EntryId) -> bool {
    !by.origin.is_unproven || log.proven(&short(id)).is_none()
}

/// Puts together what was said about a message. Of edits and of one person's reactions with one emoji the last counts;
/// taking back beats both; only the author edits and takes back.
fn later(log: &Log, id: &EntryId, author: &PublicKey, members: &Members, cx: &Cx) -> Later {
    let mut later = Later::default();
    let mut set: LiteMap<(String, PublicKey), bool> = LiteMap::new();
    let mut order: Vec<(String, PublicKey, String)> = Vec::new();
    for (held, body) in log.references(&short(id)) {
        let by: &Held = held;
        match body.content.clone() {
            // The beginning of an id could be made to fit with much work, so all of it is compared.
            content if content.target() != Some(*id) || !may_change(log, by, id) => {}
            Content::Edit { text, .. } if by.entry.author == *author && is_sound(&text) => {
                later.texts.push(text);
            }
            Content::Retract { .. } if by.entry.author == *author => {
                later.retracted = true;
                later.user = Some(body.user());
            }
            Content::React { emoji, on, .. } if !members.is_blocked(&by.entry.author) => {
                let key = (emoji.clone(), by.entry.author);
                if set.insert(key, on).is_none() {
                    order.push((emoji, by.entry.author, body.user()));
                }
            }
            _ => {}
        }
    }
    if later.retracted {
        return later;
    }
    for (emoji, key, user) in order {
        if set.get(&(emoji.clone(), key)) != Some(&true) {
            continue;
        }
        let mut reactions = later.reactions.iter();
        let at = match reactions.position(|reaction| reaction.emoji == emoji) {
            Some(at) => at,
            None if later.reactions.len() >= MAX_REACTIONS => continue,
            None => {
                later.reactions.push(Reaction {
                    emoji,
                    people: Vec::new(),
                    own: false,
                });
                later.reactions.len() - 1
            }
        };
        if let Some(reaction) = later.reactions.get_mut(at) {
            reaction.own |= key == cx.own.key;
            if reaction.people.len() < MAX_REACTING {
                reaction.people.push((key, user));
            }
        }
    }
    later
}
