//! The workbench in small: starts nodes, makes requests at a rate, routes every message, cuts links,
//! and checks that every request is answered and that no ID comes twice.

use std::{
    path::PathBuf,
    process::Stdio,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use fastrand::Rng;
use serde_json::json;

use crate::{
    interrupt,
    maelstrom::{
        check::{self, Asked},
        clients::Clients,
        nemesis::{Nemesis, around},
        network::{Cuts, Message, Network},
        process::{Event, Process},
        report::{Report, Setting, Tally},
    },
};

/// How long the workbench's clients wait for a reply.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program that is a node, and its arguments.
    pub bin: (PathBuf, Vec<String>),
    /// What to ask for.
    pub workload: Workload,
    /// How many nodes.
    pub node_count: usize,
    /// How many requests a second, on average.
    pub rate: f64,
    /// How long to make requests.
    pub time_limit: Duration,
    /// How long the network lasts, and how long it is apart, on average; `None`: it lasts.
    pub partition_every: Option<Duration>,
    /// How long messages between nodes take.
    pub latency: Duration,
    /// The share of requests that has to be answered; `None`: any.
    pub availability: Option<f64>,
    /// How long a node has for its init. The workbench gives it 10 seconds.
    pub init_timeout: Duration,
    /// How long a client waits for a reply, such as [`TIMEOUT`].
    pub timeout: Duration,
    /// Whether what nodes log is shown.
    pub log_stderr: bool,
    /// What chance is made of.
    pub seed: u64,
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
pub fn run(options: &Options) -> Result<Report> {
    let mut run = Run::start(options)?;
    run.init()?;
    run.work()?;
    run.stop();
    let workload = match options.workload {
        Workload::Echo => "echo",
        Workload::UniqueIds => "unique-ids",
    };
    let setting = Setting {
        workload: workload.to_owned(),
        nodes: options.node_count,
        rate_wanted: options.rate,
        time_limit_s: options.time_limit.as_secs_f64(),
        availability: options.availability,
        seed: options.seed,
    };
    Ok(run.tally.report(setting, run.network.traffic))
}

struct Run<'a> {
    options: &'a Options,
    names: Vec<String>,
    nodes: Vec<Process>,
    events: Receiver<Event>,
    /// Held so that the events do not end with the last node: the clients still wait.
    _sender: Sender<Event>,
    network: Network,
    clients: Clients,
    tally: Tally,
    rng: Rng,
    /// Messages that nodes were given: their `id` in the workbench's network.
    delivered: u64,
}

impl<'a> Run<'a> {
    fn start(options: &'a Options) -> Result<Self> {
        ensure!(options.node_count > 0, "there has to be a node");
        ensure!(options.rate.is_finite() && options.rate > 0.0, "the rate has to be positive");
        let names: Vec<_> = (0..options.node_count).map(|i| format!("n{i}")).collect();
        let (sender, events) = mpsc::channel();
        let (bin, arguments) = &options.bin;
        let start = |(index, name): (usize, &String)| {
            let stderr = if options.log_stderr { Stdio::inherit() } else { Stdio::null() };
            Process::start(index, name, (bin, arguments), stderr, sender.clone())
        };
        let nodes = names.iter().enumerate().map(start).collect::<Result<_>>()?;
        Ok(Self {
            options,
            network: Network::new(&names, options.latency),
            names,
            nodes,
            events,
            _sender: sender,
            clients: Clients::default(),
            tally: Tally::default(),
            rng: Rng::with_seed(options.seed),
            delivered: 0,
        })
    }

    /// Tells all nodes at once who they are.
    fn init(&mut self) -> Result<()> {
        for node in self.names.clone() {
            let asked = Asked::Init { node: node.clone(), nodes: self.names.clone() };
            self.ask(&node, asked, Instant::now(), self.options.init_timeout);
        }
        while self.clients.wait() {
            self.proceed(None)?;
        }
        let faults = &self.tally.faults;
        if faults.count > 0 {
            bail!("the nodes did not start: {}", faults.first.join("; "));
        }
        Ok(())
    }

    fn work(&mut self) -> Result<()> {
        let start = Instant::now();
        let end = start + self.options.time_limit;
        let mut next_request = start;
        let mut nemesis = Nemesis::new(self.options.partition_every, &mut self.rng, start);
        loop {
            let now = Instant::now();
            while next_request <= now && next_request < end {
                self.request(next_request);
                next_request += around(1.0 / self.options.rate, 0.0, &mut self.rng);
            }
            if now >= end {
                break;
            }
            if let Some(cuts) = nemesis.act(now, &self.names, &mut self.rng, &mut self.tally) {
                self.network.cut(cuts);
            }
            let next = nemesis.next.map_or(next_request, |next| next.min(next_request));
            self.proceed(Some(next.min(end)))?;
        }
        self.network.cut(Cuts::new());
        while self.clients.wait() {
            self.proceed(None)?;
        }
        Ok(())
    }

    fn request(&mut self, due: Instant) {
        let node = self.names[self.rng.usize(..self.names.len())].clone();
        let asked = match self.options.workload {
            Workload::UniqueIds => Asked::Generate,
            Workload::Echo => Asked::Echo(payload(&mut self.rng)),
        };
        self.tally.requests += 1;
        self.ask(&node, asked, due, self.options.timeout);
    }

    fn ask(&mut self, node: &str, asked: Asked, due: Instant, timeout: Duration) {
        let message = self.clients.ask(node, asked, due, timeout, &mut self.tally);
        self.network.send(message, Instant::now());
    }

    /// Waits for something to happen, until `wake` at most, and does what there is to do.
    fn proceed(&mut self, wake: Option<Instant>) -> Result<()> {
        const LOOK_UP: Duration = Duration::from_millis(100);
        let now = Instant::now();
        self.deliver(now);
        let times = [wake, self.network.next_delivery(), self.clients.next_deadline()];
        let until = times.into_iter().flatten().fold(now + LOOK_UP, Instant::min);
        match self.events.recv_timeout(until.saturating_duration_since(now)) {
            Ok(event) => {
                self.take(event);
                while let Ok(event) = self.events.try_recv() {
                    self.take(event);
                }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        let now = Instant::now();
        self.deliver(now);
        self.clients.give_up(now, &mut self.tally);
        interrupt::check()
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Line(node, line, at) => match check::message(&line, &self.names[node]) {
                Ok(message) if self.network.is_node(&message.dest) => {
                    self.network.send(message, at)
                }
                // At once, for the sake of its exact time.
                Ok(message) if self.clients.know(&message.dest) => {
                    self.network.traffic.client += 1;
                    self.clients.receive(&message, at, &mut self.tally);
                }
                Ok(Message { dest, .. }) => {
                    self.tally
                        .fault(format!("{} wrote to {dest}, who is not there", self.names[node]));
                }
                Err(fault) => {
                    self.tally.fault(format!("{} wrote a line that is {fault}", self.names[node]))
                }
            },
            Event::Closed(node) => {
                self.tally.fault(format!("{} closed its output", self.names[node]));
            }
        }
    }

    /// To nodes: clients have theirs already.
    fn deliver(&mut self, now: Instant) {
        while let Some(Message { src, dest, body }) = self.network.deliver(now) {
            if let Some(index) = self.names.iter().position(|name| *name == dest) {
                let line = json!({"id": self.delivered, "src": src, "dest": dest, "body": body});
                self.delivered += 1;
                self.nodes[index].send(format!("{line}\n"));
            }
        }
    }

    /// Ends all nodes, side by side.
    fn stop(&mut self) {
        self.nodes.iter_mut().for_each(Process::close);
        for (node, name) in self.nodes.iter_mut().zip(&self.names) {
            match node.stop() {
                Ok(status) if status.success() => {}
                Ok(status) => self.tally.fault(format!("{name} ended with {status}")),
                Err(error) => self.tally.fault(format!("{error:#}")),
            }
        }
    }
}

/// Something of every kind that JSON has, within what all readers hold exactly.
fn payload(rng: &mut Rng) -> serde_json::Value {
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
