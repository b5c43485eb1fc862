//! The background process that extends the lease before callers come to its end, and for those that did.
//!
//! Here: what it does at a look, and when it looks again. Not here: the process. Correctness never depends
//! on it: without it, a caller in about every second pays an fsync.

use crate::clock::MINUTE_MICROS;
use crate::lease::RETRY_EVERY;
use crate::sync::Ordering::Relaxed;
use crate::{Event, Extender, Host, LEAST_MILLIS, Obstacle, Server, State, Tick};
use std::time::Duration;

/// How often a lease in use is looked at. A burst uses it up several times faster than the clock
/// does; callers ask for more themselves if that is too fast even so.
const LOOK_EVERY: Duration = Duration::from_millis(125);
/// A counter that has not moved for this many looks is not in use: the next caller that finds the lease
/// over wakes the keeper.
const LOOKS_BEFORE_SLEEP: u32 = 8;
/// One that has not moved for more than this many is not worth a write. Together they are less than half of the
/// shortest lease.
const LOOKS_IN_USE: u32 = 2;

/// What the keeper remembers from one look to the next.
#[derive(Debug, Default)]
pub struct Keeper {
    /// The counter at the last look, and for how many looks it has stood there.
    newest: Tick,
    idle_looks: u32,
    /// Where the lease that was replayed by the last look ends, in milliseconds since 1970.
    replayed: i64,
    /// When a failure was reported last, by the monotonic clock.
    reported: Option<i64>,
}

impl Keeper {
    /// Does what is due; returns how long to sleep, or None for until a process wakes it.
    pub fn look<H: Host>(&mut self, server: &Server<'_, H>) -> Option<Duration> {
        server.watch_clock();
        if server.host.is_in_recovery() {
            return self.follow(server.state, server.host);
        }
        let (done, nap) = self.renew(server);
        self.report(server.host, done).or(nap)
    }

    /// The same on a server that its settings keep from issuing: keeps the primary's lease, if one was replayed
    /// since the last look. Replay wakes the keeper.
    pub fn follow<H: Host>(&mut self, state: &State, host: &H) -> Option<Duration> {
        let kept = self.keep_replayed(state, host);
        self.report(host, kept)
    }

    fn keep_replayed<H: Host>(&mut self, state: &State, host: &H) -> Result<(), Obstacle> {
        let replayed = state.replayed().map_or(0, |record| record.end_unix_millis());
        if replayed != self.replayed {
            state.keep_replayed(host)?;
            self.replayed = replayed;
        }
        Ok(())
    }

    /// Extends a lease that is in use and half over, one that a session waits for, and one that could not be
    /// written before, so that an obstacle that is gone does not go on being shown.
    fn renew<H: Host>(
        &mut self,
        server: &Server<'_, H>,
    ) -> (Result<(), Obstacle>, Option<Duration>) {
        let Server { generator, state, host } = server;
        let (end, newest) = (state.lease.end(), state.ticker.peek());
        self.idle_looks = if newest == self.newest { self.idle_looks + 1 } else { 0 };
        self.newest = newest;
        let has_failed = state.lease_failure().is_some();
        let is_wanted = state.requests.wanted() > end;
        if end == 0 && !has_failed && !is_wanted {
            return (self.keep_replayed(state, *host), None);
        }
        if self.idle_looks > LOOKS_BEFORE_SLEEP && !has_failed && !is_wanted {
            return (Ok(()), None);
        }
        // The wall clock counts while it stands where the last IDs were; one that is wrong for a moment is to
        // leave no trace on disk. It counts, too, where a write has failed: a session has asked for an ID by it.
        let wall = generator.tick_at(server.wall_millis());
        let since = generator.unix_millis(wall) - generator.unix_millis(newest);
        let is_near = since <= LEAST_MILLIS;
        let now = if has_failed || is_near { newest.max(wall) } else { newest };
        let left = generator.unix_millis(end) - generator.unix_millis(now);
        // A lone ID is worth the write that its session waited for, and none more.
        let is_new = newest != state.ticker_at_extension.load(Relaxed);
        let in_use = is_new && self.idle_looks <= LOOKS_IN_USE;
        let is_due = in_use && left <= server.length_millis() / 2;
        let done = if has_failed || is_wanted || is_due {
            server.extend(now, Extender::Keeper)
        } else {
            Ok(())
        };
        (done, Some(LOOK_EVERY))
    }

    /// Tells the log of a failure, once a minute; returns when to try again.
    fn report<H: Host>(&mut self, host: &H, done: Result<(), Obstacle>) -> Option<Duration> {
        let obstacle = done.err()?;
        let [.., now] = host.clocks();
        if self.reported.is_none_or(|last| now - last > MINUTE_MICROS) {
            self.reported = Some(now);
            host.log(Event::KeeperFailed(obstacle));
        }
        Some(RETRY_EVERY)
    }
}
