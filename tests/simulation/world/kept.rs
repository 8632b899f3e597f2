//! What browsers keep of what was said: one store for all tabs of a browser, which outlives them.

use std::collections::BTreeMap;

use rtchat::history::{Key, Record};
use rtchat::room::{DELETED, Input, StoreCommand, StoreEvent};
use rtchat::wire::entry::ConversationId;

use super::{Task, World};

/// The number of records that come first.
const FIRST: usize = 150;
/// The number of milliseconds until what one tab has written reaches another.
const TOLD_AFTER: u64 = 2;

/// The store of a browser.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    pub records: BTreeMap<Key, Record>,
    pub states: BTreeMap<&'static str, Vec<u8>>,
    /// How often a small value was kept.
    pub states_put: u32,
}

impl World {
    /// Gives a tab the store with this number. It reads what is there.
    pub fn keep(&mut self, at: usize, store: usize) {
        while self.kept.len() <= store {
            self.kept.push(Kept::default());
        }
        self.nodes[at].kept = Some(store);
        let kept = self.kept[store].clone();
        let mut events: Vec<StoreEvent> = Vec::new();
        events.extend(
            kept.states
                .into_iter()
                .map(|(name, value)| StoreEvent::State(name, value)),
        );
        let mut conversations: BTreeMap<ConversationId, Vec<Record>> = BTreeMap::new();
        for (key, record) in kept.records {
            let records = conversations.entry(key.conversation).or_default();
            records.push(record);
        }
        let mut older = Vec::new();
        for (_, mut records) in conversations {
            let newest = records.split_off(records.len().saturating_sub(FIRST));
            events.push(StoreEvent::Records(newest));
            older.push(StoreEvent::Records(records));
        }
        events.extend(older);
        events.push(StoreEvent::Restored);
        for event in events {
            self.schedule(self.reading_takes, Task::Feed(at, Input::Store(event)));
        }
    }

    pub(super) fn store(&mut self, at: usize, command: StoreCommand) {
        let Some(store) = self.nodes[at].kept else {
            return;
        };
        if let Some(left) = &mut self.writes_left {
            if *left == 0 {
                return;
            }
            *left -= 1;
        }
        let kept = &mut self.kept[store];
        let event = match command {
            StoreCommand::Put(record) => {
                kept.records.insert(record.key(), record.clone());
                StoreEvent::Records(vec![record])
            }
            StoreCommand::Add(record) => {
                if kept.records.contains_key(&record.key()) {
                    return;
                }
                kept.records.insert(record.key(), record.clone());
                StoreEvent::Records(vec![record])
            }
            StoreCommand::Delete(key) => {
                kept.records.remove(&key);
                StoreEvent::Deleted(vec![key])
            }
            StoreCommand::DeleteConversation(id) => {
                kept.records.retain(|key, _| key.conversation != id);
                StoreEvent::ConversationDeleted(id)
            }
            StoreCommand::DeleteRoom => {
                kept.records.clear();
                kept.states.clear();
                StoreEvent::RoomDeleted
            }
            StoreCommand::DeleteAll(value) => {
                kept.records.clear();
                kept.states.clear();
                kept.states.insert(DELETED, value);
                StoreEvent::RoomDeleted
            }
            StoreCommand::PutState(name, value) => {
                kept.states_put += 1;
                kept.states.insert(name, value.clone());
                StoreEvent::State(name, value)
            }
        };
        let others: Vec<usize> = (0..self.nodes.len())
            .filter(|other| *other != at && self.nodes[*other].kept == Some(store))
            .collect();
        for other in others {
            let input = Input::Store(event.clone());
            self.schedule(TOLD_AFTER, Task::Feed(other, input));
        }
    }
}
