//! What people say: in channels, as entries that are signed, kept and passed on; to one person, as entries that nobody
//! signed; and who is typing.

mod catching_up;
mod checking;
mod deleted;
mod deleting;
#[cfg(feature = "export")]
mod export;
#[cfg(feature = "export")]
mod import;
mod log;
mod message;
mod own;
mod passing_on;
mod records;
mod restoring;
mod saying;
mod search;
mod thread;
mod unsaid;

use core::time::Duration;

use litemap::LiteMap;

use super::counters::Dropped;
use super::cx::Cx;
use super::effect::{Attached, Effect, PeerEvent};
use super::io::{
    ChatCommand, ChatEvent, Conversation, Event, Message, MessageId, Order, Output, StoreCommand,
    Unsaid,
};
use super::links::Links;
use super::members::Members;
use super::timer::ConversationTimer;
use crate::history::{Head, Key, Limits, surplus};
use crate::identity::{PeerId, PublicKey, Signature};
use crate::time::Millis;
use crate::wire::OutboundMessage;
use crate::wire::entry::{
    Content, ConversationId, Entry, EntryId, MAX_EMOJI, parse_entry_name, writer,
};
use crate::wire::frame::{ChatFrame, EntryFrame, Frame, ShortId, short};

use catching_up::CatchingUp;
use checking::Checking;
use deleted::Deleted;
use log::{Change, Inserted};
use own::{Own, Written};
use saying::Said;
use thread::Threads;
use unsaid::Failed;

#[cfg(feature = "export")]
pub use import::{ImportError, Imported, MAX_IMPORT};
pub use message::{MAX_REACTIONS, MAX_VERSIONS};
pub use records::{DELETED, READ};
pub use search::MAX_FOUND;

/// A message has at most this many characters.
pub const MAX_TEXT: usize = 10_000;
/// The channel of a room whose site names none.
pub const MAIN_CHANNEL: &str = "lobby";
/// Why an imported message is not answered or changed: that would tell others of it.
const ONLY_HERE: &str = "The message was imported, and nobody can prove it. So it can be read, copied and deleted here, but not answered or \
     changed.";
/// While the person is typing, peers are told at most this often.
const TYPING_INTERVAL: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct Conversations {
    threads: Threads,
    own: Own,
    /// Messages of ours that were not said, oldest first.
    failed: Vec<(EntryId, Failed)>,
    catching_up: CatchingUp,
    checking: Checking,
    /// Up to where each conversation was read.
    read: LiteMap<ConversationId, Order>,
    deleted: Deleted,
    /// The records that peers brought back before the store told that they were deleted. They are deleted there when the
    /// store has told everything.
    returned: Vec<Key>,
    /// The file that is being imported.
    #[cfg(feature = "export")]
    importing: Option<import::Importing>,
    /// Whether everything that the store has has come.
    is_restored: bool,
    /// When we came.
    since: Millis,
    /// When we last told peers that the person is typing, and in which conversation.
    typed: Option<(Millis, ConversationId)>,
}

impl Conversations {
    /// Creates the room's channels, of which there is at least one.
    pub fn new(channels: &[String], own: &PublicKey, now: Millis) -> Conversations {
        Conversations {
            threads: Threads::new(channels, own),
            own: Own::default(),
            failed: Vec::new(),
            catching_up: CatchingUp::default(),
            checking: Checking::default(),
            read: LiteMap::new(),
            deleted: Deleted::default(),
            returned: Vec::new(),
            #[cfg(feature = "export")]
            importing: None,
            is_restored: false,
            since: now,
            typed: None,
        }
    }

    /// Nobody is told of what we said when we leave.
    pub fn clear(&mut self, own: &PublicKey) {
        *self = Conversations::new(&[], own, self.since);
    }

    /// Returns the conversations that there are, with the other person's name in direct ones.
    pub fn list(&self, members: &Members) -> Vec<(Conversation, Option<String>)> {
        let threads = self.threads.iter();
        let named = threads.map(|thread| {
            let name = thread.other().and_then(|other| members.name_of(other));
            (thread.conversation.clone(), name)
        });
        named.collect()
    }

    /// Returns the last messages of a conversation before one of them, or all of its last, in their order.
    pub fn history(
        &self,
        conversation: &Conversation,
        before: Option<&MessageId>,
        limit: usize,
        members: &Members,
        cx: &Cx,
    ) -> Vec<Message> {
        let Some(thread) = self.threads.get(&conversation.id(&cx.own.key)) else {
            return Vec::new();
        };
        let end = before.and_then(|id| parse_entry_name(&id.0));
        let end = end.and_then(|id| thread.log.get(&short(&id)));
        let end = end.map(|held| held.entry.position());
        let older = thread.log.iter().rev();
        let older = older.skip_while(|held| end.is_some_and(|end| held.entry.position() >= end));
        let ids = older.map(|held| held.entry.id());
        let mut messages: Vec<Message> = ids
            .filter_map(|id| message::message(conversation, &thread.log, &id, members, cx))
            .take(limit)
            .collect();
        messages.reverse();
        messages
    }

    /// Handles a command of the person.
    pub fn on_command(
        &mut self,
        command: ChatCommand,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        match command {
            ChatCommand::Say {
                conversation,
                text,
                reply_to,
            } => {
                let said = Said::new(text, None, reply_to);
                self.say(conversation.as_ref(), said, members, links, cx);
            }
            ChatCommand::SayFile {
                conversation,
                file,
                text,
                reply_to,
            } => {
                let said = Said::new(text, Some(file), reply_to);
                self.say(conversation.as_ref(), said, members, links, cx);
            }
            ChatCommand::Retry(id) => self.retry(&id, members, links, cx),
            ChatCommand::SayTo { peer, text } => {
                let is_here = members.shown().any(|other| other == peer);
                let connect = members.connect(&peer).filter(|_| is_here);
                match connect.map(|connect| Conversation::Direct(connect.identity)) {
                    Some(direct) => {
                        let said = Said::new(text, None, None);
                        self.say(Some(&direct), said, members, links, cx);
                    }
                    None => cx.event(Event::Refused(
                        "The message was not sent: the person is not here any more.".to_owned(),
                    )),
                }
            }
            ChatCommand::Edit { id, text } => match refusal(&text) {
                Some(refusal) => cx.event(Event::Refused(refusal)),
                None => {
                    let edit = |target| Content::Edit { target, text };
                    self.change(&id, edit, members, links, cx);
                }
            },
            ChatCommand::Retract(id) => {
                let retract = |target| Content::Retract { target };
                self.change(&id, retract, members, links, cx);
            }
            ChatCommand::React { id, emoji, on } => {
                if (1..=MAX_EMOJI).contains(&emoji.len()) {
                    let react = |target| Content::React { target, emoji, on };
                    self.change(&id, react, members, links, cx);
                }
            }
            ChatCommand::Older(conversation) => {
                let id = conversation.id(&cx.own.key);
                if let Some(thread) = self.threads.get_mut(&id)
                    && !thread.show_more(members, cx)
                {
                    self.ask_for_older(&id, members, links, cx);
                }
            }
            ChatCommand::Reveal(id) => {
                let id = parse_entry_name(&id.0).map(|id| short(&id));
                let thread = self.threads.iter_mut().find_map(|thread| {
                    let held = thread.log.get(&id?)?;
                    let position = held.entry.position();
                    Some((thread, position))
                });
                if let Some((thread, position)) = thread {
                    thread.reveal(position, members, cx);
                }
            }
            ChatCommand::Read(conversation, order) => self.mark_read(&conversation, order, cx),
            ChatCommand::Delete(deletion) => self.delete(deletion, cx),
            ChatCommand::Search { conversation, text } => {
                let threads = &self.threads;
                let messages = search::search(threads, conversation.as_ref(), &text, members, cx);
                cx.chat(ChatEvent::Found { text, messages });
            }
            #[cfg(feature = "export")]
            ChatCommand::Import { file, restores } => self.import(&file, restores, cx),
            ChatCommand::Typing(conversation) => self.typing(conversation.as_ref(), members, cx),
        }
    }

    /// Says something about a message.
    fn change(
        &mut self,
        id: &MessageId,
        content: impl FnOnce(EntryId) -> Content,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        let target = parse_entry_name(&id.0);
        let found = target.and_then(|target| {
            let thread = self.threads.of_message(&short(&target))?;
            let held = thread.log.get(&short(&target))?;
            let is_unproven = held.origin.is_unproven;
            Some((target, thread.id, held.entry.author, is_unproven))
        });
        let Some((target, thread, author, is_unproven)) = found else {
            return cx.event(Event::Refused(
                "The message is not here any more.".to_owned(),
            ));
        };
        if is_unproven {
            return cx.event(Event::Refused(ONLY_HERE.to_owned()));
        }
        let content = content(target);
        let is_reaction = matches!(content, Content::React { .. });
        if author != cx.own.key && !is_reaction {
            return cx.event(Event::Refused(
                "Only whoever wrote a message can change it.".to_owned(),
            ));
        }
        match self.write(&thread, content, cx) {
            Some(written) => self.spread_if_said(written, members, links, cx),
            None => cx.event(Event::Refused(Unsaid::TooLong.to_string())),
        }
    }

    /// Writes an entry; `None` if it is too long.
    fn write(&mut self, thread: &ConversationId, content: Content, cx: &mut Cx) -> Option<Written> {
        let thread = self.threads.get(thread)?;
        self.own.write(thread, content, cx).ok()
    }

    /// Handles the signature of an entry of ours.
    pub fn on_signed(
        &mut self,
        request: u32,
        signature: Signature,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        let Some(draft) = self.own.take_unsigned(request) else {
            return;
        };
        match draft.clone().signed(&cx.own.room, signature) {
            Ok(entry) => self.spread(entry, members, links, cx),
            Err(_) => self.fail_unsigned(draft, cx),
        }
    }

    fn spread_if_said(&mut self, written: Written, members: &Members, links: &Links, cx: &mut Cx) {
        if let Written::Said(entry) = written {
            self.spread(*entry, members, links, cx);
        }
    }

    /// Keeps an entry of ours, and sends it to everybody who is connected and may have it.
    fn spread(&mut self, entry: Entry, members: &Members, links: &Links, cx: &mut Cx) {
        let (conversation, id) = (entry.conversation, short(&entry.id()));
        let mut bytes = Vec::new();
        entry.write(&mut bytes);
        self.insert(entry, false, members, cx);
        let thread = self.threads.get(&conversation);
        let other = thread.and_then(|thread| thread.other().copied());
        // Whoever is not connected now will catch up.
        for peer in links.connected() {
            let Some(key) = members.connect(&peer).map(|connect| connect.identity) else {
                continue;
            };
            let is_own = key == cx.own.key;
            if other.is_some_and(|other| key != other && !is_own) {
                continue;
            }
            let frame = Frame::Entry(EntryFrame::Entries {
                list: vec![bytes.clone()],
                with: other.filter(|_| is_own),
            });
            cx.effect(Effect::Stream(peer, OutboundMessage::frame(&frame)));
            cx.effect(Effect::ExpectAnswer(peer));
            self.own.sent(&id, &key, cx);
        }
    }

    /// Adds an entry to its conversation, and shows what has changed.
    fn insert(&mut self, entry: Entry, caught_up: bool, members: &Members, cx: &mut Cx) {
        let conversation = entry.conversation;
        let Some(thread) = self.threads.get_mut(&conversation) else {
            return;
        };
        let is_ours = entry.author == cx.own.key && entry.writer == writer(&cx.own.id);
        let id = entry.id();
        // What was imported may only now be said.
        let proves = thread.log.contains(&short(&id));
        let Some(Inserted { change, others }) = thread.log.insert(entry, cx.now, caught_up) else {
            return;
        };
        let mut changed = others;
        match change {
            // What we say here is shown before it is signed.
            Change::Said(_) if !caught_up && is_ours => {
                thread.log.show(&short(&id));
            }
            Change::Said(id) | Change::Changed(id) => changed.push(id),
            Change::Nothing => {}
        }
        let mut taken_back = Vec::new();
        for id in changed {
            thread.show(&id, members, cx);
            if message::is_retracted(&thread.log, &id) && thread.log.take_back(&short(&id)) {
                taken_back.push(short(&id));
                cx.effect(Effect::Detached(short(&id)));
            }
        }
        self.keep_as(&conversation, &short(&id), proves, cx);
        for id in taken_back {
            self.keep(&conversation, &id, cx);
        }
        self.make_room(members, cx);
    }

    /// Forgets what there is no room for: of strangers first, and of whoever says most.
    fn make_room(&mut self, members: &Members, cx: &mut Cx) {
        let limits = Limits::default();
        let sizes = self.threads.iter().map(|thread| thread.log.size());
        let (count, bytes) = sizes.fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1));
        // Not for each entry, because everything is looked at.
        if count <= limits.messages / 16 * 17 && bytes <= limits.bytes / 16 * 17 {
            return;
        }
        let heads = self.threads.iter().flat_map(|thread| {
            thread.log.iter().map(|held| Head {
                key: Key {
                    conversation: thread.id,
                    position: held.entry.position(),
                },
                author: held.entry.author,
                size: u32::try_from(held.entry.size()).unwrap_or(u32::MAX),
            })
        });
        let heads: Vec<Head> = heads.collect();
        let is_known = |key: &PublicKey| *key == cx.own.key || members.is_known_key(key);
        for key in surplus(&heads, limits, is_known) {
            if let Some(thread) = self.threads.get_mut(&key.conversation) {
                thread.log.remove(&key.position);
            }
            cx.output(Output::Store(StoreCommand::Delete(key)));
            cx.effect(Effect::Detached(short(&key.position.id)));
        }
    }

    fn typing(&mut self, conversation: Option<&Conversation>, members: &Members, cx: &mut Cx) {
        let Some(thread) = self.threads.find(conversation, cx) else {
            return;
        };
        let id = thread.id;
        let is_soon =
            |(at, thread): (Millis, _)| thread == id && cx.now.since(at) < TYPING_INTERVAL;
        if self.typed.is_some_and(is_soon) {
            return;
        }
        self.typed = Some((cx.now, id));
        let frame = Frame::Chat(ChatFrame::Typing { conversation: id });
        match thread.other() {
            None => cx.effect(Effect::SendAll(frame)),
            Some(other) => {
                for peer in members.proven_peers(other) {
                    cx.send(peer, frame.clone());
                }
            }
        }
    }

    /// Handles a frame of a peer about what its person is doing.
    pub fn on_frame(&mut self, peer: PeerId, frame: ChatFrame, members: &Members, cx: &mut Cx) {
        let ChatFrame::Typing { conversation: id } = frame else {
            return;
        };
        let key = members.connect(&peer).map(|connect| connect.identity);
        let conversation = match self.threads.get(&id).map(|its| &its.conversation) {
            Some(Conversation::Direct(other)) if Some(*other) != key => None,
            Some(conversation) => Some(conversation.clone()),
            // Their first words to us may be on the way.
            None => key
                .map(Conversation::Direct)
                .filter(|its| cx.features.direct && its.id(&cx.own.key) == id),
        };
        match conversation {
            Some(conversation) => cx.chat(ChatEvent::Typing { peer, conversation }),
            // A site can name its channels anew while pages are open.
            None => cx.dropped(Dropped::Unexpected),
        }
    }

    /// Handles a timer of this machine.
    pub fn on_timer(&mut self, timer: ConversationTimer, members: &Members, cx: &mut Cx) {
        match timer {
            ConversationTimer::Check => self.check(members, cx),
            #[cfg(feature = "export")]
            ConversationTimer::Import => self.go_on_importing(members, cx),
            ConversationTimer::Patience => {
                let missed = self.catching_up.on_patience(cx);
                for peer in missed {
                    self.ask_for_last_pages(peer, members, cx);
                }
                self.catching_up.ask_for_pages(self.checking.len(), cx);
            }
        }
    }

    /// Handles an event of a peer.
    pub fn on_peer(&mut self, peer: PeerId, event: &PeerEvent, members: &Members, cx: &mut Cx) {
        match event {
            PeerEvent::Verified => {
                self.own.proven(&peer);
                self.send_pages(peer, members, cx);
            }
            // What was at the end of the stream is void.
            PeerEvent::Forgotten => self.send_pages(peer, members, cx),
            PeerEvent::Gone { .. } => {
                self.own.gone(&peer, cx);
                self.catching_up.on_gone(&peer, cx);
            }
            PeerEvent::Lost | PeerEvent::Returned => {}
        }
    }
}

/// Tells of the file beside a message that is shown, if there is one.
fn attached(message: &Message, id: ShortId, is_sent_here: bool, members: &Members, cx: &mut Cx) {
    // Nobody is asked for a file of which nobody here has said anything.
    if let Some(file) = message.file.as_ref().filter(|_| !message.imported) {
        cx.effect(Effect::Attached(Box::new(Attached {
            id,
            author: message.key,
            // Whoever is met for the first time stays new for as long as they are here.
            trust: members.trust_here(&message.key).unwrap_or(message.trust),
            with: match &message.conversation {
                Conversation::Channel(_) => None,
                Conversation::Direct(other) => Some(*other),
            },
            is_sent_here,
            file: (**file).clone(),
        })));
    }
}

/// Whether a text that somebody sent can be a message.
fn is_sound(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_TEXT
}

/// Returns the reason why a text cannot be sent, if there is one.
fn refusal(text: &str) -> Option<String> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        Some("An empty message says nothing, so it was not sent.".to_owned())
    } else if length > MAX_TEXT {
        Some(format!(
            "A message has at most {MAX_TEXT} characters; this one has {length}."
        ))
    } else {
        None
    }
}
