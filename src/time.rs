//! Time as the core sees it: a number that comes in as an argument, and timers by name.

use core::fmt::Debug;
use core::ops::{Add, Sub};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since the Unix epoch. It never runs backwards within one tab.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// How long ago `earlier` was; zero if it lies ahead.
    pub fn since(self, earlier: Millis) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Millis {
    type Output = Millis;

    fn add(self, duration: Duration) -> Millis {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Millis(self.0.saturating_add(millis))
    }
}

impl Sub<Duration> for Millis {
    type Output = Millis;

    fn sub(self, duration: Duration) -> Millis {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Millis(self.0.saturating_sub(millis))
    }
}

/// Timers by name: at most one for each `K`. Every operation costs O(log n).
#[derive(Debug, Clone)]
pub struct Timers<K> {
    due: BTreeMap<K, Millis>,
    /// The same, the earliest first.
    queue: BTreeSet<(Millis, K)>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Timers {
            due: BTreeMap::new(),
            queue: BTreeSet::new(),
        }
    }
}

impl<K: Ord + Clone + Debug> Timers<K> {
    /// Sets (or moves) the timer named `key`.
    pub fn set(&mut self, key: K, at: Millis) {
        self.clear(&key);
        self.due.insert(key.clone(), at);
        self.queue.insert((at, key));
    }

    /// Sets the timer only if it is not set yet, or brings a later one forward.
    pub fn set_earlier(&mut self, key: K, at: Millis) {
        if self.get(&key).is_none_or(|set| at < set) {
            self.set(key, at);
        }
    }

    /// When `key` is due, if it has been set.
    pub fn get(&self, key: &K) -> Option<Millis> {
        self.due.get(key).copied()
    }

    /// Forgets the timer named `key`.
    pub fn clear(&mut self, key: &K) {
        if let Some(at) = self.due.remove(key) {
            self.queue.remove(&(at, key.clone()));
        }
    }

    /// The earliest timer and when it is due.
    pub fn next(&self) -> Option<(K, Millis)> {
        let (at, key) = self.queue.first()?;
        Some((key.clone(), *at))
    }

    /// Takes one timer that is due at `now`, the earliest first.
    pub fn take_due(&mut self, now: Millis) -> Option<K> {
        let (key, at) = self.next()?;
        if at > now {
            return None;
        }
        self.clear(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_come_due_in_order_and_once() {
        let mut timers = Timers::default();
        timers.set("b", Millis(20));
        timers.set("a", Millis(10));
        timers.set("a", Millis(30));
        timers.set_earlier("b", Millis(25));
        timers.set("c", Millis(5));
        timers.clear(&"c");
        assert_eq!(timers.next(), Some(("b", Millis(20))));
        assert_eq!(timers.take_due(Millis(19)), None);
        assert_eq!(timers.take_due(Millis(40)), Some("b"));
        assert_eq!(timers.take_due(Millis(40)), Some("a"));
        assert_eq!(timers.take_due(Millis(40)), None);
    }

    #[test]
    fn time_does_not_overflow() {
        assert_eq!(Millis(u64::MAX) + Duration::from_secs(1), Millis(u64::MAX));
        assert_eq!(Millis(1) - Duration::from_secs(1), Millis(0));
        assert_eq!(Millis(1).since(Millis(5)), Duration::ZERO);
    }
}
