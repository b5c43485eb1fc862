//! The cluster with failover, short.

use anyhow::Result;
use snowflake_scenarios::patroni::{Options, run};

/// One machine id for all members, whose clocks are an hour apart: a hard kill and a switchover.
/// Among the claims is a control that the check fails where IDs come from the clock alone.
#[test]
fn no_id_repeats_or_goes_back_through_a_kill_and_a_switchover() -> Result<()> {
    let report = run(&Options { rounds: 2, rounds_each: 0 })?;
    assert!(report.all_met_but_times(), "{report}");
    Ok(())
}
