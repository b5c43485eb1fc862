//! How a process of this extension waits: visibly, and for no longer than somebody wants it to.

use pgrx::prelude::*;
use std::ffi::c_long;
use std::time::Duration;

/// Sleeps until the time is over, if there is one, or a signal or another process wakes this one, and
/// then looks at interrupts. Whoever calls this holds nothing. `wait_event` is for `pg_stat_activity`.
pub fn sleep(time: Option<Duration>, wait_event: u32) {
    let mut events = pg_sys::WL_LATCH_SET | pg_sys::WL_EXIT_ON_PM_DEATH;
    if time.is_some() {
        events |= pg_sys::WL_TIMEOUT;
    }
    // Rounded up: to wake up too early is to wake up twice.
    let millis = time.map_or(-1, |time| time.as_millis() as c_long + 1);
    // SAFETY: the latch is this process's own; resetting it before looking at interrupts loses
    // no wake-up.
    unsafe {
        pg_sys::WaitLatch(pg_sys::MyLatch, events as i32, millis, wait_event);
        pg_sys::ResetLatch(pg_sys::MyLatch);
    }
    pgrx::check_for_interrupts!();
    // SAFETY: the process that replays WAL is asked to end, or to read its settings, in its own way.
    unsafe {
        if pg_sys::MyBackendType == pg_sys::BackendType::B_STARTUP {
            startup_interrupts();
        }
    }
}

unsafe extern "C-unwind" {
    /// Of PostgreSQL's `postmaster/startup.h`, which pgrx has no bindings for.
    #[cfg_attr(feature = "pg18", link_name = "ProcessStartupProcInterrupts")]
    #[cfg_attr(not(feature = "pg18"), link_name = "HandleStartupProcInterrupts")]
    fn startup_interrupts();
}
