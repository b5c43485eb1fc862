//! Active-active nodes, short: what the full scenarios claim, and that the claims can fail.

use std::time::Duration;

use anyhow::Result;
use snowflake_scenarios::{
    mesh::{self, Mesh, Options, insert},
    network::{Cut, Network},
    requests::{Answers, Requests},
    twins,
};
use snowflake_testkit::DEADLINE;

fn short(cuts: &[Cut]) -> Options {
    Options {
        time: Duration::from_secs(2),
        per_second: 300,
        cuts: cuts.to_vec(),
        deadline: DEADLINE,
        converge: DEADLINE,
        ..Options::default()
    }
}

fn ask(mesh: &Mesh, time: Duration, deadline: Duration) -> Result<Answers> {
    let requests = Requests { per_second: 300, time, deadline };
    Ok(requests.start(&mesh.sockets(), insert)?.finish())
}

#[test]
fn nodes_go_on_while_the_network_is_cut_and_agree_after_the_heal() -> Result<()> {
    let report = mesh::run(&short(&Cut::ALL))?;
    assert!(report.all_met(), "{report}");
    Ok(())
}

#[test]
fn nodes_on_loopback_do_the_same() -> Result<()> {
    let options = Options { loopback: true, ..short(&[Cut::Split, Cut::OneWay]) };
    let report = mesh::run(&options)?;
    assert!(report.all_met(), "{report}");
    Ok(())
}

#[test]
fn two_nodes_with_one_identity_are_found_out() -> Result<()> {
    // At a hundred requests a second for each node, the two seldom meet in one millisecond.
    let report =
        twins::run(&twins::Options { time: Duration::from_secs(2), ..Default::default() })?;
    assert!(report.all_met(), "{report}");
    Ok(())
}

#[test]
fn a_node_that_waits_for_others_refuses_while_they_are_away_and_lacks_their_rows() -> Result<()> {
    let mut mesh = Mesh::start(Network::new(3)?, &[1, 2, 3])?;
    let (second, impatient) = (Duration::from_secs(1), Duration::from_millis(500));
    mesh.nodes_mut()[0].set("synchronous_standby_names", "*").reload()?;
    let whole = ask(&mesh, second, DEADLINE)?;
    assert_eq!(whole.refusals.len(), 0, "{:?}", whole.refusals.first());
    let rows = i64::try_from(whole.answers.len())?;
    assert!(mesh.time_to_converge(rows, DEADLINE)?.is_some());
    Cut::Off.during(
        mesh.network(),
        || {
            let cut = ask(&mesh, second, impatient)?;
            assert!(cut.refusals.iter().any(|refusal| refusal.node == 0));
            assert_eq!(mesh.time_to_converge(rows, impatient)?, None);
            Ok(())
        },
        || Ok(()),
    )?;
    assert!(mesh.time_to_converge(rows, DEADLINE)?.is_some());
    Ok(())
}
