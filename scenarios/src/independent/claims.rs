//! What was found, against what is claimed.

use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};
use snowflake_testkit::{
    grouped,
    latency::milliseconds,
    ledger::{distinct, setback},
    requests::{Answer, Answers},
};

use super::{
    Options, STOPPED, Times,
    drift::{Sample, most},
};
use crate::report::{Claim, latency};

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
    pub(super) answers: Answers,
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
        let mut claims = self.ids();
        claims.extend(self.requests(options));
        claims.extend(self.service(options));
        claims.push(self.quiet_logs.clone());
        claims
    }

    fn ids(&self) -> Vec<Claim> {
        let given = distinct(self.given()).err();
        let stored = distinct(self.tables.iter().flatten().copied()).err();
        let missing =
            format!("IDs of {} that are not in their server's table", grouped(self.rows()));
        let disorder = self.answers.ledgers.iter().find_map(|ledger| ledger.check().err());
        let setback = setback(&self.answers.ledgers, |id| id >> self.time_shift);
        let bar = self.drift() + ROUNDING_MS;
        vec![
            Claim::no_fault(DUPLICATES, given),
            Claim::no_fault("IDs that two tables have", stored),
            Claim::equal(missing, self.missing(), 0),
            Claim::no_fault("IDs of a server out of order", disorder),
            Claim::new(
                "largest inversion between servers, ms",
                setback.map_or("unknown".to_owned(), |setback| setback.max(0).to_string()),
                format!("at most {bar}: the largest drift, and {ROUNDING_MS}"),
                setback.is_some_and(|setback| setback <= bar),
            ),
        ]
    }

    fn requests(&self, options: &Options) -> Vec<Claim> {
        let Answers { asked, failures, .. } = &self.answers;
        // Those without an answer are lost, for whichever reason.
        let again: Vec<_> = failures.iter().filter(|it| it.answered_after.is_some()).collect();
        let here = again.iter().filter(|it| it.server == Some(STOPPED)).count();
        let elsewhere = again.len() - here;
        failures.iter().take(10).for_each(|failure| eprintln!("  {failure}"));
        let lost = format!("requests of {} that were lost", grouped(*asked));
        let untold = "rows whose ID was on its way at the stop";
        vec![
            Claim::equal(lost, self.answers.lost(), 0),
            Claim::at_most("requests made again after the stop", here, options.sessions),
            Claim::equal("requests made again that had failed at another server", elsewhere, 0),
            Claim::at_most(untold, self.untold(), here * options.rows as usize),
        ]
    }

    fn service(&self, options: &Options) -> Vec<Claim> {
        let Times { stop, back, .. } = self.times;
        let rate = |from, to| self.rate(options, from, to).round();
        let bar = f64::from(options.per_second) * SHARE;
        let gap = milliseconds(self.gap().unwrap_or(Duration::MAX));
        let retries = self.answers.failures.iter().filter_map(|failure| failure.answered_after);
        let retry = retries.max().map_or("none".to_owned(), |it| milliseconds(it).to_string());
        let [before, whole] = [rate(Duration::ZERO, stop), rate(Duration::ZERO, self.end(options))];
        let silence = "ms without an answer to any client, while the server was away";
        let returned = self.answers.answers.iter();
        let returned = returned.filter(|it| it.server == STOPPED && it.at() >= back).count();
        vec![
            Claim::at_least("rows a second before the stop", before, bar).about_time(),
            Claim::at_most(silence, gap, milliseconds(GAP)).about_time(),
            self.recovery(options, bar).about_time(),
            Claim::at_least("rows a second of the whole time", whole, bar).about_time(),
            Claim::at_least("times that HAProxy saw the server down", self.times_down, 1),
            Claim::at_least("requests to the server once it was back", returned, 1),
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

    pub(super) fn data(&self, options: &Options) -> Value {
        let Answers { failures, ledgers, .. } = &self.answers;
        let failures = failures.iter().map(|failure| {
            json!({
                "server": failure.server,
                "seconds": failure.at.as_secs_f64(),
                "why": failure.why,
                "milliseconds_to_answer": failure.answered_after.map(milliseconds),
            })
        });
        let seconds = 0..self.end(options).as_secs() as u32;
        let by_second = seconds.map(|at| self.rate(options, SECOND * at, SECOND * (at + 1)));
        json!({
            "seconds": options.time.as_secs_f64(),
            "inserts_per_second": options.per_second,
            "rows_per_insert": options.rows,
            "clients": options.sessions,
            "stop_seconds": self.times.stop.as_secs_f64(),
            "stopped_seconds": self.times.stopped.as_secs_f64(),
            "back_seconds": self.times.back.as_secs_f64(),
            "inserts": self.rows(),
            "inserts_by_server": ledgers.iter().map(|ledger| ledger.count()).collect::<Vec<_>>(),
            "inserts_by_second": by_second.collect::<Vec<_>>(),
            "milliseconds": latency(&self.answers),
            "drift_milliseconds": self.drift(),
            "retried": failures.collect::<Vec<_>>(),
            "haproxy": self.balancer_log.lines().collect::<Vec<_>>(),
        })
    }
}

/// Figures.
impl Findings {
    fn given(&self) -> impl Iterator<Item = i64> + '_ {
        self.answers.ledgers.iter().flat_map(|ledger| ledger.ids())
    }

    fn rows(&self) -> u64 {
        self.answers.ids()
    }

    /// How many of the IDs that a server returned its table does not have.
    fn missing(&self) -> usize {
        let servers = self.answers.ledgers.iter().zip(&self.tables);
        let missing = servers.map(|(ledger, table)| {
            ledger.ids().filter(|id| table.binary_search(id).is_err()).count()
        });
        missing.sum()
    }

    /// How many rows no client got the ID of.
    fn untold(&self) -> usize {
        let told: HashSet<_> = self.given().collect();
        self.tables.iter().flatten().filter(|id| !told.contains(id)).count()
    }

    /// The most drift of any server, before and after the restart of one.
    fn drift(&self) -> i64 {
        let Times { start, back, .. } = self.times;
        let of_life = |(server, again): (usize, bool)| {
            let here = |at: Duration| server != STOPPED || (at >= back) == again;
            let mut answers = self.answers.answers.iter().filter(|it| it.server == server);
            let first = answers.find(|it| here(it.at())).map(Answer::at)?;
            let samples = self.drift[server].iter();
            let samples = samples.filter(|it| here(it.at.saturating_duration_since(start)));
            Some(most(samples, start + first))
        };
        let servers = 0..self.drift.len();
        let lives = servers.flat_map(|server| [(server, false), (server, true)]);
        lives.filter_map(of_life).max().unwrap_or(0)
    }

    fn rate(&self, options: &Options, from: Duration, to: Duration) -> f64 {
        let answers = self.answers.answers.iter().map(Answer::at);
        let count = answers.filter(|&at| from <= at && at < to).count() as f64;
        count * f64::from(options.rows) / to.saturating_sub(from).as_secs_f64()
    }

    /// When the last answer had come, or was to have come.
    fn end(&self, options: &Options) -> Duration {
        let last = self.answers.answers.last().map(Answer::at).unwrap_or_default();
        last.max(options.time) + Duration::from_nanos(1)
    }

    /// The longest time without any answer, to any client, between the stop and the return.
    fn gap(&self) -> Option<Duration> {
        let Times { stop, back, .. } = self.times;
        let times: Vec<_> = self.answers.answers.iter().map(Answer::at).collect();
        let pairs = times.windows(2).filter(|pair| pair[1] >= stop && pair[0] < back);
        pairs.map(|pair| pair[1].saturating_sub(pair[0])).max()
    }
}
