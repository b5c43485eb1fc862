//! The same load, questions and rows for every scheme.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use postgres::Client;
use serde::{Deserialize, Serialize};

use super::{
    Options,
    client::{Key, Session},
    scheme::Scheme,
    site::{PLACES, Site},
};
use crate::{
    interrupt,
    latency::{milliseconds, quantile},
};

/// Clients at each server.
pub const CLIENTS: usize = 4;
/// Rows that come with one statement when the index is filled.
const BATCH: i32 = 10_000;
/// Between two keys of a client that is in no hurry.
pub const PAUSE: Duration = Duration::from_millis(5);

/// What clients got in one go.
#[derive(Debug, Default)]
pub struct Load {
    /// All of them.
    pub keys: Vec<Key>,
    /// How long each took.
    pub took: Vec<Duration>,
    /// Rows a second, of each round.
    pub rates: Vec<f64>,
}

impl Load {
    /// Adds what came of another one.
    pub fn add(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.took.extend(other.took);
        self.rates.extend(other.rates);
    }

    /// Rows a second: of the slowest round, the one in the middle, and the fastest.
    #[must_use]
    pub fn per_second(&self) -> [f64; 3] {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        let last = rates.len().saturating_sub(1);
        [0, last / 2, last].map(|rank| rates.get(rank).copied().unwrap_or_default())
    }

    /// The milliseconds that this share of the inserts took at most.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        milliseconds(quantile(self.took.iter().copied(), share))
    }
}

/// Clients at every server insert row after row.
pub fn load(site: &Site, scheme: Scheme, time: Duration) -> Result<Load> {
    let mut sessions = Vec::new();
    for place in 0..PLACES {
        for _ in 0..CLIENTS {
            sessions.push(site.session(scheme, place)?);
        }
    }
    let start = Instant::now();
    let work = |mut session: Session| -> Result<Load> {
        let mut load = Load::default();
        while start.elapsed() < time {
            interrupt::check()?;
            let asked = Instant::now();
            load.keys.push(session.insert()?);
            load.took.push(asked.elapsed());
        }
        Ok(load)
    };
    let mut all = Load::default();
    for load in at_once(sessions, work)? {
        all.add(load);
    }
    all.rates = vec![all.keys.len() as f64 / start.elapsed().as_secs_f64()];
    Ok(all)
}

/// Does the same in a thread for each of them, and waits for all.
pub(super) fn at_once<A: Send, B: Send>(
    of: Vec<A>,
    work: impl Fn(A) -> Result<B> + Sync,
) -> Result<Vec<B>> {
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = of.into_iter().map(|one| scope.spawn(move || work(one))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Result<B>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    })
}

/// Keys that one client asked for, one after the other, each at another server than the one before.
pub struct Walk {
    /// In the order of asking.
    pub keys: Vec<Key>,
}

impl Walk {
    /// Asks for one more key than there are to be pairs.
    pub fn run(site: &Site, scheme: Scheme, pairs: usize, pause: Duration) -> Result<Self> {
        let key = scheme.expression(site.version());
        let mut sessions =
            (0..PLACES).map(|place| site.session(scheme, place)).collect::<Result<Vec<_>>>()?;
        let (mut keys, mut place) = (Vec::new(), 0);
        for _ in 0..=pairs {
            interrupt::check()?;
            place = (place + fastrand::usize(1..PLACES)) % PLACES;
            // Which ticket server is next is up to each client, too.
            sessions[place].turn(fastrand::usize(..2));
            keys.push(sessions[place].key(key)?);
            thread::sleep(pause);
        }
        Ok(Self { keys })
    }

    /// The share of pairs of neighbours whose later key is the smaller one.
    #[must_use]
    pub fn out_of_order(&self) -> f64 {
        let pairs = self.keys.windows(2);
        let count = pairs.len();
        pairs.filter(|pair| pair[1] < pair[0]).count() as f64 / count as f64
    }
}

/// How many keys a second one statement makes on one server, or the ticket servers together.
pub fn keys_per_second(site: &Site, scheme: Scheme, keys: u32) -> Result<f64> {
    let mut sources = site.sources(scheme)?;
    sources.truncate(scheme.tickets().max(1));
    let each = keys / u32::try_from(sources.len())?;
    let start = Instant::now();
    at_once(sources, |(mut client, key)| {
        // OFFSET 0 keeps the planner from taking the keys for something to be left out.
        let sql = format!(
            "SELECT count(key) FROM (SELECT {key} AS key FROM generate_series(1, {each}) OFFSET 0) k"
        );
        Ok(client.batch_execute(&sql)?)
    })?;
    Ok(f64::from(keys) / start.elapsed().as_secs_f64())
}

/// The primary key's index after many rows.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Index {
    /// How many rows.
    pub rows: i64,
    /// How large it is.
    pub bytes: i64,
    /// The least there can be: the same rows, indexed anew.
    pub rebuilt_bytes: i64,
    /// How many rows came a second, in batches.
    pub rows_per_second: f64,
}

impl Index {
    /// Fills the first server's table, which is emptied before and after.
    pub fn fill(site: &Site, scheme: Scheme, options: &Options) -> Result<Self> {
        let (table, mut client) = (scheme.table(), site.connect()?);
        client.batch_execute(&format!("TRUNCATE {table}"))?;
        let sessions = (0..CLIENTS).map(|_| site.session(scheme, 0)).collect::<Result<Vec<_>>>()?;
        let batches = options.rows / u32::try_from(BATCH)? / u32::try_from(CLIENTS)?;
        let start = Instant::now();
        at_once(sessions, |mut session| {
            for _ in 0..batches.max(1) {
                interrupt::check()?;
                session.insert_many(BATCH)?;
            }
            Ok(())
        })?;
        let took = start.elapsed().as_secs_f64();
        let rows: i64 = client.query_one(&format!("SELECT count(*) FROM {table}"), &[])?.get(0);
        let bytes = index_size(&mut client, table)?;
        client.batch_execute(&format!("REINDEX TABLE {table}"))?;
        let rebuilt_bytes = index_size(&mut client, table)?;
        client.batch_execute(&format!("TRUNCATE {table}; CHECKPOINT"))?;
        Ok(Self { rows, bytes, rebuilt_bytes, rows_per_second: rows as f64 / took })
    }

    /// What of the index is for one row.
    #[must_use]
    pub fn bytes_per_row(&self) -> f64 {
        self.bytes as f64 / self.rows as f64
    }
}

fn index_size(client: &mut Client, table: &str) -> Result<i64> {
    let size = "SELECT pg_relation_size(($1 || '_pkey')::regclass)";
    client.query_one(size, &[&table]).context("the size of an index").map(|row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_what_inserts_took() {
        let took = (1..=101).rev().map(Duration::from_millis).collect();
        let load = Load { took, ..Load::default() };
        assert_eq!((load.quantile(0.5), load.quantile(1.0)), (51.0, 101.0));
        assert_eq!(Load::default().quantile(0.5), 0.0);
    }

    #[test]
    fn rates_are_of_the_slowest_the_middle_and_the_fastest_round() {
        let load = Load { rates: vec![3.0, 1.0, 9.0], ..Load::default() };
        assert_eq!(load.per_second(), [1.0, 3.0, 9.0]);
    }
}
