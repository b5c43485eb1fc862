//! Independent servers behind HAProxy, one of which is stopped; `--help` has the options.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use snowflake_systems::{independent, interrupt, report};

/// Three servers that know nothing of each other behind HAProxy, under load while one is stopped.
#[derive(Parser)]
struct Arguments {
    /// How long the load lasts
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Inserts a second, all clients together
    #[arg(long, default_value_t = 10_000)]
    rate: u32,
    /// Rows that one statement inserts; with 1, the rate of 10,000 wants more than two cores
    #[arg(long, default_value_t = 5)]
    rows: u32,
    /// Clients, one session each
    #[arg(long, default_value_t = 12)]
    sessions: u16,
    /// No namespaces, even where they are permitted
    #[arg(long)]
    loopback: bool,
    /// Write the results to this file
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    interrupt::exit_code("The independent servers", perform(&Arguments::parse()))
}

/// Whether everything that was claimed holds.
fn perform(arguments: &Arguments) -> Result<bool> {
    interrupt::catch()?;
    let report = independent::run(&arguments.options())?;
    println!("\n{report}");
    let met = report.all_met();
    if let Some(file) = &arguments.json {
        report::write(&[report], file)?;
    }
    Ok(met)
}

impl Arguments {
    fn options(&self) -> independent::Options {
        independent::Options {
            time: Duration::from_secs(self.seconds),
            per_second: self.rate,
            rows: self.rows,
            sessions: self.sessions,
            loopback: self.loopback,
            ..independent::Options::default()
        }
    }
}
