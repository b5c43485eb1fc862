//! How long things take.

use std::time::Duration;

/// The time that this share of the times is not above, one that occurred (nearest rank); none is zero.
pub fn quantile(times: impl IntoIterator<Item = Duration>, share: f64) -> Duration {
    let mut times: Vec<_> = times.into_iter().collect();
    times.sort_unstable();
    let rank = (share * times.len() as f64).ceil() as usize;
    times.get(rank.max(1) - 1).copied().unwrap_or_default()
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
    fn quantiles_are_times_that_occurred() {
        let times = || (1..=200).rev().map(Duration::from_millis);
        let of = |share| milliseconds(quantile(times(), share));
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(of), [1.0, 100.0, 198.0, 200.0]);
        assert_eq!(quantile([Duration::from_millis(7)], 0.5), Duration::from_millis(7));
        assert_eq!(quantile([], 0.5), Duration::ZERO);
    }
}
