//! What a run leaves behind that is not left to end.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use snowflake_cluster::{processes_in, run, wait_for};
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(120);

const MESH: &str = env!("CARGO_BIN_EXE_mesh");
const INDEPENDENT: &str = env!("CARGO_BIN_EXE_independent");

/// A scenario whose servers, HAProxy among them, run in a folder of their own.
fn started(program: &str, servers: usize) -> Result<(Child, TempDir)> {
    let scratch = tempfile::Builder::new().prefix("snowflake-").tempdir_in("/tmp")?;
    fs::set_permissions(scratch.path(), Permissions::from_mode(0o755))?;
    let mut scenario = Command::new(program)
        .env("SNOWFLAKE_SCRATCH", scratch.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    wait_for("the servers", DEADLINE, || {
        assert_eq!(scenario.try_wait()?, None, "{program} ended by itself");
        let homes = fs::read_dir(scratch.path())?.flatten();
        let signs = ["data/postmaster.pid", "haproxy.cfg"];
        let running = homes.filter(|home| signs.iter().any(|it| home.path().join(it).exists()));
        Ok(running.count() == servers)
    })?;
    Ok((scenario, scratch))
}

fn signal(name: &str, scenario: &Child) -> Result<()> {
    run(Command::new("kill").args(["-s", name, &scenario.id().to_string()])).map(drop)
}

fn interrupt(program: &str, servers: usize) -> Result<()> {
    let (mut scenario, scratch) = started(program, servers)?;
    signal("INT", &scenario)?;
    wait_for("the scenario to end", DEADLINE, || Ok(scenario.try_wait()?.is_some()))?;
    let status = scenario.try_wait()?.context("it has ended")?;
    assert_eq!(status.code(), Some(130));
    assert_eq!(fs::read_dir(scratch.path())?.count(), 0);
    assert_eq!(processes_in(scratch.path())?, []);
    Ok(())
}

fn kill(program: &str, servers: usize) -> Result<()> {
    let (mut scenario, scratch) = started(program, servers)?;
    signal("KILL", &scenario)?;
    scenario.wait()?;
    wait_for("the servers to end", DEADLINE, || Ok(processes_in(scratch.path())?.is_empty()))
}

#[test]
fn an_interrupted_run_leaves_nothing() -> Result<()> {
    interrupt(MESH, 3)?;
    interrupt(INDEPENDENT, 4)
}

#[test]
fn a_killed_run_leaves_no_process() -> Result<()> {
    kill(MESH, 3)?;
    kill(INDEPENDENT, 4)
}
