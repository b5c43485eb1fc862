//! Whether the wall clock has been set, and whether to believe it.
//!
//! Here: what is concluded from readings. Not here: the clocks, which are the host's; what keeps the ID clock within
//! its limits (`pacer.rs`).
//!
//! A wall clock that was set back is believed: the ID clock goes on from where it was, and nothing is lost. One that
//! was set forward is not, until the new time has lasted: an ID of a wrong future cannot be taken back, and all that
//! come after it would have to be greater. Until then the time is counted on by the monotonic clock. The ordinary path
//! knows nothing of this: the time that it reads then is beyond the lease, where it is left anyway.

use crate::sync::{AtomicI64, Ordering::Acquire, Ordering::Relaxed};
use crate::{Event, Host, LEAST_MILLIS, Server};

/// What can be said often is said once in this time.
pub(crate) const MINUTE_MICROS: i64 = 60_000_000;

/// Two readings of two clocks differ by the time between them, in microseconds.
const LEAST_STEP: i64 = 1_000;

/// A step forward by no more than this is believed at once, in microseconds: a lease may last as long.
const BELIEVED_MICROS: i64 = LEAST_MILLIS * 1_000;
/// One by more, once it has lasted for so long.
const LASTING_MICROS: i64 = MINUTE_MICROS;

/// No step forward is in doubt.
const NO_DOUBT: i64 = i64::MIN;

/// The wall clock minus the monotonic clock, as believed, and a step forward that is not believed yet. All in
/// microseconds.
#[derive(Debug)]
pub(crate) struct Belief {
    offset: AtomicI64,
    /// What the offset would be after the step.
    doubted: AtomicI64,
    /// Since when, by the monotonic clock.
    since: AtomicI64,
}

impl Default for Belief {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Belief {
    pub(crate) fn new(offset: i64) -> Self {
        let (doubted, since) = (AtomicI64::new(NO_DOUBT), AtomicI64::new(0));
        Self { offset: AtomicI64::new(offset), doubted, since }
    }

    /// The wall clock, no later than is believed.
    pub(crate) fn limit(&self, wall: i64, monotonic: i64) -> i64 {
        let believed = self.offset.load(Relaxed).saturating_add(monotonic);
        if wall - believed > BELIEVED_MICROS { believed } else { wall }
    }

    fn believe(&self, offset: i64) -> i64 {
        self.doubted.store(NO_DOUBT, Relaxed);
        self.offset.swap(offset, Relaxed)
    }

    /// Whether the same step was seen so long ago, and what is seen is a new one.
    fn has_lasted(&self, offset: i64, monotonic: i64) -> Lasted {
        let doubted = self.doubted.load(Relaxed);
        if doubted == NO_DOUBT || (offset - doubted).abs() > BELIEVED_MICROS {
            self.doubted.store(offset, Relaxed);
            self.since.store(monotonic, Relaxed);
            Lasted::New
        } else if monotonic - self.since.load(Relaxed) < LASTING_MICROS {
            Lasted::NotYet
        } else {
            Lasted::LongEnough
        }
    }
}

enum Lasted {
    New,
    NotYet,
    LongEnough,
}

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
    /// Notes whether the wall clock has been set since a process looked last.
    pub(crate) fn watch_clock(&self) {
        let Self { state, host, .. } = self;
        let offset = closest_offset(|| host.clocks());
        let belief = &state.belief;
        let step = offset - belief.offset.load(Relaxed);
        if step > BELIEVED_MICROS && !self.is_behind() {
            self.doubt(offset, step);
            return;
        }
        let step = offset - belief.believe(offset);
        if step <= -LEAST_STEP {
            let back = step.unsigned_abs();
            state.counters.steps_back.fetch_add(1, Relaxed);
            state.counters.largest_step_back_micros.fetch_max(back, Relaxed);
            self.log_each_minute(&state.step_logged, Event::StepBack(-step / 1_000));
        }
    }

    #[cold]
    fn doubt(&self, offset: i64, step: i64) {
        let Self { state, host, .. } = self;
        match state.belief.has_lasted(offset, self.monotonic()) {
            Lasted::New => {
                state.counters.steps_forward.fetch_add(1, Relaxed);
                state.counters.largest_step_forward_micros.fetch_max(step.unsigned_abs(), Relaxed);
                self.log_each_minute(&state.forward_logged, Event::StepForward(step / 1_000));
            }
            Lasted::NotYet => {}
            Lasted::LongEnough => {
                state.belief.believe(offset);
                host.log(Event::Followed(step / 1_000));
            }
        }
    }

    /// Whether the clock was wrong before the step: it stood before the epoch, or before what this server has issued
    /// in earlier lives. A machine that wakes up without the time of day is not to be kept waiting for it.
    fn is_behind(&self) -> bool {
        let Self { generator, state, host } = self;
        let believed = (state.belief.offset.load(Relaxed) + self.monotonic()) / 1_000;
        let before = match state.is_started.load(Acquire) {
            0 => self.mark().unwrap_or(0),
            _ => state.floor.load(Relaxed),
        };
        let drift = i64::from(host.max_drift_millis());
        believed + drift < generator.unix_millis(before)
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

    /// The wall clock as far as it is believed, in milliseconds since 1970.
    pub(crate) fn wall_millis(&self) -> i64 {
        let [_, wall, monotonic] = self.host.clocks();
        self.state.belief.limit(wall, monotonic).div_euclid(1_000)
    }

    pub(crate) fn monotonic(&self) -> i64 {
        let [.., monotonic] = self.host.clocks();
        monotonic
    }
}
