//! Whatever ends a node, nothing of it stays: no process, no file.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use serde_json::json;
use snowflake_testkit::{DEADLINE, wait_for};

use crate::node::{NODE, Node};

#[test]
fn at_the_end_of_its_input_a_node_answers_what_it_was_asked_and_is_gone() -> Result<()> {
    let mut node = Node::start()?;
    node.init();
    (0..500).for_each(|_| node.request(json!({"type": "generate"})));
    node.process.close();
    assert_eq!(node.message()?["body"]["type"], "init_ok");
    for msg_id in 2..=501 {
        let body = &node.message()?["body"];
        assert!(body["in_reply_to"] == msg_id && body["id"].is_string(), "{body}");
    }
    assert!(node.status()?.success());
    assert!(!node.leaves_something()?);
    Ok(())
}

#[test]
fn a_signal_ends_a_node_as_the_end_of_its_input_does() -> Result<()> {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let mut node = Node::started()?;
        node.signal(signal)?;
        assert!(node.status()?.success(), "{signal}");
        assert!(!node.leaves_something()?, "{signal}");
    }
    Ok(())
}

/// That is how the workbench ends its nodes.
fn kill(mut node: Node) -> Result<()> {
    node.signal(Signal::SIGKILL)?;
    assert!(!node.status()?.success());
    wait_for("all of it to be gone", DEADLINE, || Ok(!node.leaves_something()?))
}

#[test]
fn a_killed_node_takes_its_server_and_its_files_along_also_while_that_starts() -> Result<()> {
    let mut starting = Node::start()?;
    starting.init();
    wait_for("some file", DEADLINE, || starting.leaves_something())?;
    kill(starting)?;
    kill(Node::started()?)
}

#[test]
fn a_node_whose_replies_nobody_reads_ends() -> Result<()> {
    let mut node = Command::new(NODE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    drop(node.stdout.take());
    let mut input = node.stdin.take().context("no input")?;
    writeln!(input, "hello")?;
    assert!(!node.wait()?.success());
    Ok(())
}
