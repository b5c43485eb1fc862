//! A node whose server is taken away.

use std::{mem, process::Command, time::Duration};

use anyhow::Result;
use nix::sys::signal::Signal;
use serde_json::json;
use snowflake_testkit::{DEADLINE, wait_for};

use crate::node::{NODE, Node};

/// Asks until there is an ID after an error; the errors.
fn ask_until_it_issues_again(node: &mut Node, last: &mut i64) -> Result<Vec<(u64, String)>> {
    let mut errors = Vec::new();
    wait_for("an error, and an ID", DEADLINE, || {
        match node.generate()? {
            Ok(id) => assert!(id > mem::replace(last, id)),
            Err((code, text)) => {
                assert!([11, 13].contains(&code) && !text.contains("db error"), "{code}: {text}");
                errors.push((code, text));
                return Ok(false);
            }
        }
        Ok(!errors.is_empty())
    })?;
    Ok(errors)
}

#[test]
fn a_killed_server_costs_errors_and_comes_back_with_greater_ids() -> Result<()> {
    let (mut node, mut last) = (Node::started()?, 0);
    for _ in 0..3 {
        node.strike("", Signal::SIGKILL)?;
        ask_until_it_issues_again(&mut node, &mut last)?;
    }
    Ok(())
}

#[test]
fn while_its_server_recovers_a_node_answers_what_postgresql_says() -> Result<()> {
    let (mut node, mut last) = (Node::started()?, 0);
    wait_for("a refusal", DEADLINE, || {
        node.strike("checkpointer", Signal::SIGKILL)?;
        let mut errors = ask_until_it_issues_again(&mut node, &mut last)?;
        errors.retain(|(code, _)| *code == 11);
        let said = |text: &String| text.starts_with("57P03: the database system is");
        assert!(errors.iter().all(|(_, text)| said(text)), "{errors:?}");
        Ok(!errors.is_empty())
    })
}

#[test]
fn a_server_that_hangs_holds_up_answers_and_loses_none() -> Result<()> {
    let mut node = Node::started()?;
    node.strike("", Signal::SIGSTOP)?;
    (0..10).for_each(|_| node.request(json!({"type": "generate"})));
    let heard = node.heard.recv_timeout(Duration::from_millis(200));
    assert!(heard.is_err(), "an ID of a server that stands still");
    node.strike("", Signal::SIGCONT)?;
    for _ in 0..10 {
        assert_eq!(node.message()?["body"]["type"], "generate_ok");
    }
    Ok(())
}

#[test]
fn a_server_that_does_not_start_is_an_abort_and_init_can_come_again() -> Result<()> {
    let mut node = Node::start_as(Command::new(NODE).env("PG_CONFIG", "/nonexistent"))?;
    for _ in 0..2 {
        node.init();
        let reply = node.body()?;
        assert_eq!(reply["code"], 14);
        assert!(reply["text"].as_str().is_some_and(|text| text.contains("/nonexistent")));
        assert_eq!(node.generate()?.map_err(|(code, _)| code), Err(11));
        assert!(!node.leaves_something()?);
    }
    Ok(())
}
