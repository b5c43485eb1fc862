//! All of the scenarios, one after the other.

mod page;
mod results;

use std::time::Instant;

use anyhow::{Error, Result};
use clap::Subcommand;
use serde_json::Value;

use crate::{
    alternatives, independent, interrupt, maelstrom, mesh, patroni,
    report::{Claim, Report},
    simulation, twins,
};

pub use page::{pages, write_pages};
pub use results::Results;

/// One of the scenarios, and how it is run.
#[derive(Debug, Clone, Subcommand)]
pub enum Scenario {
    /// 1: three servers that know nothing of each other behind HAProxy, one of them stopped
    Independent(independent::Options),
    /// 2: three nodes that all take writes, while the network between them is cut in every way
    ActiveActive(mesh::Options),
    /// 3: a Patroni cluster whose leader is killed and asked to hand over, with clocks hours apart
    Failover(patroni::Options),
    /// 4: the unique IDs challenge of Maelstrom
    Maelstrom(maelstrom::Options),
    /// 5: two of the nodes of 2 with one identity
    Twins(twins::Options),
    /// 6: UUIDs, auto-increment, ticket servers and pg_snowflake, under one load
    Alternatives(alternatives::Options),
    /// 7: a thousand servers, by simulation
    Simulation(simulation::Options),
}

impl Scenario {
    /// All of them, as they are run when nobody says otherwise.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![
            Self::Independent(Default::default()),
            Self::ActiveActive(Default::default()),
            Self::Failover(Default::default()),
            Self::Maelstrom(Default::default()),
            Self::Twins(Default::default()),
            Self::Alternatives(Default::default()),
            Self::Simulation(Default::default()),
        ]
    }

    /// What it is called on the command line, and where results are kept.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Independent(_) => "independent",
            Self::ActiveActive(_) => "active-active",
            Self::Failover(_) => "failover",
            Self::Maelstrom(_) => "maelstrom",
            Self::Twins(_) => "twins",
            Self::Alternatives(_) => "alternatives",
            Self::Simulation(_) => "simulation",
        }
    }

    /// Keeps it off namespaces.
    pub fn stay_on_loopback(&mut self) {
        match self {
            Self::Independent(options) => options.loopback = true,
            Self::ActiveActive(options) => options.loopback = true,
            Self::Failover(options) => options.loopback = true,
            Self::Twins(options) => options.loopback = true,
            Self::Alternatives(options) => options.loopback = true,
            Self::Maelstrom(_) | Self::Simulation(_) => {}
        }
    }

    fn run(&self) -> Result<Report> {
        match self {
            Self::Independent(options) => independent::run(options),
            Self::ActiveActive(options) => mesh::run(options),
            Self::Failover(options) => patroni::run(options),
            Self::Maelstrom(options) => maelstrom::run(options),
            Self::Twins(options) => twins::run(options),
            Self::Alternatives(options) => alternatives::run(options),
            Self::Simulation(options) => simulation::run(options),
        }
    }
}

/// Runs them, and shows each one's table when it ends; `keep` is given the results so far. One that
/// cannot be run to its end is a claim that does not hold; the others are run all the same. An error
/// only if it is interrupted, or if `keep` fails.
pub fn run(scenarios: &[Scenario], keep: impl Fn(&Results) -> Result<()>) -> Result<Results> {
    let mut results = Results::default();
    keep(&results)?;
    for (number, scenario) in (1..).zip(scenarios) {
        eprintln!("\n== {number} of {}: {}", scenarios.len(), scenario.name());
        let start = Instant::now();
        let report = scenario.run();
        interrupt::check()?;
        let report = report.unwrap_or_else(|error| not_run(scenario, &error));
        println!("\n{report}");
        results.add(scenario.name(), start.elapsed(), report);
        keep(&results)?;
    }
    Ok(results)
}

fn not_run(scenario: &Scenario, error: &Error) -> Report {
    Report {
        scenario: scenario.name().to_owned(),
        headline: "could not be run".to_owned(),
        conditions: Vec::new(),
        claims: vec![Claim::new("runs to its end", format!("{error:#}"), "yes", false)],
        data: Value::Null,
    }
}
