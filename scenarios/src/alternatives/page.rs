//! The page about the alternatives: sentences from a template, tables and figures from what was measured.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use snowflake_testkit::grouped;

use super::{
    Machine, Measured, Options, ROUNDS, Scheme,
    measure::{CLIENTS, PAUSE},
    plot::{self, Group},
};
use crate::{
    markdown::{
        Column::{self, Left, Right},
        fill, table,
    },
    report::Report,
};

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
        fill(TEMPLATE, &self.facts()?)
    }

    fn facts(&self) -> Result<BTreeMap<String, String>> {
        let Self { all, machine, options } = self;
        let mut facts: BTreeMap<_, _> = [
            ("date", machine.date.clone()),
            (
                "conditions",
                format!(
                    "pg_snowflake {}, PostgreSQL {}, {} cores",
                    machine.pg_snowflake, machine.postgresql, machine.cores
                ),
            ),
            ("speed", speed(all)),
            ("size", size(all)),
            (
                "fourths",
                by_name(&[Left("what it takes")], all, |one| {
                    vec![one.scheme.fourth_server().to_owned()]
                }),
            ),
            ("clients", CLIENTS.to_string()),
            ("seconds", options.time.as_secs().to_string()),
            ("rounds", ROUNDS.to_string()),
            ("pause", PAUSE.as_millis().to_string()),
            ("keys", grouped(options.keys.into())),
            ("pairs", grouped(options.pairs as u64)),
            ("requests", options.requests.to_string()),
            ("patience", grouped(options.patience.as_millis() as u64)),
            ("rows", self.rows()),
        ]
        .map(|(name, fact)| (name.to_owned(), fact))
        .into();
        let ours = all.iter().find(|one| one.scheme == Scheme::Snowflake);
        let ours = ours.context("no figures of pg_snowflake")?;
        facts.extend(all.iter().flat_map(|one| facts_of(one, ours)));
        Ok(facts)
    }

    fn rows(&self) -> String {
        grouped(self.all.first().map_or(0, |one| one.index.rows.unsigned_abs()))
    }

    /// Draws its plots, which are files beside it.
    pub fn plot(&self, folder: &Path) -> Result<()> {
        let draw = |name, title: &str, keys: &[&str], bars: fn(&Measured) -> Vec<(f64, String)>| {
            let group = |one: &Measured| Group { name: one.scheme.name().into(), bars: bars(one) };
            let groups: Vec<_> = self.all.iter().map(group).collect();
            plot::bars(&folder.join(format!("alternatives-{name}.svg")), title, keys, &groups)
        };
        draw("inserts", "Inserts a second, three servers", &[], |one| {
            vec![(one.inserts_per_second, whole(one.inserts_per_second))]
        })?;
        draw("latency", "How long an insert took", &["p50", "p99", "p99.9"], |one| {
            [one.p50, one.p99, one.p999].map(|ms| (ms, format!("{ms:.1} ms"))).into()
        })?;
        let title = format!("Index of the primary key after {} rows", self.rows());
        draw("index", &title, &[], |one| {
            vec![(one.index.bytes as f64, format!("{} MB", megabytes(one.index.bytes)))]
        })
    }
}

fn facts_of(one: &Measured, ours: &Measured) -> [(String, String); 9] {
    let larger = one.index.bytes as f64 / ours.index.bytes as f64;
    [
        ("once", share(one.disorder_at_once)),
        ("pause", share(one.disorder_with_pause)),
        ("one", answered(one.one_cut)),
        ("wait", whole(one.one_cut_slowest)),
        ("p50", format!("{:.1}", one.p50)),
        ("keys", whole(one.keys_per_second)),
        ("bytes_per_row", format!("{:.1}", one.index.bytes_per_row())),
        ("larger", format!("{larger:.2}")),
        ("slower", share(one.inserts_per_second / ours.inserts_per_second)),
    ]
    .map(|(name, fact)| (format!("{}.{name}", one.scheme.table()), fact))
}

fn whole(figure: f64) -> String {
    grouped(figure.round() as u64)
}

fn share(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn answered((answered, asked): (usize, usize)) -> String {
    format!("{answered} of {asked}")
}

fn megabytes(bytes: i64) -> String {
    format!("{:.0}", bytes as f64 / 1e6)
}

/// A table with the first column of names.
fn by_name(
    head: &[Column<'_>],
    all: &[Measured],
    cells: impl Fn(&Measured) -> Vec<String>,
) -> String {
    let columns = [&[Left("alternative")], head].concat();
    let name = |one: &Measured| vec![one.scheme.name().to_owned()];
    table(&columns, all.iter().map(|one| [name(one), cells(one)].concat()))
}

fn speed(all: &[Measured]) -> String {
    let head = [
        "inserts/s",
        "slowest to fastest round",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "keys/s",
        "rows/s in batches",
    ];
    by_name(&head.map(Right), all, |one| {
        vec![
            whole(one.inserts_per_second),
            one.inserts_range.map(whole).join(" to "),
            format!("{:.1}", one.p50),
            format!("{:.1}", one.p99),
            format!("{:.1}", one.p999),
            whole(one.keys_per_second),
            whole(one.index.rows_per_second),
        ]
    })
}

fn size(all: &[Measured]) -> String {
    let head = [
        "bytes of a key",
        "index MB",
        "rebuilt MB",
        "index bytes a row",
        "pairs out of order, at once",
        "with a pause",
        "answered, ticket server cut off",
        "all servers cut off",
    ];
    by_name(&head.map(Right), all, |one| {
        vec![
            one.scheme.bytes().to_string(),
            megabytes(one.index.bytes),
            megabytes(one.index.rebuilt_bytes),
            format!("{:.1}", one.index.bytes_per_row()),
            share(one.disorder_at_once),
            share(one.disorder_with_pause),
            answered(one.one_cut),
            answered(one.all_cut),
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{alternatives::measure::Index, options::defaults};

    /// All alike.
    fn page() -> Page {
        let index = Index { rows: 100, bytes: 2_000, rebuilt_bytes: 2_000, rows_per_second: 9.0 };
        let one = |scheme| Measured {
            scheme,
            inserts_per_second: 1_000.0,
            inserts_range: [900.0, 1_100.0],
            p50: 1.0,
            p99: 2.0,
            p999: 3.0,
            keys_per_second: 1e6,
            one_cut: (3, 3),
            all_cut: (3, 3),
            one_cut_slowest: 1.0,
            disorder_at_once: 0.0,
            disorder_with_pause: 0.0,
            index,
        };
        let machine = Machine {
            date: "2026-01-02".into(),
            pg_snowflake: "0.1.0".into(),
            postgresql: "15.1".into(),
            cores: 2,
        };
        Page { all: Scheme::ALL.map(one).into(), machine, options: defaults() }
    }

    #[test]
    fn every_place_of_the_template_has_a_fact_and_figures_are_those_measured() -> Result<()> {
        let mut page = page();
        page.all[0].inserts_per_second = 98_765.0;
        let text = page.text()?;
        assert!(!text.contains("{{") && !text.contains("}}"));
        assert!(text.contains("98,765"));
        Ok(())
    }
}
