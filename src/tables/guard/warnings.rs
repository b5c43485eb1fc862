//! Warnings of a flood of rows are counted, not each written: a million rows of a twin would be half a gigabyte of
//! log, and as much for the client.
//!
//! Each session counts for itself. What it has only counted is written when its transaction ends, at most once a
//! minute, and at last when the session does: a logical apply worker has neither statements nor an end in sight.
//! These go to the log alone: nothing may fail there, and to send a name to a client may.

use super::finding::Finding;
use crate::clock;
use pgrx::pg_sys::elog::PgLogLevel;
use pgrx::prelude::*;
use snowflake_core::Flood;
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::num::NonZeroU64;

thread_local! {
    static FLOOD: RefCell<Flood> = RefCell::default();
    /// The last finding that was only counted: what the rest of a flood is reported with.
    static LAST: Cell<Option<Finding>> = const { Cell::new(None) };
    static IS_WATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Writes a warning of a row, or only counts it.
pub fn warn(finding: Finding) {
    watch_ends();
    let now = clock::monotonic_micros();
    match FLOOD.with_borrow_mut(|flood| flood.warning(now)) {
        Some(rows) => finding.report(rows.get()).report(PgLogLevel::WARNING),
        None => LAST.set(Some(finding)),
    }
}

fn write_rest(rows: Option<NonZeroU64>) {
    let Some(rows) = rows else { return };
    if let Some(finding) = LAST.take() {
        finding.report(rows.get()).report(PgLogLevel::LOG_SERVER_ONLY);
    }
}

fn watch_ends() {
    if IS_WATCHING.replace(true) {
        return;
    }
    // SAFETY: both callbacks live as long as the process, as does this library once it is loaded.
    unsafe {
        pg_sys::RegisterXactCallback(Some(at_end_of_transaction), std::ptr::null_mut());
        pg_sys::before_shmem_exit(Some(at_end_of_session), pg_sys::Datum::null());
    }
}

/// Before the commit is done, as an error would be too late after it.
#[pg_guard]
unsafe extern "C-unwind" fn at_end_of_transaction(
    event: pg_sys::XactEvent::Type,
    _argument: *mut c_void,
) {
    use pg_sys::XactEvent::{XACT_EVENT_ABORT, XACT_EVENT_PRE_COMMIT, XACT_EVENT_PRE_PREPARE};
    if [XACT_EVENT_ABORT, XACT_EVENT_PRE_COMMIT, XACT_EVENT_PRE_PREPARE].contains(&event) {
        let now = clock::monotonic_micros();
        write_rest(FLOOD.with_borrow_mut(|flood| flood.end(now)));
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn at_end_of_session(_code: i32, _argument: pg_sys::Datum) {
    write_rest(FLOOD.with_borrow_mut(Flood::close));
}
