//! Which pairs of IDs came out of order, and by how much. The bound is stated in [`super::bound`].

use super::Findings;
use super::log::Run;
use crate::clock::MILLI;
use serde::Serialize;
use std::collections::BTreeMap;

/// A pair out of order: the greater ID was returned this long before the other was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Inversion {
    pub micros: i64,
    pub bound_micros: i64,
}

pub struct Order {
    /// IDs greater than all that were returned before, when they were returned, and the latest time
    /// that they might have carried: increasing in ID and time.
    records: Vec<(i64, i64, i64)>,
    /// The same latest times by ID, without those for which a greater ID has an earlier one:
    /// increasing in both.
    latest: BTreeMap<i64, i64>,
    pub largest: Inversion,
    /// How close any pair came to its bound.
    pub least_margin: i64,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            records: vec![],
            latest: BTreeMap::new(),
            largest: Inversion::default(),
            least_margin: i64::MAX,
        }
    }
}

impl Order {
    pub fn add(&mut self, run: &Run, findings: &mut Findings) {
        self.check_bound(run, findings);
        self.measure(run);
        self.remember(run);
    }

    /// Of all greater IDs that were returned before, the one with the earliest latest time is the one
    /// that had least reason to be greater.
    fn check_bound(&mut self, run: &Run, findings: &mut Findings) {
        let Some((id, &latest)) = self.latest.range(run.first + 1..).next() else { return };
        let margin = latest - (run.call.low - MILLI);
        self.least_margin = self.least_margin.min(margin);
        if margin <= 0 {
            findings.out_of_bound += 1;
            findings.note(|| format!("{id}, of {latest} at the latest, was before {run:?}"));
        }
    }

    fn measure(&mut self, run: &Run) {
        let first_greater = self.records.partition_point(|&(id, ..)| id <= run.first);
        if let Some(&(_, returned, latest)) = self.records.get(first_greater) {
            let micros = run.call.asked - returned;
            if micros > self.largest.micros {
                let bound_micros = (latest - returned) - (run.call.low - run.call.asked) + MILLI;
                self.largest = Inversion { micros, bound_micros };
            }
        }
    }

    fn remember(&mut self, run: &Run) {
        if self.records.last().is_none_or(|&(id, ..)| id < run.last) {
            self.records.push((run.last, run.returned, run.latest));
        }
        if self.latest.range(run.last..).next().is_some_and(|(_, &latest)| latest <= run.latest) {
            return;
        }
        while let Some((&id, &latest)) = self.latest.range(..run.last).next_back()
            && latest >= run.latest
        {
            self.latest.remove(&id);
        }
        self.latest.insert(run.last, run.latest);
    }
}
