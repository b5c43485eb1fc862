//! The keeper, the background worker that extends the lease ahead of time: whatever becomes of it,
//! IDs flow, and it disturbs no session.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use postgres::Client;
use snowflake_testkit::{Builder, DEADLINE, Load, Node, Outage, Tally, wait_for};

const KEEPER: &str = "pg_snowflake keeper";
const SESSIONS: usize = 2;
/// Several leases, each of which is about a second long.
const LEASES: Duration = Duration::from_secs(3);

fn node() -> Result<Node> {
    start(Node::builder("keeper"))
}

fn start(builder: Builder) -> Result<Node> {
    // So few IDs a millisecond that the ID clock is ahead of the wall clock, as far as it may be.
    let node = builder.set("pg_snowflake.sequence_bits", "4").start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    Ok(node)
}

fn load(node: &Node) -> Load {
    Load::start(node.config("postgres"), SESSIONS, 10)
}

/// Process ids of what `pg_stat_activity` calls a keeper.
fn keepers(client: &mut Client) -> Result<Vec<i32>> {
    let keepers = "SELECT pid FROM pg_stat_activity WHERE backend_type = $1";
    Ok(client.query(keepers, &[&KEEPER])?.iter().map(|row| row.get(0)).collect())
}

/// The one keeper, as soon as there is one other than `former`.
fn keeper(node: &Node, former: Option<i32>) -> Result<i32> {
    let mut found = Vec::new();
    wait_for("one keeper in pg_stat_activity", DEADLINE, || {
        found = keepers(&mut node.connect_when_ready("postgres")?)?;
        Ok(found.len() == 1 && found.first() != former.as_ref())
    })?;
    found.pop().context("no keeper")
}

/// IDs are issued for longer than a lease lasts.
fn outlive_leases(load: &Load) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < LEASES {
        load.wait_for_new_ids()?;
    }
    Ok(())
}

/// The end of every scenario; `events` are the lines that its events left in the log.
fn assert_healthy(node: &Node, tally: &Tally, events: &[&str]) -> Result<()> {
    println!("{} IDs, longest gap {:?}", tally.ids, tally.longest_gap);
    assert!(tally.ids > 0);
    assert_eq!(tally.errors, [""; 0]);
    assert_eq!(node.unexpected_log_lines(events)?, [""; 0]);
    Ok(())
}

#[test]
fn ids_flow_while_the_keeper_is_stopped() -> Result<()> {
    let mut node = node()?;
    let load = load(&node);
    load.wait_for_new_ids()?;
    let keeper = Pid::from_raw(keeper(&node, None)?);
    kill(keeper, Signal::SIGSTOP)?;
    outlive_leases(&load)?;
    kill(keeper, Signal::SIGCONT)?;
    outlive_leases(&load)?;
    assert_healthy(&node, &load.stop()?, &[])?;
    node.stop()
}

#[test]
fn ids_flow_after_the_keeper_was_killed() -> Result<()> {
    let node = node()?;
    let load = load(&node);
    load.wait_for_new_ids()?;
    let killed = keeper(&node, None)?;
    // PostgreSQL restarts the whole server, as for any process with shared memory.
    node.kill9_backend(killed)?;
    keeper(&node, Some(killed))?;
    outlive_leases(&load)?;
    assert_healthy(&node, &load.stop()?, &Outage::LOG)
}

#[test]
fn a_terminated_keeper_comes_back() -> Result<()> {
    let node = node()?;
    let load = load(&node);
    load.wait_for_new_ids()?;
    let terminated = keeper(&node, None)?;
    let mut client = node.connect("postgres")?;
    client.execute("SELECT pg_terminate_backend($1)", &[&terminated])?;
    keeper(&node, Some(terminated))?;
    outlive_leases(&load)?;
    // The session that terminated it is the same as before: only the keeper was restarted.
    client.simple_query("SELECT snowflake_nextval()")?;
    assert_healthy(&node, &load.stop()?, &[])
}

#[test]
fn ids_flow_without_a_keeper() -> Result<()> {
    let mut node = start(Node::builder("no worker").set("max_worker_processes", "0"))?;
    assert!(node.log()?.contains("too many background workers"));
    let load = load(&node);
    load.wait_for_new_ids()?;
    assert_eq!(keepers(&mut node.connect("postgres")?)?, [0; 0]);
    outlive_leases(&load)?;
    node.kill9_all()?;
    node.start()?;
    outlive_leases(&load)?;
    assert_healthy(&node, &load.stop()?, &Outage::LOG)
}

#[test]
fn the_keeper_of_an_idle_server_sleeps() -> Result<()> {
    let node = node()?;
    let keeper = keeper(&node, None)?;
    wait_until_asleep(keeper).context("before the first ID")?;
    let load = load(&node);
    outlive_leases(&load)?;
    assert_healthy(&node, &load.stop()?, &[])?;
    wait_until_asleep(keeper).context("after the last ID")
}

/// Waits for some seconds in which the process does not wake up, or once for a stray signal.
fn wait_until_asleep(pid: i32) -> Result<()> {
    let (mut since, mut before) = (Instant::now(), wake_ups(pid)?);
    wait_for(&format!("process {pid} to sleep"), DEADLINE, || {
        let now = wake_ups(pid)?;
        if now > before + 1 {
            (since, before) = (Instant::now(), now);
        }
        Ok(since.elapsed() > LEASES)
    })
}

/// How often a process went to sleep, and so woke up again.
fn wake_ups(pid: i32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    Ok(count.context("no voluntary_ctxt_switches in /proc/PID/status")?.trim().parse()?)
}

#[test]
fn the_keeper_ends_with_the_server() -> Result<()> {
    let mut node = node()?;
    // Once with a keeper that sleeps until it is woken, and once with one at work.
    keeper(&node, None)?;
    node.stop()?;
    node.start()?;
    let load = load(&node);
    load.wait_for_new_ids()?;
    keeper(&node, None)?;
    // PostgreSQL waits for its workers without a limit, and so for a keeper that sleeps on.
    node.stop()?;
    assert_healthy(&node, &load.stop()?, &Outage::LOG)
}

#[test]
fn the_keeper_survives_a_reload() -> Result<()> {
    let mut node = node()?;
    let load = load(&node);
    load.wait_for_new_ids()?;
    let before = keeper(&node, None)?;
    node.set("pg_snowflake.max_drift", "2s").reload()?;
    outlive_leases(&load)?;
    assert_eq!(keeper(&node, None)?, before);
    let renewals = wake_ups(before)?;
    wait_for("the keeper to go on with its work", DEADLINE, || {
        load.wait_for_new_ids()?;
        Ok(wake_ups(before)? > renewals)
    })?;
    assert_healthy(&node, &load.stop()?, &[])
}
