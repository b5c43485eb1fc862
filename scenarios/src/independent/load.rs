//! Client sessions that insert through HAProxy at a given rate, and come back when a server goes.
//!
//! As the sessions of a connection pool they have a limited life: that is how a server that comes
//! back gets clients again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use postgres::{Client, Config, NoTls, Statement};
use snowflake_testkit::{Ledger, Session};

use super::{Options, servers::WHICH};
use crate::{
    interrupt,
    requests::{Answer, Queue, Requests},
};

/// Between two tries to connect.
const PAUSE: Duration = Duration::from_millis(20);
const ONE: &str = "INSERT INTO orders (client) VALUES ($1) RETURNING id";

/// A request that was answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reply {
    pub(super) answer: Answer,
    pub(super) server: usize,
}

impl Reply {
    /// When it came, from the start of the load.
    pub(super) fn at(&self) -> Duration {
        self.answer.due + self.answer.took
    }
}

/// A session that ended under a request.
#[derive(Debug)]
pub(super) struct Loss {
    pub(super) server: usize,
    /// From the start of the load.
    pub(super) at: Duration,
    pub(super) why: String,
    /// Until the same request, made again, was answered.
    pub(super) answered_after: Option<Duration>,
}

/// What became of all requests.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) asked: u64,
    pub(super) replies: Vec<Reply>,
    pub(super) losses: Vec<Loss>,
    /// Why sessions gave up.
    pub(super) failures: Vec<String>,
    /// What each server has returned.
    pub(super) ledgers: Vec<Ledger>,
}

/// Sessions at work.
pub(super) struct Load {
    pub(super) start: Instant,
    queue: Arc<Queue>,
    answered: Arc<Answered>,
    sessions: Vec<JoinHandle<Inserting>>,
}

/// By server, how many requests it has answered.
type Answered = [AtomicU64];

impl Load {
    /// Goes on until it is told to finish.
    pub(super) fn start(config: &Config, options: &Options) -> Result<Self> {
        let requests = Requests {
            per_second: options.per_second / options.rows,
            time: options.time,
            deadline: options.deadline,
        };
        let queue = Arc::new(Queue::new(&requests, 0, 1).open());
        let answered: Arc<Answered> = options.machines.iter().map(|_| AtomicU64::new(0)).collect();
        let mut sessions = Vec::new();
        for client in 0..options.sessions {
            let shared = (Arc::clone(&queue), Arc::clone(&answered));
            let mut session = Inserting::new(client, config, options, shared);
            session.connect()?;
            sessions.push(session);
        }
        let start = Instant::now();
        let spawn = |session: Inserting| thread::spawn(move || session.work(start));
        Ok(Self { start, queue, answered, sessions: sessions.into_iter().map(spawn).collect() })
    }

    /// How many requests the server has answered.
    pub(super) fn answered_by(&self, server: usize) -> u64 {
        self.answered[server].load(Ordering::Relaxed)
    }

    /// Returns when the last request has been answered.
    pub(super) fn finish(self) -> Outcome {
        self.queue.close();
        let mut all = Outcome::default();
        let mut ledgers: Vec<Vec<Session>> = self.answered.iter().map(|_| Vec::new()).collect();
        for thread in self.sessions {
            let session = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            all.replies.extend(session.replies);
            all.losses.extend(session.losses);
            all.failures.extend(session.failure);
            for (ledger, given) in ledgers.iter_mut().zip(session.given) {
                ledger.push(given);
            }
        }
        all.asked = self.queue.asked();
        all.replies.sort_unstable_by_key(Reply::at);
        all.ledgers = ledgers.into_iter().map(Ledger::from_iter).collect();
        all
    }
}

/// One client.
struct Inserting {
    client: i32,
    config: Config,
    deadline: Duration,
    lifetime: Duration,
    insert: String,
    queue: Arc<Queue>,
    answered: Arc<Answered>,
    connection: Option<Connection>,
    /// By server, what the client was given.
    given: Vec<Session>,
    replies: Vec<Reply>,
    losses: Vec<Loss>,
    failure: Option<String>,
}

struct Connection {
    client: Client,
    insert: Statement,
    server: usize,
    until: Instant,
}

impl Inserting {
    fn new(
        client: u16,
        config: &Config,
        options: &Options,
        (queue, answered): (Arc<Queue>, Arc<Answered>),
    ) -> Self {
        let many = format!(
            "INSERT INTO orders (client) SELECT $1::int FROM generate_series(1, {}) RETURNING id",
            options.rows
        );
        Self {
            client: client.into(),
            config: config.clone(),
            deadline: options.deadline,
            lifetime: options.time / 10,
            insert: if options.rows == 1 { ONE.to_owned() } else { many },
            queue,
            answered,
            connection: None,
            given: (0..options.machines.len())
                .map(|server| Session::new(format!("{client} at server {server}")))
                .collect(),
            replies: Vec::new(),
            losses: Vec::new(),
            failure: None,
        }
    }

    fn work(mut self, start: Instant) -> Self {
        while let Some(due) = self.queue.next() {
            if interrupt::is_set() {
                break;
            }
            thread::sleep((start + due).saturating_duration_since(Instant::now()));
            match self.answer(start) {
                Ok(server) => {
                    let took = start.elapsed().saturating_sub(due);
                    self.replies.push(Reply { answer: Answer { due, took }, server });
                    self.answered[server].fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    self.failure = Some(format!("client {}: {error:#}", self.client));
                    break;
                }
            }
        }
        self.connection = None;
        self
    }

    /// Makes one request until it is answered; returns by which server.
    fn answer(&mut self, start: Instant) -> Result<usize> {
        let (since, losses) = (Instant::now(), self.losses.len());
        loop {
            let server = self.connect()?;
            let Err(error) = self.ask() else {
                let lost = &mut self.losses[losses..];
                lost.iter_mut().for_each(|loss| loss.answered_after = Some(since.elapsed()));
                return Ok(server);
            };
            let (at, why) = (start.elapsed(), format!("{error:#}"));
            self.losses.push(Loss { server, at, why, answered_after: None });
            self.connection = None;
            if since.elapsed() > self.deadline {
                bail!("no answer within {:?}", self.deadline);
            }
        }
    }

    fn ask(&mut self) -> Result<()> {
        let Connection { client, insert, server, .. } =
            self.connection.as_mut().context("no connection")?;
        let number = &self.client;
        self.given[*server].request(|| {
            let rows = client.query(&*insert, &[number])?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        })
    }

    /// Has a connection, an old one or a new one; returns to which server it leads.
    fn connect(&mut self) -> Result<usize> {
        self.connection = self.connection.take().filter(|it| Instant::now() < it.until);
        let since = Instant::now();
        loop {
            if let Some(connection) = &self.connection {
                return Ok(connection.server);
            }
            interrupt::check()?;
            match self.open() {
                Ok(connection) => self.connection = Some(connection),
                Err(error) if since.elapsed() > self.deadline => return Err(error),
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }

    fn open(&self) -> Result<Connection> {
        let mut client = self.config.connect(NoTls)?;
        let server: i32 = client.query_one(WHICH, &[])?.get(0);
        let insert = client.prepare(&self.insert)?;
        // Not all at once.
        let until = Instant::now() + self.lifetime.mul_f64(0.5 + fastrand::f64());
        Ok(Connection { client, insert, server: server.try_into()?, until })
    }
}
