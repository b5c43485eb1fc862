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
use serde::{Deserialize, Serialize};

use availability::{Answers, Failure};
use client::Key;
use measure::{CLIENTS, Index, Load, PAUSE, Walk};
use site::{PLACES, Site};

use crate::report::Report;
pub use scheme::Scheme;

/// The load of each scheme comes in so many parts, in turns, for what else the machine does to be
/// shared fairly.
const ROUNDS: u32 = 3;

/// How it is run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Options {
    /// How long clients insert, for each scheme.
    pub time: Duration,
    /// For the index.
    pub rows: u32,
    /// Made by one statement.
    pub keys: u32,
    /// Keys in a row, for their order, less one.
    pub pairs: usize,
    /// Of each client while the network is cut.
    pub requests: usize,
    /// How long a client waits for a ticket before it gives that server up.
    pub patience: Duration,
    /// Stay on loopback even where namespaces are permitted.
    pub loopback: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(12),
            rows: 5_000_000,
            keys: 1_000_000,
            pairs: 1_000,
            requests: 10,
            patience: Duration::from_secs(1),
            loopback: false,
        }
    }
}

/// All that was measured of one scheme.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    /// Which one.
    pub scheme: Scheme,
    /// Of the load.
    pub inserts_per_second: f64,
    /// Of an insert, in milliseconds.
    pub p50: f64,
    /// The same.
    pub p99: f64,
    /// The same.
    pub p999: f64,
    /// One server, one statement; for tickets the ticket servers together.
    pub keys_per_second: f64,
    /// Requests answered, and requests made, while one server was cut off.
    pub one_cut: (usize, usize),
    /// The same while every server was.
    pub all_cut: (usize, usize),
    /// The longest wait for a key while one server was cut off, in milliseconds.
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

/// Runs the scenario.
pub fn run(options: &Options) -> Result<Report> {
    Ok(measure(options)?.0)
}

/// Runs it, and also returns what the page is made of.
pub fn measure(options: &Options) -> Result<(Report, page::Page)> {
    let site = Site::start(options.loopback)?;
    let loads = loads(&site, options)?;
    eprintln!("the order of keys ...");
    let mut walks = Vec::new();
    for scheme in Scheme::ALL {
        let at_once = Walk::run(&site, scheme, options.pairs, Duration::ZERO)?;
        walks.push((at_once, Walk::run(&site, scheme, options.pairs, PAUSE)?));
    }
    let mut failures = Vec::new();
    for (failure, what) in [(Failure::One, "one server"), (Failure::All, "every server")] {
        eprintln!("{what} cut off ...");
        failures.push(availability::during(failure, &site, options)?);
    }
    let repeated = promises::repeated(&keys(&loads, &walks, &failures));
    let mut all = Vec::new();
    for (number, scheme) in Scheme::ALL.into_iter().enumerate() {
        eprintln!("{}: {} rows ...", scheme.name(), options.rows);
        let (load, walk) = (&loads[number], &walks[number]);
        let (one, every) = (&failures[0][number], &failures[1][number]);
        let keys_per_second = measure::keys_per_second(&site, scheme, options.keys)?;
        let index = Index::fill(&site, scheme, options)?;
        all.push(Measured {
            scheme,
            inserts_per_second: load.per_second(),
            p50: load.quantile(0.5),
            p99: load.quantile(0.99),
            p999: load.quantile(0.999),
            keys_per_second,
            one_cut: (one.keys.len(), one.asked),
            all_cut: (every.keys.len(), every.asked),
            one_cut_slowest: one.slowest,
            disorder_at_once: walk.0.out_of_order(),
            disorder_with_pause: walk.1.out_of_order(),
            index,
        });
    }
    let machine = machine(&site)?;
    let mut claims = promises::claims(&all, repeated);
    claims.push(promises::quiet(site.unexpected_lines()?));
    let conditions = conditions(&machine);
    let page = page::Page { all, machine, options: options.clone() };
    let data = serde_json::to_value(&page)?;
    Ok((Report { scenario: "The alternatives".to_owned(), conditions, claims, data }, page))
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

/// Per scheme, every key that a client was given.
fn keys(loads: &[Load], walks: &[(Walk, Walk)], failures: &[Vec<Answers>]) -> Vec<Vec<Key>> {
    let of = |number: usize| {
        let failures = failures.iter().map(|answers| &answers[number].keys);
        let walks = [&walks[number].0.keys, &walks[number].1.keys];
        walks.into_iter().chain([&loads[number].keys]).chain(failures).flatten().copied().collect()
    };
    (0..loads.len()).map(of).collect()
}

fn machine(site: &Site) -> Result<Machine> {
    let today = site.connect()?.query_one("SELECT current_date::text", &[])?.get(0);
    Ok(Machine {
        date: today,
        postgresql: site.full_version()?,
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
