//! The two workloads, as the workbench runs them.

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use snowflake_scenarios::maelstrom::{
    self,
    harness::{Options, Workload, run},
    run as scenario,
};
use snowflake_testkit::DEADLINE;

use crate::node::NODE;

fn options(workload: Workload, seconds: u64) -> Options {
    Options {
        // No node and no client gives up: other tests may keep the machine busy.
        bin: (PathBuf::from(NODE), vec!["--patience".into(), DEADLINE.as_secs().to_string()]),
        workload,
        node_count: 3,
        rate: 1000.0,
        time_limit: Duration::from_secs(seconds),
        partition_every: Some(Duration::from_millis(200)),
        latency: Duration::ZERO,
        availability: Some(1.0),
        init_timeout: DEADLINE,
        timeout: DEADLINE,
        log_stderr: false,
        seed: 1,
    }
}

#[test]
fn three_nodes_give_a_thousand_unique_ids_a_second_through_partitions() -> Result<()> {
    let report = run(&options(Workload::UniqueIds, 5))?;
    println!("{report}");
    assert!(report.valid, "{report}");
    assert!((4500..5500).contains(&report.requests), "{report}");
    assert_eq!((report.ok, report.ids), (report.requests, report.requests), "{report}");
    // The fifth cuts off less than a third of them: of three nodes none.
    assert_eq!(report.partitions.len(), 4, "{report}");
    assert_eq!(report.traffic.server, 0, "no ID needs another node: {report}");
    Ok(())
}

#[test]
fn echo_brings_back_every_kind_of_json() -> Result<()> {
    let report = run(&options(Workload::Echo, 1))?;
    assert!(report.valid && report.ok > 800, "{report}");
    Ok(())
}

#[test]
fn the_challenge_is_met_in_short() -> Result<()> {
    let time = Duration::from_secs(3);
    let report = scenario(&maelstrom::Options { time, rate: 500.0, timeout: DEADLINE })?;
    assert!(report.all_met(), "{report}");
    Ok(())
}
