//! A small sort for short lists.

use core::cmp::Ordering;

/// Returns the items in order; equal ones keep theirs.
///
/// Each is inserted into a vector at the place that a binary search finds: O(n log n) comparisons, but O(n²) moves, for
/// a few hundred items at most. The standard sorts are made for millions, and are 3 to 4 kB of the page each time that
/// one is compiled for another type.
pub(crate) fn sorted_by<T>(
    items: impl IntoIterator<Item = T>,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Vec<T> {
    let mut sorted = Vec::new();
    for item in items {
        let place = sorted.partition_point(|earlier| compare(earlier, &item) != Ordering::Greater);
        sorted.insert(place, item);
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lists_are_sorted_as_the_standard_stable_sort_does(
            items in prop::collection::vec((0u8..9, 0u8..9), 0..99),
        ) {
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            prop_assert_eq!(sorted_by(items, |(one, _), (other, _)| one.cmp(other)), expected);
        }
    }
}
