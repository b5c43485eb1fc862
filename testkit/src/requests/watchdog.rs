//! Ends requests that take too long. The server's own timeouts spare the wait for other servers that
//! comes with a commit.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use postgres::{CancelToken, Client, NoTls};

/// How often it looks.
const TICK: Duration = Duration::from_millis(50);

/// One session's request, if one is under way: since when, and how it is cancelled.
#[derive(Default)]
pub(super) struct Watch(Mutex<Option<(Instant, CancelToken)>>);

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

impl Watch {
    /// Makes a request, under watch.
    pub(super) fn over<T>(&self, client: &mut Client, ask: impl FnOnce(&mut Client) -> T) -> T {
        *self.request() = Some((Instant::now(), client.cancel_token()));
        let answer = ask(client);
        *self.request() = None;
        answer
    }

    /// Cancels it under the lock, so that no other request is met. Once: a server that cannot be told so
    /// will not answer either.
    fn look(&self, deadline: Duration) {
        let mut request = self.request();
        if let Some((_, token)) = request.take_if(|(since, _)| since.elapsed() > deadline) {
            token.cancel_query(NoTls).ok();
        }
    }

    fn request(&self) -> MutexGuard<'_, Option<(Instant, CancelToken)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at the requests of these sessions as long as there are any.
pub(super) fn look_after<'a>(sessions: impl Iterator<Item = &'a Arc<Watch>>, deadline: Duration) {
    let watches: Vec<_> = sessions.map(Arc::downgrade).collect();
    thread::spawn(move || {
        while watches.iter().any(|watch| watch.strong_count() > 0) {
            watches.iter().filter_map(|watch| watch.upgrade()).for_each(|it| it.look(deadline));
            thread::sleep(TICK);
        }
    });
}
