//! Scenario 2: three nodes that take writes while the network between them fails in every way.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use snowflake_testkit::{grouped, ledger::distinct};

use super::{Mesh, round::Round};
use crate::{
    network::Cut,
    options::seconds,
    report::{Claim, Report},
};

const MACHINES: [u32; 3] = [1, 2, 3];

/// How it is run.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Seconds that each kind of cut lasts, under load all the time
    #[arg(long = "seconds", value_parser = seconds, default_value = "30")]
    pub time: Duration,
    /// Requests a second, all nodes together
    #[arg(long = "rate", default_value_t = 1_000)]
    pub per_second: u32,
    /// What to do to the network, one after the other
    #[arg(skip = Cut::ALL)]
    pub cuts: Vec<Cut>,
    /// Seconds that a request may take, by default what a client of Maelstrom's waits
    #[arg(long = "deadline", value_parser = seconds, default_value = "5")]
    pub deadline: Duration,
    /// How soon after the heal all tables have to be equal
    #[arg(skip = Duration::from_secs(60))]
    pub converge: Duration,
}

/// Runs the scenario; the network is whole in the first round, which is shorter, for comparison.
pub fn run(options: &Options) -> Result<Report> {
    let mesh = Mesh::start(&MACHINES)?;
    let mut rounds = Vec::new();
    for cut in std::iter::once(None).chain(options.cuts.iter().copied().map(Some)) {
        eprintln!("{} ...", cut.map_or("whole network".to_owned(), |cut| cut.to_string()));
        rounds.push(Round::run(&mesh, cut, options)?);
    }
    let mut claims: Vec<_> = rounds.iter().flat_map(|round| round.claims(options)).collect();
    claims.extend(promises(&mesh, &rounds)?);
    let data = json!({
        "requests_per_second": options.per_second,
        "seconds_per_cut": options.time.as_secs_f64(),
        "deadline_seconds": options.deadline.as_secs_f64(),
        "rounds": rounds.iter().map(Round::data).collect::<Vec<Value>>(),
    });
    let (scenario, conditions) = ("Active-active".to_owned(), mesh.conditions()?);
    Ok(Report { scenario, conditions, claims, data })
}

/// What has to hold of all rounds together.
fn promises(mesh: &Mesh, rounds: &[Round]) -> Result<Vec<Claim>> {
    let ledgers = || rounds.iter().flat_map(|round| &round.answers.ledgers);
    let given: u64 = ledgers().map(|ledger| ledger.count()).sum();
    let contents = mesh.contents()?;
    let mut checksums: Vec<_> = contents.iter().map(|content| &content.checksum).collect();
    checksums.sort();
    checksums.dedup();
    let duplicate = distinct(ledgers().flat_map(|ledger| ledger.ids())).err();
    let disorder = ledgers().find_map(|ledger| ledger.check().err());
    let missing = i64::try_from(given)? - contents[0].rows;
    Ok(vec![
        Claim::no_fault("IDs that two clients were given", duplicate),
        Claim::no_fault("IDs of a node out of order", disorder),
        Claim::equal("checksums", checksums.len(), 1),
        Claim::equal(format!("rows lost or added of {}", grouped(given)), missing, 0),
        mesh.quiet_logs()?,
    ])
}
