//! Synchronous standbys: whether they have what was written to WAL.
//!
//! A lease is in force when the standbys have it that a COMMIT would wait for, or an ID could come again after a
//! failover that no row has. PostgreSQL's own wait is for COMMIT alone: a session that cancels it is told that the
//! transaction is committed here. This one looks where that one does.
//!
//! Here: that wait. Not here: what is waited for (`wal.rs`).

use crate::sleep::{Event, sleep};
use crate::{keeper, shared};
use pgrx::pg_sys;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Blocks until the standbys have WAL up to there, as the server's `synchronous_commit` says; not at all where none are waited for.
/// False if this is the keeper, and has to end before.
pub fn wait_for(end: u64) -> bool {
    while !have(end) {
        sleep(Some(LOOK_EVERY), Event::Standbys);
        if keeper::has_to_end() {
            return false;
        }
    }
    true
}

/// What COMMIT waits for, as an index of PostgreSQL's list: written, flushed, applied (`replication/syncrep.h`).
/// The lease is for all sessions, so it is not the value of the one that happens to extend it that counts.
fn mode() -> Option<usize> {
    match shared::get()?.synchronous_commit.load(Relaxed).cast_unsigned() {
        pg_sys::SyncCommitLevel::SYNCHRONOUS_COMMIT_OFF
        | pg_sys::SyncCommitLevel::SYNCHRONOUS_COMMIT_LOCAL_FLUSH => None,
        pg_sys::SyncCommitLevel::SYNCHRONOUS_COMMIT_REMOTE_WRITE => Some(0),
        pg_sys::SyncCommitLevel::SYNCHRONOUS_COMMIT_REMOTE_APPLY => Some(2),
        _ => Some(1),
    }
}

fn have(end: u64) -> bool {
    let Some(mode) = mode() else { return true };
    // SAFETY: in shared memory, for as long as the server lives; PostgreSQL's own processes look at these without a
    // lock, too, before they take it. Volatile, because other processes write them.
    unsafe {
        let senders = pg_sys::WalSndCtl;
        if pg_sys::max_wal_senders == 0 || senders.is_null() || !are_named() {
            return true;
        }
        (&raw const (*senders).lsn[mode]).read_volatile() >= end
    }
}

/// Whether there are standbys to wait for. PostgreSQL has the checkpointer's word for that in shared memory, which minor
/// releases have moved; the setting is the same in all.
fn are_named() -> bool {
    // SAFETY: the setting is this process's own.
    unsafe {
        let names = pg_sys::SyncRepStandbyNames;
        !names.is_null() && *names != 0
    }
}
