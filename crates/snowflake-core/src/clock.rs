//! Whether the wall clock has stepped back.
//!
//! Here: what is concluded from readings. Not here: the clocks, which are the host's.

use crate::sync::{AtomicI64, Ordering::Relaxed};
use crate::{Event, Host, Server};

/// What can be said often is said once in this time.
pub(crate) const MINUTE_MICROS: i64 = 60_000_000;

/// Two readings of two clocks differ by the time between them, in microseconds.
const LEAST_STEP: i64 = 1_000;

/// Wall clock minus monotonic clock, in microseconds: by the first of a few readings (monotonic, wall,
/// monotonic) that took no time, or by the quickest. A process that is held up between two readings would
/// see a step that there is not.
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

impl<H: Host> Server<'_, H> {
    /// Notes whether the wall clock has stepped back since a process looked last.
    pub(crate) fn watch_clock(&self) {
        let Self { state, host, .. } = self;
        let offset = closest_offset(|| host.clocks());
        let step = state.clock_offset.swap(offset, Relaxed) - offset;
        if step >= LEAST_STEP {
            state.counters.steps_back.fetch_add(1, Relaxed);
            state.counters.largest_step_back_micros.fetch_max(step.unsigned_abs(), Relaxed);
            self.log_each_minute(&state.step_logged, Event::StepBack(step / 1_000));
        }
    }

    /// Tells the log, unless one of the processes did less than a minute ago: `logged` is when.
    pub(crate) fn log_each_minute(&self, logged: &AtomicI64, event: Event) {
        let now = self.monotonic();
        let last = logged.load(Relaxed);
        let due = last == 0 || now - last > MINUTE_MICROS;
        if due && logged.compare_exchange(last, now, Relaxed, Relaxed).is_ok() {
            self.host.log(event);
        }
    }

    /// The wall clock, in milliseconds since 1970.
    pub(crate) fn wall_millis(&self) -> i64 {
        self.host.wall_millis()
    }

    pub(crate) fn monotonic(&self) -> i64 {
        let [.., monotonic] = self.host.clocks();
        monotonic
    }
}
