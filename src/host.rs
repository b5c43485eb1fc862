//! PostgreSQL as the host of the core's [`Server`](snowflake_core::Server).
//!
//! Here: each of the core's needs, in a line or two. Not here: any decision of when and why.

use crate::shared::{self, Shared};
use crate::sleep::{Event as WaitEvent, sleep};
use crate::{clock, error, guc, lease_file, lock, standbys, wal};
use pgrx::pg_sys;
use snowflake_core::{Event, FILE_LEN, Failure, Host, Record};
use std::time::Duration;

/// The server that this process belongs to.
#[derive(Debug)]
pub struct Postgres;

impl Host for Postgres {
    #[inline]
    fn wall_millis(&self) -> i64 {
        clock::wall_millis()
    }

    fn clocks(&self) -> [i64; 3] {
        clock::both()
    }

    #[inline]
    fn max_drift_millis(&self) -> u32 {
        guc::max_drift_millis()
    }

    fn max_sessions(&self) -> i64 {
        // SAFETY: fixed once the server accepts connections.
        i64::from(unsafe { pg_sys::MaxBackends })
    }

    fn is_in_recovery(&self) -> bool {
        // SAFETY: any process attached to shared memory may ask.
        unsafe { pg_sys::RecoveryInProgress() }
    }

    fn system_identifier(&self) -> u64 {
        // SAFETY: known since the control file was read, before shared memory is made.
        unsafe { pg_sys::GetSystemIdentifier() }
    }

    fn exclusive<T>(&self, work: impl FnOnce() -> T) -> T {
        let _writer = lock::Writer::new();
        work()
    }

    fn read_lease(&self) -> Result<Option<Vec<u8>>, Failure> {
        lease_file::read()
    }

    fn create_lease(&self, file: &[u8; FILE_LEN]) -> Result<(), Failure> {
        lease_file::create(file)
    }

    fn sync_directory(&self) -> Result<(), Failure> {
        lease_file::sync_directory()
    }

    fn write_lease(&self, offset: u64, record: &[u8; Record::LEN]) -> Result<(), Failure> {
        lease_file::write(offset, record)
    }

    fn write_wal(&self, record: &[u8; Record::LEN]) -> u64 {
        wal::write(record)
    }

    fn wait_for_standbys(&self, end: u64) -> bool {
        standbys::wait_for(end)
    }

    fn sleep(&self, time: Duration) {
        sleep(Some(time), WaitEvent::Pacing);
    }

    fn has_keeper(&self) -> bool {
        shared::get().is_some_and(Shared::has_keeper)
    }

    fn wake_keeper(&self) {
        shared::get().into_iter().for_each(Shared::wake_keeper);
    }

    fn wait_for_lease(&self, is_over: impl FnMut() -> bool) {
        if let Some(shared) = shared::get() {
            shared.sessions.wait(is_over);
        }
    }

    fn wake_sessions(&self) {
        shared::get().into_iter().for_each(|shared| shared.sessions.wake());
    }

    fn log(&self, event: Event) {
        error::log_event(event);
    }
}
