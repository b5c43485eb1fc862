//! What clients do all along.

use std::time::Duration;

use anyhow::{Context, Result};
use postgres::Client;
use snowflake_testkit::{Ledger, Load, Query, Tally};

use super::{Part, cluster::Cluster};

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
const INSERT: &str = "INSERT INTO orders DEFAULT VALUES RETURNING id";
/// A row without; nothing is returned.
pub const PLAIN: &str = "INSERT INTO plain DEFAULT VALUES";
const NAIVE: &str = "INSERT INTO naive_orders DEFAULT VALUES RETURNING id";
const SESSIONS: usize = 4;

/// An ID that no row has; nothing is written.
const NEXT: &str = "SELECT snowflake_nextval()";
const NAIVE_NEXT: &str = "SELECT naive_nextval()";
/// A pool that a client fills: all IDs are the client's, in one statement.
const RESERVE: &str = "
    WITH reserved AS MATERIALIZED (SELECT snowflake_reserve(10) AS first)
    SELECT array_agg(first + n ORDER BY n) FROM reserved, generate_series(0, 9) AS n";
const BATCH: &str = "SELECT array_agg(id) FROM snowflake_nextval_batch(10) AS id";

/// One ID, as the clients of this part ask for it.
pub const fn one_id(part: Part) -> &'static str {
    match part {
        Part::One | Part::Each => INSERT,
        Part::WithoutRows | Part::Asynchronous => NEXT,
    }
}

/// The clients of a cluster.
#[derive(Debug)]
pub struct Clients {
    /// With the extension's IDs.
    orders: Load,
    /// With IDs from each server's clock alone.
    naive: Load,
}

impl Clients {
    /// Makes the tables and starts the sessions.
    pub fn start(cluster: &Cluster, part: Part) -> Result<Self> {
        cluster.connect()?.batch_execute(CREATE).context("making the tables")?;
        let (queries, naive) = if part.has_rows() {
            (vec![Query::new(INSERT); SESSIONS], NAIVE)
        } else {
            let kinds = [Query::new(RESERVE), Query::new(BATCH), Query::new(INSERT).rolled_back()];
            ([kinds.clone(), kinds].concat(), NAIVE_NEXT)
        };
        Ok(Self {
            orders: Load::mixed(cluster.config(), queries),
            naive: Load::running(cluster.config(), 1, naive),
        })
    }

    /// Lets them work for so long.
    pub fn work_for(&self, time: Duration) -> Result<()> {
        self.orders.issue_for(time)?;
        self.wait_for_new_ids()
    }

    /// Waits until requests that were made after this call have been answered.
    pub fn wait_for_new_ids(&self) -> Result<()> {
        self.orders.wait_for_new_ids()?;
        self.naive.wait_for_new_ids()
    }

    /// Ends them; returns what they were given, by the extension and without it.
    pub fn end(self) -> (Tally, Ledger) {
        (self.orders.end(), self.naive.end().ledger)
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
