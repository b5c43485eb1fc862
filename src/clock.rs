//! The two clocks; every other module gets the time from here.

use snowflake_core::{Clocks, Epoch};
use std::mem::MaybeUninit;

/// Wall clock: milliseconds since 1970-01-01 00:00:00 UTC, negative before.
#[inline]
pub fn wall_millis() -> i64 {
    let now = read(libc::CLOCK_REALTIME);
    now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
}

/// A clock that never steps: microseconds, the same origin in all processes.
pub fn monotonic_micros() -> i64 {
    micros(libc::CLOCK_MONOTONIC)
}

/// Wall clock minus monotonic clock, in microseconds: changes when the wall clock steps.
pub fn offset_micros() -> i64 {
    closest_offset(|| {
        [libc::CLOCK_MONOTONIC, libc::CLOCK_REALTIME, libc::CLOCK_MONOTONIC].map(micros)
    })
}

/// The offset by the first of a few readings (monotonic, wall, monotonic) that took no time, or by the
/// quickest. A process that is held up between two readings would see a step that there is not.
pub fn closest_offset(mut read: impl FnMut() -> [i64; 3]) -> i64 {
    const NO_TIME_MICROS: i64 = 100;
    const TRIES: usize = 5;
    let mut closest = (i64::MAX, 0);
    for _ in 0..TRIES {
        let [before, wall, after] = read();
        closest = closest.min((after - before, wall - before));
        if closest.0 <= NO_TIME_MICROS {
            break;
        }
    }
    closest.1
}

/// Both clocks at this moment, the wall clock counted from `epoch`.
pub fn both(epoch: Epoch) -> Clocks {
    let wall = micros(libc::CLOCK_REALTIME) - epoch.unix_millis() * 1_000;
    Clocks { wall, monotonic: monotonic_micros() }
}

fn micros(clock: libc::clockid_t) -> i64 {
    let now = read(clock);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}

#[inline]
fn read(clock: libc::clockid_t) -> libc::timespec {
    let mut now = MaybeUninit::uninit();
    // SAFETY: `now` is a valid place for one timespec. Both clocks exist on every system that
    // PostgreSQL runs on, so the call cannot fail and has filled the place when it returns.
    unsafe {
        libc::clock_gettime(clock, now.as_mut_ptr());
        now.assume_init()
    }
}
