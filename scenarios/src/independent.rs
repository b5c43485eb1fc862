//! Scenario 1: servers that know nothing of each other behind HAProxy, one of which is stopped for a
//! while under load.

pub mod balancer;
mod claims;
mod drift;
pub mod servers;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;
use snowflake_testkit::{
    DEADLINE, interrupt,
    requests::{Requests, Running},
};

use crate::{options::seconds, report::Report};
use claims::Findings;
use drift::DriftWatch;
use servers::Servers;

pub use claims::DUPLICATES;

/// Which server is stopped.
const STOPPED: usize = 1;

/// How it is run.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Seconds under load, at least; half-way a server is stopped, and started again after another quarter
    #[arg(long = "seconds", value_parser = seconds, default_value = "20")]
    pub time: Duration,
    /// Inserts a second, all clients together
    #[arg(long = "rate", default_value_t = 10_000)]
    pub per_second: u32,
    /// Rows that one statement inserts; with 1, the rate of 10,000 wants more than two cores
    #[arg(long, default_value_t = 5)]
    pub rows: u32,
    /// Clients, one session each
    #[arg(long, default_value_t = 12)]
    pub sessions: usize,
    /// How long a client tries to get an answer before its request counts as lost
    #[arg(skip = Duration::from_secs(15))]
    pub deadline: Duration,
    /// Machine ids, one server each
    #[arg(skip = [1, 2, 3])]
    pub machines: Vec<u32>,
}

impl Options {
    fn requests(&self) -> Result<Requests> {
        let per_request = self.rows != 0 && self.per_second.is_multiple_of(self.rows);
        if !per_request || self.per_second == 0 || self.machines.len() <= STOPPED {
            bail!("inserts a second have to be a multiple of rows, and servers at least two");
        }
        let rows = self.rows;
        Ok(Requests {
            query: format!(
                "INSERT INTO orders SELECT FROM generate_series(1, {rows}) RETURNING id"
            ),
            per_second: self.per_second / rows,
            time: self.time,
            deadline: self.deadline,
            sessions: self.sessions,
            lifetime: Some(self.time / 10),
        })
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
    let requests = options.requests()?;
    let mut servers = Servers::start(&options.machines)?;
    let drift = DriftWatch::start(&servers.nodes);
    let load = requests.start(&[servers.balancer.config()], servers.nodes.len())?;
    let times = interrupted_service(&mut servers, &load, options)?;
    let findings = Findings {
        times,
        answers: load.finish(),
        tables: servers.tables()?,
        drift: drift.finish(),
        time_shift: servers.bits_below_time()?,
        quiet_logs: servers.quiet_logs()?,
        balancer_log: servers.balancer.log()?,
        times_down: servers.balancer.times_down(STOPPED)?,
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

fn interrupted_service(servers: &mut Servers, load: &Running, options: &Options) -> Result<Times> {
    let start = load.start;
    interrupt::pause((options.time / 2).saturating_sub(start.elapsed()))?;
    eprintln!("one server stops ...");
    let stop = start.elapsed();
    servers.nodes[STOPPED].stop()?;
    let stopped = start.elapsed();
    interrupt::wait_for("HAProxy to see the server down", DEADLINE, || {
        Ok(servers.balancer.times_down(STOPPED)? > 0)
    })?;
    interrupt::pause((options.time * 3 / 4).saturating_sub(start.elapsed()))?;
    eprintln!("it starts again ...");
    servers.nodes[STOPPED].start()?;
    let (back, before) = (start.elapsed(), load.answered_by(STOPPED));
    // Each session may have been about to count an answer from before.
    interrupt::wait_for("clients to come back to the server", DEADLINE, || {
        Ok(load.answered_by(STOPPED) > before + options.sessions as u64)
    })?;
    Ok(Times { start, stop, stopped, back })
}
