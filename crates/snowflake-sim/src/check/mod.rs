//! The judge: looks at everything that the clients of all servers were given, in the order in which they were
//! given it. How far order may be off is stated and proved in [`bound`].

pub mod bound;
pub mod log;
pub mod order;

use crate::clock::{MILLI, START};
use log::Run;
use order::Order;
use serde::Serialize;
use snowflake_core::{Epoch, Layout, Node, Space, Tick};
use std::collections::{BTreeMap, HashMap};

/// How many complaints are kept, from the first on.
const EXAMPLES: usize = 5;

/// What was found wrong, as numbers of IDs or pairs; all zero where the promises hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// IDs that a client had been given already.
    pub duplicates: u64,
    /// Runs with an ID of an earlier time than its caller's clock had said.
    pub behind_the_clock: u64,
    /// Runs with an ID of a later time than load, steps and crashes explain.
    pub ahead_of_the_bound: u64,
    /// Pairs of IDs further out of order than skew, drift and faults explain.
    pub out_of_bound: u64,
    /// IDs of another node, below one that their own server had returned before they were asked for, or
    /// not covered by the lease on disk.
    pub out_of_line: u64,
    /// IDs below one that their server had been shown before they were asked for.
    pub below_shown: u64,
    pub examples: Vec<String>,
}

impl Findings {
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    pub fn note(&mut self, text: impl FnOnce() -> String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(text());
        }
    }
}

pub struct Checker {
    space: Space,
    /// Ticks seen, as runs from first to last, none adjacent to another.
    seen: HashMap<Node, BTreeMap<Tick, Tick>>,
    pub ids: u64,
    pub findings: Findings,
    pub order: Order,
    /// The most that an ID was ahead of its server's wall clock when it was returned, and the least
    /// that one was below the latest time it may carry.
    pub largest_drift: i64,
    pub least_margin: i64,
}

impl Checker {
    pub fn new(layout: Layout) -> Self {
        Self {
            space: Space { layout, epoch: Epoch::default() },
            seen: HashMap::new(),
            ids: 0,
            findings: Findings::default(),
            order: Order::default(),
            largest_drift: i64::MIN,
            least_margin: i64::MAX,
        }
    }

    /// Runs are to come in the order in which they were returned.
    pub fn add(&mut self, run: &Run) {
        self.ids += run.ids();
        self.check_unique(run);
        self.check_times(run);
        self.order.add(run, &mut self.findings);
    }

    fn check_unique(&mut self, run: &Run) {
        let seen = self.seen.entry(run.identity).or_default();
        let repeated = insert(seen, run.first_tick, run.last_tick);
        if repeated > 0 {
            self.findings.duplicates += repeated;
            self.findings.note(|| format!("{repeated} duplicates in {run:?}"));
        }
    }

    fn check_times(&mut self, run: &Run) {
        let (first, last) = (self.time_of(run.first), self.time_of(run.last));
        self.largest_drift = self.largest_drift.max(last - run.wall);
        self.least_margin = self.least_margin.min(run.latest - last);
        if first <= run.call.low - MILLI {
            self.findings.behind_the_clock += 1;
            self.findings.note(|| format!("time {first} is behind the clock: {run:?}"));
        }
        if last > run.latest {
            self.findings.ahead_of_the_bound += 1;
            self.findings.note(|| format!("time {last} is too late: {run:?}"));
        }
    }

    /// The start of an ID's millisecond, in true time.
    fn time_of(&self, id: i64) -> i64 {
        self.space.decode(id).unwrap().unix_millis * MILLI - START
    }
}

/// Adds the numbers from first to last to a set of runs; returns how many were there already.
fn insert(seen: &mut BTreeMap<Tick, Tick>, first: Tick, last: Tick) -> u64 {
    let (mut from, mut to, mut repeated) = (first, last, 0);
    while let Some((&start, &end)) = seen.range(..=last + 1).next_back()
        && end + 1 >= first
    {
        repeated += (end.min(last) + 1).saturating_sub(start.max(first));
        (from, to) = (from.min(start), to.max(end));
        seen.remove(&start);
    }
    seen.insert(from, to);
    repeated
}
