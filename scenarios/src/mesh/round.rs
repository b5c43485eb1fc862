//! One failure of the network under load, and what comes after it.

use std::time::Duration;

use anyhow::Result;
use postgres::Config;
use serde::Serialize;
use snowflake_testkit::{Ledger, grouped};

use super::{Mesh, Options, insert};
use crate::{
    latency::{milliseconds, quantile},
    network::Cut,
    report::Claim,
    requests::{Answers, Requests},
};

/// What was measured in one round.
#[derive(Debug, Serialize)]
pub(super) struct Round {
    /// None: the network was whole, for comparison.
    cut: Option<Cut>,
    pub(super) requests: usize,
    pub(super) refused: usize,
    /// The first few reasons.
    reasons: Vec<String>,
    /// Of the answers in time.
    milliseconds: Quantiles,
    /// Rows that came through where nothing was to.
    crossed: i64,
    /// Rows that some node lacked when the cut ended, summed over the nodes.
    backlog: i64,
    /// From the heal, or the last answer if that came later, until all tables were equal.
    pub(super) seconds_to_converge: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Quantiles {
    p50: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

/// What replication has done, and not done, since the round began; the most that was seen.
struct Watch<'a> {
    mesh: &'a Mesh,
    /// From which node to which nothing is to come.
    silent: Vec<(usize, usize)>,
    before: Vec<Vec<i64>>,
    crossed: i64,
    backlog: i64,
}

impl<'a> Watch<'a> {
    fn new(mesh: &'a Mesh, cut: Option<Cut>) -> Result<Self> {
        let silent = cut.map(|cut| cut.silent(mesh.network())).unwrap_or_default();
        Ok(Self { mesh, silent, before: mesh.rows_by_origin()?, crossed: 0, backlog: 0 })
    }

    fn look(&mut self) -> Result<()> {
        let now = self.mesh.rows_by_origin()?;
        let came = |&(from, to): &(usize, usize)| now[to][from] - self.before[to][from];
        let lack = |table: &Vec<i64>| -> i64 {
            table.iter().enumerate().map(|(from, rows)| now[from][from] - rows).sum()
        };
        self.crossed = self.crossed.max(self.silent.iter().map(came).sum());
        self.backlog = self.backlog.max(now.iter().map(lack).sum());
        Ok(())
    }
}

impl Round {
    /// Also returns what clients were given.
    pub(super) fn run(mesh: &Mesh, cut: Option<Cut>, options: &Options) -> Result<(Self, Answers)> {
        let mut watch = Watch::new(mesh, cut)?;
        let load = |time| ask(&mesh.sockets(), options, time);
        let answers = match cut {
            Some(cut) => cut.during(mesh.network(), || load(options.time), || watch.look())?,
            // For comparison alone.
            None => load(options.time / 3)?,
        };
        let given: u64 = answers.ledgers.iter().map(Ledger::count).sum();
        let rows = watch.before[0].iter().sum::<i64>() + i64::try_from(given)?;
        let converged = mesh.time_to_converge(rows, options.converge)?;
        let round = Self {
            cut,
            requests: answers.answers.len() + answers.refusals.len(),
            refused: answers.refusals.len(),
            reasons: answers.refusals.iter().take(5).map(ToString::to_string).collect(),
            milliseconds: Quantiles::of(&answers),
            crossed: watch.crossed,
            backlog: watch.backlog,
            seconds_to_converge: converged.map(|time| time.as_secs_f64()),
        };
        Ok((round, answers))
    }

    fn name(&self) -> String {
        self.cut.map_or_else(|| "whole network".to_owned(), |cut| cut.to_string())
    }

    pub(super) fn claims(&self, options: &Options) -> Vec<Claim> {
        let name = self.name();
        let mut claims = vec![
            Claim::new(
                format!("{name}: requests without an ID in time"),
                format!("{} of {}", self.refused, grouped(self.requests as u64)),
                0,
                self.refused == 0 && self.requests > 0,
            ),
            Claim::reported(format!("{name}: ms to the slowest ID"), self.milliseconds.max),
            Claim::new(
                format!("{name}: seconds to one checksum"),
                self.seconds_to_converge.map_or("never".to_owned(), |time| format!("{time:.2}")),
                format!("at most {}", options.converge.as_secs()),
                self.seconds_to_converge.is_some(),
            ),
        ];
        // Otherwise nothing has been shown.
        if let Some(cut) = self.cut {
            if cut != Cut::Flapping {
                let what = format!("{name}: rows that crossed the cut");
                claims.push(Claim::equal(what, self.crossed, 0));
            }
            // Counted while others are written: a tenth of a second's worth is no proof.
            let bar = i64::from(options.per_second / 10);
            let what = format!("{name}: rows it held up, summed over the nodes they were for");
            claims.push(Claim::at_least(what, self.backlog, bar));
        }
        claims
    }
}

fn ask(sockets: &[Config], options: &Options, time: Duration) -> Result<Answers> {
    let requests = Requests { per_second: options.per_second, time, deadline: options.deadline };
    Ok(requests.start(sockets, insert)?.finish())
}

impl Quantiles {
    fn of(answers: &Answers) -> Self {
        let took = || answers.answers.iter().map(|answer| answer.took);
        let of = |share| milliseconds(quantile(took(), share));
        Self { p50: of(0.5), p99: of(0.99), p999: of(0.999), max: of(1.0) }
    }
}
