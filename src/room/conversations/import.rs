//! Taking in what [`export`](super::export) wrote: all of a file or nothing, and nothing that is not checked.
//!
//! What is signed is checked as if a peer had sent it. What is said to one person is signed by nobody, so it is kept as
//! what a file says, and never leaves this browser. What was deleted here stays so, unless the person asks for it: a file
//! is imported to fill gaps, and a deletion is none.

use core::time::Duration;
use std::collections::VecDeque;

use base64ct::{Base64UrlUnpadded, Encoding};
use litemap::LiteMap;

use super::export::{FORMAT, VERSION, room_name};
use super::log::{Change, Inserted, Origin};
use super::thread::MAX_DIRECT;
use super::{Conversations, message};
use crate::history::Limits;
use crate::identity::PublicKey;
use crate::json::{Json, fields};
use crate::room::cx::Cx;
use crate::room::effect::Effect;
use crate::room::io::{ChatEvent, Conversation};
use crate::room::members::Members;
use crate::room::timer::ConversationTimer;
use crate::wire::RoomId;
use crate::wire::entry::{ConversationId, Entry, EntryId};
use crate::wire::frame::{ShortId, short};

/// The largest file that is read: a room that is full, in base64, and what stands around it.
pub const MAX_IMPORT: usize = 128 * 1024 * 1024;
/// Signatures are checked this many at a time, so that the page stays responsive …
const CHECKED_AT_ONCE: usize = 12;
/// … with this pause in between.
const PAUSE: Duration = Duration::from_millis(1);

/// What came of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many entries were added: messages, and what was said about them.
    pub added: u32,
    /// How many were here already.
    pub known: u32,
    /// How many were deleted here, and stay so.
    pub deleted: u32,
    /// How many were said in channels that this room does not have.
    pub elsewhere: u32,
}

/// Why nothing was imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// More than [`MAX_IMPORT`] bytes.
    #[error("This file is larger than anything that rtchat exports, so it was not read.")]
    TooLarge,
    /// It is no JSON.
    #[error(
        "This file cannot be read. It is not what rtchat exports as JSON, or a part of it is missing. Nothing was imported."
    )]
    NotJson,
    /// It is some other JSON.
    #[error("This file is not one that rtchat exported. Nothing was imported.")]
    NotAnExport,
    /// Its version is not known.
    #[error(
        "This file is of a version that this page does not know. Reload the page, and try it again. Nothing was imported."
    )]
    OtherVersion,
    /// It is of the room of this name.
    #[error(
        "This file is of another room, which was called “{0}” there. Open that room with its link, and import the file there."
    )]
    OtherRoom(String),
    /// This entry, counted from 1, is none of this room.
    #[error(
        "Message {0} in this file is damaged, or breaks the limits of messages. Nothing was imported."
    )]
    Damaged(u32),
    /// This entry, counted from 1, was not signed by whoever it names.
    #[error(
        "Message {0} in this file was not signed by the person whom it names, so somebody has changed the file. Nothing was imported."
    )]
    Forged(u32),
    /// The room would have more than it keeps.
    #[error(
        "There is no room for what is in this file: this browser keeps at most {messages} messages of a room, reactions and changes \
         among them, and some would be lost. Nothing was imported.",
        messages = Limits::default().messages
    )]
    NoRoom,
    /// Another one has not ended.
    #[error("Another file is being imported. Try it again when that is done.")]
    Busy,
}

/// An entry of a file.
#[derive(Debug)]
struct Found {
    number: u32,
    entry: Entry,
    /// Where it belongs here.
    conversation: Conversation,
}

/// An import that is under way.
#[derive(Debug)]
pub(super) struct Importing {
    unchecked: VecDeque<Found>,
    checked: Vec<Found>,
    /// Whether what was deleted here comes back.
    restores: bool,
    result: Imported,
}

impl Conversations {
    /// Begins to import a file. [`ChatEvent::Imported`] tells what came of it.
    pub(super) fn import(&mut self, file: &str, restores: bool, cx: &mut Cx) {
        match self.read(file, restores, cx) {
            Ok(importing) => {
                self.importing = Some(importing);
                cx.timers.set(ConversationTimer::Import.into(), cx.now);
            }
            Err(error) => cx.chat(ChatEvent::Imported(Err(error))),
        }
    }

    fn read(&self, file: &str, restores: bool, cx: &Cx) -> Result<Importing, ImportError> {
        if self.importing.is_some() {
            return Err(ImportError::Busy);
        }
        let all = read(file, &cx.own.room, &cx.own.key)?;
        let mut importing = Importing {
            unchecked: VecDeque::new(),
            checked: Vec::new(),
            restores,
            result: Imported::default(),
        };
        let mut named: LiteMap<EntryId, ()> = LiteMap::new();
        for found in all {
            let id = found.conversation.id(&cx.own.key);
            let is_channel = matches!(found.conversation, Conversation::Channel(_));
            if is_channel && self.threads.get(&id).is_none() {
                importing.result.elsewhere += 1;
            } else if named.insert(found.entry.id(), ()).is_some() {
                importing.result.known += 1;
            } else if self.is_wanted(&found, &id, restores, &mut importing.result) {
                importing.unchecked.push_back(found);
            }
        }
        self.ensure_room(importing.unchecked.iter(), cx)?;
        Ok(importing)
    }

    /// Whether an entry is neither here nor deleted.
    fn is_wanted(
        &self,
        found: &Found,
        id: &ConversationId,
        restores: bool,
        result: &mut Imported,
    ) -> bool {
        let thread = self.threads.get(id);
        if thread.is_some_and(|its| its.log.contains(&short(&found.entry.id()))) {
            result.known += 1;
            return false;
        }
        let is_deleted = !restores && self.deleted.has_in(id, &found.entry);
        result.deleted += u32::from(is_deleted);
        !is_deleted
    }

    /// Nothing that is here makes way for what is imported.
    fn ensure_room<'a>(
        &self,
        new: impl Iterator<Item = &'a Found>,
        cx: &Cx,
    ) -> Result<(), ImportError> {
        let limits = Limits::default();
        let sizes = self.threads.iter().map(|thread| thread.log.size());
        let (mut count, mut bytes) =
            sizes.fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1));
        let mut begun: LiteMap<ConversationId, ()> = LiteMap::new();
        for found in new {
            count += 1;
            bytes += found.entry.size() as u64;
            let id = found.conversation.id(&cx.own.key);
            if self.threads.get(&id).is_none() {
                begun.insert(id, ());
            }
        }
        let direct = self.threads.iter().filter(|its| its.other().is_some());
        let fits = count <= limits.messages
            && bytes <= limits.bytes
            && direct.count() + begun.len() <= MAX_DIRECT;
        fits.then_some(()).ok_or(ImportError::NoRoom)
    }

    /// Checks some more signatures of the file, and adds everything once all are good.
    pub(super) fn go_on_importing(&mut self, members: &Members, cx: &mut Cx) {
        let Some(mut importing) = self.importing.take() else {
            return;
        };
        let some = importing.unchecked.len().min(CHECKED_AT_ONCE);
        for found in importing.unchecked.drain(..some) {
            // That of a direct conversation has been found to be of these two people, and to have no signature.
            if matches!(found.conversation, Conversation::Channel(_)) {
                cx.counters.signature_checked();
                if found.entry.verify(&cx.own.room).is_err() {
                    let error = ImportError::Forged(found.number);
                    return cx.chat(ChatEvent::Imported(Err(error)));
                }
            }
            importing.checked.push(found);
        }
        if !importing.unchecked.is_empty() {
            self.importing = Some(importing);
            return cx
                .timers
                .set(ConversationTimer::Import.into(), cx.now + PAUSE);
        }
        let result = self.take_in(importing, members, cx);
        cx.chat(ChatEvent::Imported(result));
    }

    /// Adds what was checked.
    fn take_in(
        &mut self,
        importing: Importing,
        members: &Members,
        cx: &mut Cx,
    ) -> Result<Imported, ImportError> {
        let mut result = importing.result;
        let restores = importing.restores;
        // Some of it may have come or gone while the rest was checked.
        let mut new: Vec<Found> = Vec::new();
        for found in importing.checked {
            let id = found.conversation.id(&cx.own.key);
            if self.is_wanted(&found, &id, restores, &mut result) {
                new.push(found);
            }
        }
        self.ensure_room(new.iter(), cx)?;
        let new = crate::sort::sorted_by(new, |one, other| {
            one.entry.position().cmp(&other.entry.position())
        });
        let mut added: Vec<(ConversationId, ShortId)> = Vec::new();
        let mut changed: Vec<(ConversationId, EntryId)> = Vec::new();
        for Found {
            entry,
            conversation,
            ..
        } in new
        {
            let Some(thread) = self.threads.find(Some(&conversation), cx) else {
                continue;
            };
            let (id, name) = (thread.id, short(&entry.id()));
            let origin = Origin {
                is_unproven: thread.other().is_some(),
                is_brought_back: self.deleted.has_in(&id, &entry),
            };
            self.catching_up.has_come(&name);
            let Some(Inserted { change, others }) = thread.log.insert(entry, cx.now, true) else {
                continue;
            };
            thread.log.set_origin(&name, origin);
            result.added += 1;
            added.push((id, name));
            changed.extend(others.into_iter().map(|other| (id, other)));
            if let Change::Said(message) | Change::Changed(message) = change {
                changed.push((id, message));
            }
        }
        let mut shown: LiteMap<EntryId, ()> = LiteMap::new();
        for thread in self.threads.iter_mut() {
            if added.iter().any(|(id, _)| *id == thread.id) {
                thread.shorten();
            }
        }
        for (conversation, id) in changed {
            let Some(thread) = self.threads.get_mut(&conversation) else {
                continue;
            };
            // One event for each message, however much was said about it.
            if shown.insert(id, ()).is_some() {
                continue;
            }
            thread.show(&id, members, cx);
            if message::is_retracted(&thread.log, &id) && thread.log.take_back(&short(&id)) {
                cx.effect(Effect::Detached(short(&id)));
                added.push((conversation, short(&id)));
            }
        }
        for (conversation, id) in added {
            self.keep(&conversation, &id, cx);
        }
        self.make_room(members, cx);
        Ok(result)
    }
}

/// Reads a file of this room. Nothing of it is checked but that it is well made.
fn read(file: &str, room: &RoomId, own: &PublicKey) -> Result<Vec<Found>, ImportError> {
    if file.len() > MAX_IMPORT {
        return Err(ImportError::TooLarge);
    }
    let Some(all) = fields(file) else {
        return Err(match Json::parse(file) {
            Ok(_) => ImportError::NotAnExport,
            Err(_) => ImportError::NotJson,
        });
    };
    let raw = |name: &str| {
        let mut all = all.iter().rev();
        all.find(|(field, _)| field == name).map(|(_, raw)| *raw)
    };
    let field = |name: &str| raw(name).and_then(|raw| Json::parse(raw).ok());
    let format = field("format").ok_or(ImportError::NotAnExport)?;
    if format.as_text() != Some(FORMAT) {
        return Err(ImportError::NotAnExport);
    }
    if raw("version") != Some(VERSION) {
        return Err(ImportError::OtherVersion);
    }
    let of = field("room").ok_or(ImportError::NotAnExport)?;
    if text(&of, "id") != Some(&room_name(room)) {
        let name = text(&of, "name").unwrap_or_default();
        return Err(ImportError::OtherRoom(name.chars().take(64).collect()));
    }
    let by = field("by")
        .and_then(|by| key(&by))
        .ok_or(ImportError::NotAnExport)?;
    let conversations = field("conversations").ok_or(ImportError::NotAnExport)?;
    let conversations = conversations.as_list().ok_or(ImportError::NotAnExport)?;
    let mut found = Vec::new();
    for conversation in conversations {
        let entries = conversation.as_object().and_then(|it| it.get("entries"));
        let entries = entries
            .and_then(Json::as_list)
            .ok_or(ImportError::NotAnExport)?;
        if found.len() + entries.len() > Limits::default().messages as usize {
            return Err(ImportError::NoRoom);
        }
        let with = conversation.as_object().and_then(|it| it.get("with"));
        let place = match (text(conversation, "channel"), with.and_then(key)) {
            (Some(name), None) => Place::Channel(name),
            (None, Some(with)) => Place::Direct(with),
            _ => return Err(ImportError::NotAnExport),
        };
        for entry in entries {
            let number = u32::try_from(found.len() + 1).unwrap_or(u32::MAX);
            let entry = text(entry, "entry").and_then(|text| {
                let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
                Entry::parse(&bytes, room).ok()
            });
            let entry = entry.filter(|entry| place.has(entry));
            found.push(Found {
                number,
                entry: entry.ok_or(ImportError::Damaged(number))?,
                conversation: place.here(&by, own),
            });
        }
    }
    Ok(found)
}

/// A conversation as a file names it.
enum Place<'a> {
    Channel(&'a str),
    /// The one of whoever exported the file with this person.
    Direct(PublicKey),
}

impl Place<'_> {
    /// Whether an entry can have been said there.
    fn has(&self, entry: &Entry) -> bool {
        match self {
            Place::Channel(name) => entry.conversation == ConversationId::channel(name),
            Place::Direct(with) => {
                // What was imported before may have been said to a former key.
                let is_to_them = entry.conversation == ConversationId::direct(&entry.author, with);
                entry.is_unsigned() && (is_to_them || entry.author == *with)
            }
        }
    }

    /// Where it belongs for whoever imports it. Of two people, one may be here; and who exported it may have another key
    /// now, and the same friends.
    fn here(&self, by: &PublicKey, own: &PublicKey) -> Conversation {
        match self {
            Place::Channel(name) => Conversation::Channel((*name).to_owned()),
            Place::Direct(with) if with == own => Conversation::Direct(*by),
            Place::Direct(with) => Conversation::Direct(*with),
        }
    }
}

fn text<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    json.as_object()?.get(name)?.as_text()
}

fn key(json: &Json) -> Option<PublicKey> {
    let bytes = Base64UrlUnpadded::decode_vec(text(json, "key")?).ok()?;
    Some(PublicKey(bytes.try_into().ok()?))
}
