//! A node as the harness has it: a process that reads and writes lines.

use std::{
    io::{BufReader, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use snowflake_testkit::{DEADLINE, wait_for};

use crate::maelstrom::lines::{self, LONGEST, Line};

/// What a node did.
pub(super) enum Event {
    /// It wrote a line, which had come in whole at this time.
    Line(usize, Vec<u8>, Instant),
    /// Its output ended.
    Closed(usize),
}

/// A running node. Its input is closed when this is dropped, and it has some minutes to end then.
pub(super) struct Process {
    name: String,
    child: Child,
    input: Option<Sender<String>>,
}

impl Process {
    /// Starts node number `index`, in the workbench's working directory.
    pub(super) fn start(
        index: usize,
        name: &str,
        (bin, arguments): (&Path, &[String]),
        stderr: Stdio,
        events: Sender<Event>,
    ) -> Result<Self> {
        let mut command = Command::new(bin);
        command.args(arguments).current_dir("/tmp").stderr(stderr);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C is for the harness, which then ends its nodes.
        let child = command.process_group(0).spawn();
        let mut child = child.with_context(|| format!("starting {}", bin.display()))?;
        let output = child.stdout.take().context("a node without output")?;
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Ok(Some(line)) = lines::next(&mut output, LONGEST) {
                let line = match line {
                    Line::Whole(line) => line,
                    Line::TooLong => Vec::new(),
                };
                if events.send(Event::Line(index, line, Instant::now())).is_err() {
                    return;
                }
            }
            events.send(Event::Closed(index)).ok();
        });
        let stdin = child.stdin.take().context("a node without input")?;
        let (input, lines) = mpsc::channel();
        // Of its own, so that a node that does not read holds up nobody else.
        thread::spawn(move || write(stdin, &lines));
        Ok(Self { name: name.to_owned(), child, input: Some(input) })
    }

    /// Hands the node a line, with its end.
    pub(super) fn send(&self, line: String) {
        // A node that is gone loses what is sent to it, as in any network.
        if let Some(input) = &self.input {
            input.send(line).ok();
        }
    }

    /// Closes the node's input.
    pub(super) fn close(&mut self) {
        self.input = None;
    }

    /// Closes the node's input and waits for its end.
    pub(super) fn stop(&mut self) -> Result<ExitStatus> {
        self.close();
        let mut status = None;
        let child = &mut self.child;
        let ended = wait_for(&format!("{} to end with its input", self.name), DEADLINE, || {
            status = child.try_wait()?;
            Ok(status.is_some())
        });
        if let Err(error) = ended {
            self.child.kill()?;
            self.child.wait()?;
            bail!("{error:#}");
        }
        status.context("no exit status")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop().ok();
    }
}

fn write(mut stdin: ChildStdin, lines: &Receiver<String>) {
    for line in lines {
        if stdin.write_all(line.as_bytes()).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}
