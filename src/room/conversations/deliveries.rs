//! Counts how many people have received each of our messages.

use std::collections::VecDeque;

use litemap::LiteMap;

use crate::room::cx::Cx;
use crate::room::io::{ChatEvent, MessageId};

/// The most messages whose deliveries are counted.
const MAX_DELIVERIES: usize = 500;

/// To how many people a message has been sent, how many have it, and how many it is meant for.
#[derive(Debug, Clone, Copy)]
struct Count {
    sent: u32,
    delivered: u32,
    of: u32,
}

/// The counts of our messages, and the order in which they were said.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    counts: LiteMap<MessageId, Count>,
    order: VecDeque<MessageId>,
}

impl Deliveries {
    /// Counts a message that has just been said, and has been sent to the first number of the people it is meant for.
    pub fn begin(&mut self, id: MessageId, sent: u32, of: u32, cx: &mut Cx) {
        if self.order.len() >= MAX_DELIVERIES
            && let Some(oldest) = self.order.pop_front()
        {
            self.counts.remove(&oldest);
        }
        self.order.push_back(id.clone());
        let count = Count {
            sent,
            delivered: 0,
            of,
        };
        report(&id, count, cx);
        self.counts.insert(id, count);
    }

    /// Counts one more person whom the message was sent to.
    pub fn sent(&mut self, id: &MessageId, cx: &mut Cx) {
        self.change(id, |count| count.sent += 1, cx);
    }

    /// Counts one more person who has the message.
    pub fn delivered(&mut self, id: &MessageId, cx: &mut Cx) {
        self.change(id, |count| count.delivered += 1, cx);
    }

    /// Takes one person off the count, because the message will never reach them.
    pub fn not_delivered(&mut self, id: &MessageId, was_sent: bool, cx: &mut Cx) {
        let change = |count: &mut Count| {
            count.of = count.of.saturating_sub(1);
            count.sent = count.sent.saturating_sub(u32::from(was_sent));
        };
        self.change(id, change, cx);
    }

    fn change(&mut self, id: &MessageId, change: impl FnOnce(&mut Count), cx: &mut Cx) {
        if let Some(count) = self.counts.get_mut(id) {
            change(count);
            report(id, *count, cx);
        }
    }
}

fn report(id: &MessageId, count: Count, cx: &mut Cx) {
    cx.chat(ChatEvent::Delivery {
        id: id.clone(),
        sent: count.sent,
        delivered: count.delivered,
        of: count.of,
    });
}
