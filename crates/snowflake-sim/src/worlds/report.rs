//! What many worlds come to.

use super::world::{Outcome, add};
use crate::check::order::Inversion;
use crate::server::Counts;
use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub struct Total {
    pub worlds: usize,
    pub servers: usize,
    /// In one world.
    pub most_servers: usize,
    pub ids: u64,
    pub counts: Counts,
    pub causal_pairs: u64,
    pub below_shown: u64,
    /// How many worlds have violations.
    pub worlds_with_findings: usize,
    pub duplicates: u64,
    pub largest_inversion: Inversion,
    pub least_margin_of_pairs_micros: i64,
}

impl Total {
    pub fn new(outcomes: &[Outcome]) -> Self {
        let mut counts = Counts::default();
        outcomes.iter().for_each(|outcome| add(&mut counts, outcome.counts.clone()));
        let largest = outcomes.iter().map(|outcome| outcome.largest_inversion);
        let margins = outcomes.iter().map(|outcome| outcome.least_margin_of_pairs_micros);
        Self {
            worlds: outcomes.len(),
            servers: outcomes.iter().map(|outcome| outcome.world.nodes).sum(),
            most_servers: outcomes.iter().map(|outcome| outcome.world.nodes).max().unwrap_or(0),
            ids: outcomes.iter().map(|outcome| outcome.ids).sum(),
            counts,
            causal_pairs: outcomes.iter().map(|outcome| outcome.causal_pairs).sum(),
            below_shown: outcomes.iter().map(|outcome| outcome.findings.below_shown).sum(),
            worlds_with_findings: outcomes.iter().filter(|it| !it.findings.are_none()).count(),
            duplicates: outcomes.iter().map(|outcome| outcome.findings.duplicates).sum(),
            largest_inversion: largest.max_by_key(|it| it.micros).unwrap_or_default(),
            least_margin_of_pairs_micros: margins.min().unwrap_or(i64::MAX),
        }
    }
}
