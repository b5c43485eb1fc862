//! The background worker that extends the lease before callers come to its end.
//!
//! Here: the process. Not here: what it does at a look ([`Keeper::look`]).

use crate::host::Postgres;
use crate::server;
use crate::shared::{self, Shared};
use crate::sleep::{Event, sleep};
use pgrx::bgworkers::{
    BackgroundWorker, BackgroundWorkerBuilder, BgWorkerStartTime, SignalWakeFlags,
};
use pgrx::prelude::*;
use snowflake_core::Keeper;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

const NAME: &str = "pg_snowflake keeper";

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
        IS_KEEPER.store(true, Relaxed);
        shared.set_keeper();
        run(shared);
    }
    // Status 0 would mean "never start me again", but only the administrator can have ended it.
    // SAFETY: ends this process as PostgreSQL wants its workers to end.
    unsafe { pg_sys::proc_exit(1) };
}

/// Until the postmaster ends it. There is no server where the settings keep it from issuing; as a standby it keeps the
/// primary's lease all the same.
fn run(shared: &Shared) {
    let mut keeper = Keeper::default();
    let mut server = None;
    loop {
        // Most settings are fixed until a restart; one that was not accepted may be corrected before.
        server = server.or_else(|| server::configured().ok());
        let nap = match &server {
            Some(server) => keeper.look(server),
            None => keeper.follow(&shared.state, &Postgres),
        };
        // That also lets this process take note of barriers, which others wait for.
        sleep(nap, Event::Keeper);
        if has_to_end() {
            return;
        }
    }
}

/// Whether this process is the keeper.
static IS_KEEPER: AtomicBool = AtomicBool::new(false);

static HAS_TO_END: AtomicBool = AtomicBool::new(false);

/// Whether this process is the keeper, and the postmaster wants it to end. Where the postmaster wants it to read the
/// settings, it does.
pub fn has_to_end() -> bool {
    if !IS_KEEPER.load(Relaxed) {
        return false;
    }
    if BackgroundWorker::sighup_received() {
        // SAFETY: nothing depends on a setting where the keeper waits.
        unsafe { pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP) };
        shared::get().into_iter().for_each(Shared::note_settings);
    }
    if BackgroundWorker::sigterm_received() {
        // Asked once, that forgets.
        HAS_TO_END.store(true, Relaxed);
    }
    HAS_TO_END.load(Relaxed)
}
