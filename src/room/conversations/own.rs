//! What we say: our place in each conversation, what waits for a signature, and who has it.

use litemap::LiteMap;

use super::thread::Thread;
use crate::identity::{PeerId, PublicKey};
use crate::room::cx::{Cx, SignFor};
use crate::room::io::{ChatEvent, MessageId};
use crate::wire::entry::{
    Clock, Content, ConversationId, Draft, Entry, EntryBody, EntryId, Place, entry_name, writer,
};
use crate::wire::frame::{ShortId, short};
use crate::wire::statement::{StatementError, StatementId};

/// The most messages whose deliveries are counted.
const MAX_DELIVERIES: usize = 500;

/// What we said last in a conversation.
#[derive(Debug, Clone, Copy)]
struct Last {
    number: u32,
    id: EntryId,
    clock: Clock,
}

/// Somebody whom a message is meant for.
#[derive(Debug)]
struct Recipient {
    key: PublicKey,
    /// The peers under this key that have not proven that they hold it. Without any, it was proven.
    claimed_by: Vec<PeerId>,
    sent: bool,
    delivered: bool,
}

/// Whom a message is meant for that was not said.
#[derive(Debug)]
pub(super) struct Recipients(Vec<Recipient>);

/// An entry of ours that was just written.
#[derive(Debug)]
pub(super) enum Written {
    /// It waits for its signature.
    Unsigned(EntryId),
    /// It needs none.
    Said(Box<Entry>),
}

impl Written {
    pub fn id(&self) -> EntryId {
        match self {
            Written::Unsigned(id) => *id,
            Written::Said(entry) => entry.id(),
        }
    }
}

/// What we say.
#[derive(Debug, Default)]
pub(super) struct Own {
    last: LiteMap<ConversationId, Last>,
    /// What waits for its signature, by the number of the request.
    unsigned: LiteMap<u32, Draft>,
    requests: u32,
    deliveries: LiteMap<ShortId, (EntryId, Vec<Recipient>)>,
    /// The messages whose deliveries are counted, oldest first.
    order: Vec<ShortId>,
    /// The messages whose deliveries have changed, and were not kept since.
    changed: Vec<ShortId>,
}

impl Own {
    /// Writes an entry, and asks for its signature, unless it is said to one person. Its id is known at once.
    ///
    /// # Errors
    /// [`StatementError::TooLarge`].
    pub fn write(
        &mut self,
        thread: &Thread,
        content: Content,
        cx: &mut Cx,
    ) -> Result<Written, StatementError> {
        let (conversation, log) = (thread.id, &thread.log);
        let last = self.last.get(&conversation).copied();
        let clock = last.map_or(log.clock(), |last| last.clock.max(log.clock()));
        let place = Place {
            author: cx.own.key,
            writer: writer(&cx.own.id),
            number: last.map_or(0, |last| last.number.saturating_add(1)),
            previous: last.map_or(StatementId([0; 32]), |last| last.id),
            conversation,
            seen: log.newest(),
            clock: clock.next(cx.now),
        };
        let body = EntryBody {
            name: cx.own.name.clone(),
            tab: cx.own.tab,
            content,
        };
        let draft = Draft::new(&place, &body, &mut cx.rng)?;
        let message = draft.message(&cx.own.room);
        let id = id_of(&message);
        let last = Last {
            number: place.number,
            id,
            clock: place.clock,
        };
        self.last.insert(conversation, last);
        if thread.other().is_some() {
            return Ok(Written::Said(Box::new(draft.unsigned(&cx.own.room))));
        }
        Ok(Written::Unsigned(self.request(draft, cx)))
    }

    /// The clock of what we said last in a conversation.
    pub fn clock(&self, conversation: &ConversationId) -> Clock {
        let last = self.last.get(conversation);
        last.map_or(Clock::default(), |last| last.clock)
    }

    /// Takes what waits for this signature.
    pub fn take_unsigned(&mut self, request: u32) -> Option<Draft> {
        self.unsigned.remove(&request)
    }

    /// Counts no deliveries of a message that was not said, and returns whom it is meant for; `None` if it is no message.
    pub fn uncount(&mut self, id: &ShortId) -> Option<Recipients> {
        let (_, recipients) = self.deliveries.remove(id)?;
        Some(Recipients(recipients))
    }

    /// Tries again to say a message that was not said.
    pub fn say_again(&mut self, draft: Draft, Recipients(meant): Recipients, cx: &mut Cx) {
        let id = self.request(draft, cx);
        report(&id, &meant, cx);
        self.deliveries.insert(short(&id), (id, meant));
    }

    /// Asks for the signature of an entry, and returns the entry's id.
    fn request(&mut self, draft: Draft, cx: &mut Cx) -> EntryId {
        let message = draft.message(&cx.own.room);
        let id = id_of(&message);
        let request = self.requests;
        self.requests = request.wrapping_add(1);
        self.unsigned.insert(request, draft);
        cx.sign(SignFor::Entry(request), message);
        id
    }

    /// Counts the deliveries of a message to these people: who is proven, and who only claims a key.
    pub fn count(
        &mut self,
        id: EntryId,
        meant: impl Iterator<Item = (PeerId, PublicKey, bool)>,
        cx: &mut Cx,
    ) {
        let mut recipients: Vec<Recipient> = Vec::new();
        let all: Vec<_> = meant.collect();
        // Our own other tabs count only where nobody else is here.
        let alone = all.iter().all(|(_, key, _)| *key == cx.own.key);
        let counted = |(_, key, _): &(PeerId, PublicKey, bool)| alone || *key != cx.own.key;
        for (peer, key, proven) in all.into_iter().filter(counted) {
            let known = recipients.iter_mut().find(|one| one.key == key);
            match known {
                Some(one) if proven => one.claimed_by.clear(),
                Some(one) if !one.claimed_by.is_empty() => one.claimed_by.push(peer),
                Some(_) => {}
                None => recipients.push(Recipient {
                    key,
                    claimed_by: if proven { Vec::new() } else { vec![peer] },
                    sent: false,
                    delivered: false,
                }),
            }
        }
        let name = short(&id);
        if self.order.len() >= MAX_DELIVERIES {
            let oldest = self.order.remove(0);
            self.deliveries.remove(&oldest);
        }
        self.order.push(name);
        report(&id, &recipients, cx);
        self.changed.push(name);
        self.deliveries.insert(name, (id, recipients));
    }

    /// A message has left for somebody, over an open connection.
    pub fn sent(&mut self, id: &ShortId, key: &PublicKey, cx: &mut Cx) {
        self.change(id, key, |one| !core::mem::replace(&mut one.sent, true), cx);
    }

    /// Somebody has a message.
    pub fn delivered(&mut self, id: &ShortId, key: &PublicKey, cx: &mut Cx) {
        let change = |one: &mut Recipient| {
            one.sent = true;
            one.claimed_by.clear();
            !core::mem::replace(&mut one.delivered, true)
        };
        self.change(id, key, change, cx);
    }

    /// The recipient of a message that was said to an empty room is the first who comes.
    fn change(
        &mut self,
        id: &ShortId,
        key: &PublicKey,
        change: impl FnOnce(&mut Recipient) -> bool,
        cx: &mut Cx,
    ) {
        let name = *id;
        let Some((id, recipients)) = self.deliveries.get_mut(id) else {
            return;
        };
        if recipients.is_empty() && *key != cx.own.key {
            recipients.push(Recipient {
                key: *key,
                claimed_by: Vec::new(),
                sent: false,
                delivered: false,
            });
        }
        let one = recipients.iter_mut().find(|one| one.key == *key);
        if one.is_some_and(change) {
            report(id, recipients, cx);
            self.changed.push(name);
        }
    }

    /// Takes the messages whose deliveries have changed since this was last called.
    pub fn take_changed(&mut self) -> Vec<ShortId> {
        core::mem::take(&mut self.changed)
    }

    /// Whom a message is meant for, and which of them have it. `None` if its deliveries are not counted.
    pub fn recipients(&self, id: &ShortId) -> Option<Vec<(PublicKey, bool)>> {
        let (_, recipients) = self.deliveries.get(id)?;
        // Nobody who only claims a key is waited for the next time.
        let proven = recipients.iter().filter(|one| one.claimed_by.is_empty());
        Some(proven.map(|one| (one.key, one.delivered)).collect())
    }

    /// Adds whom a message is meant for, and which of them have it, as it was kept by this tab before, or by another one.
    pub fn restore(&mut self, id: EntryId, kept: &[(PublicKey, bool)], cx: &mut Cx) {
        let name = short(&id);
        if !self.deliveries.contains_key(&name) {
            // The newest come first.
            if self.order.len() >= MAX_DELIVERIES {
                return;
            }
            self.order.insert(0, name);
        }
        let (_, recipients) = self
            .deliveries
            .entry(name)
            .or_insert_with(|| (id, Vec::new()));
        for (key, delivered) in kept {
            match recipients.iter_mut().find(|one| one.key == *key) {
                Some(one) => one.delivered |= delivered,
                None => recipients.push(Recipient {
                    key: *key,
                    claimed_by: Vec::new(),
                    sent: *delivered,
                    delivered: *delivered,
                }),
            }
        }
        report(&id, recipients, cx);
    }

    /// The messages that are meant for somebody, and of which it is not known that they have come.
    pub fn undelivered(&self, key: &PublicKey) -> Vec<ShortId> {
        let all = self.deliveries.iter();
        let theirs = all.filter(|(_, (_, recipients))| {
            let mut recipients = recipients.iter();
            recipients.any(|one| one.key == *key && !one.delivered)
        });
        theirs.map(|(id, _)| *id).collect()
    }

    /// A peer has proven who it is: messages wait for it from now on, also when it leaves.
    pub fn proven(&mut self, peer: &PeerId) {
        for (_, (_, recipients)) in self.deliveries.iter_mut() {
            for one in recipients {
                if one.claimed_by.contains(peer) {
                    one.claimed_by.clear();
                }
            }
        }
    }

    /// A peer is gone. Nothing waits for somebody who never proved who they are.
    pub fn gone(&mut self, peer: &PeerId, cx: &mut Cx) {
        for (name, (id, recipients)) in self.deliveries.iter_mut() {
            let before = recipients.len();
            recipients.retain_mut(|one| {
                let claimed = one.claimed_by.len();
                one.claimed_by.retain(|other| other != peer);
                claimed == one.claimed_by.len() || !one.claimed_by.is_empty()
            });
            if recipients.len() != before {
                report(id, recipients, cx);
                self.changed.push(*name);
            }
        }
    }
}

/// The id of the entry of which this is to be signed.
pub(super) fn id_of(message: &[u8]) -> EntryId {
    StatementId(crate::identity::framing::sha256(message))
}

fn report(id: &EntryId, recipients: &[Recipient], cx: &mut Cx) {
    let count = |these: &dyn Fn(&&Recipient) -> bool| {
        u32::try_from(recipients.iter().filter(these).count()).unwrap_or(u32::MAX)
    };
    cx.chat(ChatEvent::Delivery {
        id: MessageId(entry_name(id)),
        sent: count(&|one| one.sent),
        delivered: count(&|one| one.delivered),
        of: count(&|_| true),
    });
}
