//! A cluster with failover: Patroni and etcd, three members, and a ledger of every ID.
//!
//! Once all members have one machine id, the usual mistake, and once each has its own. The leader is
//! killed hard and asked to hand over in turn, under load, while the members' PostgreSQL have clocks
//! up to an hour apart. Replication is synchronous, so that every ID that a client received is known to the
//! next leader, in a row that it has replayed or below a lease. (What asynchronous replication loses is lost
//! with its ID, which the next leader does not know of: the control.) The clocks are
//! PostgreSQL's alone, as Patroni waits by its own clock and would nap for the hour it is set back.
//!
//! IDs without rows depend on the lease alone, as no COMMIT takes anything to the standbys.
//!
//! Three sessions on each standby wait for it to take writes: two write without an ID, one asks for one. The
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
    #[arg(long, default_value_t = 2)]
    pub rounds: usize,
    /// Failovers of the cluster whose members have one each
    #[arg(long, default_value_t = 2)]
    pub rounds_each: usize,
    /// Failovers under a load of IDs that no row has
    #[arg(long, default_value_t = 10)]
    pub rounds_without_rows: usize,
    /// The same where replication is asynchronous, as a control
    #[arg(long, default_value_t = 1)]
    pub rounds_asynchronous: usize,
}

/// One cluster, and what its clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Rows; one machine id for all members.
    One,
    /// Rows; one for each.
    Each,
    /// IDs without rows; one machine id for all members.
    WithoutRows,
    /// The same, and replication is asynchronous.
    Asynchronous,
}

impl Part {
    fn machine_ids(self) -> [u32; SIZE] {
        match self {
            Self::Each => [1, 2, 3],
            Self::One | Self::WithoutRows | Self::Asynchronous => [1; SIZE],
        }
    }

    fn has_rows(self) -> bool {
        matches!(self, Self::One | Self::Each)
    }

    fn is_synchronous(self) -> bool {
        self != Self::Asynchronous
    }

    fn title(self) -> &'static str {
        match self {
            Self::One => "one machine id",
            Self::Each => "one each",
            Self::WithoutRows => "IDs without rows",
            Self::Asynchronous => "asynchronous",
        }
    }
}

/// Plays the scenario; a line for each failover says how it goes.
pub fn run(options: &Options) -> Result<Report> {
    let parts = [
        (Part::One, options.rounds),
        (Part::Each, options.rounds_each),
        (Part::WithoutRows, options.rounds_without_rows),
        (Part::Asynchronous, options.rounds_asynchronous),
    ];
    // First of all, because it fails where something is missing.
    let conditions = vec![
        format!("pg_snowflake {}", env!("CARGO_PKG_VERSION")),
        format!("PostgreSQL {}", version()?),
        format!("Patroni {}", program::version("patroni", "--version")?),
        format!("etcd {}", program::version("etcd", "--version")?),
        "an address on loopback for each".to_owned(),
    ];
    let (mut claims, mut data) = (Vec::<Claim>::new(), Vec::<Value>::new());
    for (part, rounds) in parts.into_iter().filter(|&(_, rounds)| rounds > 0) {
        eprintln!("Patroni, three members, {}:", part.title());
        let outcome = rounds::play(part, rounds, tell)?;
        let (more, about) = judge::judge(part, outcome);
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
