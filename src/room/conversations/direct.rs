//! Messages to one person, and their receipts.

use std::collections::VecDeque;

use base32ct::{Base32Unpadded, Encoding};
use litemap::LiteMap;

use super::deliveries::Deliveries;
use super::{is_sound, refusal};
use crate::identity::PeerId;
use crate::room::channel::yield_files;
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::effect::PeerEvent;
use crate::room::io::{ChatEvent, Event, Message, MessageId, Order, PeerState};
use crate::room::links::Links;
use crate::room::members::{Members, own_user};
use crate::time::Millis;
use crate::wire::Frame;
use crate::wire::entry::Clock;
use crate::wire::frame::ChatFrame;

/// The most messages that wait for one peer's receipt; the oldest are given up first.
const MAX_OUTBOX: usize = 200;
/// The most ids of a peer's messages that are remembered.
const MAX_REMEMBERED_IDS: usize = 512;
/// Message ids are remembered for at most this many peers that may come back, …
const MAX_FORMER: usize = 64;
/// … and at most this many for each: as many as may wait for one peer's receipt.
const MAX_FORMER_IDS: usize = MAX_OUTBOX;
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

/// Messages to one person at a time.
#[derive(Debug, Default)]
pub(super) struct Direct {
    exchanges: LiteMap<PeerId, Exchange>,
    /// Ids of what those said who were lost. Whoever slept does not know that, and says again what has no receipt.
    former: VecDeque<(PeerId, VecDeque<String>)>,
    deliveries: Deliveries,
}

impl Direct {
    /// Sends a message to one person who is here or on the way.
    pub fn say(&mut self, peer: PeerId, text: &str, members: &Members, links: &Links, cx: &mut Cx) {
        if let Some(refusal) = refusal(text) {
            return cx.event(Event::Refused(refusal));
        }
        let is_here = members.shown().any(|other| other == peer);
        if !is_here || links.state(&peer) == PeerState::Failed {
            return cx.event(Event::Refused(
                "The message was not sent: the person is not here any more.".to_owned(),
            ));
        }
        let id = MessageId(Base32Unpadded::encode_string(&cx.random::<10>()));
        let frame = Frame::Chat(ChatFrame::Message {
            id: id.0.clone(),
            text: text.to_owned(),
            at: cx.now,
            private: true,
        });
        yield_files(cx);
        let sender = own_user(&cx.own.name, cx.own.tab);
        let text = text.to_owned();
        cx.chat(ChatEvent::Message(Box::new(Message {
            to: members.user(&peer).map(str::to_owned),
            ..Message::new(id.clone(), sender, cx.own.key, text, cx.now)
        })));
        let was_sent = links.is_connected(&peer);
        self.deliveries.begin(id.clone(), was_sent.into(), 1, cx);
        let outbox = &mut self.exchanges.entry(peer).or_default().outbox;
        if outbox.len() >= MAX_OUTBOX {
            outbox.pop_front();
        }
        cx.send(peer, frame.clone());
        outbox.push_back(Waiting {
            id,
            frame,
            was_sent,
        });
    }

    /// Handles a frame of a peer: a message, or a receipt.
    pub fn on_frame(&mut self, peer: PeerId, frame: ChatFrame, members: &Members, cx: &mut Cx) {
        match frame {
            ChatFrame::Message { id, text, at, .. } => {
                let Some(connect) = members.connect(&peer) else {
                    return;
                };
                let (key, user) = (connect.identity, members.user(&peer));
                let user = user.unwrap_or_default().to_owned();
                let message = Message {
                    order: Order(Clock::at(cx.now).0, [0; 32]),
                    peer: Some(peer),
                    own: key == cx.own.key,
                    trust: members.trust_of(&key, &connect.name, cx),
                    ..Message::new(MessageId(id), user, key, text, at.min(cx.now))
                };
                self.on_message(peer, message, cx);
            }
            ChatFrame::Receipt { id } => self.on_receipt(peer, &MessageId(id), cx),
            ChatFrame::Typing => {}
        }
    }

    fn on_message(&mut self, peer: PeerId, message: Message, cx: &mut Cx) {
        let MessageId(id) = &message.id;
        if !(1..=40).contains(&id.len()) || !is_sound(&message.text) {
            return cx.dropped(Dropped::BadFrame);
        }
        cx.send(peer, ChatFrame::Receipt { id: id.clone() });
        if self.exchange(peer).take_id(id) {
            yield_files(cx);
            cx.chat(ChatEvent::Message(Box::new(message)));
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
