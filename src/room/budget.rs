//! Token buckets with a burst and a rate per second; and a pair of them for each carrier, with a share for known keys.

use core::time::Duration;

use litemap::LiteMap;

use super::io::Carrier;
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

/// Budgets for what each carrier brings. Identities cost nothing, so a budget for each identity would limit nothing.
/// Known keys have a share of their own, which strangers cannot use up.
#[derive(Debug)]
pub(super) struct CarrierBudgets {
    strangers: (u32, u32),
    known: (u32, u32),
    carriers: LiteMap<Carrier, [Budget; 2]>,
}

impl CarrierBudgets {
    /// Creates budgets for strangers and for known keys, each as a burst and a rate per second.
    pub fn new(strangers: (u32, u32), known: (u32, u32)) -> CarrierBudgets {
        CarrierBudgets {
            strangers,
            known,
            carriers: LiteMap::new(),
        }
    }

    /// Takes one token, and returns whether there was one left for this carrier.
    pub fn take(&mut self, carrier: Carrier, known: bool, now: Millis) -> bool {
        let shares = [self.strangers, self.known];
        let new = || shares.map(|(burst, per_second)| Budget::new(burst, per_second, now));
        let [strangers, known_keys] = self.carriers.entry(carrier).or_insert_with(new);
        if known && known_keys.take(now) {
            return true;
        }
        strangers.take(now)
    }

    /// Forgets a carrier that is gone.
    pub fn remove(&mut self, carrier: &Carrier) {
        self.carriers.remove(carrier);
    }
}

#[cfg(test)]
mod tests {
    use super::super::io::BrokerId;
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

    #[test]
    fn strangers_on_one_carrier_use_up_neither_another_carrier_nor_the_share_of_known_keys() {
        let mut budgets = CarrierBudgets::new((10, 1), (3, 1));
        let (one, other) = (Carrier::Broker(BrokerId(0)), Carrier::Broker(BrokerId(1)));
        let taken = |budgets: &mut CarrierBudgets, carrier, known| {
            (0..100)
                .filter(|_| budgets.take(carrier, known, Millis(0)))
                .count()
        };
        assert_eq!(taken(&mut budgets, one, false), 10);
        assert_eq!(taken(&mut budgets, one, true), 3);
        assert_eq!(taken(&mut budgets, other, true), 13);
    }
}
