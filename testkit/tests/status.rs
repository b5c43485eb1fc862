//! The status function where there is something to say.

use anyhow::Result;
use postgres::Client;
use snowflake_testkit::{DEADLINE, Node, refusal, wait_for};
use std::time::{SystemTime, UNIX_EPOCH};

fn text(client: &mut Client, column: &str) -> Result<Option<String>> {
    let column = format!("SELECT ({column})::text FROM snowflake_status()");
    Ok(client.query_one(&column, &[])?.get(0))
}

#[test]
fn it_says_what_keeps_a_server_from_issuing() -> Result<()> {
    let cases = [
        ("shared_preload_libraries", "must be loaded via \"shared_preload_libraries\""),
        ("pg_snowflake.machine_id", "\"pg_snowflake.machine_id\" is not set"),
    ];
    for (setting, refusal) in cases {
        let node = Node::builder(setting).unset(setting).start()?;
        let mut client = node.connect("postgres")?;
        client.batch_execute("CREATE EXTENSION pg_snowflake")?;
        let found = text(&mut client, "error")?.unwrap_or_default();
        assert!(found.contains(refusal), "{found}");
        assert_eq!(text(&mut client, "machine_bits")?.as_deref(), Some("5"));
    }
    Ok(())
}

/// Load has brought the ID clock there; the wall clock is ten minutes behind.
#[test]
fn it_says_that_the_id_clock_is_at_the_end_of_the_space() -> Result<()> {
    const MILLIS_OF_39_BITS: i64 = 1 << 39;
    let start = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let epoch = i64::try_from(start)? + 600_000 - MILLIS_OF_39_BITS;
    let at = "SELECT to_char(to_timestamp($1::bigint / 1000), 'YYYY-MM-DD HH24:MI:SS\"+00\"')";
    let plain = Node::builder("plain").start()?;
    let epoch: String = plain.connect("postgres")?.query_one(at, &[&epoch])?.get(0);
    let node = Node::builder("end")
        .set("pg_snowflake.epoch", &epoch)
        .set("pg_snowflake.machine_bits", "15")
        .set("pg_snowflake.sequence_bits", "4")
        .set("pg_snowflake.max_drift", "1h")
        .start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake")?;
    assert_eq!(text(&mut client, "error")?, None);
    for count in (0..7).rev().map(|power| 10_i64.pow(power)) {
        let batch = "SELECT count(*) FROM snowflake_nextval_batch($1)";
        while client.query_one(batch, &[&count]).is_ok() {}
    }
    let error = text(&mut client, "error")?;
    assert_eq!(error.as_deref(), Some("the timestamp section of snowflake IDs is exhausted"));
    assert_eq!(text(&mut client, "wall_time < exhausted_at")?.as_deref(), Some("true"));
    let refusal = refusal(client.query("SELECT snowflake_nextval()", &[]))?;
    assert_eq!(Some(refusal.message), error);
    Ok(())
}

#[test]
fn a_standby_shows_its_bound_and_that_it_does_not_issue() -> Result<()> {
    let primary = Node::builder("primary").start()?;
    let mut on_primary = primary.connect("postgres")?;
    on_primary.batch_execute("CREATE EXTENSION pg_snowflake")?;
    on_primary.batch_execute("CREATE TABLE ids AS SELECT snowflake_nextval() AS id")?;
    let standby = primary.create_standby("standby")?;
    standby.wait_for_replay_of(&primary)?;
    let mut client = standby.connect("postgres")?;
    let error = text(&mut client, "error")?.unwrap_or_default();
    assert!(error.contains("during recovery"), "{error}");
    assert_eq!(text(&mut client, "last_id_time")?, None);
    // A bound of the primary's ID clock, from the standby's own lease.
    let bound = "lease_end > (SELECT snowflake_timestamp(id) FROM ids)";
    wait_for("a lease of the standby's own", DEADLINE, || {
        Ok(text(&mut client, bound)?.as_deref() == Some("true"))
    })?;
    let not_issued = "SELECT sum(not_issued)::bigint FROM snowflake_audit('ids', 'id')";
    assert_eq!(client.query_one(not_issued, &[])?.get::<_, i64>(0), 0);
    Ok(())
}

#[test]
fn steps_of_the_clock_waits_and_the_start_are_shown() -> Result<()> {
    let mut node = Node::builder("stepped")
        .with_clock()
        .set("pg_snowflake.max_drift", "10ms")
        .set("pg_snowflake.sequence_bits", "4")
        .start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let many = "SELECT count(snowflake_nextval()) FROM generate_series(1, 2000)";
    wait_for("a wait", DEADLINE, || {
        client.query_one(many, &[])?;
        Ok(text(&mut client, "waits > 0 AND wait_time > '0'")?.as_deref() == Some("true"))
    })?;
    node.clock()?.step(-3_600_000_000_000);
    client.query_one(many, &[])?;
    assert_eq!(text(&mut client, "steps_back")?.as_deref(), Some("1"));
    let hour = "largest_step_back BETWEEN '59 minutes' AND '61 minutes'";
    assert_eq!(text(&mut client, hour)?.as_deref(), Some("true"));
    assert_eq!(text(&mut client, "drift > '59 minutes'")?.as_deref(), Some("true"));
    drop(client);
    node.kill9_all()?;
    node.start()?;
    let mut client = node.connect_when_ready("postgres")?;
    // Known before the first ID, and after it.
    assert_eq!(text(&mut client, "drift > '59 minutes'")?.as_deref(), Some("true"));
    assert_eq!(text(&mut client, "start_source")?, None);
    client.query_one("SELECT snowflake_nextval()", &[])?;
    assert_eq!(text(&mut client, "start_source")?.as_deref(), Some("lease"));
    assert_eq!(text(&mut client, "start_time > wall_time")?.as_deref(), Some("true"));
    assert_eq!(text(&mut client, "error")?, None);
    Ok(())
}
