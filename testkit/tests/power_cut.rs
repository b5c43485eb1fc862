//! The power fails, over and over, and takes along what the lease's writer had not synced: every ID
//! that a client has seen stays below where the next life starts.

use std::time::Duration;

use anyhow::{Context, Result};
use snowflake_testkit::{
    DEADLINE, Load, Node, Outage,
    durable::{HALF_DAMAGED, Loss},
    shim::Call,
    wait_for,
};

const SESSIONS: usize = 4;
/// A reply of so few IDs arrives as a whole.
const IDS_PER_REQUEST: u32 = 10;
const ROUNDS: u32 = 6;
const HOUR: i64 = 3_600_000_000_000;

/// A server whose clock was set back while it issued: only the lease knows how far IDs have gone.
fn start(fsync: &str) -> Result<(Node, Load)> {
    let builder = Node::builder("power").with_clock().with_faults().set("fsync", fsync);
    // With so few IDs a millisecond, the load uses up a lease as fast as time does.
    let node = builder.set("pg_snowflake.sequence_bits", "4").start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let load = Load::start(node.config("postgres"), SESSIONS, IDS_PER_REQUEST);
    load.wait_for_new_ids()?;
    node.clock()?.step(-HOUR);
    load.wait_for_new_ids()?;
    Ok((node, load))
}

/// Waits until the load has stood still for a while, as at the end of a lease.
fn wait_for_standstill(load: &Load) -> Result<()> {
    const ENOUGH: u32 = 20;
    let (mut before, mut unchanged) = (load.ids(), 0);
    wait_for("the load to come to the end of the lease", DEADLINE, || {
        let now = load.ids();
        unchanged = if now == before { unchanged + 1 } else { 0 };
        before = now;
        Ok(unchanged >= ENOUGH)
    })
}

fn cut(node: &mut Node, load: &Load, loss: Loss) -> Result<()> {
    node.power_cut(loss)?;
    node.faults()?.heal();
    node.start()?;
    load.wait_for_new_ids()
}

fn assert_healthy(node: &Node, load: Load) -> Result<()> {
    let tally = load.stop()?;
    let history = node.history()?;
    println!("{} IDs, {} renewals", tally.ids, history.renewals());
    history.check(&tally.ledger)?;
    assert!(tally.ids > 0);
    assert_eq!(tally.errors, [""; 0]);
    // As a write that was torn leaves it.
    assert_eq!(node.unexpected_log_lines(&[&Outage::LOG[..], &[HALF_DAMAGED]].concat())?, [""; 0]);
    Ok(())
}

#[test]
fn no_id_returns_after_a_power_cut_at_any_time() -> Result<()> {
    let (mut node, load) = start("on")?;
    for round in 0..ROUNDS {
        for loss in Loss::ALL {
            // Not always at the same point of a lease.
            load.issue_for(round * Duration::from_millis(250))?;
            cut(&mut node, &load, loss).with_context(|| format!("{loss:?}, round {round}"))?;
        }
    }
    assert_healthy(&node, load)
}

#[test]
fn no_id_returns_after_a_power_cut_between_any_two_steps_of_a_renewal() -> Result<()> {
    let (mut node, load) = start("on")?;
    for call in Call::RENEWAL {
        for loss in Loss::ALL {
            let before = node.faults()?.failures(call);
            node.faults()?.hang(call);
            wait_for("the lease to be renewed", DEADLINE, || {
                Ok(node.faults()?.failures(call) > before)
            })?;
            // All sessions return what the old lease covers, and wait.
            wait_for_standstill(&load)?;
            cut(&mut node, &load, loss).with_context(|| format!("{loss:?}, before {call}"))?;
        }
    }
    assert_healthy(&node, load)
}

/// The tests above would notice.
#[test]
fn a_lease_that_is_not_synced_is_caught() -> Result<()> {
    let (node, load) = start("off")?;
    let tally = load.stop()?;
    assert!(node.history()?.renewals() > 0);
    assert!(node.history()?.check(&tally.ledger).is_err());
    Ok(())
}
