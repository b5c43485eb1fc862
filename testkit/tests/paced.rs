//! Sessions that ask for more than there is: the ID clock may run ahead by `max_drift` and then
//! keeps to real time, and the sessions sleep.

use std::{
    fs,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use nix::unistd::{SysconfVar, sysconf};
use postgres::Client;
use snowflake_testkit::{DEADLINE, Node, refusal, wait_for};

const MAX_DRIFT_MS: f64 = 100.0;
/// `sequence_bits = 4`
const IDS_PER_MS: f64 = 16.0;
const SESSIONS: usize = 8;
/// Half an hour's worth: ends only when it is cancelled. (In FROM, the series would be stored first.)
const ENDLESS: &str =
    "SELECT count(snowflake_nextval()) FROM (SELECT generate_series(1, 30000000)) AS series";
/// What was cancelled has done but a small part of that. (A machine that is busy takes its time.)
const SMALL_PART: Duration = Duration::from_secs(30 * 60 / 10);
const QUERY_CANCELED: &str = "57014";
const TERMINATED: &str = "FATAL:  terminating connection due to administrator command";

fn slow_node() -> Result<Node> {
    let node = Node::builder("paced")
        .set("pg_snowflake.max_drift", "100ms")
        .set("pg_snowflake.sequence_bits", "4")
        .start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    Ok(node)
}

/// These tests measure time, so they take turns.
fn my_turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pid(client: &mut Client) -> Result<i32> {
    Ok(client.query_one("SELECT pg_backend_pid()", &[])?.get(0))
}

/// Waits until the session `pid` is seen asleep.
fn wait_until_paced(node: &Node, pid: i32) -> Result<()> {
    let mut monitor = node.connect("postgres")?;
    let seen = "SELECT wait_event_type, wait_event FROM pg_stat_activity WHERE pid = $1";
    let event = if node.major_version() >= 17 { "SnowflakePacing" } else { "Extension" };
    wait_for("a paced session in pg_stat_activity", DEADLINE, || {
        let row = monitor.query_one(seen, &[&pid])?;
        let found: [Option<String>; 2] = [row.get(0), row.get(1)];
        Ok(found == [Some("Extension".into()), Some(event.into())])
    })
}

#[test]
fn drift_never_exceeds_max_drift() -> Result<()> {
    let _turn = my_turn();
    let node = slow_node()?;
    // The clock is read right after the ID was made, and a late reading makes the drift smaller.
    let drift = "
        SELECT max(drift)::float8 FROM (
            SELECT 1000 * extract(epoch FROM (snowflake_decode(id)).id_time - now) AS drift
            FROM (SELECT snowflake_nextval() AS id, clock_timestamp() AS now
                  FROM generate_series(1, 30000) OFFSET 0) AS made) AS drifts";
    let mut client = node.connect("postgres")?;
    let start = Instant::now();
    let max: f64 = client.query_one(drift, &[])?.get(0);
    let took = start.elapsed().as_secs_f64() * 1000.0;
    assert!(max <= MAX_DRIFT_MS + 5.0, "drift of {max} ms");
    assert!(max >= MAX_DRIFT_MS / 2.0, "not paced: {max} ms");
    let worth = 30_000.0 / IDS_PER_MS;
    assert!(took >= worth - MAX_DRIFT_MS, "{worth} ms of IDs in {took} ms");
    assert_eq!(node.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

#[test]
fn a_paced_statement_can_be_cancelled() -> Result<()> {
    let _turn = my_turn();
    let node = slow_node()?;
    let mut client = node.connect("postgres")?;
    let pid = pid(&mut client)?;
    let mut canceller = node.connect("postgres")?;
    let elapsed = thread::scope(|scope| {
        let paced = scope.spawn(|| refusal(client.execute(ENDLESS, &[])));
        wait_until_paced(&node, pid)?;
        let start = Instant::now();
        canceller.execute("SELECT pg_cancel_backend($1)", &[&pid])?;
        let refusal = paced.join().expect("the paced client panicked")?;
        ensure!(refusal.code == QUERY_CANCELED, "{refusal:?}");
        Ok(start.elapsed())
    })?;
    assert!(elapsed < SMALL_PART, "cancelled in {elapsed:?}");
    Ok(())
}

#[test]
fn statement_timeout_ends_a_paced_statement() -> Result<()> {
    let _turn = my_turn();
    let node = slow_node()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("SET statement_timeout = '500ms'")?;
    let start = Instant::now();
    let refusal = refusal(client.execute(ENDLESS, &[]))?;
    let elapsed = start.elapsed();
    assert_eq!(refusal.code, QUERY_CANCELED);
    assert!(elapsed < SMALL_PART, "after {elapsed:?}");
    let next = client.query_one("SELECT snowflake_nextval()", &[]);
    assert!(next.is_ok(), "the session is as good as new");
    Ok(())
}

#[test]
fn a_fast_shutdown_ends_a_paced_statement() -> Result<()> {
    let _turn = my_turn();
    let mut node = slow_node()?;
    let mut client = node.connect("postgres")?;
    let pid = pid(&mut client)?;
    thread::scope(|scope| {
        let paced = scope.spawn(|| client.execute(ENDLESS, &[]));
        wait_until_paced(&node, pid)?;
        node.stop()?;
        let outcome = paced.join().expect("the paced client panicked");
        ensure!(outcome.is_err(), "{outcome:?}");
        Ok(())
    })?;
    // In the log, because the client may see no more than a closed connection.
    assert!(node.log()?.contains(TERMINATED));
    assert_eq!(node.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

#[test]
fn paced_sessions_use_next_to_no_cpu() -> Result<()> {
    let _turn = my_turn();
    let node = slow_node()?;
    let mut clients = Vec::new();
    for _ in 0..SESSIONS {
        clients.push(node.connect("postgres")?);
    }
    let pids = clients.iter_mut().map(pid).collect::<Result<Vec<_>>>()?;
    let share = thread::scope(|scope| {
        let threads: Vec<_> = clients
            .iter_mut()
            .map(|client| scope.spawn(|| refusal(client.execute(ENDLESS, &[]))))
            .collect();
        let share = cpu_share(&node, &pids, Duration::from_secs(2));
        let mut canceller = node.connect("postgres")?;
        canceller.execute("SELECT pg_cancel_backend(unnest($1::int[]))", &[&pids])?;
        for thread in threads {
            ensure!(thread.join().expect("a paced client panicked")?.code == QUERY_CANCELED);
        }
        share
    })?;
    println!("{SESSIONS} paced sessions used {:.1} % of one core", share * 100.0);
    assert!(share < 0.25, "{SESSIONS} paced sessions used {share} of one core");
    Ok(())
}

/// The CPU time of the processes together, as a part of the wall time, from when they are paced.
fn cpu_share(node: &Node, pids: &[i32], window: Duration) -> Result<f64> {
    for &pid in pids {
        wait_until_paced(node, pid)?;
    }
    let cpu = || pids.iter().map(|&pid| cpu_seconds(pid)).sum::<Result<f64>>();
    let (start, used) = (Instant::now(), cpu()?);
    wait_for("the window to pass", DEADLINE, || Ok(start.elapsed() >= window))?;
    Ok((cpu()? - used) / start.elapsed().as_secs_f64())
}

/// utime and stime of `/proc/PID/stat`, the 12th and 13th field after the program's name.
fn cpu_seconds(pid: i32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("no name in /proc/PID/stat")?;
    let ticks: Vec<f64> =
        fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    let per_second = sysconf(SysconfVar::CLK_TCK)?.context("no CLK_TCK")?;
    Ok(ticks.iter().sum::<f64>() / per_second as f64)
}

#[test]
fn paced_sessions_together_get_every_id_there_is() -> Result<()> {
    let _turn = my_turn();
    let node = slow_node()?;
    let (issued, done) = (AtomicI64::new(0), AtomicBool::new(false));
    let rate = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..SESSIONS).map(|_| scope.spawn(|| issue_until(&node, &done, &issued))).collect();
        let rate = rate(&node, &issued, Duration::from_secs(2));
        done.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().expect("a paced client panicked")?;
        }
        rate
    })?;
    println!("{rate:.3} IDs per ms");
    Ok(())
}

/// Small requests, so that what is under way at the ends of the measured time matters little.
fn issue_until(node: &Node, done: &AtomicBool, issued: &AtomicI64) -> Result<()> {
    let mut client = node.connect("postgres")?;
    let some = client.prepare("SELECT count(snowflake_nextval()) FROM generate_series(1, 20)")?;
    while !done.load(Ordering::Relaxed) {
        let count = client.query_one(&some, &[])?.get(0);
        issued.fetch_add(count, Ordering::Relaxed);
    }
    Ok(())
}

/// IDs per millisecond from when the free drift is used up. Never more than there are; and all there
/// are, if not in one window, as the sessions of a busy machine may have asked for less, then in another.
fn rate(node: &Node, issued: &AtomicI64, window: Duration) -> Result<f64> {
    let drift = "SELECT (1000 * extract(epoch FROM drift))::float8 FROM snowflake_status()";
    let mut monitor = node.connect("postgres")?;
    let seen = || issued.load(Ordering::Relaxed) as f64;
    let mut rate = 0.0;
    wait_for("a window in which sessions get every ID", DEADLINE, || {
        if monitor.query_one(drift, &[])?.get::<_, f64>(0) < 0.9 * MAX_DRIFT_MS {
            return Ok(false);
        }
        let (start, before) = (Instant::now(), seen());
        wait_for("the window to pass", DEADLINE, || Ok(start.elapsed() >= window))?;
        rate = (seen() - before) / (start.elapsed().as_secs_f64() * 1000.0);
        ensure!(rate <= 1.02 * IDS_PER_MS, "{rate} IDs per ms");
        Ok(rate >= 0.99 * IDS_PER_MS)
    })
    .with_context(|| format!("the last window had {rate} IDs per ms"))?;
    Ok(rate)
}
