//! The cluster with failover, short.

use anyhow::Result;
use snowflake_scenarios::patroni::{Options, run};

const NONE: Options =
    Options { rounds: 0, rounds_each: 0, rounds_without_rows: 0, rounds_asynchronous: 0 };

/// One machine id for all members, whose clocks are an hour apart: a hard kill and a switchover.
/// Among the claims is a control that the check fails where IDs come from the clock alone.
#[test]
fn no_id_repeats_or_goes_back_through_a_kill_and_a_switchover() -> Result<()> {
    let report = run(&Options { rounds: 2, ..NONE })?;
    assert!(report.all_met_but_times(), "{report}");
    Ok(())
}

/// The same with IDs that nothing but leases takes to the standbys. The leader that is killed has been cut off from
/// them for a while.
#[test]
fn no_id_without_a_row_repeats_or_goes_back_through_a_kill_and_a_switchover() -> Result<()> {
    let report = run(&Options { rounds_without_rows: 2, ..NONE })?;
    assert!(report.all_met_but_times(), "{report}");
    Ok(())
}
