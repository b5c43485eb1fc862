//! Scenario 4: our node, asked as the workbench asks in the unique IDs challenge.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use snowflake_testkit::{DEADLINE, grouped, version};

use super::{
    judge::Outcome,
    runner::{self, Workload},
};
use crate::{
    options::{defaults, seconds},
    program,
    report::{Claim, Report},
};

const NODES: usize = 3;
/// How much longer than the run with echo that with IDs lasts, which is the challenge.
const ECHO: u32 = 6;
/// How long the workbench's clients wait for a reply.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How it is run.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Seconds that clients ask for IDs
    #[arg(long = "seconds", value_parser = seconds, default_value = "30")]
    pub time: Duration,
    /// Requests a second, on average, all nodes together
    #[arg(long, default_value_t = 1_000.0)]
    pub rate: f64,
    /// How soon a client has to have its reply
    #[arg(skip = TIMEOUT)]
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        defaults()
    }
}

/// Runs the scenario.
pub fn run(options: &Options) -> Result<Report> {
    eprintln!("echo ...");
    let echo = ask(options, Workload::Echo, options.time / ECHO)?;
    eprintln!("unique-ids ...");
    let ids = ask(options, Workload::UniqueIds, options.time)?;
    let mut claims = claims(Workload::Echo, &echo);
    claims.extend(self::claims(Workload::UniqueIds, &ids));
    Ok(Report {
        scenario: "Maelstrom".to_owned(),
        conditions: vec![
            format!("{NODES} nodes, a PostgreSQL {} each, reached by its socket", version()?),
            "our own runner, messages by pipes".to_owned(),
        ],
        claims,
        data: json!({ "echo": echo, "unique_ids": ids }),
    })
}

fn ask(options: &Options, workload: Workload, time: Duration) -> Result<Outcome> {
    let outcome = runner::run(&runner::Options {
        program: (program::path("maelstrom-node")?, Vec::new()),
        workload,
        nodes: NODES,
        rate: options.rate,
        time,
        timeout: options.timeout,
        // More than the workbench gives: this machine has all nodes, and may be busy.
        init_timeout: DEADLINE,
    })?;
    let wrong = outcome.faults.iter().chain(outcome.errors.keys());
    wrong.take(20).for_each(|line| eprintln!("  {line}"));
    Ok(outcome)
}

/// What is claimed of nodes that were asked.
#[must_use]
pub fn claims(workload: Workload, outcome: &Outcome) -> Vec<Claim> {
    let Outcome { requests, answered, latency_ms: [p50, p99, slowest], .. } = outcome;
    let (name, gives_ids) = match workload {
        Workload::Echo => ("echo", false),
        Workload::UniqueIds => ("unique-ids", true),
    };
    let of = |what| format!("{name}: {what}");
    let mut claims = vec![
        Claim::new(
            of("requests answered in time, and not by an error"),
            format!("{} of {}", grouped(*answered), grouped(*requests)),
            "all",
            answered == requests && *answered > 0,
        ),
        Claim::equal(of("answers against the protocol"), outcome.faults.len(), 0),
        Claim::reported(
            of("ms to an answer, p50, p99 and the slowest"),
            format!("{p50:.2}, {p99:.2}, {slowest:.2}"),
        ),
    ];
    if gives_ids {
        claims.push(Claim::equal(of("IDs that came twice"), outcome.duplicates.len(), 0));
        claims.push(Claim::equal(of("messages between nodes"), outcome.between_nodes, 0));
    }
    claims
}
