//! The simulation, short: one world.

use anyhow::Result;
use snowflake_scenarios::simulation::{Options, run};

#[test]
fn a_simulated_world_has_no_duplicate_and_keeps_the_bound_of_order() -> Result<()> {
    let report = run(&Options { ids: 1, seed: 7 })?;
    assert!(report.all_met(), "{report}");
    Ok(())
}
