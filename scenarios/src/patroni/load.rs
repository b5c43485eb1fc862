//! What clients do all along.

use anyhow::{Context, Result};
use postgres::Client;
use snowflake_testkit::Load;

use super::cluster::Cluster;

/// Rows with IDs; rows without, for comparison; rows with IDs as they are made without the
/// extension, which have to fail the check that the others pass.
const CREATE: &str = "
    CREATE EXTENSION pg_snowflake;
    CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval());
    CREATE TABLE plain (t timestamptz DEFAULT now());
    CREATE FUNCTION naive_nextval() RETURNS bigint LANGUAGE sql AS
        'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint';
    CREATE TABLE naive_orders (id bigint DEFAULT naive_nextval())";
/// A row with an ID.
pub const INSERT: &str = "INSERT INTO orders DEFAULT VALUES RETURNING id";
/// A row without; nothing is returned.
pub const PLAIN: &str = "INSERT INTO plain DEFAULT VALUES";
const NAIVE: &str = "INSERT INTO naive_orders DEFAULT VALUES RETURNING id";
const SESSIONS: usize = 4;

/// The clients of a cluster.
#[derive(Debug)]
pub struct Clients {
    /// With the extension's IDs.
    pub orders: Load,
    /// With IDs from each server's clock alone.
    pub naive: Load,
}

impl Clients {
    /// Makes the tables and starts the sessions.
    pub fn start(cluster: &Cluster) -> Result<Self> {
        cluster.connect()?.batch_execute(CREATE).context("making the tables")?;
        Ok(Self {
            orders: Load::running(cluster.config(), SESSIONS, INSERT),
            naive: Load::running(cluster.config(), 1, NAIVE),
        })
    }
}

/// The IDs of all rows, ascending.
pub fn rows(client: &mut Client) -> Result<Vec<i64>> {
    let rows = client.query("SELECT id FROM orders ORDER BY id", &[])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The machine ids in them, ascending.
pub fn machines(client: &mut Client) -> Result<Vec<i32>> {
    let query = "SELECT DISTINCT machine FROM orders, snowflake_decode(id) ORDER BY machine";
    Ok(client.query(query, &[])?.iter().map(|row| row.get(0)).collect())
}
