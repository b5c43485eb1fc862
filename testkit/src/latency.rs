//! How long things take.

use std::time::Duration;

/// The value that this share of the values is not above, one that occurred (nearest rank); of none, the
/// default.
pub fn quantile<T: PartialOrd + Copy + Default>(
    values: impl IntoIterator<Item = T>,
    share: f64,
) -> T {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_unstable_by(|a, b| a.partial_cmp(b).expect("no measured value is NaN"));
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.max(1) - 1).copied().unwrap_or_default()
}

/// With three places.
#[must_use]
pub fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let times = || (1..=200).rev().map(Duration::from_millis);
        let of = |share| milliseconds(quantile(times(), share));
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(of), [1.0, 100.0, 198.0, 200.0]);
        assert_eq!(quantile([Duration::from_millis(7)], 0.5), Duration::from_millis(7));
        assert_eq!(quantile([3.0, 1.0, 9.0], 0.5), 3.0);
        assert_eq!(quantile([0.0; 0], 0.5), 0.0);
    }
}
