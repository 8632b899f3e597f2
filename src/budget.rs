//! Token buckets with a burst and a rate per second.

use core::time::Duration;

use crate::time::Millis;

/// Allows `burst` at once and `per_second` from then on.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    burst: f64,
    per_second: f64,
    left: f64,
    at: Millis,
}

impl Budget {
    pub fn new(burst: u32, per_second: u32, now: Millis) -> Budget {
        Budget {
            burst: f64::from(burst),
            per_second: f64::from(per_second),
            left: f64::from(burst),
            at: now,
        }
    }

    /// Allows `burst` at once, and then one in each `pause`.
    pub fn slow(burst: u32, pause: Duration, now: Millis) -> Budget {
        Budget {
            per_second: pause.as_secs_f64().recip(),
            ..Budget::new(burst, 0, now)
        }
    }

    /// Returns whether there is a token left.
    pub fn has_token(&mut self, now: Millis) -> bool {
        let earned = now.since(self.at).as_secs_f64() * self.per_second;
        self.left = (self.left + earned).min(self.burst);
        self.at = self.at.max(now);
        self.left >= 1.0
    }

    /// Takes one token, and returns whether there was one left.
    pub fn take(&mut self, now: Millis) -> bool {
        let allowed = self.has_token(now);
        if allowed {
            self.left -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_refills_and_never_overflows() {
        let mut budget = Budget::new(3, 2, Millis(0));
        assert_eq!((0..5).filter(|_| budget.take(Millis(0))).count(), 3);
        assert!(!budget.take(Millis(499)));
        assert!(budget.take(Millis(500)));
        assert_eq!((0..9).filter(|_| budget.take(Millis(1_000_000))).count(), 3);
        assert!(
            !budget.take(Millis(0)),
            "a clock that runs backwards earns nothing"
        );
        let mut slow = Budget::slow(1, Duration::from_secs(4), Millis(0));
        assert!(slow.take(Millis(0)) && !slow.take(Millis(3_999)) && slow.take(Millis(4_000)));
    }
}
