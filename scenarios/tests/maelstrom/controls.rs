//! The harness notices each flaw that a node can have, and says which. Needs no PostgreSQL.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context, Result};
use serde_json::Value;
use snowflake_scenarios::maelstrom::{
    harness::{Options, Workload, run},
    report::Report,
};
use snowflake_testkit::DEADLINE;

const IMPOSTOR: &str = env!("CARGO_BIN_EXE_maelstrom-impostor");
const SECOND: Duration = Duration::from_secs(1);

fn with_flaw(flaw: &str, workload: Workload, apart: bool) -> Result<Report> {
    let timeout = match flaw {
        // An answer that is late must not count as one that a cut has swallowed.
        "asks-the-first" if apart => 5 * SECOND,
        // All of them come.
        "asks-the-first" | "counts-alone" | "refuses-some" => DEADLINE,
        _ => SECOND,
    };
    let options = Options {
        bin: (PathBuf::from(IMPOSTOR), vec![flaw.to_owned()]),
        workload,
        node_count: 3,
        rate: 2000.0,
        time_limit: Duration::from_millis(if apart { 1000 } else { 500 }),
        partition_every: apart.then_some(Duration::from_millis(100)),
        latency: Duration::from_millis(2),
        availability: Some(1.0),
        init_timeout: if flaw == "never-starts" { SECOND } else { DEADLINE },
        timeout,
        log_stderr: false,
        seed: 1,
    };
    run(&options)
}

#[test]
fn ids_from_one_node_are_unique_but_not_available_in_a_partition() -> Result<()> {
    let whole = with_flaw("asks-the-first", Workload::UniqueIds, false)?;
    assert!(whole.valid && whole.traffic.server > 1000 && whole.traffic.dropped == 0, "{whole}");
    assert!(whole.latency_ms.p50 >= 2.0, "there and back through the network: {whole}");
    let apart = with_flaw("asks-the-first", Workload::UniqueIds, true)?;
    assert!(!apart.valid && apart.traffic.dropped > 0, "{apart}");
    assert_eq!(apart.unanswered, apart.traffic.dropped, "{apart}");
    assert_eq!((apart.duplicates.count, apart.faults.count), (0, 0), "{apart}");
    Ok(())
}

#[test]
fn nodes_that_count_for_themselves_give_duplicates() -> Result<()> {
    let report = with_flaw("counts-alone", Workload::UniqueIds, false)?;
    assert!(!report.valid && report.ok == report.requests, "{report}");
    assert_eq!(report.duplicates.count, report.ok - report.ids, "{report}");
    assert!(report.duplicates.count > 500, "{report}");
    Ok(())
}

#[test]
fn a_reply_in_a_hundred_that_is_missing_or_an_error_is_noticed() -> Result<()> {
    let report = with_flaw("forgets-some", Workload::UniqueIds, false)?;
    assert!(!report.valid && report.unanswered == report.requests - report.ok, "{report}");
    let report = with_flaw("refuses-some", Workload::UniqueIds, false)?;
    assert!(!report.valid && report.errors[&11] == report.requests - report.ok, "{report}");
    Ok(())
}

#[test]
fn a_line_that_is_not_what_the_protocol_says_is_a_fault() -> Result<()> {
    for (flaw, workload, named) in [
        ("confuses-requests", Workload::UniqueIds, "answered c"),
        ("borrows-name", Workload::UniqueIds, "in the name of somebody else"),
        ("adds-field", Workload::UniqueIds, "a field that does not belong there"),
        ("changes-echo", Workload::Echo, "not what was to be echoed"),
        ("chatters", Workload::UniqueIds, "not JSON"),
        ("leaves", Workload::UniqueIds, "closed its output"),
    ] {
        let report = with_flaw(flaw, workload, false)?;
        assert!(!report.valid, "{flaw}: {report}");
        assert!(report.faults.first.iter().all(|fault| fault.contains(named)), "{flaw}: {report}");
    }
    Ok(())
}

#[test]
fn a_node_that_never_answers_its_init_ends_the_run() {
    let error = with_flaw("never-starts", Workload::Echo, false).map(drop);
    assert!(error.is_err_and(|error| error.to_string().contains("n2 did not answer its init")));
}

#[test]
fn the_program_fails_where_the_run_does_and_writes_what_it_saw() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let json = directory.path().join("results.json");
    let harness = |flaw, availability| {
        Command::new(env!("CARGO_BIN_EXE_maelstrom-harness"))
            .args(["--bin", IMPOSTOR, "--time-limit", "0.5", "--availability", availability])
            .args(["--init-timeout", &DEADLINE.as_secs().to_string()])
            .args(["--nemesis", "partition", "--nemesis-interval", "0.1", "--json"])
            .arg(&json)
            .args(["--", flaw])
            .output()
    };
    let output = harness("counts-alone", "total")?;
    let text = String::from_utf8(output.stdout)?;
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.ends_with("A promise was broken.\n"), "{text}");
    let results: Value = serde_json::from_slice(&std::fs::read(&json)?)?;
    assert_eq!((&results["valid"], &results["nodes"]), (&false.into(), &3.into()));
    let duplicates = results["duplicates"]["count"].as_u64().context("no count")?;
    assert!(text.contains(&format!("duplicates {duplicates}\n")), "{text}");
    assert_eq!(harness("refuses-some", "total")?.status.code(), Some(1));
    assert_eq!(harness("refuses-some", "0.9")?.status.code(), Some(0));
    Ok(())
}
