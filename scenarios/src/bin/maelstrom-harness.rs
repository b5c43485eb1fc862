//! Runs Maelstrom nodes as the workbench does: `maelstrom-harness --bin maelstrom-node`.

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use snowflake_scenarios::{
    interrupt,
    maelstrom::harness::{Options, TIMEOUT, Workload, run},
    options::seconds,
};

/// Starts nodes, makes requests, cuts links, and checks every answer. The options are those of
/// `maelstrom test`, where it has them.
#[derive(Parser)]
struct Arguments {
    /// The program that is a node
    #[arg(long, value_name = "FILE")]
    bin: PathBuf,
    /// What to ask for
    #[arg(short, long, value_enum, default_value_t = Kind::UniqueIds)]
    workload: Kind,
    /// How many nodes
    #[arg(long, value_name = "NUM", default_value_t = 3)]
    node_count: usize,
    /// Requests a second, on average
    #[arg(long, default_value_t = 1000.0)]
    rate: f64,
    /// Seconds to make requests
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30")]
    time_limit: Duration,
    /// What goes wrong meanwhile
    #[arg(long, value_enum, value_name = "FAULT")]
    nemesis: Option<Fault>,
    /// Seconds between two acts of the nemesis, on average
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "10")]
    nemesis_interval: Duration,
    /// Milliseconds that a message between nodes takes
    #[arg(long, value_name = "MILLIS", default_value_t = 0)]
    latency: u64,
    /// The share of requests that has to be answered: total, any, or a number between 0 and 1
    #[arg(long, value_parser = availability, default_value = "total")]
    availability: Availability,
    /// Seconds that a node has for its init
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "10")]
    init_timeout: Duration,
    /// Show what nodes log
    #[arg(long)]
    log_stderr: bool,
    /// What happens when depends on this, and on how fast everything is
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the results to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Arguments for the nodes
    #[arg(last = true)]
    arguments: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Echo,
    UniqueIds,
}

#[derive(Clone, Copy, ValueEnum)]
enum Fault {
    Partition,
}

#[derive(Clone, Copy)]
struct Availability(Option<f64>);

fn availability(text: &str) -> Result<Availability, String> {
    match text {
        "total" => Ok(Availability(Some(1.0))),
        "any" => Ok(Availability(None)),
        _ => match text.parse() {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(Availability(Some(share))),
            _ => Err("neither total, any, nor a number between 0 and 1".to_owned()),
        },
    }
}

fn main() -> ExitCode {
    interrupt::exit_code("The run", perform(Arguments::parse()))
}

fn perform(arguments: Arguments) -> Result<bool> {
    interrupt::catch()?;
    let json = arguments.json.clone();
    let report = run(&options(arguments)?)?;
    println!("{report}");
    if let Some(file) = json {
        let results = serde_json::to_string_pretty(&report)? + "\n";
        fs::write(&file, results).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(report.valid)
}

fn options(arguments: Arguments) -> Result<Options> {
    let bin = fs::canonicalize(&arguments.bin);
    let bin = bin.with_context(|| format!("looking for {}", arguments.bin.display()))?;
    Ok(Options {
        bin: (bin, arguments.arguments),
        workload: match arguments.workload {
            Kind::Echo => Workload::Echo,
            Kind::UniqueIds => Workload::UniqueIds,
        },
        node_count: arguments.node_count,
        rate: arguments.rate,
        time_limit: arguments.time_limit,
        partition_every: arguments.nemesis.map(|Fault::Partition| arguments.nemesis_interval),
        latency: Duration::from_millis(arguments.latency),
        availability: arguments.availability.0,
        init_timeout: arguments.init_timeout,
        timeout: TIMEOUT,
        log_stderr: arguments.log_stderr,
        seed: arguments.seed,
    })
}
