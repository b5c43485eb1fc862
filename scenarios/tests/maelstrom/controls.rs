//! The runner and what it notices: nothing of our node, and of an impostor the flaw that it has.

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use snowflake_scenarios::maelstrom::{
    self, claims,
    judge::Outcome,
    runner::{Options, Workload, run},
};
use snowflake_testkit::DEADLINE;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn three_nodes_give_a_thousand_unique_ids_a_second() -> Result<()> {
    let options = maelstrom::Options { time: 5 * SECOND, rate: 1000.0, timeout: DEADLINE };
    let report = maelstrom::run(&options)?;
    assert!(report.all_met(), "{report}");
    let ids = &report.data["unique_ids"];
    assert!(ids["requests"].as_u64().is_some_and(|count| (4500..5500).contains(&count)), "{ids}");
    assert_eq!(ids["ids"], ids["requests"]);
    Ok(())
}

/// What comes of three impostors, and the claims that do not hold, in short.
fn with_flaw(flaw: &str, workload: Workload, timeout: Duration) -> Result<(Outcome, String)> {
    let program = (PathBuf::from(env!("CARGO_BIN_EXE_maelstrom-impostor")), vec![flaw.to_owned()]);
    let (rate, time) = (1000.0, SECOND / 2);
    let init_timeout = if flaw == "never-starts" { SECOND } else { DEADLINE };
    let options = Options { program, workload, nodes: 3, rate, time, timeout, init_timeout };
    let outcome = run(&options)?;
    let claims = claims(workload, &outcome);
    let unmet = claims.iter().filter(|claim| !claim.met).map(|claim| &*claim.what);
    let short = |what: &str| what.split(' ').nth(1).unwrap_or_default().to_owned();
    let unmet: Vec<_> = unmet.map(short).collect();
    Ok((outcome, unmet.join(", ")))
}

#[test]
fn nodes_without_a_flaw_fulfil_every_claim() -> Result<()> {
    for workload in [Workload::Echo, Workload::UniqueIds] {
        let (outcome, unmet) = with_flaw("", workload, DEADLINE)?;
        assert!(unmet.is_empty() && outcome.answered > 250, "{outcome:?}");
    }
    Ok(())
}

/// Its name, the claims that it breaks, and what it is counted as.
type Flaw = (&'static str, &'static str, fn(&Outcome) -> u64);

#[test]
fn what_is_missing_late_refused_or_twice_is_counted() -> Result<()> {
    let flaws: [Flaw; 5] = [
        ("counts-alone", "IDs", |outcome| outcome.duplicates.len() as u64),
        ("forgets", "requests", |outcome| outcome.unanswered),
        ("is-late", "requests", |outcome| outcome.late),
        ("refuses", "requests", |outcome| outcome.errors["11: not now"]),
        ("asks-a-node", "requests, messages", |outcome| outcome.between_nodes),
    ];
    for (flaw, broken, count) in flaws {
        let timeout = if broken == "IDs" { DEADLINE } else { SECOND };
        let (outcome, unmet) = with_flaw(flaw, Workload::UniqueIds, timeout)?;
        assert_eq!((&*unmet, outcome.faults.len()), (broken, 0), "{flaw}: {outcome:?}");
        assert!(count(&outcome) > 10, "{flaw}: {outcome:?}");
    }
    Ok(())
}

#[test]
fn what_is_against_the_protocol_is_a_fault() -> Result<()> {
    for (flaw, broken, named) in [
        ("answers-twice", "answers", "or has answered"),
        ("fails-at-the-end", "answers", "ended with exit status: 1"),
        ("chatters", "answers", "what is no message"),
        ("confuses-requests", "requests, answers", "what it was not asked"),
        ("confuses-clients", "requests, answers", "what it was not asked"),
        ("borrows-name", "requests, answers", "in another's name"),
        ("adds-field", "requests, answers", "unknown field `node`"),
        ("changes-echo", "requests, answers", "not answer with what it was asked for"),
        ("leaves", "requests, answers", "has closed its output"),
    ] {
        let timeout = if broken == "answers" { DEADLINE } else { SECOND };
        let workload = if flaw == "changes-echo" { Workload::Echo } else { Workload::UniqueIds };
        let (outcome, unmet) = with_flaw(flaw, workload, timeout)?;
        assert_eq!(unmet, broken, "{flaw}: {outcome:?}");
        assert!(outcome.faults.iter().all(|fault| fault.contains(named)), "{flaw}: {outcome:?}");
    }
    Ok(())
}

#[test]
fn a_node_that_never_answers_its_init_ends_the_run() {
    let error = with_flaw("never-starts", Workload::Echo, SECOND).map(drop);
    assert!(error.is_err_and(|error| error.to_string().contains("no answer to an init")));
}
