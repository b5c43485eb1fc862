//! What a run has shown.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    time::Duration,
};

use serde::Serialize;

use crate::{
    latency::{milliseconds, quantile},
    maelstrom::network::Traffic,
};

/// How many faults and duplicates are listed; all are counted.
const LISTED: usize = 20;

/// What is counted while a run goes on.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) errors: BTreeMap<i64, u64>,
    pub(super) unanswered: u64,
    pub(super) late: u64,
    pub(super) clients: u64,
    pub(super) partitions: BTreeMap<String, u64>,
    latencies: Vec<Duration>,
    ids: HashSet<String>,
    duplicates: Listed,
    pub(super) faults: Listed,
}

/// A few of many.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Listed {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub first: Vec<String>,
}

impl Listed {
    fn add(&mut self, text: String) {
        self.count += 1;
        if self.first.len() < LISTED {
            self.first.push(text);
        }
    }
}

impl Tally {
    pub(super) fn ok(&mut self, latency: Duration) {
        self.latencies.push(latency);
    }

    pub(super) fn id(&mut self, id: &serde_json::Value) {
        let id = id.to_string();
        if let Some(id) = self.ids.replace(id) {
            self.duplicates.add(id);
        }
    }

    pub(super) fn fault(&mut self, fault: String) {
        self.faults.add(fault);
    }

    /// `availability` is the share of requests that have to be answered.
    pub(super) fn report(self, setting: Setting, traffic: Traffic) -> Report {
        let ok = self.latencies.len() as u64;
        let share = if self.requests == 0 { 1.0 } else { ok as f64 / self.requests as f64 };
        let valid = self.faults.count == 0
            && self.duplicates.count == 0
            && setting.availability.is_none_or(|least| share >= least);
        Report {
            valid,
            rate: ok as f64 / setting.time_limit_s,
            setting,
            requests: self.requests,
            ok,
            ok_share: share,
            errors: self.errors,
            unanswered: self.unanswered,
            late: self.late,
            ids: self.ids.len() as u64,
            duplicates: self.duplicates,
            faults: self.faults,
            latency_ms: Latency::of(&self.latencies),
            clients: self.clients,
            partitions: self.partitions,
            traffic,
        }
    }
}

/// What was run.
#[derive(Debug, Clone, Serialize)]
pub struct Setting {
    /// Its name.
    pub workload: String,
    /// How many nodes.
    pub nodes: usize,
    /// How many requests a second were to be made.
    pub rate_wanted: f64,
    /// For how many seconds.
    pub time_limit_s: f64,
    /// The share of requests that has to be answered, if any.
    pub availability: Option<f64>,
    /// What chance was made of.
    pub seed: u64,
}

/// How long replies took, counted from when the request was due.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Of every second reply at most.
    pub p50: f64,
    /// Of 99 % of the replies at most.
    pub p99: f64,
    /// Of the slowest.
    pub max: f64,
}

impl Latency {
    fn of(times: &[Duration]) -> Self {
        let at = |share| milliseconds(quantile(times.iter().copied(), share));
        Self { p50: at(0.5), p99: at(0.99), max: at(1.0) }
    }
}

/// What a run has shown.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether every promise was kept.
    pub valid: bool,
    /// What was run.
    #[serde(flatten)]
    pub setting: Setting,
    /// Successful requests a second.
    pub rate: f64,
    /// Requests made.
    pub requests: u64,
    /// Of these, those that were answered in time, and not by an error.
    pub ok: u64,
    /// The same as a share: the availability.
    pub ok_share: f64,
    /// How many errors came, by code.
    pub errors: BTreeMap<i64, u64>,
    /// Requests without a reply in time.
    pub unanswered: u64,
    /// Of these, those with a reply later on.
    pub late: u64,
    /// Different IDs.
    pub ids: u64,
    /// IDs that came again.
    pub duplicates: Listed,
    /// What else nodes did wrong.
    pub faults: Listed,
    /// How long replies took.
    pub latency_ms: Latency,
    /// Clients that it took, each with one request at a time.
    pub clients: u64,
    /// How often the network fell apart in which way.
    pub partitions: BTreeMap<String, u64>,
    /// What went through the network.
    pub traffic: Traffic,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { workload, nodes, rate_wanted, time_limit_s, .. } = &self.setting;
        writeln!(
            f,
            "{workload}: {nodes} nodes, {rate_wanted} requests a second, {time_limit_s} s"
        )?;
        let share = 100.0 * self.ok_share;
        writeln!(
            f,
            "requests    {}, ok {} ({share:.3} %), {:.0} a second",
            self.requests, self.ok, self.rate
        )?;
        if self.ok < self.requests {
            let codes =
                self.errors.iter().map(|(code, count)| format!("{count} with error {code}"));
            let rest = [format!("{} unanswered, {} late", self.unanswered, self.late)];
            writeln!(f, "the others  {}", codes.chain(rest).collect::<Vec<_>>().join(", "))?;
        }
        let Latency { p50, p99, max } = &self.latency_ms;
        writeln!(
            f,
            "latency ms  p50 {p50:.2}, p99 {p99:.2}, max {max:.2}; {} clients",
            self.clients
        )?;
        let Traffic { client, server, dropped } = &self.traffic;
        writeln!(
            f,
            "messages    {client} with clients, {server} between nodes, {dropped} dropped"
        )?;
        if !self.partitions.is_empty() {
            let kinds = self.partitions.iter().map(|(kind, count)| format!("{count} {kind}"));
            writeln!(f, "partitions  {}", kinds.collect::<Vec<_>>().join(", "))?;
        }
        if self.setting.workload == "unique-ids" {
            writeln!(f, "IDs         {}, duplicates {}", self.ids, self.duplicates.count)?;
        }
        for (name, listed) in [("duplicate", &self.duplicates), ("fault", &self.faults)] {
            for text in &listed.first {
                writeln!(f, "{name}: {text}")?;
            }
            if listed.count > listed.first.len() as u64 {
                writeln!(f, "... {} {name}s in all", listed.count)?;
            }
        }
        f.write_str(if self.valid { "Everything as promised." } else { "A promise was broken." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(availability: Option<f64>) -> Setting {
        let workload = "unique-ids".to_owned();
        Setting { workload, nodes: 1, rate_wanted: 1.0, time_limit_s: 1.0, availability, seed: 0 }
    }

    #[test]
    fn total_availability_means_every_single_request() {
        let tally = |requests| {
            let mut tally = Tally { requests, ..Tally::default() };
            (0..999).for_each(|_| tally.ok(Duration::ZERO));
            tally
        };
        let valid =
            |requests, least| tally(requests).report(setting(least), Traffic::default()).valid;
        assert!(valid(999, Some(1.0)));
        assert!(!valid(1000, Some(1.0)));
        assert!(valid(1000, Some(0.999)));
        assert!(valid(1000, None));
    }

    #[test]
    fn one_duplicate_is_too_many() {
        let mut tally = Tally::default();
        for id in ["1", "2", "1"] {
            tally.id(&id.into());
        }
        tally.id(&1.into());
        let report = tally.report(setting(None), Traffic::default());
        assert_eq!(
            (report.valid, report.ids, report.duplicates.first),
            (false, 3, vec!["\"1\"".to_owned()])
        );
    }
}
