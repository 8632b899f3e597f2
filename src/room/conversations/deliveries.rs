//! Counts how many people have received each of our messages.

use std::collections::VecDeque;

use litemap::LiteMap;

use crate::room::cx::Cx;
use crate::room::io::{ChatEvent, MessageId};

/// The most messages whose deliveries are counted.
const MAX_DELIVERIES: usize = 500;

/// How many people have each message, and how many it was meant for; and the order in which messages were sent.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    counts: LiteMap<MessageId, (u32, u32)>,
    order: VecDeque<MessageId>,
}

impl Deliveries {
    pub fn begin(&mut self, id: MessageId, of: u32) {
        if self.order.len() >= MAX_DELIVERIES
            && let Some(oldest) = self.order.pop_front()
        {
            self.counts.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.counts.insert(id, (0, of));
    }

    /// Counts one more person who has the message.
    pub fn delivered(&mut self, id: &MessageId, cx: &mut Cx) {
        self.change(id, |delivered, _| *delivered += 1, cx);
    }

    /// Takes one person off the count, because the message will never reach them.
    pub fn not_delivered(&mut self, id: &MessageId, cx: &mut Cx) {
        self.change(id, |_, of| *of = of.saturating_sub(1), cx);
    }

    fn change(&mut self, id: &MessageId, change: impl FnOnce(&mut u32, &mut u32), cx: &mut Cx) {
        if let Some((delivered, of)) = self.counts.get_mut(id) {
            change(delivered, of);
            cx.chat(ChatEvent::Delivery {
                id: id.clone(),
                delivered: *delivered,
                of: *of,
            });
        }
    }
}
