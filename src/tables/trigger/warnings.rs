//! Warnings of a flood of rows are counted, not each written: a million rows of a twin would be half a gigabyte of
//! log, and as much for the client.
//!
//! Each session counts for itself. What it has only counted is written when its transaction ends, at most once a
//! minute, and at last when the session does: a logical apply worker has neither statements nor an end in sight.
//! These go to the log alone: nothing may fail there, and to send a name to a client may.

use crate::clock;
use crate::error::Report;
use pgrx::pg_sys::elog::PgLogLevel;
use pgrx::prelude::*;
use snowflake_core::Flood;
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::num::NonZeroU64;

/// Why a row is conspicuous.
pub trait Finding {
    /// What there is to say of it.
    fn report(&self) -> Report;
}

/// The triggers that warn. Each counts its own rows.
#[derive(Clone, Copy)]
pub enum Trigger {
    Guard,
    Witness,
}

#[derive(Default)]
struct Counted {
    flood: Flood,
    /// The last finding that was only counted: what the rest of a flood is reported with.
    last: Option<Box<dyn Finding>>,
}

thread_local! {
    static COUNTED: RefCell<[Counted; 2]> = RefCell::default();
    static IS_WATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Writes a warning of a row, or only counts it.
pub fn warn(trigger: Trigger, finding: impl Finding + 'static) {
    watch_ends();
    let now = clock::monotonic_micros();
    match counted(trigger, |counted| counted.flood.warning(now)) {
        Some(rows) => report(&finding, rows).report(PgLogLevel::WARNING),
        None => counted(trigger, |counted| counted.last = Some(Box::new(finding))),
    }
}

fn counted<T>(trigger: Trigger, work: impl FnOnce(&mut Counted) -> T) -> T {
    COUNTED.with_borrow_mut(|all| work(&mut all[trigger as usize]))
}

/// The warning for a number of rows, of which this is the last one.
fn report(finding: &dyn Finding, rows: NonZeroU64) -> Report {
    let report = finding.report();
    if rows.get() == 1 {
        report
    } else {
        report.detailed(&format!(
            "This warning stands for {rows} rows of this session, the last of which is named."
        ))
    }
}

fn write_rest(due: impl Fn(&mut Flood) -> Option<NonZeroU64>) {
    for trigger in [Trigger::Guard, Trigger::Witness] {
        let rest =
            counted(trigger, |counted| Some((due(&mut counted.flood)?, counted.last.take()?)));
        if let Some((rows, finding)) = rest {
            report(&*finding, rows).report(PgLogLevel::LOG_SERVER_ONLY);
        }
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
        write_rest(|flood| flood.end(now));
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn at_end_of_session(_code: i32, _argument: pg_sys::Datum) {
    write_rest(Flood::close);
}
