//! The status view where there is something to say.

use anyhow::Result;
use postgres::Client;
use snowflake_cluster::{DEADLINE, Node, wait_for};

fn text(client: &mut Client, column: &str) -> Result<Option<String>> {
    let column = format!("SELECT ({column})::text FROM snowflake_status");
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
        let found = text(&mut client, "refusal")?.unwrap_or_default();
        assert!(found.contains(refusal), "{found}");
        assert_eq!(text(&mut client, "machine_bits")?.as_deref(), Some("5"));
    }
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
    let refusal = text(&mut client, "refusal")?.unwrap_or_default();
    assert!(refusal.contains("during recovery"), "{refusal}");
    assert_eq!(text(&mut client, "last_id_time")?, None);
    // A bound of the primary's ID clock, from the standby's own lease.
    let bound = "lease_end > (SELECT snowflake_timestamp(id) FROM ids)";
    wait_for("a lease of the standby's own", DEADLINE, || {
        Ok(text(&mut client, bound)?.as_deref() == Some("true"))
    })?;
    let beyond = "SELECT sum(beyond_mark)::bigint FROM snowflake_audit('ids', 'id')";
    assert_eq!(client.query_one(beyond, &[])?.get::<_, i64>(0), 0);
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
    assert_eq!(text(&mut client, "floor_source")?, None);
    client.query_one("SELECT snowflake_nextval()", &[])?;
    assert_eq!(text(&mut client, "floor_source")?.as_deref(), Some("lease"));
    assert_eq!(text(&mut client, "floor_time > wall_time")?.as_deref(), Some("true"));
    assert_eq!(text(&mut client, "refusal")?, None);
    Ok(())
}
