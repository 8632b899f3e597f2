//! What people say: in channels, as entries that are signed, kept and passed on; to one person, as messages that nobody
//! can prove; and who is typing.

mod catching_up;
mod deliveries;
mod direct;
mod log;
mod message;
mod own;
mod passing_on;

use core::time::Duration;

use super::channel::yield_files;
use super::counters::Dropped;
use super::cx::Cx;
use super::effect::{Effect, PeerEvent};
use super::io::{ChatCommand, ChatEvent, Event, Message, MessageId, Order, PeerState};
use super::links::Links;
use super::members::{Members, own_user};
use super::timer::ConversationTimer;
use crate::history::{Head, Key, Limits, surplus};
use crate::identity::{PeerId, PublicKey, Signature};
use crate::time::Millis;
use crate::wire::entry::{
    Content, ConversationId, Entry, EntryId, MAX_EMOJI, entry_name, parse_entry_name, writer,
};
use crate::wire::frame::{ChatFrame, EntryFrame, short};
use crate::wire::{Frame, OutboundMessage};

use catching_up::CatchingUp;
use direct::Direct;
use log::{Change, Inserted, Log};
use own::Own;
use passing_on::Unchecked;

pub use message::{MAX_REACTIONS, MAX_VERSIONS};

/// A message has at most this many characters.
pub const MAX_TEXT: usize = 10_000;
/// The channel of a room whose site names none.
pub const MAIN_CHANNEL: &str = "lobby";
/// While the person is typing, peers are told at most this often.
const TYPING_INTERVAL: Duration = Duration::from_secs(3);

/// One channel.
#[derive(Debug)]
struct Channel {
    name: String,
    id: ConversationId,
    log: Log,
}

impl Channel {
    /// Shows a message as it looks now, if it is here.
    fn show(&mut self, id: &EntryId, members: &Members, cx: &mut Cx) {
        let message = message::message(&self.name, &self.log, id, members, cx);
        let Some(message) = message.map(Box::new) else {
            return;
        };
        let name = short(id);
        if message.retracted {
            self.log.take_back(&name);
        }
        cx.chat(if self.log.show(&name) {
            ChatEvent::Changed(message)
        } else {
            ChatEvent::Message(message)
        });
    }
}

#[derive(Debug)]
pub(super) struct Conversations {
    /// The first is the room's main one.
    channels: Vec<Channel>,
    own: Own,
    catching_up: CatchingUp,
    unchecked: Vec<Unchecked>,
    direct: Direct,
    /// When we came.
    since: Millis,
    /// When we last told peers that the person is typing.
    typed: Option<Millis>,
}

impl Conversations {
    /// Creates the room's channels, of which there is at least one.
    pub fn new(names: &[String], now: Millis) -> Conversations {
        let channel = |name: &String| Channel {
            name: name.clone(),
            id: ConversationId::channel(name),
            log: Log::default(),
        };
        Conversations {
            channels: names.iter().map(channel).collect(),
            own: Own::default(),
            catching_up: CatchingUp::default(),
            unchecked: Vec::new(),
            direct: Direct::default(),
            since: now,
            typed: None,
        }
    }

    /// Nobody is told of what we said when we leave.
    pub fn clear(&mut self) {
        *self = Conversations::new(&[], self.since);
    }

    fn channel(&self, id: &ConversationId) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == *id)
    }

    /// The channel that has a message.
    fn channel_of(&self, id: &EntryId) -> Option<&Channel> {
        let name = short(id);
        self.channels
            .iter()
            .find(|channel| channel.log.contains(&name))
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
                channel,
                text,
                reply_to,
            } => self.say(channel.as_deref(), text, reply_to, members, links, cx),
            ChatCommand::SayTo { peer, text } => {
                self.direct.say(peer, &text, members, links, cx);
            }
            ChatCommand::Edit { id, text } => match refusal(&text) {
                Some(refusal) => cx.event(Event::Refused(refusal)),
                None => self.change(&id, |target| Content::Edit { target, text }, cx),
            },
            ChatCommand::Retract(id) => {
                self.change(&id, |target| Content::Retract { target }, cx);
            }
            ChatCommand::React { id, emoji, on } => {
                if (1..=MAX_EMOJI).contains(&emoji.len()) {
                    let react = |target| Content::React { target, emoji, on };
                    self.change(&id, react, cx);
                }
            }
            ChatCommand::Older { channel } => self.ask_for_older(&channel, links, cx),
            ChatCommand::Typing => self.typing(cx),
        }
    }

    fn say(
        &mut self,
        channel: Option<&str>,
        text: String,
        reply_to: Option<MessageId>,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        if let Some(refusal) = refusal(&text) {
            return cx.event(Event::Refused(refusal));
        }
        let mut channels = self.channels.iter();
        let channel = match channel {
            Some(name) => channels.find(|channel| channel.name == name),
            None => channels.next(),
        };
        let Some(channel) = channel.map(|channel| channel.id) else {
            return cx.event(Event::Refused(
                "The message was not sent: this room has no such channel.".to_owned(),
            ));
        };
        let reply_to = reply_to.and_then(|id| parse_entry_name(&id.0));
        yield_files(cx);
        let content = Content::Say {
            reply_to,
            text: text.clone(),
        };
        let Some(id) = self.write(channel, content, cx) else {
            return;
        };
        self.show_own(channel, id, text, reply_to, cx);
        let meant = members.shown().filter_map(|peer| {
            let connect = members.connect(&peer)?;
            let is_reachable = links.state(&peer) != PeerState::Failed;
            let proven = members.is_proven(&peer);
            is_reachable.then_some((peer, connect.identity, proven))
        });
        self.own.count(id, meant, cx);
    }

    /// Shows what we say at once, before it is signed.
    fn show_own(
        &self,
        channel: ConversationId,
        id: EntryId,
        text: String,
        reply_to: Option<EntryId>,
        cx: &mut Cx,
    ) {
        let sender = own_user(&cx.own.name, cx.own.tab);
        let name = MessageId(entry_name(&id));
        cx.chat(ChatEvent::Message(Box::new(Message {
            channel: self.channel(&channel).map(|its| its.name.clone()),
            order: Order(self.own.clock(&channel).0, id.0),
            private: false,
            reply_to: reply_to.map(|id| MessageId(entry_name(&id))),
            ..Message::new(name, sender, cx.own.key, text, cx.now)
        })));
    }

    /// Says something about a message.
    fn change(&mut self, id: &MessageId, content: impl FnOnce(EntryId) -> Content, cx: &mut Cx) {
        let target = parse_entry_name(&id.0);
        let found = target.and_then(|target| {
            let channel = self.channel_of(&target)?;
            let held = channel.log.get(&short(&target))?;
            Some((target, channel.id, held.entry.author))
        });
        let Some((target, channel, author)) = found else {
            return cx.event(Event::Refused(
                "The message is not here any more.".to_owned(),
            ));
        };
        let content = content(target);
        let is_reaction = matches!(content, Content::React { .. });
        if author != cx.own.key && !is_reaction {
            return cx.event(Event::Refused(
                "Only whoever wrote a message can change it.".to_owned(),
            ));
        }
        self.write(channel, content, cx);
    }

    fn write(&mut self, channel: ConversationId, content: Content, cx: &mut Cx) -> Option<EntryId> {
        let channels = &mut self.channels;
        let channel = channels.iter_mut().find(|its| its.id == channel)?;
        match self.own.write(channel.id, content, &channel.log, cx) {
            Ok(id) => Some(id),
            Err(error) => {
                cx.event(Event::Refused(error.to_string()));
                None
            }
        }
    }

    /// Handles the signature of an entry of ours: it is kept, and sent to everybody who is connected.
    pub fn on_signed(
        &mut self,
        request: u32,
        signature: Signature,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        let Some((conversation, entry)) = self.own.signed(request, signature, cx) else {
            return;
        };
        let id = short(&entry.id());
        let mut bytes = Vec::new();
        entry.write(&mut bytes);
        self.insert(conversation, entry, false, members, cx);
        let frame = Frame::Entry(EntryFrame::Entries { list: vec![bytes] });
        // Whoever is not connected now will catch up.
        for peer in links.connected() {
            cx.effect(Effect::Stream(peer, OutboundMessage::frame(&frame)));
            cx.effect(Effect::ExpectAnswer(peer));
            if let Some(connect) = members.connect(&peer) {
                self.own.sent(&id, &connect.identity, cx);
            }
        }
    }

    /// Adds an entry to its channel, and shows what has changed.
    fn insert(
        &mut self,
        conversation: ConversationId,
        entry: Entry,
        caught_up: bool,
        members: &Members,
        cx: &mut Cx,
    ) {
        let channels = &mut self.channels;
        let Some(channel) = channels.iter_mut().find(|its| its.id == conversation) else {
            return;
        };
        let is_ours = entry.author == cx.own.key && entry.writer == writer(&cx.own.id);
        let id = entry.id();
        let Some(Inserted { change, others }) = channel.log.insert(entry, cx.now, caught_up) else {
            return;
        };
        let mut changed = others;
        match change {
            // What we say here is shown before it is signed.
            Change::Said(_) if !caught_up && is_ours => {
                channel.log.show(&short(&id));
            }
            Change::Said(id) | Change::Changed(id) => changed.push(id),
            Change::Nothing => {}
        }
        for id in changed {
            channel.show(&id, members, cx);
        }
        self.make_room(members, cx);
    }

    /// Forgets what there is no room for: of strangers first, and of whoever says most.
    fn make_room(&mut self, members: &Members, cx: &Cx) {
        let limits = Limits::default();
        let sizes = self.channels.iter().map(|channel| channel.log.size());
        let (count, bytes) = sizes.fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1));
        // Not for each entry, because everything is looked at.
        if count <= limits.messages / 16 * 17 && bytes <= limits.bytes / 16 * 17 {
            return;
        }
        let heads = self.channels.iter().flat_map(|channel| {
            channel.log.iter().map(|held| Head {
                key: Key {
                    conversation: channel.id,
                    position: held.entry.position(),
                },
                author: held.entry.author,
                size: u32::try_from(held.entry.size()).unwrap_or(u32::MAX),
            })
        });
        let heads: Vec<Head> = heads.collect();
        let is_known = |key: &PublicKey| *key == cx.own.key || members.is_known_key(key);
        for key in surplus(&heads, limits, is_known) {
            let mut channels = self.channels.iter_mut();
            if let Some(channel) = channels.find(|channel| channel.id == key.conversation) {
                channel.log.remove(&key.position);
            }
        }
    }

    fn typing(&mut self, cx: &mut Cx) {
        let said = self.typed;
        if said.is_none_or(|at| cx.now.since(at) >= TYPING_INTERVAL) {
            self.typed = Some(cx.now);
            cx.effect(Effect::SendAll(Frame::Chat(ChatFrame::Typing)));
        }
    }

    /// Handles a chat frame of a peer.
    pub fn on_frame(&mut self, peer: PeerId, frame: ChatFrame, members: &Members, cx: &mut Cx) {
        match frame {
            ChatFrame::Typing => cx.chat(ChatEvent::Typing { peer }),
            // What is said to everybody is signed.
            ChatFrame::Message { private: false, .. } => cx.dropped(Dropped::BadFrame),
            frame => self.direct.on_frame(peer, frame, members, cx),
        }
    }

    /// Handles a timer of this machine.
    pub fn on_timer(&mut self, timer: ConversationTimer, members: &Members, cx: &mut Cx) {
        match timer {
            ConversationTimer::Check => self.check(members, cx),
            ConversationTimer::Patience => {
                let channels: Vec<_> = self.channels.iter().map(|channel| channel.id).collect();
                self.catching_up.on_patience(&channels, cx);
                self.catching_up.ask_for_pages(self.unchecked.len(), cx);
            }
        }
    }

    /// Handles an event of a peer.
    pub fn on_peer(&mut self, peer: PeerId, event: &PeerEvent, members: &Members, cx: &mut Cx) {
        self.direct.on_peer(peer, event, cx);
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
