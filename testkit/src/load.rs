//! Sessions that ask for IDs without end, through crashes, restarts and failovers of the server.

use std::{
    error::Error as _,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use postgres::{
    Config, Error, GenericClient, NoTls, Row, Statement,
    error::SqlState,
    fallible_iterator::FallibleIterator,
    types::{ToSql, Type},
};

use crate::{
    interrupt::wait_for,
    ledger::{Ledger, Session, stamp},
    poll::DEADLINE,
};

/// Between two tries to connect, and after an error.
const PAUSE: Duration = Duration::from_millis(25);

/// What a session asks, over and over: its only column is an ID or an array of them.
#[derive(Debug, Clone)]
pub struct Query {
    text: String,
    is_rolled_back: bool,
}

impl Query {
    /// In a transaction by itself.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_rolled_back: false }
    }

    /// In a transaction that is rolled back each time.
    #[must_use]
    pub fn rolled_back(self) -> Self {
        Self { is_rolled_back: true, ..self }
    }
}

/// Sessions at work. A session whose connection breaks makes a new one, as soon as there can be one;
/// dropping the load ends them without looking at what they were given.
#[derive(Debug)]
pub struct Load {
    common: Arc<Common>,
    sessions: Vec<JoinHandle<Session>>,
}

/// What the sessions of a load were given.
#[derive(Debug)]
pub struct Tally {
    /// How many IDs.
    pub ids: u64,
    /// The longest time without any reply, from the first reply to the end of the load.
    pub longest_gap: Duration,
    /// Errors of the server other than the loss of the connection, `SQLSTATE: message`.
    pub errors: Vec<String>,
    /// Every single ID.
    pub ledger: Ledger,
}

impl Load {
    /// `sessions` sessions that ask for `ids_per_request` IDs at a time, in a database that has the
    /// extension.
    #[must_use]
    pub fn start(config: Config, sessions: usize, ids_per_request: u32) -> Self {
        let query =
            format!("SELECT snowflake_nextval() FROM generate_series(1, {ids_per_request})");
        Self::running(config, sessions, &query)
    }

    /// `sessions` sessions that run `query`, whose only column is an ID or an array of them.
    #[must_use]
    pub fn running(config: Config, sessions: usize, query: &str) -> Self {
        Self::mixed(config, vec![Query::new(query); sessions])
    }

    /// A session for each of the queries.
    #[must_use]
    pub fn mixed(config: Config, queries: impl IntoIterator<Item = Query>) -> Self {
        let common = Arc::new(Common::new(config));
        let sessions = queries.into_iter().enumerate().map(|(i, query)| {
            let common = Arc::clone(&common);
            thread::spawn(move || common.serve_until_done(&i.to_string(), &query))
        });
        Self { sessions: sessions.collect(), common }
    }

    /// Waits until a request that was made after this call has been answered.
    pub fn wait_for_new_ids(&self) -> Result<()> {
        let since = stamp();
        let answered = || self.common.newest_answered.load(Ordering::SeqCst) > since;
        wait_for("new IDs", DEADLINE, || Ok(answered())).map_err(|error| {
            let last = self.common.errors().last().cloned().unwrap_or_default();
            anyhow!("{error:#}; last error of the server: {last}")
        })
    }

    /// Returns when IDs have been returned for so long, and still are.
    pub fn issue_for(&self, time: Duration) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < time {
            self.wait_for_new_ids()?;
        }
        Ok(())
    }

    /// How many IDs have been returned so far.
    #[must_use]
    pub fn ids(&self) -> u64 {
        self.common.ids.load(Ordering::Relaxed)
    }

    /// Ends the sessions and looks for a broken promise in what they were given.
    pub fn stop(self) -> Result<Tally> {
        let tally = self.end();
        tally.ledger.check()?;
        Ok(tally)
    }

    /// Ends the sessions; what they were given is for the caller to check.
    #[must_use]
    pub fn end(mut self) -> Tally {
        self.common.done.store(true, Ordering::Relaxed);
        let sessions: Vec<_> = self.sessions.drain(..).map(JoinHandle::join).collect();
        let longest_gap = self.common.service().longest_gap(Instant::now());
        let sessions = sessions
            .into_iter()
            .map(|session| session.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        let ledger: Ledger = sessions.collect();
        let errors = std::mem::take(&mut *self.common.errors());
        Tally { ids: ledger.count(), longest_gap, errors, ledger }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.common.done.store(true, Ordering::Relaxed);
    }
}

/// What the sessions share.
#[derive(Debug)]
struct Common {
    config: Config,
    done: AtomicBool,
    /// How many IDs complete replies had.
    ids: AtomicU64,
    /// When the newest request that has been answered was made.
    newest_answered: AtomicU64,
    service: Mutex<Service>,
    errors: Mutex<Vec<String>>,
}

#[derive(Debug, Default)]
struct Service {
    last_reply: Option<Instant>,
    longest_gap: Duration,
}

impl Service {
    fn reply(&mut self, now: Instant) {
        self.longest_gap = self.longest_gap(now);
        self.last_reply = Some(now);
    }

    fn longest_gap(&self, now: Instant) -> Duration {
        let open = self.last_reply.map(|last| now.saturating_duration_since(last));
        self.longest_gap.max(open.unwrap_or_default())
    }
}

impl Common {
    fn new(config: Config) -> Self {
        Self {
            config,
            done: AtomicBool::new(false),
            ids: AtomicU64::new(0),
            newest_answered: AtomicU64::new(0),
            service: Mutex::default(),
            errors: Mutex::default(),
        }
    }

    fn serve_until_done(&self, name: &str, query: &Query) -> Session {
        let mut session = Session::new(name);
        while !self.is_done() {
            if let Err(error) = self.serve(query, &mut session) {
                self.note(&error);
                thread::sleep(PAUSE);
            }
        }
        session
    }

    /// Asks for IDs over one connection, until it breaks or the load ends.
    fn serve(&self, query: &Query, session: &mut Session) -> Result<(), Error> {
        let mut client = self.config.connect(NoTls)?;
        let statement = client.prepare(&query.text)?;
        while !self.is_done() {
            let before = session.ids().len();
            let answer = session.receive(|ids| {
                if !query.is_rolled_back {
                    return ask(&mut client, &statement, ids);
                }
                let mut transaction = client.transaction()?;
                ask(&mut transaction, &statement, ids)?;
                transaction.rollback()
            });
            match answer {
                Ok(()) => self.answered(session, session.ids().len() - before),
                Err(error) if client.is_closed() => return Err(error),
                Err(error) => {
                    self.note(&error);
                    thread::sleep(PAUSE);
                }
            }
        }
        Ok(())
    }

    fn answered(&self, session: &Session, ids: usize) {
        self.ids.fetch_add(ids as u64, Ordering::Relaxed);
        self.newest_answered.fetch_max(session.asked_last_at(), Ordering::SeqCst);
        // Read under the lock, so that times only ever increase.
        let mut service = self.service();
        service.reply(Instant::now());
    }

    fn note(&self, error: &Error) {
        if !is_loss_of_connection(error) {
            let text = match error.as_db_error() {
                Some(db) => format!("{}: {}", db.code().code(), db.message()),
                None => error.to_string(),
            };
            self.errors().push(text);
        }
    }

    fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }

    fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn errors(&self) -> MutexGuard<'_, Vec<String>> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request. What has arrived when the connection breaks has been returned to a client, too.
fn ask(
    client: &mut impl GenericClient,
    statement: &Statement,
    ids: &mut Vec<i64>,
) -> Result<(), Error> {
    let none: [&dyn ToSql; 0] = [];
    let mut rows = client.query_raw(statement, none)?;
    while let Some(row) = rows.next()? {
        add(&row, ids)?;
    }
    Ok(())
}

fn add(row: &Row, ids: &mut Vec<i64>) -> Result<(), Error> {
    if *row.columns()[0].type_() == Type::INT8_ARRAY {
        ids.append(&mut row.try_get::<_, Vec<i64>>(0)?);
    } else {
        ids.push(row.try_get(0)?);
    }
    Ok(())
}

/// Whether the server is gone, going, or not there yet.
fn is_loss_of_connection(error: &Error) -> bool {
    const GOING: [SqlState; 3] =
        [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW];
    match error.code() {
        Some(code) => GOING.contains(code),
        None => error.is_closed() || error.source().is_some_and(|source| source.is::<io::Error>()),
    }
}
