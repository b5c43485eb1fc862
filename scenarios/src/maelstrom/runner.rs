//! Starts nodes, asks them at a rate, whatever becomes of the answers, and ends them.

use std::{
    io::{BufRead, BufReader, Write},
    iter,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use serde_json::json;
use snowflake_testkit::{DEADLINE, wait_for};

use crate::{
    interrupt,
    maelstrom::judge::{Judge, Outcome, Question},
};

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program that is a node, and its arguments.
    pub program: (PathBuf, Vec<String>),
    /// What to ask for.
    pub workload: Workload,
    /// How many nodes.
    pub nodes: usize,
    /// How many requests a second, on average, all nodes together.
    pub rate: f64,
    /// How long to make requests.
    pub time: Duration,
    /// How soon after it was due an answer is one.
    pub timeout: Duration,
    /// How long a node has for its init.
    pub init_timeout: Duration,
}

/// What clients ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// The same back.
    Echo,
    /// IDs that are unique among all nodes.
    UniqueIds,
}

/// Runs it all; an error if it cannot begin, or is interrupted. No node is left running either way.
pub fn run(options: &Options) -> Result<Outcome> {
    let mut run = Run::start(options)?;
    run.init()?;
    run.work()?;
    run.end()
}

struct Run<'a> {
    options: &'a Options,
    nodes: Vec<Process>,
    heard: Receiver<Heard>,
    judge: Judge,
}

impl<'a> Run<'a> {
    fn start(options: &'a Options) -> Result<Self> {
        let (sender, heard) = mpsc::channel();
        let (program, arguments) = &options.program;
        let start = |number| {
            let mut command = Command::new(program);
            Process::start(command.args(arguments), number, sender.clone())
        };
        let nodes = (0..options.nodes).map(start).collect::<Result<_>>()?;
        let names = (0..options.nodes).map(|number| format!("n{number}")).collect();
        Ok(Self { options, nodes, heard, judge: Judge::new(names, options.timeout) })
    }

    /// Tells all nodes at once who they are.
    fn init(&mut self) -> Result<()> {
        for node in 0..self.nodes.len() {
            self.ask(node, Question::Init, Instant::now());
        }
        self.wait_for_answers(self.options.init_timeout)?;
        let faults = self.judge.faults();
        ensure!(faults.is_empty(), "the nodes did not start: {}", faults.join("; "));
        let waits = self.judge.waits_for();
        ensure!(waits.is_empty(), "no answer to an init: {waits:?}");
        Ok(())
    }

    fn work(&mut self) -> Result<()> {
        let mut rng = Rng::with_seed(1);
        let mut due = Instant::now();
        let end = due + self.options.time;
        while due < end {
            self.listen(due)?;
            let question = match self.options.workload {
                Workload::UniqueIds => Question::Generate,
                Workload::Echo => Question::Echo(value(&mut rng)),
            };
            self.ask(rng.usize(..self.nodes.len()), question, due);
            due += Duration::from_secs_f64(2.0 * rng.f64() / self.options.rate);
        }
        self.wait_for_answers(self.options.timeout)
    }

    fn ask(&mut self, node: usize, question: Question, due: Instant) {
        self.nodes[node].send(self.judge.ask(node, question, due).as_bytes());
    }

    /// Hears what comes until this time.
    fn listen(&mut self, until: Instant) -> Result<()> {
        const LOOK: Duration = Duration::from_millis(100);
        loop {
            interrupt::check()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            match self.heard.recv_timeout(left.min(LOOK)) {
                Ok((node, Some(line), at)) => self.judge.hear(node, &line, at),
                Ok((node, None, _)) => self.judge.fault(node, "has closed its output"),
                Err(RecvTimeoutError::Timeout) => {}
                // No node is left that could say anything.
                Err(RecvTimeoutError::Disconnected) => thread::sleep(left.min(LOOK)),
            }
        }
    }

    fn wait_for_answers(&mut self, timeout: Duration) -> Result<()> {
        const STEP: Duration = Duration::from_millis(10);
        let end = Instant::now() + timeout;
        while Instant::now() < end && !self.judge.waits_for().is_empty() {
            self.listen(Instant::now() + STEP)?;
        }
        Ok(())
    }

    /// Ends all nodes, side by side, and hears what they still had to say.
    fn end(mut self) -> Result<Outcome> {
        self.nodes.iter_mut().for_each(Process::close);
        for (number, node) in self.nodes.iter_mut().enumerate() {
            let status = node.end().with_context(|| format!("ending node {number}"))?;
            if !status.success() {
                self.judge.fault(number, format!("ended with {status}"));
            }
        }
        for (node, line, at) in self.heard {
            line.iter().for_each(|line| self.judge.hear(node, line, at));
        }
        Ok(self.judge.conclude())
    }
}

/// Which node wrote this line, or has ended its output, and when.
pub type Heard = (usize, Option<Vec<u8>>, Instant);

/// A node: a process that reads and writes lines. It ends when its input does, as when this is dropped.
pub struct Process {
    child: Child,
    input: Option<Sender<Vec<u8>>>,
}

impl Process {
    /// Starts the node of this number, and passes on what it writes.
    pub fn start(command: &mut Command, number: usize, heard: Sender<Heard>) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C is for this process, which then ends its nodes.
        let child = command.process_group(0).spawn();
        let mut child = child.with_context(|| format!("starting {command:?}"))?;
        let output = child.stdout.take().context("a node without output")?;
        thread::spawn(move || {
            let lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
            for line in lines.map(Some).chain(iter::once_with(|| None)) {
                heard.send((number, line, Instant::now())).ok();
            }
        });
        let mut stdin = child.stdin.take().context("a node without input")?;
        let (input, lines) = mpsc::channel::<Vec<u8>>();
        // A node that does not read holds up no other, and one that is gone loses what is sent.
        thread::spawn(move || lines.iter().try_for_each(|line| stdin.write_all(&line)));
        Ok(Self { child, input: Some(input) })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Hands it a line.
    pub fn send(&self, line: &[u8]) {
        if let Some(input) = &self.input {
            input.send([line, b"\n"].concat()).ok();
        }
    }

    /// Closes its input.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// Closes its input and waits for its end.
    pub fn end(&mut self) -> Result<ExitStatus> {
        self.close();
        let mut status = None;
        wait_for("a node to end with its input", DEADLINE, || {
            status = self.child.try_wait()?;
            Ok(status.is_some())
        })?;
        status.context("no exit status")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.end().is_err() {
            self.child.kill().and_then(|()| self.child.wait()).ok();
        }
    }
}

/// Something of every kind that JSON has, within what all readers hold exactly.
fn value(rng: &mut Rng) -> serde_json::Value {
    let number = rng.i32(..);
    match rng.u8(..6) {
        0 => json!(null),
        1 => json!(rng.bool()),
        2 => json!(number),
        3 => json!(format!("Please echo {number} \"\\\n\u{0} ☃")),
        4 => json!([number, [], {}]),
        _ => json!({"type": "echo", "msg_id": number, "echo": {"": f64::from(number) / 4.0}}),
    }
}
