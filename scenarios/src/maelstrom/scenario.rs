//! Scenario 4: our node under our harness, as the workbench runs the challenge.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use snowflake_testkit::{DEADLINE, grouped, version};

use super::{
    harness::{self, Workload},
    report::Report as Outcome,
};
use crate::{
    options::{defaults, seconds},
    program,
    report::{Claim, Report},
};

const NODES: usize = 3;
/// In a run: the network falls apart and is whole in turn, so that each of its five ways has a turn.
const ACTS: u32 = 12;
/// What the run with echo lasts, against that with IDs, which is the challenge.
const ECHO: u32 = 6;

/// How it is run.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Seconds that clients ask for IDs
    #[arg(long = "seconds", value_parser = seconds, default_value = "30")]
    pub time: Duration,
    /// Requests a second, on average, all nodes together
    #[arg(long, default_value_t = 1_000.0)]
    pub rate: f64,
    /// How long a client waits for a reply
    #[arg(skip = harness::TIMEOUT)]
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
    let echo = harness::run(&under_test(options, Workload::Echo)?)?;
    eprintln!("unique-ids, while the network falls apart ...");
    let ids = harness::run(&under_test(options, Workload::UniqueIds)?)?;
    let mut claims = claims(&echo);
    claims.extend(self::claims(&ids));
    claims.push(Claim::equal("unique-ids: IDs that came twice", ids.duplicates.count, 0));
    let apart: u64 = ids.partitions.values().sum();
    claims.push(Claim::at_least("unique-ids: times that the network fell apart", apart, 1));
    let between = ids.traffic.server;
    claims.push(Claim::equal("unique-ids: messages between nodes", between, 0));
    Ok(Report {
        scenario: "Maelstrom".to_owned(),
        conditions: vec![
            format!("{NODES} nodes, a PostgreSQL {} each, reached by its socket", version()?),
            "our own harness, messages by pipes".to_owned(),
        ],
        claims,
        data: json!({ "echo": echo, "unique_ids": ids }),
    })
}

fn under_test(options: &Options, workload: Workload) -> Result<harness::Options> {
    let time_limit = match workload {
        Workload::Echo => options.time / ECHO,
        Workload::UniqueIds => options.time,
    };
    // A node says itself that its server hangs, before its clients give up.
    let patience = (options.timeout * 3 / 5).as_secs().to_string();
    Ok(harness::Options {
        bin: (program::path("maelstrom-node")?, vec!["--patience".to_owned(), patience]),
        workload,
        node_count: NODES,
        rate: options.rate,
        time_limit,
        partition_every: Some(time_limit / ACTS),
        latency: Duration::ZERO,
        availability: Some(1.0),
        // More than the workbench gives: this machine has all nodes, and may be busy.
        init_timeout: DEADLINE,
        timeout: options.timeout,
        log_stderr: false,
        seed: 1,
    })
}

fn claims(outcome: &Outcome) -> Vec<Claim> {
    let workload = &outcome.setting.workload;
    let latency = &outcome.latency_ms;
    outcome.faults.first.iter().for_each(|fault| eprintln!("  {fault}"));
    vec![
        Claim::new(
            format!("{workload}: requests answered in time, and not by an error"),
            format!("{} of {}", grouped(outcome.ok), grouped(outcome.requests)),
            "all",
            outcome.ok == outcome.requests && outcome.ok > 0,
        ),
        Claim::equal(format!("{workload}: answers against the protocol"), outcome.faults.count, 0),
        Claim::reported(
            format!("{workload}: ms to an answer, p50, p99 and the slowest"),
            format!("{:.2}, {:.2}, {:.2}", latency.p50, latency.p99, latency.max),
        ),
    ]
}
