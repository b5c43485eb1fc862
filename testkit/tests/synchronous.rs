//! Where a COMMIT waits for synchronous standbys, so does a lease: an ID that was returned, row or no row, is below what
//! the standby knows.

use anyhow::{Result, ensure};
use postgres::Client;
use snowflake_testkit::{Builder, DEADLINE, Node, refusal, wait_for};

const NEXT: &str = "SELECT snowflake_nextval()";
/// More than a lease, so that each has to be extended.
const BATCH: &str = "SELECT max(id) FROM snowflake_nextval_batch(2000000) AS id";
const HOUR: i64 = 3_600_000_000_000;

/// With few IDs a millisecond, a batch takes the ID clock on by far more than clocks of two servers differ.
fn pair() -> Result<(Node, Node, Client)> {
    pair_of(Node::builder("primary").with_clock())
}

fn pair_of(builder: Builder) -> Result<(Node, Node, Client)> {
    let builder = builder.set("pg_snowflake.sequence_bits", "8");
    let mut primary = builder.set("pg_snowflake.max_drift", "1h").start()?;
    primary.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let standby = primary.create_standby("standby")?;
    primary.set("synchronous_standby_names", "*").reload()?;
    let mut client = primary.connect("postgres")?;
    let synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    wait_for("the standby to be synchronous", DEADLINE, || {
        Ok(client.query_one(synchronous, &[])?.get::<_, i64>(0) == 1)
    })?;
    Ok((primary, standby, client))
}

#[test]
fn no_id_without_a_row_returns_after_a_failover_to_a_synchronous_standby() -> Result<()> {
    let (mut primary, standby, mut client) = pair()?;
    for _ in 0..3 {
        let last: i64 = client.query_one(BATCH, &[])?.get(0);
        ensure!(last > 0);
    }
    let last: i64 = client.query_one(NEXT, &[])?.get(0);
    // At once: what the standby has not received by now it never does.
    primary.kill9_all()?;
    standby.promote()?;
    let next: i64 = standby.connect_when_ready("postgres")?.query_one(NEXT, &[])?.get(0);
    ensure!(next > last, "{next} after {last}");
    Ok(())
}

#[test]
fn without_its_synchronous_standby_a_server_issues_nothing_and_can_be_cancelled() -> Result<()> {
    let (mut primary, mut standby, mut client) = pair()?;
    let before: i64 = client.query_one(NEXT, &[])?.get(0);
    standby.stop()?;
    client.batch_execute("SET statement_timeout = '1s'")?;
    let refused = refusal(client.query(BATCH, &[]))?;
    ensure!(refused.code == "57014", "{refused:?}");
    client.batch_execute("RESET statement_timeout")?;
    wait_for("the status to say what is waited for", DEADLINE, || {
        let error = client.query_one("SELECT error FROM snowflake_status()", &[])?;
        let error: Option<String> = error.get(0);
        Ok(error.is_some_and(|it| it.starts_with("the snowflake lease has waited for synchronous")))
    })?;
    standby.start()?;
    let last: i64 = client.query_one(BATCH, &[])?.get(0);
    ensure!(last > before);
    let is_well = "SELECT error IS NULL FROM snowflake_status()";
    ensure!(client.query_one(is_well, &[])?.get::<_, bool>(0));
    // And the server stops while it waits for one that is gone.
    standby.stop()?;
    client.batch_execute("SET statement_timeout = '1s'")?;
    ensure!(client.query(BATCH, &[]).is_err());
    primary.stop()
}

/// As for a COMMIT, the setting says whether to wait.
#[test]
fn a_server_that_does_not_wait_for_standbys_issues_without_them() -> Result<()> {
    let (mut primary, mut standby, mut client) = pair()?;
    primary.set("synchronous_commit", "local").reload()?;
    standby.stop()?;
    client.query_one(BATCH, &[])?;
    primary.clock()?.step(HOUR);
    client.query_one(NEXT, &[])?;
    Ok(())
}

/// Where there is no keeper, a session extends the lease for all.
#[test]
fn a_session_that_does_not_wait_for_standbys_puts_no_lease_in_force_without_them() -> Result<()> {
    let builder = Node::builder("primary").with_clock().set("max_worker_processes", "0");
    let (_primary, mut standby, mut client) = pair_of(builder)?;
    standby.stop()?;
    client.batch_execute("SET synchronous_commit = off; SET statement_timeout = '1s'")?;
    let refused = refusal(client.query(BATCH, &[]))?;
    ensure!(refused.code == "57014", "{refused:?}");
    standby.start()?;
    client.batch_execute("RESET statement_timeout")?;
    client.query_one(BATCH, &[])?;
    Ok(())
}

/// Replication goes on, and what it brings is known in the next life; an ID, however, waits.
#[test]
fn a_witness_does_not_wait_for_standbys() -> Result<()> {
    for stop in [Node::restart, |primary: &mut Node| {
        primary.kill9_all()?;
        primary.start()
    }] {
        let (mut primary, mut standby, mut client) = pair()?;
        client.batch_execute(
            "CREATE TABLE received (id bigint PRIMARY KEY);
             CREATE TRIGGER witness BEFORE INSERT ON received
                 FOR EACH ROW EXECUTE FUNCTION snowflake_witness()",
        )?;
        client.query_one(NEXT, &[])?;
        standby.stop()?;
        client.batch_execute("SET synchronous_commit = local; SET statement_timeout = '10s'")?;
        let ahead = "INSERT INTO received
                     SELECT snowflake_encode(clock_timestamp() + $1 * interval '1 minute', 0, 0, 0)";
        // The second one comes while the keeper waits for the standby to have the lease of the first.
        for minutes in [10_f64, 20.0] {
            client.execute(ahead, &[&minutes])?;
        }
        client.batch_execute("SET statement_timeout = '1s'")?;
        let refused = refusal(client.query(NEXT, &[]))?;
        ensure!(refused.code == "57014", "{refused:?}");
        drop(client);
        stop(&mut primary)?;
        standby.start()?;
        let mut client = primary.connect("postgres")?;
        let (next, received): (i64, i64) = {
            let row = client.query_one("SELECT snowflake_nextval(), max(id) FROM received", &[])?;
            (row.get(0), row.get(1))
        };
        ensure!(next > received, "{next} after {received}");
    }
    Ok(())
}
