//! Data directories that are put back, copied and rewound.

use std::path::Path;

use anyhow::{Context, Result};
use snowflake_testkit::{
    DEADLINE, Load, Node, Outage, PRIMARY_GONE, Tally, ledger, orders, run, wait_for,
};

const SESSIONS: usize = 4;
const HOUR: i64 = 3_600_000_000_000;

/// Sessions insert rows for a while.
fn insert(node: &Node) -> Result<Tally> {
    let load = orders::insert(node, SESSIONS);
    for _ in 0..10 {
        load.wait_for_new_ids()?;
    }
    let tally = load.stop()?;
    assert_eq!(tally.errors, [""; 0]);
    Ok(tally)
}

fn sorted(tally: &Tally) -> Vec<i64> {
    let mut ids: Vec<_> = tally.ledger.ids().collect();
    ids.sort_unstable();
    ids
}

fn min(tally: &Tally) -> Result<i64> {
    Ok(*tally.ledger.range().context("no IDs")?.start())
}

fn max(tally: &Tally) -> Result<i64> {
    Ok(*tally.ledger.range().context("no IDs")?.end())
}

/// A server that archives its WAL, and a backup of it that is to be restored.
fn with_archive(target: &str, value: &str) -> Result<(Node, Node)> {
    // Server processes work in the data directory.
    let original = Node::builder("original")
        .with_clock()
        .set("archive_mode", "on")
        .set("archive_command", "mkdir -p ../archive && cp %p ../archive/%f")
        .start()?;
    orders::create(&original)?;
    let archive = original.home().join("archive");
    let backup = original
        .restored_builder("restored")
        .set("archive_mode", "off")
        .set("restore_command", &format!("cp {}/%f %p", archive.display()))
        .set("recovery_target_action", "promote")
        .set(target, value)
        .make()?;
    Ok((original, backup))
}

fn restore(backup: &mut Node) -> Result<()> {
    backup.start()?;
    let mut client = backup.connect("postgres")?;
    wait_for("the end of recovery", DEADLINE, || {
        Ok(!client.query_one("SELECT pg_is_in_recovery()", &[])?.get::<_, bool>(0))
    })
}

const RAISE_BY_AN_HOUR: &str =
    "SELECT snowflake_raise(snowflake_from_timestamp(now() + interval '1 hour'))";

#[test]
fn no_restored_id_returns_after_recovery_to_a_named_point() -> Result<()> {
    let (mut original, mut restored) = with_archive("recovery_target_name", "here")?;
    // The backup's lease knows nothing of this, only the commits in the archive do.
    original.connect("postgres")?.batch_execute(RAISE_BY_AN_HOUR)?;
    let kept = insert(&original)?;
    original.connect("postgres")?.execute("SELECT pg_create_restore_point('here')", &[])?;
    insert(&original)?;
    original.stop()?;
    restore(&mut restored)?;
    assert_eq!(orders::ids(&restored)?, sorted(&kept));
    let new = insert(&restored)?;
    assert!(min(&new)? > max(&kept)?);
    assert_eq!(original.unexpected_log_lines(&[])?, [""; 0]);
    assert_eq!(restored.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

#[test]
fn not_even_a_lost_id_returns_after_recovery_to_an_earlier_time() -> Result<()> {
    let (mut original, mut restored) = with_archive("recovery_target_name", "never reached")?;
    let kept = insert(&original)?;
    let now = "SELECT clock_timestamp()::text";
    let time: String = original.connect("postgres")?.query_one(now, &[])?.get(0);
    let lost = insert(&original)?;
    original.stop()?;
    restored.unset("recovery_target_name").set("recovery_target_time", &time);
    restore(&mut restored)?;
    assert_eq!(orders::ids(&restored)?, sorted(&kept));
    let new = insert(&restored)?;
    assert!(max(&kept)? < min(&lost)? && max(&lost)? < min(&new)?);
    assert_eq!(original.unexpected_log_lines(&[])?, [""; 0]);
    assert_eq!(restored.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

#[test]
fn a_clone_with_a_machine_id_of_its_own_goes_on_above_the_copied_mark() -> Result<()> {
    let source = Node::builder("source").clock_ahead(HOUR).start()?;
    orders::create(&source)?;
    let copied = insert(&source)?;
    let clone = source.clone_builder("clone").set("pg_snowflake.machine_id", "2").start()?;
    assert_eq!(orders::ids(&clone)?, sorted(&copied));
    // Both at once: neither knows of the other.
    let loads = [&source, &clone].map(|node| orders::insert(node, SESSIONS));
    for load in &loads {
        load.wait_for_new_ids()?;
    }
    let [on_source, on_clone] = loads.map(Load::stop);
    let (on_source, on_clone) = (on_source?, on_clone?);
    let all = [&copied, &on_source, &on_clone];
    ledger::distinct(all.into_iter().flat_map(|tally| tally.ledger.ids()))?;
    let above = "
        SELECT a.id_time > b.id_time AND a.machine = 2
        FROM snowflake_decode($1) AS a, snowflake_decode($2) AS b";
    let ids = [min(&on_clone)?, max(&copied)?];
    let mut client = clone.connect("postgres")?;
    assert!(client.query_one(above, &[&ids[0], &ids[1]])?.get::<_, bool>(0), "{ids:?}");
    assert!(clone.log()?.contains(OTHER_NODE), "a move to another node is not logged");
    assert_eq!(source.unexpected_log_lines(&[])?, [""; 0]);
    assert_eq!(clone.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

const OTHER_NODE: &str = "from now on, before by";

#[test]
fn no_id_returns_from_a_rewound_primary() -> Result<()> {
    // What pg_rewind needs: hint bits in the WAL, and the WAL from before the failover.
    let mut first = Node::builder("first")
        .clock_ahead(HOUR)
        .set("wal_log_hints", "on")
        .set("wal_keep_size", "1GB")
        .start()?;
    orders::create(&first)?;
    let mut second = first.create_standby("second")?;
    let load = orders::insert(&first, SESSIONS);
    load.wait_for_new_ids()?;
    second.wait_for_replay_of(&first)?;
    first.crash()?;
    let before = load.stop()?;

    second.promote()?;
    let meanwhile = insert(&second)?;
    assert!(max(&before)? < min(&meanwhile)?);

    first.clock()?.step(-HOUR);
    rewind(&first, &second)?;
    first.start()?;
    first.wait_for_replay_of(&second)?;
    second.crash()?;
    first.promote()?;
    let replicated = orders::ids(&first)?;
    let after = insert(&first)?;
    assert!(max(&meanwhile)? < min(&after)?);
    ledger::distinct(replicated.into_iter().chain(after.ledger.ids()))?;
    for node in [&first, &second] {
        let allowed = [&Outage::LOG[..], &PRIMARY_GONE].concat();
        assert_eq!(node.unexpected_log_lines(&allowed)?, [""; 0]);
    }
    Ok(())
}

/// Makes a standby of `source` out of `target`, which was its primary.
fn rewind(target: &Node, source: &Node) -> Result<()> {
    // What was promoted shows its new timeline after a checkpoint.
    source.connect("postgres")?.batch_execute("CHECKPOINT")?;
    let [host, port, user, dbname, _] = source.client_environment().map(|(_, value)| value);
    let show = |path: &Path| path.display().to_string();
    let [host, port, user, dbname] = [host, port, user, dbname].map(|path| show(&path));
    let server = format!("host={host} port={port} user={user} dbname={dbname}");
    let mut command = target.server_program("pg_rewind");
    command.arg("--target-pgdata").arg(target.data());
    command.args(["--source-server", &server, "--write-recovery-conf", "--no-sync"]);
    run(&mut command).map(drop)
}
