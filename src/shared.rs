//! The shared memory: the core's state, the lock on the lease, the keeper's latch, and where sessions wait for it.
//!
//! Here: what PostgreSQL needs to have of it. Not here: how it comes and goes (`life.rs`).

use crate::lock;
use crate::sleep::Event;
use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgAtomic, PgLwLock};
use snowflake_core::State;
use std::cell::UnsafeCell;
use std::ffi::{c_int, c_long};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering::Relaxed};

/// What all processes of the server share: made new at every start and after every crash.
#[derive(Default)]
#[repr(C)]
pub struct Shared {
    pub state: State,
    keeper: AtomicPtr<pg_sys::Latch>,
    /// `synchronous_commit` as the configuration has it.
    pub synchronous_commit: AtomicI32,
    /// Sessions that wait for the lease.
    pub sessions: Sessions,
}

// SAFETY: made of atomics, and of a condition variable, which is meant for this. The one pointer is a latch in shared
// memory, which all processes have at the same address.
unsafe impl PGRXSharedMemory for Shared {}

// SAFETY: the name starts with the extension's, so no other library uses it.
pub static SHARED: PgAtomic<Shared> = unsafe { PgAtomic::new(c"pg_snowflake") };

/// Held by the process that writes the lease file, and by no other.
// SAFETY: the name starts with the extension's, so no other library uses it.
pub static WRITER: PgLwLock<()> = unsafe { PgLwLock::new(lock::NAME) };

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
        let new = Self { state, ..Self::default() };
        new.note_settings();
        new
    }

    /// Has all processes know a setting that sessions, roles and databases may have values of their own for. Called by
    /// processes that have none: the postmaster, and the keeper.
    pub fn note_settings(&self) {
        // SAFETY: a plain read of a setting, which only this process writes.
        self.synchronous_commit.store(unsafe { pg_sys::synchronous_commit }, Relaxed);
    }

    /// Registers this process as the keeper, until it ends.
    pub fn set_keeper(&self) {
        // SAFETY: the global is this process's own; the callback has the signature that PostgreSQL calls it with.
        unsafe {
            self.keeper.store(pg_sys::MyLatch, Relaxed);
            pg_sys::before_shmem_exit(Some(keeper_ends), pg_sys::Datum::null());
        }
        self.state.keeper_begins();
        self.note_settings();
    }

    /// Whether there is a keeper, which is not this process.
    pub fn has_keeper(&self) -> bool {
        let latch = self.keeper.load(Relaxed);
        // SAFETY: a plain read of a global that only this process writes.
        !latch.is_null() && latch != unsafe { pg_sys::MyLatch }
    }

    /// Wakes the keeper, if there is one.
    pub fn wake_keeper(&self) {
        let latch = self.keeper.load(Relaxed);
        if !latch.is_null() {
            // SAFETY: latches of processes lie in shared memory for as long as the server lives;
            // one whose process has gone belongs to no process, and setting it wakes none.
            unsafe { pg_sys::SetLatch(latch) };
        }
    }
}

/// The keeper's sessions see to the lease themselves.
unsafe extern "C-unwind" fn keeper_ends(_code: c_int, _argument: pg_sys::Datum) {
    if let Some(shared) = get() {
        shared.keeper.store(std::ptr::null_mut(), Relaxed);
        shared.sessions.wake();
    }
}

/// Where sessions wait, in a way that can be cancelled.
#[repr(transparent)]
pub struct Sessions(UnsafeCell<pg_sys::ConditionVariable>);

// SAFETY: PostgreSQL's functions on condition variables are for many processes at once.
unsafe impl Sync for Sessions {}

impl Default for Sessions {
    fn default() -> Self {
        let mut condition = pg_sys::ConditionVariable::default();
        // SAFETY: makes a value that may be moved until a process waits.
        unsafe { pg_sys::ConditionVariableInit(&raw mut condition) };
        Self(UnsafeCell::new(condition))
    }
}

impl Sessions {
    /// A process that ended without a word is noticed by then.
    const LOOK_EVERY_MILLIS: c_long = 1_000;

    /// Blocks until `is_over` says so. A session that is cancelled meanwhile raises an error.
    pub fn wait(&self, mut is_over: impl FnMut() -> bool) {
        // SAFETY: a condition variable in shared memory. The end of a transaction cancels what an error has left.
        unsafe {
            pg_sys::ConditionVariablePrepareToSleep(self.0.get());
            while !is_over() {
                let event = Event::Lease.number();
                pg_sys::ConditionVariableTimedSleep(self.0.get(), Self::LOOK_EVERY_MILLIS, event);
            }
            pg_sys::ConditionVariableCancelSleep();
        }
    }

    pub fn wake(&self) {
        // SAFETY: as above.
        unsafe { pg_sys::ConditionVariableBroadcast(self.0.get()) };
    }
}
