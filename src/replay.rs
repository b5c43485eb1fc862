//! Replay of WAL, watched for leases.
//!
//! The library looks at leases as they are replayed, in the process that replays them, so it has seen those of
//! all rows that are visible when a promotion ends recovery. Replay of a checkpoint may be where the next one
//! starts from, and so may the end of replay; what was seen by then is kept in the server's own lease first.
//!
//! Here: PostgreSQL's hooks. Not here: what is kept, and how (`snowflake-core`).

use crate::error::{Refusal, warn_of_unreadable_lease};
use crate::host::Postgres;
use crate::{shared, wal};
use pgrx::pg_sys;
use pgrx::pg_sys::elog::PgLogLevel;
use snowflake_core::Obstacle;
use std::sync::{Once, OnceLock};

type Redo = unsafe extern "C-unwind" fn(*mut pg_sys::XLogReaderState);

const CHECKPOINTS: u32 = pg_sys::RmgrIds::RM_XLOG_ID;

/// The kinds of records that checkpoints are (`XLOG_CHECKPOINT_SHUTDOWN` and `_ONLINE` in PostgreSQL's
/// `catalog/pg_control.h`), in the bits of `xl_info` that say so.
const CHECKPOINT_KINDS: [u8; 2] = [0x00, 0x10];
const KIND_BITS: u8 = 0xF0;

/// What PostgreSQL does with a logical message on replay, and with a checkpoint.
static REDO_MESSAGE: OnceLock<Redo> = OnceLock::new();
static REDO_CHECKPOINT: OnceLock<Redo> = OnceLock::new();

/// Whether the process that replays has said that it meets leases that it cannot read.
static UNREADABLE: Once = Once::new();

/// Has replay tell this library of its messages and of checkpoints. Called by the postmaster, whose
/// processes inherit it.
pub fn watch() {
    watch_manager(wal::MESSAGES, &REDO_MESSAGE, replay_message);
    watch_manager(CHECKPOINTS, &REDO_CHECKPOINT, replay_checkpoint);
    // SAFETY: as in `watch_manager`. PostgreSQL has nothing to do there itself.
    unsafe {
        let table = (&raw mut pg_sys::RmgrTable).cast::<pg_sys::RmgrData>();
        (*table.add(wal::MESSAGES as usize)).rm_cleanup = Some(replay_ends);
    }
}

fn watch_manager(manager: u32, original: &OnceLock<Redo>, ours: Redo) {
    // SAFETY: the table has an entry for each built-in resource manager, and no other code reads it while
    // libraries are preloaded.
    unsafe {
        let table = (&raw mut pg_sys::RmgrTable).cast::<pg_sys::RmgrData>();
        let manager = &mut *table.add(manager as usize);
        if let Some(redo) = manager.rm_redo
            && original.set(redo).is_ok()
        {
            manager.rm_redo = Some(ours);
        }
    }
}

/// Called by the process that replays WAL, for each logical message; raises nothing.
unsafe extern "C-unwind" fn replay_message(reader: *mut pg_sys::XLogReaderState) {
    // SAFETY: PostgreSQL passes a record that it has checked; it and its data live during the call.
    let record = unsafe {
        let record = &*(*reader).record;
        std::slice::from_raw_parts(record.main_data.cast::<u8>(), record.main_data_len as usize)
    };
    match wal::lease_in(record) {
        Some(Ok(lease)) => {
            if let Some(shared) = shared::get() {
                shared.state.note_replayed(&Postgres, &lease);
            }
        }
        // Once: a primary writes several a second.
        Some(Err(error)) => UNREADABLE.call_once(|| warn_of_unreadable_lease(error)),
        None => {}
    }
    if let Some(redo) = REDO_MESSAGE.get() {
        // SAFETY: what PostgreSQL would have called.
        unsafe { redo(reader) };
    }
}

/// Called by the same process, for each checkpoint and other record of the kind; raises nothing.
unsafe extern "C-unwind" fn replay_checkpoint(reader: *mut pg_sys::XLogReaderState) {
    // SAFETY: as above.
    let kind = unsafe { (*(*reader).record).header.xl_info } & KIND_BITS;
    if CHECKPOINT_KINDS.contains(&kind)
        && let Err(obstacle) = keep_replayed()
    {
        Refusal::from(obstacle).report_as(PgLogLevel::WARNING);
    }
    if let Some(redo) = REDO_CHECKPOINT.get() {
        // SAFETY: what PostgreSQL would have called.
        unsafe { redo(reader) };
    }
}

/// Called by the same process when it has replayed everything, before the server is in production and has
/// its own checkpoints; raises nothing.
unsafe extern "C-unwind" fn replay_ends() {
    // What is wrong with the file, and keeps this server from issuing, it has said as it started.
    let _ = keep_replayed();
}

fn keep_replayed() -> Result<(), Obstacle> {
    let Some(shared) = shared::get() else { return Ok(()) };
    shared.state.keep_before_restart_point(&Postgres)
}
