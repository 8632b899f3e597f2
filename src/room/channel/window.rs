//! How much of a stream may be under way: as much as arrives within a few milliseconds, or within twice the time that
//! the path takes by itself.
//!
//! Whatever is under way delays what is sent next, for instance a question behind large values. A window that is larger
//! than this makes nothing faster; it only moves the queue from here into the browser. The rest waits here.

use core::time::Duration;

use crate::wire::frame::MAX_FRAME;

/// The limit of the window, in bytes.
pub(super) const MAX_WINDOW: usize = 1024 * 1024;
/// The smallest window, in bytes: twice as much as the receiver acknowledges at once, so that the connection never runs
/// empty while an acknowledgement is under way.
pub(super) const MIN_WINDOW: usize = 128 * 1024;
/// The window at first, in bytes.
const FIRST_WINDOW: usize = 256 * 1024;
/// The bytes under way may take this long to arrive, however short the path is.
const SHORT: Duration = Duration::from_millis(6);
/// Each measurement moves the window by this fraction of the difference.
const SMOOTHING: usize = 4;

/// The window of one direction, on one connection.
#[derive(Debug)]
pub(super) struct Window {
    bytes: usize,
    /// The shortest time that anything took, from being sent until it was acknowledged.
    fastest: Duration,
}

impl Default for Window {
    fn default() -> Window {
        Window {
            bytes: FIRST_WINDOW,
            fastest: Duration::MAX,
        }
    }
}

impl Window {
    /// Whether another chunk may be sent while this many bytes are under way.
    pub fn has_room(&self, under_way: usize) -> bool {
        under_way + MAX_FRAME <= self.bytes
    }

    /// Notes that a chunk was acknowledged this long after it had been sent. With it, `under_way` bytes were under way,
    /// so that many arrive in this time. If nothing waits (`!is_full`), the time may be that of the receiver's patience.
    pub fn measure(&mut self, under_way: usize, took: Duration, is_full: bool) {
        // The clock counts milliseconds.
        let took = took.max(Duration::from_millis(1));
        self.fastest = self.fastest.min(took);
        if !is_full || under_way < self.bytes / 2 {
            return;
        }
        let wanted = self.fastest.saturating_mul(2).max(SHORT);
        let fits = (under_way as f64 * wanted.div_duration_f64(took)) as usize;
        let fits = fits.clamp(MIN_WINDOW, MAX_WINDOW);
        self.bytes = (self.bytes * (SMOOTHING - 1) + fits) / SMOOTHING;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::super::stream::Stream;
    use super::*;
    use crate::time::Millis;
    use crate::wire::{OutboundMessage, Purpose, Value};

    const VALUE: usize = 64 * 1024;

    /// The measurements of a line on which values were sent all the time.
    #[derive(Debug)]
    struct Flow {
        /// The bytes that arrived, as a part of those that the line could carry.
        used: f64,
        /// In the second half, the longest time that a chunk took to arrive, in milliseconds.
        slowest: u64,
    }

    /// Sends values of 64 KiB for some milliseconds, each after the one before was given to the connection. The line
    /// carries `rate` bytes in a millisecond, with a delay each way, for which `delay` may depend on the time.
    fn flow(rate: usize, delay: impl Fn(u64) -> u64, millis: u64) -> Flow {
        let (mut sender, mut receiver) = (Stream::new(1), Stream::new(2));
        let greetings = [sender.begin(), receiver.begin()];
        let [ours, theirs] = greetings.map(|ack| (ack.count, ack.streams));
        receiver.on_ack(ours.0, ours.1, Millis(0)).unwrap();
        sender.on_ack(theirs.0, theirs.1, Millis(0)).unwrap();
        let (mut chunks, mut acks) = (VecDeque::new(), VecDeque::new());
        let (mut free_at, mut last, mut arrived, mut slowest) = (0, 0, 0, 0);
        for now in 0..millis {
            while let Some((_, size)) = chunks.pop_front_if(|(at, _)| *at <= now) {
                arrived += size;
                receiver.count(size);
                if receiver.should_acknowledge() {
                    let ack = receiver.acknowledge().unwrap();
                    acks.push_back((now + delay(now), ack.count));
                }
            }
            while let Some((_, count)) = acks.pop_front_if(|(at, _)| *at <= now) {
                sender.on_ack(count, None, Millis(now)).unwrap();
            }
            loop {
                if sender.unfinished().is_empty() {
                    let bytes = vec![0; VALUE];
                    let value = Value::Bytes {
                        kind: String::new(),
                        bytes,
                    };
                    let value = OutboundMessage::value(Purpose::Data, value);
                    sender.push(value.unwrap(), Some(0));
                }
                let Some((chunk, _)) = sender.next(Millis(now)) else {
                    break;
                };
                free_at = free_at.max(now as usize * rate) + chunk.size();
                // A later chunk never arrives earlier.
                last = last.max((free_at / rate) as u64 + delay(now));
                chunks.push_back((last, chunk.size()));
                if now > millis / 2 {
                    slowest = slowest.max(last - now);
                }
            }
        }
        Flow {
            used: arrived as f64 / (rate * millis as usize) as f64,
            slowest,
        }
    }

    #[test]
    fn a_question_behind_large_values_waits_for_a_few_milliseconds_only() {
        // From 10 to 100 MB a second.
        for rate in [10_000, 25_000, 50_000, 100_000] {
            let flow = flow(rate, |_| 1, 2_000);
            let least = (MIN_WINDOW / rate) as u64;
            assert!(flow.slowest <= 3 + least.max(8), "{rate}: {flow:?}");
            assert!(flow.used > 0.95, "{rate}: {flow:?}");
        }
    }

    #[test]
    fn a_slow_line_holds_no_more_than_the_smallest_window() {
        let flow = flow(500, |_| 10, 10_000);
        assert!(flow.slowest <= (2 * MIN_WINDOW / 500) as u64, "{flow:?}");
        assert!(flow.used > 0.95, "{flow:?}");
    }

    #[test]
    fn a_long_path_is_filled_as_far_as_the_limit_allows() {
        // 10 MB a second over 25 ms each way: 500,000 bytes fill it.
        let steady = flow(10_000, |_| 25, 5_000);
        assert!(steady.used > 0.9, "{steady:?}");
        // A path whose delay jumps, as over radio, is filled as well.
        let jumps = flow(10_000, |now| 20 + now * 7 % 11, 5_000);
        assert!(jumps.used > 0.9, "{jumps:?}");
    }

    #[test]
    fn a_pause_of_the_receiver_is_forgotten_soon() {
        let flow = flow(25_000, |now| if now == 300 { 80 } else { 1 }, 2_000);
        assert!(flow.used > 0.9, "{flow:?}");
        assert!(flow.slowest <= 12, "{flow:?}");
    }

    #[test]
    fn little_traffic_says_nothing_about_the_window() {
        let mut window = Window::default();
        // The receiver waits for 50 ms before it acknowledges little.
        window.measure(100, Duration::from_millis(51), false);
        window.measure(70_000, Duration::from_millis(51), true);
        assert_eq!(window.bytes, FIRST_WINDOW);
    }
}
