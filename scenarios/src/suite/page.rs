//! The pages that tell what came out.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;
use snowflake_testkit::grouped;

use super::{Results, results::Outcome};
use crate::{
    alternatives,
    markdown::{
        Column::{Left, Right},
        fill, table,
    },
};

/// The page about all of them.
const FILE: &str = "scenarios.md";
const TEMPLATE: &str = include_str!("page.md");
/// What the pages are made of.
const FIGURES: &str = "scenarios.json";
const ALTERNATIVES: &str = "alternatives";
const SIMULATION: &str = "simulation";

/// Writes the pages of all results in the folder, in which `newer` take the place of older ones, and
/// these results.
pub fn write_pages(newer: Results, folder: &Path) -> Result<()> {
    let file = folder.join(FIGURES);
    let results = if file.exists() { newer.over(Results::read(&file)?) } else { newer };
    let pages = pages(&results)?;
    results.write(&file)?;
    for (name, text) in pages {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    alternatives::page::Page::of(&of(&results, ALTERNATIVES)?.report)?.plot(folder)
}

/// The names and the texts of the pages.
pub fn pages(results: &Results) -> Result<[(&'static str, String); 2]> {
    let alternatives = alternatives::page::Page::of(&of(results, ALTERNATIVES)?.report)?;
    Ok([
        (FILE, fill(TEMPLATE, &facts(results)?)?),
        (alternatives::page::FILE, alternatives.text()?),
    ])
}

fn of<'a>(results: &'a Results, name: &str) -> Result<&'a Outcome> {
    results.of(name).with_context(|| format!("there are no results of {name}; run it, too"))
}

fn facts(results: &Results) -> Result<BTreeMap<String, String>> {
    let mut facts: BTreeMap<_, _> = results.outcomes().flat_map(facts_of).collect();
    let capacity = capacity(&of(results, SIMULATION)?.report.data["capacities"]);
    facts.insert("capacity".to_owned(), capacity.context("what a layout has room for")?);
    Ok(facts)
}

fn facts_of(outcome: &Outcome) -> Vec<(String, String)> {
    let report = &outcome.report;
    let columns = [Left("claim"), Right("measured"), Left("bar")];
    let claims = report.claims.iter();
    let rows =
        claims.map(|claim| vec![claim.what.clone(), claim.figure.clone(), claim.bar.clone()]);
    [
        ("held", outcome.held()),
        ("conditions", format!("{}, {}", report.conditions.join("; "), outcome.date)),
        ("claims", table(&columns, rows)),
    ]
    .map(|(name, fact)| (format!("{}.{name}", outcome.name), fact))
    .into()
}

/// What each layout has room for; None where the simulation has written something else.
fn capacity(capacities: &Value) -> Option<String> {
    let columns = [
        Left("bits of time / datacenter / machine / sequence"),
        Right("nodes"),
        Right("IDs per second and node"),
        Right("IDs per second"),
        Right("years"),
        Right("last day"),
        Right("below 2^53 until"),
    ];
    let row = |capacity: &Value| {
        let layout = &capacity["layout"];
        let bits = [
            &capacity["timestamp_bits"],
            &layout["datacenter_bits"],
            &layout["machine_bits"],
            &layout["sequence_bits"],
        ];
        let whole = |name: &str| capacity[name].as_u64().map(grouped);
        Some(vec![
            bits.map(Value::to_string).join(" / "),
            whole("nodes")?,
            whole("ids_per_second_and_node")?,
            whole("ids_per_second")?,
            format!("{:.1}", capacity["years"].as_f64()?),
            capacity["last_day"].as_str().unwrap_or("after 9999").to_owned(),
            capacity["last_day_below_2_53"].as_str().unwrap_or("-").to_owned(),
        ])
    };
    let rows: Option<Vec<_>> = capacities.as_array()?.iter().map(row).collect();
    Some(table(&columns, rows?))
}
