//! A server that does not preload the library, such as one that a dump is restored into.

use anyhow::{Context, Result};
use postgres::{Client, NoTls, error::SqlState};
use snowflake_testkit::{Node, refusal, run};

/// An ID of datacenter 1, machine 2, sequence 3 in the default layout.
const ID: i64 = (1 << 40) << 22 | 1 << 17 | 2 << 12 | 3;
const SAID: &str = "WARNING:  pg_snowflake must be loaded via \"shared_preload_libraries\"";
type Parts = (String, i32, i32, i32);

fn unloaded() -> Result<Node> {
    let node = Node::builder("not preloaded").unset("shared_preload_libraries").start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    // Said at once, and to whom it concerns.
    assert_eq!(node.log()?.matches(SAID).count(), 1);
    Ok(node)
}

fn decode(client: &mut Client) -> Result<Parts, postgres::Error> {
    let parts = "SELECT id_time::text, datacenter, machine, sequence FROM snowflake_decode($1)";
    let row = client.query_one(parts, &[&ID])?;
    Ok((row.get(0), row.get(1), row.get(2), row.get(3)))
}

fn default_parts() -> Parts {
    ("2058-11-03 19:53:47.776+00".into(), 1, 2, 3)
}

#[test]
fn decoding_works_and_issuing_names_the_missing_setting() -> Result<()> {
    let node = unloaded()?;
    let mut client = node.connect("postgres")?;
    assert_eq!(decode(&mut client)?, default_parts());
    let refusal = refusal(client.query_one("SELECT snowflake_nextval()", &[]))?;
    assert_eq!(refusal.code, "55000");
    assert!(refusal.message.contains("shared_preload_libraries"));
    assert!(refusal.detail.contains("shared memory"));
    assert!(refusal.hint.contains("restart"));
    Ok(())
}

#[test]
fn any_session_can_load_the_library() -> Result<()> {
    let node = unloaded()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("LOAD 'pg_snowflake'")?;
    assert_eq!(decode(&mut client)?, default_parts());
    let shown: String = client.query_one("SHOW pg_snowflake.machine_id", &[])?.get(0);
    assert_eq!(shown, "1");
    assert_eq!(node.unexpected_log_lines(&[SAID])?, [""; 0]);
    Ok(())
}

#[test]
fn decoding_follows_the_configuration_file_and_its_reload() -> Result<()> {
    let mut node = unloaded()?;
    node.set("pg_snowflake.epoch", "2020-01-01 00:00:00+00")
        .set("pg_snowflake.datacenter_bits", "4")
        .set("pg_snowflake.machine_bits", "6")
        .restart()?;
    let parts = ("2054-11-03 19:53:47.776+00".to_owned(), 0, 34, 3);
    assert_eq!(decode(&mut node.connect("postgres")?)?, parts);
    node.set("pg_snowflake.machine_bits", "5").set("pg_snowflake.datacenter_bits", "5").reload()?;
    let parts = ("2054-11-03 19:53:47.776+00".to_owned(), 1, 2, 3);
    assert_eq!(decode(&mut node.connect("postgres")?)?, parts);
    Ok(())
}

#[test]
fn parallel_workers_decode_by_the_configuration_too() -> Result<()> {
    let node = Node::builder("parallel")
        .unset("shared_preload_libraries")
        .set("pg_snowflake.machine_bits", "6")
        .start()?;
    node.connect("postgres")?.batch_execute(
        "CREATE EXTENSION pg_snowflake;
         CREATE TABLE ids AS SELECT i::bigint << 18 AS id FROM generate_series(1, 31) AS i",
    )?;
    let mut fresh = node.connect("postgres")?;
    fresh.batch_execute(
        "SET parallel_leader_participation = off; SET parallel_setup_cost = 0;
         SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0",
    )?;
    let sum = "SELECT sum((snowflake_decode(id)).datacenter) FROM ids";
    let plan = fresh.query(&format!("EXPLAIN {sum}"), &[])?;
    let lines: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    assert!(lines.concat().contains("Workers Planned: "), "{lines:?}");
    assert_eq!(fresh.query_one(sum, &[])?.get::<_, i64>(0), (1..=31).sum());
    Ok(())
}

/// The configured layout or a refusal: nothing but the configuration makes decoding answer otherwise.
fn assert_not_misled(client: &mut Client, how: &str) -> Result<()> {
    match decode(client) {
        Ok(parts) => assert_eq!(parts, default_parts(), "{how}"),
        Err(error) => {
            let code = error.code().with_context(|| format!("{how}: {error}"))?;
            let expected = &SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE;
            assert_eq!(code, expected, "{how}");
        }
    }
    Ok(())
}

const OTHER_LAYOUTS: [&str; 2] =
    ["pg_snowflake.machine_bits = 7", "pg_snowflake.epoch = '1970-01-01 00:00:00+00'"];

#[test]
fn no_set_makes_decoding_follow_another_layout() -> Result<()> {
    let node = unloaded()?;
    node.connect("postgres")?.batch_execute("CREATE ROLE app LOGIN")?;
    for user in ["app", "postgres"] {
        for how in ["SET", "BEGIN; SET", "BEGIN; SET LOCAL"] {
            for layout in OTHER_LAYOUTS {
                let statement = format!("{how} {layout}");
                let mut client = node.config("postgres").user(user).connect(NoTls)?;
                client.batch_execute(&statement)?;
                assert_not_misled(&mut client, &statement)?;
                client.batch_execute("ROLLBACK")?;
                assert_not_misled(&mut client, &format!("{statement}, rolled back"))?;
            }
        }
    }
    Ok(())
}

#[test]
fn no_connection_option_makes_decoding_follow_another_layout() -> Result<()> {
    let node = unloaded()?;
    let mut config = node.config("postgres");
    config.options("-c pg_snowflake.machine_bits=7");
    assert_not_misled(&mut config.connect(NoTls)?, "connection option")
}

#[test]
fn no_role_or_database_makes_decoding_follow_another_layout() -> Result<()> {
    let node = unloaded()?;
    let mut admin = node.connect("postgres")?;
    admin.batch_execute("CREATE ROLE app LOGIN")?;
    admin.batch_execute("CREATE DATABASE other")?;
    node.connect("other")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    for (whose, database) in [("ROLE app", "postgres"), ("DATABASE other", "other")] {
        for layout in OTHER_LAYOUTS {
            let statement = format!("ALTER {whose} SET {layout}");
            admin.batch_execute(&statement)?;
            let mut client = node.config(database).user("app").connect(NoTls)?;
            assert_not_misled(&mut client, &statement)?;
            admin.batch_execute(&format!("ALTER {whose} RESET ALL"))?;
        }
    }
    Ok(())
}

#[test]
fn a_dump_can_be_restored_into_it() -> Result<()> {
    let source = Node::builder("source").start()?;
    let mut client = source.connect("postgres")?;
    client.batch_execute(
        "CREATE EXTENSION pg_snowflake;
         CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), note text);
         INSERT INTO orders (note) SELECT 'hi' FROM generate_series(1, 1000)",
    )?;
    let archive = source.home().join("archive");
    let mut dump = source.client_program("pg_dump");
    run(dump.arg("--format=custom").arg("--file").arg(&archive))?;

    let target = Node::builder("target").unset("shared_preload_libraries").start()?;
    let mut restore = target.client_program("pg_restore");
    restore.args(["--exit-on-error", "--dbname=postgres"]);
    run(restore.arg(&archive))?;

    let sum = "SELECT count(*), sum(id)::text FROM orders";
    let all = |client: &mut Client| -> Result<(i64, String)> {
        let row = client.query_one(sum, &[])?;
        Ok((row.get(0), row.get(1)))
    };
    let mut restored = target.connect("postgres")?;
    assert_eq!(all(&mut restored)?, all(&mut client)?);
    let by_default = restored.execute("INSERT INTO orders (note) VALUES ('new')", &[]);
    assert_eq!(refusal(by_default)?.code, "55000");
    restored.execute("INSERT INTO orders VALUES (1, 'given')", &[])?;
    Ok(())
}
