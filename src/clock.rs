//! The two clocks; every other module gets the time from here.

use snowflake_core::{Clocks, Epoch};
use std::mem::MaybeUninit;

/// Wall clock: milliseconds since 1970-01-01 00:00:00 UTC, negative before.
#[inline]
pub fn wall_millis() -> i64 {
    let now = read(libc::CLOCK_REALTIME);
    now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
}

/// Both clocks at this moment, the wall clock counted from `epoch`.
pub fn both(epoch: Epoch) -> Clocks {
    let micros = |clock| {
        let now = read(clock);
        now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
    };
    Clocks {
        wall: micros(libc::CLOCK_REALTIME) - epoch.unix_millis() * 1_000,
        monotonic: micros(libc::CLOCK_MONOTONIC),
    }
}

fn read(clock: libc::clockid_t) -> libc::timespec {
    let mut now = MaybeUninit::uninit();
    // SAFETY: `now` is a valid place for one timespec. Both clocks exist on every system that
    // PostgreSQL runs on, so the call cannot fail and has filled the place when it returns.
    unsafe {
        libc::clock_gettime(clock, now.as_mut_ptr());
        now.assume_init()
    }
}
