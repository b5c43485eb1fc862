//! The program that runs the scenarios: what a user sees of one that goes wrong.

use std::process::Command;

use anyhow::Result;
use snowflake_scenarios::suite::{Results, scenarios};

const PROGRAM: &str = env!("CARGO_BIN_EXE_scenarios");

#[test]
fn a_scenario_that_cannot_run_fails_the_run_which_says_why_and_leaves_the_pages_alone() -> Result<()>
{
    let folder = tempfile::tempdir()?;
    let (json, docs) = (folder.path().join("results.json"), folder.path().join("docs"));
    std::fs::create_dir(&docs)?;
    let output = Command::new(PROGRAM)
        .args(["independent", "--json"])
        .arg(&json)
        .arg("--docs")
        .arg(&docs)
        .env("PG_CONFIG", "/nowhere/pg_config")
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("NOT MET: independent: runs to its end: "), "{text}");
    assert!(text.contains("/nowhere/pg_config"), "{text}");
    assert!(!Results::read(&json)?.all_met());
    assert_eq!(std::fs::read_dir(&docs)?.count(), 0);
    Ok(())
}

#[test]
fn every_scenario_has_a_help() -> Result<()> {
    for scenario in scenarios() {
        let output = Command::new(PROGRAM).args([scenario.name, "--help"]).output()?;
        assert!(output.status.success(), "{}", scenario.name);
    }
    Ok(())
}
