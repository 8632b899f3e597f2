//! Time as the core sees it: a number that comes in as an argument, and deadlines in a table.

use core::fmt::Debug;
use core::ops::{Add, Sub};
use core::time::Duration;
use litemap::LiteMap;

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

/// Deadlines by name: at most one for each `K`.
#[derive(Debug, Clone)]
pub struct Deadlines<K>(LiteMap<K, Millis>);

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Deadlines(LiteMap::new())
    }
}

impl<K: Ord + Clone + Debug> Deadlines<K> {
    /// Sets (or moves) the deadline named `key`.
    pub fn set(&mut self, key: K, at: Millis) {
        self.0.insert(key, at);
    }

    /// Sets the deadline only if it has none yet, or brings a later one forward.
    pub fn set_earlier(&mut self, key: K, at: Millis) {
        let entry = self.0.entry(key).or_insert(at);
        *entry = (*entry).min(at);
    }

    /// When `key` is due, if it has been set.
    pub fn get(&self, key: &K) -> Option<Millis> {
        self.0.get(key).copied()
    }

    /// Forgets the deadline named `key`.
    pub fn clear(&mut self, key: &K) {
        self.0.remove(key);
    }

    /// Forgets every deadline whose name `keep` rejects.
    pub fn retain(&mut self, mut keep: impl FnMut(&K) -> bool) {
        self.0.retain(|key, _| keep(key));
    }

    /// The earliest deadline and its name.
    pub fn next(&self) -> Option<(K, Millis)> {
        let (key, at) = self.0.iter().min_by_key(|(_, at)| **at)?;
        Some((key.clone(), *at))
    }

    /// Takes one deadline that is due at `now`, the earliest first.
    pub fn take_due(&mut self, now: Millis) -> Option<K> {
        let (key, at) = self.next()?;
        if at > now {
            return None;
        }
        self.0.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_due_in_order_and_once() {
        let mut deadlines = Deadlines::default();
        deadlines.set("b", Millis(20));
        deadlines.set("a", Millis(10));
        deadlines.set("a", Millis(30));
        deadlines.set_earlier("b", Millis(25));
        deadlines.set("c", Millis(5));
        deadlines.clear(&"c");
        assert_eq!(deadlines.next(), Some(("b", Millis(20))));
        assert_eq!(deadlines.take_due(Millis(19)), None);
        assert_eq!(deadlines.take_due(Millis(40)), Some("b"));
        assert_eq!(deadlines.take_due(Millis(40)), Some("a"));
        assert_eq!(deadlines.take_due(Millis(40)), None);
    }

    #[test]
    fn time_does_not_overflow() {
        assert_eq!(Millis(u64::MAX) + Duration::from_secs(1), Millis(u64::MAX));
        assert_eq!(Millis(1) - Duration::from_secs(1), Millis(0));
        assert_eq!(Millis(1).since(Millis(5)), Duration::ZERO);
    }
}
