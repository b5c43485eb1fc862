//! A node process, spoken to line by line.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
};

use anyhow::{Context, Result, ensure};
use nix::{sys::signal::Signal, unistd::Pid};
use serde_json::{Value, json};
use snowflake_testkit::{DEADLINE, processes_in, scratch, wait_for};
use tempfile::TempDir;

pub const NODE: &str = env!("CARGO_BIN_EXE_maelstrom-node");

/// `n1` of `n0`, `n1` and `n2`, once it is told so.
pub struct Node {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
    msg_id: u64,
    /// All that it makes is in here.
    scratch: TempDir,
}

impl Node {
    pub fn start() -> Result<Self> {
        Self::start_as(&mut Command::new(NODE))
    }

    pub fn start_as(command: &mut Command) -> Result<Self> {
        let parent = scratch_directory()?;
        command.env("SNOWFLAKE_SCRATCH", parent.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("no output")?;
        let (lines, output) = mpsc::channel();
        thread::spawn(move || {
            let read = BufReader::new(stdout).lines().map_while(Result::ok);
            read.for_each(|line| lines.send(line).unwrap_or_default());
        });
        Ok(Self { input: child.stdin.take(), child, output, msg_id: 0, scratch: parent })
    }

    /// One that has had its init.
    pub fn started() -> Result<Self> {
        let mut node = Self::start()?;
        let reply = node.ask(json!({
            "type": "init", "node_id": "n1", "node_ids": ["n0", "n1", "n2"],
        }))?;
        ensure!(reply == json!({"type": "init_ok", "in_reply_to": 1}), "{reply}");
        Ok(node)
    }

    pub fn send(&mut self, line: &[u8]) -> Result<()> {
        let input = self.input.as_mut().context("the input is closed")?;
        input.write_all(line)?;
        Ok(input.write_all(b"\n")?)
    }

    pub fn line(&mut self) -> Result<String> {
        Ok(self.output.recv_timeout(DEADLINE)?)
    }

    /// What a line of any kind is answered with.
    pub fn answer(&mut self, line: &[u8]) -> Result<Value> {
        self.send(line)?;
        Ok(serde_json::from_str(&self.line()?)?)
    }

    /// Sends a request without waiting for the reply; its `msg_id`.
    pub fn request(&mut self, mut body: Value) -> Result<u64> {
        self.msg_id += 1;
        body["msg_id"] = json!(self.msg_id);
        self.send(json!({"src": "c1", "dest": "n1", "body": body}).to_string().as_bytes())?;
        Ok(self.msg_id)
    }

    /// The body of the reply to a request.
    pub fn ask(&mut self, body: Value) -> Result<Value> {
        let msg_id = self.request(body)?;
        let mut reply: Value = serde_json::from_str(&self.line()?)?;
        ensure!(reply["src"] == "n1" && reply["dest"] == "c1", "{reply}");
        ensure!(reply["body"]["in_reply_to"] == msg_id, "{reply}");
        Ok(reply["body"].take())
    }

    /// A new ID, or the code of the error.
    pub fn generate(&mut self) -> Result<Result<i64, u64>> {
        let reply = self.ask(json!({"type": "generate"}))?;
        if reply["type"] == "error" {
            return Ok(Err(reply["code"].as_u64().context("no code")?));
        }
        ensure!(reply["type"] == "generate_ok", "{reply}");
        Ok(Ok(reply["id"].as_str().context("no string")?.parse()?))
    }

    /// Sends `signal` to every process of the node's server.
    pub fn signal_server(&self, signal: Signal) -> Result<()> {
        let pids = processes_in(self.scratch.path())?;
        ensure!(!pids.is_empty(), "there is no server");
        for pid in pids {
            // It may have followed another one already.
            nix::sys::signal::kill(Pid::from_raw(pid), signal).ok();
        }
        Ok(())
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(nix::sys::signal::kill(Pid::from_raw(i32::try_from(self.child.id())?), signal)?)
    }

    pub fn close(&mut self) {
        self.input = None;
    }

    pub fn wait(&mut self) -> Result<ExitStatus> {
        let mut status = None;
        wait_for("the node to end", DEADLINE, || {
            status = self.child.try_wait()?;
            Ok(status.is_some())
        })?;
        status.context("no status")
    }

    /// Whether a server of this node is there, or any file of it.
    pub fn leaves_something(&self) -> Result<bool> {
        leaves_something(self.scratch.path())
    }

    /// What it wrote before its output ended, which must be so by now or soon.
    pub fn rest(&mut self) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            match self.output.recv_timeout(DEADLINE) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => return Ok(lines),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.close();
        if self.wait().is_err() {
            self.child.kill().ok();
        }
    }
}

/// One that the server's user can enter.
pub fn scratch_directory() -> Result<TempDir> {
    let permissions = fs::Permissions::from_mode(0o755);
    Ok(tempfile::Builder::new().prefix("test-").permissions(permissions).tempdir_in(scratch())?)
}

pub fn leaves_something(scratch: &Path) -> Result<bool> {
    Ok(!processes_in(scratch)?.is_empty() || fs::read_dir(scratch)?.next().is_some())
}
