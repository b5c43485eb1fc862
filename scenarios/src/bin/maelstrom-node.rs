//! A Maelstrom node for the workloads `echo` and `unique-ids`, whose IDs come from PostgreSQL.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use snowflake_scenarios::{
    maelstrom::{node, scratch},
    options::seconds,
};

/// Speaks Maelstrom's protocol on standard input and output. At init it starts a private PostgreSQL
/// server, that of $PG_CONFIG, with pg_snowflake; at the end of its input it stops and removes it.
#[derive(Parser)]
struct Arguments {
    /// Seconds that its server may take to answer, less than the five that the workbench's clients wait
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "3")]
    patience: Duration,
    /// Wait for the end of the input, then remove a node's directory
    #[arg(long, hide = true, value_name = "DIRECTORY")]
    sweep: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Arguments { patience, sweep } = Arguments::parse();
    let outcome = match sweep {
        Some(directory) => scratch::sweep(&directory),
        None => node::run(patience),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
