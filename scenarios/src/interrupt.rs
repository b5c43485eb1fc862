//! Ctrl-C, and a polite kill: scenarios end with an error, and so everything is cleaned up.

use std::{
    process::{Command, ExitCode, ExitStatus},
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
    flag::{register, register_conditional_shutdown},
};

const STEP: Duration = Duration::from_millis(50);

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// What shells say of a program that Ctrl-C has ended.
const EXIT_CODE: u8 = 130;

/// From now on a signal does not kill this process; [`check`] sees it. A second one does.
pub fn catch() -> Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // In this order, or the first one would do what the second is for.
        register_conditional_shutdown(signal, EXIT_CODE.into(), Arc::clone(&INTERRUPTED))
            .context("catching signals")?;
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
            ExitCode::from(EXIT_CODE)
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

/// Polls `condition` until it holds; an error after `deadline`, naming `what` was waited for.
pub fn wait_for(
    what: &str,
    deadline: Duration,
    mut condition: impl FnMut() -> Result<bool>,
) -> Result<()> {
    snowflake_testkit::wait_for(what, deadline, || {
        check()?;
        condition()
    })
}

/// Runs a program to its end, or ends it. How it ended is for the caller to judge.
pub fn run(program: &mut Command) -> Result<ExitStatus> {
    let name = program.get_program().to_owned();
    let mut child = program.spawn().with_context(|| format!("running {}", name.display()))?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if let Err(interrupted) = pause(STEP) {
            child.kill()?;
            child.wait()?;
            return Err(interrupted);
        }
    }
}
