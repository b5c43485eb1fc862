//! The ordinary path to the next ID, and waiting where it is left.
//!
//! Here: one ID. Not here: many at a time (`batch.rs`), how the lease is extended (`lease.rs`).

use crate::sync::Ordering::Relaxed;
use crate::{Clocks, Extender, Host, IssueError, Obstacle, Section, Server, State, Tick};
use std::time::Duration;

/// A paced session sleeps at least this long. Waking up for every single millisecond keeps a
/// crowd busy waiting: 36 sessions took 0.15 of a core, with this 0.04, at the same rate of IDs.
/// What is not taken meanwhile is not lost: [`crate::Pacer::BURST`] is longer.
const NAP_MICROS: i64 = 5_000;

impl<H: Host> Server<'_, H> {
    /// The next ID: one clock read, one or two atomic operations, two comparisons.
    ///
    /// # Errors
    /// With the reason why none can be issued; nothing is lost then.
    #[inline(always)]
    pub fn next(&self) -> Result<i64, Obstacle> {
        let floor = self.floor()?;
        self.next_within(floor, self.limit(floor), 0)
    }

    /// The first tick that load has no business at, if the wall clock is at `floor`.
    #[inline]
    pub(crate) fn limit(&self, floor: Tick) -> Tick {
        self.generator.limit(floor, self.host.max_drift_millis())
    }

    /// The next ID, from a tick that is `floor` or later; from `limit` on, it has to be due. Where the ordinary path
    /// is left, the clock is looked at again, and `least` is what the ID has to be beyond all the same. Always
    /// inlined: a call costs 10 instructions of 128.
    #[inline(always)]
    pub(crate) fn next_within(
        &self,
        floor: Tick,
        limit: Tick,
        least: Tick,
    ) -> Result<i64, Obstacle> {
        let State { ticker, lease, .. } = self.state;
        let limit = limit.min(lease.end());
        // Look before taking a ticket: a caller that is refused or cancelled burns nothing.
        let next = ticker.peek().max(floor);
        if next >= limit {
            return self.held_from(least);
        }
        self.take(floor, limit)
    }

    /// Takes a ticket, and holds it back where another caller has taken those that may be returned.
    #[inline(always)]
    fn take(&self, floor: Tick, limit: Tick) -> Result<i64, Obstacle> {
        self.host.preempt();
        let tick = self.state.ticker.take(floor);
        self.host.preempt();
        if tick >= limit {
            self.hold(tick)?;
        }
        Ok(self.generator.id(tick))
    }

    /// The same off the ordinary path: at the end of the lease or of the drift limit, or by a clock that shows a time
    /// beyond these.
    #[cold]
    pub(crate) fn held_from(&self, least: Tick) -> Result<i64, Obstacle> {
        let State { ticker, lease, .. } = self.state;
        let mut floor = self.believed_floor()?;
        if least > floor && least > ticker.peek() {
            self.admit(least)?;
            floor = self.believed_floor()?;
        }
        let limit = self.limit(floor).min(lease.end());
        let floor = floor.max(least);
        let next = ticker.peek().max(floor);
        if next >= limit {
            self.hold(next)?;
        }
        self.take(floor, limit)
    }

    /// The first tick of the current millisecond, for a caller that is off the ordinary path.
    ///
    /// # Errors
    /// When the clock is outside of the ID space.
    pub(crate) fn believed_floor(&self) -> Result<Tick, Obstacle> {
        let floor = self.floor()?;
        if floor < self.state.lease.end() {
            return Ok(floor);
        }
        self.watch_clock();
        self.floor_at(self.wall_millis())
    }

    fn floor_at(&self, wall_millis: i64) -> Result<Tick, Obstacle> {
        let floor = self.generator.floor(&self.state.ticker, wall_millis);
        floor.map_err(|error| self.obstacle(error))
    }

    /// The first tick of the current millisecond, by the wall clock as it is.
    ///
    /// # Errors
    /// When the clock is outside of the ID space.
    #[inline]
    pub(crate) fn floor(&self) -> Result<Tick, Obstacle> {
        match self.generator.floor(&self.state.ticker, self.host.wall_millis()) {
            Ok(floor) => Ok(floor),
            Err(error) => self.floor_off_range(error),
        }
    }

    /// A clock before the epoch is no reason to refuse if IDs were issued already, be it in a former
    /// life of the server: the lease knows.
    #[cold]
    fn floor_off_range(&self, error: IssueError) -> Result<Tick, Obstacle> {
        if error == IssueError::EpochInFuture && self.state.lease.end() == 0 {
            self.extend(0, Extender::Caller)?;
        }
        self.watch_clock();
        self.floor_at(self.wall_millis())
    }

    /// Blocks until a tick may be returned: until the lease covers it and it is due.
    ///
    /// # Errors
    /// When the timestamp section has no room for it, or the lease cannot be extended.
    #[cold]
    pub(crate) fn hold(&self, tick: Tick) -> Result<(), Obstacle> {
        self.generator.check(tick).map_err(|error| self.obstacle(error))?;
        if tick >= self.state.lease.end() {
            self.extend(tick, Extender::Caller)?;
        }
        self.pace(tick);
        Ok(())
    }

    /// Waits until a tick beyond the drift limit is due.
    fn pace(&self, tick: Tick) {
        let mut since = None;
        self.watch_clock();
        loop {
            let id_clock = self.generator.start_micros(self.state.ticker.peek());
            let clocks = self.clocks();
            let wait = self.wait(tick, id_clock, clocks);
            if wait == 0 {
                break;
            }
            since.get_or_insert(clocks.monotonic);
            self.host.sleep(Duration::from_micros(wait.max(NAP_MICROS).unsigned_abs()));
        }
        if let Some(since) = since {
            self.count_wait(self.monotonic() - since);
        }
    }

    /// Counts a call that slept, in microseconds.
    pub(crate) fn count_wait(&self, micros: i64) {
        let counters = &self.state.counters;
        counters.waits.fetch_add(1, Relaxed);
        counters.wait_micros.fetch_add(micros.unsigned_abs(), Relaxed);
    }

    fn wait(&self, tick: Tick, id_clock: i64, clocks: Clocks) -> i64 {
        let max_drift = i64::from(self.host.max_drift_millis()) * 1_000;
        let start = self.generator.start_micros(tick);
        self.state.pacer.wait(start, id_clock, clocks, max_drift, self.slack())
    }

    /// Both clocks, the wall clock as far as it is believed and counted from the epoch.
    fn clocks(&self) -> Clocks {
        let [_, wall, monotonic] = self.host.clocks();
        let wall = self.state.belief.limit(wall, monotonic);
        let epoch = self.generator.space().epoch.unix_millis() * 1_000;
        Clocks { wall: wall - epoch, monotonic }
    }

    /// How far sessions that hold one ticket each can be ahead of the tick that is due, in
    /// microseconds, with room for a late wake-up.
    pub fn slack(&self) -> i64 {
        let sequence_bits = self.generator.layout().bits(Section::Sequence);
        let millis = (self.host.max_sessions() >> sequence_bits) + 10;
        millis * 1_000
    }
}
