//! Batches and runs of consecutive IDs, beside single calls and beyond what there is to give.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use snowflake_testkit::{DEADLINE, Ledger, Node, Session, refusal, wait_for};

const MAX_DRIFT_MS: f64 = 100.0;
/// `sequence_bits = 4`
const IDS_PER_MS: i64 = 16;
const QUERY_CANCELED: &str = "57014";

/// How a session asks: a query for (first ID, how many consecutive ones belong to it, drift in ms). The
/// clock is read after the IDs were made, and a late reading makes the drift smaller.
const WAYS: [&str; 3] = [
    "SELECT id, 1::bigint, drift FROM snowflake_nextval_batch(200) AS id",
    "SELECT id, 16::bigint, drift FROM snowflake_reserve(16) AS id",
    "SELECT id, 1::bigint, drift FROM (SELECT snowflake_nextval() AS id OFFSET 0) AS single",
];
const SESSIONS_PER_WAY: usize = 3;
/// How many IDs every session is to get, beside all the others.
const SHARE: usize = 100;

fn slow_node() -> Result<Node> {
    let node = Node::builder("bulk")
        .set("pg_snowflake.max_drift", "100ms")
        .set("pg_snowflake.sequence_bits", "4")
        .start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    Ok(node)
}

#[test]
fn however_sessions_ask_ids_are_unique_in_order_and_within_the_drift() -> Result<()> {
    let node = slow_node()?;
    let (done, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (sessions, id_clock) = thread::scope(|scope| {
        let asking: Vec<_> = (0..SESSIONS_PER_WAY * WAYS.len())
            .map(|number| WAYS[number % WAYS.len()])
            .map(|way| scope.spawn(|| ask(&node, way, &done, &served)))
            .collect();
        let all_served = || {
            served.load(Ordering::Relaxed) == asking.len()
                || asking.iter().any(|thread| thread.is_finished())
        };
        let id_clock = watch_id_clock(&node, Duration::from_secs(4), all_served);
        done.store(true, Ordering::Relaxed);
        let sessions: Result<Vec<_>> =
            asking.into_iter().map(|thread| thread.join().expect("a client panicked")).collect();
        Ok::<_, anyhow::Error>((sessions?, id_clock?))
    })?;
    println!("the ID clock was at most {id_clock:.1} ms ahead");
    ensure!(id_clock > MAX_DRIFT_MS / 2.0, "not paced: {id_clock} ms");
    // One run not yet due, and a ticket of each session: two milliseconds.
    ensure!(id_clock <= MAX_DRIFT_MS + 10.0, "the ID clock was {id_clock} ms ahead");
    let ledger = Ledger::from_iter(sessions);
    println!("{} IDs", ledger.count());
    ledger.check()?;
    assert_eq!(node.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

/// Asks in one way until it is told to stop; says when it has had its share.
fn ask(node: &Node, way: &str, done: &AtomicBool, served: &AtomicUsize) -> Result<Session> {
    let mut client = node.connect("postgres")?;
    let query = way.replace(
        "drift",
        "1000 * extract(epoch FROM snowflake_timestamp(id) - clock_timestamp())::float8",
    );
    let query = client.prepare(&query)?;
    let mut session = Session::new(way);
    let mut drift = f64::MIN;
    while !done.load(Ordering::Relaxed) {
        let before = session.ids().len();
        session.request(|| {
            let rows = client.query(&query, &[])?;
            drift = rows.iter().map(|row| row.get(2)).fold(drift, f64::max);
            let runs = rows.iter().map(|row| (row.get::<_, i64>(0), row.get::<_, i64>(1)));
            Ok::<_, postgres::Error>(runs.flat_map(|(first, n)| first..first + n).collect())
        })?;
        if before < SHARE && session.ids().len() >= SHARE {
            served.fetch_add(1, Ordering::Relaxed);
        }
    }
    ensure!(drift <= MAX_DRIFT_MS + 5.0, "{way}: an ID was {drift} ms ahead");
    Ok(session)
}

/// The greatest drift that the status view shows, in milliseconds, until every session has had its share.
fn watch_id_clock(node: &Node, window: Duration, all_served: impl Fn() -> bool) -> Result<f64> {
    let mut monitor = node.connect("postgres")?;
    let drift = monitor
        .prepare("SELECT (1000 * extract(epoch FROM drift))::float8 FROM snowflake_status()")?;
    let mut greatest = 0.0;
    let start = Instant::now();
    wait_for("every session to get its share", DEADLINE, || {
        greatest = f64::max(greatest, monitor.query_one(&drift, &[])?.get(0));
        Ok(start.elapsed() >= window && all_served())
    })?;
    Ok(greatest)
}

#[test]
fn paced_batches_and_runs_are_cancelled_and_leave_the_rest_unissued() -> Result<()> {
    let node = slow_node()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("SET statement_timeout = '1s'")?;
    // Ten minutes' worth and more each, of which a small part is to pass. (A machine that is busy takes
    // its time.)
    let small_part = Duration::from_secs(60);
    let endless = [
        "SELECT snowflake_nextval_batch(10000000)",
        "SELECT count(snowflake_reserve(16)) FROM generate_series(1, 1000000)",
    ];
    for query in endless {
        let start = Instant::now();
        let refusal = refusal(client.query(query, &[]))?;
        ensure!(refusal.code == QUERY_CANCELED, "{refusal:?}");
        ensure!(start.elapsed() < small_part, "after {:?}", start.elapsed());
        let ahead = "SELECT (1000 * extract(epoch FROM drift))::float8 FROM snowflake_status()";
        let ahead: f64 = client.query_one(ahead, &[])?.get(0);
        ensure!(ahead <= MAX_DRIFT_MS + 10.0, "{ahead} ms of IDs are gone");
    }
    Ok(())
}

#[test]
fn runs_of_sessions_that_race_never_overlap() -> Result<()> {
    let node = Node::builder("runs").start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let sessions: Vec<Vec<(i64, i64)>> = thread::scope(|scope| {
        let racing: Vec<_> = (0..4).map(|_| scope.spawn(|| reserve(&node))).collect();
        racing
            .into_iter()
            .map(|thread| thread.join().expect("a client panicked"))
            .collect::<Result<_>>()
    })?;
    let mut runs = sessions.concat();
    runs.sort_unstable();
    let overlap = runs.windows(2).find(|pair| pair[0].0 + pair[0].1 > pair[1].0);
    assert_eq!(overlap, None);
    let (per_ms, node_bits) = (1 << 12, 22);
    assert!(
        runs.iter().all(|(first, n)| first >> node_bits == (first + n - 1) >> node_bits
            && first % per_ms + n <= per_ms),
        "a run left its millisecond"
    );
    Ok(())
}

/// Runs of all lengths: the first ID, and how many.
fn reserve(node: &Node) -> Result<Vec<(i64, i64)>> {
    let rows = node.connect("postgres")?.query(
        "SELECT snowflake_reserve(n), n::bigint
         FROM (SELECT 1 + (random() * random() * 4095)::int AS n FROM generate_series(1, 3000) OFFSET 0) AS lengths",
        &[],
    )?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

#[test]
fn a_batch_leaves_out_no_id_of_its_milliseconds() -> Result<()> {
    let node = Node::builder("batch").set("pg_snowflake.sequence_bits", "4").start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake")?;
    // The next ID is the first of a millisecond then.
    client.query_one("SELECT snowflake_reserve(16)", &[])?;
    let span =
        "SELECT max(snowflake_timestamp(id)) - min(snowflake_timestamp(id)) = interval '99 ms'
                FROM snowflake_nextval_batch($1) AS id";
    let n = 100 * IDS_PER_MS;
    assert!(client.query_one(span, &[&n])?.get::<_, bool>(0));
    Ok(())
}
