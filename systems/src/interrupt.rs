//! Ctrl-C, and a polite kill: scenarios end with an error, and so everything is cleaned up.

use std::{
    process::ExitCode,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag::register,
};

const STEP: Duration = Duration::from_millis(50);

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on a signal does not kill this process; [`check`] sees it.
pub fn catch() -> Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        register(signal, Arc::clone(&INTERRUPTED)).context("catching signals")?;
    }
    Ok(())
}

/// An error when the process is to end.
pub fn check() -> Result<()> {
    if is_set() {
        bail!("interrupted");
    }
    Ok(())
}

/// Whether the process is to end.
#[must_use]
pub fn is_set() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// How a program ends whose scenario has found out whether its claims hold; `what` is for the report
/// of a failure.
#[must_use]
pub fn exit_code(what: &str, outcome: Result<bool>) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(_) if is_set() => {
            eprintln!("\nInterrupted. Nothing is left running.");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("{what} failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Lets time pass, for something that has to last so long.
pub fn pause(time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    loop {
        check()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(STEP));
    }
}
