//! Scenario 6: the alternatives, side by side, on the same servers under the same load.

mod availability;
mod client;
mod measure;
pub mod page;
mod plot;
mod promises;
mod scheme;
mod site;

use std::{thread, time::Duration};

use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize};
use snowflake_testkit::ledger::repeated;

use availability::Failure;
use measure::{Index, Load, PAUSE, Walk};
use site::{PLACES, Site};

use crate::{options::seconds, report::Report};
pub use scheme::Scheme;

/// The load of each scheme comes in this many parts, in turns, for what else the machine does to be
/// shared fairly.
const ROUNDS: u32 = 7;

/// How it is run.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Options {
    /// Seconds that clients insert, for each of the alternatives
    #[arg(long = "seconds", value_parser = seconds, default_value = "14")]
    pub time: Duration,
    /// Rows of which the index is measured
    #[arg(long, default_value_t = 5_000_000)]
    pub rows: u32,
    /// Keys made by one statement
    #[arg(skip = 1_000_000_u32)]
    pub keys: u32,
    /// Keys in a row, for their order, less one
    #[arg(skip = 1_000_usize)]
    pub pairs: usize,
    /// Requests of each client while the network is cut
    #[arg(skip = 10_usize)]
    pub requests: usize,
    /// How long a client waits for a ticket before it gives that server up
    #[arg(skip = Duration::from_secs(1))]
    pub patience: Duration,
}

/// All that was measured of one scheme.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    /// Which one.
    pub scheme: Scheme,
    /// Of the round in the middle.
    pub inserts_per_second: f64,
    /// Of the slowest round and the fastest.
    pub inserts_range: [f64; 2],
    /// Of an insert, in milliseconds.
    pub p50: f64,
    /// The same.
    pub p99: f64,
    /// The same.
    pub p999: f64,
    /// One server, one statement; for tickets the ticket servers together.
    pub keys_per_second: f64,
    /// Requests answered, and requests made, while the first ticket server was cut off.
    pub one_cut: (usize, usize),
    /// The same while every server was.
    pub all_cut: (usize, usize),
    /// The longest wait for a key while the first ticket server was cut off, in milliseconds.
    pub one_cut_slowest: f64,
    /// The share of pairs of keys whose later one is smaller, asked for without a pause.
    pub disorder_at_once: f64,
    /// The same, with a pause after each key.
    pub disorder_with_pause: f64,
    /// Of the primary key.
    pub index: Index,
}

/// What it was measured on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    /// By the servers' clock.
    pub date: String,
    /// The version of this project.
    pub pg_snowflake: String,
    /// The servers' version.
    pub postgresql: String,
    /// Of the machine.
    pub cores: usize,
}

/// What clients were given of one scheme.
struct Given {
    scheme: Scheme,
    load: Load,
    walks: [Walk; 2],
    cuts: [Load; 2],
}

/// Runs the scenario; its data are what [`page::Page`] is made of.
pub fn run(options: &Options) -> Result<Report> {
    let site = Site::start()?;
    let given = gather(&site, options)?;
    let all = given.iter().map(|one| one.measure(&site, options)).collect::<Result<Vec<_>>>()?;
    // Those of different schemes may be equal.
    let repeats = given.iter().map(|one| repeated(one.keys())).sum();
    let mut claims = promises::claims(&all, repeats, options.patience);
    claims.push(site.quiet_logs()?);
    let machine = Machine {
        date: site.connect()?.query_one("SELECT current_date::text", &[])?.get(0),
        pg_snowflake: env!("CARGO_PKG_VERSION").to_owned(),
        postgresql: snowflake_testkit::version()?,
        cores: thread::available_parallelism()?.get(),
    };
    let conditions = vec![
        format!("pg_snowflake {}", machine.pg_snowflake),
        format!("PostgreSQL {}, {PLACES} servers and 2 for tickets", machine.postgresql),
        format!("{} cores, shared by clients and servers", machine.cores),
    ];
    let page = page::Page { all, machine, options: options.clone() };
    let data = serde_json::to_value(&page)?;
    Ok(Report { scenario: "The alternatives".to_owned(), conditions, claims, data })
}

fn gather(site: &Site, options: &Options) -> Result<Vec<Given>> {
    let mut loads = Scheme::ALL.map(|_| Load::default());
    for round in 1..=ROUNDS {
        for (scheme, all) in Scheme::ALL.into_iter().zip(&mut loads) {
            eprintln!("{}: load {round} of {ROUNDS} ...", scheme.name());
            all.add(measure::load(site, scheme, options.time / ROUNDS)?);
        }
    }
    // Before keys are made by the million, which puts the ID clock ahead of others for a while.
    eprintln!("the order of keys ...");
    let walk = |scheme, pause| Walk::run(site, scheme, options.pairs, pause);
    let walks = Scheme::ALL
        .into_iter()
        .map(|scheme| Ok([walk(scheme, Duration::ZERO)?, walk(scheme, PAUSE)?]))
        .collect::<Result<Vec<_>>>()?;
    eprintln!("the first ticket server cut off ...");
    let one_cut = availability::during(Failure::One, site, options)?;
    eprintln!("every server cut off ...");
    let all_cut = availability::during(Failure::All, site, options)?;
    let given = Scheme::ALL.into_iter().zip(loads).zip(walks).zip(one_cut.into_iter().zip(all_cut));
    Ok(given
        .map(|(((scheme, load), walks), (one, all))| Given {
            scheme,
            load,
            walks,
            cuts: [one, all],
        })
        .collect())
}

impl Given {
    fn keys(&self) -> impl Iterator<Item = client::Key> + '_ {
        let loads = self.cuts.iter().chain([&self.load]).map(|load| &load.keys);
        loads.chain(self.walks.iter().map(|walk| &walk.keys)).flatten().copied()
    }

    /// The figures of that, and of statements with many keys.
    fn measure(&self, site: &Site, options: &Options) -> Result<Measured> {
        let Self { scheme, load, walks: [at_once, with_pause], cuts: [one_cut, all_cut] } = self;
        eprintln!("{}: {} rows ...", scheme.name(), options.rows);
        Ok(Measured {
            scheme: *scheme,
            inserts_per_second: load.rate(0.5),
            inserts_range: [0.0, 1.0].map(|share| load.rate(share)),
            p50: load.quantile(0.5),
            p99: load.quantile(0.99),
            p999: load.quantile(0.999),
            keys_per_second: measure::keys_per_second(site, *scheme, options.keys)?,
            one_cut: (one_cut.keys.len(), one_cut.asked),
            all_cut: (all_cut.keys.len(), all_cut.asked),
            one_cut_slowest: one_cut.quantile(1.0),
            disorder_at_once: at_once.out_of_order(),
            disorder_with_pause: with_pause.out_of_order(),
            index: Index::fill(site, *scheme, options)?,
        })
    }
}
