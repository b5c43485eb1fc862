//! A cluster with failover: Patroni and etcd, three members, and a ledger of every ID.
//!
//! Once all members have one machine id, the usual mistake, and once each has its own. The leader is
//! killed hard and asked to hand over in turn, under load, while the members' PostgreSQL have clocks
//! up to an hour apart. Replication is synchronous, so that every ID that a client received is in a
//! row that the next leader has replayed: what is promised is about those. (What asynchronous
//! replication loses is lost with its ID, which the next leader does not know of.) The clocks are
//! PostgreSQL's alone, as Patroni waits by its own clock and would nap for the hour it is set back.
//!
//! Three sessions on each standby wait for it to take writes: two write without an ID, one with. The
//! time from the first without to the one with is what the extension adds to Patroni's outage, and
//! the time between the two without is what the measurement cannot tell.

mod cluster;
mod configuration;
mod etcd;
mod figures;
mod judge;
mod load;
mod member;
mod probe;
mod rest;
mod rounds;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use snowflake_testkit::version;

use crate::{
    program,
    report::{Claim, Report},
};
use cluster::SIZE;
use rounds::Round;

/// How much is to happen.
#[derive(Debug, Clone, Copy, Args)]
pub struct Options {
    /// Failovers of the cluster whose members share one machine id
    #[arg(long, default_value_t = 10)]
    pub rounds: usize,
    /// Failovers of the cluster whose members have one each
    #[arg(long, default_value_t = 2)]
    pub rounds_each: usize,
}

/// Who is who.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineIds {
    /// One machine id for all members.
    One,
    /// One for each.
    Each,
}

impl MachineIds {
    fn of_members(self) -> [u32; SIZE] {
        match self {
            Self::One => [1; SIZE],
            Self::Each => [1, 2, 3],
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::One => "one machine id",
            Self::Each => "one each",
        }
    }
}

/// Plays the scenario; a line for each failover says how it goes.
pub fn run(options: &Options) -> Result<Report> {
    let parts = [(MachineIds::One, options.rounds), (MachineIds::Each, options.rounds_each)];
    // First of all, because it fails where something is missing.
    let conditions = vec![
        format!("pg_snowflake {}", env!("CARGO_PKG_VERSION")),
        format!("PostgreSQL {}", version()?),
        format!("Patroni {}", program::version("patroni", "--version")?),
        format!("etcd {}", program::version("etcd", "--version")?),
        "an address on loopback for each".to_owned(),
    ];
    let (mut claims, mut data) = (Vec::<Claim>::new(), Vec::<Value>::new());
    for (machine_ids, rounds) in parts.into_iter().filter(|&(_, rounds)| rounds > 0) {
        eprintln!("Patroni, three members, {}:", machine_ids.title());
        let outcome = rounds::play(machine_ids.of_members(), rounds, tell)?;
        let (more, about) = judge::judge(machine_ids, outcome);
        claims.extend(more);
        data.push(about);
    }
    Ok(Report { scenario: "Cluster with failover".into(), conditions, claims, data: data.into() })
}

fn tell(round: &Round) {
    let Round { event, from, clocks, first, .. } = round;
    let added = first.with_id as f64 - first.plain[0].min(first.plain[1]) as f64;
    eprintln!(
        "  {event} of member {}, member {} leads; clocks {clocks:?} s; the first ID {:.1} ms after \
         the first write",
        from + 1,
        first.leader + 1,
        added / 1e6
    );
}
