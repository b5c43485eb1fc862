//! Scenario 7: a thousand servers at once, in simulated time. The simulation (`crates/snowflake-sim`) links
//! the code that runs in the server; here its program is run and judged.

use std::{
    fs,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use snowflake_testkit::{grouped, interrupt};

use crate::{
    program,
    report::{Claim, Report},
};

/// How it is run.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// IDs to simulate, at least
    #[arg(long, default_value_t = 1_000_000_000)]
    pub ids: u64,
    /// What everything follows from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// What the simulation writes, as far as it is judged.
#[derive(Debug, Deserialize)]
struct Results {
    total: Total,
}

#[derive(Debug, Deserialize)]
struct Total {
    worlds: usize,
    servers: usize,
    most_servers: usize,
    ids: u64,
    duplicates: u64,
    causal_pairs: u64,
    below_shown: u64,
    worlds_with_findings: usize,
    least_margin_of_pairs_micros: i64,
}

/// Runs the scenario.
pub fn run(options: &Options) -> Result<Report> {
    let folder = tempfile::tempdir().context("making a folder for the results")?;
    let file = folder.path().join("results.json");
    let mut simulate = Command::new(program::path("simulate")?);
    simulate.arg("worlds").arg("--ids").arg(options.ids.to_string());
    simulate.arg("--seed").arg(options.seed.to_string());
    // Its tables are in the results.
    // It fails where it finds something, and then has written that, too.
    let status = interrupt::run(simulate.arg("--json").arg(&file).stdout(Stdio::null()))?;
    let json = fs::read(&file).with_context(|| format!("the simulation ended with {status}"))?;
    let mut data: Value = serde_json::from_slice(&json).context("what the simulation found")?;
    // A thousand lines for each; the sums are enough here.
    data.as_object_mut().context("what the simulation found")?.remove("worlds");
    report(options, data)
}

fn report(options: &Options, data: Value) -> Result<Report> {
    let Results { total } = Results::deserialize(&data).context("what the simulation found")?;
    let Total { worlds, servers, most_servers, ids, duplicates, causal_pairs, .. } = total;
    let margin = total.least_margin_of_pairs_micros as f64 / 1e3;
    let claims = vec![
        Claim::new(
            "IDs",
            grouped(ids),
            format!("at least {}", grouped(options.ids)),
            ids >= options.ids,
        ),
        Claim::equal("IDs that were issued twice", duplicates, 0),
        Claim::at_least("servers in one world", most_servers, 1_024),
        Claim::new(
            "pairs of an ID that a server was shown and one that it was asked for later",
            grouped(causal_pairs),
            format!("at least {}", grouped(options.ids)),
            causal_pairs >= options.ids,
        ),
        Claim::equal("IDs below one that their server was shown before", total.below_shown, 0),
        Claim::new(
            "smallest distance of a pair to the bound of order, ms",
            format!("{margin:.3}"),
            "at least 0",
            margin >= 0.0,
        ),
        Claim::equal("worlds with violations", total.worlds_with_findings, 0),
    ];
    Ok(Report {
        scenario: "Beyond one machine, by simulation".to_owned(),
        conditions: vec![
            format!("{worlds} worlds with {servers} servers in all"),
            "simulated time".to_owned(),
            format!("seed {}", options.seed),
        ],
        claims,
        data,
    })
}
