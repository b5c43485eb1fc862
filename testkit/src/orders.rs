//! A table whose rows are numbered with IDs: what replication and backups carry.

use anyhow::Result;

use crate::{load::Load, node::Node};

const CREATE: &str = "
    CREATE EXTENSION pg_snowflake;
    CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval())";
const INSERT: &str = "INSERT INTO orders SELECT FROM generate_series(1, 10) RETURNING id";
const IDS: &str = "SELECT id FROM orders ORDER BY id";

/// Makes the extension and the table.
pub fn create(node: &Node) -> Result<()> {
    Ok(node.connect("postgres")?.batch_execute(CREATE)?)
}

/// Sessions that insert rows without end.
#[must_use]
pub fn insert(node: &Node, sessions: usize) -> Load {
    Load::running(node.config("postgres"), sessions, INSERT)
}

/// The IDs of all rows, in ascending order.
pub fn ids(node: &Node) -> Result<Vec<i64>> {
    let rows = node.connect("postgres")?.query(IDS, &[])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
