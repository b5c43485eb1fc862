//! A Maelstrom node for the workloads `echo` and `unique-ids`, whose IDs come from PostgreSQL.

use clap::Parser;
use snowflake_scenarios::maelstrom::node;

/// Speaks Maelstrom's protocol on standard input and output. At init it starts a private PostgreSQL
/// server, that of $PG_CONFIG, with pg_snowflake; at the end of its input it stops and removes it.
#[derive(Parser)]
struct Arguments {}

fn main() -> anyhow::Result<()> {
    Arguments::parse();
    node::run()
}
