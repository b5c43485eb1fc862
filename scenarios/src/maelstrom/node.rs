//! A node: what it answers to which line, and when it ends.
//!
//! Lines are read by one thread, which answers all that needs no server. `generate` goes to a second
//! thread, which asks the server for as many IDs as requests have gathered since it asked last: no
//! request waits for more than two round trips, however many there are.

use std::{
    io::{self, BufRead, Write},
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::maelstrom::{
    issuer::{Identity, Issuer, log},
    lines::{self, LONGEST, Line},
    protocol::{Code, Fault, Incoming, Reply, Request, ReturnAddress, parse, shortened},
};

/// The most IDs that one query asks for.
const MOST: usize = 10_000;

/// Serves standard input until it ends, or until a signal asks to end. A server that does not answer
/// within `patience` counts as one that hangs.
pub fn run(patience: Duration) -> Result<()> {
    let (end, ended) = mpsc::channel();
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP]).context("waiting for signals")?;
    let on_signal = end.clone();
    thread::spawn(move || {
        for _ in signals.forever() {
            // The second one is impatience; the kernel and the sweeper do the rest.
            if on_signal.send(()).is_err() {
                std::process::exit(1);
            }
        }
    });
    let node = Arc::new(Node::new(end.clone(), patience));
    let reader = Arc::clone(&node);
    thread::spawn(move || {
        if let Err(error) = reader.serve(&mut io::stdin().lock()) {
            log(&reader.name(), &format!("reading messages: {error}"));
        }
        end.send(()).ok();
    });
    ended.recv().ok();
    drop(ended);
    node.finish();
    Ok(())
}

struct Node {
    state: Mutex<State>,
    end: Sender<()>,
    patience: Duration,
}

#[derive(Default)]
struct State {
    name: Option<String>,
    phase: Phase,
    /// Who serves `generate`, if anybody.
    desk: Option<JoinHandle<()>>,
}

#[derive(Default)]
enum Phase {
    #[default]
    New,
    Starting,
    Ready(Sender<ReturnAddress>),
    Ending,
}

impl Node {
    fn new(end: Sender<()>, patience: Duration) -> Self {
        Self { state: Mutex::default(), end, patience }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self) -> String {
        self.state().name.clone().unwrap_or_else(|| "node".to_owned())
    }

    fn serve(self: &Arc<Self>, input: &mut impl BufRead) -> io::Result<()> {
        while let Some(line) = lines::next(input, LONGEST)? {
            let incoming = match line {
                Line::Whole(line) => parse(&line),
                Line::TooLong => {
                    let text = format!("the line has more than {LONGEST} bytes");
                    let fault = Fault::new(Code::MalformedRequest, text);
                    Incoming::Refused(ReturnAddress::default(), fault)
                }
            };
            self.take(incoming);
        }
        Ok(())
    }

    fn take(self: &Arc<Self>, incoming: Incoming) {
        let (address, request) = match incoming {
            Incoming::Request(address, request) => (address, request),
            Incoming::Refused(address, fault) => {
                return self.answer(&address, &Reply::Error(fault));
            }
            Incoming::Reply => return log(&self.name(), "a reply came that nobody waits for"),
        };
        let answer = match self.check_destination(&address, &request) {
            Ok(()) => match request {
                Request::Init { node_id, node_ids } => self.init(address, node_id, &node_ids),
                Request::Echo(value) => self.echo(address, value),
                Request::Generate => self.generate(address),
            },
            Err(fault) => Err((address, fault)),
        };
        if let Err((address, fault)) = answer {
            self.answer(&address, &Reply::Error(fault));
        }
    }

    fn check_destination(&self, address: &ReturnAddress, request: &Request) -> Result<(), Fault> {
        let own = match request {
            Request::Init { node_id, .. } => Some(node_id.clone()),
            _ => self.state().name.clone(),
        };
        match own {
            Some(own) if own != address.dest => {
                let text =
                    format!("the message is for {}, not for this node", shortened(&address.dest));
                Err(Fault::new(Code::MalformedRequest, text))
            }
            _ => Ok(()),
        }
    }

    fn init(
        self: &Arc<Self>,
        address: ReturnAddress,
        name: String,
        all: &[String],
    ) -> Result<(), (ReturnAddress, Fault)> {
        let mut state = self.state();
        if !matches!(state.phase, Phase::New) {
            let text = "this node has had its init: there is a single one";
            return Err((address, Fault::new(Code::MalformedRequest, text)));
        }
        let identity = match identity(&name, all) {
            Ok(identity) => identity,
            Err(fault) => return Err((address, fault)),
        };
        state.name = Some(name.clone());
        state.phase = Phase::Starting;
        let node = Arc::clone(self);
        state.desk = Some(thread::spawn(move || node.open_desk(&name, identity, &address)));
        Ok(())
    }

    fn echo(
        &self,
        address: ReturnAddress,
        value: Box<serde_json::value::RawValue>,
    ) -> Result<(), (ReturnAddress, Fault)> {
        if let Err(fault) = self.state().phase.queue() {
            return Err((address, fault));
        }
        self.answer(&address, &Reply::EchoOk(value));
        Ok(())
    }

    fn generate(&self, address: ReturnAddress) -> Result<(), (ReturnAddress, Fault)> {
        let state = self.state();
        match state.phase.queue() {
            Ok(queue) => queue.send(address).map_err(|lost| {
                (lost.0, Fault::new(Code::Abort, "nobody serves this request any more"))
            }),
            Err(fault) => Err((address, fault)),
        }
    }

    /// Starts the server and serves `generate` until the queue ends.
    fn open_desk(&self, name: &str, identity: Identity, init: &ReturnAddress) {
        let mut issuer = match Issuer::start(name, identity, self.patience) {
            Ok(issuer) => issuer,
            Err(error) => {
                log(name, &format!("{error:#}"));
                let mut state = self.state();
                *state = State::default();
                drop(state);
                let fault = Fault::new(Code::Abort, format!("no server was started: {error:#}"));
                return self.answer(init, &Reply::Error(fault));
            }
        };
        let Identity { datacenter, machine } = identity;
        log(name, &format!("its server issues as datacenter {datacenter}, machine {machine}"));
        let (queue, inbox) = mpsc::channel();
        if let Err(fault) = self.open_queue(queue) {
            return self.answer(init, &Reply::Error(fault));
        }
        self.answer(init, &Reply::InitOk);
        self.serve_desk(&mut issuer, &inbox);
    }

    /// Unless the node has been asked to end meanwhile.
    fn open_queue(&self, queue: Sender<ReturnAddress>) -> Result<(), Fault> {
        match &mut self.state().phase {
            phase @ Phase::Starting => *phase = Phase::Ready(queue),
            other => return other.queue().map(drop),
        }
        Ok(())
    }

    fn serve_desk(&self, issuer: &mut Issuer, inbox: &Receiver<ReturnAddress>) {
        while let Ok(first) = inbox.recv() {
            let waiting: Vec<_> =
                std::iter::once(first).chain(inbox.try_iter().take(MOST - 1)).collect();
            match issuer.issue(waiting.len()) {
                Ok(ids) => {
                    for (address, id) in waiting.iter().zip(ids) {
                        self.answer(address, &Reply::GenerateOk(id));
                    }
                }
                Err(fault) => {
                    for address in &waiting {
                        self.answer(address, &Reply::Error(fault.clone()));
                    }
                }
            }
        }
    }

    /// One write for one line, at once.
    fn answer(&self, address: &ReturnAddress, reply: &Reply) {
        let line = address.reply(self.state().name.as_deref(), reply);
        let mut output = io::stdout().lock();
        if let Err(error) = output.write_all(line.as_bytes()).and_then(|()| output.flush()) {
            log(&self.name(), &format!("writing a message: {error}"));
            self.end.send(()).ok();
        }
    }

    /// Answers what was asked before, and stops the server.
    fn finish(&self) {
        let mut state = self.state();
        state.phase = Phase::Ending;
        let desk = mem::take(&mut state.desk);
        drop(state);
        if desk.is_some_and(|desk| desk.join().is_err()) {
            log(&self.name(), "the thread that served generate had failed");
        }
    }
}

impl Phase {
    fn queue(&self) -> Result<&Sender<ReturnAddress>, Fault> {
        let text = match self {
            Self::Ready(queue) => return Ok(queue),
            Self::New => "this node has had no init yet",
            Self::Starting => "this node's server is starting",
            Self::Ending => "this node is ending",
        };
        Err(Fault::new(Code::TemporarilyUnavailable, text))
    }
}

fn identity(name: &str, all: &[String]) -> Result<Identity, Fault> {
    let mut sorted: Vec<_> = all.iter().collect();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        let text = format!("node_ids has {} more than once", shortened(twice[0]));
        return Err(Fault::new(Code::MalformedRequest, text));
    }
    if all.len() > Identity::COUNT {
        let text = format!("{} nodes, of at most {}", all.len(), Identity::COUNT);
        return Err(Fault::new(Code::NotSupported, text));
    }
    all.iter().position(|other| other == name).and_then(Identity::of_place).ok_or_else(|| {
        let text = format!("node_id {} is not among node_ids", shortened(name));
        Fault::new(Code::MalformedRequest, text)
    })
}
