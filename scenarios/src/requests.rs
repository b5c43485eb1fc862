//! Clients that ask at a given rate, whatever becomes of the answers.
//!
//! Every request has a time at which it is due. One that has to wait for those before it is late by
//! that, too: a server that stands still is not asked less for it.

mod watchdog;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use postgres::{Client, Config, NoTls};
use snowflake_testkit::{Ledger, Session};

use crate::interrupt;
use watchdog::{Watch, Watchdog};

/// Sessions at each node.
const SESSIONS: usize = 6;

/// What is asked, and when.
#[derive(Debug, Clone)]
pub struct Requests {
    /// All nodes together, who take turns.
    pub per_second: u32,
    /// For how long.
    pub time: Duration,
    /// How soon after it was due an answer is one.
    pub deadline: Duration,
}

/// The requests of one or more nodes and what became of them.
#[derive(Debug, Default)]
pub struct Answers {
    /// What each node has returned.
    pub ledgers: Vec<Ledger>,
    /// Every answer in time.
    pub answers: Vec<Answer>,
    /// Every request that got none in time.
    pub refusals: Vec<Refusal>,
}

/// A request that got an ID in time.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// From the start of the load.
    pub due: Duration,
    /// From when it was due.
    pub took: Duration,
}

/// A request that did not.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Whose client asked.
    pub node: usize,
    /// From the start of the load.
    pub due: Duration,
    /// The server's error, or how late the answer was.
    pub why: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}, after {:.3} s: {}", self.node, self.due.as_secs_f64(), self.why)
    }
}

impl Requests {
    /// Connects the sessions, to one server after the other, and sets them to work. `query` returns
    /// an ID, on the server of that number.
    pub fn start(&self, servers: &[Config], query: fn(usize) -> String) -> Result<Running> {
        let mut sessions = Vec::new();
        for (node, config) in servers.iter().enumerate() {
            let queue = Arc::new(Queue::new(self, node, servers.len()));
            for _ in 0..SESSIONS {
                let server = (node, config.clone());
                sessions.push(Asking::start(self, server, query(node), Arc::clone(&queue))?);
            }
        }
        let watchdog =
            Watchdog::start(sessions.iter().map(|session| Arc::clone(&session.watch)).collect());
        let start = Instant::now();
        let sessions = sessions
            .into_iter()
            .map(|mut session| (session.node, thread::spawn(move || session.work(start))));
        Ok(Running { nodes: servers.len(), sessions: sessions.collect(), watchdog })
    }
}

/// Requests being made.
#[derive(Debug)]
pub struct Running {
    nodes: usize,
    sessions: Vec<(usize, JoinHandle<Done>)>,
    watchdog: Watchdog,
}

type Done = (Session, Vec<Answer>, Vec<Refusal>);

impl Running {
    /// Returns when the last request has been answered or given up.
    pub fn finish(self) -> Answers {
        let mut all = Answers::default();
        let mut sessions: Vec<Vec<Session>> = (0..self.nodes).map(|_| Vec::new()).collect();
        for (node, thread) in self.sessions {
            let (session, answers, refusals) =
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            sessions[node].push(session);
            all.answers.extend(answers);
            all.refusals.extend(refusals);
        }
        drop(self.watchdog);
        all.ledgers = sessions.into_iter().map(Ledger::from_iter).collect();
        all
    }
}

/// When the requests at one node are due.
#[derive(Debug)]
pub(crate) struct Queue {
    next: AtomicU64,
    count: u64,
    /// Whether there are more of them, at the same rate, until it is closed.
    is_open: AtomicBool,
    first: Duration,
    interval: Duration,
}

impl Queue {
    pub(crate) fn new(requests: &Requests, node: usize, nodes: usize) -> Self {
        let apart = Duration::from_secs(1) / requests.per_second;
        let first = apart * u32::try_from(node).unwrap_or(0);
        let interval = apart * u32::try_from(nodes).unwrap_or(1);
        let count = requests.time.saturating_sub(first).as_nanos().div_ceil(interval.as_nanos());
        let (next, is_open) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { next, count: u64::try_from(count).unwrap_or(0), is_open, first, interval }
    }

    /// Goes on until it is closed, and for its time at least.
    pub(crate) fn open(self) -> Self {
        Self { is_open: AtomicBool::new(true), ..self }
    }

    pub(crate) fn close(&self) {
        self.is_open.store(false, Ordering::Relaxed);
    }

    /// How many requests have been due.
    pub(crate) fn asked(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    pub(crate) fn next(&self) -> Option<Duration> {
        let is_open = self.is_open.load(Ordering::Relaxed);
        let following = |number| (number < self.count || is_open).then_some(number + 1);
        let number =
            self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, following).ok()?;
        Some(self.first + self.interval.mul_f64(number as f64))
    }
}

/// One session and what it has been told.
struct Asking {
    node: usize,
    config: Config,
    client: Client,
    query: String,
    deadline: Duration,
    watch: Arc<Watch>,
    queue: Arc<Queue>,
    session: Session,
    answers: Vec<Answer>,
    refusals: Vec<Refusal>,
}

impl Asking {
    fn start(
        requests: &Requests,
        (node, config): (usize, Config),
        query: String,
        queue: Arc<Queue>,
    ) -> Result<Self> {
        let client = config.connect(NoTls).with_context(|| format!("connecting to node {node}"))?;
        let watch = Arc::new(Watch::new(&client, requests.deadline));
        Ok(Self {
            node,
            config,
            client,
            watch,
            query,
            deadline: requests.deadline,
            queue,
            session: Session::new(node.to_string()),
            answers: Vec::new(),
            refusals: Vec::new(),
        })
    }

    fn work(&mut self, start: Instant) -> Done {
        while let Some(due) = self.queue.next() {
            if interrupt::is_set() {
                break;
            }
            thread::sleep((start + due).saturating_duration_since(Instant::now()));
            self.watch.begin();
            let asked = self.ask();
            self.watch.end();
            let took = start.elapsed().saturating_sub(due);
            let why = match asked {
                Ok(()) if took <= self.deadline => {
                    self.answers.push(Answer { due, took });
                    continue;
                }
                Ok(()) => format!("answered after {took:?}"),
                Err(error) => format!("{error:#}"),
            };
            self.refusals.push(Refusal { node: self.node, due, why });
        }
        let session = std::mem::replace(&mut self.session, Session::new(""));
        (session, std::mem::take(&mut self.answers), std::mem::take(&mut self.refusals))
    }

    fn ask(&mut self) -> Result<()> {
        if self.client.is_closed() {
            self.client = self.config.connect(NoTls)?;
            self.watch.replace(&self.client);
        }
        let (client, query) = (&mut self.client, self.query.as_str());
        self.session.request(|| Ok(vec![client.query_one(query, &[])?.get(0)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_take_turns_and_the_rate_is_that_of_all() {
        let requests = Requests {
            per_second: 1_000,
            time: Duration::from_secs(2),
            deadline: Duration::from_secs(1),
        };
        let queues: Vec<_> = (0..3).map(|node| Queue::new(&requests, node, 3)).collect();
        assert_eq!(queues.iter().map(|queue| queue.count).sum::<u64>(), 2_000);
        let mut due: Vec<_> =
            queues.iter().flat_map(|queue| std::iter::from_fn(|| queue.next())).collect();
        due.sort_unstable();
        let even: Vec<_> = (0..2_000).map(Duration::from_millis).collect();
        assert_eq!(due, even);
    }

    #[test]
    fn an_open_queue_goes_on_beyond_its_time_until_it_is_closed() {
        let second = Duration::from_secs(1);
        let requests = Requests { per_second: 2, time: second, deadline: second };
        let queue = Queue::new(&requests, 0, 1).open();
        let due: Vec<_> = (0..3).map(|_| queue.next()).collect();
        assert_eq!(due, [0, 500, 1_000].map(|at| Some(Duration::from_millis(at))));
        queue.close();
        assert_eq!((queue.next(), queue.asked()), (None, 3));
    }
}
