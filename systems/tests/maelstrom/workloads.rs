//! The two workloads, as the workbench runs them.

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use snowflake_systems::maelstrom::{
    self,
    harness::{Options, Workload, run},
    run as scenario,
};

use crate::node::NODE;

fn options(workload: Workload, seconds: u64) -> Options {
    Options {
        bin: (PathBuf::from(NODE), Vec::new()),
        workload,
        node_count: 3,
        rate: 1000.0,
        time_limit: Duration::from_secs(seconds),
        partition_every: Some(Duration::from_millis(300)),
        latency: Duration::ZERO,
        availability: Some(1.0),
        // More than the workbench allows: this machine may be busy with other tests.
        init_timeout: Duration::from_secs(60),
        timeout: Duration::from_secs(5),
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
    let report = scenario(&maelstrom::Options { time: Duration::from_secs(3), rate: 500.0 })?;
    assert!(report.all_met(), "{report}");
    Ok(())
}
