//! Simulated time: one true time for all, in microseconds from 0. Wall clocks are off by an offset.

use fastrand::Rng;

pub const MILLI: i64 = 1_000;
pub const SECOND: i64 = 1_000 * MILLI;
pub const HOUR: i64 = 3_600 * SECOND;
/// True time 0 in microseconds since 1970: 2027-01-15, well after the default epoch.
pub const START: i64 = 1_800_000_000 * SECOND;
/// Later than anything.
pub const NEVER: i64 = i64::MAX / 4;

/// A time of which `mean` is the mean, and most of which are shorter.
pub fn exponential(dice: &mut Rng, mean: i64) -> i64 {
    (-(1.0 - dice.f64()).ln() * mean as f64) as i64 + 1
}

/// As likely to be of one order of magnitude as of another.
pub fn log_uniform(dice: &mut Rng, least: i64, most: i64) -> i64 {
    let (least, most) = ((least as f64).ln(), (most as f64).ln());
    (least + (most - least) * dice.f64()).exp() as i64
}
