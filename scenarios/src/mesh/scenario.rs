//! Scenario 2: three nodes that take writes while the network between them fails in every way.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use snowflake_testkit::{grouped, ledger::distinct};

use super::{Mesh, round::Round};
use crate::{
    network::{Cut, Network},
    options::{defaults, seconds},
    report::{Claim, Report},
    requests::Answers,
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
    /// Stay on loopback even where namespaces are permitted
    #[arg(skip)]
    pub loopback: bool,
}

impl Default for Options {
    fn default() -> Self {
        defaults()
    }
}

/// Runs the scenario; the network is whole in the first round, which is shorter, for comparison.
pub fn run(options: &Options) -> Result<Report> {
    let mesh = Mesh::start(Network::of(MACHINES.len(), options.loopback)?, &MACHINES)?;
    let conditions = mesh.conditions()?;
    let (mut rounds, mut answers) = (Vec::new(), Vec::new());
    for cut in std::iter::once(None).chain(options.cuts.iter().copied().map(Some)) {
        eprintln!("{} ...", cut.map_or("whole network".to_owned(), |cut| cut.to_string()));
        let (round, given) = Round::run(&mesh, cut, options)?;
        rounds.push(round);
        answers.push(given);
    }
    let mut claims: Vec<_> = rounds.iter().flat_map(|round| round.claims(options)).collect();
    claims.extend(promises(&mesh, &answers)?);
    let data = json!({
        "requests_per_second": options.per_second,
        "seconds_per_cut": options.time.as_secs_f64(),
        "deadline_seconds": options.deadline.as_secs_f64(),
        "rounds": rounds,
    });
    Ok(Report {
        scenario: "Active-active".to_owned(),
        headline: headline(&rounds),
        conditions,
        claims,
        data,
    })
}

fn headline(rounds: &[Round]) -> String {
    let requests = grouped(rounds.iter().map(|round| round.requests as u64).sum());
    let refused: usize = rounds.iter().map(|round| round.refused).sum();
    let slowest = rounds.iter().map(|round| round.seconds_to_converge.unwrap_or(f64::INFINITY));
    let slowest = slowest.fold(0.0, f64::max);
    format!("{refused} of {requests} requests refused; tables equal {slowest:.1} s after a cut")
}

/// What has to hold of all rounds together.
fn promises(mesh: &Mesh, rounds: &[Answers]) -> Result<Vec<Claim>> {
    let ledgers = || rounds.iter().flat_map(|round| &round.ledgers);
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
