//! Ctrl-C, and a polite kill: a program ends with an error, and so everything is cleaned up.

use std::{
    process::{Command, ExitCode, ExitStatus},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    low_level,
};

use crate::{poll, process::send};

const STEP: Duration = Duration::from_millis(50);
/// What shells say of a program that Ctrl-C has ended.
const EXIT_CODE: u8 = 130;

static CAME: AtomicBool = AtomicBool::new(false);
static KEYBOARD_LENT: AtomicBool = AtomicBool::new(false);

/// From now on a signal does not kill this process; [`check`] sees it. A second one does.
pub fn catch() -> Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let handler = move || {
            let not_for_us = signal == SIGINT && KEYBOARD_LENT.load(Ordering::Relaxed);
            if !not_for_us && CAME.swap(true, Ordering::Relaxed) {
                low_level::exit(EXIT_CODE.into());
            }
        };
        // SAFETY: the handler reads and writes atomics and calls `_exit`, nothing else.
        unsafe { low_level::register(signal, handler) }.context("catching signals")?;
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
    CAME.load(Ordering::Relaxed)
}

/// How a program ends that has done its work or found out whether its claims hold; `what` is for the
/// report of a failure.
#[must_use]
pub fn exit_code(what: &str, outcome: Result<bool>) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(_) if is_set() => {
            eprintln!("\nInterrupted. Nothing is left running.");
            ExitCode::from(EXIT_CODE)
        }
        Err(error) => {
            eprintln!("\n{what} failed: {error:#}");
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

/// Polls `condition` until it holds; an error after `deadline`, naming `what` was waited for.
pub fn wait_for(
    what: &str,
    deadline: Duration,
    mut condition: impl FnMut() -> Result<bool>,
) -> Result<()> {
    poll::wait_for(what, deadline, || {
        check()?;
        condition()
    })
}

/// Runs a program to its end, or has it end. How it ended is for the caller to judge.
pub fn run(program: &mut Command) -> Result<ExitStatus> {
    let name = program.get_program().to_owned();
    let mut child = program.spawn().with_context(|| format!("running {}", name.display()))?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if let Err(interrupted) = pause(STEP) {
            send(i32::try_from(child.id())?, Signal::SIGTERM)?;
            child.wait()?;
            return Err(interrupted);
        }
    }
}

/// Does something during which Ctrl-C is for another program at this terminal.
pub fn lend_keyboard<T>(action: impl FnOnce() -> T) -> T {
    KEYBOARD_LENT.store(true, Ordering::Relaxed);
    let outcome = action();
    KEYBOARD_LENT.store(false, Ordering::Relaxed);
    outcome
}
