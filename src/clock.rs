//! The two clocks; every other module gets the time from here.

use std::mem::MaybeUninit;

/// Wall clock: milliseconds since 1970-01-01 00:00:00 UTC, negative before.
#[inline]
pub fn wall_millis() -> i64 {
    let now = read(libc::CLOCK_REALTIME);
    now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
}

/// A clock that never steps: microseconds, one origin in all processes.
pub fn monotonic_micros() -> i64 {
    micros(libc::CLOCK_MONOTONIC)
}

/// Monotonic clock, wall clock since 1970 and monotonic clock again, read in this order: microseconds.
pub fn both() -> [i64; 3] {
    [libc::CLOCK_MONOTONIC, libc::CLOCK_REALTIME, libc::CLOCK_MONOTONIC].map(micros)
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
