//! Promise 2 where no clock tells how far the IDs of replayed rows go: the lease that is in WAL does.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use snowflake_testkit::{Builder, Load, Node, orders};

fn primary_and_standby(primary: Builder) -> Result<(Node, Node)> {
    let primary = primary.with_clock().start()?;
    orders::create(&primary)?;
    insert(&primary)?;
    let standby = primary.create_standby("standby")?;
    standby.wait_for_replay_of(&primary)?;
    Ok((primary, standby))
}

fn insert(node: &Node) -> Result<()> {
    let insert = "INSERT INTO orders SELECT FROM generate_series(1, 10)";
    Ok(node.connect("postgres")?.batch_execute(insert)?)
}

/// IDs of an hour from now, in rows whose transactions have the right time.
fn be_an_hour_ahead(node: &Node) -> Result<()> {
    let raise = "SELECT snowflake_raise(snowflake_from_timestamp(now() + interval '1 hour'))";
    node.connect("postgres")?.batch_execute(raise)?;
    insert(node)
}

/// The primary dies, the standby takes over, and its first ID is above those of all its rows.
fn fail_over(primary: &mut Node, standby: &Node) -> Result<()> {
    standby.wait_for_replay_of(primary)?;
    primary.crash()?;
    standby.promote()?;
    first_is_above_all(standby)
}

fn first_is_above_all(standby: &Node) -> Result<()> {
    let last = *orders::ids(standby)?.last().context("no rows")?;
    let mut client = standby.connect_when_ready("postgres")?;
    let first: i64 = client.query_one("SELECT snowflake_nextval()", &[])?.get(0);
    assert!(first > last, "{first} after {last}, {} ms back", (last - first) >> 22);
    Ok(())
}

#[test]
fn no_replicated_id_returns_if_the_id_clock_is_ahead() -> Result<()> {
    let (mut primary, standby) = primary_and_standby(Node::builder("primary"))?;
    be_an_hour_ahead(&primary)?;
    fail_over(&mut primary, &standby)
}

#[test]
fn no_replicated_id_returns_if_the_standby_was_down_meanwhile() -> Result<()> {
    let (mut primary, mut standby) = primary_and_standby(Node::builder("primary"))?;
    standby.stop()?;
    be_an_hour_ahead(&primary)?;
    standby.start()?;
    fail_over(&mut primary, &standby)
}

/// After a restart, replay begins where the last restartpoint was. There is no keeper here.
#[test]
fn no_replicated_id_returns_if_the_standby_was_restarted_since() -> Result<()> {
    let alone = Node::builder("primary").set("max_worker_processes", "0");
    let (mut primary, mut standby) = primary_and_standby(alone)?;
    be_an_hour_ahead(&primary)?;
    primary.connect("postgres")?.batch_execute("CHECKPOINT")?;
    standby.wait_for_replay_of(&primary)?;
    standby.connect("postgres")?.batch_execute("CHECKPOINT")?;
    standby.restart()?;
    fail_over(&mut primary, &standby)
}

/// What was replayed is known until the first ID, however long that takes.
#[test]
fn no_replicated_id_returns_if_the_standby_is_restarted_once_promoted() -> Result<()> {
    let stops: [fn(&mut Node) -> Result<()>; 2] = [Node::stop, Node::kill9_all];
    for stop in stops {
        let (mut primary, mut standby) = primary_and_standby(Node::builder("primary"))?;
        be_an_hour_ahead(&primary)?;
        standby.wait_for_replay_of(&primary)?;
        primary.crash()?;
        standby.promote()?;
        standby.connect("postgres")?.batch_execute("CHECKPOINT")?;
        stop(&mut standby)?;
        standby.start()?;
        first_is_above_all(&standby)?;
    }
    Ok(())
}

/// What the standby would add to a clock is of no help when the primary may run ahead further.
#[test]
fn no_replicated_id_returns_if_the_primary_may_drift_further() -> Result<()> {
    let eager = Node::builder("primary").set("pg_snowflake.max_drift", "1h");
    let primary = eager.with_clock().start()?;
    orders::create(&primary)?;
    let standby = primary.standby_builder("standby").set("pg_snowflake.max_drift", "5s").start()?;
    let mut client = primary.connect("postgres")?;
    for _ in 0..12 {
        client.query("SELECT snowflake_nextval_batch(10000000) LIMIT 1", &[])?;
    }
    insert(&primary)?;
    let mut primary = primary;
    fail_over(&mut primary, &standby)
}

/// Under full load the ID clock goes on with real time, an hour ahead of the clock in the commits.
#[test]
fn no_replicated_id_returns_if_full_load_went_on_unseen() -> Result<()> {
    let narrow = Node::builder("primary")
        .set("pg_snowflake.sequence_bits", "4")
        .set("pg_snowflake.max_drift", "1s");
    let (mut primary, mut standby) = primary_and_standby(narrow)?;
    be_an_hour_ahead(&primary)?;
    standby.wait_for_replay_of(&primary)?;
    standby.stop()?;
    let load = Load::start(primary.config("postgres"), 2, 10_000);
    load.issue_for(Duration::from_secs(5))?;
    load.stop()?;
    insert(&primary)?;
    standby.start()?;
    fail_over(&mut primary, &standby)
}

/// C never sees the clock of A that B goes on from.
#[test]
fn no_replicated_id_returns_after_a_second_failover() -> Result<()> {
    let (mut a, b) = primary_and_standby(Node::builder("a"))?;
    let mut c = a.create_standby("c")?;
    c.stop()?;
    be_an_hour_ahead(&a)?;
    fail_over(&mut a, &b)?;
    insert(&b)?;
    follow(&c, &b)?;
    c.start()?;
    insert(&b)?;
    let mut b = b;
    fail_over(&mut b, &c)
}

fn follow(standby: &Node, primary: &Node) -> Result<()> {
    let settings = standby.data().join("postgresql.auto.conf");
    let mut settings = File::options().append(true).open(settings)?;
    let host = primary.home().display();
    writeln!(settings, "primary_conninfo = 'host={host} port=5432 user=postgres'")?;
    Ok(())
}

#[test]
fn a_standby_without_the_library_replays_the_lease_all_the_same() -> Result<()> {
    let primary = Node::builder("primary").start()?;
    orders::create(&primary)?;
    let standby = primary.standby_builder("bare").unset("shared_preload_libraries").start()?;
    insert(&primary)?;
    standby.wait_for_replay_of(&primary)?;
    assert_eq!(orders::ids(&standby)?.len(), 10);
    assert_eq!(standby.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

/// A server meets them whose library is older than its primary's.
#[test]
fn leases_of_a_later_version_are_warned_of_once() -> Result<()> {
    let mut node = Node::builder("older").start()?;
    orders::create(&node)?;
    for _ in 0..3 {
        be_an_hour_ahead(&node)?;
    }
    node.crash()?;
    let mut changed = 0;
    for file in fs::read_dir(node.data().join("pg_wal"))? {
        let path = file?.path();
        if path.is_file() {
            changed += make_leases_later(&path)?;
        }
    }
    ensure!(changed > 1, "{changed} leases");
    node.start()?;
    node.connect_when_ready("postgres")?;
    let log = node.log()?;
    let warning = "WARNING:  could not read a snowflake lease in WAL";
    assert_eq!(log.matches(warning).count(), 1, "{log}");
    ensure!(log.contains("It has format version 3"), "{log}");
    Ok(())
}

/// Gives each lease in a file of WAL that does not go over to another page the next version, and its record the
/// checksum that it has then. Returns how many there were.
fn make_leases_later(path: &Path) -> Result<usize> {
    /// What a lease in WAL has before its message (`access/xlogrecord.h`, `replication/message.h`), and its length.
    const RECORD_HEADER: usize = 24;
    const BEFORE_LEASE: usize = RECORD_HEADER + 2 + 24 + PREFIX.len();
    const PREFIX: &[u8] = b"pg_snowflake\0";
    const LEN: usize = BEFORE_LEASE + 60;
    const CHECKSUM: usize = 20;
    const PAGE: usize = 8_192;
    let mut wal = fs::read(path)?;
    let magic = [PREFIX, b"PGSNOWFL\x02\0\0\0"].concat();
    let found = wal.windows(magic.len()).enumerate().filter(|(_, bytes)| *bytes == magic);
    let starts = found.map(|(at, _)| at + PREFIX.len() - BEFORE_LEASE);
    let starts: Vec<_> = starts.filter(|start| start % PAGE + LEN <= PAGE).collect();
    for &start in &starts {
        let record = &mut wal[start..start + LEN];
        ensure!(record[..4] == (LEN as u32).to_ne_bytes(), "another record than it seems");
        record[BEFORE_LEASE + 8] = 3;
        let checksum = crc32c::crc32c(&record[RECORD_HEADER..]);
        let checksum = crc32c::crc32c_append(checksum, &record[..CHECKSUM]);
        record[CHECKSUM..RECORD_HEADER].copy_from_slice(&checksum.to_ne_bytes());
    }
    fs::write(path, wal)?;
    Ok(starts.len())
}
