//! A server that was started with RUST_BACKTRACE: no error of PostgreSQL's or of this library's comes with Rust's
//! frames, and errors inside a statement of this library say where they are from.

use anyhow::{Context, Result};
use postgres::error::DbError;
use snowflake_testkit::Node;

#[test]
fn errors_are_those_of_postgresql_and_nothing_more() -> Result<()> {
    let mut node = Node::builder("backtrace").start()?;
    node.stop()?;
    node.set_environment("RUST_BACKTRACE", "1").start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute(
        "CREATE EXTENSION pg_snowflake;
         CREATE FUNCTION broken(id bigint) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN 1 / (id - id); END';
         CREATE TABLE plain (id bigint);
         INSERT INTO plain VALUES (1);
         CREATE VIEW failing AS SELECT broken(id) AS id FROM plain;
         CREATE TABLE logs (id bigint, note text CONSTRAINT told NOT NULL) PARTITION BY RANGE (id);
         CREATE FUNCTION veto() RETURNS event_trigger LANGUAGE plpgsql AS
             $$BEGIN RAISE EXCEPTION 'not today' USING TABLE = 'logs', DETAIL = 'closed'; END$$;
         CREATE EVENT TRIGGER veto ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION veto();",
    )?;
    let mut error = |statement: &str| -> Result<DbError> {
        let error = client.batch_execute(statement).err().context("no error")?;
        let error = error.as_db_error().context("not the server's error")?.clone();
        for part in [Some(error.message()), error.detail(), error.hint(), error.where_()]
            .into_iter()
            .flatten()
        {
            let frames = [".rs:", "std::", "pgrx"];
            assert!(!frames.iter().any(|frame| part.contains(frame)), "{error:?}");
        }
        Ok(error)
    };

    let audit = error("SELECT * FROM snowflake_audit('failing', 'id')")?;
    assert_eq!(audit.message(), "division by zero");
    assert_eq!(audit.detail(), None);
    let place = audit.where_().unwrap_or_default();
    assert!(place.contains("PL/pgSQL function broken(bigint) line 1 at RETURN"), "{place}");
    assert!(place.contains("SQL statement"), "{place}");

    let partition = error("SELECT snowflake_create_partitions('logs', '1 month', 1)")?;
    assert_eq!((partition.message(), partition.detail()), ("not today", Some("closed")));
    assert_eq!(partition.table(), Some("logs"));
    assert!(partition.where_().unwrap_or_default().contains("veto()"), "{partition:?}");

    // This library's own.
    let own = error("SELECT snowflake_decode(-1)")?;
    assert_eq!(own.detail(), Some("The sign bit of a snowflake ID is always 0."));
    Ok(())
}
