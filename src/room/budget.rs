//! Budgets for each carrier, with a share for known keys.

use litemap::LiteMap;

use super::io::Carrier;
use crate::budget::Budget;
use crate::time::Millis;

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
