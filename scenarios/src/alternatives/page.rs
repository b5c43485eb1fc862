//! The page about the alternatives: words from a template, every figure from what was measured.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use snowflake_testkit::grouped;

use super::{
    Machine, Measured, Options, ROUNDS, Scheme,
    measure::{CLIENTS, PAUSE},
    plot::{self, Group},
    words,
};
use crate::{markdown::fill, report::Report};

/// The page's name.
pub const FILE: &str = "alternatives.md";
const TEMPLATE: &str = include_str!("page.md");

/// What the page tells.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page {
    pub(super) all: Vec<Measured>,
    pub(super) machine: Machine,
    pub(super) options: Options,
}

impl Page {
    /// The page of what the scenario has found.
    pub fn of(report: &Report) -> Result<Self> {
        Self::deserialize(&report.data).context("the figures of the alternatives")
    }

    /// The page itself.
    pub fn text(&self) -> Result<String> {
        fill(TEMPLATE, &self.facts())
    }

    fn facts(&self) -> BTreeMap<String, String> {
        let machine = &self.machine;
        let rows = self.all.iter().map(|one| one.index.rows).max().unwrap_or(0);
        let mut facts: BTreeMap<_, _> = [
            ("date", machine.date.clone()),
            ("network", machine.network.clone()),
            ("conditions", format!("PostgreSQL {}, {} cores", machine.postgresql, machine.cores)),
            ("speed", words::speed(&self.all)),
            ("size", words::size(&self.all)),
            ("fourths", words::fourths(&self.all)),
            ("ranks", words::ranks(&self.all)),
            ("losses", words::losses(&self.all)),
            ("v7", words::v7(machine.native_v7).to_owned()),
            ("v7_where", words::v7_where(machine.native_v7).to_owned()),
            ("v7_note", words::v7_note(&self.all, machine.native_v7)),
            ("clients", CLIENTS.to_string()),
            ("seconds", self.options.time.as_secs().to_string()),
            ("rounds", ROUNDS.to_string()),
            ("pause", PAUSE.as_millis().to_string()),
            ("keys", grouped(self.options.keys.into())),
            ("pairs", grouped(self.options.pairs as u64)),
            ("requests", self.options.requests.to_string()),
            ("patience", grouped(self.options.patience.as_millis() as u64)),
            ("rows", grouped(rows.unsigned_abs())),
        ]
        .map(|(name, fact)| (name.to_owned(), fact))
        .into();
        for one in &self.all {
            facts.extend(self.facts_of(one));
        }
        facts
    }

    fn facts_of(&self, one: &Measured) -> Vec<(String, String)> {
        let ours = words::of(&self.all, Scheme::Snowflake);
        let larger = ours.map_or(0.0, |ours| one.index.bytes as f64 / ours.index.bytes as f64);
        let slower = ours.map_or(0.0, |ours| one.inserts_per_second / ours.inserts_per_second);
        [
            ("once", words::share(one.disorder_at_once)),
            ("pause", words::share(one.disorder_with_pause)),
            ("one", words::answered(one.one_cut)),
            ("all", words::answered(one.all_cut)),
            ("wait", grouped(one.one_cut_slowest.round() as u64)),
            ("p50", format!("{:.1}", one.p50)),
            ("keys", grouped(one.keys_per_second as u64)),
            ("bytes_per_row", format!("{:.1}", one.index.bytes_per_row())),
            ("larger", format!("{larger:.2}")),
            ("slower", words::share(slower)),
        ]
        .map(|(name, fact)| (format!("{}.{name}", one.scheme.table()), fact))
        .into()
    }

    /// Draws its plots, which are files beside it.
    pub fn plot(&self, folder: &Path) -> Result<()> {
        let groups = |bars: fn(&Measured) -> Vec<(f64, String)>| -> Vec<Group> {
            let group = |one| (one, bars(one));
            let named =
                |(one, bars): (&Measured, _)| Group { name: one.scheme.name().into(), bars };
            self.all.iter().map(group).map(named).collect()
        };
        let file = |name: &str| folder.join(format!("alternatives-{name}.svg"));
        let inserts = groups(|one| {
            vec![(one.inserts_per_second, grouped(one.inserts_per_second.round() as u64))]
        });
        plot::bars(&file("inserts"), "Inserts a second, three servers", &[], &inserts)?;
        let latency = groups(|one| {
            let bar = |ms: f64| (ms, format!("{ms:.1} ms"));
            vec![bar(one.p50), bar(one.p99), bar(one.p999)]
        });
        plot::bars(
            &file("latency"),
            "How long an insert took",
            &["p50", "p99", "p99.9"],
            &latency,
        )?;
        let index = groups(|one| {
            vec![(one.index.bytes as f64, format!("{} MB", words::megabytes(one.index.bytes)))]
        });
        let rows = self.all.first().map_or(0, |one| one.index.rows.unsigned_abs());
        let title = format!("Index of the primary key after {} rows", grouped(rows));
        plot::bars(&file("index"), &title, &[], &index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alternatives::words::tests::measured;

    fn page() -> Page {
        let machine = Machine {
            date: "2026-01-02".into(),
            postgresql: "15.1".into(),
            native_v7: false,
            cores: 2,
            network: "cables".into(),
        };
        Page { all: measured(), machine, options: Options::default() }
    }

    #[test]
    fn every_place_of_the_template_has_a_fact() -> Result<()> {
        let text = page().text()?;
        assert!(!text.contains("{{") && !text.contains("}}"));
        Ok(())
    }

    #[test]
    fn the_page_has_the_figures_that_were_measured() -> Result<()> {
        let mut page = page();
        page.all[0].inserts_per_second = 98_765.0;
        assert!(page.text()?.contains("98,765"));
        Ok(())
    }
}
