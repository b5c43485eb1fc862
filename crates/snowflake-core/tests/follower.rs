//! The bound that a standby keeps of its primary's ID clock.
#![cfg(not(loom))]
#![allow(missing_docs)]

use proptest::prelude::*;
use snowflake_core::Follower;

const HOUR: i64 = 3_600_000;

#[test]
fn follows_a_clock_that_goes() {
    let mut follower = Follower::new(0, 0);
    for now in (0..100_000).step_by(1_000) {
        assert_eq!(follower.see(HOUR + now, now), HOUR + now);
    }
}

#[test]
fn follows_a_clock_of_a_slightly_other_rate() {
    let mut follower = Follower::new(0, 0);
    for now in (0..10_000_000).step_by(1_000) {
        let slower = HOUR + now - now / 1_000;
        assert_eq!(follower.see(slower, now), slower);
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_take_the_bound_along() {
    let mut follower = Follower::new(0, 0);
    follower.see(HOUR, 0);
    assert_eq!(follower.see(10_000, 10_000), HOUR + 10_000);
    assert_eq!(follower.see(20_000, 20_000), HOUR + 20_000);
    // And it is followed again once it has caught up.
    assert_eq!(follower.see(HOUR + 30_000, 30_000), HOUR + 30_000);
}

#[test]
fn the_bound_it_starts_from_counts() {
    let mut follower = Follower::new(HOUR, 0);
    assert_eq!(follower.see(5_000, 5_000), HOUR + 5_000);
}

proptest! {
    /// A primary whose clock steps as it likes, and whose ID clock gains nothing on real time but
    /// what the wall clock gives it.
    #[test]
    fn no_id_clock_escapes(steps in prop::collection::vec((1..2_000_i64, -HOUR..HOUR, any::<bool>()), 1..200)) {
        let (mut now, mut wall, mut id_clock) = (0, 10 * HOUR, 10 * HOUR);
        let mut follower = Follower::new(id_clock, now);
        for (elapsed, step, steps) in steps {
            now += elapsed;
            // A step that hides within the jitter is not seen; everything else is.
            let step = if steps && step.abs() > 2 * Follower::JITTER { step } else { 0 };
            wall += elapsed + step;
            id_clock = wall.max(id_clock + elapsed);
            prop_assert!(follower.see(wall, now) >= id_clock - Follower::JITTER);
        }
    }
}
