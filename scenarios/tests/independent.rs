//! Independent servers behind HAProxy, short: what the full scenario claims, and that it can fail.

use std::time::Duration;

use anyhow::Result;
use snowflake_scenarios::{
    independent::{DUPLICATES, Options, run},
    options::defaults,
};
use snowflake_testkit::DEADLINE;

fn short() -> Options {
    let time = Duration::from_secs(6);
    Options { time, per_second: 1_000, rows: 1, deadline: DEADLINE, ..defaults() }
}

#[test]
fn clients_see_unique_ordered_ids_and_go_on_when_a_server_stops() -> Result<()> {
    let report = run(&short())?;
    assert!(report.all_met_but_times(), "{report}");
    Ok(())
}

#[test]
fn two_servers_with_one_machine_id_are_found_out() -> Result<()> {
    let report = run(&Options { machines: vec![1, 1, 2], ..short() })?;
    let duplicates = report.claims.iter().find(|claim| claim.what == DUPLICATES);
    assert!(duplicates.is_some_and(|claim| !claim.met), "{report}");
    Ok(())
}
