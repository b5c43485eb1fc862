//! What many worlds come to.

use super::capacity::grouped;
use super::machine::{Counts, SECOND};
use super::order::Inversion;
use super::world::{Outcome, World};
use serde::Serialize;
use snowflake_core::Section;

#[derive(Clone, Debug, Serialize)]
pub struct Total {
    /// What these worlds have in common.
    pub of: String,
    pub worlds: usize,
    pub servers: usize,
    /// In one world.
    pub most_servers: usize,
    pub ids: u64,
    pub counts: Counts,
    /// How many worlds have something that ought not to be.
    pub worlds_with_findings: usize,
    pub duplicates: u64,
    pub largest_inversion: Inversion,
    pub least_margin_of_pairs_micros: i64,
    pub share_out_of_order: f64,
}

impl Total {
    pub fn new<'a>(of: String, outcomes: impl Iterator<Item = &'a Outcome>) -> Self {
        let outcomes: Vec<_> = outcomes.collect();
        let mut counts = Counts::default();
        outcomes.iter().for_each(|outcome| counts += outcome.counts);
        let largest = outcomes.iter().map(|outcome| outcome.largest_inversion);
        let margins = outcomes.iter().map(|outcome| outcome.least_margin_of_pairs_micros);
        let shares: f64 = outcomes.iter().map(|outcome| outcome.share_out_of_order).sum();
        Self {
            of,
            worlds: outcomes.len(),
            servers: outcomes.iter().map(|outcome| outcome.world.nodes).sum(),
            most_servers: outcomes.iter().map(|outcome| outcome.world.nodes).max().unwrap_or(0),
            ids: outcomes.iter().map(|outcome| outcome.ids).sum(),
            counts,
            worlds_with_findings: outcomes.iter().filter(|it| !it.findings.are_none()).count(),
            duplicates: outcomes.iter().map(|outcome| outcome.findings.duplicates).sum(),
            largest_inversion: largest.max_by_key(|it| it.micros).unwrap_or_default(),
            least_margin_of_pairs_micros: margins.min().unwrap_or(i64::MAX),
            share_out_of_order: shares / outcomes.len() as f64,
        }
    }

    /// By something that worlds have in common, in the order in which it first comes up.
    pub fn by(outcomes: &[Outcome], key: impl Fn(&World) -> String) -> Vec<Self> {
        let mut keys: Vec<String> = vec![];
        for outcome in outcomes {
            let key = key(&outcome.world);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let total = |name: String| {
            let of = outcomes.iter().filter(|outcome| key(&outcome.world) == name);
            Self::new(name.clone(), of)
        };
        keys.into_iter().map(total).collect()
    }

    pub const HEADINGS: &str = "\
        | | worlds | servers | IDs | crashes | clean stops | failovers | steps back | steps forward \
        | paced waits | duplicates | largest inversion, s | its bound, s | closest to a bound, ms \
        | pairs out of order |\n\
        | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: \
        | ---: | ---: |";

    /// A line of the table.
    pub fn row(&self) -> String {
        let Self { of, worlds, counts, largest_inversion, .. } = self;
        let numbers = [
            self.servers as u64,
            self.ids,
            counts.crashes,
            counts.clean_stops,
            counts.failovers,
            counts.steps_back,
            counts.steps_forward,
            counts.paced_waits,
            self.duplicates,
        ];
        let seconds = |micros: i64| micros as f64 / SECOND as f64;
        // Of a clock that was years off, the bound says nothing, and the inversion how long it ran.
        let largest = match counts.steps_forward + counts.steps_back {
            0 => format!(
                "{:.3} | {:.3}",
                seconds(largest_inversion.micros),
                seconds(largest_inversion.bound_micros)
            ),
            _ => "- | -".to_owned(),
        };
        format!(
            "| {of} | {worlds} | {} | {largest} | {:.3} | {:.1}% |",
            numbers.map(grouped).join(" | "),
            1_000.0 * seconds(self.least_margin_of_pairs_micros),
            100.0 * self.share_out_of_order,
        )
    }
}

/// A layout's widths, as they are written: timestamp, datacenter, machine, sequence.
pub fn widths(world: &World) -> String {
    let sections = [Section::Timestamp, Section::Datacenter, Section::Machine, Section::Sequence];
    sections.map(|section| world.layout.bits(section).to_string()).join(" / ")
}
