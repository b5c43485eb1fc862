//! The short version of the cluster with failover; `cargo run -p snowflake-systems --bin patroni` is
//! the long one.

use std::{
    env,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Error, Result};
use snowflake_cluster::{Installation, make_home, processes_in, wait_for};
use snowflake_systems::patroni::{ADDED, Options, run};

const DEADLINE: Duration = Duration::from_secs(60);

/// One machine id for all members, whose clocks are an hour apart: a hard kill and a switchover.
/// Among the claims is a control that the check fails where IDs come from the clock alone. The one
/// about time is for the long version: here other tests run as well.
#[test]
fn no_id_repeats_or_goes_back_through_a_kill_and_a_switchover() -> Result<()> {
    let report = run(Options { rounds: 2, rounds_each: 0, loopback: false })?;
    println!("{report}");
    let broken: Vec<_> =
        report.claims.iter().filter(|it| !it.met && !it.what.ends_with(ADDED)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    Ok(())
}

#[test]
fn a_run_that_is_killed_leaves_nothing_behind() -> Result<()> {
    let scratch = make_home(&Installation::find()?)?;
    let mut run = Command::new(env!("CARGO_BIN_EXE_patroni"))
        .env("SNOWFLAKE_SCRATCH", scratch.path())
        .stdout(Stdio::null())
        .spawn()?;
    let has_server = || {
        let pids = processes_in(scratch.path())?;
        let name = |pid: i32| std::fs::read_to_string(format!("/proc/{pid}/comm"));
        Ok::<_, Error>(pids.into_iter().any(|pid| name(pid).is_ok_and(|it| it == "postgres\n")))
    };
    let started = wait_for("a server", DEADLINE, has_server);
    run.kill()?;
    run.wait()?;
    started?;
    wait_for("everything to be gone", DEADLINE, || {
        let is_empty = std::fs::read_dir(scratch.path())?.next().is_none();
        Ok(is_empty && processes_in(scratch.path())?.is_empty())
    })
}
