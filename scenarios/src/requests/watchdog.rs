//! Ends requests that take too long. The server's own timeouts spare the wait for other servers that
//! comes with a commit.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use postgres::{CancelToken, Client, NoTls};

/// How often it looks.
const TICK: Duration = Duration::from_millis(50);

/// One session's request.
pub(super) struct Watch {
    deadline: Duration,
    state: Mutex<State>,
}

struct State {
    token: CancelToken,
    since: Option<Instant>,
}

impl Watch {
    pub(super) fn new(client: &Client, deadline: Duration) -> Self {
        let state = Mutex::new(State { token: client.cancel_token(), since: None });
        Self { deadline, state }
    }

    /// From now on the session has this connection.
    pub(super) fn replace(&self, client: &Client) {
        self.with(|state| state.token = client.cancel_token());
    }

    /// A request is made.
    pub(super) fn begin(&self) {
        self.with(|state| state.since = Some(Instant::now()));
    }

    /// It is over.
    pub(super) fn end(&self) {
        self.with(|state| state.since = None);
    }

    fn look(&self) {
        self.with(|state| {
            if state.since.is_some_and(|since| since.elapsed() > self.deadline) {
                // Once; a server that cannot be told so will not answer either.
                state.since = None;
                state.token.cancel_query(NoTls).ok();
            }
        });
    }

    fn with(&self, act: impl FnOnce(&mut State)) {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Looks after watches as long as it exists.
#[derive(Debug)]
pub(super) struct Watchdog {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    pub(super) fn start(watches: Vec<Arc<Watch>>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let thread = thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                watches.iter().for_each(|watch| watch.look());
                thread::sleep(TICK);
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().map(JoinHandle::join);
    }
}
