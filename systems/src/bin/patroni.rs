//! A cluster with failover, for real: kills and switchovers under load, with a table at the end.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use snowflake_systems::patroni::{Options, run};

/// Plays failovers of a Patroni cluster; fails when a claim does
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Where the results go, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let Arguments { options, json } = Arguments::parse();
    let report = run(options)?;
    println!("\n{report}");
    if let Some(file) = json {
        let text = serde_json::to_string_pretty(&report)? + "\n";
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(if report.is_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
