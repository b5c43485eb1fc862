//! IDs made by the workers of a parallel plan.

use anyhow::Result;
use postgres::Client;
use snowflake_cluster::Node;

const ROWS: i64 = 500_000;
/// The leader only gathers, so every row is a worker's.
const FORCE_PARALLEL: &str = "
    SET max_parallel_workers_per_gather = 2;
    SET parallel_leader_participation = off;
    SET parallel_setup_cost = 0;
    SET parallel_tuple_cost = 0;
    SET min_parallel_table_scan_size = 0;";
const PARALLEL_INSERT: &str = "
    EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF)
    CREATE TABLE made AS SELECT n, snowflake_nextval() AS id FROM source";

#[test]
fn parallel_workers_get_distinct_ids() -> Result<()> {
    let node = Node::builder("parallel").start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("CREATE EXTENSION pg_snowflake")?;
    client.batch_execute(&format!(
        "CREATE TABLE source AS SELECT generate_series(1, {ROWS}) AS n; ANALYZE source"
    ))?;
    client.batch_execute(FORCE_PARALLEL)?;
    assert_workers_made_the_ids(&explain(&mut client)?);
    let counts = "SELECT count(*), count(DISTINCT id) FROM made";
    let row = client.query_one(counts, &[])?;
    assert_eq!((row.get(0), row.get(1)), (ROWS, ROWS));
    assert_eq!(node.unexpected_log_lines(&[])?, [""; 0]);
    Ok(())
}

fn explain(client: &mut Client) -> Result<String> {
    let rows = client.query(PARALLEL_INSERT, &[])?;
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    Ok(lines.join("\n"))
}

/// The workers were there, and the call is in the part of the plan that they run: below Gather,
/// which merely passes the finished column on (in parentheses).
fn assert_workers_made_the_ids(plan: &str) {
    assert!(plan.contains("Workers Launched: 2"), "{plan}");
    let (above, below) =
        plan.split_once("Parallel Seq Scan").unwrap_or_else(|| panic!("no parallel scan: {plan}"));
    assert!(above.contains("Output: n, (snowflake_nextval())"), "{plan}");
    assert!(below.contains("Output: n, snowflake_nextval()"), "{plan}");
}
