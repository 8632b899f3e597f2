//! Medians, and numbers as people read them.

/// The median; the mean of the two middle values if their number is even, and 0 if there are none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = |at: usize| sorted.get(at).copied().unwrap_or_default();
    (middle(sorted.len() / 2) + middle(sorted.len().saturating_sub(1) / 2)) / 2.0
}

/// The value that 95 of 100 do not exceed; 0 if there are none.
pub fn percentile_95(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() * 95).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or_default()
}

/// The ratio of `value` to `to`.
pub fn ratio(value: f64, to: f64) -> String {
    format!("{:.2}×", value / to)
}

/// The rounded number, with commas between thousands.
pub fn grouped(value: f64) -> String {
    let whole = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_middle_two() {
        assert_eq!(median(&[9.0, 1.0, 4.0]), 4.0);
        assert_eq!(median(&[4.0, 1.0, 9.0, 6.0]), 5.0);
        assert_eq!(median(&[]), 0.0);
    }

    #[test]
    fn the_95th_percentile_leaves_out_the_slowest_twentieth() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile_95(&values), 95.0);
        assert_eq!(percentile_95(&[7.0]), 7.0);
        assert_eq!(percentile_95(&[]), 0.0);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(125_000.4), "125,000");
        assert_eq!(grouped(999.6), "1,000");
        assert_eq!(grouped(3.0), "3");
    }
}
