//! Who writes the lease file: one process at a time.
//!
//! Here: taking turns where a process can be cancelled. Not here: what it writes.

use crate::sleep::{Event, sleep};
use pgrx::pg_sys;
use std::time::Duration;

/// The lock's name, for `pg_stat_activity` too.
pub const NAME: &std::ffi::CStr = c"pg_snowflake_lease";

/// Between two tries. It is the keeper that writes; others do where there is none, or none is at work yet.
const AGAIN: Duration = Duration::from_millis(10);

/// The turn to write.
#[derive(Debug)]
pub struct Writer(*mut pg_sys::LWLock);

impl Writer {
    /// Waits for it, where a wait for the lock itself could not be cancelled.
    pub fn new() -> Self {
        // SAFETY: the tranche was asked for while libraries were preloaded, and has one lock.
        let lock = unsafe { &raw mut (*pg_sys::GetNamedLWLockTranche(NAME.as_ptr())).lock };
        // SAFETY: a lock in shared memory, for as long as the server lives.
        while !unsafe { pg_sys::LWLockConditionalAcquire(lock, pg_sys::LWLockMode::LW_EXCLUSIVE) } {
            sleep(Some(AGAIN), Event::LeaseWrite);
        }
        Self(lock)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // SAFETY: taken above. An error of PostgreSQL's that unwinds through here has let go of all locks already, and
        // left nothing that holds interrupts off.
        unsafe {
            if pg_sys::InterruptHoldoffCount > 0 {
                pg_sys::LWLockRelease(self.0);
            }
        }
    }
}
