//! Which records have to go when a room has more than its limits allow.
//!
//! Strangers' records never push out those of known people: as long as any of theirs are left, only theirs go. Within
//! each of these classes, the author with the most loses the oldest first, until the rest fits. So everybody has a fair
//! share, what some of them leave unused is shared among the others, and whoever writes without end pushes out their
//! own words only.

use core::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::record::{Head, Key};
use crate::identity::PublicKey;

/// How much a room may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The number of records.
    pub messages: u64,
    /// The sum of their sizes.
    pub bytes: u64,
}

impl Default for Limits {
    /// 10,000 messages are months of a busy room, and what a browser reads through in less than a second. 50 MB are 5 kB
    /// for each of them, ten times what people write, and little beside the gigabytes that browsers give to a site.
    fn default() -> Limits {
        Limits {
            messages: 10_000,
            bytes: 50_000_000,
        }
    }
}

/// Returns the keys of the records that have to go, of all records of a room. The order of `heads` does not matter.
/// `is_known` tells whose records strangers cannot push out; one's own key is among them.
pub fn surplus(heads: &[Head], limits: Limits, is_known: impl Fn(&PublicKey) -> bool) -> Vec<Key> {
    let (mut known, mut strangers) = (Class::default(), Class::default());
    for head in in_order(heads) {
        if is_known(&head.author) {
            known.add(head);
        } else {
            strangers.add(head);
        }
    }
    let mut gone = known.shrink(limits);
    let left = if gone.is_empty() {
        known.leave_of(limits)
    } else {
        // No stranger's record stays where a known person's had to go.
        Limits {
            messages: 0,
            bytes: 0,
        }
    };
    gone.extend(strangers.shrink(left));
    gone
}

/// The heads by author, and those of each author from the oldest to the newest.
fn in_order(heads: &[Head]) -> impl Iterator<Item = &Head> {
    // A heap, because the standard sort adds 3 to 4 kB to the page for each type that it is compiled for.
    let by = |head: &Head| (head.author, head.key.position, head.key.conversation);
    let entries = heads.iter().enumerate();
    let mut heap: BinaryHeap<_> = entries.map(|(at, head)| Reverse((by(head), at))).collect();
    core::iter::from_fn(move || heap.pop()).filter_map(|Reverse((_, at))| heads.get(at))
}

/// The weight of a record of this size, measured against one of the limits.
type Weight = fn(u64) -> u64;

const MESSAGES: Weight = |_| 1;
const BYTES: Weight = |size| size;

/// The records of some authors that share a limit.
#[derive(Debug, Default)]
struct Class {
    authors: Vec<Author>,
}

#[derive(Debug)]
struct Author {
    author: PublicKey,
    /// The keys and sizes of the records, from the oldest to the newest.
    records: VecDeque<(Key, u64)>,
}

impl Author {
    fn total(&self, weight: Weight) -> u64 {
        self.records.iter().map(|(_, size)| weight(*size)).sum()
    }
}

impl Class {
    /// Adds a record that is not older than the last one of the same author. Those of one author come one after the
    /// other.
    fn add(&mut self, head: &Head) {
        let record = (head.key, u64::from(head.size));
        match self.authors.last_mut() {
            Some(last) if last.author == head.author => last.records.push_back(record),
            _ => self.authors.push(Author {
                author: head.author,
                records: [record].into(),
            }),
        }
    }

    fn total(&self, weight: Weight) -> u64 {
        self.authors.iter().map(|author| author.total(weight)).sum()
    }

    /// Returns the part of the limits that these records leave.
    fn leave_of(&self, limits: Limits) -> Limits {
        Limits {
            messages: limits.messages.saturating_sub(self.total(MESSAGES)),
            bytes: limits.bytes.saturating_sub(self.total(BYTES)),
        }
    }

    /// Removes records until the rest is within the limits, and returns their keys.
    fn shrink(&mut self, limits: Limits) -> Vec<Key> {
        let mut gone = self.shrink_to(limits.messages, MESSAGES);
        gone.extend(self.shrink_to(limits.bytes, BYTES));
        gone
    }

    fn shrink_to(&mut self, limit: u64, weight: Weight) -> Vec<Key> {
        let totals = self.authors.iter().map(|author| author.total(weight));
        let entries = totals.enumerate().map(|(at, total)| (total, Reverse(at)));
        let mut heaviest: BinaryHeap<_> = entries.collect();
        let mut left = self.total(weight);
        let mut gone = Vec::new();
        while left > limit {
            let Some((total, Reverse(at))) = heaviest.pop() else {
                break;
            };
            let author = self.authors.get_mut(at);
            if let Some((key, size)) = author.and_then(|author| author.records.pop_front()) {
                left -= weight(size);
                gone.push(key);
                heaviest.push((total - weight(size), Reverse(at)));
            }
        }
        gone
    }
}
