//! Ctrl-C and SIGTERM: take the server along, let the demo notice, and clean up on the way out.

use std::{
    error::Error,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::{Context, Result};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

/// The error of a demo that was told to end.
#[derive(Debug)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl Error for Interrupted {}

#[derive(Default)]
struct State {
    came: AtomicBool,
    /// Ctrl-C is psql's: it cancels a query there.
    keyboard_lent: AtomicBool,
    companions: Mutex<Vec<(i32, Signal)>>,
}

impl State {
    fn companions(&self) -> MutexGuard<'_, Vec<(i32, Signal)>> {
        self.companions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_companions(&self) {
        for (pid, signal) in self.companions().drain(..) {
            // It may have ended by itself.
            kill(Pid::from_raw(pid), signal).ok();
        }
    }
}

pub struct Interrupt(Arc<State>);

impl Interrupt {
    /// Catches the signals that ask a program to end, from now on.
    pub fn catch() -> Result<Self> {
        let state = Arc::new(State::default());
        let mut signals =
            Signals::new([SIGHUP, SIGINT, SIGTERM]).context("setting signal handlers")?;
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for signal in signals.forever() {
                if signal == SIGINT && shared.keyboard_lent.load(Ordering::SeqCst) {
                    continue;
                }
                shared.came.store(true, Ordering::SeqCst);
                shared.end_companions();
            }
        });
        Ok(Self(state))
    }

    /// An error once a signal has come.
    pub fn check(&self) -> Result<()> {
        if self.0.came.load(Ordering::SeqCst) {
            return Err(Interrupted.into());
        }
        Ok(())
    }

    /// Has an interrupt send `signal` to process `pid`, so that no call to it lasts on.
    pub fn takes_along(&self, pid: i32, signal: Signal) -> Result<()> {
        self.0.companions().push((pid, signal));
        if self.check().is_err() {
            self.0.end_companions();
        }
        self.check()
    }

    /// Process `pid` has ended and its number may be another's.
    pub fn forgets(&self, pid: i32) -> Result<()> {
        self.0.companions().retain(|companion| companion.0 != pid);
        self.check()
    }

    /// Ctrl-C is not for this program while `borrower` runs.
    pub fn lend_keyboard(&self, borrower: impl FnOnce() -> Result<()>) -> Result<()> {
        self.0.keyboard_lent.store(true, Ordering::SeqCst);
        let outcome = borrower();
        self.0.keyboard_lent.store(false, Ordering::SeqCst);
        outcome
    }
}
