//! How a server life begins and ends.
//!
//! Here: what the postmaster calls. Not here: what other processes do in between.

use crate::error::{Refusal, warn_of_end};
use crate::host::Postgres;
use crate::shared::{REQUESTED, SHARED, Shared, WRITER};
use crate::{node, server};
use pgrx::pg_sys::elog::PgLogLevel;
use pgrx::{pg_guard, pg_shmem_init, pg_sys};
use snowflake_core::{State, check_at_start};
use std::ffi::c_int;
use std::sync::atomic::Ordering::Relaxed;

/// Asks the postmaster for the shared memory; only possible while libraries are preloaded.
pub fn request() {
    pg_shmem_init!(SHARED = at_start());
    pg_shmem_init!(WRITER);
    REQUESTED.store(true, Relaxed);
}

/// Tells the server log what would keep this server from issuing IDs, now or in a few years. A
/// wrong setting is no reason to keep the server from starting.
pub fn report_at_start() {
    let check = |generator| {
        let ends_soon = check_at_start(&Postgres, &generator)?;
        Ok(ends_soon.then(|| generator.space()))
    };
    match node::generator().and_then(check) {
        Err(refusal) => refusal.log_at_start(),
        Ok(Some(space)) => warn_of_end(space),
        Ok(None) => {}
    }
}

/// Called in the postmaster, at start and again after a crash of a session.
fn at_start() -> Shared {
    // SAFETY: the callback has the signature that PostgreSQL calls it with.
    unsafe { pg_sys::on_shmem_exit(Some(at_exit), pg_sys::Datum::null()) };
    Shared::new(State::at_start(&Postgres, last_checkpoint()))
}

/// Called in the postmaster when all other processes are gone.
#[pg_guard]
unsafe extern "C-unwind" fn at_exit(code: c_int, _argument: pg_sys::Datum) {
    // After a crash (not 0) the memory cannot be trusted; the lease on disk can.
    let state = &SHARED.get().state;
    if code != 0 || state.is_untouched() {
        return;
    }
    let kept = match server::configured() {
        Ok(server) => server.shut_down(),
        // It has issued nothing, and may have replayed what another server has.
        Err(_) => state.keep_replayed(&Postgres),
    };
    if let Err(obstacle) = kept {
        Refusal::from(obstacle).report_as(PgLogLevel::WARNING);
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
