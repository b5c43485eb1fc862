//! The wall clock steps back and forth, and IDs go on: unique, in order, without a pause.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use snowflake_testkit::{Builder, DEADLINE, Load, Node, Outage, Tally, ledger::stamp, wait_for};

const SESSIONS: usize = 4;
const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000 * MILLISECOND;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
const STEPPED_FORWARD: &str = "the wall clock has stepped forward by ";
/// One after the other; the last one leads to before the epoch.
const STEPS: [(&str, i64); 7] = [
    ("-1 ms", -MILLISECOND),
    ("-1 s", -SECOND),
    ("-1 h", -HOUR),
    ("-1 day", -DAY),
    ("+1 h", HOUR),
    ("-1 h", -HOUR),
    ("-20 years", -20 * 365 * DAY),
];

/// A server whose load runs ahead of its clock: with the usual 4096 IDs a millisecond, the lease
/// would matter less.
fn narrow() -> Builder {
    Node::builder("clock").with_clock().set("pg_snowflake.sequence_bits", "6")
}

fn start(builder: Builder) -> Result<(Node, Load)> {
    let node = builder.start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let load = Load::start(node.config("postgres"), SESSIONS, 50);
    load.wait_for_new_ids()?;
    Ok((node, load))
}

/// The shim does what it is believed to do.
fn assert_server_sees_its_clock(node: &Node) -> Result<()> {
    let seen = "SELECT extract(epoch FROM clock_timestamp() - $1)::float8";
    let system = std::time::SystemTime::now();
    let ahead: f64 = node.connect("postgres")?.query_one(seen, &[&system])?.get(0);
    let meant = node.clock()?.offset() as f64 / SECOND as f64;
    ensure!((ahead - meant).abs() < 30.0, "{ahead} s ahead of the system instead of {meant} s");
    Ok(())
}

/// Steps the clock. After a step back of a second or more there is an ID before the clock is back where
/// it was, which a server that waited for its clock would never have.
fn step(node: &Node, nanos: i64) -> Result<()> {
    if nanos > -SECOND {
        node.clock()?.step(nanos);
        return Ok(());
    }
    let next = "
        SELECT id, clock_timestamp() < $1
        FROM (SELECT snowflake_nextval() AS id OFFSET 0) AS made";
    let mut client = node.connect("postgres")?;
    let next = client.prepare(next)?;
    // A machine that is busy may hold the session up for a second, but not each time.
    wait_for("an ID before the clock is back where it was", DEADLINE, || {
        let before: SystemTime = client.query_one("SELECT clock_timestamp()", &[])?.get(0);
        node.clock()?.step(nanos);
        Ok(client.query_one(&next, &[&before])?.get(1))
    })
}

/// The longest time without a reply between two stamps.
fn longest_gap(tally: &Tally, from: u64, to: u64) -> Duration {
    let mut replies: Vec<_> = tally.ledger.replies().map(|(at, _)| at).collect();
    replies.retain(|at| (from..to).contains(at));
    replies.extend([from, to]);
    replies.sort_unstable();
    let gaps = replies.windows(2).map(|pair| pair[1] - pair[0]);
    Duration::from_nanos(gaps.max().unwrap_or_default())
}

fn assert_healthy(node: &Node, tally: &Tally, events: &[&str]) -> Result<()> {
    assert!(tally.ids > 0);
    assert_eq!(tally.errors, [""; 0]);
    assert_eq!(node.unexpected_log_lines(events)?, [""; 0]);
    Ok(())
}

fn step_under_load(builder: Builder) -> Result<()> {
    let (node, load) = start(builder)?;
    let mut stepped_at = Vec::new();
    for (name, nanos) in STEPS {
        stepped_at.push(stamp());
        step(&node, nanos)?;
        load.issue_for(Duration::from_millis(800)).with_context(|| name.to_owned())?;
        assert_server_sees_its_clock(&node)?;
    }
    stepped_at.push(stamp());
    let tally = load.stop()?;
    for ((name, _), pair) in STEPS.iter().zip(stepped_at.windows(2)) {
        println!("{name}: longest gap {:?}", longest_gap(&tally, pair[0], pair[1]));
    }
    assert!(node.log()?.contains("the wall clock has stepped back by "));
    assert_healthy(&node, &tally, &[STEPPED_FORWARD])
}

#[test]
fn ids_flow_while_the_clock_steps() -> Result<()> {
    step_under_load(Node::builder("clock").with_clock())
}

#[test]
fn ids_flow_while_the_clock_steps_under_a_server_that_is_ahead() -> Result<()> {
    step_under_load(narrow())
}

/// A clock that is wrong for a moment leaves nothing behind: not even one that is beyond the end of all IDs.
#[test]
fn a_clock_that_is_years_ahead_for_a_moment_leaves_no_trace() -> Result<()> {
    for years in [10, 80] {
        let (mut node, load) = start(Node::builder("glitch").with_clock())?;
        node.clock()?.step(years * 365 * DAY);
        // Longer than a lease; the keeper has had a look.
        load.issue_for(Duration::from_secs(2))?;
        let mut client = node.connect("postgres")?;
        let ahead = "SELECT snowflake_timestamp(snowflake_nextval()) > now() - interval '1 year'";
        ensure!(!client.query_one(ahead, &[])?.get::<_, bool>(0), "it was followed");
        node.clock()?.set(0);
        load.wait_for_new_ids()?;
        node.kill9_all()?;
        node.start()?;
        load.wait_for_new_ids()?;
        let near = "SELECT snowflake_timestamp(snowflake_nextval()) < now() + interval '1 hour'";
        ensure!(node.connect("postgres")?.query_one(near, &[])?.get::<_, bool>(0));
        let tally = load.stop()?;
        ensure!(node.log()?.contains("WARNING:  the wall clock has stepped forward by "));
        assert_healthy(&node, &tally, &[&[STEPPED_FORWARD], &Outage::LOG[..]].concat())?;
    }
    Ok(())
}

/// Before an outage, or in the middle of it.
#[derive(Debug, Clone, Copy)]
enum When {
    Before,
    Between,
}

fn step_with_outages(when: When, outages: &[Outage]) -> Result<()> {
    let (mut node, load) = start(narrow())?;
    let mut pauses = Vec::new();
    for &outage in outages {
        node.clock()?.set(0);
        for (name, nanos) in STEPS {
            let context = || format!("{outage}, {name}");
            if matches!(when, When::Before) {
                node.clock()?.step(nanos);
            }
            outage
                .strike(&mut node, |node| {
                    if matches!(when, When::Between) {
                        node.clock()?.step(nanos);
                    }
                    Ok(())
                })
                .with_context(context)?;
            let ready = stamp();
            load.wait_for_new_ids().with_context(context)?;
            pauses.push((context(), ready));
            assert_server_sees_its_clock(&node)?;
        }
    }
    let tally = load.stop()?;
    let pauses = pauses.into_iter().map(|(what, ready)| (first_reply_after(&tally, ready), what));
    let longest = pauses.max().context("no outage")?;
    println!("First ID after a start and a step, longest: {:?} ({})", longest.0, longest.1);
    println!("{} IDs", tally.ids);
    assert_healthy(&node, &tally, &[&[STEPPED_FORWARD], &Outage::LOG[..]].concat())
}

fn first_reply_after(tally: &Tally, stamp: u64) -> Duration {
    let later = tally.ledger.replies().filter_map(|(at, _)| at.checked_sub(stamp));
    Duration::from_nanos(later.min().unwrap_or(u64::MAX))
}

#[test]
fn no_id_returns_when_the_clock_steps_while_the_server_is_down() -> Result<()> {
    let outages = [Outage::CleanRestart, Outage::ImmediateStop, Outage::KilledServer];
    step_with_outages(When::Between, &outages)
}

#[test]
fn no_id_returns_when_the_clock_steps_right_before_a_crash() -> Result<()> {
    let outages = [Outage::KilledBackend, Outage::ImmediateStop, Outage::KilledServer];
    step_with_outages(When::Before, &outages)
}
