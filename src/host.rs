//! PostgreSQL as the host of the core's [`Server`](snowflake_core::Server).
//!
//! Here: each of the core's needs, in a line or two. Not here: any decision of when and why.

use crate::shared::{self, WRITER};
use crate::sleep::sleep;
use crate::{clock, error, guc, lease_file, wal};
use pgrx::pg_sys;
use snowflake_core::{Event, Failure, Host, Record};
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

    fn exclusive<T>(&self, work: impl FnOnce() -> T) -> T {
        let _writer = WRITER.exclusive();
        work()
    }

    fn shared<T>(&self, work: impl FnOnce() -> T) -> T {
        let _reader = WRITER.share();
        work()
    }

    fn read_lease(&self) -> Result<Option<Vec<u8>>, Failure> {
        lease_file::read()
    }

    fn write_lease(&self, record: &[u8; Record::LEN]) -> Result<(), Failure> {
        lease_file::write(record)
    }

    fn write_wal(&self, record: &[u8; Record::LEN]) {
        wal::write(record);
    }

    fn sleep(&self, time: Duration) {
        sleep(Some(time), pacing());
    }

    fn wake_keeper(&self) {
        if let Some(shared) = shared::get() {
            shared.wake_keeper();
        }
    }

    fn log(&self, event: Event) {
        error::log_event(event);
    }
}

/// What `pg_stat_activity` shows for a paced session: wait event `SnowflakePacing` of type
/// `Extension`, or plain `Extension` where PostgreSQL has no names for extensions' events.
fn pacing() -> u32 {
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    {
        static EVENT: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
        // SAFETY: the name is a valid C string; PostgreSQL gives equal names the same event.
        *EVENT.get_or_init(|| unsafe { pg_sys::WaitEventExtensionNew(c"SnowflakePacing".as_ptr()) })
    }
    #[cfg(not(any(feature = "pg17", feature = "pg18")))]
    pg_sys::PG_WAIT_EXTENSION
}
