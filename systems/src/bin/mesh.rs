//! The mesh under load while its network fails, and with two nodes of one identity; `--help` has the
//! options.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use snowflake_systems::{
    interrupt, mesh,
    report::{self, Report},
    twins,
};

/// Three active-active nodes under load while the network between them fails in every way.
#[derive(Parser)]
struct Arguments {
    /// How long each kind of cut lasts
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Requests a second, all nodes together
    #[arg(long, default_value_t = 1_000)]
    rate: u32,
    /// How long a request may take
    #[arg(long, default_value_t = 1_000)]
    deadline_ms: u64,
    /// No namespaces, even where they are permitted
    #[arg(long)]
    loopback: bool,
    /// Write the results to this file
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    interrupt::exit_code("The mesh", perform(&Arguments::parse()))
}

/// Whether everything that was claimed holds.
fn perform(arguments: &Arguments) -> Result<bool> {
    interrupt::catch()?;
    let options = arguments.options();
    let mut reports = Vec::new();
    for scenario in [mesh::run, twins::run] {
        let report = scenario(&options)?;
        println!("\n{report}");
        reports.push(report);
    }
    if let Some(file) = &arguments.json {
        report::write(&reports, file)?;
    }
    Ok(reports.iter().all(Report::all_met))
}

impl Arguments {
    fn options(&self) -> mesh::Options {
        mesh::Options {
            time: Duration::from_secs(self.seconds),
            per_second: self.rate,
            deadline: Duration::from_millis(self.deadline_ms),
            loopback: self.loopback,
            ..mesh::Options::default()
        }
    }
}
