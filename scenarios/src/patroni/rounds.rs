//! One failover after the other, under load.

use std::{fmt, time::Duration};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use snowflake_testkit::{Ledger, Tally, interrupt, ledger::stamp};

use super::{
    Part,
    cluster::{Cluster, SIZE},
    load::{self, Clients},
    probe::{FirstWrites, Probes},
};

const HALF_AN_HOUR: i64 = 1_800;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// Between two failovers, for connections that the step of a clock breaks and for clients to work.
const SETTLING: Duration = Duration::from_secs(2);
/// Longer than a lease lasts: one that is renewed meanwhile reaches no other member.
const CUT_OFF: Duration = Duration::from_secs(2);

/// How a leader goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// SIGKILL to its Patroni and to all of its PostgreSQL.
    Kill,
    /// It is asked to hand over.
    Switchover,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "hard kill",
            Self::Switchover => "switchover",
        })
    }
}

/// What happened in one round; the stamps are of one monotonic clock.
#[derive(Debug)]
pub struct Round {
    /// How the leader went.
    pub event: Event,
    /// When, as a stamp.
    pub began: u64,
    /// Who led.
    pub from: usize,
    /// The members' clocks against the system's, in seconds.
    pub clocks: [i64; SIZE],
    /// What came after.
    pub first: FirstWrites,
}

/// All that has to be judged.
#[derive(Debug)]
pub struct Outcome {
    /// What happened.
    pub rounds: Vec<Round>,
    /// Every ID that a client of the load received.
    pub orders: Tally,
    /// The same, of IDs from each server's clock alone.
    pub naive: Ledger,
    /// The IDs of the rows that every member has in the end.
    pub rows: Vec<i64>,
    /// The machine ids in them.
    pub machines: Vec<i32>,
}

/// Plays `rounds` rounds, hard kills and switchovers in turn; `tell` is told of each.
pub fn play(part: Part, rounds: usize, tell: impl Fn(&Round)) -> Result<Outcome> {
    let mut cluster = Cluster::start(part)?;
    let outcome = play_on(&mut cluster, part, rounds, tell);
    outcome.map_err(|error| error.context(cluster.logs()))
}

fn play_on(
    cluster: &mut Cluster,
    part: Part,
    rounds: usize,
    tell: impl Fn(&Round),
) -> Result<Outcome> {
    let clients = Clients::start(cluster, part)?;
    let mut played = Vec::new();
    for number in 0..rounds {
        let round = round(cluster, part, &clients, number);
        let round = round.with_context(|| format!("in round {}", number + 1))?;
        tell(&round);
        played.push(round);
    }
    cluster.wait_until_whole()?;
    let (orders, naive) = clients.end();
    let (rows, machines) = rows_everywhere(cluster)?;
    Ok(Outcome { rounds: played, orders, naive, rows, machines })
}

fn round(cluster: &mut Cluster, part: Part, clients: &Clients, number: usize) -> Result<Round> {
    cluster.wait_until_whole()?;
    let clocks = clocks(number, cluster.leader()?);
    for (member, seconds) in cluster.members().iter().zip(clocks) {
        member.clock()?.set(seconds * NANOS_PER_SECOND);
    }
    clients.work_for(SETTLING)?;
    // The step may have broken a standby's connection; and it may have cost the leader its place.
    cluster.wait_until_whole()?;
    let from = cluster.leader()?;
    let event = if number.is_multiple_of(2) { Event::Kill } else { Event::Switchover };
    let probes = Probes::start(cluster, from, part);
    if event == Event::Kill && !part.has_rows() {
        // The hardest for IDs that nothing but leases takes to the standbys.
        cluster.cut_off(from)?;
        interrupt::pause(CUT_OFF)?;
    }
    let began = stamp();
    match event {
        Event::Kill => cluster.kill9(from)?,
        Event::Switchover => cluster.switchover(from)?,
    }
    let first = probes.finish()?;
    clients.wait_for_new_ids()?;
    if event == Event::Kill {
        cluster.revive(from)?;
    }
    Ok(Round { event, began, from, clocks, first })
}

/// Never more than an hour apart: right, the leader ahead, all apart, the leader behind. Twice each,
/// for a kill and for a switchover; ahead comes first, as that is the hardest.
fn clocks(number: usize, leader: usize) -> [i64; SIZE] {
    let of_member = |member: usize| {
        let place = (member + SIZE - leader) % SIZE;
        match number / 2 % 4 {
            0 => [HALF_AN_HOUR, -HALF_AN_HOUR, -HALF_AN_HOUR][place],
            1 => 0,
            2 => [0, HALF_AN_HOUR, -HALF_AN_HOUR][place],
            _ => [-HALF_AN_HOUR, HALF_AN_HOUR, 0][place],
        }
    };
    std::array::from_fn(of_member)
}

/// The rows, which are to be the same on all members, and the machine ids in their IDs.
fn rows_everywhere(cluster: &Cluster) -> Result<(Vec<i64>, Vec<i32>)> {
    cluster.wait_for_replay()?;
    let mut leader = cluster.connect()?;
    let rows = load::rows(&mut leader)?;
    for member in cluster.members() {
        let name = member.name();
        ensure!(load::rows(&mut member.connect()?)? == rows, "{name} has other rows");
    }
    Ok((rows, load::machines(&mut leader)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_up_to_an_hour_apart_and_never_more() {
        let spreads = (0..16).flat_map(|number| (0..SIZE).map(move |leader| (number, leader)));
        let spreads = spreads.map(|(number, leader)| {
            let clocks = clocks(number, leader);
            clocks.iter().max().unwrap() - clocks.iter().min().unwrap()
        });
        let spreads: Vec<_> = spreads.collect();
        assert_eq!(spreads.iter().max(), Some(&3_600));
        assert!(spreads.contains(&0));
    }

    #[test]
    fn the_first_leader_to_go_is_an_hour_ahead_of_its_successors() {
        assert_eq!(clocks(0, 1), [-1_800, 1_800, -1_800]);
    }
}
