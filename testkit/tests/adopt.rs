//! `snowflake_adopt()` beside other sessions.

use anyhow::Result;
use snowflake_testkit::Node;

/// A table of a role without rights on what is adopted, and a view of it, are searched for the names of sequences.
#[test]
fn a_lock_on_what_is_not_adopted_makes_no_session_wait() -> Result<()> {
    let node = Node::builder("adopt").start()?;
    let mut other = node.connect("postgres")?;
    other.batch_execute(
        "CREATE EXTENSION pg_snowflake;
         CREATE TABLE t (id serial PRIMARY KEY);
         CREATE ROLE other;
         CREATE SCHEMA other AUTHORIZATION other;
         SET ROLE other;
         CREATE TABLE other.d (id bigint DEFAULT nextval('public.t_id_seq'::text));
         CREATE VIEW other.v AS SELECT nextval('T_id_seq'::text)",
    )?;
    other.batch_execute("BEGIN; LOCK TABLE other.d, other.v IN ACCESS EXCLUSIVE MODE")?;
    let mut client = node.connect("postgres")?;
    client.batch_execute("SET lock_timeout = '10s'")?;
    let statements = client.query("SELECT snowflake_adopt('t')", &[])?;
    // The sequence stays: both name it.
    assert_eq!(statements.len(), 1);
    other.batch_execute("ROLLBACK; DROP TABLE other.d")?;
    client
        .batch_execute("DROP VIEW other.v; DROP TABLE t; CREATE TABLE t (id serial PRIMARY KEY)")?;
    assert_eq!(client.query("SELECT snowflake_adopt('t')", &[])?.len(), 2);
    Ok(())
}
