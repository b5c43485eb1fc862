//! IDs and parallel plans: those of a statement follow its ORDER BY, as with `nextval()`.

use anyhow::{Result, ensure};
use postgres::Client;
use snowflake_testkit::Node;

const ROWS: i64 = 200_000;
/// The leader only gathers, so every row is read and sorted by a worker.
const FORCE_PARALLEL: &str = "
    SET max_parallel_workers_per_gather = 2;
    SET parallel_leader_participation = off;
    SET parallel_setup_cost = 0;
    SET parallel_tuple_cost = 0;
    SET min_parallel_table_scan_size = 0;";
const ORDERED: &str = "SELECT snowflake_nextval() AS id, at FROM source ORDER BY at";

fn with_source() -> Result<(Node, Client)> {
    let node = Node::builder("parallel").start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute(&format!(
        "CREATE EXTENSION pg_snowflake;
        CREATE TABLE source AS SELECT (n * 7919) % {ROWS} AS at FROM generate_series(1, {ROWS}) AS n;
        ANALYZE source"
    ))?;
    client.batch_execute(FORCE_PARALLEL)?;
    Ok((node, client))
}

fn plan_of(client: &mut Client, statement: &str) -> Result<String> {
    let rows =
        client.query(&format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement}"), &[])?;
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    Ok(lines.join("\n"))
}

/// All IDs are there and distinct, and follow the order of the column that was sorted by.
fn check_order(client: &mut Client, table: &str) -> Result<()> {
    let query = format!(
        "SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE id < before) FROM (
            SELECT id, lag(id) OVER (ORDER BY at) AS before FROM {table}) AS pairs"
    );
    let row = client.query_one(&query, &[])?;
    let found: (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    ensure!(found == (ROWS, ROWS, 0), "{table}: rows, distinct IDs, inversions {found:?}");
    Ok(())
}

#[test]
fn ids_of_a_parallel_statement_follow_its_order_by() -> Result<()> {
    let (node, mut client) = with_source()?;
    for (table, statement) in [
        ("made", format!("CREATE TABLE made AS {ORDERED}")),
        ("kept", format!("CREATE MATERIALIZED VIEW kept AS {ORDERED}")),
    ] {
        let plan = plan_of(&mut client, &statement)?;
        ensure!(plan.contains("Workers Launched: 2"), "{plan}");
        check_order(&mut client, table)?;
    }
    client.batch_execute("REFRESH MATERIALIZED VIEW kept")?;
    check_order(&mut client, "kept")?;
    client.batch_execute(
        "CREATE TABLE filled (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), at bigint)",
    )?;
    client.batch_execute("INSERT INTO filled (at) SELECT at FROM source ORDER BY at")?;
    check_order(&mut client, "filled")?;
    client.batch_execute(&format!("CREATE TABLE taken AS {}", ORDERED.replace("nextval", "id")))?;
    check_order(&mut client, "taken")?;
    ensure!(node.unexpected_log_lines(&[])?.is_empty());
    Ok(())
}

/// Without parallel workers to be had, and with plans that are parallel for the sake of it.
#[test]
fn ids_follow_the_order_by_whatever_the_planner_is_told() -> Result<()> {
    let (node, mut client) = with_source()?;
    let force =
        if node.major_version() < 16 { "force_parallel_mode" } else { "debug_parallel_query" };
    client.batch_execute(&format!("SET {force} = on"))?;
    for (number, setting) in
        ["enable_gathermerge = off", "max_parallel_workers = 0", "enable_sort = off"]
            .iter()
            .enumerate()
    {
        client.batch_execute(&format!("SET {setting}; CREATE TABLE made{number} AS {ORDERED}"))?;
        check_order(&mut client, &format!("made{number}"))?;
    }
    Ok(())
}
