//! Time as the core sees it: a number that comes in as an argument, and timers by name.

use core::cmp::Reverse;
use core::fmt::Debug;
use core::ops::{Add, Sub};
use core::time::Duration;
use std::collections::BinaryHeap;

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

/// Beyond this, a wall clock that went further than the steady one tells of a sleep. Small corrections are none.
const SLEEP_TOLERANCE: f64 = 2_000.0;

/// A clock made of two: a steady one, which browsers stop while the computer sleeps, and the wall clock, which people and
/// time servers set forward and back. It never runs backwards, and it counts the time that the computer slept.
///
/// Nobody can tell a sleep from a wall clock that was set forward. It counts as a sleep, after which everybody is asked
/// whether they are still there.
#[derive(Debug, Clone)]
pub struct SteadyClock {
    now: f64,
    steady: f64,
    wall: f64,
}

impl SteadyClock {
    /// Starts at the time of the wall clock. Both times are in milliseconds; those of `steady` may count from any moment.
    pub fn new(steady: f64, wall: f64) -> SteadyClock {
        SteadyClock {
            now: wall,
            steady,
            wall,
        }
    }

    /// The time, given the present times of both clocks.
    pub fn read(&mut self, steady: f64, wall: f64) -> Millis {
        let passed = (steady - self.steady).max(0.0);
        let by_wall = wall - self.wall;
        self.now += if by_wall > passed + SLEEP_TOLERANCE {
            by_wall
        } else {
            passed
        };
        (self.steady, self.wall) = (steady, wall);
        // The conversion turns a negative number and NaN into 0.
        Millis(self.now as u64)
    }

    /// What the wall clock shows for a moment of this clock. If the wall clock was set back, it is not the same number.
    pub fn on_the_wall(&self, at: Millis) -> Millis {
        let ago = Millis(self.now as u64).since(at);
        Millis(self.wall as u64) - ago
    }
}

/// This many superseded entries may stay in the queue, however few timers there are.
const SUPERSEDED: usize = 32;

/// Timers by name: at most one for each `K`.
///
/// Looking at the earliest timer costs O(1), and moving one that is set O(log n), on average. Setting a new timer, and
/// clearing one, also shifts part of a sorted vector: O(n), but no more than some microseconds for the thousand timers
/// of a full room.
#[derive(Debug, Clone)]
pub struct Timers<K> {
    due: LiteMap<K, Millis>,
    /// The same timers, the earliest first. Entries of timers that were moved or cleared since are superseded: they
    /// stay until they come to the top, or make up more than half of the queue. The top is never superseded.
    queue: BinaryHeap<Reverse<(Millis, K)>>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Timers {
            due: LiteMap::new(),
            queue: BinaryHeap::new(),
        }
    }
}

impl<K: Ord + Clone + Debug> Timers<K> {
    /// Sets (or moves) the timer named `key`.
    pub fn set(&mut self, key: K, at: Millis) {
        if self.due.insert(key.clone(), at) != Some(at) {
            self.queue.push(Reverse((at, key)));
            self.drop_superseded();
        }
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
        if self.due.remove(key).is_some() {
            self.drop_superseded();
        }
    }

    /// The earliest timer and when it is due.
    pub fn next(&self) -> Option<(K, Millis)> {
        let Reverse((at, key)) = self.queue.peek()?;
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

    /// Takes superseded entries from the top of the queue, and all of them if they are more than the others.
    fn drop_superseded(&mut self) {
        if self.queue.len() > 2 * self.due.len() + SUPERSEDED {
            let entries = self.due.iter().map(|(key, at)| Reverse((*at, key.clone())));
            self.queue = entries.collect();
        }
        while let Some(Reverse((at, key))) = self.queue.peek()
            && self.due.get(key) != Some(at)
        {
            self.queue.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_steady_clock_counts_a_sleep_during_which_the_browsers_clock_stands_still() {
        let mut clock = SteadyClock::new(500.0, 1_000_000.0);
        assert_eq!(clock.read(600.0, 1_000_100.0), Millis(1_000_100));
        let night = 8.0 * 3_600_000.0;
        assert_eq!(
            clock.read(700.0, 1_000_200.0 + night),
            Millis(1_000_200 + night as u64)
        );
        // Some browsers count the sleep themselves.
        let both = clock.read(700.0 + night, 1_000_200.0 + 2.0 * night);
        assert_eq!(both, Millis(1_000_200 + 2 * night as u64));
        // Small corrections by a time server are not counted.
        assert_eq!(
            clock.read(800.0 + night, 1_001_500.0 + 2.0 * night) - both.since(Millis(0)),
            Millis(100)
        );
    }

    #[test]
    fn a_steady_clock_goes_on_when_the_wall_clock_is_set_back_and_knows_what_the_wall_shows() {
        let mut clock = SteadyClock::new(0.0, 10_000_000.0);
        let said = clock.read(1_000.0, 10_001_000.0);
        assert_eq!(clock.on_the_wall(said), said);
        let hour = 3_600_000.0;
        assert_eq!(clock.read(2_000.0, 10_002_000.0 - hour), Millis(10_002_000));
        assert_eq!(clock.on_the_wall(said), Millis(10_001_000 - hour as u64));
        // A moment that lies ahead is shown as now.
        assert_eq!(
            clock.on_the_wall(Millis(u64::MAX)),
            Millis(10_002_000 - hour as u64)
        );
    }

    proptest! {
        #[test]
        fn a_steady_clock_never_runs_backwards(times in prop::collection::vec((any::<f64>(), any::<f64>()), 0..30)) {
            let mut clock = SteadyClock::new(0.0, 0.0);
            let mut last = Millis(0);
            for (steady, wall) in times {
                let now = clock.read(steady, wall);
                prop_assert!(now >= last, "{now:?} after {last:?}");
                last = now;
            }
        }
    }

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
    fn timers_that_are_due_at_once_come_in_the_order_of_their_names() {
        let mut timers = Timers::default();
        for key in [3, 1, 2] {
            timers.set(key, Millis(10));
        }
        let taken: Vec<_> = core::iter::from_fn(|| timers.take_due(Millis(10))).collect();
        assert_eq!(taken, [1, 2, 3]);
    }

    #[test]
    fn the_queue_stays_short_while_timers_move() {
        let mut timers = Timers::default();
        timers.set("first", Millis(0));
        for round in 1..=1_000_000u64 {
            // Later, then back to a time that it had before.
            timers.set("moves", Millis(round % 7));
            let longest = 2 * timers.due.len() + SUPERSEDED;
            assert!(timers.queue.len() <= longest, "after {round} moves");
        }
        // Back and forth between set and not set.
        for round in 1..=100_000 {
            timers.set("moves", Millis(round));
            timers.clear(&"moves");
            let longest = 2 * timers.due.len() + SUPERSEDED;
            assert!(timers.queue.len() <= longest, "after {round} moves");
        }
        assert_eq!(timers.take_due(Millis(0)), Some("first"));
        assert!(timers.queue.is_empty());
    }

    #[derive(Debug, Clone)]
    enum Step {
        Set(u8, u64),
        SetEarlier(u8, u64),
        Clear(u8),
        Take(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let (key, at) = (0u8..6, 0u64..8);
        prop_oneof![
            4 => (key.clone(), at.clone()).prop_map(|(key, at)| Step::Set(key, at)),
            1 => (key.clone(), at.clone()).prop_map(|(key, at)| Step::SetEarlier(key, at)),
            1 => key.prop_map(Step::Clear),
            1 => at.prop_map(Step::Take),
        ]
    }

    proptest! {
        #[test]
        fn timers_do_what_a_plain_map_does(steps in prop::collection::vec(step(), 0..300)) {
            let mut timers = Timers::default();
            let mut model: BTreeMap<u8, u64> = BTreeMap::new();
            let earliest = |model: &BTreeMap<u8, u64>| {
                model.iter().map(|(key, at)| (*at, *key)).min()
            };
            for step in steps {
                match step {
                    Step::Set(key, at) => {
                        timers.set(key, Millis(at));
                        model.insert(key, at);
                    }
                    Step::SetEarlier(key, at) => {
                        timers.set_earlier(key, Millis(at));
                        let set = model.entry(key).or_insert(at);
                        *set = at.min(*set);
                    }
                    Step::Clear(key) => {
                        timers.clear(&key);
                        model.remove(&key);
                    }
                    Step::Take(now) => {
                        let due = earliest(&model).filter(|(at, _)| *at <= now);
                        let key = due.map(|(_, key)| key);
                        key.map(|key| model.remove(&key));
                        prop_assert_eq!(timers.take_due(Millis(now)), key);
                    }
                }
                let next = earliest(&model).map(|(at, key)| (key, Millis(at)));
                prop_assert_eq!(timers.next(), next);
                prop_assert!(timers.queue.len() <= 2 * timers.due.len() + SUPERSEDED);
                for key in 0..6 {
                    prop_assert_eq!(timers.get(&key), model.get(&key).map(|at| Millis(*at)));
                }
            }
        }
    }

    #[test]
    fn time_does_not_overflow() {
        assert_eq!(Millis(u64::MAX) + Duration::from_secs(1), Millis(u64::MAX));
        assert_eq!(Millis(1) - Duration::from_secs(1), Millis(0));
        assert_eq!(Millis(1).since(Millis(5)), Duration::ZERO);
    }
}
