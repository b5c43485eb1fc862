//! How a process of this extension waits: visibly, and for no longer than it is wanted to.

use pgrx::prelude::*;
use std::ffi::c_long;
use std::time::Duration;

/// Sleeps until the time is over, if there is one, or a signal or another process wakes this one, and
/// then looks at interrupts. The caller holds nothing.
pub fn sleep(time: Option<Duration>, event: Event) {
    let mut events = pg_sys::WL_LATCH_SET | pg_sys::WL_EXIT_ON_PM_DEATH;
    if time.is_some() {
        events |= pg_sys::WL_TIMEOUT;
    }
    // Rounded up: to wake up too early is to wake up twice.
    let millis = time.map_or(-1, |time| time.as_millis() as c_long + 1);
    // SAFETY: the latch is this process's own; resetting it before looking at interrupts loses
    // no wake-up.
    unsafe {
        pg_sys::WaitLatch(pg_sys::MyLatch, events as i32, millis, event.number());
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

/// What a process waits for, as `pg_stat_activity` shows it: type `Extension` and a name of ours, or plain `Extension`
/// where PostgreSQL has no names for extensions' events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A session, until its ID is due.
    Pacing,
    /// A session, until the lease covers its ID.
    Lease,
    /// The process that writes the lease, or one that is to do so next.
    LeaseWrite,
    /// The same, until synchronous standbys have it.
    Standbys,
    /// The keeper, when it has nothing to do.
    Keeper,
}

impl Event {
    #[cfg(not(any(feature = "pg15", feature = "pg16")))]
    pub fn number(self) -> u32 {
        use std::sync::OnceLock;
        static NUMBERS: [OnceLock<u32>; 5] = [const { OnceLock::new() }; 5];
        let name = match self {
            Self::Pacing => c"SnowflakePacing",
            Self::Lease => c"SnowflakeLease",
            Self::LeaseWrite => c"SnowflakeLeaseWrite",
            Self::Standbys => c"SnowflakeStandbys",
            Self::Keeper => c"SnowflakeKeeper",
        };
        // SAFETY: a valid C string; PostgreSQL gives equal names the same event.
        let number = || unsafe { pg_sys::WaitEventExtensionNew(name.as_ptr()) };
        *NUMBERS[self as usize].get_or_init(number)
    }

    #[cfg(any(feature = "pg15", feature = "pg16"))]
    pub fn number(self) -> u32 {
        pg_sys::PG_WAIT_EXTENSION
    }
}

/// Runs `work` while `pg_stat_activity` shows that this process waits.
pub fn waiting<T>(event: Event, work: impl FnOnce() -> T) -> T {
    // SAFETY: what the number is written to is this process's own, from its start to its end.
    unsafe { pg_sys::pgstat_report_wait_start(event.number()) };
    let done = work();
    // SAFETY: as above.
    unsafe { pg_sys::pgstat_report_wait_end() };
    done
}

unsafe extern "C-unwind" {
    /// Of PostgreSQL's `postmaster/startup.h`, which pgrx has no bindings for.
    #[cfg_attr(any(feature = "pg18", feature = "pg19"), link_name = "ProcessStartupProcInterrupts")]
    #[cfg_attr(
        not(any(feature = "pg18", feature = "pg19")),
        link_name = "HandleStartupProcInterrupts"
    )]
    fn startup_interrupts();
}
