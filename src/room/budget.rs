//! A token bucket: so many at once, so many a second.

use crate::time::Millis;

/// Allows `burst` at once and `per_second` from then on.
#[derive(Debug, Clone)]
pub(super) struct Budget {
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

    /// Takes one, if there is one left.
    pub fn take(&mut self, now: Millis) -> bool {
        let earned = now.since(self.at).as_secs_f64() * self.per_second;
        self.left = (self.left + earned).min(self.burst);
        self.at = self.at.max(now);
        let allowed = self.left >= 1.0;
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
    fn it_refills_and_never_overflows() {
        let mut budget = Budget::new(3, 2, Millis(0));
        assert_eq!((0..5).filter(|_| budget.take(Millis(0))).count(), 3);
        assert!(!budget.take(Millis(499)));
        assert!(budget.take(Millis(500)));
        assert_eq!((0..9).filter(|_| budget.take(Millis(1_000_000))).count(), 3);
        assert!(
            !budget.take(Millis(0)),
            "a clock that runs backwards earns nothing"
        );
    }
}
