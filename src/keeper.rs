//! The background worker that extends the lease before callers come to its end.
//!
//! Correctness never depends on it: without it, a caller in about every second pays an fsync.

use crate::error::Refusal;
use crate::lease::{self, Extender, LENGTH_MILLIS};
use crate::shared::{self, Shared};
use crate::sleep::sleep;
use crate::{clock, node};
use pgrx::bgworkers::{
    BackgroundWorker, BackgroundWorkerBuilder, BgWorkerStartTime, SignalWakeFlags,
};
use pgrx::prelude::*;
use snowflake_core::{Generator, Tick};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

const NAME: &str = "pg_snowflake keeper";

/// How often a lease in use is looked at. A burst uses it up several times faster than the clock
/// does; callers extend it themselves if that is too fast even so.
const LOOK_EVERY: Duration = Duration::from_millis(125);
/// A counter that has not moved for so many looks is not in use: the next caller that finds the lease
/// over wakes the keeper.
const LOOKS_BEFORE_SLEEP: u32 = 8;
/// After a failure, which is reported at most once a minute.
const RETRY_EVERY: Duration = Duration::from_secs(1);
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// Registers the keeper with the postmaster. Where no worker slot is free, PostgreSQL says so in the
/// log, and callers extend the lease themselves.
pub fn register() {
    // SAFETY: a plain read of a setting, which only this process writes.
    let hot_standby = unsafe { pg_sys::EnableHotStandby };
    let worker = BackgroundWorkerBuilder::new(NAME)
        .set_type(NAME)
        .set_library("pg_snowflake")
        .set_function("pg_snowflake_keeper")
        .set_restart_time(Some(Duration::from_secs(1)))
        .enable_shmem_access(None);
    // pg_stat_activity shows processes with a connection only, be it to no database; a server in
    // recovery admits connections only as a hot standby.
    if hot_standby {
        worker.enable_spi_access().set_start_time(BgWorkerStartTime::ConsistentState).load();
    } else {
        worker.set_start_time(BgWorkerStartTime::PostmasterStart).load();
    }
}

/// The keeper's main function, called by PostgreSQL in the worker process.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn pg_snowflake_keeper(_argument: pg_sys::Datum) {
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGHUP | SignalWakeFlags::SIGTERM);
    // SAFETY: this process is a background worker; the setting is only read.
    unsafe {
        if pg_sys::EnableHotStandby {
            let none = std::ptr::null();
            pg_sys::BackgroundWorkerInitializeConnection(none, none, 0);
        }
    }
    if let Some(shared) = shared::get() {
        shared.set_keeper();
        Keeper::new(shared).run();
    }
    // Status 0 would mean "never start me again", but only the administrator can have ended it.
    // SAFETY: ends this process as PostgreSQL wants its workers to end.
    unsafe { pg_sys::proc_exit(1) };
}

struct Keeper {
    shared: &'static Shared,
    /// None where the settings keep this server from issuing; they are fixed until a restart.
    generator: Option<Generator>,
    /// The counter at the last look, and for how many looks it has stood there.
    newest: Tick,
    idle_looks: u32,
    /// What was replayed at the last look.
    replayed: Option<i64>,
    reported: Option<Instant>,
}

impl Keeper {
    fn new(shared: &'static Shared) -> Self {
        let generator = node::generator().ok();
        Self { shared, generator, newest: 0, idle_looks: 0, replayed: None, reported: None }
    }

    fn run(&mut self) {
        loop {
            let nap = self.look();
            // That also lets this process take note of barriers, which others wait for.
            sleep(nap, pg_sys::PG_WAIT_EXTENSION);
            if BackgroundWorker::sigterm_received() {
                return;
            }
            if BackgroundWorker::sighup_received() {
                // SAFETY: between two looks nothing depends on a setting.
                unsafe { pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP) };
            }
        }
    }

    /// Does what is due; returns how long to sleep, or None for until somebody wakes it.
    fn look(&mut self) -> Option<Duration> {
        let generator = self.generator?;
        self.shared.watch_clock();
        // SAFETY: any process attached to shared memory may ask.
        let (done, nap) = if unsafe { pg_sys::RecoveryInProgress() } {
            // Replay wakes the keeper.
            (self.follow(&generator), None)
        } else {
            self.renew(&generator)
        };
        match done {
            Ok(()) => nap,
            Err(refusal) => {
                self.report(&refusal);
                Some(RETRY_EVERY)
            }
        }
    }

    /// Keeps the primary's lease, if one was replayed since the last look.
    fn follow(&mut self, generator: &Generator) -> Result<(), Refusal> {
        let replayed = self.shared.replayed();
        if let Some(end) = replayed.filter(|_| replayed != self.replayed) {
            lease::follow(generator, self.shared, end)?;
            self.replayed = replayed;
        }
        Ok(())
    }

    /// Extends a lease that is in use and half over, and one that could not be written before, so that
    /// `snowflake_status()` does not go on showing an obstacle that is gone.
    fn renew(&mut self, generator: &Generator) -> (Result<(), Refusal>, Option<Duration>) {
        let Shared { ticker, lease, ticker_at_extension, .. } = self.shared;
        let (end, newest) = (lease.end(), ticker.peek());
        self.idle_looks = if newest == self.newest { self.idle_looks + 1 } else { 0 };
        self.newest = newest;
        let has_failed = self.shared.lease_failure().is_some();
        if end == 0 && !has_failed {
            return (self.follow(generator), None);
        }
        if self.idle_looks > LOOKS_BEFORE_SLEEP && !has_failed {
            return (Ok(()), None);
        }
        // The wall clock counts while it stands where the last IDs were; one that is wrong for a
        // moment is to leave no trace on disk.
        let wall = generator.tick_at(clock::wall_millis());
        let since = generator.unix_millis(wall) - generator.unix_millis(newest);
        let now = if since <= LENGTH_MILLIS { newest.max(wall) } else { newest };
        let left = generator.unix_millis(end) - generator.unix_millis(now);
        let in_use = newest != ticker_at_extension.load(Relaxed);
        let done = if has_failed || in_use && left <= LENGTH_MILLIS / 2 {
            lease::extend(generator, self.shared, now, Extender::Keeper)
        } else {
            Ok(())
        };
        (done, Some(LOOK_EVERY))
    }

    fn report(&mut self, refusal: &Refusal) {
        if self.reported.is_none_or(|last| last.elapsed() > REPORT_EVERY) {
            self.reported = Some(Instant::now());
            refusal.report_as(PgLogLevel::WARNING);
        }
    }
}
