//! IDs that no row has: taken by a pool or an ID service, or by a transaction that rolled back. No COMMIT flushes
//! the lease that covers them.

use anyhow::{Context, Result, ensure};
use postgres::Client;
use snowflake_testkit::{Builder, DEADLINE, Node, wait_for};

/// A burst, so that the ID clock is far ahead of the wall clock, and its last ID.
fn burst(client: &mut Client) -> Result<i64> {
    let mut last = 0;
    for _ in 0..50 {
        last = client
            .query_one("SELECT max(id) FROM snowflake_nextval_batch(100000) AS id", &[])?
            .get(0);
    }
    let mut rolled_back = client.transaction()?;
    last = last.max(rolled_back.query_one("SELECT snowflake_reserve(50) + 49", &[])?.get(0));
    rolled_back.rollback()?;
    Ok(last)
}

fn start(builder: Builder) -> Result<Node> {
    let primary = builder.start()?;
    primary.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    Ok(primary)
}

#[test]
fn each_lease_is_flushed_to_wal() -> Result<()> {
    // Nothing else is written that would take it along: no snapshot for standbys, no vacuum.
    let primary = Node::builder("alone")
        .set("wal_level", "minimal")
        .set("max_wal_senders", "0")
        .set("checkpoint_timeout", "1d")
        .set("autovacuum", "off");
    let primary = start(primary)?;
    let mut client = primary.connect("postgres")?;
    burst(&mut client)?;
    let renewals = "SELECT renewals FROM snowflake_status()";
    ensure!(client.query_one(renewals, &[])?.get::<_, i64>(0) > 0);
    // The keeper may be between the two for a moment.
    let flushed = "SELECT pg_current_wal_insert_lsn() = pg_current_wal_flush_lsn()";
    wait_for("all of WAL to be flushed", DEADLINE, || Ok(client.query_one(flushed, &[])?.get(0)))
}

#[test]
fn no_id_without_a_row_returns_after_a_failover() -> Result<()> {
    let mut primary = start(Node::builder("primary"))?;
    let standby = primary.create_standby("standby")?;
    let last = burst(&mut primary.connect("postgres")?)?;
    standby.wait_for_replay_of(&primary)?;
    primary.crash()?;
    standby.promote()?;
    let mut client = standby.connect_when_ready("postgres")?;
    let next: Option<i64> = client.query_one("SELECT snowflake_nextval()", &[])?.get(0);
    let next = next.context("no ID")?;
    ensure!(next > last, "{next} after {last}, {} ms back", (last - next) >> 22);
    Ok(())
}
