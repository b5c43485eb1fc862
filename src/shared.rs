//! The shared memory: the core's state, the lock on the lease, and the keeper's latch.
//!
//! Here: what PostgreSQL needs to have of it. Not here: how it comes and goes (`life.rs`).

use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgAtomic, PgLwLock};
use snowflake_core::State;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};

/// What all processes of the server share: made new at every start and after every crash.
#[derive(Default)]
#[repr(C)]
pub struct Shared {
    pub state: State,
    keeper: AtomicPtr<pg_sys::Latch>,
}

// SAFETY: made of atomics only. The one pointer is a latch in shared memory, which all processes
// have at the same address.
unsafe impl PGRXSharedMemory for Shared {}

// SAFETY: the name starts with the extension's, so no other library uses it.
pub static SHARED: PgAtomic<Shared> = unsafe { PgAtomic::new(c"pg_snowflake") };

/// Held by the process that writes the lease file, and by no other.
// SAFETY: the name starts with the extension's, so no other library uses it.
pub static WRITER: PgLwLock<()> = unsafe { PgLwLock::new(c"pg_snowflake_lease") };

/// Whether shared memory was asked for; inherited by every session from the postmaster.
pub static REQUESTED: AtomicBool = AtomicBool::new(false);

/// The shared memory, if this server has it: not where the library is not preloaded.
#[inline]
pub fn get() -> Option<&'static Shared> {
    REQUESTED.load(Relaxed).then(|| SHARED.get())
}

impl Shared {
    /// At the start of a server life.
    pub fn new(state: State) -> Self {
        Self { state, ..Self::default() }
    }

    /// Registers this process as the keeper.
    pub fn set_keeper(&self) {
        // SAFETY: a plain read of a global that only this process writes.
        self.keeper.store(unsafe { pg_sys::MyLatch }, Relaxed);
    }

    /// Wakes the keeper, if there is one.
    pub fn wake_keeper(&self) {
        let latch = self.keeper.load(Relaxed);
        if !latch.is_null() {
            // SAFETY: latches of processes lie in shared memory for as long as the server lives;
            // one whose process has gone is nobody's, and setting it wakes nobody.
            unsafe { pg_sys::SetLatch(latch) };
        }
    }
}
