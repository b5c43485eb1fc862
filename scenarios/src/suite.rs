//! All of the scenarios, one after the other.

mod page;
mod results;

use std::time::Instant;

use anyhow::{Error, Result};
use clap::{ArgMatches, Args, Command};
use serde_json::Value;
use snowflake_testkit::interrupt;

use crate::{
    alternatives, conversations, independent, maelstrom, mesh, patroni,
    report::{Claim, Report},
    simulation, twins,
};

pub use page::{pages, write_pages};
pub use results::Results;

/// One of the scenarios, and how it is run.
pub struct Scenario {
    /// What it is called on the command line, and where results are kept.
    pub name: &'static str,
    /// Its options.
    pub command: Command,
    run: Box<Run>,
}

type Run = dyn Fn(&ArgMatches) -> Result<Report>;

/// All of them.
#[must_use]
pub fn scenarios() -> [Scenario; 8] {
    [
        scenario(
            "independent",
            "1: three servers that know nothing of each other behind HAProxy, one of them stopped",
            independent::run,
        ),
        scenario(
            "active-active",
            "2: three nodes that all take writes, while the network between them is cut in every way",
            mesh::run,
        ),
        scenario(
            "failover",
            "3: a Patroni cluster whose leader is killed and asked to hand over, with clocks hours apart",
            patroni::run,
        ),
        scenario("maelstrom", "4: the unique IDs challenge of Maelstrom", maelstrom::run),
        scenario("twins", "5: two of the nodes of 2 with one identity", twins::run),
        scenario(
            "alternatives",
            "6: UUIDs, auto-increment, ticket servers and pg_snowflake, under one load",
            alternatives::run,
        ),
        scenario("simulation", "7: a thousand servers, by simulation", simulation::run),
        scenario(
            "conversations",
            "8: nodes that answer each other, with clocks that disagree",
            conversations::run,
        ),
    ]
}

fn scenario<O: Args + 'static>(
    name: &'static str,
    about: &'static str,
    run: fn(&O) -> Result<Report>,
) -> Scenario {
    let command = O::augment_args(Command::new(name).about(about));
    Scenario { name, command, run: Box::new(move |matches| run(&O::from_arg_matches(matches)?)) }
}

/// Runs the scenario that `chosen` names, with its options, or all of them as they are by default. Shows
/// each one's table when it ends; `keep` is given the results so far. One that cannot be run to its end
/// is a claim that does not hold; the others are run all the same. An error only if it is interrupted, or
/// if `keep` fails.
pub fn run(
    chosen: Option<(&str, &ArgMatches)>,
    keep: impl Fn(&Results) -> Result<()>,
) -> Result<Results> {
    let mut results = Results::default();
    keep(&results)?;
    let mut scenarios: Vec<_> = scenarios().into();
    scenarios.retain(|scenario| chosen.is_none_or(|(name, _)| name == scenario.name));
    for (number, Scenario { name, command, run }) in (1..).zip(&scenarios) {
        eprintln!("\n== {number} of {}: {name}", scenarios.len());
        let start = Instant::now();
        let report = match chosen {
            Some((_, options)) => run(options),
            None => run(&command.clone().try_get_matches_from([name])?),
        };
        interrupt::check()?;
        let report = report.unwrap_or_else(|error| not_run(name, &error));
        println!("\n{report}");
        results.add(name, start.elapsed(), report);
        keep(&results)?;
    }
    Ok(results)
}

fn not_run(name: &str, error: &Error) -> Report {
    Report {
        scenario: name.to_owned(),
        conditions: Vec::new(),
        claims: vec![Claim::new("runs to its end", format!("{error:#}"), "yes", false)],
        data: Value::Null,
    }
}
