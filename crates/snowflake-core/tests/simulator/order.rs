//! Which pairs of IDs came out of order, and by how much. The bound is stated in [`super::bound`].

use super::check::Findings;
use super::log::Run;
use super::machine::{MILLI, SECOND};
use serde::Serialize;
use std::collections::BTreeMap;

/// So many IDs are kept for counting the pairs out of order.
const SAMPLE: u64 = 50_000;
/// How far apart in time the two IDs of a pair are.
pub const DISTANCES: [i64; 6] = [MILLI, 100 * MILLI, SECOND, 5 * SECOND, 10 * SECOND, 20 * SECOND];

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
    ids: u64,
    stride: u64,
    sample: Vec<(i64, i64)>,
}

impl Order {
    pub fn new(ids_expected: u64) -> Self {
        Self {
            records: vec![],
            latest: BTreeMap::new(),
            largest: Inversion::default(),
            least_margin: i64::MAX,
            ids: 0,
            stride: ids_expected.div_ceil(SAMPLE).max(1),
            sample: vec![],
        }
    }

    pub fn add(&mut self, run: &Run, findings: &mut Findings) {
        self.check_bound(run, findings);
        self.measure(run);
        self.take_sample(run);
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

    fn take_sample(&mut self, run: &Run) {
        let before = self.ids / self.stride;
        self.ids += run.len();
        if self.ids / self.stride > before {
            self.sample.push((run.returned, run.first));
        }
    }

    /// How many of a sample's pairs are out of order, as a share.
    pub fn share_out_of_order(&self) -> f64 {
        let mut ids: Vec<i64> = self.sample.iter().map(|&(_, id)| id).collect();
        let pairs = ids.len() as f64 * (ids.len() as f64 - 1.0) / 2.0;
        inversions(&mut ids) as f64 / pairs.max(1.0)
    }

    /// The same for pairs that are this far apart in time.
    pub fn shares_by_distance(&self) -> [f64; DISTANCES.len()] {
        DISTANCES.map(|distance| {
            let (mut pairs, mut out_of_order) = (0_u64, 0_u64);
            for &(time, id) in &self.sample {
                let later = self.sample.partition_point(|&(other, _)| other < time + distance);
                if let Some(&(_, other)) = self.sample.get(later) {
                    pairs += 1;
                    out_of_order += u64::from(other < id);
                }
            }
            out_of_order as f64 / (pairs as f64).max(1.0)
        })
    }
}

/// Sorts, and counts the pairs that were out of order.
fn inversions(numbers: &mut [i64]) -> u64 {
    if numbers.len() < 2 {
        return 0;
    }
    let (left, right) = numbers.split_at_mut(numbers.len() / 2);
    let within = inversions(left) + inversions(right);
    let across: usize =
        left.iter().map(|&number| right.partition_point(|&other| other < number)).sum();
    numbers.sort();
    within + across as u64
}
