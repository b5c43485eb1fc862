//! The background process that extends the lease before callers come to its end.
//!
//! Here: what it does at a look, and when it looks again. Not here: the process. Correctness never depends
//! on it: without it, a caller in about every second pays an fsync.

use crate::clock::MINUTE_MICROS;
use crate::lease::{LENGTH_MILLIS, RETRY_EVERY};
use crate::sync::Ordering::Relaxed;
use crate::{Event, Extender, Host, Obstacle, Server, Tick};
use std::time::Duration;

/// How often a lease in use is looked at. A burst uses it up several times faster than the clock
/// does; callers extend it themselves if that is too fast even so.
const LOOK_EVERY: Duration = Duration::from_millis(125);
/// A counter that has not moved for so many looks is not in use: the next caller that finds the lease
/// over wakes the keeper.
const LOOKS_BEFORE_SLEEP: u32 = 8;

/// What the keeper remembers from one look to the next.
#[derive(Debug, Default)]
pub struct Keeper {
    /// The counter at the last look, and for how many looks it has stood there.
    newest: Tick,
    idle_looks: u32,
    /// What was replayed at the last look.
    replayed: Option<i64>,
    /// When a failure was reported last, by the monotonic clock.
    reported: Option<i64>,
}

impl Keeper {
    /// Does what is due; returns how long to sleep, or None for until a process wakes it.
    pub fn look<H: Host>(&mut self, server: &Server<'_, H>) -> Option<Duration> {
        server.watch_clock();
        let (done, nap) = if server.host.is_in_recovery() {
            // Replay wakes the keeper.
            (self.follow(server), None)
        } else {
            self.renew(server)
        };
        match done {
            Ok(()) => nap,
            Err(obstacle) => {
                self.report(server, obstacle);
                Some(RETRY_EVERY)
            }
        }
    }

    /// Keeps the primary's lease, if one was replayed since the last look.
    fn follow<H: Host>(&mut self, server: &Server<'_, H>) -> Result<(), Obstacle> {
        let replayed = server.state.replayed();
        if replayed != self.replayed {
            server.keep_replayed()?;
            self.replayed = replayed;
        }
        Ok(())
    }

    /// Extends a lease that is in use and half over, and one that could not be written before, so that
    /// an obstacle that is gone does not go on being shown.
    fn renew<H: Host>(
        &mut self,
        server: &Server<'_, H>,
    ) -> (Result<(), Obstacle>, Option<Duration>) {
        let Server { generator, state, host } = server;
        let (end, newest) = (state.lease.end(), state.ticker.peek());
        self.idle_looks = if newest == self.newest { self.idle_looks + 1 } else { 0 };
        self.newest = newest;
        let has_failed = state.lease_failure().is_some();
        if end == 0 && !has_failed {
            return (self.follow(server), None);
        }
        if self.idle_looks > LOOKS_BEFORE_SLEEP && !has_failed {
            return (Ok(()), None);
        }
        // The wall clock counts while it stands where the last IDs were; one that is wrong for a moment is to
        // leave no trace on disk. It counts, too, where a write has failed: a session has asked for an ID by it.
        let wall = generator.tick_at(host.wall_millis());
        let since = generator.unix_millis(wall) - generator.unix_millis(newest);
        let is_near = since <= LENGTH_MILLIS;
        let now = if has_failed || is_near { newest.max(wall) } else { newest };
        let left = generator.unix_millis(end) - generator.unix_millis(now);
        let in_use = newest != state.ticker_at_extension.load(Relaxed);
        let done = if has_failed || in_use && left <= LENGTH_MILLIS / 2 {
            server.extend(now, Extender::Keeper)
        } else {
            Ok(())
        };
        (done, Some(LOOK_EVERY))
    }

    fn report<H: Host>(&mut self, server: &Server<'_, H>, obstacle: Obstacle) {
        let now = server.monotonic();
        if self.reported.is_none_or(|last| now - last > MINUTE_MICROS) {
            self.reported = Some(now);
            server.host.log(Event::KeeperFailed(obstacle));
        }
    }
}
