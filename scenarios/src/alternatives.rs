//! Scenario 6: the alternatives, side by side, on the same servers under the same load.

mod availability;
mod client;
mod measure;
pub mod page;
mod plot;
mod promises;
mod scheme;
mod site;
mod words;

use std::{thread, time::Duration};

use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize};

use availability::{Answers, Failure};
use client::Key;
use measure::{Index, Load, PAUSE, Walk};
use site::{PLACES, Site};

use crate::{
    options::{defaults, seconds},
    report::Report,
};
pub use scheme::Scheme;

/// The load of each scheme comes in so many parts, in turns, for what else the machine does to be
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
    /// Stay on loopback even where namespaces are permitted
    #[arg(skip)]
    pub loopback: bool,
}

impl Default for Options {
    fn default() -> Self {
        defaults()
    }
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
    /// The servers' version.
    pub postgresql: String,
    /// Whether UUID v7 is PostgreSQL's own.
    pub native_v7: bool,
    /// Of the machine.
    pub cores: usize,
    /// What is between the servers.
    pub network: String,
}

/// The scenario's name.
pub const NAME: &str = "The alternatives";

/// Runs the scenario; its data are what [`page::Page`] is made of.
pub fn run(options: &Options) -> Result<Report> {
    let site = Site::start(options.loopback)?;
    let given = Given::gather(&site, options)?;
    let all = given.measured(&site, options)?;
    let machine = machine(&site)?;
    let mut claims = promises::claims(&all, promises::repeated(&given.keys()), options.patience);
    claims.push(site.quiet_logs()?);
    let conditions = conditions(&machine);
    let page = page::Page { all, machine, options: options.clone() };
    let data = serde_json::to_value(&page)?;
    let headline = words::headline(&page.all);
    Ok(Report { scenario: NAME.to_owned(), headline, conditions, claims, data })
}

/// What clients were given, per scheme.
struct Given {
    loads: Vec<Load>,
    walks: Vec<[Walk; 2]>,
    one_cut: Vec<Answers>,
    all_cut: Vec<Answers>,
}

impl Given {
    fn gather(site: &Site, options: &Options) -> Result<Self> {
        let loads = loads(site, options)?;
        // Before keys are made by the million, which puts the ID clock ahead of others for a while.
        eprintln!("the order of keys ...");
        let walk = |scheme, pause| Walk::run(site, scheme, options.pairs, pause);
        let walks = Scheme::ALL
            .into_iter()
            .map(|scheme| Ok([walk(scheme, Duration::ZERO)?, walk(scheme, PAUSE)?]))
            .collect::<Result<_>>()?;
        eprintln!("the first ticket server cut off ...");
        let one_cut = availability::during(Failure::One, site, options)?;
        eprintln!("every server cut off ...");
        let all_cut = availability::during(Failure::All, site, options)?;
        Ok(Self { loads, walks, one_cut, all_cut })
    }

    /// Every key.
    fn keys(&self) -> Vec<Vec<Key>> {
        let of = |number: usize| {
            let [at_once, with_pause] = &self.walks[number];
            let cuts = [&self.one_cut[number].keys, &self.all_cut[number].keys];
            let others = [&self.loads[number].keys, &at_once.keys, &with_pause.keys];
            cuts.into_iter().chain(others).flatten().copied().collect()
        };
        (0..self.loads.len()).map(of).collect()
    }

    /// The figures of that, and of statements with many keys.
    fn measured(&self, site: &Site, options: &Options) -> Result<Vec<Measured>> {
        let each = Scheme::ALL.into_iter().enumerate();
        each.map(|(number, scheme)| self.one(number, scheme, site, options)).collect()
    }

    fn one(
        &self,
        number: usize,
        scheme: Scheme,
        site: &Site,
        options: &Options,
    ) -> Result<Measured> {
        eprintln!("{}: {} rows ...", scheme.name(), options.rows);
        let (load, [at_once, with_pause]) = (&self.loads[number], &self.walks[number]);
        let (one_cut, all_cut) = (&self.one_cut[number], &self.all_cut[number]);
        let [slowest, middle, fastest] = load.per_second();
        Ok(Measured {
            scheme,
            inserts_per_second: middle,
            inserts_range: [slowest, fastest],
            p50: load.quantile(0.5),
            p99: load.quantile(0.99),
            p999: load.quantile(0.999),
            keys_per_second: measure::keys_per_second(site, scheme, options.keys)?,
            one_cut: (one_cut.keys.len(), one_cut.asked),
            all_cut: (all_cut.keys.len(), all_cut.asked),
            one_cut_slowest: one_cut.slowest,
            disorder_at_once: at_once.out_of_order(),
            disorder_with_pause: with_pause.out_of_order(),
            index: Index::fill(site, scheme, options)?,
        })
    }
}

fn loads(site: &Site, options: &Options) -> Result<Vec<Load>> {
    let mut loads: Vec<Load> = Scheme::ALL.iter().map(|_| Load::default()).collect();
    for round in 1..=ROUNDS {
        for (scheme, all) in Scheme::ALL.into_iter().zip(&mut loads) {
            eprintln!("{}: load {round} of {ROUNDS} ...", scheme.name());
            all.add(measure::load(site, scheme, options.time / ROUNDS)?);
        }
    }
    Ok(loads)
}

fn machine(site: &Site) -> Result<Machine> {
    let today = site.connect()?.query_one("SELECT current_date::text", &[])?.get(0);
    Ok(Machine {
        date: today,
        postgresql: snowflake_testkit::version()?,
        native_v7: site.version() >= 18,
        cores: thread::available_parallelism()?.get(),
        network: site.network().to_string(),
    })
}

fn conditions(machine: &Machine) -> Vec<String> {
    let cores = format!("{} cores, shared by clients and servers", machine.cores);
    let servers = format!("PostgreSQL {}, {PLACES} servers and 2 for tickets", machine.postgresql);
    vec![servers, cores, machine.network.clone()]
}
