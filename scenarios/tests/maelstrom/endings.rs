//! Whatever ends a node, nothing of it stays: no process, no file.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use snowflake_testkit::{DEADLINE, wait_for};

use crate::node::{NODE, Node, leaves_something, scratch_directory};

#[test]
fn at_the_end_of_its_input_a_node_answers_what_it_was_asked_and_is_gone() -> Result<()> {
    let mut node = Node::started()?;
    for _ in 0..500 {
        node.request(json!({"type": "generate"}))?;
    }
    node.close();
    let mut replies = Vec::new();
    for line in node.rest()? {
        let reply: Value = serde_json::from_str(&line)?;
        replies.push((reply["body"]["in_reply_to"].as_u64(), reply["body"]["id"].is_string()));
    }
    replies.sort_unstable();
    assert!(replies.into_iter().eq((2..502).map(|msg_id| (Some(msg_id), true))));
    assert!(node.wait()?.success());
    assert!(!node.leaves_something()?);
    Ok(())
}

#[test]
fn a_node_that_is_to_end_while_its_server_starts_says_so_and_is_gone() -> Result<()> {
    let mut node = Node::start()?;
    node.request(json!({"type": "init", "node_id": "n1", "node_ids": ["n1"]}))?;
    node.close();
    assert!(node.line()?.contains("\"code\":11"));
    assert!(node.wait()?.success());
    assert!(!node.leaves_something()?);
    Ok(())
}

#[test]
fn a_signal_ends_a_node_as_the_end_of_its_input_does() -> Result<()> {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let mut node = Node::started()?;
        node.signal(signal)?;
        assert!(node.wait()?.success(), "{signal}");
        assert!(!node.leaves_something()?, "{signal}");
    }
    Ok(())
}

/// That is how the workbench ends its nodes.
#[test]
fn a_killed_node_takes_its_server_and_its_files_along() -> Result<()> {
    let mut node = Node::started()?;
    assert!(node.leaves_something()?);
    node.signal(Signal::SIGKILL)?;
    assert!(!node.wait()?.success());
    wait_for("the server and its files to be gone", DEADLINE, || Ok(!node.leaves_something()?))
}

#[test]
fn a_node_that_is_killed_while_its_server_starts_leaves_nothing_either() -> Result<()> {
    let mut node = Node::start()?;
    node.request(json!({"type": "init", "node_id": "n1", "node_ids": ["n1"]}))?;
    wait_for("some file", DEADLINE, || node.leaves_something())?;
    node.signal(Signal::SIGKILL)?;
    node.wait()?;
    wait_for("the server and its files to be gone", DEADLINE, || Ok(!node.leaves_something()?))
}

#[test]
fn a_node_whose_replies_nobody_reads_ends() -> Result<()> {
    let scratch = scratch_directory()?;
    let mut node = Command::new(NODE)
        .env("SNOWFLAKE_SCRATCH", scratch.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    drop(node.stdout.take());
    let input = node.stdin.take();
    let request = json!({"src": "c1", "dest": "n1", "body": {"type": "generate", "msg_id": 1}});
    writeln!(input.as_ref().context("no input")?, "{request}")?;
    assert!(node.wait()?.success());
    assert!(!leaves_something(scratch.path())?);
    Ok(())
}
