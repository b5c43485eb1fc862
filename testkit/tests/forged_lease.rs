//! A role without rights writes, by `pg_logical_emit_message()`, what looks like a lease of this library into WAL.
//! It moves no ID clock, wherever it is replayed.

use anyhow::{Context, Result, ensure};
use snowflake_testkit::{Node, durable::LEASE, orders};
use std::fs;

/// Twenty years.
const AHEAD_NANOS: i64 = 20 * 365 * 86_400 * 1_000_000_000;

/// The lease of a server whose clock is twenty years ahead.
fn forged() -> Result<Vec<u8>> {
    let mut twin = Node::builder("twin").clock_ahead(AHEAD_NANOS).start()?;
    orders::create(&twin)?;
    twin.connect("postgres")?.query("SELECT snowflake_nextval()", &[])?;
    twin.stop()?;
    fs::read(twin.data().join(LEASE)).context("reading the lease of the twin")
}

/// Both kinds of message, and a transaction that rolls back; then WAL is flushed up to them.
fn emit(node: &Node, lease: &[u8]) -> Result<()> {
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE ROLE mallory; SET ROLE mallory")?;
    let message = "SELECT pg_logical_emit_message($1, 'pg_snowflake', $2::bytea)";
    for is_transactional in [false, true] {
        client.query(message, &[&is_transactional, &lease])?;
        let mut transaction = client.transaction()?;
        transaction.query(message, &[&is_transactional, &lease])?;
        transaction.rollback()?;
    }
    client.batch_execute("RESET ROLE; CREATE TABLE flushed ()")?;
    Ok(())
}

fn is_of_now(node: &Node) -> Result<bool> {
    let now =
        "SELECT abs(extract(epoch FROM snowflake_timestamp(snowflake_nextval()) - now())) < 3600";
    Ok(node.connect_when_ready("postgres")?.query_one(now, &[])?.get(0))
}

#[test]
fn a_forged_lease_moves_no_clock_after_crash_recovery() -> Result<()> {
    let lease = forged()?;
    let mut node = Node::builder("victim").start()?;
    orders::create(&node)?;
    emit(&node, &lease)?;
    node.crash()?;
    node.start()?;
    ensure!(is_of_now(&node)?);
    // The message is one that would be taken for a lease: as the file, it is.
    node.stop()?;
    fs::write(node.data().join(LEASE), &lease)?;
    node.start()?;
    ensure!(!is_of_now(&node)?);
    Ok(())
}

#[test]
fn a_forged_lease_moves_no_clock_after_a_promotion() -> Result<()> {
    let lease = forged()?;
    let primary = Node::builder("primary").start()?;
    orders::create(&primary)?;
    primary.connect("postgres")?.query("SELECT snowflake_nextval()", &[])?;
    let standby = primary.create_standby("standby")?;
    emit(&primary, &lease)?;
    standby.wait_for_replay_of(&primary)?;
    standby.promote()?;
    ensure!(is_of_now(&standby)?);
    Ok(())
}
