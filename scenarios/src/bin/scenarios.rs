//! Runs the scenarios, all of them or one; `--help` has the options.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser};
use snowflake_scenarios::{
    interrupt,
    suite::{self, Results, scenarios},
};

/// The systems that unique IDs are for, run on real servers and measured; without a name, all of them
#[derive(Parser)]
struct Arguments {
    /// Write the results to this file
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the pages of the results to this folder, if every claim holds
    #[arg(long, global = true, value_name = "FOLDER")]
    docs: Option<PathBuf>,
    /// Run nothing: write the pages of the results that are in the folder already
    #[arg(long, requires = "docs", conflicts_with = "json")]
    words: bool,
}

fn main() -> ExitCode {
    let command = Arguments::command().subcommands(scenarios().map(|scenario| scenario.command));
    interrupt::exit_code("The run", perform(&command.get_matches()))
}

/// Whether every claim holds.
fn perform(matches: &ArgMatches) -> Result<bool> {
    let arguments = Arguments::from_arg_matches(matches)?;
    let results = if arguments.words { Results::default() } else { run(&arguments, matches)? };
    let held = arguments.words || results.all_met();
    if let Some(folder) = arguments.docs.filter(|_| held) {
        suite::write_pages(results, &folder)?;
    }
    Ok(held)
}

fn run(arguments: &Arguments, matches: &ArgMatches) -> Result<Results> {
    interrupt::catch()?;
    // Now rather than at the end.
    if let Some(folder) = &arguments.docs {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let json = arguments.json.as_deref();
    let keep = |results: &Results| json.map_or(Ok(()), |file| results.write(file));
    let results = suite::run(matches.subcommand(), keep)?;
    println!("\n{results}");
    if let Some(file) = json {
        println!("All figures: {}", file.display());
    }
    Ok(results)
}
