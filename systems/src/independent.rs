//! Scenario 1: servers that know nothing of each other behind HAProxy, one of which is stopped for a
//! while under load.

pub mod balancer;
mod claims;
mod drift;
mod load;
pub mod servers;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::{interrupt, report::Report};
use claims::Findings;
use drift::DriftWatch;
use load::Load;
use servers::Servers;

pub use claims::DUPLICATES;

/// Which server is stopped.
const STOPPED: usize = 1;

/// How it is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long the load lasts. Half-way a server is stopped, and started again after another
    /// quarter.
    pub time: Duration,
    /// Inserts, all clients together.
    pub per_second: u32,
    /// How many of them a request makes. With one, and so a commit for each, 10,000 a second are at
    /// the limit of two cores that run clients, HAProxy and servers.
    pub rows: u32,
    /// How many clients there are, one session each.
    pub sessions: u16,
    /// How long a client tries to get an answer before its request counts as lost.
    pub deadline: Duration,
    /// The share of the rate that has to be reached. The ends of a measured time fall between
    /// requests, so not all of it; less on a machine that is shared.
    pub share: f64,
    /// One server each.
    pub machines: Vec<u32>,
    /// Stay on loopback even where namespaces are permitted.
    pub loopback: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(20),
            per_second: 10_000,
            rows: 5,
            sessions: 12,
            deadline: Duration::from_secs(15),
            share: 0.95,
            machines: vec![1, 2, 3],
            loopback: false,
        }
    }
}

impl Options {
    fn check(&self) -> Result<()> {
        let per_request = self.rows != 0 && self.per_second.is_multiple_of(self.rows);
        if !per_request || self.per_second == 0 || self.machines.len() <= STOPPED {
            bail!("inserts a second have to be a multiple of rows, and servers at least two");
        }
        Ok(())
    }
}

/// When what was done to the server, from the start of the load.
#[derive(Debug, Clone, Copy)]
struct Times {
    start: Instant,
    /// It was told to stop.
    stop: Duration,
    /// It had ended.
    stopped: Duration,
    /// It accepted connections again.
    back: Duration,
}

/// Runs the scenario.
pub fn run(options: &Options) -> Result<Report> {
    options.check()?;
    let mut servers = Servers::start(&options.machines, options.loopback)?;
    let drift =
        DriftWatch::start(servers.nodes().iter().map(|node| node.config("postgres")).collect());
    let load = servers.at_clients(|| Load::start(&servers.balancer().config(), options))??;
    let times = interrupted_service(&mut servers, load.start, options);
    let outcome = load.finish();
    let findings = Findings {
        times: times?,
        outcome,
        tables: servers.tables()?,
        drift: drift.finish(),
        time_shift: servers.bits_below_time()?,
        unexpected_lines: servers.unexpected_lines()?,
        balancer_log: servers.balancer().log()?,
    };
    let mut conditions = servers.conditions()?;
    conditions.push(format!("{} clients", options.sessions));
    conditions.push(match options.rows {
        1 => "single-row inserts".to_owned(),
        rows => format!("{rows} rows per insert"),
    });
    Ok(Report {
        scenario: "Independent servers".to_owned(),
        conditions,
        claims: findings.claims(options),
        data: findings.data(options),
    })
}

fn interrupted_service(servers: &mut Servers, start: Instant, options: &Options) -> Result<Times> {
    let node = &mut servers.nodes_mut()[STOPPED];
    interrupt::pause((options.time / 2).saturating_sub(start.elapsed()))?;
    eprintln!("one server stops ...");
    let stop = start.elapsed();
    node.stop()?;
    let stopped = start.elapsed();
    interrupt::pause((options.time * 3 / 4).saturating_sub(start.elapsed()))?;
    eprintln!("it starts again ...");
    node.start()?;
    Ok(Times { start, stop, stopped, back: start.elapsed() })
}
