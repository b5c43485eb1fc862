//! What all processes of a server share, made anew in each of its lives.
//!
//! Here: the atomics, and what can be read off them. Not here: who may change them, and when.

use crate::clock::Belief;
use crate::lease::Requests;
use crate::replayed::Replayed;
use crate::slots::Slots;
use crate::sync::{AtomicI64, AtomicU64, Ordering, Ordering::Relaxed};
use crate::{Failure, FloorSource, Host, Lease, Obstacle, Pacer, Record, Tick, Ticker, clock};

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
    /// The lease file.
    pub(crate) slots: Slots,
    /// What was replayed from WAL.
    pub(crate) replayed: Replayed,
    /// 1 once that is so: the counter is above all that was issued before this life.
    pub(crate) is_started: AtomicU64,
    /// Time of the last checkpoint as the server started: seconds since 1970.
    pub(crate) checkpoint_at_start: AtomicI64,
    /// Where the longest lease that this life has written ends, to disk and to WAL, in force or not.
    pub(crate) written: AtomicU64,
    /// The counter's value when the lease was extended last.
    pub(crate) ticker_at_extension: AtomicU64,
    /// What sessions ask of the keeper, and how far it has come.
    pub(crate) requests: Requests,
    /// How long writes of the lease take, in microseconds: the last one, or a longer one not long before.
    pub(crate) write_micros: AtomicI64,
    /// When a slow one was logged last, by the monotonic clock; 0 for never.
    pub(crate) slow_write_logged: AtomicI64,
    /// How the last write of the lease failed, in bits; 0 if it did not.
    lease_failure: AtomicU64,
    pub(crate) belief: Belief,
    /// When a step of the wall clock was logged last, back and forward, by the monotonic clock; 0 for never.
    pub(crate) step_logged: AtomicI64,
    pub(crate) forward_logged: AtomicI64,
}

/// What happened in this server life, off the ordinary path.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) renewals: AtomicU64,
    pub(crate) renewals_by_sessions: AtomicU64,
    pub(crate) slow_writes: AtomicU64,
    pub(crate) waits: AtomicU64,
    pub(crate) wait_micros: AtomicU64,
    pub(crate) steps_back: AtomicU64,
    pub(crate) largest_step_back_micros: AtomicU64,
    pub(crate) steps_forward: AtomicU64,
    pub(crate) largest_step_forward_micros: AtomicU64,
    pub(crate) witnessed: AtomicU64,
    pub(crate) raises: AtomicU64,
    pub(crate) too_far_ahead: AtomicU64,
}

/// The counters, read one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Times that the lease was extended.
    pub renewals: u64,
    /// Those among them that a session had to wait for.
    pub renewals_by_sessions: u64,
    /// How long writes of the lease take, in microseconds: the last one, or a longer one not long before.
    pub write_micros: i64,
    /// Writes of the lease that took more than half of what the lease was to last.
    pub slow_writes: u64,
    /// Calls that were paced.
    pub waits: u64,
    /// How long they slept, in microseconds.
    pub wait_micros: u64,
    /// Backward steps of the wall clock that were seen.
    pub steps_back: u64,
    /// The largest, in microseconds.
    pub largest_step_back_micros: u64,
    /// Forward steps that were not believed at once.
    pub steps_forward: u64,
    /// The largest, in microseconds.
    pub largest_step_forward_micros: u64,
    /// Rows that the witness trigger has seen.
    pub witnessed: u64,
    /// Times that an ID that was shown moved the ID clock.
    pub raises: u64,
    /// IDs shown that were too far ahead to be followed.
    pub too_far_ahead: u64,
}

impl State {
    /// The state of a server that starts; its last checkpoint is in seconds since 1970, 0 if that
    /// is not known.
    pub fn at_start<H: Host>(host: &H, last_checkpoint: i64) -> Self {
        let belief = Belief::new(clock::closest_offset(|| host.clocks()));
        let state = Self { belief, ..Self::default() };
        state.checkpoint_at_start.store(last_checkpoint, Relaxed);
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

    /// The tick that the next life starts at or above, as does a standby that has the WAL of now.
    pub(crate) fn written(&self) -> Tick {
        self.written.load(Ordering::Acquire)
    }

    /// A keeper that was stopped in the middle of an extension has left it to this one.
    pub fn keeper_begins(&self) {
        self.requests.reset();
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
            write_micros: self.write_micros.load(Relaxed),
            slow_writes: all.slow_writes.load(Relaxed),
            waits: all.waits.load(Relaxed),
            wait_micros: all.wait_micros.load(Relaxed),
            steps_back: all.steps_back.load(Relaxed),
            largest_step_back_micros: all.largest_step_back_micros.load(Relaxed),
            steps_forward: all.steps_forward.load(Relaxed),
            largest_step_forward_micros: all.largest_step_forward_micros.load(Relaxed),
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

    /// Writes the lease file, and notes whether that worked.
    pub(crate) fn write_lease<H: Host>(&self, host: &H, record: Record) -> Result<(), Obstacle> {
        let written = self.slots.write(host, record);
        let failure = match written {
            Err(Obstacle::LeaseFile(failure)) => failure.to_bits(),
            _ => 0,
        };
        self.lease_failure.store(failure, Relaxed);
        written
    }

    /// Whether a stop has nothing to keep: no ID in this life, and no lease replayed.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.written() == 0 && self.replayed().is_none()
    }
}
