//! What all processes of a server share, made anew in each of its lives.
//!
//! Here: the atomics, and what can be read off them. Not here: who may change them, and when.

use crate::sync::{AtomicI64, AtomicU64, Ordering::Relaxed};
use crate::{Failure, FloorSource, Host, Lease, Pacer, Record, Tick, Ticker, clock};

/// The shared state of one server life: it ends with every stop and every crash.
///
/// Aligned so that no other data lies in a cache line of it; counter and lease, which every ID reads,
/// lie in one.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub struct State {
    pub(crate) ticker: Ticker,
    /// Ends at 0 until the first ID of this life is asked for.
    pub(crate) lease: Lease,
    pub(crate) pacer: Pacer,
    /// The last tick of the newest run of tickets that was taken before it was due.
    pub(crate) last_of_run: AtomicU64,
    pub(crate) counters: Counters,
    /// Where the counter started in this life, and from what.
    pub(crate) floor: AtomicU64,
    pub(crate) floor_source: AtomicU64,
    /// Where the last lease replayed from WAL ends: milliseconds since 1970, 0 if there was none.
    replayed: AtomicI64,
    /// The same for the last one that this life has made durable as its own.
    pub(crate) kept: AtomicI64,
    /// Time of the last checkpoint as the server started: seconds since 1970.
    pub(crate) checkpoint_at_start: AtomicI64,
    /// The counter's value when the lease was extended last.
    pub(crate) ticker_at_extension: AtomicU64,
    /// How the last write of the lease failed, in bits; 0 if it did not.
    lease_failure: AtomicU64,
    /// Wall clock minus monotonic clock at the last look, in microseconds.
    pub(crate) clock_offset: AtomicI64,
    /// When a step of the wall clock was logged last, by the monotonic clock; 0 for never.
    pub(crate) step_logged: AtomicI64,
}

/// What happened in this server life, off the ordinary path.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) renewals: AtomicU64,
    pub(crate) renewals_by_sessions: AtomicU64,
    pub(crate) waits: AtomicU64,
    pub(crate) wait_micros: AtomicU64,
    pub(crate) steps_back: AtomicU64,
    pub(crate) largest_step_back_micros: AtomicU64,
    pub(crate) witnessed: AtomicU64,
    pub(crate) raises: AtomicU64,
    pub(crate) too_far_ahead: AtomicU64,
}

/// The counters, read one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Times that the lease was extended.
    pub renewals: u64,
    /// Those among them that a session had to do itself.
    pub renewals_by_sessions: u64,
    /// Calls that were paced.
    pub waits: u64,
    /// How long they slept, in microseconds.
    pub wait_micros: u64,
    /// Backward steps of the wall clock that were seen.
    pub steps_back: u64,
    /// The largest, in microseconds.
    pub largest_step_back_micros: u64,
    /// IDs of other servers that were shown to this one as their rows arrived.
    pub witnessed: u64,
    /// Times that an ID that was shown moved the ID clock.
    pub raises: u64,
    /// IDs shown that were too far ahead to be followed.
    pub too_far_ahead: u64,
}

impl State {
    /// The state of a server that starts; its last checkpoint was so many seconds after 1970, 0 if that
    /// is not known.
    pub fn at_start<H: Host>(host: &H, last_checkpoint: i64) -> Self {
        let state = Self::default();
        state.checkpoint_at_start.store(last_checkpoint, Relaxed);
        state.clock_offset.store(clock::closest_offset(|| host.clocks()), Relaxed);
        state
    }

    /// The tick that is issued next if the clock stands still.
    #[must_use]
    pub fn next(&self) -> Tick {
        self.ticker.peek()
    }

    /// The first tick that may not be returned; 0 until the first ID of this life is asked for.
    #[must_use]
    pub fn lease_end(&self) -> Tick {
        self.lease.end()
    }

    /// The first tick of this life, and what set it; none until the first ID is asked for.
    #[must_use]
    pub fn start(&self) -> Option<(Tick, FloorSource)> {
        let source = FloorSource::from_number(self.floor_source.load(Relaxed))?;
        (self.lease.end() != 0).then(|| (self.floor.load(Relaxed), source))
    }

    /// What happened in this life.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let all = &self.counters;
        Counts {
            renewals: all.renewals.load(Relaxed),
            renewals_by_sessions: all.renewals_by_sessions.load(Relaxed),
            waits: all.waits.load(Relaxed),
            wait_micros: all.wait_micros.load(Relaxed),
            steps_back: all.steps_back.load(Relaxed),
            largest_step_back_micros: all.largest_step_back_micros.load(Relaxed),
            witnessed: all.witnessed.load(Relaxed),
            raises: all.raises.load(Relaxed),
            too_far_ahead: all.too_far_ahead.load(Relaxed),
        }
    }

    /// How the last write of the lease file failed, if it did.
    #[must_use]
    pub fn lease_failure(&self) -> Option<Failure> {
        Failure::from_bits(self.lease_failure.load(Relaxed))
    }

    pub(crate) fn note_lease_written(&self, written: Result<(), Failure>) {
        self.lease_failure.store(written.map_or_else(Failure::to_bits, |()| 0), Relaxed);
    }

    /// Notes a lease that was replayed from WAL: rows that are replayed from now on may have its IDs.
    pub fn note_replayed<H: Host>(&self, host: &H, lease: &Record) {
        let millis = lease.end_unix_millis();
        if self.replayed.fetch_max(millis, Relaxed) < millis {
            host.wake_keeper();
        }
    }

    /// The moment that IDs of replayed rows lie before, in milliseconds since 1970; none if no lease
    /// was replayed in this life.
    pub(crate) fn replayed(&self) -> Option<i64> {
        Some(self.replayed.load(Relaxed)).filter(|&millis| millis != 0)
    }

    /// Whether a stop has nothing to keep: no ID in this life, and no lease replayed.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.lease.end() == 0 && self.replayed().is_none()
    }
}
