//! What all sessions of the server share, and how it comes and goes with the server.

use crate::lease_file::Failure;
use crate::{clock, error, lease};
use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgAtomic, PgLwLock, pg_shmem_init};
use snowflake_core::{Lease, Pacer, Ticker};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU64, Ordering::Relaxed};

/// The shared state of one server life: made new at every start and after every crash.
///
/// Aligned so that no other data of the server lies in a cache line of it; counter and lease, which
/// every ID reads, lie in one.
#[derive(Default)]
#[repr(C, align(128))]
pub struct Shared {
    pub ticker: Ticker,
    /// Ends at 0 until the first ID of this life is asked for.
    pub lease: Lease,
    pub pacer: Pacer,
    /// The last tick of the newest run of tickets that was taken before it was due; see [`crate::bulk`].
    pub last_of_run: AtomicU64,
    pub counters: Counters,
    /// Where the last lease replayed from WAL ends: milliseconds since 1970, 0 if there was none.
    replayed: AtomicI64,
    /// Time of the last checkpoint as the server started: seconds since 1970.
    pub checkpoint_at_start: AtomicI64,
    /// The counter's value when the lease was extended last.
    pub ticker_at_extension: AtomicU64,
    keeper: AtomicPtr<pg_sys::Latch>,
    /// How the last write of the lease failed ([`Failure::to_bits`]); 0 if it did not.
    lease_failure: AtomicU64,
    clock_offset: AtomicI64,
    step_logged: AtomicI64,
}

/// What happened in this server life, off the ordinary path.
#[derive(Default)]
pub struct Counters {
    /// Times that the lease was extended.
    pub renewals: AtomicU64,
    /// Those among them that a session had to do itself.
    pub renewals_by_sessions: AtomicU64,
    /// Calls that were paced, and how long they slept, in microseconds.
    pub waits: AtomicU64,
    pub wait_micros: AtomicU64,
    /// Backward steps of the wall clock that were seen, and the largest, in microseconds.
    pub steps_back: AtomicU64,
    pub largest_step_back_micros: AtomicU64,
    /// Where the counter started in this life, and from what ([`lease::FloorSource`]).
    pub floor: AtomicU64,
    pub floor_source: AtomicU64,
}

// SAFETY: made of atomics only. The one pointer is a latch in shared memory, which all processes
// have at the same address.
unsafe impl PGRXSharedMemory for Shared {}

// SAFETY: the name starts with the extension's, so no other library uses it.
static SHARED: PgAtomic<Shared> = unsafe { PgAtomic::new(c"pg_snowflake") };

/// Held by whoever writes the lease file, and nobody else.
// SAFETY: the name starts with the extension's, so no other library uses it.
pub static WRITER: PgLwLock<()> = unsafe { PgLwLock::new(c"pg_snowflake_lease") };

/// Whether shared memory was asked for; inherited by every session from the postmaster.
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Asks the postmaster for the shared memory; only possible while libraries are preloaded.
pub fn request() {
    pg_shmem_init!(SHARED = at_start());
    pg_shmem_init!(WRITER);
    REQUESTED.store(true, Relaxed);
}

/// The shared state, if this server has one: not where the library is not preloaded.
pub fn get() -> Option<&'static Shared> {
    REQUESTED.load(Relaxed).then(|| SHARED.get())
}

/// Called in the postmaster, at start and again after a crash of a session.
fn at_start() -> Shared {
    let shared = Shared::default();
    shared.checkpoint_at_start.store(last_checkpoint(), Relaxed);
    shared.clock_offset.store(clock::offset_micros(), Relaxed);
    // SAFETY: the callback has the signature that PostgreSQL calls it with.
    unsafe { pg_sys::on_shmem_exit(Some(at_exit), pg_sys::Datum::null()) };
    shared
}

/// Called in the postmaster when all other processes are gone.
#[pg_guard]
unsafe extern "C-unwind" fn at_exit(code: std::ffi::c_int, _argument: pg_sys::Datum) {
    // After a crash (not 0) the memory cannot be trusted; the lease on disk can.
    if code == 0 {
        lease::write_exact_mark(SHARED.get());
    }
}

/// Time of the last checkpoint in pg_control: seconds since 1970, 0 where it cannot be read.
fn last_checkpoint() -> i64 {
    let mut intact = false;
    // SAFETY: the data directory is known before shared memory is made; the result is a copy of
    // our own. The postmaster has read the same file already, or it would not be here.
    unsafe {
        let control = pg_sys::get_controlfile(pg_sys::DataDir, &mut intact);
        let time = if intact { (*control).checkPointCopy.time } else { 0 };
        pg_sys::pfree(control.cast());
        time
    }
}

impl Shared {
    /// Registers the keeper as the process to wake.
    pub fn set_keeper(&self) {
        // SAFETY: a plain read of a global that only this process writes.
        self.keeper.store(unsafe { pg_sys::MyLatch }, Relaxed);
    }

    /// Notes that IDs of rows that are replayed from now on lie before a moment, in milliseconds since
    /// 1970.
    pub fn note_replayed(&self, unix_millis: i64) {
        if self.replayed.fetch_max(unix_millis, Relaxed) < unix_millis {
            self.wake_keeper();
        }
    }

    /// The moment that IDs of replayed rows lie before, in milliseconds since 1970; none if no lease
    /// was replayed in this life.
    pub fn replayed(&self) -> Option<i64> {
        Some(self.replayed.load(Relaxed)).filter(|&millis| millis != 0)
    }

    /// Notes how a write of the lease file ended.
    pub fn note_lease_written(&self, written: Result<(), Failure>) {
        self.lease_failure.store(written.map_or_else(Failure::to_bits, |()| 0), Relaxed);
    }

    /// How the last write of the lease file failed, if it did.
    pub fn lease_failure(&self) -> Option<Failure> {
        Failure::from_bits(self.lease_failure.load(Relaxed))
    }

    /// Wakes the keeper, if there is one.
    pub fn wake_keeper(&self) {
        let latch = self.keeper.load(Relaxed);
        if !latch.is_null() {
            // SAFETY: latches of processes lie in shared memory for as long as the server lives;
            // one whose process has gone is nobody's, and setting it wakes nobody.
            unsafe { pg_sys::SetLatch(latch) };
        }
    }

    /// Notes whether the wall clock has stepped back since somebody looked last.
    pub fn watch_clock(&self) {
        let offset = clock::offset_micros();
        let step = self.clock_offset.swap(offset, Relaxed) - offset;
        // Two readings of two clocks differ by the time between them.
        if step >= 1_000 {
            self.counters.steps_back.fetch_add(1, Relaxed);
            self.counters.largest_step_back_micros.fetch_max(step.unsigned_abs(), Relaxed);
            self.log_step(step);
        }
    }

    /// At most once a minute.
    fn log_step(&self, step: i64) {
        let now = clock::monotonic_micros();
        let last = self.step_logged.load(Relaxed);
        let due = last == 0 || now - last > 60_000_000;
        if due && self.step_logged.compare_exchange(last, now, Relaxed, Relaxed).is_ok() {
            error::log_step_back(step / 1_000);
        }
    }
}
