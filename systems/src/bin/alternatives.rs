//! The alternatives under one load, and the page about them; `--help` has the options.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use snowflake_systems::{
    alternatives::{self, page::Page},
    interrupt, report,
};

/// UUIDs, auto-increment, ticket servers and pg_snowflake: the same load on the same servers.
#[derive(Parser)]
struct Arguments {
    /// How long clients insert, for each scheme
    #[arg(long, default_value_t = 14)]
    seconds: u64,
    /// Rows of which the index is measured
    #[arg(long, default_value_t = 5_000_000)]
    rows: u32,
    /// No namespaces, even where they are permitted
    #[arg(long)]
    loopback: bool,
    /// Write the results to this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write the page and its plots to this folder
    #[arg(long)]
    docs: Option<PathBuf>,
    /// Measure nothing: write the page of the figures that are in the folder already
    #[arg(long, requires = "docs")]
    words: bool,
}

fn main() -> ExitCode {
    match perform(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("The alternatives failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything that was claimed holds.
fn perform(arguments: &Arguments) -> Result<bool> {
    if let Some(folder) = arguments.docs.as_ref().filter(|_| arguments.words) {
        Page::read(folder)?.write(folder)?;
        return Ok(true);
    }
    interrupt::catch()?;
    let (report, page) = alternatives::measure(&arguments.options())?;
    println!("\n{report}");
    if let Some(file) = &arguments.json {
        report::write(std::slice::from_ref(&report), file)?;
    }
    // The page's words lean on the claims.
    if let Some(folder) = arguments.docs.as_ref().filter(|_| report.all_met()) {
        page.write(folder)?;
    }
    Ok(report.all_met())
}

impl Arguments {
    fn options(&self) -> alternatives::Options {
        alternatives::Options {
            time: Duration::from_secs(self.seconds),
            rows: self.rows,
            loopback: self.loopback,
            ..alternatives::Options::default()
        }
    }
}
