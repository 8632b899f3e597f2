//! Notices when most of what the brokers deliver is dropped, so that the status line can say so.
//!
//! Anybody who knows the topic can send what has to be dropped, and one message dropped in a healthy room means nothing. So
//! it takes several in some minutes, and more than what passed all checks. It is shown only while nobody is connected.

use core::time::Duration;

use crate::time::Millis;

/// Counts go back for one to two times this long. An announcement of a version that we cannot read comes five times
/// in the first two minutes.
const SPAN: Duration = Duration::from_secs(150);
/// Fewer drops than this are not worth a word.
const ENOUGH: u32 = 5;

/// How many messages from the brokers were dropped lately, and how many were not.
#[derive(Debug, Default)]
pub(super) struct Drops {
    /// When the present span began.
    began: Millis,
    present: Count,
    former: Count,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    dropped: u32,
    received: u32,
}

impl Drops {
    /// Counts a message that was dropped, and returns whether that changes the answer of [`Drops::prevail`].
    pub fn dropped(&mut self, now: Millis) -> bool {
        self.count(now, |present| &mut present.dropped)
    }

    /// Counts a message that passed all checks, and returns whether that changes the answer of [`Drops::prevail`].
    pub fn received(&mut self, now: Millis) -> bool {
        self.count(now, |present| &mut present.received)
    }

    fn count(&mut self, now: Millis, which: fn(&mut Count) -> &mut u32) -> bool {
        let before = self.prevail(now);
        match self.spans_ended(now) {
            0 => {}
            ended => {
                let former = core::mem::take(&mut self.present);
                self.former = if ended == 1 { former } else { Count::default() };
                self.began = now;
            }
        }
        let count = which(&mut self.present);
        *count = count.saturating_add(1);
        before != self.prevail(now)
    }

    /// Whether most of what came lately was dropped.
    pub fn prevail(&self, now: Millis) -> bool {
        let counts = match self.spans_ended(now) {
            0 => [self.present, self.former],
            1 => [self.present, Count::default()],
            _ => [Count::default(); 2],
        };
        let sum =
            |count: fn(Count) -> u32| counts.map(count).into_iter().fold(0, u32::saturating_add);
        let (dropped, received) = (sum(|count| count.dropped), sum(|count| count.received));
        dropped >= ENOUGH && dropped > received
    }

    /// How many spans have ended since the present one began.
    fn spans_ended(&self, now: Millis) -> u128 {
        now.since(self.began).as_millis() / SPAN.as_millis()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts `dropped` and `received` messages, one of each a second, as long as there are some.
    fn after(drops: &mut Drops, now: &mut Millis, dropped: u32, received: u32) {
        for second in 0..dropped.max(received) {
            if second < dropped {
                drops.dropped(*now);
            }
            if second < received {
                drops.received(*now);
            }
            *now = *now + Duration::from_secs(1);
        }
    }

    #[test]
    fn several_drops_prevail_unless_more_was_received_and_are_forgotten_after_minutes() {
        let mut now = Millis(1_700_000_000_000);
        let mut drops = Drops::default();
        after(&mut drops, &mut now, ENOUGH - 1, 0);
        assert!(!drops.prevail(now));
        after(&mut drops, &mut now, 1, 0);
        assert!(drops.prevail(now));
        assert!(drops.prevail(now + SPAN), "one span later");
        assert!(!drops.prevail(now + 2 * SPAN), "two spans later");
        after(&mut drops, &mut now, 0, ENOUGH);
        assert!(!drops.prevail(now));
    }

    #[test]
    fn a_room_where_as_much_is_received_as_dropped_stays_quiet_for_hours() {
        let mut now = Millis(1_700_000_000_000);
        let mut drops = Drops::default();
        for _ in 0..100 {
            after(&mut drops, &mut now, 300, 300);
            assert!(!drops.prevail(now));
        }
    }

    #[test]
    fn drops_that_are_rare_never_prevail() {
        let mut now = Millis(1_700_000_000_000);
        let mut drops = Drops::default();
        for _ in 0..100 {
            after(&mut drops, &mut now, 1, 0);
            now = now + SPAN / 2;
            assert!(!drops.prevail(now));
        }
    }

    #[test]
    fn counting_tells_when_the_answer_changes() {
        let now = Millis(1_700_000_000_000);
        let mut drops = Drops::default();
        let changes: Vec<bool> = (0..ENOUGH + 1).map(|_| drops.dropped(now)).collect();
        assert_eq!(changes, [false, false, false, false, true, false]);
        let changes: Vec<bool> = (0..ENOUGH + 1).map(|_| drops.received(now)).collect();
        assert_eq!(changes, [false, false, false, false, false, true]);
    }
}
