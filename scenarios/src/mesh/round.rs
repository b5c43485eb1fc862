//! One failure of the network under load, and what comes after it.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use snowflake_testkit::{grouped, requests::Answers};

use super::{Mesh, Options};
use crate::{
    network::Cut,
    report::{Claim, latency},
};

/// What was measured in one round.
pub(super) struct Round {
    /// None: the network was whole, for comparison.
    cut: Option<Cut>,
    pub(super) answers: Answers,
    /// Rows that came through where nothing was to.
    crossed: i64,
    /// Rows that some node lacked when the cut ended, summed over the nodes.
    backlog: i64,
    /// From the last answer until all tables were equal.
    converged: Option<Duration>,
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

impl Watch<'_> {
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
    pub(super) fn run(mesh: &Mesh, cut: Option<Cut>, options: &Options) -> Result<Self> {
        let silent = cut.map(|cut| cut.silent(mesh.network())).unwrap_or_default();
        let before = mesh.rows_by_origin()?;
        let mut watch = Watch { mesh, silent, before, crossed: 0, backlog: 0 };
        // For comparison alone, a third will do.
        let time = if cut.is_some() { options.time } else { options.time / 3 };
        let load = mesh.ask(options.per_second, time, options.deadline)?;
        if let Some(cut) = cut {
            cut.during(mesh.network(), time, || watch.look())?;
        }
        let answers = load.finish();
        let rows = watch.before[0].iter().sum::<i64>() + i64::try_from(answers.ids())?;
        let converged = mesh.time_to_converge(rows, options.converge)?;
        Ok(Self { cut, answers, crossed: watch.crossed, backlog: watch.backlog, converged })
    }

    pub(super) fn claims(&self, options: &Options) -> Vec<Claim> {
        let name = self.cut.map_or_else(|| "whole network".to_owned(), |cut| cut.to_string());
        let (asked, refused) = (self.answers.asked, self.answers.failures.len());
        let converged = self.converged.map(|time| format!("{:.2}", time.as_secs_f64()));
        let mut claims = vec![
            Claim::new(
                format!("{name}: requests refused, or without an ID in time"),
                format!("{refused} of {}", grouped(asked)),
                0,
                refused == 0 && asked > 0,
            ),
            Claim::reported(format!("{name}: ms to the slowest ID"), self.answers.quantile(1.0)),
            Claim::new(
                format!("{name}: seconds to one checksum"),
                converged.as_deref().unwrap_or("never"),
                format!("at most {}", options.converge.as_secs()),
                converged.is_some(),
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
            let what = format!("{name}: replication backlog, in rows over all nodes");
            claims.push(Claim::at_least(what, self.backlog, bar));
        }
        claims
    }

    pub(super) fn data(&self) -> Value {
        let reasons = self.answers.failures.iter().take(5).map(ToString::to_string);
        json!({
            "cut": self.cut,
            "requests": self.answers.asked,
            "refused": self.answers.failures.len(),
            "reasons": reasons.collect::<Vec<_>>(),
            "milliseconds": latency(&self.answers),
            "crossed": self.crossed,
            "backlog": self.backlog,
            "seconds_to_converge": self.converged.map(|time| time.as_secs_f64()),
        })
    }
}
