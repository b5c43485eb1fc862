//! A lease file that is lost, or another server's; and what a standby with settings of its own keeps.

use anyhow::{Result, ensure};
use postgres::Client;
use snowflake_testkit::{Builder, DEADLINE, Node, durable::LEASE, orders, refusal, wait_for};
use std::fs;

const NEXT: &str = "SELECT snowflake_nextval()";
const LOST: &str = "WARNING:  file \"pg_snowflake.lease\" in the data directory does not exist";
const OTHER: &str = "WARNING:  snowflake IDs were issued in another database cluster before";

fn start(builder: Builder) -> Result<(Node, Client)> {
    let node = builder.start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake")?;
    Ok((node, client))
}

/// How far the next ID is ahead of the wall clock, in seconds.
fn ahead(client: &mut Client) -> Result<f64> {
    let ahead = "SELECT extract(epoch FROM snowflake_timestamp(snowflake_nextval()) - clock_timestamp())::float8";
    Ok(client.query_one(ahead, &[])?.get(0))
}

/// As pg_upgrade leaves it: the extension is there, and the file is not.
#[test]
fn a_server_that_has_lost_its_file_starts_above_what_load_can_have_issued() -> Result<()> {
    let (mut node, mut client) = start(Node::builder("lost").set("pg_snowflake.max_drift", "1h"))?;
    ensure!(node.data().join(LEASE).exists(), "CREATE EXTENSION makes the file");
    // A burst, which has the ID clock ahead.
    let batch = "SELECT max(id) FROM snowflake_nextval_batch(10000000) AS id";
    let last: i64 = client.query_one(batch, &[])?.get(0);
    drop(client);
    node.stop()?;
    fs::remove_file(node.data().join(LEASE))?;
    node.start()?;
    let first: i64 = node.connect("postgres")?.query_one(NEXT, &[])?.get(0);
    ensure!(first > last, "{first} after {last}");
    ensure!(ahead(&mut node.connect("postgres")?)? > 3_000.0);
    ensure!(node.log()?.contains(LOST));
    ensure!(node.unexpected_log_lines(&[LOST])?.is_empty());
    Ok(())
}

#[test]
fn a_new_server_has_lost_nothing() -> Result<()> {
    let (node, mut client) = start(Node::builder("new"))?;
    ensure!(ahead(&mut client)? < 1.0);
    ensure!(node.unexpected_log_lines(&[])?.is_empty());
    Ok(())
}

/// A file that was copied, or pg_createsubscriber: two servers may have one identity.
#[test]
fn a_file_of_another_cluster_is_warned_of() -> Result<()> {
    let (mut one, mut client) = start(Node::builder("one"))?;
    let last: i64 = client.query_one(NEXT, &[])?.get(0);
    drop(client);
    one.stop()?;
    // Its data directory is no copy of the one that other tests use.
    let (mut other, client) = start(Node::builder("other").group_access())?;
    drop(client);
    other.stop()?;
    fs::copy(one.data().join(LEASE), other.data().join(LEASE))?;
    other.start()?;
    let first: i64 = other.connect("postgres")?.query_one(NEXT, &[])?.get(0);
    ensure!(first > last);
    ensure!(other.log()?.contains(OTHER));
    // Once: the file is its own from now on.
    other.restart()?;
    other.connect("postgres")?.query_one(NEXT, &[])?;
    ensure!(other.log()?.matches(OTHER).count() == 1);
    ensure!(other.unexpected_log_lines(&[OTHER])?.is_empty());
    Ok(())
}

fn promote(mut primary: Node, standby: &Node) -> Result<Client> {
    standby.wait_for_replay_of(&primary)?;
    primary.crash()?;
    standby.promote()?;
    standby.connect_when_ready("postgres")
}

#[test]
fn a_standby_with_another_epoch_decodes_by_the_primary_s_and_refuses_once_promoted() -> Result<()> {
    let primary = Node::builder("primary").start()?;
    orders::create(&primary)?;
    let epoch = "2025-01-01 00:00:00+00";
    let mut standby =
        primary.standby_builder("standby").set("pg_snowflake.epoch", epoch).start()?;
    let insert = "INSERT INTO orders SELECT FROM generate_series(1, 10)";
    primary.connect("postgres")?.batch_execute(insert)?;
    standby.wait_for_replay_of(&primary)?;
    let is_of_now = "SELECT bool_and(abs(extract(epoch FROM snowflake_timestamp(id) - now())) < 3600) FROM orders";
    wait_for("the primary's lease to be kept", DEADLINE, || {
        Ok(standby.connect("postgres")?.query_one(is_of_now, &[])?.get(0))
    })?;
    let mut client = promote(primary, &standby)?;
    let refused = refusal(client.query(NEXT, &[]))?;
    ensure!(refused.code == "55000", "{refused:?}");
    ensure!(client.query_one(is_of_now, &[])?.get::<_, bool>(0));
    drop(client);
    standby.unset("pg_snowflake.epoch").restart()?;
    let last = *orders::ids(&standby)?.last().unwrap_or(&0);
    let first: i64 = standby.connect("postgres")?.query_one(NEXT, &[])?.get(0);
    ensure!(first > last, "{first} after {last}");
    Ok(())
}

#[test]
fn a_standby_that_gets_its_machine_id_with_the_failover_starts_above() -> Result<()> {
    let primary = Node::builder("primary").start()?;
    orders::create(&primary)?;
    let standby = primary.standby_builder("standby").unset("pg_snowflake.machine_id");
    let mut standby = standby.start()?;
    let raise = "SELECT snowflake_raise(snowflake_from_timestamp(now() + interval '1 hour'));
                 INSERT INTO orders SELECT FROM generate_series(1, 10); CHECKPOINT";
    primary.connect("postgres")?.batch_execute(raise)?;
    standby.wait_for_replay_of(&primary)?;
    // From here a restart replays nothing of what came before.
    standby.connect("postgres")?.batch_execute("CHECKPOINT")?;
    drop(promote(primary, &standby)?);
    standby.set("pg_snowflake.machine_id", "1").restart()?;
    let last = *orders::ids(&standby)?.last().unwrap_or(&0);
    let first: i64 = standby.connect("postgres")?.query_one(NEXT, &[])?.get(0);
    ensure!(first > last, "{first} after {last}");
    Ok(())
}
