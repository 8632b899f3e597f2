//! Chat messages, their receipts, and who is typing.

mod deliveries;

use core::time::Duration;
use std::collections::VecDeque;

use base32ct::{Base32Unpadded, Encoding};
use litemap::LiteMap;

use super::channel::yield_files;
use super::counters::Dropped;
use super::cx::Cx;
use super::effect::{Effect, PeerEvent};
use super::io::{ChatCommand, ChatEvent, Event, Message, MessageId, PeerState};
use super::links::Links;
use super::members::{Members, own_user};
use crate::identity::PeerId;
use crate::time::Millis;
use crate::wire::Frame;
use crate::wire::frame::ChatFrame;

use deliveries::Deliveries;

/// A message has at most this many characters.
pub const MAX_TEXT: usize = 10_000;
/// The most messages that wait for one peer's receipt; the oldest are given up first.
const MAX_OUTBOX: usize = 200;
/// The most ids of a peer's messages that are remembered.
const MAX_REMEMBERED_IDS: usize = 512;
/// Message ids are remembered for at most this many peers that may come back, …
const MAX_FORMER: usize = 64;
/// … and at most this many for each: as many as may wait for one peer's receipt.
const MAX_FORMER_IDS: usize = MAX_OUTBOX;
/// While the person is typing, peers are told at most this often.
const TYPING_INTERVAL: Duration = Duration::from_secs(3);

/// A message that has no receipt yet.
#[derive(Debug)]
struct Waiting {
    id: MessageId,
    frame: Frame,
    /// Whether it has been sent over a connection.
    was_sent: bool,
}

/// The exchange of messages with one peer.
#[derive(Debug, Default)]
struct Exchange {
    /// Messages to it that have no receipt yet.
    outbox: VecDeque<Waiting>,
    /// Ids of its messages, so that none is shown twice.
    said: VecDeque<String>,
}

impl Exchange {
    /// Remembers an id that the peer chose. Returns false if it had been used before.
    fn take_id(&mut self, id: &str) -> bool {
        if self.said.iter().any(|known| known == id) {
            return false;
        }
        if self.said.len() >= MAX_REMEMBERED_IDS {
            self.said.pop_front();
        }
        self.said.push_back(id.to_owned());
        true
    }
}

#[derive(Debug, Default)]
pub(super) struct Conversations {
    exchanges: LiteMap<PeerId, Exchange>,
    /// Ids of what those said who were lost. Whoever slept does not know that, and says again what has no receipt.
    former: VecDeque<(PeerId, VecDeque<String>)>,
    deliveries: Deliveries,
    /// When we last told peers that the person is typing.
    typed: Option<Millis>,
}

impl Conversations {
    /// Handles a command of the person.
    pub fn on_command(
        &mut self,
        command: ChatCommand,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        match command {
            ChatCommand::Say(text) => self.say(&text, None, members, links, cx),
            ChatCommand::SayTo { peer, text } => self.say(&text, Some(peer), members, links, cx),
            ChatCommand::Typing => self.typing(cx),
        }
    }

    /// Sends a message to everybody who is here or on the way, or to one of them.
    fn say(
        &mut self,
        text: &str,
        only: Option<PeerId>,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        if let Some(refusal) = refusal(text) {
            return cx.event(Event::Refused(refusal));
        }
        let meant = members.shown().filter(|peer| {
            only.is_none_or(|only| only == *peer) && links.state(peer) != PeerState::Failed
        });
        let meant: Vec<PeerId> = meant.collect();
        if only.is_some() && meant.is_empty() {
            return cx.event(Event::Refused(
                "The message was not sent: the person is not here any more.".to_owned(),
            ));
        }
        let to = only.and_then(|only| members.user(&only)).map(str::to_owned);
        let id = MessageId(Base32Unpadded::encode_string(&cx.random::<10>()));
        let frame = Frame::Chat(ChatFrame::Message {
            id: id.0.clone(),
            text: text.to_owned(),
            at: cx.now,
            private: only.is_some(),
        });
        yield_files(cx);
        cx.chat(ChatEvent::Message(Message {
            id: id.clone(),
            peer: None,
            sender: own_user(&cx.own.name, cx.own.tab),
            key: cx.own.key,
            text: text.to_owned(),
            at: cx.now,
            private: only.is_some(),
            to,
        }));
        let count = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let sent = meant.iter().filter(|peer| links.is_connected(peer)).count();
        self.deliveries
            .begin(id.clone(), count(sent), count(meant.len()), cx);
        let everybody = only.is_none() && links.connected().all(|peer| meant.contains(&peer));
        for peer in &meant {
            let outbox = &mut self.exchanges.entry(*peer).or_default().outbox;
            if outbox.len() >= MAX_OUTBOX {
                outbox.pop_front();
            }
            outbox.push_back(Waiting {
                id: id.clone(),
                frame: frame.clone(),
                was_sent: links.is_connected(peer),
            });
            if !everybody {
                cx.send(*peer, frame.clone());
            }
        }
        if everybody {
            cx.effect(Effect::SendAll(frame));
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
            ChatFrame::Message {
                id,
                text,
                at,
                private,
            } => {
                let Some(connect) = members.connect(&peer) else {
                    return;
                };
                let message = Message {
                    id: MessageId(id),
                    peer: Some(peer),
                    sender: members.user(&peer).unwrap_or_default().to_owned(),
                    key: connect.identity,
                    text,
                    at: at.min(cx.now),
                    private,
                    to: None,
                };
                self.on_message(peer, message, cx);
            }
            ChatFrame::Receipt { id } => self.on_receipt(peer, &MessageId(id), cx),
            ChatFrame::Typing => cx.chat(ChatEvent::Typing { peer }),
        }
    }

    fn on_message(&mut self, peer: PeerId, message: Message, cx: &mut Cx) {
        let MessageId(id) = &message.id;
        let sound = (1..=40).contains(&id.len())
            && !message.text.is_empty()
            && message.text.chars().count() <= MAX_TEXT;
        if !sound {
            return cx.dropped(Dropped::BadFrame);
        }
        cx.send(peer, ChatFrame::Receipt { id: id.clone() });
        if self.exchange(peer).take_id(id) {
            yield_files(cx);
            cx.chat(ChatEvent::Message(message));
        }
    }

    /// What goes back and forth with this peer. Of one that was lost and has come back it is known what it said.
    fn exchange(&mut self, peer: PeerId) -> &mut Exchange {
        let former = self.former.iter().position(|(other, _)| *other == peer);
        let exchange = self.exchanges.entry(peer).or_default();
        if let Some((_, said)) = former.and_then(|at| self.former.remove(at)) {
            exchange.said = said;
        }
        exchange
    }

    /// A peer was lost, and may come back.
    fn remember_former(&mut self, peer: PeerId, mut said: VecDeque<String>) {
        if said.is_empty() {
            return;
        }
        said.drain(..said.len().saturating_sub(MAX_FORMER_IDS));
        if self.former.len() >= MAX_FORMER {
            self.former.pop_front();
        }
        self.former.push_back((peer, said));
    }

    fn on_receipt(&mut self, peer: PeerId, id: &MessageId, cx: &mut Cx) {
        let Some(exchange) = self.exchanges.get_mut(&peer) else {
            return;
        };
        let at = exchange.outbox.iter().position(|waiting| waiting.id == *id);
        if at.and_then(|at| exchange.outbox.remove(at)).is_some() {
            self.deliveries.delivered(id, cx);
        }
    }

    /// Handles an event of a peer.
    pub fn on_peer(&mut self, peer: PeerId, event: &PeerEvent, cx: &mut Cx) {
        match event {
            // Messages that have no receipt yet go over the new connection.
            PeerEvent::Verified => {
                let exchange = self.exchanges.get_mut(&peer);
                for waiting in exchange.into_iter().flat_map(|its| &mut its.outbox) {
                    cx.send(peer, waiting.frame.clone());
                    if !core::mem::replace(&mut waiting.was_sent, true) {
                        self.deliveries.sent(&waiting.id, cx);
                    }
                }
            }
            PeerEvent::Gone { until, .. } => {
                let Some(exchange) = self.exchanges.remove(&peer) else {
                    return;
                };
                for Waiting { id, was_sent, .. } in exchange.outbox {
                    self.deliveries.not_delivered(&id, was_sent, cx);
                }
                if *until < Millis(u64::MAX) {
                    self.remember_former(peer, exchange.said);
                }
            }
            PeerEvent::Lost | PeerEvent::Returned | PeerEvent::Forgotten => {}
        }
    }
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
