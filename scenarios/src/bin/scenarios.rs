//! Runs the scenarios, all of them or one; `--help` has the options.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use snowflake_scenarios::{
    interrupt,
    suite::{self, Results, Scenario},
};

/// The systems that unique IDs are for, run on real servers and measured; without a name, all of them
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    scenario: Option<Scenario>,
    /// No namespaces, even where they are permitted
    #[arg(long, global = true)]
    loopback: bool,
    /// Write the results to this file
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the pages of the results to this folder, if every claim holds
    #[arg(long, global = true, value_name = "FOLDER")]
    docs: Option<PathBuf>,
    /// Run nothing: write the pages of the results that are in the folder already
    #[arg(long, requires = "docs", conflicts_with_all = ["json", "loopback"])]
    words: bool,
}

fn main() -> ExitCode {
    interrupt::exit_code("The run", perform(Arguments::parse()))
}

/// Whether every claim holds.
fn perform(arguments: Arguments) -> Result<bool> {
    let results = if arguments.words { Results::default() } else { run(&arguments)? };
    let held = arguments.words || results.all_met();
    if let Some(folder) = arguments.docs.filter(|_| held) {
        suite::write_pages(results, &folder)?;
    }
    Ok(held)
}

fn run(arguments: &Arguments) -> Result<Results> {
    interrupt::catch()?;
    // Now rather than at the end.
    if let Some(folder) = &arguments.docs {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let mut scenarios = arguments.scenario.clone().map_or_else(Scenario::all, |one| vec![one]);
    if arguments.loopback {
        scenarios.iter_mut().for_each(Scenario::stay_on_loopback);
    }
    let json = arguments.json.as_deref();
    let keep = |results: &Results| json.map_or(Ok(()), |file| results.write(file));
    let results = suite::run(&scenarios, keep)?;
    println!("\n{results}");
    if let Some(file) = json {
        println!("All figures: {}", file.display());
    }
    Ok(results)
}
