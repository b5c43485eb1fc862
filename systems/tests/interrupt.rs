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

/// A mesh whose servers run, in a folder of their own.
fn started() -> Result<(Child, TempDir)> {
    let scratch = tempfile::Builder::new().prefix("snowflake-").tempdir_in("/tmp")?;
    fs::set_permissions(scratch.path(), Permissions::from_mode(0o755))?;
    let mut mesh = Command::new(env!("CARGO_BIN_EXE_mesh"))
        .env("SNOWFLAKE_SCRATCH", scratch.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    wait_for("the servers", DEADLINE, || {
        assert_eq!(mesh.try_wait()?, None, "the mesh ended by itself");
        let homes = fs::read_dir(scratch.path())?.flatten();
        let running = homes.filter(|home| home.path().join("data/postmaster.pid").exists());
        Ok(running.count() == 3)
    })?;
    Ok((mesh, scratch))
}

fn signal(name: &str, mesh: &Child) -> Result<()> {
    run(Command::new("kill").args(["-s", name, &mesh.id().to_string()])).map(drop)
}

#[test]
fn an_interrupted_run_leaves_nothing() -> Result<()> {
    let (mut mesh, scratch) = started()?;
    signal("INT", &mesh)?;
    wait_for("the mesh to end", DEADLINE, || Ok(mesh.try_wait()?.is_some()))?;
    let status = mesh.try_wait()?.context("it has ended")?;
    assert_eq!(status.code(), Some(130));
    assert_eq!(fs::read_dir(scratch.path())?.count(), 0);
    assert_eq!(processes_in(scratch.path())?, []);
    Ok(())
}

#[test]
fn a_killed_run_leaves_no_process() -> Result<()> {
    let (mut mesh, scratch) = started()?;
    signal("KILL", &mesh)?;
    mesh.wait()?;
    wait_for("the servers to end", DEADLINE, || Ok(processes_in(scratch.path())?.is_empty()))
}
