//! What was found, against what is claimed.

use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};
use snowflake_testkit::{
    grouped,
    ledger::{distinct, setback},
};

use super::{
    Options, STOPPED, Times,
    drift::{Sample, most},
    load::{Outcome, Reply},
};
use crate::{
    latency::{milliseconds, quantile},
    report::Claim,
};

/// The claim that two servers with one machine id break.
pub const DUPLICATES: &str = "IDs that were given twice";

/// The share of the rate that has to be reached. The ends of a measured time fall between requests, so
/// not all of it.
const SHARE: f64 = 0.95;
/// How long there may be no answer to any client while one server is away.
const GAP: Duration = SECOND;
const SECOND: Duration = Duration::from_secs(1);
/// A server's clock, of which IDs have the milliseconds, is read a little before they are returned.
const ROUNDING_MS: i64 = 1;
/// Between the seconds that are looked at for the asked rate.
const STEP: Duration = Duration::from_millis(100);

/// All that there is to judge by.
pub(super) struct Findings {
    pub(super) times: Times,
    pub(super) outcome: Outcome,
    /// By server, the IDs of its rows.
    pub(super) tables: Vec<Vec<i64>>,
    /// By server, how far its ID clock was ahead.
    pub(super) drift: Vec<Vec<Sample>>,
    /// How many bits of an ID are below its millisecond.
    pub(super) time_shift: u32,
    pub(super) quiet_logs: Claim,
    pub(super) balancer_log: String,
    /// How often HAProxy has seen the stopped server go down.
    pub(super) times_down: usize,
}

impl Findings {
    pub(super) fn claims(&self, options: &Options) -> Vec<Claim> {
        let mut claims = self.identity();
        claims.extend(self.order());
        claims.extend(self.requests(options));
        claims.extend(self.service(options));
        claims.push(self.quiet_logs.clone());
        claims
    }

    fn identity(&self) -> Vec<Claim> {
        let given = distinct(self.ledger_ids()).err();
        let stored = distinct(self.tables.iter().flatten().copied()).err();
        vec![
            Claim::no_fault(DUPLICATES, given),
            Claim::no_fault("IDs that two tables have", stored),
            Claim::equal(
                format!("IDs of {} that are not in their server's table", grouped(self.inserts())),
                self.missing(),
                0,
            ),
        ]
    }

    fn order(&self) -> Vec<Claim> {
        let disorder = self.outcome.ledgers.iter().find_map(|ledger| ledger.check().err());
        let setback = self.setback();
        let bar = self.drift() + ROUNDING_MS;
        vec![
            Claim::no_fault("IDs of a server out of order", disorder),
            Claim::new(
                "milliseconds that time ran back between servers",
                setback.map_or("unknown".to_owned(), |setback| setback.max(0).to_string()),
                format!("at most {bar}: the largest drift, and {ROUNDING_MS}"),
                setback.is_some_and(|setback| setback <= bar),
            ),
        ]
    }

    fn requests(&self, options: &Options) -> Vec<Claim> {
        let outcome = &self.outcome;
        let asked = outcome.asked;
        let losses = |here: bool| {
            let counted = outcome.losses.iter().filter(|loss| (loss.server == STOPPED) == here);
            counted.count()
        };
        let retried = losses(true);
        let untold = self.untold();
        outcome.failures.iter().for_each(|failure| eprintln!("  {failure}"));
        vec![
            Claim::equal(
                format!("requests of {} that were lost", grouped(asked)),
                asked.saturating_sub(outcome.replies.len() as u64),
                0,
            ),
            Claim::at_most(
                "requests made again after the stop",
                retried,
                usize::from(options.sessions),
            ),
            Claim::equal("requests that failed at another server", losses(false), 0),
            Claim::at_most(
                "rows whose ID was on its way at the stop",
                untold,
                retried * options.rows as usize,
            ),
        ]
    }

    fn service(&self, options: &Options) -> Vec<Claim> {
        let Times { stop, back, .. } = self.times;
        let rate = |from, to| self.rate(options, from, to).round();
        let bar = f64::from(options.per_second) * SHARE;
        let gap = self.common_gap().unwrap_or(Duration::MAX);
        let retry =
            self.longest_retry().map_or("none".to_owned(), |it| milliseconds(it).to_string());
        vec![
            Claim::at_least("rows a second before the stop", rate(Duration::ZERO, stop), bar)
                .about_time(),
            Claim::at_most(
                "ms without an answer to any client, while the server was away",
                milliseconds(gap),
                milliseconds(GAP),
            )
            .about_time(),
            self.recovery(options, bar).about_time(),
            Claim::at_least(
                "rows a second of the whole time",
                rate(Duration::ZERO, self.end(options)),
                bar,
            )
            .about_time(),
            Claim::at_least("times that HAProxy saw the server down", self.times_down, 1),
            Claim::at_least("requests to the server once it was back", self.after(back), 1),
            Claim::reported("ms that a request waited for another server", retry),
        ]
    }

    /// With the server still away, unless the machine is too busy for that.
    fn recovery(&self, options: &Options, bar: f64) -> Claim {
        let Times { stop, back, .. } = self.times;
        let seconds = (0_u32..).map(|step| stop + STEP * step);
        let mut seconds = seconds.take_while(|&from| from + SECOND <= self.end(options));
        let found = seconds.find(|&from| self.rate(options, from, from + SECOND) >= bar);
        let figure = found.map(|from| (from - stop).as_secs_f64());
        Claim::new(
            "seconds from the stop until they are at that rate",
            figure.map_or("never".to_owned(), |figure| format!("{figure:.1}")),
            format!("at most {:.1}, when the server is back", (back - stop).as_secs_f64()),
            found.is_some_and(|from| from <= back),
        )
    }

    pub(super) fn headline(&self) -> String {
        let asked = self.outcome.asked;
        let lost = asked.saturating_sub(self.outcome.replies.len() as u64);
        let gap = self.common_gap().map_or(f64::INFINITY, milliseconds);
        format!(
            "{} rows, {lost} of {} requests lost; never more than {gap:.0} ms without an answer",
            grouped(self.inserts()),
            grouped(asked)
        )
    }

    pub(super) fn data(&self, options: &Options) -> Value {
        let outcome = &self.outcome;
        let took = || outcome.replies.iter().map(|reply| reply.answer.took);
        let quantile = |share| milliseconds(quantile(took(), share));
        let by_server: Vec<_> = outcome.ledgers.iter().map(|ledger| ledger.count()).collect();
        let losses = outcome.losses.iter().map(|loss| {
            json!({
                "server": loss.server,
                "seconds": loss.at.as_secs_f64(),
                "why": loss.why,
                "milliseconds_to_answer": loss.answered_after.map(milliseconds),
            })
        });
        json!({
            "seconds": options.time.as_secs_f64(),
            "inserts_per_second": options.per_second,
            "rows_per_insert": options.rows,
            "clients": options.sessions,
            "stop_seconds": self.times.stop.as_secs_f64(),
            "stopped_seconds": self.times.stopped.as_secs_f64(),
            "back_seconds": self.times.back.as_secs_f64(),
            "inserts": self.inserts(),
            "inserts_by_server": by_server,
            "inserts_by_second": self.by_second(options),
            "milliseconds": {
                "p50": quantile(0.5), "p99": quantile(0.99),
                "p999": quantile(0.999), "max": quantile(1.0),
            },
            "drift_milliseconds": self.drift(),
            "setback_milliseconds": self.setback(),
            "retried": losses.collect::<Vec<_>>(),
            "haproxy": self.balancer_log.lines().collect::<Vec<_>>(),
        })
    }
}

/// Figures.
impl Findings {
    fn ledger_ids(&self) -> impl Iterator<Item = i64> + '_ {
        self.outcome.ledgers.iter().flat_map(|ledger| ledger.ids())
    }

    fn inserts(&self) -> u64 {
        self.outcome.ledgers.iter().map(|ledger| ledger.count()).sum()
    }

    /// How many of the IDs that a server returned its table does not have.
    fn missing(&self) -> usize {
        let servers = self.outcome.ledgers.iter().zip(&self.tables);
        let missing = servers.map(|(ledger, table)| {
            ledger.ids().filter(|id| table.binary_search(id).is_err()).count()
        });
        missing.sum()
    }

    /// How many rows no client got the ID of.
    fn untold(&self) -> usize {
        let told: HashSet<_> = self.ledger_ids().collect();
        self.tables.iter().flatten().filter(|id| !told.contains(id)).count()
    }

    fn setback(&self) -> Option<i64> {
        setback(&self.outcome.ledgers, |id| id >> self.time_shift)
    }

    /// The most drift of any server, before and after the restart of one.
    fn drift(&self) -> i64 {
        let Times { start, back, .. } = self.times;
        let of_life = |server: usize, samples: &[Sample], again: bool| {
            let here = |at: Duration| server != STOPPED || (at >= back) == again;
            let of_server = self.outcome.replies.iter().filter(|reply| reply.server == server);
            let first = of_server.map(Reply::at).find(|&at| here(at));
            let here: Vec<_> = samples
                .iter()
                .copied()
                .filter(|it| here(it.at.saturating_duration_since(start)))
                .collect();
            first.map_or(0, |first| most(&here, start + first))
        };
        let servers = self.drift.iter().enumerate();
        let lives = servers.flat_map(|(server, samples)| {
            [false, true].map(|again| of_life(server, samples, again))
        });
        lives.max().unwrap_or(0)
    }

    fn rate(&self, options: &Options, from: Duration, to: Duration) -> f64 {
        let replies = self.outcome.replies.iter().map(Reply::at);
        let count = replies.filter(|&at| from <= at && at < to).count() as f64;
        count * f64::from(options.rows) / to.saturating_sub(from).as_secs_f64()
    }

    /// When the last reply had come, or was to have come.
    fn end(&self, options: &Options) -> Duration {
        let last = self.outcome.replies.last().map(Reply::at).unwrap_or_default();
        last.max(options.time) + Duration::from_nanos(1)
    }

    fn by_second(&self, options: &Options) -> Vec<f64> {
        let seconds = self.end(options).as_secs() as u32;
        (0..seconds).map(|at| self.rate(options, SECOND * at, SECOND * (at + 1))).collect()
    }

    /// How many requests the stopped server has answered from then on.
    fn after(&self, back: Duration) -> usize {
        let replies = self.outcome.replies.iter();
        replies.filter(|reply| reply.server == STOPPED && reply.at() >= back).count()
    }

    /// The longest time without any reply, to any client, between the stop and the return.
    fn common_gap(&self) -> Option<Duration> {
        let Times { stop, back, .. } = self.times;
        let times: Vec<_> = self.outcome.replies.iter().map(Reply::at).collect();
        let pairs = times.windows(2).filter(|pair| pair[1] >= stop && pair[0] < back);
        pairs.map(|pair| pair[1].saturating_sub(pair[0])).max()
    }

    fn longest_retry(&self) -> Option<Duration> {
        self.outcome.losses.iter().filter_map(|loss| loss.answered_after).max()
    }
}
