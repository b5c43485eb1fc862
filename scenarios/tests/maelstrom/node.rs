//! A node process, spoken to line by line.

use std::{
    fs,
    process::{Command, ExitStatus},
    sync::mpsc::{self, Receiver},
};

use anyhow::{Context, Result, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use snowflake_scenarios::maelstrom::runner::{Heard, Process};
use snowflake_testkit::{DEADLINE, Installation, make_home, processes_in};
use tempfile::TempDir;

pub const NODE: &str = env!("CARGO_BIN_EXE_maelstrom-node");

/// `n1` of `n0`, `n1` and `n2`, once it is told so.
pub struct Node {
    pub process: Process,
    pub heard: Receiver<Heard>,
    msg_id: u64,
    /// All that it makes is in here.
    scratch: TempDir,
}

impl Node {
    pub fn start() -> Result<Self> {
        Self::start_as(&mut Command::new(NODE))
    }

    pub fn start_as(command: &mut Command) -> Result<Self> {
        let scratch = make_home(&Installation::find()?)?;
        let (sender, heard) = mpsc::channel();
        command.env("SNOWFLAKE_SCRATCH", scratch.path());
        Ok(Self { process: Process::start(command, 0, sender)?, heard, msg_id: 0, scratch })
    }

    /// One that has had its init.
    pub fn started() -> Result<Self> {
        let mut node = Self::start()?;
        node.init();
        ensure!(node.body()? == json!({"type": "init_ok", "in_reply_to": 1}));
        Ok(node)
    }

    /// Sends an init without waiting for the reply.
    pub fn init(&mut self) {
        self.request(json!({"type": "init", "node_id": "n1", "node_ids": ["n0", "n1", "n2"]}));
    }

    /// Sends a request without waiting for the reply.
    pub fn request(&mut self, mut body: Value) {
        self.msg_id += 1;
        body["msg_id"] = json!(self.msg_id);
        let message = json!({"src": "c1", "dest": "n1", "body": body});
        self.process.send(message.to_string().as_bytes());
    }

    /// The next message from it.
    pub fn message(&mut self) -> Result<Value> {
        let (_, line, _) = self.heard.recv_timeout(DEADLINE)?;
        Ok(serde_json::from_slice(&line.context("it has ended")?)?)
    }

    /// The body of the reply to the last request.
    pub fn body(&mut self) -> Result<Value> {
        let mut reply = self.message()?;
        ensure!(reply["src"] == "n1" && reply["dest"] == "c1", "{reply}");
        ensure!(reply["body"]["in_reply_to"] == self.msg_id, "{reply}");
        Ok(reply["body"].take())
    }

    /// A new ID, or the code and the text of the error.
    pub fn generate(&mut self) -> Result<Result<i64, (u64, String)>> {
        self.request(json!({"type": "generate"}));
        let reply = self.body()?;
        let text = |name: &str| reply[name].as_str().with_context(|| format!("{reply}"));
        Ok(match reply["code"].as_u64() {
            Some(code) => Err((code, text("text")?.to_owned())),
            None => Ok(text("id")?.parse()?),
        })
    }

    /// Sends `signal` to the processes of the server that have this in their command line.
    pub fn strike(&self, part: &str, signal: Signal) -> Result<()> {
        let command = |pid: &i32| fs::read_to_string(format!("/proc/{pid}/cmdline"));
        let mut pids = processes_in(self.scratch.path())?;
        pids.retain(|pid| command(pid).is_ok_and(|line| line.contains(part)));
        ensure!(!pids.is_empty(), "the server has no {part}");
        // One may have followed another already.
        pids.into_iter().for_each(|pid| kill(Pid::from_raw(pid), signal).unwrap_or_default());
        Ok(())
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(Pid::from_raw(i32::try_from(self.process.id())?), signal)?)
    }

    /// How it ended, which it must do by itself, with nothing more to say.
    pub fn status(&mut self) -> Result<ExitStatus> {
        let (_, line, _) = self.heard.recv_timeout(DEADLINE)?;
        ensure!(line.is_none(), "{}", String::from_utf8_lossy(&line.unwrap_or_default()));
        self.process.end()
    }

    /// Whether a process of its server is there, or any file of it.
    pub fn leaves_something(&self) -> Result<bool> {
        let scratch = self.scratch.path();
        Ok(!processes_in(scratch)?.is_empty() || fs::read_dir(scratch)?.next().is_some())
    }
}
