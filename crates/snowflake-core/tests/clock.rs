//! Readings of the clocks, as a process takes them that may be held up in between.
#![cfg(not(loom))]
#![allow(missing_docs, clippy::unwrap_used)]

use snowflake_core::closest_offset;

#[test]
fn a_reading_that_was_held_up_does_not_count() {
    let offset = |readings: &[[i64; 3]]| {
        let mut readings = readings.iter().copied().cycle();
        closest_offset(|| readings.next().unwrap())
    };
    assert_eq!(offset(&[[0, 70, 1]]), 70);
    assert_eq!(offset(&[[0, 5_070, 5_000], [6_000, 6_070, 6_001]]), 70);
    assert_eq!(offset(&[[0, 8_070, 9_000], [10_000, 10_370, 10_300], [0, 70, 9_000]]), 370);
}
