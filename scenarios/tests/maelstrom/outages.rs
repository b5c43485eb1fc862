//! A node whose server is taken away.

use std::process::Command;

use anyhow::Result;
use nix::sys::signal::Signal;
use serde_json::json;
use snowflake_testkit::{DEADLINE, wait_for};

use crate::node::{NODE, Node};

/// Asks until there is an ID again; the codes of the errors on the way.
fn until_it_issues(node: &mut Node) -> Result<(i64, Vec<u64>)> {
    let (mut id, mut codes) = (0, Vec::new());
    wait_for("an ID", DEADLINE, || {
        match node.generate()? {
            Ok(new) => id = new,
            Err(code) => codes.push(code),
        }
        Ok(id > 0)
    })?;
    Ok((id, codes))
}

#[test]
fn a_killed_server_costs_errors_and_comes_back_with_greater_ids() -> Result<()> {
    let mut node = Node::started()?;
    let (mut last, _) = until_it_issues(&mut node)?;
    for _ in 0..3 {
        node.signal_server(Signal::SIGKILL)?;
        let (id, codes) = until_it_issues(&mut node)?;
        assert!(id > last);
        // The last, a timeout, where the machine is so busy that a start takes seconds.
        assert!(codes.iter().all(|code| [11, 13, 0].contains(code)), "{codes:?}");
        assert!(!codes.is_empty());
        assert_eq!(node.ask(json!({"type": "echo", "echo": 1}))?["echo"], 1);
        last = id;
    }
    Ok(())
}

#[test]
fn a_server_that_hangs_is_a_timeout_then_unavailable_then_forgotten() -> Result<()> {
    let mut node = Node::started()?;
    let (before, _) = until_it_issues(&mut node)?;
    node.signal_server(Signal::SIGSTOP)?;
    assert_eq!([node.generate()?, node.generate()?], [Err(0), Err(11)]);
    assert_eq!(node.ask(json!({"type": "echo", "echo": 1}))?["echo"], 1);
    node.signal_server(Signal::SIGCONT)?;
    let (after, codes) = until_it_issues(&mut node)?;
    assert!(after > before && codes.iter().all(|code| [11, 0].contains(code)), "{codes:?}");
    Ok(())
}

#[test]
fn a_server_that_does_not_start_is_an_abort_and_init_can_come_again() -> Result<()> {
    let mut node = Node::start_as(Command::new(NODE).env("PG_CONFIG", "/nonexistent"))?;
    for _ in 0..2 {
        let reply = node.ask(json!({"type": "init", "node_id": "n1", "node_ids": ["n1"]}))?;
        assert_eq!((&reply["type"], &reply["code"]), (&json!("error"), &json!(14)));
        assert!(
            reply["text"].as_str().is_some_and(|text| text.contains("/nonexistent")),
            "{reply}"
        );
        assert_eq!(node.generate()?, Err(11));
        assert!(!node.leaves_something()?);
    }
    Ok(())
}
