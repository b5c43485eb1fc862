//! The same load, questions and rows for every scheme.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use postgres::Client;
use serde::{Deserialize, Serialize};
use snowflake_testkit::{
    interrupt,
    latency::{milliseconds, quantile},
};

use super::{
    Options,
    client::{Key, Session},
    scheme::Scheme,
    site::{PLACES, Site},
};

/// Clients at each server.
pub const CLIENTS: usize = 4;
/// Rows that come with one statement when the index is filled.
const BATCH: i32 = 10_000;
/// Between two keys of a client that is in no hurry.
pub const PAUSE: Duration = Duration::from_millis(5);

/// What clients got who ask again as soon as they are answered.
#[derive(Debug, Default)]
pub struct Load {
    /// How many requests they made.
    pub asked: usize,
    /// Of those that were answered.
    pub keys: Vec<Key>,
    /// How long each took.
    took: Vec<Duration>,
    /// Keys a second, of each round.
    rates: Vec<f64>,
}

impl Load {
    /// Adds what came of another one.
    pub fn add(&mut self, other: Self) {
        self.asked += other.asked;
        self.keys.extend(other.keys);
        self.took.extend(other.took);
        self.rates.extend(other.rates);
    }

    /// Keys a second that this share of the rounds had at most.
    #[must_use]
    pub fn rate(&self, share: f64) -> f64 {
        quantile(self.rates.iter().copied(), share)
    }

    /// The milliseconds that this share of the answers took at most.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        milliseconds(quantile(self.took.iter().copied(), share))
    }
}

/// Every client asks again and again as long as it `goes_on`, which is told how often it has.
pub(super) fn ask<C: Send>(
    clients: Vec<C>,
    goes_on: impl Fn(usize) -> bool + Sync,
    insert: impl Fn(&mut C) -> Result<Option<Key>> + Sync,
) -> Result<Load> {
    let start = Instant::now();
    let loads = at_once(clients, |mut client| {
        let mut load = Load::default();
        while goes_on(load.asked) {
            interrupt::check()?;
            let asked = Instant::now();
            load.asked += 1;
            if let Some(key) = insert(&mut client)? {
                load.keys.push(key);
                load.took.push(asked.elapsed());
            }
        }
        Ok(load)
    })?;
    let mut all = Load::default();
    loads.into_iter().for_each(|load| all.add(load));
    all.rates = vec![all.keys.len() as f64 / start.elapsed().as_secs_f64()];
    Ok(all)
}

/// Clients at every server insert row after row.
pub fn load(site: &Site, scheme: Scheme, time: Duration) -> Result<Load> {
    let clients = (0..PLACES * CLIENTS).map(|client| site.session(scheme, client / CLIENTS));
    let clients = clients.collect::<Result<Vec<_>>>()?;
    let start = Instant::now();
    ask(clients, |_| start.elapsed() < time, |session: &mut Session| session.insert().map(Some))
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
