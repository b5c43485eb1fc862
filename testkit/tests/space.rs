//! Layout and epoch belong to the data: settings that say something else change nothing.

use anyhow::Result;
use snowflake_testkit::{Node, refusal};

const NEXT: &str = "SELECT snowflake_nextval()";
const HOLDS_BACK: &str = "no snowflake IDs will be issued: configured layout or epoch differs from \
                          that of the existing snowflake IDs";

fn next(node: &Node) -> Result<i64> {
    Ok(node.connect("postgres")?.query_one(NEXT, &[])?.get(0))
}

fn decoded(node: &Node, id: i64) -> Result<String> {
    let decode = "SELECT snowflake_decode($1)::text";
    Ok(node.connect("postgres")?.query_one(decode, &[&id])?.get(0))
}

#[test]
fn other_widths_or_epoch_than_the_recorded_ones_are_refused() -> Result<()> {
    let mut node = Node::builder("space").start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let first = next(&node)?;
    let parts = decoded(&node, first)?;
    for (name, other, right, shown) in [
        ("pg_snowflake.sequence_bits", "10", "12", "sequence_bits = 10"),
        ("pg_snowflake.machine_bits", "6", "5", "machine_bits = 6"),
        (
            "pg_snowflake.epoch",
            "2020-01-01 00:00:00+00",
            "2024-01-01 00:00:00+00",
            "epoch = 2020-01-01T00:00:00Z",
        ),
    ] {
        node.set(name, other).restart()?;
        let refusal = refusal(node.connect("postgres")?.query(NEXT, &[]))?;
        assert_eq!(refusal.code, "55000");
        assert!(refusal.message.starts_with("configured layout or epoch differs"), "{refusal:?}");
        let recorded = "datacenter_bits = 5, machine_bits = 5, sequence_bits = 12 and epoch = \
                        2024-01-01T00:00:00Z";
        assert!(refusal.detail.contains(recorded) && refusal.detail.contains(shown), "{refusal:?}");
        assert!(refusal.hint.contains("restart the server"), "{refusal:?}");
        // Decoding follows what the IDs were made by.
        assert_eq!(decoded(&node, first)?, parts);
        node.set(name, right).restart()?;
        assert!(next(&node)? > first);
    }
    assert_eq!(node.log()?.matches(HOLDS_BACK).count(), 3);
    assert_eq!(node.unexpected_log_lines(&["configured layout or epoch differs"])?, [""; 0]);
    Ok(())
}

#[test]
fn what_issues_nothing_leaves_layout_and_epoch_open() -> Result<()> {
    let mut node = Node::builder("open").start()?;
    node.connect("postgres")?.batch_execute(
        "CREATE EXTENSION pg_snowflake;
         CREATE TABLE t (id bigserial PRIMARY KEY);
         SELECT snowflake_adopt('t', dry_run => true);
         SELECT snowflake_decode(1), snowflake_status();
         CREATE TRIGGER guard BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION snowflake_guard();
         INSERT INTO t VALUES (1)",
    )?;
    let lease_end = "SELECT lease_end IS NULL AND last_id_time IS NULL FROM snowflake_status()";
    assert!(node.connect("postgres")?.query_one(lease_end, &[])?.get::<_, bool>(0));
    node.set("pg_snowflake.sequence_bits", "10").restart()?;
    assert!(next(&node)? > 0);
    Ok(())
}

/// A warehouse, say, which issues nothing and decodes a great deal.
#[test]
fn a_server_that_has_issued_nothing_reads_its_lease_once_a_statement() -> Result<()> {
    let node = Node::builder("reader").start()?;
    let mut client = node.connect("postgres")?;
    client
        .batch_execute("CREATE EXTENSION pg_snowflake; SELECT lo_from_bytea(4711, 'no lease')")?;
    // The second row damages the file.
    let row = client.query_one(
        "SELECT count(snowflake_timestamp(n)), count(CASE n WHEN 2 THEN lo_export(4711, 'pg_snowflake.lease') END)
         FROM generate_series(1::bigint, 1000) AS n",
        &[],
    )?;
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1000, 1));
    let refused = refusal(client.query("SELECT snowflake_timestamp(1)", &[]))?;
    assert_eq!(refused.code, "XX001", "{refused:?}");
    Ok(())
}

#[test]
fn another_node_id_is_allowed_and_logged() -> Result<()> {
    let mut node = Node::builder("renamed").start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    let first = next(&node)?;
    node.set("pg_snowflake.machine_id", "7").restart()?;
    // The machine's bits are below the time's, but a new name must not make time stand still.
    let second = next(&node)?;
    assert!(second > first);
    assert!(decoded(&node, second)?.contains(",1,7,"));
    let line = "snowflake IDs are issued by datacenter 1, machine 7 from now on, before by datacenter 1, \
                machine 1";
    assert!(node.log()?.contains(line));
    assert_eq!(node.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}
