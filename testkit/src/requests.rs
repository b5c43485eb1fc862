//! Clients that ask at a given rate, whatever becomes of the answers.
//!
//! Every request has a time at which it is due. One that has to wait for those before it is late by
//! that, too: a server that stands still is not asked less for it. One that fails is made again until its
//! deadline.

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
use postgres::{Client, Config, NoTls, Statement};

use crate::{
    interrupt,
    latency::{milliseconds, quantile},
    ledger::{Ledger, Session},
};
use watchdog::Watch;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(10);
/// Where there may be a load balancer in between, servers say who they are.
const WHICH: &str = "SELECT current_setting('cluster_name')::int";

/// What is asked, and when.
#[derive(Debug, Clone)]
pub struct Requests {
    /// It returns IDs.
    pub query: String,
    /// All sessions together.
    pub per_second: u32,
    /// For how long, at least.
    pub time: Duration,
    /// How soon after it was due an answer is one.
    pub deadline: Duration,
    /// At each place where clients connect to.
    pub sessions: usize,
    /// After about this time a session is replaced, as those of a connection pool: that is how a server
    /// that comes back gets clients again. None: never.
    pub lifetime: Option<Duration>,
}

/// What became of them.
#[derive(Debug, Default)]
pub struct Answers {
    /// How many there were.
    pub asked: u64,
    /// Those that got IDs in time, in the order of the answers.
    pub answers: Vec<Answer>,
    /// Every try that failed.
    pub failures: Vec<Failure>,
    /// What each server has returned.
    pub ledgers: Vec<Ledger>,
}

/// A request that got IDs in time.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// From the start of the load.
    pub due: Duration,
    /// From when it was due.
    pub took: Duration,
    /// Which server answered.
    pub server: usize,
}

/// A try that failed.
#[derive(Debug)]
pub struct Failure {
    /// None: there was no connection until it was too late.
    pub server: Option<usize>,
    /// From the start of the load.
    pub at: Duration,
    /// The error, or how late the answer was.
    pub why: String,
    /// From the first try of the same request until it was answered; None if it was not.
    pub answered_after: Option<Duration>,
}

impl Answers {
    /// How many requests were not answered in time.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.asked.saturating_sub(self.answers.len() as u64)
    }

    /// How many IDs were returned.
    #[must_use]
    pub fn ids(&self) -> u64 {
        self.ledgers.iter().map(Ledger::count).sum()
    }

    /// The milliseconds that this share of the answers took at most.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        milliseconds(quantile(self.answers.iter().map(|answer| answer.took), share))
    }
}

impl Answer {
    /// When it came, from the start of the load.
    #[must_use]
    pub fn at(&self) -> Duration {
        self.due + self.took
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, at, why, .. } = self;
        let server = server.map_or("no server".to_owned(), |server| format!("server {server}"));
        write!(f, "{server}, after {:.3} s: {why}", at.as_secs_f64())
    }
}

impl Requests {
    /// Connects the sessions and sets them to work. Each of the places has its own, and its turn; behind
    /// them are servers whose `cluster_name` is their number, below `servers`.
    pub fn start(&self, places: &[Config], servers: usize) -> Result<Running> {
        let answered: Arc<Answered> = (0..servers).map(|_| AtomicU64::new(0)).collect();
        let (mut queues, mut sessions) = (Vec::new(), Vec::new());
        for (place, config) in places.iter().enumerate() {
            let queue = Arc::new(Queue::new(self, place, places.len()));
            for number in 0..self.sessions {
                let given = |server| Session::new(format!("{place}.{number} at {server}"));
                let mut session = Asking {
                    requests: self.clone(),
                    config: config.clone(),
                    queue: Arc::clone(&queue),
                    answered: Arc::clone(&answered),
                    watch: Arc::default(),
                    connection: None,
                    given: (0..servers).map(given).collect(),
                    answers: Vec::new(),
                    failures: Vec::new(),
                };
                session.connect().with_context(|| format!("connecting to place {place}"))?;
                sessions.push(session);
            }
            queues.push(queue);
        }
        watchdog::look_after(sessions.iter().map(|session| &session.watch), self.deadline);
        let start = Instant::now();
        let work = |session: Asking| thread::spawn(move || session.work(start));
        Ok(Running { start, queues, answered, sessions: sessions.into_iter().map(work).collect() })
    }
}

/// Requests being made; they go on until this is finished or dropped.
#[derive(Debug)]
pub struct Running {
    /// When the first one was due.
    pub start: Instant,
    queues: Vec<Arc<Queue>>,
    answered: Arc<Answered>,
    sessions: Vec<JoinHandle<Asking>>,
}

/// By server, how many requests it has answered.
type Answered = [AtomicU64];

impl Running {
    /// How many requests the server has answered.
    #[must_use]
    pub fn answered_by(&self, server: usize) -> u64 {
        self.answered[server].load(Ordering::Relaxed)
    }

    /// Returns when the last request has been answered or given up.
    #[must_use]
    pub fn finish(mut self) -> Answers {
        self.queues.iter().for_each(|queue| queue.close());
        let mut all = Answers::default();
        let mut given: Vec<Vec<Session>> = self.answered.iter().map(|_| Vec::new()).collect();
        for thread in self.sessions.drain(..) {
            let session = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            all.answers.extend(session.answers);
            all.failures.extend(session.failures);
            given.iter_mut().zip(session.given).for_each(|(all, one)| all.push(one));
        }
        all.asked = self.queues.iter().map(|queue| queue.asked()).sum();
        all.answers.sort_unstable_by_key(Answer::at);
        all.ledgers = given.into_iter().map(Ledger::from_iter).collect();
        all
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.queues.iter().for_each(|queue| queue.close());
    }
}

/// When the requests at one place are due.
#[derive(Debug)]
struct Queue {
    next: AtomicU64,
    /// This many at least; more of them, at the same rate, until it is closed.
    count: u64,
    is_open: AtomicBool,
    first: Duration,
    interval: Duration,
}

impl Queue {
    fn new(requests: &Requests, place: usize, places: usize) -> Self {
        let apart = Duration::from_secs(1) / requests.per_second;
        let first = apart * u32::try_from(place).unwrap_or(0);
        let interval = apart * u32::try_from(places).unwrap_or(1);
        let count = requests.time.saturating_sub(first).as_nanos().div_ceil(interval.as_nanos());
        let (next, is_open) = (AtomicU64::new(0), AtomicBool::new(true));
        Self { next, count: u64::try_from(count).unwrap_or(0), is_open, first, interval }
    }

    fn close(&self) {
        self.is_open.store(false, Ordering::Relaxed);
    }

    /// How many requests have been due.
    fn asked(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    fn next(&self) -> Option<Duration> {
        let is_open = self.is_open.load(Ordering::Relaxed) && !interrupt::is_set();
        let following = |number| (number < self.count || is_open).then_some(number + 1);
        let number =
            self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, following).ok()?;
        Some(self.first + self.interval.mul_f64(number as f64))
    }
}

/// One session and what it has been told.
#[derive(Debug)]
struct Asking {
    requests: Requests,
    config: Config,
    queue: Arc<Queue>,
    answered: Arc<Answered>,
    watch: Arc<Watch>,
    connection: Option<Connection>,
    /// By server.
    given: Vec<Session>,
    answers: Vec<Answer>,
    failures: Vec<Failure>,
}

struct Connection {
    client: Client,
    query: Statement,
    server: usize,
    until: Option<Instant>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a connection to server {}", self.server)
    }
}

impl Asking {
    fn work(mut self, start: Instant) -> Self {
        while !interrupt::is_set()
            && let Some(due) = self.queue.next()
        {
            thread::sleep((start + due).saturating_duration_since(Instant::now()));
            self.request(start, due);
        }
        self.connection = None;
        self
    }

    /// Makes one request until it is answered or its deadline has passed.
    fn request(&mut self, start: Instant, due: Duration) {
        let (begin, earlier) = (Instant::now(), self.failures.len());
        loop {
            let mut server = None;
            let asked = self.ask(&mut server);
            let took = start.elapsed().saturating_sub(due);
            let late = took > self.requests.deadline || interrupt::is_set();
            let why = match (asked, server) {
                (Ok(()), Some(server)) if !late => {
                    self.answers.push(Answer { due, took, server });
                    self.answered[server].fetch_add(1, Ordering::Relaxed);
                    let failures = self.failures[earlier..].iter_mut();
                    failures.for_each(|it| it.answered_after = Some(begin.elapsed()));
                    return;
                }
                (Ok(()), _) => format!("answered after {took:?}"),
                (Err(error), _) => {
                    self.connection = None;
                    format!("{error:#}")
                }
            };
            // Having to try again to connect is no failure before it is too late.
            if server.is_some() || late {
                let at = start.elapsed();
                self.failures.push(Failure { server, at, why, answered_after: None });
            }
            if late {
                return;
            }
            thread::sleep(PAUSE);
        }
    }

    /// Makes it once; of which server is known once there is a connection.
    fn ask(&mut self, asked: &mut Option<usize>) -> Result<()> {
        self.connect()?;
        let Self { connection, given, watch, .. } = self;
        let Connection { client, query, server, .. } = connection.as_mut().context("none")?;
        *asked = Some(*server);
        given[*server].request(|| {
            let rows = watch.over(client, |client| client.query(&*query, &[]))?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        })
    }

    /// Has a connection, an old one or a new one.
    fn connect(&mut self) -> Result<()> {
        let is_over = |it: &Connection| it.until.is_some_and(|end| Instant::now() >= end);
        if self.connection.as_ref().is_none_or(is_over) {
            self.connection = None;
            self.connection = Some(self.open()?);
        }
        Ok(())
    }

    fn open(&self) -> Result<Connection> {
        let mut client = self.config.connect(NoTls)?;
        let server: i32 = client.query_one(WHICH, &[])?.get(0);
        let query = client.prepare(&self.requests.query)?;
        // Not all at once.
        let lifetime = self.requests.lifetime.map(|time| time.mul_f64(0.5 + fastrand::f64()));
        let until = lifetime.map(|time| Instant::now() + time);
        Ok(Connection { client, query, server: server.try_into()?, until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(per_second: u32, time: Duration) -> Requests {
        let (query, sessions) = (String::new(), 1);
        Requests { query, per_second, time, deadline: time, sessions, lifetime: None }
    }

    #[test]
    fn places_take_turns_and_the_rate_is_that_of_all() {
        let requests = requests(1_000, Duration::from_secs(2));
        let queues = [0, 1, 2].map(|place| Queue::new(&requests, place, 3));
        queues.iter().for_each(Queue::close);
        let mut due: Vec<_> =
            queues.iter().flat_map(|queue| std::iter::from_fn(|| queue.next())).collect();
        due.sort_unstable();
        let even: Vec<_> = (0..2_000).map(Duration::from_millis).collect();
        assert_eq!(due, even);
        assert_eq!(queues.iter().map(Queue::asked).sum::<u64>(), 2_000);
    }

    #[test]
    fn requests_go_on_beyond_their_time_until_they_are_finished() {
        let queue = Queue::new(&requests(2, Duration::from_secs(1)), 0, 1);
        let due: Vec<_> = (0..3).map(|_| queue.next()).collect();
        assert_eq!(due, [0, 500, 1_000].map(|at| Some(Duration::from_millis(at))));
        queue.close();
        assert_eq!((queue.next(), queue.asked()), (None, 3));
    }
}
