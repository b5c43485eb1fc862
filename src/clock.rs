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
    micros(libc::CLOCK_REALTIME) - micros(libc::CLOCK_MONOTONIC)
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
