//! What a run leaves behind that is not left to end.

use std::{
    fs,
    process::{Child, Command, ExitStatus, Stdio},
};

use anyhow::{Result, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use snowflake_testkit::{DEADLINE, Installation, make_home, processes_in, wait_for};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_scenarios");
/// Those that start servers.
const SCENARIOS: [&str; 6] =
    ["independent", "active-active", "failover", "maelstrom", "twins", "alternatives"];

/// Those that have another process clean up.
const SWEPT: [&str; 2] = ["failover", "maelstrom"];

/// A scenario that has started a server, in a folder of its own.
struct Running {
    program: Child,
    scratch: TempDir,
}

impl Running {
    fn start(scenario: &str) -> Result<Self> {
        let scratch = make_home(&Installation::find()?)?;
        let program = Command::new(PROGRAM)
            .arg(scenario)
            .env("SNOWFLAKE_SCRATCH", scratch.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut running = Self { program, scratch };
        wait_for("a server", DEADLINE, || {
            ensure!(running.program.try_wait()?.is_none(), "{scenario} ended by itself");
            let name = |pid: &i32| fs::read_to_string(format!("/proc/{pid}/comm"));
            let is_server = |pid| name(pid).is_ok_and(|it| it == "postgres\n");
            Ok(processes_in(running.scratch.path())?.iter().any(is_server))
        })?;
        Ok(running)
    }

    fn end_by(&mut self, signal: Signal) -> Result<ExitStatus> {
        kill(Pid::from_raw(self.program.id().try_into()?), signal)?;
        let mut status = None;
        wait_for("the scenario to end", DEADLINE, || {
            status = self.program.try_wait()?;
            Ok(status.is_some())
        })?;
        Ok(status.unwrap_or_default())
    }

    fn files(&self) -> Result<usize> {
        Ok(fs::read_dir(self.scratch.path())?.count())
    }
}

#[test]
fn an_interrupted_run_leaves_nothing() -> Result<()> {
    for scenario in SCENARIOS {
        let mut running = Running::start(scenario)?;
        let status = running.end_by(Signal::SIGINT)?;
        assert_eq!(status.code(), Some(130), "{scenario}");
        assert_eq!((running.files()?, processes_in(running.scratch.path())?), (0, vec![]));
    }
    Ok(())
}

#[test]
fn a_killed_run_leaves_no_process() -> Result<()> {
    for scenario in SCENARIOS {
        let mut running = Running::start(scenario)?;
        running.end_by(Signal::SIGKILL)?;
        let swept = SWEPT.contains(&scenario);
        wait_for(&format!("what {scenario} has started to end"), DEADLINE, || {
            let is_swept = !swept || running.files()? == 0;
            Ok(is_swept && processes_in(running.scratch.path())?.is_empty())
        })?;
    }
    Ok(())
}
