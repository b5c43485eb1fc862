//! Active-active nodes, short: what the full scenarios claim, and that the claims can fail.

use std::time::Duration;

use anyhow::Result;
use snowflake_scenarios::{
    mesh::{self, Mesh, Options},
    options::defaults,
    twins,
};
use snowflake_testkit::DEADLINE;

#[test]
fn nodes_go_on_while_the_network_is_cut_and_agree_after_the_heal() -> Result<()> {
    let (time, deadline) = (Duration::from_secs(2), DEADLINE);
    let short = Options { time, per_second: 300, deadline, converge: DEADLINE, ..defaults() };
    let report = mesh::run(&short)?;
    assert!(report.all_met(), "{report}");
    Ok(())
}

#[test]
fn two_nodes_with_one_identity_are_found_out() -> Result<()> {
    // At a hundred requests a second for each node, the two seldom meet in one millisecond.
    let report = twins::run(&twins::Options { time: Duration::from_secs(2), ..defaults() })?;
    assert!(report.all_met(), "{report}");
    Ok(())
}

#[test]
fn a_node_that_waits_for_others_refuses_while_they_are_away_and_lacks_their_rows() -> Result<()> {
    let mut mesh = Mesh::start(&[1, 2, 3])?;
    let (second, impatient) = (Duration::from_secs(1), Duration::from_millis(500));
    mesh.nodes_mut()[0].set("synchronous_standby_names", "*").reload()?;
    let whole = mesh.ask(300, second, DEADLINE)?.finish();
    assert!(whole.failures.is_empty(), "{:?}", whole.failures.first());
    let rows = i64::try_from(whole.answers.len())?;
    assert!(mesh.time_to_converge(rows, DEADLINE)?.is_some());
    mesh.network().cut_off(0);
    let cut = mesh.ask(300, second, impatient)?.finish();
    assert!(cut.lost() > 0 && cut.failures.iter().any(|failure| failure.server == Some(0)));
    assert_eq!(mesh.time_to_converge(rows, impatient)?, None);
    mesh.network().heal();
    assert!(mesh.time_to_converge(rows, DEADLINE)?.is_some());
    Ok(())
}
